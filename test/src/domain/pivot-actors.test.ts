import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import { actorFinder, actorsOf, labelOf } from '../../../src/domain/pivot-actors.ts';
import type { GraphNode } from '../../../src/domain/principal.ts';
import { pivotOver, type Raw, record, session, user } from './pivot-records.ts';

describe('the name of an identity in words', () => {
  it.each([
    ['source-identity:carol@corp.example', 'source identity carol@corp.example'],
    ['544894e8-80c1-707f-60e3-3ba6510dfac1', 'Identity Center user 544894e8-80c1-707f-60e3-3ba6510dfac1'],
    [
      'arn:aws:iam::430987654323:oidc-provider/token.actions.githubusercontent.com:sts.amazonaws.com:repo:corp/shop:ref:refs/heads/main',
      'federated user repo:corp/shop:ref:refs/heads/main of token.actions.githubusercontent.com',
    ],
    [
      'arn:aws:iam::430987654323:oidc-provider/token.actions.githubusercontent.com',
      'iam token.actions.githubusercontent.com',
    ],
    ['arn:aws:s3:::corp-tf/state/prod.tfstate', 's3 corp-tf/state/prod.tfstate'],
    ['ANONYMOUS_PRINCIPAL', 'anybody, without credentials'],
  ])('%s', (id, label) => {
    expect(labelOf(id)).toBe(label);
  });
});

const account = '999999999999';
const iam = { eventSource: 'iam.amazonaws.com' };
const evilIp = '198.51.100.77';
const aliceArn = `arn:aws:iam::${account}:user/alice`;

async function actorsFrom(records: readonly CloudTrailRecord[], seed: GraphNode) {
  return actorsOf(await pivotOver(records, seed), [seed]);
}

describe('sessions of a role that the actors changed', () => {
  const trust = (accounts: readonly string[]) =>
    encodeURIComponent(JSON.stringify({ Statement: [{ Effect: 'Allow', Principal: { AWS: accounts } }] }));
  const change = (accounts: readonly string[]) =>
    record({
      ...iam,
      eventName: 'UpdateAssumeRolePolicy',
      eventTime: '2026-11-20T22:10:00Z',
      userIdentity: user('alice'),
      sourceIPAddress: evilIp,
      requestParameters: { roleName: 'Data', policyDocument: trust(accounts) },
    });
  const use = (name: string, sourceIPAddress: string, more: Raw = {}) =>
    record({ eventName: 'ListTables', userIdentity: session('Data', name), sourceIPAddress, ...more });
  const taken = (name: string, eventTime: string) =>
    record({
      eventName: 'AssumeRole',
      eventSource: 'sts.amazonaws.com',
      eventTime,
      userIdentity: { type: 'AWSAccount', accountId: '666666666666', principalId: 'AIDAEVIL' },
      sourceIPAddress: '192.0.2.99',
      requestParameters: { roleArn: `arn:aws:iam::${account}:role/Data`, roleSessionName: name },
      responseElements: { assumedRoleUser: { arn: `arn:aws:sts::${account}:assumed-role/Data/${name}` } },
    });
  const alice: GraphNode = { kind: 'user', id: aliceArn };

  it('are followed, but not told as the actors’ own', async () => {
    const actors = await actorsFrom([change([]), use('maria', '203.0.113.10')], alice);

    expect(actors.map(({ label, aside }) => `${label}${aside}`)).toEqual(['user alice', 'role Data (same role only)']);
  });

  it('are the actors’ own where an account took them that the change let in, and not where it had taken some before', async () => {
    const later = [change(['666666666666']), taken('evil', '2026-11-20T22:20:00Z'), use('evil', '192.0.2.99')];
    const before = [taken('partner', '2026-11-20T22:00:00Z'), use('partner', '192.0.2.99')];
    const told = async (records: readonly CloudTrailRecord[]) =>
      (await actorsFrom([...records, use('maria', '203.0.113.10')], alice)).map(
        ({ label, aside }) => `${label}${aside}`,
      );

    expect(await told(later)).toEqual([
      'session evil of role Data',
      'user alice',
      'session maria of role Data (same role only)',
    ]);
    expect(await told([...later, ...before])).toEqual(['user alice', 'role Data (same role only)']);
  });
});

