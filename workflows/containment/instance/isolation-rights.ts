/** What the isolation of an instance may do, in one session and at most. */
import type { Applied } from '#src/contracts/approval.ts';
import type { PolicyDocument } from '#src/contracts/aws.ts';
import type { InterfaceFacts } from './interfaces.ts';
import { isolatesTag, type VpcFacts } from './isolation.ts';
import { classicWrites, deregisterCalls, placementStatements, standbyCall, targetWrites } from './leave.ts';
import { type Placement, placementReads } from './placement.ts';

interface IsolationState extends Placement {
  readonly region: string;
  readonly interfaces: readonly InterfaceFacts[];
  readonly vpcs: readonly VpcFacts[];
}

export const isolationReads = [
  'ec2:DescribeInstances',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSecurityGroups',
  'ec2:DescribeVpcEndpoints',
  'ec2:DescribeVpcs',
  ...placementReads,
];
const ruleWrites = ['ec2:AuthorizeSecurityGroupEgress', 'ec2:DeleteSecurityGroup', 'ec2:RevokeSecurityGroupEgress'];

export const isolationWrites = [
  'autoscaling:EnterStandby',
  'autoscaling:ExitStandby',
  'ec2:CreateSecurityGroup',
  'ec2:CreateTags',
  'ec2:ModifyNetworkInterfaceAttribute',
  ...ruleWrites,
  ...targetWrites,
  ...classicWrites,
];

/** Over all targets. */
export function isolationRoleStatements(accountId: string, partition: string): PolicyDocument['Statement'] {
  const ec2 = (kind: string) => `arn:${partition}:ec2:*:${accountId}:${kind}/*`;
  const elb = (kind: string) => `arn:${partition}:elasticloadbalancing:*:${accountId}:${kind}/*`;
  return [
    { Effect: 'Allow', Action: isolationReads, Resource: '*' },
    {
      Effect: 'Allow',
      Action: ['ec2:CreateSecurityGroup'], // A VPC may be shared by another account.
      Resource: [ec2('security-group'), `arn:${partition}:ec2:*:*:vpc/*`],
    },
    {
      Effect: 'Allow',
      Action: ['ec2:CreateTags'],
      Resource: ec2('security-group'),
      Condition: { StringEquals: { 'ec2:CreateAction': 'CreateSecurityGroup' } },
    },
    {
      Effect: 'Allow',
      Action: ruleWrites,
      Resource: ec2('security-group'),
      Condition: { StringLike: { [`aws:ResourceTag/${isolatesTag}`]: 'i-*' } },
    },
    {
      Effect: 'Allow',
      Action: ['ec2:ModifyNetworkInterfaceAttribute'],
      Resource: [ec2('network-interface'), ec2('security-group'), ec2('instance')],
    },
    {
      Effect: 'Allow',
      Action: ['autoscaling:EnterStandby', 'autoscaling:ExitStandby'],
      Resource: `arn:${partition}:autoscaling:*:${accountId}:autoScalingGroup:*`,
    },
    { Effect: 'Allow', Action: targetWrites, Resource: elb('targetgroup') },
    { Effect: 'Allow', Action: classicWrites, Resource: elb('loadbalancer') },
  ];
}

/** Of one plan. An undo needs what it puts back, which the state of now may not show. */
export function isolationStatements(
  instanceId: string,
  keep: '' | 'ssm',
  before: IsolationState,
  accountId: string,
  partition: string,
  restores: Applied | undefined,
): PolicyDocument['Statement'] {
  const { region, interfaces, vpcs } = before;
  const ec2 = (kind: string, id: string) => `arn:${partition}:ec2:${region}:${accountId}:${kind}/${id}`;
  const anyGroup = ec2('security-group', '*');
  const isOurs = (context: string) => ({ StringEquals: { [`aws:${context}/${isolatesTag}`]: instanceId } });
  const leaving = [...standbyCall(instanceId, before, false), ...deregisterCalls(instanceId, before)];
  const calls = restores === undefined ? leaving : restores.done.map(({ call }) => call);
  const look = isolationReads.filter((one) => keep === 'ssm' || one !== 'ec2:DescribeVpcEndpoints');
  return [
    { Effect: 'Allow', Action: look, Resource: '*' },
    {
      Effect: 'Allow',
      Action: ['ec2:CreateSecurityGroup'],
      Resource: vpcs.map(({ id, ownerId }) => `arn:${partition}:ec2:${region}:${ownerId}:vpc/${id}`),
    },
    {
      Effect: 'Allow',
      Action: ['ec2:CreateSecurityGroup', 'ec2:CreateTags'],
      Resource: anyGroup,
      Condition: isOurs('RequestTag'),
    },
    { Effect: 'Allow', Action: ruleWrites, Resource: anyGroup, Condition: isOurs('ResourceTag') },
    {
      Effect: 'Allow',
      Action: ['ec2:ModifyNetworkInterfaceAttribute'],
      Resource: [...interfaces.map(({ id }) => ec2('network-interface', id)), anyGroup, ec2('instance', instanceId)],
    },
    ...placementStatements(calls, region, accountId, partition),
  ];
}
