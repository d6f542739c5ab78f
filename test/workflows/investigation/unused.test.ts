/** "Never used" is said of a password or key only where somebody knows. */
import { expect, it } from 'vitest';
import type { InvestigationContext } from '#src/contracts/investigation.ts';
import { parseRecord } from '#src/domain/record.ts';
import { key } from '../../../workflows/investigation/key.ts';
import { who } from '../../../workflows/investigation/who.ts';

const account = '111122223333';
const keyId = 'AKIAIOSFODNN7EXAMPLE';
const arn = `arn:aws:iam::${account}:user/alice`;

function refused(): never {
  throw Object.assign(new Error('not authorized'), { name: 'AccessDeniedException', $metadata: {} });
}

/** alice has a password and a key that IAM knows no use of. `mayReadUser`: else iam:GetUser is refused. */
function contextOf(mayReadUser: boolean, calls: number): InvestigationContext {
  const parsed = parseRecord({
    eventID: 'e1',
    eventTime: '2026-11-20T11:00:00Z',
    eventName: 'ListUsers',
    eventSource: 'iam.amazonaws.com',
    awsRegion: 'us-east-1',
    recipientAccountId: account,
    sourceIPAddress: '203.0.113.9',
    userIdentity: { type: 'IAMUser', arn, accountId: account, userName: 'alice', accessKeyId: keyId },
    requestParameters: null,
    responseElements: null,
  });
  if (!parsed.ok) throw new Error(parsed.reason);
  const records = Array.from({ length: calls }, () => parsed.record);
  const CreateDate = new Date('2026-01-01T00:00:00Z');
  const answers: Readonly<Record<string, () => object>> = {
    GetUserCommand: () =>
      mayReadUser ? { User: { UserName: 'alice', Arn: arn, UserId: 'AIDAALICE', CreateDate } } : refused(),
    GetLoginProfileCommand: () => ({ LoginProfile: { UserName: 'alice', CreateDate } }),
    GetAccessKeyLastUsedCommand: () => ({
      UserName: 'alice',
      AccessKeyLastUsed: { ServiceName: 'N/A', Region: 'N/A' },
    }),
    ListAccessKeysCommand: () => ({ AccessKeyMetadata: [{ AccessKeyId: keyId, Status: 'Active', CreateDate }] }),
    ListGroupsForUserCommand: () => ({ Groups: [] }),
    ListMFADevicesCommand: () => ({ MFADevices: [] }),
    ListUserPoliciesCommand: () => ({ PolicyNames: [] }),
    ListAttachedUserPoliciesCommand: () => ({ AttachedPolicies: [] }),
  };
  const send = async (command: { readonly constructor: { readonly name: string } }) =>
    answers[command.constructor.name]?.();
  return {
    evidence: {
      recordsOf: async () => records,
      coverage: () => ({
        ...{ complete: true, accounts: [account], regions: ['us-east-1'], sources: [], badFiles: [], notLookedAt: [] },
        ...{ from: '2026-11-14T00:00:00Z', to: '2026-11-20T12:00:00Z' },
      }),
    },
    aws: {
      accounts: async () => [account],
      reader: async () => ({
        accountId: account,
        partition: 'aws',
        iam: { send },
        sts: { send: async () => ({ Account: account }) },
      }),
    },
    signal: new AbortController().signal,
    progress: () => undefined,
    now: () => new Date('2026-11-20T12:00:00Z'),
  } as unknown as InvestigationContext;
}

it('of a password where IAM tells of the user, and not where that is refused', async () => {
  const told = async (mayReadUser: boolean) =>
    JSON.stringify((await who.run({ artifact: arn }, contextOf(mayReadUser, 0))).parts);

  expect(await told(true)).toContain('never used');
  expect(await told(false)).toContain('last use not known');
});

it('of a key on a card where the logs show no call by it either: IAM learns of a use hours later', async () => {
  const told = async (calls: number) =>
    JSON.stringify((await key.run({ artifact: keyId }, contextOf(true, calls))).brief?.facts);

  expect(await told(0)).toContain('never used as far as IAM knows');
  expect(await told(1)).not.toContain('never used');
});
