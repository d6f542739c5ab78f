/** Disables one long-term access key (DOMAIN.md 5.1). Never deletes; only the named key is touched. */
import { GetAccessKeyLastUsedCommand, GetUserCommand, ListAccessKeysCommand } from '@aws-sdk/client-iam';
import { z } from 'zod';
import { defineAction } from '#src/contracts/action.ts';
import type { AwsReader } from '#src/contracts/aws.ts';
import { NotFoundError, UpstreamError, UserError } from '#src/contracts/errors.ts';
import { accessKeyId, accountOfKeyId } from '#src/domain/access-key.ts';
import { isAwsError } from '#src/domain/aws-errors.ts';
import { globalRegion } from '#src/domain/partition.ts';

const Target = z.strictObject({
  accessKeyId: z.string().regex(accessKeyId, 'is not an access key id'),
});

const Before = z.strictObject({
  userName: z.string(),
  /** With the user's path, which the protected list and the session policy need and the name does not tell. */
  userArn: z.string(),
  status: z.string(),
  createDate: z.string(),
  partition: z.string(),
});

export const disableAccessKey = defineAction({
  name: 'disable-access-key',
  title: 'Set the access key to Inactive; it is not deleted, and no other key is touched.',
  impact: 'Everything that signs with this key stops working within seconds, attacker and workload alike.',
  usage: 'disable-access-key AKIA...',
  examples: ['AKIAIOSFODNN7EXAMPLE'],
  target: Target,
  before: Before,
  permissions: {
    read: ['iam:GetAccessKeyLastUsed', 'iam:GetUser', 'iam:ListAccessKeys'],
    write: ['iam:UpdateAccessKey'],
  },
  approvals: 1,
  reversal: 'Undo sets the same key back to Active. It is a plan of its own, with its own approval.',

  parse(words) {
    const id = words[0]?.trim() ?? '';
    if (words.length !== 1)
      throw new UserError('Which key? Name one access key id.', 'Usage: contain disable-access-key AKIA...');
    if (id.startsWith('ASIA')) {
      throw new UserError(
        `${id.slice(0, 20)} is a temporary key: it cannot be disabled, only its role's or user's sessions can be revoked.`,
        'Pivot on it to see who minted it, and disable the long-term key behind it.',
      );
    }
    if (!accessKeyId.test(id)) {
      throw new UserError(
        'That is not an access key id: AKIA and 16 more capital letters and digits.',
        'Usage: contain disable-access-key AKIA...',
      );
    }
    return { accessKeyId: id };
  },

  // An attacker who flips his own key at the right moment must not void the approval: the call is the same.
  binds: ({ userName, userArn, createDate }) => ({ userName, userArn, createDate }),
  accountOf: (target) => accountOfKeyId(target.accessKeyId),
  artifact: (target) => ({ kind: 'accessKey', id: target.accessKeyId }),

  async inspect(target, { aws, signal, planned }) {
    const userName = await ownerOf(target.accessKeyId, aws, signal);
    // The session of a plan is bound to the planned ARN: a user of that name elsewhere would be refused below.
    const userArn =
      planned?.userName === userName && typeof planned.userArn === 'string'
        ? planned.userArn
        : await arnOf(userName, aws, signal);
    let marker: string | undefined;
    do {
      const page = await listKeys(userName, marker, aws, signal);
      if (page.AccessKeyMetadata === undefined) throw notAws('ListAccessKeys');
      const key = page.AccessKeyMetadata.find((entry) => entry.AccessKeyId === target.accessKeyId);
      if (key !== undefined) {
        return {
          userName,
          userArn,
          status: key.Status ?? 'unknown',
          createDate: key.CreateDate?.toISOString() ?? 'unknown',
          partition: aws.partition,
        };
      }
      marker = page.IsTruncated === true ? page.Marker : undefined;
    } while (marker !== undefined);
    throw new NotFoundError(`user ${userName} of account ${aws.accountId} has no key ${target.accessKeyId}`);
  },

  async background(target, before, { aws, signal }) {
    const lines: string[] = [];
    const used = await aws.iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: target.accessKeyId }), {
      abortSignal: signal,
    });
    const last = used.AccessKeyLastUsed;
    lines.push(
      last?.LastUsedDate === undefined
        ? 'IAM has no record of a last use (it can lag by hours).'
        : `IAM's last use: ${last.LastUsedDate.toISOString()} for ${last.ServiceName ?? '?'} in ${last.Region ?? '?'} (only the last one, and it can lag).`,
    );
    const keys = await listKeys(before.userName, undefined, aws, signal);
    const others = (keys.AccessKeyMetadata ?? []).filter((key) => key.AccessKeyId !== target.accessKeyId);
    for (const key of others)
      lines.push(`The user has another key, ${key.AccessKeyId} (${key.Status}): this plan does not touch it.`);
    return lines;
  },

  touches: (target, before) => [target.accessKeyId, before.userArn, before.userName],

  apply: (target, before) => [updateAccessKey(target.accessKeyId, before, 'Inactive')],
  undo: (target, before) => [updateAccessKey(target.accessKeyId, before, 'Active')],

  verify(direction, _before, now) {
    const wanted = direction === 'apply' ? 'Inactive' : 'Active';
    return now.status === wanted
      ? { held: true }
      : { held: false, because: `IAM still reads ${now.status}, not ${wanted}` };
  },

  sessionPolicy(_target, before) {
    return {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['iam:UpdateAccessKey', 'iam:ListAccessKeys', 'iam:GetAccessKeyLastUsed'],
          // With an unknown path: with and without one, since user names are unique in an account.
          Resource: before.userArn.includes(':user/*/')
            ? [before.userArn, before.userArn.replace(':user/*/', ':user/')]
            : before.userArn,
        },
        { Effect: 'Allow', Action: ['iam:GetAccessKeyLastUsed'], Resource: '*' },
      ],
    };
  },

  roleStatements: (accountId, partition) => [
    {
      Effect: 'Allow',
      Action: ['iam:UpdateAccessKey', 'iam:ListAccessKeys', 'iam:GetAccessKeyLastUsed'],
      Resource: `arn:${partition}:iam::${accountId}:user/*`,
    },
    { Effect: 'Allow', Action: ['iam:GetAccessKeyLastUsed'], Resource: '*' },
  ],

  // GetSessionToken and GetFederationToken give up to 36 hours (DOMAIN.md 5.1).
  mintedLivesMs: () => 36 * 3_600_000,

  willNotStop: () => [
    'Sessions already minted with this key by GetSessionToken or GetFederationToken live on, up to 36 hours.',
    'Roles already assumed with it live on until their session ends, up to 12 hours.',
    "The user's console password, other keys, SSH keys and service-specific credentials go on working.",
    'Whatever was already created (instances, users, keys, roles) goes on running.',
  ],

  describe: (target, state) => `${target.accessKeyId} of user ${state.userName} is ${state.status}`,
});

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
    if (isAwsError(error, 'NoSuchEntityException', 'NoSuchEntity')) {
      throw new NotFoundError(`user ${userName} is no longer in account ${aws.accountId}`);
    }
    // Without the right to read the user his path stays unknown, and is written so: the protected list then decides
    // as if he had every path.
    if (isAwsError(error, 'AccessDenied', 'AccessDeniedException')) {
      return `arn:${aws.partition}:iam::${aws.accountId}:user/*/${userName}`;
    }
    throw error;
  }
  throw notAws('GetUser');
}

async function listKeys(userName: string, marker: string | undefined, aws: AwsReader, signal: AbortSignal) {
  try {
    return await aws.iam.send(
      new ListAccessKeysCommand({ UserName: userName, ...(marker === undefined ? {} : { Marker: marker }) }),
      { abortSignal: signal },
    );
  } catch (error) {
    if (isAwsError(error, 'NoSuchEntityException', 'NoSuchEntity')) {
      throw new NotFoundError(`user ${userName} is no longer in account ${aws.accountId}`);
    }
    throw error;
  }
}

function updateAccessKey(id: string, before: z.output<typeof Before>, status: 'Active' | 'Inactive') {
  return {
    service: 'iam' as const,
    operation: 'UpdateAccessKey',
    region: globalRegion(before.partition),
    input: { UserName: before.userName, AccessKeyId: id, Status: status },
  };
}

/** "Could not look" is never "there is none" (safety rule 9). */
function notAws(operation: string): UpstreamError {
  return new UpstreamError('aws', 'NotAws', `the answer to iam:${operation} was not AWS's`, { retryable: true });
}
