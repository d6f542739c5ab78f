import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import { distinctMintings, mintingOf } from '../../../src/domain/minting.ts';
import { loopsOf, seenSessions, sessionLines } from '../../../src/domain/session-chains.ts';
import { followSessions } from '../../../src/domain/session-search.ts';
import { evidenceOf, type Raw, record, session, user } from './pivot-records.ts';

const now = new Date('2026-11-21T00:00:00Z');
const account = '999999999999';

function assume(caller: Raw, role: string, name: string, key: string, more: Raw = {}): CloudTrailRecord {
  return record({
    eventName: 'AssumeRole',
    eventSource: 'sts.amazonaws.com',
    sourceIPAddress: '203.0.113.99',
    userIdentity: caller,
    requestParameters: { roleArn: `arn:aws:iam::${account}:role/${role}`, roleSessionName: name },
    responseElements: {
      credentials: { accessKeyId: key },
      assumedRoleUser: { arn: `arn:aws:sts::${account}:assumed-role/${role}/${name}`, assumedRoleId: `AROA:${name}` },
    },
    ...more,
  });
}

const key = (letter: string) => `ASIA${letter.repeat(16)}`;
const call = (caller: Raw, name = 'ListUsers', more: Raw = {}) =>
  record({ eventName: name, sourceIPAddress: '198.51.100.7', userIdentity: caller, ...more });

function follow(records: readonly CloudTrailRecord[], kind: 'user' | 'accessKey' | 'role' | 'session', id: string) {
  return followSessions(
    { kind, id },
    { evidence: evidenceOf(records), signal: new AbortController().signal, progress: () => undefined },
  );
}

const alice = user('alice', account, 'AKIAALICE2222222222A');
const aliceArn = `arn:aws:iam::${account}:user/alice`;

describe('how long a credential lives', () => {
  const minted = (eventName: string, more: Raw) =>
    mintingOf(
      record({
        eventTime: '2026-11-20T22:00:00Z',
        eventName,
        eventSource: 'sts.amazonaws.com',
        userIdentity: alice,
        responseElements: { credentials: { accessKeyId: key('A') } },
        ...more,
      }),
    );

  it.each([
    ['AWS’s own words', 'Nov 20, 2026, 11:00:00 PM', '2026-11-20T23:00:00Z', 'expiration'],
    ['a narrow space in them', 'Nov 20, 2026, 11:00:00\u202fPM', '2026-11-20T23:00:00Z', 'expiration'],
    ['ISO 8601', '2026-11-20T22:15:00Z', '2026-11-20T22:15:00Z', 'expiration'],
    ['no date at all', 'later', '2026-11-20T23:00:00Z', 'default'],
    ['a date that cannot be', 'Nov 20, 2036, 11:00:00 PM', '2026-11-20T23:00:00Z', 'default'],
  ])('is read from %s', (_what, expiration, aliveUntil, aliveUntilFrom) => {
    expect(
      minted('AssumeRole', { responseElements: { credentials: { accessKeyId: key('A'), expiration } } }),
    ).toMatchObject({
      aliveUntil,
      aliveUntilFrom,
    });
  });

  it.each([
    ['AssumeRole', { durationSeconds: 900 }, '2026-11-20T22:15:00Z'],
    ['AssumeRole', { durationSeconds: 'x' }, '2026-11-20T23:00:00Z'],
    ['GetSessionToken', {}, '2026-11-21T10:00:00Z'],
    ['GetSessionToken', { durationSeconds: 129_600 }, '2026-11-22T10:00:00Z'],
    ['GetFederationToken', {}, '2026-11-21T10:00:00Z'],
    ['AssumeRoot', {}, '2026-11-20T22:15:00Z'],
  ])('is else what %s with %j gives', (eventName, requestParameters, aliveUntil) => {
    expect(minted(eventName, { requestParameters })?.aliveUntil).toBe(aliveUntil);
  });

  it('is an hour for what root asks for', () => {
    const root = { type: 'Root', arn: `arn:aws:iam::${account}:root`, accountId: account };

    expect(minted('GetSessionToken', { userIdentity: root })?.aliveUntil).toBe('2026-11-20T23:00:00Z');
  });

  it('is nothing for a call that failed', () => {
    expect(minted('AssumeRole', { errorCode: 'AccessDenied' })).toBeUndefined();
  });
});

