/**
 * What is imported again and again without anybody asking: the `imports[]` of the config file, and the notes by which AWS tells
 * of new log files (an S3 event, straight, through SNS or EventBridge, or CloudTrail's own note to an SNS topic).
 */
import { z } from 'zod';
import { QueueEntry } from './queue-entry.ts';

const Account = z.string().regex(/^\d{12}$/, 'is not a 12-digit account id');

export const ImportEntry = z.strictObject({
  /** Where the trail delivers to. */
  place: z.string().regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/.*)?$/s, 'is no address as s3://bucket/prefix'),
  /** A queue that tells of new objects: for this entry alone, since what it tells of other places is dropped. */
  queue: QueueEntry.optional(),
  /** How often the place is listed, which finds what no note told of and vouches for the time up to then. */
  everyMinutes: z
    .number()
    .int()
    .min(1)
    .max(24 * 60)
    .default(60),
  /** How far back. */
  days: z.number().int().min(1).max(3650).default(90),
  accounts: z.array(Account).optional(),
  regions: z.array(z.string().regex(/^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/, 'is not a Region name')).optional(),
});
export type ImportEntry = z.output<typeof ImportEntry>;

export interface AnnouncedObject {
  readonly bucket: string;
  readonly key: string;
  /** Bytes; absent where the note does not say. */
  readonly size?: number;
  /** With quotes, as a listing gives it. */
  readonly etag?: string;
}

const S3Event = z.object({
  Records: z.array(
    z.object({
      eventSource: z.literal('aws:s3'),
      eventName: z.string(),
      s3: z.object({
        bucket: z.object({ name: z.string() }),
        object: z.object({ key: z.string(), size: z.number().optional(), eTag: z.string().optional() }),
      }),
    }),
  ),
});
const BridgeEvent = z.object({
  source: z.literal('aws.s3'),
  'detail-type': z.string(),
  detail: z.object({
    bucket: z.object({ name: z.string() }),
    object: z.object({ key: z.string(), size: z.number().optional(), etag: z.string().optional() }),
  }),
});
const TrailNote = z.object({ s3Bucket: z.string(), s3ObjectKey: z.array(z.string()) });
const TestEvent = z.object({ Event: z.literal('s3:TestEvent') });
const Envelope = z.object({ Message: z.string() });

/** SNS in an SQS body, and no deeper. */
const maxLayers = 3;

/** The objects that a message tells of; none where it tells of something else about them. Undefined: nothing that we know. */
export function announcedIn(body: string, layer = 0): readonly AnnouncedObject[] | undefined {
  const value = jsonOf(body);
  const s3 = S3Event.safeParse(value);
  if (s3.success) {
    return s3.data.Records.filter(({ eventName }) => eventName.includes('ObjectCreated')).map(
      ({ s3: { bucket, object } }) => ({
        bucket: bucket.name,
        key: decoded(object.key),
        ...sized(object.size, object.eTag),
      }),
    );
  }
  const bridge = BridgeEvent.safeParse(value);
  if (bridge.success) {
    const { bucket, object } = bridge.data.detail;
    if (bridge.data['detail-type'] !== 'Object Created') return [];
    return [{ bucket: bucket.name, key: object.key, ...sized(object.size, object.etag) }];
  }
  const trail = TrailNote.safeParse(value);
  if (trail.success) return trail.data.s3ObjectKey.map((key) => ({ bucket: trail.data.s3Bucket, key }));
  if (TestEvent.safeParse(value).success) return [];
  const envelope = Envelope.safeParse(value);
  return envelope.success && layer < maxLayers ? announcedIn(envelope.data.Message, layer + 1) : undefined;
}

function sized(size: number | undefined, etag: string | undefined): Pick<AnnouncedObject, 'size' | 'etag'> {
  return {
    ...(size === undefined ? {} : { size }),
    ...(etag ? { etag: `"${etag.replaceAll('"', '')}"` } : {}),
  };
}

/** S3's own events write keys as forms do: `+` for a space. A key that is not so written is taken as it stands. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch (error) {
    if (error instanceof URIError) return key;
    throw error;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
