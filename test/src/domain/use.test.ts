import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import { useOver } from '../../../src/domain/use.ts';

const now = new Date('2026-11-20T22:00:00Z');
const target = { kind: 'accessKey', id: 'AKIAIOSFODNN7EXAMPLE' } as const;

function call(daysAgo: number, more: Partial<CloudTrailRecord> = {}): CloudTrailRecord {
  return {
    eventID: `e-${daysAgo}`,
    eventTime: new Date(now.getTime() - daysAgo * 86_400_000).toISOString(),
    eventName: 'ListBuckets',
    eventSource: 's3.amazonaws.com',
    awsRegion: 'us-east-1',
    sourceIPAddress: '198.51.100.7',
    userAgent: 'Boto3/1.34',
    userIdentity: { accessKeyId: target.id },
    ...more,
  };
}

describe('the use of a target', () => {
  it('is counted over 7, 30 and 90 days, and shown by place for the shortest in which there was any', () => {
    const records = [call(1), call(6.9), call(7.1), call(29), call(31, { sourceIPAddress: '203.0.113.5' }), call(89)];

    expect(useOver(records, target, now)).toEqual([
      '2 calls by it in 7 days, 4 in 30 days, 6 in 90 days, from 2 addresses',
      expect.stringContaining('2 calls from 198.51.100.7, Boto3/1.34: s3:ListBuckets ×2'),
    ]);
    expect(useOver([call(60)], target, now)).toEqual([
      '0 calls by it in 7 days, 0 in 30 days, 1 in 90 days, from 1 address',
      expect.stringContaining('1 call from 198.51.100.7'),
    ]);
  });

  it('is not what others did about it', () => {
    const reader = call(0.1, {
      eventName: 'GetAccessKeyLastUsed',
      userIdentity: { accessKeyId: 'ASIAIOSFODNN7EXAMPLE' },
    });

    expect(useOver([reader], target, now)).toEqual(['0 calls by it in 7 days, 0 in 30 days, 0 in 90 days']);
  });
});