describe('a name that was deleted and made again', () => {
  const dave = (principalId: string, minute: string) =>
    record({
      eventName: 'ListBuckets',
      eventTime: `2026-11-20T22:${minute}:00Z`,
      userIdentity: { ...user('dave', account, `AKIADAVE${principalId.slice(-3)}`), principalId },
      sourceIPAddress: '203.0.113.44',
    });
  const call = (eventName: string, minute: string, responseElements: Raw | null) =>
    record({
      ...iam,
      eventName,
      eventTime: `2026-11-20T22:${minute}:00Z`,
      userIdentity: user('alice'),
      sourceIPAddress: evilIp,
      requestParameters: { userName: 'dave' },
      responseElements,
    });
  const arn = `arn:aws:iam::${account}:user/dave`;
  const records = [
    dave('AIDADAVEOLD', '01'),
    call('DeleteUser', '10', null),
    call('CreateUser', '11', { user: { userName: 'dave', userId: 'AIDADAVENEW', arn } }),
  ];

  it('is two identities, though the second has not acted yet, and the first is none of the actors', async () => {
    const actors = await actorsFrom(records, { kind: 'user', id: aliceArn });

    expect(actors.map(({ label, aside, isCore, events }) => ({ who: `${label}${aside}`, isCore, events }))).toEqual([
      { who: 'user alice', isCore: true, events: 2 },
      { who: 'user dave (AIDADAVENEW)', isCore: true, events: 0 },
      { who: 'user dave (AIDADAVEOLD) (an earlier identity of this name)', isCore: false, events: 1 },
    ]);
    expect(actors.map(({ keys }) => keys)).toEqual([[], [], ['AKIADAVEOLD']]);
  });

  it('leads to who made the one that is tied to the seed, and not to who made the other', async () => {
    const made = (by: string, minute: string, userId: string) => ({
      ...call('CreateUser', minute, { user: { userName: 'dave', userId, arn } }),
      userIdentity: user(by),
      sourceIPAddress: by === 'alice' ? evilIp : '198.51.100.44',
    });
    const all = [
      made('nadia', '00', 'AIDADAVEOLD'),
      dave('AIDADAVEOLD', '01'),
      call('DeleteUser', '10', null),
      made('alice', '11', 'AIDADAVENEW'),
      dave('AIDADAVENEW', '20'),
    ];
    const from = async (id: string) =>
      (await actorsFrom(all, { kind: 'user', id })).map(({ label, aside, isCore }) => `${isCore} ${label}${aside}`);

    expect(await from(aliceArn)).toEqual([
      'true user alice',
      'true user dave (AIDADAVENEW)',
      'false user dave (AIDADAVEOLD) (an earlier identity of this name)',
      'false user nadia (only of another identity of a name)',
    ]);
    expect(await from(String(user('nadia').arn))).toEqual([
      'true user dave (AIDADAVEOLD)',
      'true user nadia',
      'false user alice (only of another identity of a name)',
      'false user dave (AIDADAVENEW) (a later identity of this name)',
    ]);
  });

  it('is told in full where one asks for the name', async () => {
    const actors = await actorsFrom([...records, dave('AIDADAVENEW', '20')], { kind: 'user', id: arn });
    const find = actorFinder(actors);

    expect(actors.filter(({ isCore }) => isCore)).toHaveLength(3);
    expect(find(arn, '2026-11-20T22:01:00Z')?.label).toBe('user dave (AIDADAVEOLD)');
    expect(find(arn, '2026-11-20T22:20:00Z')?.label).toBe('user dave (AIDADAVENEW)');
  });
});

it('tells a user once, though calls name it without its path', async () => {
  const actors = await actorsFrom(
    [
      record({ eventName: 'ListBuckets', userIdentity: user('eng/bob'), sourceIPAddress: evilIp }),
      record({
        ...iam,
        eventName: 'AttachUserPolicy',
        userIdentity: user('alice'),
        sourceIPAddress: evilIp,
        requestParameters: { userName: 'bob', policyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' },
      }),
    ],
    { kind: 'user', id: aliceArn },
  );

  expect(actors.map(({ label, events }) => `${label} ${events}`)).toEqual(['user alice 1', 'user bob 1']);
});

it('ties the person of the access portal to the session that began at that moment, as likely', async () => {
  const person = '544894e8-80c1-707f-60e3-3ba6510dfac1';
  const federate = record({
    eventName: 'Federate',
    eventSource: 'sso.amazonaws.com',
    eventTime: '2026-11-20T22:00:00Z',
    userIdentity: { type: 'IdentityCenterUser', accountId: '111122223333', onBehalfOf: { userId: person } },
    sourceIPAddress: evilIp,
    serviceEventDetails: { role_name: 'Admin', account_id: account },
  });
  const used = (role: string, creationDate: string) => {
    const own = session(role, 'erin@corp.example');
    const sessionContext = { ...(own.sessionContext as Raw), attributes: { creationDate } };
    return record({ eventName: 'ListUsers', userIdentity: { ...own, sessionContext }, sourceIPAddress: evilIp });
  };
  const seed: GraphNode = { kind: 'federatedUser', id: person };
  const tied = async (records: readonly CloudTrailRecord[]) =>
    (await pivotOver(records, seed)).edges
      .filter(({ likely }) => likely)
      .map(({ from, to, kind }) => ({ from, to, kind }));
  const role = 'AWSReservedSSO_Admin_0123456789abcdef';

  expect(await tied([federate, used(role, '2026-11-20T22:00:02Z')])).toEqual([
    { from: person, to: `arn:aws:sts::${account}:assumed-role/${role}/erin@corp.example`, kind: 'assumed' },
  ]);
  expect(await tied([federate, used(role, '2026-11-20T20:00:00Z')])).toEqual([]);
  expect(await tied([federate, used('AWSReservedSSO_AdminX_0123456789abcdef', '2026-11-20T22:00:02Z')])).toEqual([]);
  expect((await actorsFrom([federate, used(role, '2026-11-20T22:00:02Z')], seed)).every(({ isCore }) => isCore)).toBe(
    true,
  );
});
