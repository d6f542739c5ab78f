import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import { entrySigns } from '../../../src/domain/entry-point.ts';
import { type Raw, record, session, user } from './pivot-records.ts';

const key = 'AKIAALICE2222222222A';
const alice = user('alice', '999999999999', key);

function call(second: number, more: Raw = {}): CloudTrailRecord {
  return record({
    eventTime: new Date(Date.UTC(2026, 10, 20, 22, 0, second)).toISOString(),
    eventName: 'ListUsers',
    sourceIPAddress: '198.51.100.7',
    userAgent: 'aws-cli/2.2.1 Python/3.8',
    userIdentity: alice,
    ...more,
  });
}

const habit = Array.from({ length: 6 }, (_, n) => call(n));

const aliceArn = String(alice.arn);

function signs(calls: readonly CloudTrailRecord[], about: readonly CloudTrailRecord[] = [], id = key) {
  return entrySigns({ id, calls, watchedFrom: '', about: [...about, ...calls] }).map(
    ({ kind, sure }) => `${kind} ${sure}`,
  );
}

describe('what was new about a credential', () => {
  const elsewhere = { sourceIPAddress: '203.0.113.99' };
  const tool = { userAgent: 'Boto3/1.34 md/Botocore' };

  it.each([
    ['address, agent and Region', { ...elsewhere, ...tool, awsRegion: 'eu-north-1' }, 'first-deviation strong'],
    ['address and agent', { ...elsewhere, ...tool }, 'first-deviation fair'],
    ['address', elsewhere, 'first-deviation weak'],
  ])('weighs by how much of it: a new %s', (_what, more, sign) => {
    expect(signs([...habit, call(100, more)])).toEqual([sign]);
  });

  it('is nothing where only the Region or the agent is new, or the service called for the user', () => {
    expect(signs([...habit, call(100, { awsRegion: 'eu-north-1' })])).toEqual([]);
    expect(signs([...habit, call(100, tool)])).toEqual([]);
    expect(
      signs([
        ...habit,
        call(100, { sourceIPAddress: 'cloudformation.amazonaws.com', userAgent: 'cloudformation.amazonaws.com' }),
      ]),
    ).toEqual([]);
  });

  it('is not told from a history that is too short', () => {
    expect(signs([...habit.slice(0, 4), call(100, { ...elsewhere, ...tool, awsRegion: 'eu-north-1' })])).toEqual([]);
  });

  it('names the very first use, with its event', () => {
    const first = call(100, elsewhere);
    const found = entrySigns({ id: key, watchedFrom: '', calls: [...habit, first, call(101, elsewhere)], about: [] });

    expect(found).toMatchObject([
      { eventIds: [first.eventID], sourceIp: '203.0.113.99', says: expect.stringContaining('after 6 earlier calls') },
    ]);
  });

  it('is the first call after a quiet day, where all of that day was looked at', () => {
    const of = (watchedFrom: string) =>
      entrySigns({ id: key, calls: habit, about: [], watchedFrom }).map(({ says }) => says);

    expect(of('2026-11-14T22:00:00Z')).toEqual([
      'no call in the 6 days before, then the first from 198.51.100.7 with aws-cli/2.2.1',
    ]);
    expect(of('2026-11-20T12:00:00Z')).toEqual([]);
    expect(of('')).toEqual([]);
  });

  it('is also a key that wakes up after months', () => {
    expect(signs([call(0), call(1, { eventTime: '2027-03-01T00:00:00Z' })])).toEqual(['dormant-key-awake fair']);
  });
});

