import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '#src/contracts/cloudtrail.ts';
import type { InvestigationContext } from '#src/contracts/investigation.ts';
import { familyOf } from '#src/domain/family.ts';
import { parseRecord } from '#src/domain/record.ts';
import { checkFamily } from '../../../workflows/account-state/family-state.ts';

const account = '111122223333';
const arnOf = (name: string) => `arn:aws-cn:iam::${account}:user/${name}`;

/** A call of alice's key; `request` names another user, or nobody. */
function call(eventName: string, request: object, response: object | null = null): CloudTrailRecord {
  const parsed = parseRecord({
    eventID: `${eventName}-${JSON.stringify(request)}`,
    eventTime: '2026-11-20T10:00:00Z',
    eventName,
    eventSource: 'iam.amazonaws.com',
    awsRegion: 'cn-north-1',
    recipientAccountId: account,
    readOnly: false,
    userIdentity: {
      type: 'IAMUser',
      arn: arnOf('alice'),
      accountId: account,
      accessKeyId: 'AKIAALICEOLD22222222',
      userName: 'alice',
    },
    requestParameters: request,
    responseElements: response,
  });
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.record;
}

const stranger = JSON.stringify({
  Statement: [{ Effect: 'Allow', Principal: { AWS: '999988887777' }, Action: 'sts:AssumeRole' }],
});

function denyOf(userId: string): object {
  const Condition = { StringEquals: { 'aws:userid': userId } };
  return { Statement: [{ Effect: 'Deny', Action: '*', Resource: '*', Condition }] };
}

/** What IAM answers of users that have these keys and a password. */
function iamWith(keys: Readonly<Record<string, readonly string[]>>, denied: { readonly userId: string } | undefined) {
  const answers: Readonly<Record<string, (name: string) => object>> = {
    GetRoleCommand: () => ({
      Role: {
        ...{ Arn: `arn:aws-cn:iam::${account}:role/svc/legacy`, RoleId: 'AROALEGACY' },
        AssumeRolePolicyDocument: stranger,
      },
    }),
    ListAttachedRolePoliciesCommand: () => ({ AttachedPolicies: [] }),
    ListRolePoliciesCommand: () => ({ PolicyNames: denied === undefined ? [] : ['deny'] }),
    GetRolePolicyCommand: () => ({ PolicyDocument: JSON.stringify(denyOf(denied?.userId ?? '')) }),
    ListInstanceProfilesForRoleCommand: () => ({ InstanceProfiles: [] }),
    GetUserCommand: (UserName) => ({
      User: {
        UserName,
        Arn: arnOf(UserName),
        UserId: `AIDA${UserName}`,
        Path: '/',
        Tags: [{ Key: 'Owner', Value: 'x' }],
      },
    }),
    ListAccessKeysCommand: (name) => ({
      AccessKeyMetadata: (keys[name] ?? []).map((AccessKeyId) => ({ AccessKeyId, Status: 'Active', UserName: name })),
    }),
    GetLoginProfileCommand: (UserName) => ({ LoginProfile: { UserName, CreateDate: new Date(0) } }),
    ListMFADevicesCommand: () => ({ MFADevices: [] }),
    ListServiceSpecificCredentialsCommand: () => ({ ServiceSpecificCredentials: [] }),
    ListSSHPublicKeysCommand: () => ({ SSHPublicKeys: [] }),
    ListSigningCertificatesCommand: () => ({ Certificates: [] }),
    ListAttachedUserPoliciesCommand: () => ({ AttachedPolicies: [] }),
    ListUserPoliciesCommand: () => ({ PolicyNames: [] }),
  };
  const send = async (command: {
    readonly constructor: { readonly name: string };
    readonly input: { UserName?: string };
  }) => answers[command.constructor.name]?.(command.input.UserName ?? '');
  return { accountId: account, partition: 'aws-cn', iam: { send } };
}

