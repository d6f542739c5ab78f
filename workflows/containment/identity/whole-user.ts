/** A user with all that has to go before IAM deletes him. Reads only. */
import {
  GetUserCommand,
  GetUserPolicyCommand,
  ListAccessKeysCommand,
  ListAttachedUserPoliciesCommand,
  ListGroupsForUserCommand,
  ListUserPoliciesCommand,
  ListVirtualMFADevicesCommand,
} from '@aws-sdk/client-iam';
import { z } from 'zod';
import type { ActionContext } from '#src/contracts/action.ts';
import { NotFoundError, UpstreamError } from '#src/contracts/errors.ts';
import { parseArnStrict } from '#src/domain/arn.ts';
import { isAwsError } from '#src/domain/aws-errors.ts';
import { policyText } from '#src/domain/policy-text.ts';
import { type PrincipalTarget, refuseOther } from './principal.ts';
import {
  allOf,
  devicesOf,
  type Looking,
  OtherCredential,
  otherCredentialReads,
  otherCredentialsOf,
  passwordOf,
} from './user-credentials.ts';

export const WholeUser = z.strictObject({
  principalArn: z.string(),
  principalId: z.string(),
  partition: z.string(),
  /** False only where it is looked for after its deletion. */
  exists: z.boolean(),
  keys: z.array(z.strictObject({ id: z.string(), status: z.string() })),
  /** When the password was made; empty where there is none. */
  passwordMade: z.string(),
  credentials: z.array(OtherCredential),
  /** Those that are assigned to him. */
  devices: z.array(z.string()),
  /** Virtual ones that are or were his: without him they stay, unassigned, and with them the secrets that they were made with. */
  virtualDevices: z.array(z.string()),
  /** Path and name, as in the group's ARN: `/Developers`. */
  groups: z.array(z.string()),
  /** ARNs. */
  attached: z.array(z.string()),
  /** With their text: this is what is lost. */
  inline: z.array(z.strictObject({ name: z.string(), document: z.string() })),
});
export type WholeUser = z.output<typeof WholeUser>;

/**
 * The user named so. Throws NotFoundError where there is none, unless it is looked for within an approved plan: then what is gone
 * reads as gone. A user of that name with another unique id is another user: NotFoundError.
 */
export async function wholeUser(target: PrincipalTarget, ctx: ActionContext): Promise<WholeUser> {
  const { name, accountId } = target;
  const { aws, planned } = ctx;
  const nowhere = new NotFoundError(`account ${aws.accountId} has no user ${name}`);
  if (accountId !== '' && accountId !== aws.accountId) throw nowhere;
  const who = await identityOf(name, ctx);
  if (who === undefined) {
    if (typeof planned?.principalArn !== 'string' || typeof planned.principalId !== 'string') throw nowhere;
    const left = await virtualDevicesOf([], ctx);
    return { ...nobody(planned.principalArn, planned.principalId, aws.partition), virtualDevices: left };
  }
  refuseOther(target, who.principalArn);
  if (planned !== undefined && planned.principalId !== who.principalId) {
    throw new NotFoundError(`${who.principalArn} is another one than was planned for: it was created again since`);
  }
  try {
    const devices = await devicesOf(name, ctx);
    return {
      ...who,
      partition: aws.partition,
      exists: true,
      keys: await keysOf(name, ctx),
      passwordMade: await passwordOf(name, ctx),
      credentials: await otherCredentialsOf(name, ctx),
      devices,
      virtualDevices: await virtualDevicesOf(devices, ctx),
      ...(await rightsOf(name, ctx)),
    };
  } catch (error) {
    // Deleted while it was read.
    if (isAwsError(error, 'NoSuchEntityException', 'NoSuchEntity')) throw nowhere;
    throw error;
  }
}

export const wholeUserReads: readonly string[] = [
  'iam:GetLoginProfile',
  'iam:GetUser',
  'iam:GetUserPolicy',
  'iam:ListAccessKeys',
  'iam:ListAttachedUserPolicies',
  'iam:ListGroupsForUser',
  'iam:ListMFADevices',
  'iam:ListUserPolicies',
  ...otherCredentialReads,
];
/** Of the account: IAM has no right to it for one user. */
export const virtualDeviceRead = 'iam:ListVirtualMFADevices';

function nobody(principalArn: string, principalId: string, partition: string) {
  const empty = { keys: [], passwordMade: '', credentials: [], devices: [], groups: [], attached: [], inline: [] };
  return { principalArn, principalId, partition, exists: false, ...empty };
}

/** Virtual devices have the ARN of an `mfa`; keys of metal and passkeys do not. Within a plan: which of its own are still there. */
async function virtualDevicesOf(
  assigned: readonly string[],
  { aws, signal, planned }: ActionContext,
): Promise<string[]> {
  const own = assigned.filter((serial) => parseArnStrict(serial)?.resource.startsWith('mfa/'));
  if (!Array.isArray(planned?.virtualDevices)) return own;
  const all = await allOf(async (more) => {
    const page = await aws.iam.send(new ListVirtualMFADevicesCommand(more), { abortSignal: signal });
    return { ...page, items: page.VirtualMFADevices };
  });
  const there = new Set(all.map(({ SerialNumber }) => SerialNumber));
  const before = planned.virtualDevices.filter((serial): serial is string => typeof serial === 'string');
  return [...new Set([...own, ...before.filter((serial) => there.has(serial))])].sort();
}

async function identityOf(name: string, { aws, signal }: Looking) {
  try {
    const { User } = await aws.iam.send(new GetUserCommand({ UserName: name }), { abortSignal: signal });
    if (!User?.Arn || !User.UserId) {
      throw new UpstreamError('aws', 'NotAws', "the answer to iam:GetUser was not AWS's", { retryable: true });
    }
    return { principalArn: User.Arn, principalId: User.UserId };
  } catch (error) {
    if (isAwsError(error, 'NoSuchEntityException', 'NoSuchEntity')) return undefined;
    throw error;
  }
}

async function keysOf(name: string, { aws, signal }: Looking) {
  const keys = await allOf(async (more) => {
    const page = await aws.iam.send(new ListAccessKeysCommand({ UserName: name, ...more }), { abortSignal: signal });
    return { ...page, items: page.AccessKeyMetadata };
  });
  return keys.map(({ AccessKeyId = '', Status = '' }) => ({ id: AccessKeyId, status: Status as string }));
}

async function rightsOf(name: string, { aws, signal }: Looking) {
  const options = { abortSignal: signal };
  const groups = await allOf(async (more) => {
    const page = await aws.iam.send(new ListGroupsForUserCommand({ UserName: name, ...more }), options);
    return { ...page, items: page.Groups };
  });
  const attached = await allOf(async (more) => {
    const page = await aws.iam.send(new ListAttachedUserPoliciesCommand({ UserName: name, ...more }), options);
    return { ...page, items: page.AttachedPolicies };
  });
  const names = await allOf(async (more) => {
    const page = await aws.iam.send(new ListUserPoliciesCommand({ UserName: name, ...more }), options);
    return { ...page, items: page.PolicyNames };
  });
  const inline: { name: string; document: string }[] = [];
  for (const PolicyName of names) {
    const { PolicyDocument } = await aws.iam.send(new GetUserPolicyCommand({ UserName: name, PolicyName }), options);
    inline.push({ name: PolicyName, document: policyText(PolicyDocument ?? '') });
  }
  return {
    groups: groups.map(({ Path = '/', GroupName = '' }) => `${Path}${GroupName}`),
    attached: attached.map(({ PolicyArn = '' }) => PolicyArn),
    inline,
  };
}
