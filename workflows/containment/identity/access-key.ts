/** One long-term access key as IAM knows it: who owns it, how it stands, whether AWS itself has called it exposed. */
import {
  GetAccessKeyLastUsedCommand,
  GetUserCommand,
  ListAccessKeysCommand,
  ListAttachedUserPoliciesCommand,
} from '@aws-sdk/client-iam';
import { z } from 'zod';
import type { ActionContext } from '#src/contracts/action.ts';
import type { AwsReader } from '#src/contracts/aws.ts';
import { NotFoundError, UpstreamError, UserError } from '#src/contracts/errors.ts';
import { accessKeyId } from '#src/domain/access-key.ts';
import { isAwsError } from '#src/domain/aws-errors.ts';
import { globalRegion } from '#src/domain/partition.ts';
import { utc } from '#src/domain/phrases.ts';
import { hasUnknownPath, userOfUnknownPath } from '#src/domain/protected.ts';
import { literalArn } from '#src/domain/session-policy.ts';
import { allOf } from './user-credentials.ts';

export const KeyTarget = z.strictObject({
  accessKeyId: z.string().regex(accessKeyId, 'is not an access key id'),
});
export type KeyTarget = z.output<typeof KeyTarget>;

export const KeyState = z.strictObject({
  userName: z.string(),
  /** With the user's path, which the protected list and the session policy need and the name does not tell. */
  userArn: z.string(),
  /** `Active`, `Inactive`, `Expired`; `deleted` only where it is looked for after its deletion. */
  status: z.string(),
  createDate: z.string(),
  /** Whether the user carries AWS's quarantine policy, which AWS attaches when a key is found in public. */
  quarantined: z.enum(['yes', 'no', 'unknown']),
  partition: z.string(),
});
export type KeyState = z.output<typeof KeyState>;

/** The pre-state without what an attacker, or AWS, may change beside the key. */
export function boundKey({ quarantined: _, ...bound }: KeyState): Readonly<Record<string, unknown>> {
  return bound;
}

/** The key id out of the words behind an action's name. Throws UserError. */
export function keyIn(words: readonly string[], action: string): KeyTarget {
  const id = words[0]?.trim() ?? '';
  const usage = `Usage: contain ${action} AKIA...`;
  if (words.length !== 1) throw new UserError('Which key? Name one access key id.', usage);
  if (id.startsWith('ASIA')) {
    throw new UserError(
      `${id.slice(0, 20)} is a temporary key: it cannot be disabled, only its role's or user's sessions can be revoked.`,
      'Pivot on it to see who minted it, and disable the long-term key behind it.',
    );
  }
  if (!accessKeyId.test(id)) {
    throw new UserError('That is not an access key id: AKIA and 16 more capital letters and digits.', usage);
  }
  return { accessKeyId: id };
}

/**
 * The key and its owner. Throws NotFoundError where the account does not hold it, unless it is looked for within an approved plan:
 * then a key that is gone reads `deleted`.
 */
export async function keyState(target: KeyTarget, { aws, signal, planned }: ActionContext): Promise<KeyState> {
  const known = plannedOwner(planned);
  const userName = known?.userName ?? (await ownerOf(target.accessKeyId, aws, signal));
  // The session of a plan is bound to the planned ARN: a user of that name elsewhere is refused by it.
  const userArn = known?.userArn ?? (await arnOf(userName, aws, signal));
  const key = await keyOf(target.accessKeyId, userName, aws, signal, known !== undefined);
  if (key === undefined && known === undefined) {
    throw new NotFoundError(`user ${userName} of account ${aws.accountId} has no key ${target.accessKeyId}`);
  }
  return {
    userName,
    userArn,
    status: key === undefined ? 'deleted' : (key.Status ?? 'unknown'),
    createDate: key?.CreateDate?.toISOString() ?? known?.createDate ?? 'unknown',
    quarantined: await quarantineOf(userName, aws, signal, planned),
    partition: aws.partition,
  };
}

function plannedOwner(planned: ActionContext['planned']) {
  if (typeof planned?.userName !== 'string' || typeof planned.userArn !== 'string') return undefined;
  const createDate = typeof planned.createDate === 'string' ? planned.createDate : undefined;
  return { userName: planned.userName, userArn: planned.userArn, createDate };
}

/** What IAM says of its last use, and the user's other keys. One sentence each. */
export async function keyBackground(
  target: KeyTarget,
  { userName, quarantined }: KeyState,
  { aws, signal }: ActionContext,
): Promise<string[]> {
  const options = { abortSignal: signal };
  const used = await aws.iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: target.accessKeyId }), options);
  const last = used.AccessKeyLastUsed;
  const lines = [
    last?.LastUsedDate === undefined
      ? 'IAM has no record of a last use (it can lag by hours).'
      : `IAM's last use: ${utc(last.LastUsedDate.toISOString())} for ${last.ServiceName ?? '?'} in ${last.Region ?? '?'} (only the last one, and it can lag).`,
  ];
  if (quarantined === 'yes') lines.push('The user carries AWSCompromisedKeyQuarantine: AWS found a key in public.');
  if (quarantined === 'unknown')
    lines.push('Whether AWS has quarantined the user, as it does for keys in public, could not be read.');
  for (const key of await listKeys(userName, aws, signal)) {
    if (key.AccessKeyId === target.accessKeyId) continue;
    lines.push(`The user has another key, ${key.AccessKeyId} (${key.Status}): this plan does not touch it.`);
  }
  return lines;
}