describe('a key or password that was made just before', () => {
  const made = (more: Raw = {}) =>
    call(50, {
      eventName: 'CreateAccessKey',
      eventSource: 'iam.amazonaws.com',
      userIdentity: user('mallory'),
      requestParameters: { userName: 'alice' },
      responseElements: { accessKey: { accessKeyId: key, userName: 'alice', status: 'Active' } },
      ...more,
    });

  it('by another and used at once is a strong sign', () => {
    expect(signs([call(60, { sourceIPAddress: '203.0.113.99' })], [made()])).toEqual(['key-handed-over strong']);
  });

  it('by the user is none either where a service used it, or the same address in another spelling', () => {
    const own = (sourceIPAddress: string) => made({ userIdentity: alice, sourceIPAddress });

    expect(signs([call(60, { sourceIPAddress: 'cloudformation.amazonaws.com' })], [own('198.51.100.7')])).toEqual([]);
    expect(signs([call(60)], [own('AWS Internal')])).toEqual([]);
    expect(signs([call(60, { sourceIPAddress: '2001:db8::7' })], [own('2001:0DB8:0::7')])).toEqual([]);
  });

  it('by another and used later is a fair one', () => {
    expect(signs([call(3_000)], [made()])).toEqual(['key-handed-over fair']);
  });

  it('by the user is none, unless another address uses it at once', () => {
    expect(signs([call(60)], [made({ userIdentity: alice })])).toEqual([]);
    expect(signs([call(60, { sourceIPAddress: '203.0.113.99' })], [made({ userIdentity: alice })])).toEqual([
      'key-handed-over fair',
    ]);
  });

  it('counts as well where it is a console password', () => {
    const password = made({ eventName: 'UpdateLoginProfile', responseElements: null });

    expect(signs([call(60)], [password], aliceArn)).toEqual(['password-set-by-another strong']);
  });

  it('is none where the identity made it for somebody else', () => {
    const forBob = made({
      userIdentity: alice,
      requestParameters: { userName: 'bob' },
      responseElements: { accessKey: { accessKeyId: 'AKIABOB22222222222AA', userName: 'bob' } },
    });

    expect(signs([call(60)], [forBob], aliceArn)).toEqual([]);
    expect(signs([call(60)], [forBob])).toEqual([]);
  });

  it('is none where making it failed', () => {
    expect(signs([call(60)], [made({ errorCode: 'AccessDenied', responseElements: null })])).toEqual([]);
  });
});

describe('sign-ins', () => {
  const login = (second: number, ok: boolean, more: Raw = {}) =>
    call(second, {
      eventName: 'ConsoleLogin',
      eventSource: 'signin.amazonaws.com',
      eventType: 'AwsConsoleSignIn',
      additionalEventData: { MFAUsed: 'Yes' },
      responseElements: { ConsoleLogin: ok ? 'Success' : 'Failure' },
      ...(ok ? {} : { errorMessage: 'Failed authentication' }),
      ...more,
    });
  const failures = [login(1, false), login(2, false), login(3, false)];

  it('that failed three times before one succeeded are a guessed password', () => {
    expect(signs([], [...failures, login(4, true)])).toEqual(['guessed-password strong']);
    expect(signs([], [...failures, login(4, true, { sourceIPAddress: '203.0.113.99' })])).toEqual([
      'guessed-password fair',
    ]);
  });

  it('that failed without one that succeeded, or long before, are not', () => {
    expect(signs([], failures)).toEqual([]);
    expect(signs([], [...failures, login(4, true, { eventTime: '2026-11-25T22:00:00Z' })])).toEqual([]);
    expect(signs([], [...failures.slice(1), login(4, true)])).toEqual([]);
  });

  it('without MFA are told of users and root, not of what an identity provider let in', () => {
    const none = { additionalEventData: { MFAUsed: 'No' } };

    expect(signs([], [login(1, true, none)])).toEqual(['login-without-mfa fair']);
    expect(signs([], [login(1, true, { ...none, userIdentity: session('SSO', 'alice') })])).toEqual([]);
  });
});

describe('credentials of an instance', () => {
  const instance = (second: number, ip: string, more: Raw = {}) => {
    const identity = session('Web', 'i-0ba42452619fc45aa');
    const context = { ...(identity.sessionContext as Raw), ...more };
    return call(second, { sourceIPAddress: ip, userIdentity: { ...identity, sessionContext: context } });
  };

  it('at two public addresses are out, at one they may be its own way out, inside they are at home', () => {
    expect(signs([instance(1, '198.51.100.7'), instance(2, '203.0.113.99')])).toEqual([
      'instance-credentials-outside strong',
    ]);
    expect(signs([instance(1, '198.51.100.7'), instance(2, '198.51.100.7')])).toEqual([
      'instance-credentials-outside weak',
    ]);
    expect(signs([instance(1, '2001:db8::7'), instance(2, '2001:0DB8:0::7')])).toEqual([
      'instance-credentials-outside weak',
    ]);
    expect(signs([instance(1, '10.0.0.7'), instance(2, 'AWS Internal')])).toEqual([]);
  });

  it('delivered by IMDSv1 are told', () => {
    expect(signs([instance(1, '10.0.0.7', { ec2RoleDelivery: '1.0' })])).toEqual(['imds-v1 weak']);
    expect(signs([instance(1, '10.0.0.7', { ec2RoleDelivery: '2.0' })])).toEqual([]);
  });
});

describe('a key that AWS found in public', () => {
  it('is the surest sign of all', () => {
    const quarantine = call(50, {
      eventName: 'AttachUserPolicy',
      eventSource: 'iam.amazonaws.com',
      requestParameters: { userName: 'alice', policyArn: 'arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3' },
    });

    expect(signs([...habit, call(100, { sourceIPAddress: '203.0.113.99' })], [quarantine], aliceArn)[0]).toBe(
      'exposed-key strong',
    );
  });
});
