/** What every question holds, whatever the records: it answers, with coverage, and never says that nothing is wrong. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import { UpstreamError } from '../../../src/contracts/errors.ts';
import type { Coverage } from '../../../src/contracts/evidence.ts';
import type { Investigation, InvestigationContext } from '../../../src/contracts/investigation.ts';
import { storable } from '../../../src/domain/answers.ts';
import { plainText } from '../../../src/domain/plain-text.ts';
import { parseRecord } from '../../../src/domain/record.ts';
import { reportMessage } from '../../../src/domain/report-wording.ts';
import { coverage } from '../../../workflows/investigation/coverage.ts';
import { dataAccess } from '../../../workflows/investigation/data-access.ts';
import { entry } from '../../../workflows/investigation/entry.ts';
import { errors } from '../../../workflows/investigation/errors.ts';
import { instance } from '../../../workflows/investigation/instance.ts';
import { ip } from '../../../workflows/investigation/ip.ts';
import { key } from '../../../workflows/investigation/key.ts';
import { secretsRead } from '../../../workflows/investigation/secrets-read.ts';
import { sessions } from '../../../workflows/investigation/sessions.ts';
import { timeline } from '../../../workflows/investigation/timeline.ts';
import { who } from '../../../workflows/investigation/who.ts';
import { whoCreated } from '../../../workflows/investigation/who-created.ts';
import {
  evidenceOf,
  miningStory,
  pipelineArn,
  type Raw,
  record,
  session,
  user,
} from '../../src/domain/pivot-records.ts';

const units: readonly Investigation[] = [
  timeline,
  whoCreated,
  sessions,
  entry,
  secretsRead,
  errors,
  dataAccess,
  coverage,
  who,
  key,
  instance,
  ip,
];
const reassuring = /\b(clean|safe|harmless|no access|nothing happened|not compromised|all clear)\b/i;

function run(unit: Investigation, records: readonly CloudTrailRecord[], artifact: string, isComplete = true) {
  const evidence = evidenceOf(records);
  const looked: Coverage = isComplete
    ? evidence.coverage()
    : { ...evidence.coverage(), complete: false, notLookedAt: ['eu-west-1'] };
  return unit.run(unit.target.parse({ artifact }), {
    evidence: { ...evidence, coverage: () => looked },
    aws: undefined,
    signal: new AbortController().signal,
    progress: () => undefined,
    now: () => new Date('2026-11-20T23:00:00Z'),
  });
}

const artifacts: Readonly<Record<string, readonly string[]>> = {
  who: [
    pipelineArn,
    'arn:aws:iam::999999999999:role/Web',
    'arn:aws:iam::999999999999:root',
    'arn:aws:sts::999999999999:assumed-role/Web/i-0ba42452619fc4500',
    'arn:aws:sts::999999999999:federated-user/somebody',
  ],
  key: ['AKIAIOSFODNN7EXAMPLE', 'ASIAIOSFODNN7EXAMPLE', 'AKIAQNZGKIQY56JQ7WML'],
  instance: ['i-0ba42452619fc4500'],
  ip: ['203.0.113.99', '2001:db8::1', '10.0.0.1'],
  'data-access': ['arn:aws:s3:::bucket', 'bucket', 'arn:aws:secretsmanager:us-east-1:999999999999:secret:db-AbCdEf'],
};
const usual = [
  pipelineArn,
  'AKIAIOSFODNN7EXAMPLE',
  'ASIAIOSFODNN7EXAMPLE',
  '203.0.113.99',
  'i-0ba42452619fc4500',
  '999999999999',
  'arn:aws:iam::999999999999:role/Web',
  'arn:aws:sts::999999999999:assumed-role/Web/i-0ba42452619fc4500',
  'ec2.amazonaws.com',
  '00000000-0000-4000-8000-000000000001',
];

const word = fc.oneof(
  fc.constantFrom(...usual, '', '=cmd', '"]; x', '<!channel>', '\u202e', 'a'.repeat(3_000), 'constructor', '__proto__'),
  fc.string({ maxLength: 20 }),
);
const body = fc.option(
  fc.dictionary(
    fc.constantFrom(
      'userName',
      'roleArn',
      'credentials',
      'accessKey',
      'secretId',
      'names',
      'bucketName',
      'key',
      'instancesSet',
      'durationSeconds',
      'policyArn',
      'ConsoleLogin',
      'federatedUser',
      'assumedRoleUser',
      'encryptionContext',
    ),
    fc.oneof(word, fc.jsonValue(), fc.record({ accessKeyId: word, expiration: word, arn: word, userName: word })),
  ),
);
const raw = fc.record(
  {
    eventID: word,
    eventTime: fc.constantFrom('2026-11-20T22:00:00Z', '2026-11-20T22:05:00Z', '2026-11-19T01:00:00Z'),
    eventName: fc.constantFrom(
      'AssumeRole',
      'GetSessionToken',
      'GetFederationToken',
      'AssumeRoot',
      'GetSecretValue',
      'GetParameters',
      'Decrypt',
      'ConsoleLogin',
      'CreateAccessKey',
      'UpdateLoginProfile',
      'AttachUserPolicy',
      'RunInstances',
      'GetObject',
      'constructor',
    ),
    eventSource: fc.constantFrom(
      'sts.amazonaws.com',
      'iam.amazonaws.com',
      'secretsmanager.amazonaws.com',
      'ssm.amazonaws.com',
      'kms.amazonaws.com',
      's3.amazonaws.com',
      'signin.amazonaws.com',
      'ec2.amazonaws.com',
    ),
    awsRegion: fc.constantFrom('us-east-1', 'cn-north-1', ''),
    sourceIPAddress: word,
    userAgent: word,
    errorCode: fc.option(fc.constantFrom('AccessDenied', 'Throttling')),
    recipientAccountId: fc.constantFrom('999999999999', ''),
    userIdentity: fc.record(
      {
        type: fc.constantFrom('IAMUser', 'AssumedRole', 'Root', 'AWSService', 'AWSAccount', 'FederatedUser'),
        arn: fc.constantFrom(...usual),
        accountId: fc.constantFrom('999999999999', '111122223333'),
        accessKeyId: word,
        userName: word,
        sessionContext: fc.jsonValue(),
      },
      { requiredKeys: ['type'] },
    ),
    requestParameters: body,
    responseElements: body,
    additionalEventData: body,
    resources: fc.jsonValue(),
  },
  { requiredKeys: ['eventTime', 'eventName', 'eventSource'] },
);

describe.each(units.map((unit) => [unit.name, unit] as const))('%s', (name, unit) => {
  const asked = artifacts[name] ?? usual;

  it('answers whatever the records hold, in words, in JSON and in every file', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(raw, { maxLength: 12 }), fc.constantFrom(...asked), async (raws, artifact) => {
        const records = raws.flatMap((one) => {
          const parsed = parseRecord(one);
          return parsed.ok ? [parsed.record] : [];
        });

        const report = await run(unit, records, artifact);

        expect(report.headline).toMatch(/^\S[\s\S]*\.$/);
        expect(plainText(reportMessage(report))).not.toMatch(reassuring);
        expect(JSON.parse(JSON.stringify(report.answer))).toHaveProperty('coverage');
        for (const file of report.files ?? []) expect(file.text()).toBeTypeOf('string');
      }),
      { numRuns: 60 },
    );
  });

  it('answers where objects stand in the place of numbers and flags', async () => {
    const odd = { toString: 'x', valueOf: 'x' };
    const call = (eventSource: string, eventName: string, more: Raw) =>
      record({ eventSource, eventName, userIdentity: user('pipeline'), ...more });
    const records = [
      call('sts.amazonaws.com', 'GetSessionToken', {
        requestParameters: { durationSeconds: odd },
        responseElements: { credentials: { accessKeyId: 'ASIAIOSFODNN7EXAMPLE', expiration: odd } },
      }),
      call('ssm.amazonaws.com', 'GetParameter', { requestParameters: { name: 'db', withDecryption: odd } }),
      call('apigateway.amazonaws.com', 'GetApiKeys', { requestParameters: { includeValues: odd } }),
      call('s3.amazonaws.com', 'GetObject', {
        requestParameters: { bucketName: 'bucket', key: 'a' },
        additionalEventData: { bytesTransferredOut: odd },
      }),
      call('s3.amazonaws.com', 'GetBucketAcl', { errorCode: 'AccessDenied', sessionCredentialFromConsole: odd }),
    ];

    for (const artifact of asked) {
      expect((await run(unit, records, artifact)).headline).toMatch(/^\S[\s\S]*\.$/);
    }
  });

  it('says with nothing found and not all looked at that not all was looked at, and reassures nobody', async () => {
    for (const artifact of asked) {
      const report = await run(unit, [], artifact, false);

      expect(report.headline).toMatch(/not everything (could|can) be looked at/);
      expect(report.headline).not.toMatch(reassuring);
      expect(report.coverage.complete).toBe(false);
      expect(report.answer).toMatchObject({ coverage: { complete: false } });
    }
  });
});

describe('the mining story', () => {
  it('has its creator, its timeline and no session', async () => {
    const story = miningStory();
    const [made, told, minted] = await Promise.all(
      [whoCreated, timeline, sessions].map((unit: Investigation) =>
        run(unit, story, unit === whoCreated ? 'i-0ba42452619fc4500' : pipelineArn),
      ),
    );

    expect(made?.headline).toMatch(
      /^User pipeline created i-0ba42452619fc4500 at .* by RunInstances from 203\.0\.113\.99 with key AKIAIOSFODNN7EXAMPLE\.$/,
    );
    expect(told?.headline).toContain('is in 10 events');
    expect(minted?.headline).toBe('No session minted from user pipeline was found in what was looked at.');
  });
});

describe('the way in', () => {
  it('is looked for at the start of the chain, in another account too', async () => {
    const key = 'AKIAMALLORY222222222';
    const deploy = 'arn:aws:sts::999999999999:assumed-role/Deploy/ops';
    const [first, second] = ['ASIACHAIN1CHAIN12345', 'ASIACHAIN2CHAIN23456'];
    const assume = (role: string, name: string, minted: string, more: Raw) =>
      record({
        eventSource: 'sts.amazonaws.com',
        eventName: 'AssumeRole',
        requestParameters: { roleArn: `arn:aws:iam::999999999999:role/${role}`, roleSessionName: name },
        responseElements: {
          credentials: { accessKeyId: minted },
          assumedRoleUser: { arn: `arn:aws:sts::999999999999:assumed-role/${role}/${name}` },
        },
        ...more,
      });
    const records = [
      record({
        eventSource: 'iam.amazonaws.com',
        eventName: 'CreateAccessKey',
        userIdentity: user('thief'),
        sourceIPAddress: '203.0.113.66',
        requestParameters: { userName: 'mallory' },
        responseElements: { accessKey: { accessKeyId: key, userName: 'mallory' } },
      }),
      assume('Deploy', 'ops', first, {
        userIdentity: user('mallory', '999999999999', key),
        sourceIPAddress: '203.0.113.9',
      }),
      assume('Admin', 'x', second, { userIdentity: session('Deploy', 'ops', '999999999999', first) }),
      record({ eventName: 'RunInstances', userIdentity: session('Admin', 'x', '999999999999', second) }),
    ];

    const { answer } = await run(entry, records, second);

    expect(answer).toMatchObject({ ways: [{ kind: 'key-handed-over', sure: 'strong', credential: key }] });
    expect(JSON.stringify(answer)).toContain(deploy);
  });
});

describe('access to data', () => {
  it('counts a call across accounts once, by the copy that names its caller, and suggests only what can be asked', async () => {
    const get = (userIdentity: Raw, recipientAccountId: string, more: Raw = {}) =>
      record({
        eventSource: 's3.amazonaws.com',
        eventName: 'GetObject',
        eventTime: '2026-11-20T22:00:00Z',
        eventCategory: 'Data',
        readOnly: true,
        userIdentity,
        recipientAccountId,
        requestParameters: { bucketName: 'bucket', key: 'a' },
        ...more,
      });
    const mallory = user('mallory', '111122223333');
    const records = [
      get({ type: 'AWSAccount', principalId: 'AIDAMALLORY', accountId: '111122223333' }, '999999999999', {
        sharedEventID: 's',
      }),
      get(mallory, '111122223333', { sharedEventID: 's' }),
      get({ type: 'AWSAccount', principalId: '', accountId: 'ANONYMOUS_PRINCIPAL' }, '999999999999'),
    ];

    const { answer, next } = await run(dataAccess, records, 'arn:aws:s3:::bucket');

    expect(answer).toMatchObject({
      accesses: [
        { principal: mallory.arn, times: 1 },
        { principal: 'ANONYMOUS_PRINCIPAL', times: 1 },
      ],
    });
    expect(next).toEqual([`/ir pivot ${String(mallory.arn)}`]);
  });
});

describe('what the store keeps', () => {
  it('is the answer, or how to have it again where it is too long', async () => {
    const { answer, headline, coverage: looked } = await run(timeline, miningStory(3), pipelineArn);

    expect(storable(answer, headline, looked)).toBe(answer);
    expect(storable('x'.repeat(5_000_000), headline, looked)).toMatchObject({ headline, leftOut: expect.any(String) });
  });
});

describe('coverage', () => {
  it('says what it does not ask, and does not call that an answer', async () => {
    const report = await coverage.run(coverage.target.parse({}), {
      evidence: evidenceOf(miningStory(3)),
      aws: undefined,
      signal: new AbortController().signal,
      progress: () => undefined,
      now: () => new Date('2026-11-20T23:00:00Z'),
    });

    expect(report.headline).toContain('every source of CloudTrail records answers');
    expect(plainText({ text: report.headline, parts: report.parts })).toMatch(
      /Not asked here: +VPC flow logs \(\/ir flows\)/,
    );
  });

  it('tells of the logs at hand where AWS does not say which accounts there are', async () => {
    const aws = {
      accounts: () =>
        Promise.reject(
          new UpstreamError('aws', 'ExpiredToken', 'AWS does not say who we are: ExpiredToken', { retryable: false }),
        ),
    } as unknown as NonNullable<InvestigationContext['aws']>;

    const report = await coverage.run(coverage.target.parse({}), {
      evidence: evidenceOf(miningStory(3)),
      aws,
      signal: new AbortController().signal,
      progress: () => undefined,
      now: () => new Date('2026-11-20T23:00:00Z'),
    });

    expect(report.headline).toContain('1 account');
    expect(report.headline).toContain('not everything can be looked at');
    expect(report.coverage).toMatchObject({
      complete: false,
      notLookedAt: ['which accounts there are: AWS does not say who we are: ExpiredToken'],
    });
  });
});

it('looks for the way into the user of today, not into an earlier one of the same name', async () => {
  const dave = (userId: string) => ({ ...user('dave'), principalId: userId, accessKeyId: 'ASIADAVEDAVEDAVEDAVE' });
  const create = (day: string, userId: string) =>
    record({
      eventName: 'CreateUser',
      eventSource: 'iam.amazonaws.com',
      eventTime: `2026-11-${day}T10:00:00Z`,
      userIdentity: user('alice'),
      requestParameters: { userName: 'dave' },
      responseElements: { user: { userName: 'dave', userId, arn: user('dave').arn } },
    });
  const password = (day: string, by: string) =>
    record({
      eventName: 'CreateLoginProfile',
      eventSource: 'iam.amazonaws.com',
      eventTime: `2026-11-${day}T10:00:05Z`,
      userIdentity: user(by),
      requestParameters: { userName: 'dave' },
    });
  const call = (day: string, userId: string) =>
    record({ eventName: 'ListUsers', eventTime: `2026-11-${day}T11:00:00Z`, userIdentity: dave(userId) });
  const early = [create('10', 'AIDADAVEOLD'), password('10', 'bob'), call('11', 'AIDADAVEOLD')];
  const late = [create('18', 'AIDADAVENEW'), password('18', 'mallory'), call('19', 'AIDADAVENEW')];

  const report = await run(entry, [...early, ...late], String(user('dave').arn));
  const words = JSON.stringify(report.parts);

  expect(words).toContain('user mallory made a console password');
  expect(words).not.toContain('user bob');
  expect(words).toContain('made again under this name at 2026-11-18 10:00 UTC');
  expect(JSON.stringify((await run(entry, early, String(user('dave').arn))).parts)).toContain('user bob');
});

it('does not say of what was made a moment ago that it made no call for days', async () => {
  const key = 'AKIADAVEDAVEDAVEDAVE';
  const made = record({
    eventName: 'CreateAccessKey',
    eventSource: 'iam.amazonaws.com',
    eventTime: '2026-11-20T20:00:00Z',
    userIdentity: user('alice'),
    requestParameters: { userName: 'dave' },
    responseElements: { accessKey: { accessKeyId: key, userName: 'dave', status: 'Active' } },
  });
  const used = record({
    eventName: 'ListUsers',
    eventTime: '2026-11-20T21:00:00Z',
    sourceIPAddress: '203.0.113.99',
    userIdentity: user('dave', '999999999999', key),
  });
  const first = async (records: readonly CloudTrailRecord[]) => {
    const evidence = evidenceOf(records);
    const early = { ...evidence, coverage: () => ({ ...evidence.coverage(), from: '2026-11-10T00:00:00Z' }) };
    const report = await entry.run(entry.target.parse({ artifact: key }), {
      evidence: early,
      aws: undefined,
      signal: new AbortController().signal,
      progress: () => undefined,
      now: () => new Date('2026-11-20T23:00:00Z'),
    });
    return report.answer.ways.filter((way) => way.kind === 'first-use' && way.credential === key).length;
  };

  expect(await first([used])).toBe(1);
  expect(await first([made, used])).toBe(0);
});