describe('chains of sessions', () => {
  const one = assume(alice, 'One', 's1', key('B'));
  const two = assume(session('One', 's1', account, key('B')), 'Two', 's2', key('C'));
  const token = record({
    eventName: 'GetSessionToken',
    eventSource: 'sts.amazonaws.com',
    sourceIPAddress: '203.0.113.99',
    userIdentity: alice,
    responseElements: { credentials: { accessKeyId: key('D') } },
  });
  const use = [
    call(session('Two', 's2', account, key('C'))),
    call({ ...alice, accessKeyId: key('D') }),
    // The same session name, by somebody else.
    assume(user('bob'), 'Two', 's2', key('E')),
    call(session('Two', 's2', account, key('E'))),
  ];
  const records = [one, two, token, ...use];

  it('go down from a user by the keys, and leave other people’s sessions of one name alone', async () => {
    const lines = sessionLines(await follow(records, 'user', aliceArn), now);

    expect(lines.map(({ accessKey, depth, by, calls }) => [accessKey, depth, by, calls])).toEqual([
      [key('B'), 1, aliceArn, 1],
      [key('C'), 2, `arn:aws:sts::${account}:assumed-role/One/s1`, 1],
      [key('D'), 1, aliceArn, 1],
    ]);
    expect(lines[1]).toMatchObject({ parent: one.eventID, addresses: ['198.51.100.7'] });
  });

  it('go up from a session’s key to the user', async () => {
    const { origin, minted } = await follow(records, 'accessKey', key('C'));

    expect(origin.map(({ eventId }) => eventId)).toEqual([two.eventID, one.eventID]);
    expect(origin.at(-1)?.by).toBe(aliceArn);
    expect(minted).toEqual([]);
  });

  it('go down from a role to all its sessions', async () => {
    const { minted } = await follow(records, 'role', `arn:aws:iam::${account}:role/Two`);

    expect(minted.map(({ accessKey }) => accessKey)).toEqual([key('C'), key('E')]);
  });

  it('tell by the clock alone what may still work', async () => {
    const lineage = await follow(records, 'user', aliceArn);
    const states = (at: string) => sessionLines(lineage, new Date(at)).map(({ state }) => state);

    expect(states('2026-11-20T22:30:00Z')).toEqual(['may-be-alive', 'may-be-alive', 'may-be-alive']);
    expect(states('2026-11-21T00:00:00Z')).toEqual(['expired', 'expired', 'may-be-alive']);
    expect(states('2026-11-22T00:00:00Z')).toEqual(['expired', 'expired', 'expired']);
  });

  it('keep what failed apart', async () => {
    const denied = assume(alice, 'Admin', 'x', key('F'), { errorCode: 'AccessDenied', responseElements: null });
    const lineage = await follow([...records, denied], 'user', aliceArn);

    expect(lineage.failed).toMatchObject([{ role: `arn:aws:iam::${account}:role/Admin`, outcome: 'denied' }]);
    expect(lineage.minted).toHaveLength(3);
  });

  it('end at their budget, and say so', async () => {
    const deep = Array.from({ length: 9 }, (_, n) =>
      assume(
        n === 0 ? alice : session(`R${n - 1}`, 's', account, key(String.fromCharCode(70 + n - 1))),
        `R${n}`,
        's',
        key(String.fromCharCode(70 + n)),
      ),
    );
    const lineage = await follow(deep, 'user', aliceArn);

    expect(lineage.minted).toHaveLength(7);
    expect(lineage.cutShort).toEqual(['sessions more than 6 in a row were not followed']);
  });
});

describe('role juggling', () => {
  it('is found where a chain comes back to a role, however often', async () => {
    const a = (letter: string) => session('A', 'x', account, key(letter));
    const b = (letter: string) => session('B', 'x', account, key(letter));
    const records = [
      assume(alice, 'A', 'x', key('B')),
      assume(a('B'), 'B', 'x', key('C')),
      assume(b('C'), 'A', 'x', key('D')),
      assume(a('D'), 'B', 'x', key('E')),
    ];

    const loops = loopsOf(await follow(records, 'user', aliceArn));

    expect(loops).toEqual([
      {
        through: [`arn:aws:iam::${account}:role/A`, `arn:aws:iam::${account}:role/B`, `arn:aws:iam::${account}:role/A`],
        times: 2,
        eventIds: [records[2]?.eventID, records[3]?.eventID],
      },
    ]);
  });

  it('is a role that takes itself, and not a chain that goes on', async () => {
    const itself = [
      assume(alice, 'A', 'x', key('B')),
      assume(session('A', 'x', account, key('B')), 'A', 'x', key('C')),
    ];
    const onwards = [
      assume(alice, 'A', 'x', key('B')),
      assume(session('A', 'x', account, key('B')), 'C', 'x', key('C')),
    ];

    expect(loopsOf(await follow(itself, 'user', aliceArn))).toHaveLength(1);
    expect(loopsOf(await follow(onwards, 'user', aliceArn))).toEqual([]);
  });
});

