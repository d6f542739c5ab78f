/** AWS CloudTrail: LookupEvents, with the limits that it really has. */
import { createHash } from 'node:crypto';
import { AwsError } from './errors.ts';
import type { Input } from './protocols.ts';
import { type Call, lowerCamel, type Outcome, objects, type Service, text } from './service.ts';
import type { HistoryEvent } from './trail.ts';
import { trailReads } from './trails.ts';

const historyMs = 90 * 24 * 3_600_000;
const pageSize = 50;

type Match = (event: HistoryEvent, value: string) => boolean;
/** Exact and case-sensitive, one at a time. */
const attributes: Readonly<Record<string, Match>> = {
  EventId: (event, value) => event.record.eventID === value,
  EventName: (event, value) => event.record.eventName === value,
  EventSource: (event, value) => event.record.eventSource === value,
  ReadOnly: (event, value) => String(event.record.readOnly) === value,
  Username: (event, value) => event.userName === value,
  AccessKeyId: (event, value) => event.accessKeyId === value,
  ResourceType: (event, value) => event.resources.some((resource) => resource.ResourceType === value),
  ResourceName: (event, value) => event.resources.some((resource) => resource.ResourceName === value),
};

function refuse(code: string, message: string): AwsError {
  return new AwsError(code, 400, message);
}

interface Question {
  readonly fromMs: number;
  readonly toMs: number;
  readonly match: (event: HistoryEvent) => boolean;
  readonly size: number;
  /** The last event of the page before. */
  readonly after: { readonly timeMs: number; readonly sequence: number } | undefined;
  readonly fingerprint: string;
}

function readAttribute(input: Input): (event: HistoryEvent) => boolean {
  const wanted = objects(input, 'LookupAttributes');
  if (wanted.length > 1) throw refuse('InvalidLookupAttributesException', 'You can specify only one lookup attribute.');
  const [first] = wanted;
  if (first === undefined) return () => true;
  const value = text(first, 'AttributeValue') ?? '';
  const match = attributes[text(first, 'AttributeKey') ?? ''];
  if (match === undefined || value.length < 1 || value.length > 2000) {
    throw refuse('InvalidLookupAttributesException', 'The lookup attribute is not valid.');
  }
  return (event) => match(event, value);
}

function instant(input: Input, name: string): number | undefined {
  const value = input[name];
  return typeof value === 'number' ? value * 1000 : undefined;
}

function readToken(token: string | undefined, fingerprint: string): Question['after'] {
  if (token === undefined) return undefined;
  const [print, timeMs, sequence] = Buffer.from(token, 'base64url').toString().split('/');
  if (print !== fingerprint || !/^\d+$/.test(timeMs ?? '') || !/^\d+$/.test(sequence ?? '')) {
    throw refuse('InvalidNextTokenException', 'The NextToken is not valid: it must be used with the same parameters.');
  }
  return { timeMs: Number(timeMs), sequence: Number(sequence) };
}

function readQuestion(call: Call): Question {
  const { input } = call;
  const size = input.MaxResults === undefined ? pageSize : Number(input.MaxResults);
  if (!Number.isInteger(size) || size < 1 || size > pageSize) {
    throw refuse('InvalidMaxResultsException', 'MaxResults must be between 1 and 50.');
  }
  if (input.EventCategory !== undefined && input.EventCategory !== 'insight') {
    throw refuse('InvalidEventCategoryException', 'The only valid event category is insight.');
  }
  const nowMs = call.now.getTime();
  const toMs = instant(input, 'EndTime') ?? nowMs;
  const fromMs = instant(input, 'StartTime') ?? nowMs - historyMs;
  if (fromMs > toMs) throw refuse('InvalidTimeRangeException', 'The start time must not be after the end time.');
  const { NextToken: token, ...rest } = input;
  const bound = JSON.stringify([call.principal.account.id, call.region, Object.entries(rest).sort()]);
  const fingerprint = createHash('sha256').update(bound).digest('hex').slice(0, 24);
  const attribute = readAttribute(input);
  return {
    fromMs: Math.max(fromMs, nowMs - historyMs),
    toMs,
    // Insights are events of another kind, of which this world has none.
    match: input.EventCategory === undefined ? attribute : () => false,
    size,
    after: readToken(typeof token === 'string' ? token : undefined, fingerprint),
    fingerprint,
  };
}

function shown(event: HistoryEvent) {
  const { record } = event;
  return {
    EventId: record.eventID,
    EventName: record.eventName,
    ReadOnly: String(record.readOnly),
    AccessKeyId: event.accessKeyId,
    EventTime: event.timeMs / 1000,
    EventSource: record.eventSource,
    Username: event.userName,
    Resources: event.resources,
    CloudTrailEvent: JSON.stringify(record),
  };
}

function lookupEvents(call: Call): Outcome {
  call.may('cloudtrail:LookupEvents');
  const { fromMs, toMs, match, size, after, fingerprint } = readQuestion(call);
  const nowMs = call.now.getTime();
  const found: HistoryEvent[] = [];
  for (const event of call.trail.history(call.principal.account.id, call.region)) {
    if (event.timeMs < fromMs) break;
    const later = after !== undefined && (event.timeMs - after.timeMs || event.sequence - after.sequence) >= 0;
    if (later || event.timeMs > toMs || event.visibleAtMs > nowMs || !match(event)) continue;
    found.push(event);
    // One more than asked tells whether there is a next page.
    if (found.length > size) break;
  }
  const page = found.slice(0, size);
  const last = page.at(-1);
  const more = found.length > size && last !== undefined;
  const token = more ? Buffer.from(`${fingerprint}/${last.timeMs}/${last.sequence}`).toString('base64url') : undefined;
  return { output: { Events: page.map(shown), NextToken: token } };
}

function longDate(value: unknown): unknown {
  if (typeof value !== 'number') return value;
  return new Date(value * 1000).toLocaleString('en-US', { timeZone: 'UTC', dateStyle: 'medium', timeStyle: 'medium' });
}

export const cloudtrail: Service = {
  name: 'cloudtrail',
  protocol: 'json',
  namespace: '',
  apiVersion: '2013-11-01',
  eventSource: 'cloudtrail.amazonaws.com',
  global: false,
  operations: {
    ...trailReads,
    LookupEvents: {
      readOnly: true,
      run: lookupEvents,
      parameters: (input) =>
        lowerCamel({
          ...input,
          ...('StartTime' in input ? { StartTime: longDate(input.StartTime) } : {}),
          ...('EndTime' in input ? { EndTime: longDate(input.EndTime) } : {}),
        }) ?? undefined,
    },
  },
};
