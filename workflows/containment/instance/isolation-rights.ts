/** What the isolation of an instance may do, in one session and at most. */
import type { ApiCall, PolicyDocument } from '#src/contracts/aws.ts';
import { isolatesTag, type VpcFacts } from './isolation.ts';
import { classicWrites, placementStatements, targetWrites } from './leave.ts';
import { placementReads } from './placement.ts';

interface IsolationState {
  readonly region: string;
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

/** In the session's own policy there is little room; the role's has each by its name. */
const sessionReads = ['autoscaling:Describe*', 'ec2:Describe*', 'elasticloadbalancing:Describe*'];

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
      Resource: [ec2('network-interface'), ec2('security-group')],
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

/** Of one plan: what `calls` does, with the groups that are ours only. */
export function isolationStatements(
  instanceId: string,
  { region, vpcs }: IsolationState,
  calls: readonly ApiCall[],
  accountId: string,
  partition: string,
): PolicyDocument['Statement'] {
  const ec2 = (kind: string, id: string) => `arn:${partition}:ec2:${region}:${accountId}:${kind}/${id}`;
  const anyGroup = ec2('security-group', '*');
  const isOurs = (context: string) => ({ StringEquals: { [`aws:${context}/${isolatesTag}`]: instanceId } });
  const made = new Set(calls.map(({ operation }) => `ec2:${operation}`));
  const rules = ruleWrites.filter((action) => made.has(action));
  const interfaces = new Set(calls.flatMap(({ input }) => (input.NetworkInterfaceId as string | undefined) ?? []));
  const inVpcs = vpcs.map(({ id, ownerId }) => `arn:${partition}:ec2:${region}:${ownerId}:vpc/${id}`);
  const creating: PolicyDocument['Statement'] = made.has('ec2:CreateSecurityGroup')
    ? [
        { Effect: 'Allow', Action: ['ec2:CreateSecurityGroup'], Resource: inVpcs },
        {
          Effect: 'Allow',
          Action: ['ec2:CreateSecurityGroup', 'ec2:CreateTags'],
          Resource: anyGroup,
          Condition: isOurs('RequestTag'),
        },
      ]
    : [];
  return [
    { Effect: 'Allow', Action: sessionReads, Resource: '*' },
    ...creating,
    ...(rules.length === 0
      ? []
      : [{ Effect: 'Allow' as const, Action: rules, Resource: anyGroup, Condition: isOurs('ResourceTag') }]),
    {
      Effect: 'Allow',
      Action: ['ec2:ModifyNetworkInterfaceAttribute'],
      Resource: [...[...interfaces].map((id) => ec2('network-interface', id)), anyGroup],
    },
    ...placementStatements(calls, region, accountId, partition),
  ];
}
