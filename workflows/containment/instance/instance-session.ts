/** The role that an instance's credentials are of, and our policy on it that refuses this instance's and no other's (DOMAIN.md 5.6, P3b). */
import { GetInstanceProfileCommand, type InstanceProfile } from '@aws-sdk/client-iam';
import { z } from 'zod';
import type { ActionContext, Held } from '#src/contracts/action.ts';
import type { Applied, Direction, DoneCall } from '#src/contracts/approval.ts';
import type { ApiCall, PolicyDocument } from '#src/contracts/aws.ts';
import { UpstreamError, UserError } from '#src/contracts/errors.ts';
import { isAwsError } from '#src/domain/aws-errors.ts';
import {
  holdsDocument,
  InlineState,
  inlineState,
  inlineStatements,
  putCall,
  restoreCall,
} from '../identity/inline-policy.ts';
import type { PrincipalTarget } from '../identity/principal.ts';
import { InstanceFacts, InstanceTarget } from './instance-of.ts';

export const SessionTarget = InstanceTarget.extend({
  /** Empty until the plan is drawn, unless it is typed: then the role of the instance's profile. Kept, since the profile may go. */
  roleName: z.string().regex(/^([\w+=,.@-]{1,64})?$/),
  /** Set where the role was given by its ARN: then it is this one, path and all. */
  roleArn: z.string().max(2_048).optional(),
});
export type SessionTarget = z.output<typeof SessionTarget>;

export const SessionState = InlineState.extend(InstanceFacts.shape).extend({ roleName: z.string() });
export type SessionState = z.output<typeof SessionState>;

/** EC2 gives an instance credentials for about six hours (DOMAIN.md 5.8, A10). */
export const instanceCredentialsLiveMs = 6 * 3_600_000;

/** One policy for each instance: refusing a second one must not let the first go on. */
function policyNameOf({ instanceId }: InstanceTarget): string {
  return `FirebreakRevokeInstance-${instanceId}`;
}

function roleTarget(name: string, arn?: string): PrincipalTarget {
  return { kind: 'role', name, accountId: '', ...(arn === undefined ? {} : { arn }) };
}

/** The role of the target, else of the profile. Throws UserError where there is none, or where it cannot be changed. */
export async function roleOf(target: SessionTarget, profileArn: string, ctx: ActionContext) {
  const roleName = target.roleName === '' ? await roleIn(profileArn, ctx) : target.roleName;
  const state = await inlineState(roleTarget(roleName, target.roleArn), policyNameOf(target), ctx);
  return { roleName, ...state };
}

async function roleIn(profileArn: string, { aws, signal }: ActionContext): Promise<string> {
  if (profileArn === '') {
    throw new UserError(
      'The instance has no instance profile now; credentials that it was given before can still be in use.',
      'To refuse those, name the role: contain revoke-instance-session i-... role/NAME',
    );
  }
  const InstanceProfileName = profileArn.split('/').at(-1) ?? '';
  const profile = await profileNamed(InstanceProfileName, aws, signal);
  const [role] = profile.Roles ?? [];
  if (role?.RoleName === undefined) {
    throw new UserError(`The instance profile ${profileArn} holds no role: it gives no credentials.`);
  }
  return role.RoleName;
}

async function profileNamed(
  InstanceProfileName: string,
  aws: ActionContext['aws'],
  abortSignal: AbortSignal,
): Promise<InstanceProfile> {
  try {
    const answer = await aws.iam.send(new GetInstanceProfileCommand({ InstanceProfileName }), { abortSignal });
    if (answer.InstanceProfile !== undefined) return answer.InstanceProfile;
  } catch (error) {
    if (!isAwsError(error, 'NoSuchEntityException', 'NoSuchEntity')) throw error;
    throw new UserError(
      `The instance profile ${InstanceProfileName} was deleted; the credentials of its role can still be in use.`,
      'Name the role: contain revoke-instance-session i-... role/NAME',
    );
  }
  throw new UpstreamError('aws', 'NotAws', "the answer was not IAM's", { retryable: true });
}

/** P3b: the key is in the credentials, so it also bites where they are used elsewhere. */
export function denyCall(target: SessionTarget, { instanceArn, roleName, partition }: SessionState): ApiCall {
  const Condition = { ArnEquals: { 'ec2:SourceInstanceARN': instanceArn } };
  const statement = { Sid: 'FirebreakRevokeInstance', Effect: 'Deny', Action: '*', Resource: '*', Condition };
  const document = { Version: '2012-10-17', Statement: [statement] };
  return putCall(roleTarget(roleName), policyNameOf(target), document, partition);
}

export function liftCalls(target: SessionTarget, now: SessionState, applied: Applied): ApiCall[] {
  return restoreCall(roleTarget(now.roleName), policyNameOf(target), now, applied);
}

/** As holdsDocument, of the calls that are about the policy. */
export function holdsDeny(
  direction: Direction,
  before: SessionState,
  now: SessionState,
  done: readonly DoneCall[],
): Held {
  return holdsDocument(
    direction,
    before,
    now,
    done.filter(({ call }) => call.service === 'iam'),
  );
}

/** Whether a call about the policy shows as carried out. */
export function seenDeny(call: ApiCall, now: SessionState): Readonly<Record<string, unknown>> | undefined {
  const isDelete = call.operation === 'DeleteRolePolicy';
  if (isDelete) return now.document === '' ? {} : undefined;
  return holdsDocument('apply', now, now, [{ call, answer: {} }]).held ? {} : undefined;
}

/** For describe: another document under our policy's name refuses nothing that is known. */
export function mayUse(target: SessionTarget, now: SessionState): 'may use' | 'is refused' {
  return seenDeny(denyCall(target, now), now) === undefined ? 'may use' : 'is refused';
}

export function roleStatementsOf(resource: string): PolicyDocument['Statement'] {
  return inlineStatements(resource, ['role']);
}

export const lookStatement = { Effect: 'Allow', Action: ['ec2:DescribeInstances'], Resource: '*' } as const;