describe('records that tell half', () => {
  it('are one minting where both accounts recorded it, by the caller who is named', () => {
    const mine = assume(alice, 'One', 's1', key('B'), { sharedEventID: 'shared' });
    const theirs = assume(
      { type: 'AWSAccount', accountId: account, principalId: 'AIDA:alice' },
      'One',
      's1',
      key('B'),
      { sharedEventID: 'shared' },
    );
    const mintings = [theirs, mine].flatMap((item) => mintingOf(item) ?? []);

    expect(distinctMintings(mintings)).toMatchObject([{ by: aliceArn, accessKey: key('B') }]);
  });

  it('are one minting with the key of the one copy and the caller of the other, from wherever one starts', async () => {
    const hidden = assume(alice, 'One', 's1', key('B'), { responseElements: null, sharedEventID: 'shared' });
    const blind = { type: 'AWSAccount', accountId: account, principalId: 'AIDA:alice' };
    const theirs = {
      ...assume(blind, 'One', 's1', key('B'), { sharedEventID: 'shared' }),
      eventTime: hidden.eventTime,
    };
    const use = call(session('One', 's1', account, key('B')));
    const records = [hidden, theirs, use];
    const wanted = [{ by: aliceArn, accessKey: key('B'), calls: 1 }];

    for (const [kind, id] of [
      ['user', aliceArn],
      ['role', `arn:aws:iam::${account}:role/One`],
    ] as const) {
      const [line, ...more] = sessionLines(await follow(records, kind, id), now);
      expect([line]).toMatchObject(wanted);
      expect(line).not.toHaveProperty('accessKeyIsLikely');
      expect(more).toEqual([]);
    }
    expect((await follow(records, 'accessKey', key('B'))).origin).toMatchObject([{ by: aliceArn }]);
  });

  it('get the key that is hidden from the session that began at that moment', async () => {
    const hidden = assume(alice, 'One', 's1', key('B'), { responseElements: null, eventTime: '2026-11-20T22:00:00Z' });
    const began = (creationDate: string, letter: string) => {
      const one = session('One', 's1', account, key(letter));
      return call({ ...one, sessionContext: { ...(one.sessionContext as Raw), attributes: { creationDate } } });
    };
    const lineage = await follow(
      [hidden, began('2026-11-20T22:00:01Z', 'B'), began('2026-11-20T21:00:00Z', 'C')],
      'user',
      aliceArn,
    );

    expect(sessionLines(lineage, now)).toMatchObject([{ accessKey: key('B'), calls: 1 }]);
    expect(lineage.calls.map(({ userIdentity }) => userIdentity.accessKeyId)).not.toContain(key('C'));
  });

  it('of a role that was switched to in the console are known by name and time, since it uses other keys', async () => {
    const internal = { sourceIPAddress: 'AWS Internal', userAgent: 'AWS Internal' };
    const began = (creationDate: string, letter: string) => {
      const one = session('Admin', 'alice', account, key(letter));
      return { ...one, sessionContext: { ...(one.sessionContext as Raw), attributes: { creationDate } } };
    };
    const records = [
      assume(alice, 'Admin', 'alice', key('S'), { ...internal, eventTime: '2026-11-20T22:00:00Z' }),
      call(session('Admin', 'alice', account), 'SwitchRole', { eventSource: 'signin.amazonaws.com' }),
      call(began('2026-11-20T22:00:00Z', 'C'), 'GetSecretValue'),
      call(began('2026-11-20T22:00:01Z', 'D'), 'CreateUser'),
      call(began('2026-11-20T09:00:00Z', 'E'), 'ListUsers'),
    ];
    const lineage = await follow(records, 'user', aliceArn);

    expect(lineage.calls.map(({ eventName }) => eventName)).toEqual(
      expect.arrayContaining(['SwitchRole', 'GetSecretValue', 'CreateUser']),
    );
    expect(lineage.calls.map(({ eventName }) => eventName)).not.toContain('ListUsers');
    // The record tells the end of a first key only: the console goes on as long as the role's sessions may live.
    expect(sessionLines(lineage, now)).toMatchObject([
      { identity: records[1]?.userIdentity.arn, calls: 3, aliveUntil: '2026-11-21T10:00:00Z', state: 'may-be-alive' },
    ]);
    expect(seenSessions(lineage)).toEqual([]);
  });

  it('show sessions of a role whose minting is not in the logs', async () => {
    const one = session('One', 'i-0ba42452619fc45aa', account, key('C'));
    const lineage = await follow([call(one)], 'role', `arn:aws:iam::${account}:role/One`);

    expect(lineage.minted).toEqual([]);
    expect(seenSessions(lineage)).toMatchObject([{ identity: one.arn, accessKey: key('C'), calls: 1 }]);
  });
});