/** GetAccessKeyLastUsed names the owner without knowing him; it answers only in the account that holds the key. */
async function ownerOf(id: string, aws: AwsReader, signal: AbortSignal): Promise<string> {
  try {
    const answer = await aws.iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: id }), { abortSignal: signal });
    // AWS always says something of a key that it has. A proxy's page says nothing, and the SDK takes it for an answer.
    if (answer.UserName === undefined && answer.AccessKeyLastUsed === undefined) throw notAws('GetAccessKeyLastUsed');
    if (answer.UserName !== undefined && answer.UserName !== '') return answer.UserName;
  } catch (error) {
    if (!isAwsError(error, 'NoSuchEntityException', 'NoSuchEntity', 'ValidationError')) throw error;
  }
  throw new NotFoundError(`account ${aws.accountId} has no access key ${id}`);
}

async function arnOf(userName: string, aws: AwsReader, signal: AbortSignal): Promise<string> {
  try {
    const { User } = await aws.iam.send(new GetUserCommand({ UserName: userName }), { abortSignal: signal });
    if (User?.Arn !== undefined && User.Arn !== '') return User.Arn;
  } catch (error) {
    if (isAwsError(error, 'NoSuchEntityException', 'NoSuchEntity')) throw goneUser(userName, aws);
    // Without the right to read the user his path stays unknown, and is written so: the protected list then decides
    // as if he had every path.
    if (isAwsError(error, 'AccessDenied', 'AccessDeniedException')) {
      return userOfUnknownPath(aws.partition, aws.accountId, userName);
    }
    throw error;
  }
  throw notAws('GetUser');
}

async function keyOf(id: string, userName: string, aws: AwsReader, signal: AbortSignal, mayBeGone: boolean) {
  const keys = await listKeys(userName, aws, signal).catch((error: unknown) => {
    if (mayBeGone && error instanceof NotFoundError) return [];
    throw error;
  });
  return keys.find((entry) => entry.AccessKeyId === id);
}

async function listKeys(UserName: string, aws: AwsReader, signal: AbortSignal) {
  try {
    return await allOf(async (more) => {
      const page = await aws.iam.send(new ListAccessKeysCommand({ UserName, ...more }), { abortSignal: signal });
      return { ...page, items: page.AccessKeyMetadata };
    });
  } catch (error) {
    if (isAwsError(error, 'NoSuchEntityException', 'NoSuchEntity')) throw goneUser(UserName, aws);
    throw error;
  }
}

/** Unknown where it may not be read: a responder role from before this question must still be able to disable a key. */
async function quarantineOf(
  userName: string,
  aws: AwsReader,
  signal: AbortSignal,
  planned: ActionContext['planned'],
): Promise<KeyState['quarantined']> {
  try {
    const attached = await allOf(async (more) => {
      const input = { UserName: userName, ...more };
      const page = await aws.iam.send(new ListAttachedUserPoliciesCommand(input), { abortSignal: signal });
      return { ...page, items: page.AttachedPolicies };
    });
    return attached.some(({ PolicyName = '' }) => quarantinePolicy.test(PolicyName)) ? 'yes' : 'no';
  } catch (error) {
    if (isAwsError(error, 'NoSuchEntityException', 'NoSuchEntity')) return 'no';
    if (!isAwsError(error, 'AccessDenied', 'AccessDeniedException')) throw error;
    return planned?.quarantined === 'yes' || planned?.quarantined === 'no' ? planned.quarantined : 'unknown';
  }
}

const quarantinePolicy = /^AWSCompromisedKeyQuarantine/;

/** Why a key should not be switched on by one person alone; undefined where nothing speaks against it. */
export function exposedBecause(quarantined: unknown, alertType: string | undefined): string | undefined {
  if (alertType !== undefined && /^AWS_RISK_/.test(alertType)) {
    return `AWS has said that the key is exposed (${alertType.slice(0, 60).replace(/[^\w-]/g, '')}): two people must approve that it works again.`;
  }
  if (quarantined === 'yes') {
    return 'The user carries AWSCompromisedKeyQuarantine, which AWS attaches when a key is found in public: two people must approve that it works again.';
  }
  if (quarantined === 'unknown') {
    return 'Whether AWS has quarantined the user could not be read: two people must approve that the key works again.';
  }
  return undefined;
}

export function updateKeyCall(id: string, { userName, partition }: KeyState, status: 'Active' | 'Inactive') {
  return keyCall('UpdateAccessKey', { UserName: userName, AccessKeyId: id, Status: status }, partition);
}

export function keyCall(operation: string, input: Readonly<Record<string, string>>, partition: string) {
  return { service: 'iam' as const, operation, region: globalRegion(partition), input };
}

/** What its sessions may do: `write` on the key's owner, and the reads that find the key. */
export function keyStatements(write: string, resource: string | readonly string[]) {
  const Action = [write, 'iam:ListAccessKeys', 'iam:ListAttachedUserPolicies'];
  return [{ Effect: 'Allow' as const, Action, Resource: resource }];
}

/** With an unknown path: with and without one, since user names are unique in an account. */
export function ownerResource({ userArn }: KeyState): string | readonly string[] {
  if (!hasUnknownPath(userArn)) return literalArn(userArn);
  return [userArn.replace(':user//', ':user/*/'), userArn.replace(':user//', ':user/')];
}

export const keyReads = [
  'iam:GetAccessKeyLastUsed',
  'iam:GetUser',
  'iam:ListAccessKeys',
  'iam:ListAttachedUserPolicies',
] as const;

function goneUser(userName: string, aws: AwsReader): NotFoundError {
  return new NotFoundError(`user ${userName} is no longer in account ${aws.accountId}`);
}

/** "Could not look" is never "there is none" (safety rule 9). */
function notAws(operation: string): UpstreamError {
  return new UpstreamError('aws', 'NotAws', `the answer to iam:${operation} was not AWS's`, { retryable: true });
}