/** An investigation of alice, whose calls these are. */
function contextOf(
  calls: readonly CloudTrailRecord[],
  keys: Readonly<Record<string, readonly string[]>>,
  denied?: { readonly userId: string },
) {
  return {
    evidence: {
      recordsOf: async ({ id }: { id: string }) => (/user\/alice$|:role\//.test(id) ? calls : []),
      coverage: () => ({ from: '2026-11-14T00:00:00Z' }),
    },
    aws: { reader: async () => iamWith(keys, denied) },
    signal: new AbortController().signal,
    progress: () => undefined,
    now: () => new Date('2026-11-20T12:00:00Z'),
  } as unknown as InvestigationContext;
}

describe('who made a credential of a family', () => {
  it('is said of the keys and passwords that the family made, and of none that were there before', async () => {
    const calls = [
      call(
        'CreateAccessKey',
        { userName: 'bob' },
        { accessKey: { userName: 'bob', accessKeyId: 'AKIABOBNEW2222222222' } },
      ),
      call('EnableMFADevice', { userName: 'alice', serialNumber: `arn:aws-cn:iam::${account}:mfa/other` }),
      call('UpdateLoginProfile', { userName: 'carol' }),
    ];
    const keys = { alice: ['AKIAALICEOLD22222222'], bob: ['AKIABOBOLD2222222222', 'AKIABOBNEW2222222222'] };
    const ctx = contextOf(calls, keys);
    const alice = { kind: 'user' as const, id: arnOf('alice') };

    const { items } = await checkFamily([alice], await familyOf([alice], ctx), ctx);

    const makers = items
      .filter(({ kind }) => kind === 'access key' || kind === 'console password')
      .map(({ kind, id, madeBy }) => [kind === 'access key' ? id : `password of ${id}`, madeBy ?? 'not by them']);
    expect(Object.fromEntries(makers)).toEqual({
      AKIAALICEOLD22222222: 'not by them',
      'password of user alice': 'not by them',
      AKIABOBOLD2222222222: 'not by them',
      AKIABOBNEW2222222222: 'user alice',
      'password of user bob': 'not by them',
      'password of user carol': 'user alice',
    });
  });
});

describe('who set the tag that names an owner', () => {
  it('is the caller for whom his call names, however the key is written, and not for himself', async () => {
    const calls = [
      call('UpdateLoginProfile', { userName: 'bob' }),
      call('UpdateLoginProfile', { userName: 'carol' }),
      call('TagUser', { userName: 'bob', tags: [{ key: 'Owner', value: 'x' }] }),
      call('TagUser', { userName: 'carol', tags: [{ key: 'owner', value: 'x' }] }),
    ];
    const ctx = contextOf(calls, {});
    const alice = { kind: 'user' as const, id: arnOf('alice') };

    const { tags: told } = await checkFamily([alice], await familyOf([alice], ctx), ctx);

    expect(Object.fromEntries(told.map(({ id, setBy }) => [id, setBy]))).toEqual({
      [arnOf('alice')]: '',
      [arnOf('bob')]: arnOf('alice'),
      [arnOf('carol')]: arnOf('alice'),
    });
  });
});

describe('a role whose trust policy the actor wrote', () => {
  it('is left open, though it is none of his credentials', async () => {
    const calls = [call('UpdateAssumeRolePolicy', { roleName: 'legacy', policyDocument: stranger })];
    const ctx = contextOf(calls, {});
    const alice = { kind: 'user' as const, id: arnOf('alice') };

    const { items } = await checkFamily([alice], await familyOf([alice], ctx), ctx);

    expect(items.filter(({ kind }) => kind.startsWith('role'))).toMatchObject([
      { kind: 'role trust', id: `arn:aws-cn:iam::${account}:role/svc/legacy`, state: 'alive' },
    ]);
  });
});

describe('a session whose minting the logs do not have', () => {
  /** A call of alice with a session token, or in the console. */
  function acted(eventName: string, accessKeyId: string, creationDate: string): CloudTrailRecord {
    const record = call(eventName, {});
    const { userIdentity } = record;
    return {
      ...record,
      eventID: `${eventName}-${accessKeyId}`,
      userIdentity: { ...userIdentity, accessKeyId, sessionContext: { attributes: { creationDate } } },
    };
  }

  async function sessionsOf(calls: readonly CloudTrailRecord[]) {
    const ctx = contextOf(calls, {});
    const alice = { kind: 'user' as const, id: arnOf('alice') };
    const { items } = await checkFamily([alice], await familyOf([alice], ctx), ctx);
    return items.filter(({ kind }) => kind.endsWith('session'));
  }

  it('is alive where it is of a user, for the 36 hours that it may live', async () => {
    const calls = [acted('ListUsers', 'ASIAALICETOKEN222222', '2026-11-19T20:00:00Z')];

    expect(await sessionsOf(calls)).toMatchObject([
      { id: 'ASIAALICETOKEN222222', of: arnOf('alice'), state: 'alive', until: '2026-11-21T08:00:00.000Z' },
    ]);
  });

  it('is dead after that, and not where it acted later than it could have by its stamp', async () => {
    const late = { ...acted('ListUsers', 'ASIAALICETOKEN222222', '2026-11-18T12:00:00Z') };
    const early = { ...late, eventTime: '2026-11-18T13:00:00Z' };

    expect(await sessionsOf([early])).toMatchObject([{ state: 'dead' }]);
    expect(await sessionsOf([late])).toMatchObject([{ state: 'alive' }]);
  });

  it('is told once for all keys of the console, and not beside its sign-in', async () => {
    const began = '2026-11-20T09:59:59Z';
    const console = [
      acted('ListUsers', 'ASIACONSOLE122222222', began),
      acted('ListRoles', 'ASIACONSOLE222222222', began),
    ];
    const login = call('ConsoleLogin', {}, { ConsoleLogin: 'Success' });

    expect(await sessionsOf(console)).toMatchObject([{ kind: 'session', state: 'alive' }]);
    expect(await sessionsOf([login, ...console])).toMatchObject([{ kind: 'console session', state: 'alive' }]);
  });
});

describe('a policy that denies one session', () => {
  it('ends it by the id of the role as it is, and not by that of another', async () => {
    const session = `arn:aws-cn:sts::${account}:assumed-role/legacy/mallory`;
    const identity = {
      ...{ type: 'AssumedRole', arn: session, accountId: account, accessKeyId: 'ASIAMALLORY222222222' },
      sessionContext: { attributes: { creationDate: '2026-11-20T09:59:00Z' } },
    };
    const calls = [{ ...call('ListUsers', {}), userIdentity: identity }];
    const role = { kind: 'role' as const, id: `arn:aws-cn:iam::${account}:role/svc/legacy` };

    const stateBy = async (userId: string) => {
      const ctx = contextOf(calls, {}, { userId });
      const { items } = await checkFamily([role], await familyOf([role], ctx), ctx);
      return items.filter(({ kind }) => kind === 'session').map(({ state }) => state);
    };

    expect(await stateBy('AROALEGACY:mallory')).toEqual(['dead-by-policy']);
    expect(await stateBy('AROAEARLIER:mallory')).toEqual(['alive']);
  });
});
