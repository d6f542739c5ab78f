import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import { canonicalText, compareRecords, parseRecord } from '../../../src/domain/record.ts';
import { removedMark } from '../../../src/domain/record-clean.ts';

const assumeRole = {
  eventVersion: '1.11',
  userIdentity: {
    type: 'IAMUser',
    arn: 'arn:aws:iam::111122223333:user/ci',
    accountId: '111122223333',
    accessKeyId: '',
  },
  eventTime: '2026-11-20T22:00:00Z',
  eventSource: 'sts.amazonaws.com',
  eventName: 'AssumeRole',
  awsRegion: 'us-east-1',
  sourceIPAddress: '198.51.100.7',
  userAgent: 'aws-cli/2.15.0',
  requestParameters: { roleArn: 'arn:aws:iam::111122223333:role/ops', roleSessionName: 'x' },
  responseElements: {
    credentials: {
      accessKeyId: 'ASIAQNZGKIQY56JQ7WML',
      sessionToken: `IQoJ${'b3JpZ2luX2Vj'.repeat(20)}`,
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    },
  },
  eventID: '3fcfb182-98f8-4744-bd45-10a395ab61cb',
  requestID: 'r-1',
  tlsDetails: { tlsVersion: 'TLSv1.3' },
};

function parsed(value: unknown): CloudTrailRecord {
  const result = parseRecord(value);
  if (!result.ok) throw new Error(`not a record: ${result.reason}`);
  return result.record;
}

