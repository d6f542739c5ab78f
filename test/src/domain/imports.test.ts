import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { announcedIn, ImportEntry } from '../../../src/domain/imports.ts';

const key = 'AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/20/a b+c.json.gz';
const s3Event = (name: string) => ({
  Records: [
    {
      eventVersion: '2.1',
      eventSource: 'aws:s3',
      eventName: name,
      s3: {
        bucket: { name: 'trail' },
        object: { key: encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+'), size: 12, eTag: 'abc' },
      },
    },
  ],
});
const told = { bucket: 'trail', key, size: 12, etag: '"abc"' };

describe('notes of new log files', () => {
  it('are read straight from S3, through SNS, from EventBridge, and from CloudTrail itself', () => {
    const straight = JSON.stringify(s3Event('ObjectCreated:Put'));
    expect(announcedIn(straight)).toEqual([told]);
    expect(announcedIn(JSON.stringify({ Type: 'Notification', TopicArn: 'arn:x', Message: straight }))).toEqual([told]);
    const bridge = {
      source: 'aws.s3',
      'detail-type': 'Object Created',
      detail: { bucket: { name: 'trail' }, object: { key, size: 12, etag: 'abc', 'version-id': 'v' } },
    };
    expect(announcedIn(JSON.stringify(bridge))).toEqual([told]);
    expect(announcedIn(JSON.stringify({ s3Bucket: 'trail', s3ObjectKey: [key, 'b'] }))).toEqual([
      { bucket: 'trail', key },
      { bucket: 'trail', key: 'b' },
    ]);
  });

  it('of tests and deletions tell of no object, and strange ones are not understood', () => {
    expect(announcedIn(JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'trail' }))).toEqual([]);
    expect(announcedIn(JSON.stringify(s3Event('ObjectRemoved:Delete')))).toEqual([]);
    for (const body of ['', 'null', '[]', '{"Records":[{"eventSource":"aws:sqs"}]}', '{"Message":"{"}', '{"a":1}'])
      expect(announcedIn(body), body).toBeUndefined();
  });

  it('never throw, whatever they hold', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (body) => void announcedIn(body)));
    const event = s3Event('ObjectCreated:Put');
    (event.Records[0] as { s3: { object: { key: string } } }).s3.object.key = '%zz+x';
    expect(announcedIn(JSON.stringify(event))?.[0]?.key).toBe('%zz+x');
  });
});

describe('an import of the config file', () => {
  it('needs the address of a bucket', () => {
    expect(ImportEntry.parse({ place: 's3://trail/AWSLogs/' })).toMatchObject({ everyMinutes: 60, days: 90 });
    for (const place of ['/var/logs', 's3://Bad_Bucket', 's3:/x'])
      expect(ImportEntry.safeParse({ place }).success).toBe(false);
  });
});
