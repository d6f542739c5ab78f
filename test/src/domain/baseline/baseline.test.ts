import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AddressBook } from '../../../../src/contracts/address.ts';
import type { CloudTrailRecord } from '../../../../src/contracts/cloudtrail.ts';
import { Baseline } from '../../../../src/domain/baseline/baseline.ts';
import { parseRecord } from '../../../../src/domain/record.ts';

const day = 86_400_000;
const hour = 3_600_000;
const start = Date.UTC(2026, 6, 1, 9);
let numbers = 0;

/** 203.0.113.x is at home, 198.51.100.x abroad. */
const addresses: AddressBook = {
  lookUp: (ip) => {
    const country = ip.startsWith('203.0.113.') ? 'DE' : ip.startsWith('198.51.100.') ? 'BR' : undefined;
    const asn = country === undefined ? undefined : country === 'DE' ? 'AS1' : 'AS2';
    return { ip, range: 'public', country, asn, from: [] };
  },
};

function call(
  at: number,
  more: Readonly<Record<string, unknown>> = {},
  user = 'ada',
  key = 'AKIAIOSFODNN7EXAMPLE',
): CloudTrailRecord {
  numbers += 1;
  const parsed = parseRecord({
    eventTime: new Date(at).toISOString(),
    eventName: 'GetObject',
    eventSource: 's3.amazonaws.com',
    eventID: `e-${numbers}`,
    awsRegion: 'eu-west-1',
    sourceIPAddress: '203.0.113.7',
    userAgent: 'aws-cli/2.1',
    readOnly: true,
    userIdentity: {
      type: 'IAMUser',
      arn: `arn:aws:iam::111122223333:user/${user}`,
      accountId: '111122223333',
      accessKeyId: key,
      userName: user,
    },
    ...more,
  });
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.record;
}

/** Twenty days of the same work, at nine, ten and eleven. */
function usual(days = 20): CloudTrailRecord[] {
  return Array.from({ length: days * 3 }, (_, i) => call(start + Math.floor(i / 3) * day + (i % 3) * hour));
}

function found(records: readonly CloudTrailRecord[]): string[] {
  const baseline = new Baseline(addresses);
  for (const record of records) baseline.observe(record);
  return baseline
    .found()
    .map(({ rule }) => rule.replace('baseline-', ''))
    .sort();
}

const abroad = { sourceIPAddress: '198.51.100.9' };
const later = start + 20 * day;