describe('parseRecord', () => {
  it('keeps AWS field names, unknown fields and the caller', () => {
    const record = parsed(assumeRole);

    expect(record.eventName).toBe('AssumeRole');
    expect(record.userIdentity.arn).toBe('arn:aws:iam::111122223333:user/ci');
    expect(record.tlsDetails).toEqual({ tlsVersion: 'TLSv1.3' });
    expect(record.userIdentity).not.toHaveProperty('accessKeyId');
  });

  it('drops session tokens and secrets but keeps their keys', () => {
    const record = parsed(assumeRole);

    expect(record.responseElements?.credentials).toEqual({
      accessKeyId: 'ASIAQNZGKIQY56JQ7WML',
      sessionToken: removedMark,
      secretAccessKey: removedMark,
    });
    expect(JSON.stringify(record)).not.toContain('IQoJ');
    expect(assumeRole.responseElements.credentials.sessionToken).toContain('IQoJ');
  });

  it('drops secrets at any depth, also inside JSON text, and keeps what only names or describes one', () => {
    const record = parsed({
      ...assumeRole,
      requestParameters: {
        list: [{ masterUserPassword: 'hunter2', inner: { clientSecret: ['a', { deep: 'b' }] } }],
        secretId: 'prod/db',
        passwordResetRequired: true,
        secrets: [{ name: 'DB', valueFrom: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:db' }],
        passcodePassword: 1234,
        nextToken: 'page-2',
      },
      responseElements: '{"credentials":{"sessionToken":"abc"}}',
      errorMessage: `token IQoJ${'x'.repeat(80)} is bad`,
    });

    expect(record.requestParameters).toEqual({
      list: [{ masterUserPassword: removedMark, inner: { clientSecret: [removedMark, { deep: removedMark }] } }],
      secretId: 'prod/db',
      passwordResetRequired: true,
      secrets: [{ name: 'DB', valueFrom: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:db' }],
      passcodePassword: removedMark,
      nextToken: 'page-2',
    });
    expect(record.responseElements).toEqual({ credentials: { sessionToken: removedMark } });
    expect(record.errorMessage).not.toContain('xxxx');
  });

  it('drops values whose name stands in a field beside them, and no others', () => {
    const parsed = parseRecord({
      ...{ eventSource: 'codebuild.amazonaws.com', eventName: 'StartBuild', eventTime: '2026-11-20T12:00:00Z' },
      requestParameters: {
        environment: [
          { name: 'DB_PASSWORD', value: 'hunter2', type: 'PLAINTEXT' },
          { name: 'SecretArn', value: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:db' },
          { name: 'STAGE', value: 'prod' },
          { value: 'hunter4', type: 'PLAINTEXT', name: 'MAIL_PASSWORD' },
          { name: 'API_KEY', value: 'hunter5' },
          { name: 'GITHUB_TOKEN', value: 'hunter7' },
        ],
        apiKey: 'abcd1234ef',
        auth: { apiKeyName: 'x-api-key', apiKeyValue: 'hunter6' },
        secretIdList: ['prod/db', 'prod/mail'],
        tags: [{ key: 'ClientSecret', value: 'hunter3' }],
        filters: [{ name: 'password', values: ['kept'] }],
      },
    });
    expect(parsed).toMatchObject({
      record: {
        requestParameters: {
          environment: [
            { name: 'DB_PASSWORD', value: removedMark, type: 'PLAINTEXT' },
            { name: 'SecretArn', value: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:db' },
            { name: 'STAGE', value: 'prod' },
            { value: removedMark, type: 'PLAINTEXT', name: 'MAIL_PASSWORD' },
            { name: 'API_KEY', value: removedMark },
            { name: 'GITHUB_TOKEN', value: removedMark },
          ],
          apiKey: 'abcd1234ef',
          auth: { apiKeyName: 'x-api-key', apiKeyValue: removedMark },
          secretIdList: ['prod/db', 'prod/mail'],
          tags: [{ key: 'ClientSecret', value: removedMark }],
          filters: [{ name: 'password', values: ['kept'] }],
        },
      },
    });
  });

  it('drops secrets of resources that came as text, too', () => {
    const parsed = parseRecord({ ...assumeRole, resources: '[{"ARN":"arn:aws:x","password":"hunter2"}]' });
    expect(parsed.ok && parsed.record.resources).toEqual([{ ARN: 'arn:aws:x', password: removedMark }]);
  });

  it('keeps how a change of a password ended', () => {
    const responseElements = { PasswordUpdated: 'Failure', PasswordRecoveryRequested: 'Success' };

    expect(parsed({ ...assumeRole, responseElements }).responseElements).toEqual(responseElements);
  });

  it.each([
    ['2026-11-20T22:00:00Z', '2026-11-20T22:00:00Z'],
    ['2026-11-20T22:00:00.000Z', '2026-11-20T22:00:00Z'],
    ['2026-11-20T22:00:00.250Z', '2026-11-20T22:00:00.250Z'],
    ['2026-11-20T23:00:00+01:00', '2026-11-20T22:00:00Z'],
    ['2026-11-20 22:00:00.000000000', '2026-11-20T22:00:00Z'],
    [1795212000, '2026-11-20T22:00:00Z'],
    [1795212000000, '2026-11-20T22:00:00Z'],
    ['1795212000', '2026-11-20T22:00:00Z'],
  ])('reads the time %s as %s', (eventTime, expected) => {
    expect(parsed({ ...assumeRole, eventTime }).eventTime).toBe(expected);
  });

  it('takes @timestamp where eventTime is missing', () => {
    const { eventTime: _, ...without } = assumeRole;
    expect(parsed({ ...without, '@timestamp': '2020-09-14T00:44:23.000Z' }).eventTime).toBe('2020-09-14T00:44:23Z');
  });

  it.each(['2026-13-40T00:00:00Z', '2026-02-30T00:00:00Z', 'yesterday', '', -5, null, {}])(
    'refuses the time %j',
    (eventTime) => {
      expect(parseRecord({ ...assumeRole, eventTime })).toEqual({
        ok: false,
        reason: 'no readable eventTime',
        near: true,
      });
    },
  );

  it('accepts records that lack identity and address, as stripped exports have them', () => {
    const record = parsed({
      eventTime: '2023-04-26T14:53:28Z',
      eventSource: 'signin.amazonaws.com',
      eventName: 'ConsoleLogin',
      requestParameters: null,
      errorCode: null,
      errorMessage: '',
      readOnly: 'false',
      recipientAccountId: 11122223333,
    });

    expect(record).toMatchObject({
      userIdentity: {},
      sourceIPAddress: '',
      userAgent: '',
      awsRegion: '',
      readOnly: false,
    });
    expect(record.recipientAccountId).toBe('011122223333');
    expect(record).not.toHaveProperty('errorCode');
    expect(record).not.toHaveProperty('errorMessage');
    expect(record).not.toHaveProperty('requestParameters');
  });

  it('gives a record without an eventID a stable one of its content, whatever the order of its keys', () => {
    const { eventID: _, ...without } = assumeRole;
    const turned = Object.fromEntries(Object.entries(without).reverse());

    expect(parsed(without).eventID).toMatch(/^sha256-[0-9a-f]{32}$/);
    expect(parsed(turned).eventID).toBe(parsed(without).eventID);
    expect(parsed({ ...without, requestID: 'r-2' }).eventID).not.toBe(parsed(without).eventID);
  });

  it('tells records that lack something from JSON of another kind', () => {
    expect(parseRecord({ eventName: 'RunInstances' })).toMatchObject({ ok: false, near: true });
    expect(parseRecord({ name: 'package' })).toMatchObject({ ok: false, near: false });
    expect(parseRecord({ ...assumeRole, eventSource: 'aws:s3' })).toMatchObject({ ok: false, near: false });
    for (const other of [null, undefined, 1, 'x', [], true]) expect(parseRecord(other)).toMatchObject({ ok: false });
  });

  it('names Insights events by the call they are about', () => {
    const record = parsed({
      eventTime: '2019-11-14T00:51:00Z',
      eventType: 'AwsCloudTrailInsight',
      insightDetails: { eventSource: 'autoscaling.amazonaws.com', eventName: 'CompleteLifecycleAction' },
    });
    expect(record.eventName).toBe('CompleteLifecycleAction');
  });

  it('survives keys that are special in JavaScript without touching any prototype', () => {
    const hostile = JSON.parse(
      '{"eventName":"A","eventSource":"b","eventTime":"2026-11-20T22:00:00Z","requestParameters":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}',
    );
    const record = parsed(hostile);

    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(record.requestParameters)).toBe(Object.prototype);
    expect(Object.keys(record.requestParameters ?? {})).toEqual(['(__proto__)', 'constructor']);
  });

  it('cuts bottomless nesting and huge bodies instead of failing', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`);
    expect(JSON.stringify(parsed({ ...assumeRole, requestParameters: deep }))).toContain(removedMark);

    const round: Record<string, unknown> = {};
    round.left = round;
    round.right = round;
    expect(parsed({ ...assumeRole, requestParameters: round }).eventName).toBe('AssumeRole');
  });

  it('never throws and never keeps a token, whatever the value', () => {
    const token = `FwoGZXIvYXdzE${'Q'.repeat(60)}`;
    const field = fc.constantFrom(...Object.keys(assumeRole), 'resources', 'readOnly', '@timestamp', 'insightDetails');
    const value = fc.oneof(fc.jsonValue(), fc.anything(), fc.constant({ sessionToken: token }), fc.constant([token]));
    fc.assert(
      fc.property(fc.array(fc.tuple(field, value), { maxLength: 5 }), (changes) => {
        const mutated: Record<string, unknown> = { ...assumeRole };
        for (const [key, changed] of changes) mutated[key] = changed;
        const result = parseRecord(mutated);
        if (!result.ok) return result.reason !== '';
        expect(canonicalText(result.record)).not.toContain(token);
        expect(result.record.eventTime).toMatch(/^\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/);
        for (const text of [result.record.eventID, result.record.eventName, result.record.awsRegion])
          expect(text).toBeTypeOf('string');
        return typeof result.record.userIdentity === 'object';
      }),
      { numRuns: 500 },
    );
    fc.assert(fc.property(fc.anything(), (any) => typeof parseRecord(any).ok === 'boolean'));
  });

  it('parses what it parsed to the same record', () => {
    const once = parsed(assumeRole);
    expect(parsed(once)).toEqual(once);
  });
});

describe('compareRecords', () => {
  it('orders by time, with and without milliseconds, then id, then content', () => {
    const at = (eventTime: string, eventID: string, extra = '') => parsed({ ...assumeRole, eventTime, eventID, extra });
    const sorted = [
      at('2026-11-20T22:00:00Z', 'a', '1'),
      at('2026-11-20T22:00:00Z', 'a', '2'),
      at('2026-11-20T22:00:00Z', 'b'),
      at('2026-11-20T22:00:00.500Z', 'a'),
      at('2026-11-20T22:00:01Z', 'a'),
    ];
    expect([...sorted].reverse().sort(compareRecords)).toEqual(sorted);
  });
});
