/** Attaches AWS's own quarantine policy to a user (DOMAIN.md 5.7): what AWS itself does when a key is found in public. */
import { GetPolicyCommand, ListAttachedUserPoliciesCommand } from '@aws-sdk/client-iam';
import { z } from 'zod';
import { type ActionContext, defineAction } from '#src/contracts/action.ts';
import type { PolicyDocument } from '#src/contracts/aws.ts';
import { UserError } from '#src/contracts/errors.ts';
import { isAwsError } from '#src/domain/aws-errors.ts';
import { globalRegion } from '#src/domain/partition.ts';
import { literalArn } from '#src/domain/session-policy.ts';
import {
  accountOfPrincipal,
  PrincipalState,
  PrincipalTarget,
  principalIn,
  principalState,
} from './identity/principal.ts';
import { allOf } from './identity/user-credentials.ts';

const policyName = 'AWSCompromisedKeyQuarantineV3';
const usage = 'quarantine-user <ARN of a user>';

const Before = PrincipalState.extend({ attached: z.boolean() });

export const quarantineUser = defineAction({
  name: 'quarantine-user',
  title:
    "Attach AWS's policy for exposed keys to the user: it refuses what such keys are mostly abused for, and leaves the rest.",
  impact: 'The user can no longer start instances, change IAM, read logs or get session tokens; other work goes on.',
  usage,
  examples: ['arn:aws:iam::999999999999:user/pipeline'],
  target: PrincipalTarget,
  before: Before,
  permissions: {
    read: ['iam:GetPolicy', 'iam:GetUser', 'iam:ListAttachedUserPolicies'],
    write: ['iam:AttachUserPolicy', 'iam:DetachUserPolicy'],
  },
  approvals: 1,
  reversal: 'Undo detaches the policy, where it was not attached before.',
  parse: (words) => principalIn(words, ['user'], usage),
  accountOf: accountOfPrincipal,
  artifact: (_target, before) => ({ kind: 'user', id: before.principalArn }),
  async inspect(target, ctx) {
    const principal = await principalState(target, ctx);
    return { ...principal, attached: await isAttached(target.name, ctx) };
  },
  async background(_target, _before, ctx) {
    if ((await isThere(ctx)) !== undefined) return [];
    return [`Whether AWS has ${policyName} in ${ctx.aws.partition} could not be read (iam:GetPolicy is refused).`];
  },
  async complete(target, _before, ctx) {
    if ((await isThere(ctx)) !== false) return target;
    throw new UserError(
      `AWS has no policy ${policyName} in ${ctx.aws.partition}: there is nothing to attach.`,
      'Use deny-all, or deny-except where a workload must go on.',
    );
  },
  binds: ({ principalArn, principalId }) => ({ principalArn, principalId }),
  touches: ({ name }, { principalArn, principalId }) => [principalArn, principalId, name],
  // Where AWS itself has attached it meanwhile nothing is left to do, and undo must not take it off.
  apply: ({ name }, before) => (before.attached ? [] : [change('AttachUserPolicy', name, before)]),
  undo: ({ name }, now, applied) =>
    applied.before.attached === true || !now.attached ? [] : [change('DetachUserPolicy', name, now)],
  verify: (direction, _before, now) =>
    now.attached === (direction === 'apply')
      ? { held: true }
      : { held: false, because: `IAM still reads attached: ${now.attached}` },
  sessionPolicy: (_target, before) => ({
    Version: '2012-10-17',
    Statement: statements(literalArn(before.principalArn), before.partition),
  }),
  roleStatements: (accountId, partition) => statements(`arn:${partition}:iam::${accountId}:user/*`, partition),
  mintedLivesMs: () => 12 * 3_600_000,
  isPartial: true,
  willNotStop: () => [
    'It is no deny-all: writing to S3, Secrets Manager, commands through SSM and assuming roles still work.',
    'Roles that the user has already assumed live on until their session ends, up to 12 hours.',
    'Users, keys and resources that were already made go on working.',
  ],
  describe: ({ name }, { attached }) => `${policyName} is ${attached ? 'attached' : 'not attached'} to user ${name}`,
});

/** Not every partition has every policy of AWS's. Undefined where it may not be read. */
async function isThere({ aws, signal }: ActionContext): Promise<boolean | undefined> {
  try {
    await aws.iam.send(new GetPolicyCommand({ PolicyArn: arnOf(aws.partition) }), { abortSignal: signal });
    return true;
  } catch (error) {
    if (isAwsError(error, 'NoSuchEntityException', 'NoSuchEntity')) return false;
    if (isAwsError(error, 'AccessDenied', 'AccessDeniedException')) return undefined;
    throw error;
  }
}

async function isAttached(name: string, { aws, signal }: ActionContext): Promise<boolean> {
  const attached = await allOf(async (more) => {
    const page = await aws.iam.send(new ListAttachedUserPoliciesCommand({ UserName: name, ...more }), {
      abortSignal: signal,
    });
    return { ...page, items: page.AttachedPolicies };
  });
  // By ARN: anybody may give a policy of their own the same name.
  return attached.some(({ PolicyArn }) => PolicyArn === arnOf(aws.partition));
}

function change(operation: string, UserName: string, { partition }: z.output<typeof Before>) {
  const input = { UserName, PolicyArn: arnOf(partition) };
  return { service: 'iam' as const, operation, region: globalRegion(partition), input };
}

function arnOf(partition: string): string {
  return `arn:${partition}:iam::aws:policy/${policyName}`;
}

function statements(resource: string, partition: string): PolicyDocument['Statement'] {
  return [
    { Effect: 'Allow', Action: ['iam:GetUser', 'iam:ListAttachedUserPolicies'], Resource: resource },
    {
      Effect: 'Allow',
      Action: ['iam:AttachUserPolicy', 'iam:DetachUserPolicy'],
      Resource: resource,
      Condition: { ArnEquals: { 'iam:PolicyARN': arnOf(partition) } },
    },
  ];
}