describe('baselines', () => {
  it('say nothing of a principal that does what it always does', () => {
    expect(found(usual())).toEqual([]);
  });

  it.each([
    ['a Region', { awsRegion: 'sa-east-1' }, ['new-region']],
    ['a service', { eventSource: 'kms.amazonaws.com' }, ['new-service']],
    ['a tool', { userAgent: 'pacu/1.0' }, ['new-tool']],
    ['a place', abroad, ['new-country', 'new-network', 'several-firsts']],
    [
      'a place, changing something',
      { ...abroad, readOnly: false, eventName: 'PutBucketPolicy' },
      ['new-country', 'new-network', 'several-firsts-with-changes'],
    ],
    [
      'a place, only reading in the console',
      { ...abroad, userAgent: 'Mozilla/5.0', sessionCredentialFromConsole: 'true' },
      ['new-country', 'new-network', 'new-tool'],
    ],
  ])('find %s that was never seen before', (_what, more, expected) => {
    expect(found([...usual(), call(later, more)])).toEqual(expected);
  });

  it('find work at an hour far from its own, not one beside it', () => {
    expect(found([...usual(), call(later + 3 * hour)])).toEqual([]);
    expect(found([...usual(), call(later + 9 * hour)])).toEqual(['off-hours']);
  });

  it('learn for 14 days before anything is new, and tell how many are judged', () => {
    const young = [...usual(10), call(start + 11 * day, { awsRegion: 'sa-east-1' })];
    const baseline = new Baseline(addresses);
    for (const record of young) baseline.observe(record);

    expect(baseline.found()).toEqual([]);
    expect(baseline.history()).toEqual({
      from: new Date(start).toISOString(),
      to: new Date(start + 11 * day).toISOString(),
      principals: 1,
      judged: 0,
      countries: true,
    });
  });

  it('find one key in two countries within an hour, not in two', () => {
    const key = 'AKIAI44QH8DHBEXAMPLE';
    const at = (ms: number, more = {}) => call(start + ms, more, 'bob', key);
    expect(found([at(0), at(40 * 60_000, abroad)])).toEqual(['impossible-travel']);
    expect(found([at(0), at(50 * 60_000), at(2 * hour, abroad)])).toEqual([]);
  });

  it('find a key that awakes after 90 days', () => {
    expect(found([call(start), call(start + 89 * day)])).toEqual([]);
    expect(found([call(start), call(start + 92 * day)])).toEqual(['dormant-key']);
  });

  it('find a new key that is used from elsewhere within ten minutes', () => {
    const made = call(start, {
      eventName: 'CreateAccessKey',
      readOnly: false,
      responseElements: { accessKey: { accessKeyId: 'AKIAI44QH8DHBEXAMPLE', userName: 'x' } },
    });
    const use = (ms: number, ip: string) => call(start + ms, { sourceIPAddress: ip }, 'x', 'AKIAI44QH8DHBEXAMPLE');
    expect(found([made, use(5 * 60_000, '203.0.113.99')])).toEqual(['new-key-elsewhere']);
    expect(found([made, use(5 * 60_000, '203.0.113.7')])).toEqual([]);
    expect(found([made, use(11 * 60_000, '203.0.113.99')])).toEqual([]);
  });

  it("find an instance's credentials at a second public address, and not behind addresses of its own network", () => {
    const session = (ip: string) =>
      call(start, {
        sourceIPAddress: ip,
        userIdentity: {
          type: 'AssumedRole',
          arn: 'arn:aws:sts::111122223333:assumed-role/web/i-0123456789abcdef0',
          accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
          sessionContext: {
            sessionIssuer: { type: 'Role', arn: 'arn:aws:iam::111122223333:role/web', userName: 'web' },
          },
        },
      });
    expect(found([session('203.0.113.7'), session('198.51.100.9')])).toEqual(['instance-credentials-outside']);
    expect(found([session('203.0.113.7'), session('10.0.0.9'), session('ec2.amazonaws.com')])).toEqual([]);
  });

  it('find many Regions within ten minutes, graver where something is changed, and not where it is a habit', () => {
    const regions = ['eu-west-1', 'eu-west-2', 'us-east-1', 'us-west-2', 'sa-east-1'];
    const round = (at: number, readOnly: boolean) =>
      regions.map((awsRegion, i) =>
        call(at + i * 1_000, { awsRegion, readOnly, eventName: readOnly ? 'DescribeInstances' : 'RunInstances' }),
      );
    expect(found(round(start, true))).toEqual(['region-fan-out']);
    expect(found(round(start, false))).toEqual(['region-fan-out-with-changes']);
    expect(found(round(start, true).slice(1))).toEqual([]);
    expect(found([0, 1, 2, 3].flatMap((n) => round(start + n * day, true)))).toEqual([]);
  });

  it('find twenty different reading calls within ten minutes, but not of a person in the console', () => {
    const look = (more = {}) =>
      Array.from({ length: 20 }, (_, i) =>
        call(start + i * 1_000, { eventName: `List${'ABCDEFGHIJKLMNOPQRST'[i]}`, ...more }),
      );
    expect(found(look())).toEqual(['enumeration']);
    expect(found(look({ userAgent: 'Mozilla/5.0' }))).toEqual([]);
    expect(found(look().slice(1))).toEqual([]);
  });

  it('find refusals in a place that is new to the principal', () => {
    const refused = (ip: string) =>
      Array.from({ length: 5 }, (_, i) =>
        call(later + i * 1_000, { eventName: `Get${'ABCDE'[i]}`, errorCode: 'AccessDenied', sourceIPAddress: ip }),
      );
    expect(found([...usual(), ...refused('203.0.113.200')])).toEqual(['denied-in-new-place']);
    expect(found([...usual(), ...refused('203.0.113.7')])).toEqual([]);
  });

  it('find the same in whatever order the records come', () => {
    const records = [
      ...usual(),
      call(later, abroad),
      call(later + 10 * 60_000),
      call(later + 100 * day, { awsRegion: 'sa-east-1' }),
      ...Array.from({ length: 6 }, (_, i) => call(later + i, { awsRegion: `eu-north-${i}`, readOnly: false })),
    ];
    const expected = found(records);
    expect(expected.length).toBeGreaterThan(4);
    fc.assert(
      fc.property(fc.shuffledSubarray(records, { minLength: records.length }), (shuffled) => {
        expect(found(shuffled)).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  it('leave services out, and never fail for odd records', () => {
    const service = call(start, { userIdentity: { type: 'AWSService', invokedBy: 'ec2.amazonaws.com' } });
    const odd = [
      call(start, { userIdentity: null }),
      call(start, { userAgent: 5, sourceIPAddress: {}, responseElements: 'x', eventName: 'CreateAccessKey' }),
    ];
    expect(found([service, ...odd])).toEqual([]);
  });
});
