import { describe, expect, it } from 'vitest';
import type { ApiCall, PolicyDocument } from '../../../src/contracts/aws.ts';
import { actionsOf, literalArn, narrowed } from '../../../src/domain/session-policy.ts';

const call = (service: ApiCall['service'], operation: string): ApiCall => ({
  service,
  operation,
  region: 'us-east-1',
  input: {},
});

describe('the rights that calls need', () => {
  it('are those of their names, with what AWS asks for beside them', () => {
    expect([...actionsOf([call('iam', 'PutRolePolicy')])]).toEqual(['iam:PutRolePolicy']);
    expect([
      ...actionsOf([call('elb', 'RegisterInstancesWithLoadBalancer'), call('elbv2', 'RegisterTargets')]),
    ]).toEqual(['elasticloadbalancing:RegisterInstancesWithLoadBalancer', 'elasticloadbalancing:RegisterTargets']);
    expect([...actionsOf([call('ec2', 'CreateSnapshots')])]).toEqual(['ec2:CreateSnapshots', 'ec2:CreateTags']);
    expect([...actionsOf([call('ec2', 'CreateSecurityGroup')])]).toEqual(['ec2:CreateSecurityGroup', 'ec2:CreateTags']);
    expect([...actionsOf([call('ec2', 'AssociateIamInstanceProfile')])]).toEqual([
      'ec2:AssociateIamInstanceProfile',
      'iam:PassRole',
    ]);
    expect([...actionsOf([])]).toEqual([]);
  });
});

describe('the session policy of a plan', () => {
  const permissions = { read: ['iam:GetUser'], write: ['iam:PutUserPolicy', 'iam:DeleteUserPolicy', 'iam:PassRole'] };
  const policy: PolicyDocument = {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: ['iam:DeleteUserPolicy', 'iam:GetUser', 'iam:PutUserPolicy'], Resource: 'arn:u' },
      { Effect: 'Allow', Action: ['iam:PassRole'], Resource: 'arn:r', Condition: { StringEquals: { a: 'b' } } },
      { Effect: 'Allow', Action: ['ec2:Describe*'], Resource: '*' },
    ],
  };

  it('keeps the reads and the writes of its calls, and drops the other writes with what is left empty of them', () => {
    expect(narrowed(policy, [call('iam', 'PutUserPolicy')], { permissions })).toEqual({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: ['iam:GetUser', 'iam:PutUserPolicy'], Resource: 'arn:u' },
        { Effect: 'Allow', Action: ['ec2:Describe*'], Resource: '*' },
      ],
    });
    expect(narrowed(policy, [], { permissions }).Statement.flatMap(({ Action }) => Action)).toEqual([
      'iam:GetUser',
      'ec2:Describe*',
    ]);
  });

  it('takes the signs of an ARN that a policy would read as wildcards letter by letter', () => {
    expect(literalArn('arn:aws:iam::1:user/ops/ida')).toBe('arn:aws:iam::1:user/ops/ida');
    expect(literalArn('arn:aws:iam::1:user/*/?/$x/ida')).toBe(`arn:aws:iam::1:user/\${*}/\${?}/\${$}x/ida`);
  });
});
