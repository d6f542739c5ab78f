/** Takes the instance profile off an instance and refuses the credentials that it was given already (DOMAIN.md 5.8, A10). */
import { DescribeIamInstanceProfileAssociationsCommand } from '@aws-sdk/client-ec2';
import { z } from 'zod';
import { type ActionContext, defineAction } from '#src/contracts/action.ts';
import type { ApiCall, PolicyDocument } from '#src/contracts/aws.ts';
import { everyPage } from '#src/domain/pages.ts';
import { literalArn } from '#src/domain/session-policy.ts';
import { tooEarly } from './identity/revoke-older.ts';
import { accountOfInstance, findInstance, instanceArn, instanceFacts, onlyInstanceIn } from './instance/instance-of.ts';
import {
  denyCall,
  holdsDeny,
  instanceCredentialsLiveMs,
  liftCalls,
  mayUse,
  roleOf,
  roleStatementsOf,
  SessionState,
  SessionTarget,
  seenDeny,
} from './instance/instance-session.ts';

const usage = 'remove-instance-profile <i-... or ARN of an instance>';

const Before = SessionState.extend({
  /** Empty where the instance has none. */
  profileArn: z.string(),
  /** Another one after each association, of the same profile too. */
  associationId: z.string(),
});
type Before = z.output<typeof Before>;

export const removeInstanceProfile = defineAction({
  name: 'remove-instance-profile',
  title: 'Refuse the credentials that the instance has from its role, then take the instance profile off it.',
  impact:
    'What runs on this instance loses its AWS rights within seconds; other instances with the same profile go on.',
  usage,
  examples: ['i-0aa11bb22cc33dd44'],
  target: SessionTarget,
  before: Before,
  permissions: {
    read: [
      'ec2:DescribeIamInstanceProfileAssociations',
      'ec2:DescribeInstances',
      'iam:GetInstanceProfile',
      'iam:GetRole',
      'iam:GetRolePolicy',
    ],
    write: [
      'ec2:AssociateIamInstanceProfile',
      'ec2:DisassociateIamInstanceProfile',
      'iam:DeleteRolePolicy',
      'iam:PassRole',
      'iam:PutRolePolicy',
    ],
  },
  approvals: 1,
  unique: true,
  reversal: 'Undo gives the instance the same profile again and lifts the refusal.',

  parse: (words) => ({ ...onlyInstanceIn(words, usage), roleName: '' }),
  accountOf: accountOfInstance,
  artifact: ({ instanceId }, { principalArn, roleName }) => {
    const [, partition, , , accountId] = principalArn.split(':');
    return { kind: 'session', id: `arn:${partition}:sts::${accountId}:assumed-role/${roleName}/${instanceId}` };
  },

  async inspect(target, ctx) {
    const { region, instance } = await findInstance(target, ctx);
    const association = await associationOf(target.instanceId, region, ctx);
    const role = await roleOf(target, association.profileArn, ctx);
    return { ...role, ...instanceFacts(region, instance, ctx.aws), ...association };
  },
  background: () => Promise.resolve([]),
  complete: (target, { roleName, region }) => Promise.resolve({ ...target, roleName, region }),

  touches: ({ instanceId }, { instanceArn: arn, principalArn, principalId, roleName, profileArn }) => [
    arn,
    instanceId,
    principalArn,
    principalId,
    roleName,
    ...(profileArn === '' ? [] : [profileArn]),
  ],
  binds: ({ instanceArn: arn, profileArn, principalArn, principalId, document }) => ({
    instanceArn: arn,
    profileArn,
    principalArn,
    principalId,
    document,
  }),

  // The refusal first: between the two calls a new credential would be one that nothing refuses.
  apply(target, before) {
    const deny = denyCall(target, before);
    const isDenied = seenDeny(deny, before) !== undefined;
    const { associationId } = before;
    return [
      ...(isDenied ? [] : [deny]),
      ...(associationId === ''
        ? []
        : [call('DisassociateIamInstanceProfile', before, { AssociationId: associationId })]),
    ];
  },
  undo(target, now, applied) {
    const taken = applied.done.some(({ call: { operation } }) => operation === 'DisassociateIamInstanceProfile');
    const Arn = applied.before.profileArn;
    const again = call('AssociateIamInstanceProfile', now, {
      InstanceId: target.instanceId,
      IamInstanceProfile: { Arn },
    });
    return [...(taken && now.profileArn !== Arn ? [again] : []), ...liftCalls(target, now, applied)];
  },
  undoCaution: (_target, applied, now) => tooEarly(applied, now, instanceCredentialsLiveMs / 1_000),

  seen({ service, operation, input }, now) {
    if (service === 'iam') return seenDeny({ service, operation, input, region: now.region }, now);
    if (operation === 'DisassociateIamInstanceProfile') {
      return now.associationId === input.AssociationId ? undefined : {};
    }
    const { Arn } = input.IamInstanceProfile as { readonly Arn: unknown };
    return now.profileArn === Arn ? {} : undefined;
  },

  verify(direction, before, now, done) {
    const isPolicyCalled = done.some((one) => one.call.service === 'iam');
    if (isPolicyCalled || (done.length === 0 && direction === 'apply')) {
      const denied = holdsDeny(direction, before, now, done);
      if (!denied.held) return denied;
    }
    const again = done.find((one) => one.call.operation === 'AssociateIamInstanceProfile');
    const wanted =
      direction === 'apply' ? '' : again === undefined ? now.profileArn : String(wantedProfile(again.call.input));
    if (now.profileArn === wanted) return { held: true };
    const reads = now.profileArn === '' ? 'no instance profile' : `the instance profile ${now.profileArn}`;
    return { held: false, because: `EC2 still reads ${reads} on the instance` };
  },

  sessionPolicy: ({ instanceId }, { principalArn, region }, accountId, partition) => ({
    Version: '2012-10-17',
    Statement: statements(literalArn(principalArn), instanceArn(instanceId, region, accountId, partition), partition),
  }),
  roleStatements: (accountId, partition) =>
    statements(
      `arn:${partition}:iam::${accountId}:role/*`,
      `arn:${partition}:ec2:*:${accountId}:instance/*`,
      partition,
    ),
  mintedLivesMs: () => instanceCredentialsLiveMs,
  willNotStop: ({ roleName }) => [
    `Only credentials of the role ${roleName} are refused; those of a profile that the instance had before are not.`,
    'Keys, tokens and passwords that lie on the instance, and whatever was already made with its role, go on working.',
    'Whoever may call ec2:AssociateIamInstanceProfile can give it another profile.',
    'Session Manager and other agents on the instance that use its role stop too: take memory before.',
  ],
  describe: (target, before) =>
    `${target.instanceId} has ${before.profileArn === '' ? 'no instance profile' : before.profileArn} and ${mayUse(target, before)} the role ${before.roleName}`,
});

