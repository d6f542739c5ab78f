/** Random records for the tests of sources. */
import fc from 'fast-check';
import { sample, sessionSample } from '../samples.ts';

/** Records as odd as exports make them. */
export const oddRecord = fc
  .record({
    base: fc.constantFrom('user', 'session'),
    user: fc.constantFrom('alice', 'Bob', "o'brien", 'a"b', 'zoë', 'x/y', 'root'),
    ip: fc.constantFrom(
      '198.51.100.7',
      '2001:DB8::1',
      '2001:db8:0:0::1',
      '01.2.3.4',
      'AWS Internal',
      'ec2.amazonaws.com',
      '',
    ),
    at: fc.constantFrom(
      '2026-11-20T12:00:00Z',
      '2026-11-20T12:00:00.500Z',
      '2026-11-20 12:00:00',
      1_789_000_000,
      '2026-02-31T00:00:00Z',
      undefined,
    ),
    id: fc.constantFrom(
      '11111111-1111-4111-8111-111111111111',
      '22222222-2222-4222-8222-22222222222A',
      '1',
      'a "quoted" id',
      undefined,
    ),
    region: fc.constantFrom('eu-west-1', '', null, 7),
    account: fc.constantFrom('111122223333', 11_122_223_333, undefined, ''),
    request: fc.oneof(
      fc.constantFrom(
        null,
        { userName: 'alice' },
        { userName: 'ALICE', secretId: 'prod/db' },
        { password: 'hunter2', nested: { clientSecret: 'x', secretArn: 'arn:aws:x' } },
        { roleArn: 'arn:aws:iam::444455556666:role/team/ops', roleSessionName: 'pwn' },
        '{"userName":"alice","password":"hunter2"}',
        { bucketName: 'data', url: 'https://me:pw@host/x', key: '\u0000\ud800 \n' },
        { functionName: '111122223333:function:thumb:3', n: 1e21, m: 1.5, big: 2 ** 70 },
        { keyId: 'alias/main', instanceId: 'i-0123456789abcdef0', token: `FwoG${'A'.repeat(60)}` },
      ),
      fc.jsonValue(),
    ),
    extra: fc.constantFrom(
      {},
      { newField: { a: 1 } },
      { '@timestamp': '2026-11-20T11:00:00Z' },
      { apiVersion: null },
      { __proto__x: 1, errorCode: 5 },
    ),
  })
  .map(({ base, user, ip, at, id, region, account, request, extra }) => {
    const make = base === 'user' ? sample : sessionSample.bind(undefined, user.replaceAll('/', '-'));
    const record = make({ user, ip, extra: { requestParameters: request, ...extra } });
    const edited: Record<string, unknown> = {
      ...record,
      awsRegion: region,
      eventTime: at,
      eventID: id,
      recipientAccountId: account,
    };
    for (const key of ['eventTime', 'eventID', 'recipientAccountId']) if (edited[key] === undefined) delete edited[key];
    return edited;
  });
