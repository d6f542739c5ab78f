/** The user or role that an action is about: from typed words, and as IAM knows it. */
import { GetRoleCommand, GetUserCommand } from '@aws-sdk/client-iam';
import { z } from 'zod';
import type { ActionContext } from '#src/contracts/action.ts';
import { NotFoundError, UpstreamError, UserError } from '#src/contracts/errors.ts';
import { parseArnStrict } from '#src/domain/arn.ts';
import { isAwsError } from '#src/domain/aws-errors.ts';

export const PrincipalTarget = z.strictObject({
  kind: z.enum(['user', 'role']),
  name: z.string().regex(/^[\w+=,.@-]{1,64}$/),
  /** Empty where only the name was given: then the account that has it is looked for. */
  accountId: z.string().regex(/^(\d{12})?$/),
  /** Set where its whole ARN was given: then it is this one, path and partition too, or nothing is planned. */
  arn: z.string().max(2_048).optional(),
});
export type PrincipalTarget = z.output<typeof PrincipalTarget>;

/** What IAM says of it. The unique id tells the same name created again apart (DOMAIN.md 3.3). */
export const PrincipalState = z.strictObject({
  principalArn: z.string(),
  principalId: z.string(),
  /** For roles, seconds; 0 for users. */
  maxSessionSeconds: z.number(),
  partition: z.string(),
});
export type PrincipalState = z.output<typeof PrincipalState>;

/**
 * A user or role out of one word: its ARN, a session's ARN (its role), `user/NAME`, `role/NAME`, or a bare name where the action
 * takes one kind only. Throws UserError.
 */
export function principalIn(
  words: readonly string[],
  kinds: readonly PrincipalTarget['kind'][],
  usage: string,
): PrincipalTarget {
  const [word = ''] = words;
  const which = kinds.join(' or ');
  if (words.length !== 1 || word === '') throw new UserError(`Which ${which}? Name one.`, `Usage: contain ${usage}`);
  const arn = parseArnStrict(word);
  const [kind, name] = arn === undefined ? shortNamed(word, kinds) : namedByArn(arn.service, arn.resource);
  const whole = arn?.service === 'iam' ? { arn: word } : {};
  const target = { kind, name, accountId: arn?.accountId ?? '', ...whole };
  const read = PrincipalTarget.safeParse(target);
  if (!read.success || !kinds.includes(read.data.kind)) {
    throw new UserError(`That names no ${which}.`, `Usage: contain ${usage}`);
  }
  return read.data;
}

function namedByArn(service: string, resource: string): readonly [string, string] {
  const iam = /^(user|role)\/(?:.*\/)?([^/]+)$/.exec(resource);
  if (service === 'iam' && iam !== null) return [iam[1] ?? '', iam[2] ?? ''];
  const session = /^assumed-role\/([^/]+)\/.+$/.exec(resource);
  return service === 'sts' && session !== null ? ['role', session[1] ?? ''] : ['', ''];
}

function shortNamed(word: string, kinds: readonly PrincipalTarget['kind'][]): readonly [string, string] {
  const typed = /^(user|role)\/([^/]+)$/.exec(word);
  if (typed !== null) return [typed[1] ?? '', typed[2] ?? ''];
  return kinds.length === 1 ? [kinds[0] ?? '', word] : ['', ''];
}

/** Its ARN without the path, which only IAM knows: what the logs and the protected list are asked for. */
export function accountOfPrincipal({ accountId }: PrincipalTarget): string | undefined {
  return accountId === '' ? undefined : accountId;
}

/**
 * Reads it. Throws NotFoundError where this account does not have it, UserError for roles that only their service can change, and
 * where IAM knows the name under another ARN than the one given.
 */
export async function principalState(
  target: PrincipalTarget,
  { aws, signal, planned }: ActionContext,
): Promise<PrincipalState> {
  const { kind, name, accountId } = target;
  const nowhere = new NotFoundError(`account ${aws.accountId} has no ${kind} ${name}`);
  if (accountId !== '' && accountId !== aws.accountId) throw nowhere;
  const options = { abortSignal: signal };
  try {
    if (kind === 'user') {
      const { User } = await aws.iam.send(new GetUserCommand({ UserName: name }), options);
      refuseOther(target, User?.Arn);
      return found(User?.Arn, User?.UserId, 0, aws.partition, planned);
    }
    const { Role } = await aws.iam.send(new GetRoleCommand({ RoleName: name }), options);
    refuseOther(target, Role?.Arn);
    refuseServiceRole(Role?.Arn ?? '');
    return found(Role?.Arn, Role?.RoleId, Role?.MaxSessionDuration ?? 3_600, aws.partition, planned);
  } catch (error) {
    if (isAwsError(error, 'NoSuchEntityException', 'NoSuchEntity')) throw nowhere;
    throw error;
  }
}

function found(
  arn: string | undefined,
  id: string | undefined,
  maxSessionSeconds: number,
  partition: string,
  planned: Readonly<Record<string, unknown>> | undefined,
): PrincipalState {
  // "Could not look" is never "there is none" (safety rule 9).
  if (!arn || !id) throw new UpstreamError('aws', 'NotAws', "the answer was not IAM's", { retryable: true });
  if (planned !== undefined && planned.principalId !== id) {
    throw new NotFoundError(`${arn} is another one than was planned for: it was created again since`);
  }
  return { principalArn: arn, principalId: id, maxSessionSeconds, partition };
}

/** Names are one per account whatever the path: who named another path meant another principal, or was told a false one. */
export function refuseOther({ kind, arn }: Pick<PrincipalTarget, 'kind' | 'arn'>, known: string | undefined): void {
  if (arn === undefined || known === undefined || known === '' || arn === known) return;
  throw new UserError(
    `There is no ${kind} ${arn}: IAM knows this name as ${known}.`,
    'If that is the one, name it by its own ARN.',
  );
}

/** DOMAIN.md 5.4: what cannot be changed, and what to do instead. */
function refuseServiceRole(arn: string): void {
  if (arn.includes(':role/aws-service-role/')) {
    throw new UserError(
      `${arn} is a service-linked role: only its service can change it.`,
      'Contain the service instead, or whoever uses it; an organisation policy (SCP) does not reach it either.',
    );
  }
  if (arn.includes(':role/aws-reserved/')) {
    throw new UserError(
      `${arn} belongs to IAM Identity Center: a member account cannot change it.`,
      'Disable the person in Identity Center or its identity provider, and deny their user id by an organisation policy; sessions that are open live on until then.',
    );
  }
}