function wantedProfile(input: ApiCall['input']): unknown {
  return (input.IamInstanceProfile as { readonly Arn?: unknown } | undefined)?.Arn;
}

/** What is on it or on its way to it, or not gone yet. An instance has one at most. */
async function associationOf(
  instanceId: string,
  region: string,
  { aws, signal }: ActionContext,
): Promise<Pick<Before, 'profileArn' | 'associationId'>> {
  const Filters = [{ Name: 'instance-id', Values: [instanceId] }];
  const found = await everyPage(async (NextToken) => {
    const command = new DescribeIamInstanceProfileAssociationsCommand({ Filters, NextToken });
    const page = await aws.ec2(region).send(command, { abortSignal: signal });
    return { items: page.IamInstanceProfileAssociations, next: page.NextToken };
  });
  const live = found.find(({ State }) => State !== 'disassociated');
  return { profileArn: live?.IamInstanceProfile?.Arn ?? '', associationId: live?.AssociationId ?? '' };
}

function statements(role: string, instance: string, partition: string): PolicyDocument['Statement'] {
  // China has both names.
  const service = ['ec2.amazonaws.com', ...(partition === 'aws-cn' ? ['ec2.amazonaws.com.cn'] : [])];
  return [
    ...roleStatementsOf(role),
    {
      Effect: 'Allow',
      Action: ['iam:PassRole'],
      Resource: role,
      Condition: { StringEquals: { 'iam:PassedToService': service } },
    },
    {
      Effect: 'Allow',
      Action: ['ec2:AssociateIamInstanceProfile', 'ec2:DisassociateIamInstanceProfile'],
      Resource: instance,
    },
    {
      Effect: 'Allow',
      Action: ['ec2:DescribeIamInstanceProfileAssociations', 'ec2:DescribeInstances'],
      Resource: '*',
    },
  ];
}

function call(operation: string, { region }: Before, input: ApiCall['input']): ApiCall {
  return { service: 'ec2', operation, region, input };
}
