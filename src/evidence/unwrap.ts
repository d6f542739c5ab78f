/** Finds the CloudTrail records in a JSON value, whatever envelope they came in. */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { parseRecord } from '../domain/record.ts';

export interface UnwrapSink {
  record(record: CloudTrailRecord): void;
  /** A CloudTrail digest file (DOMAIN.md 3.10): hashes of log files, no records. */
  digest(): void;
  /** JSON that is not CloudTrail. */
  other(): void;
  /** Looks like a record, but lacks something. */
  nearly(reason: string): void;
}

/**
 * Keys that hold a record, a list of them or one as JSON text: EventBridge (`detail`), LookupEvents (`CloudTrailEvent`),
 * CloudWatch Logs (`message`, `@message`, `logEvents`), SNS and SQS (`Message`, `body`), search engines (`_source`, `_raw`).
 */
const envelopes = [
  'detail',
  'CloudTrailEvent',
  'message',
  '@message',
  'Message',
  'body',
  'Body',
  'event',
  '_source',
  '_raw',
  'json',
  'Records',
  'records',
  'Events',
  'events',
  'logEvents',
] as const;

/** Envelopes nest: an SQS body with an SNS message with an EventBridge event. */
const maxLayers = 6;

/** Hands every record in the value to the sink; never throws. */
export function unwrap(value: unknown, sink: UnwrapSink, layer = 0): void {
  if (layer > maxLayers) sink.other();
  else if (typeof value === 'string') unwrapText(value, sink, layer);
  else if (Array.isArray(value)) for (const item of value) unwrap(item, sink, layer + 1);
  else if (typeof value === 'object' && value !== null) unwrapObject(value as Outer, sink, layer);
  else sink.other();
}

type Outer = Readonly<Record<string, unknown>>;

function unwrapText(text: string, sink: UnwrapSink, layer: number): void {
  const parsed = holdsJson(text) ? jsonOf(text) : undefined;
  if (parsed === undefined) sink.other();
  else unwrap(parsed, sink, layer + 1);
}

function unwrapObject(outer: Outer, sink: UnwrapSink, layer: number): void {
  const parsed = parseRecord(outer);
  const key = envelopes.find((name) => Object.hasOwn(outer, name) && holdsJson(outer[name]));
  if (parsed.ok) sink.record(parsed.record);
  else if (parsed.near) sink.nearly(parsed.reason);
  else if ('digestStartTime' in outer && 'logFiles' in outer) sink.digest();
  else if (key === undefined) sink.other();
  else unwrap(outer[key], sink, layer + 1);
}

function holdsJson(value: unknown): boolean {
  return typeof value === 'string' ? /^\s*[[{]/.test(value) : typeof value === 'object' && value !== null;
}

/** The value, or undefined where the text is not JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
