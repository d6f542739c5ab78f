/** The door for CloudTrail records: whatever claims to be one is checked, tidied and stripped of secrets here, once. */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { contentHash } from './content-hash.ts';
import { cleanJson, type Json } from './record-clean.ts';
import { isoOf } from './window.ts';

export type ParsedRecord =
  | { readonly ok: true; readonly record: CloudTrailRecord }
  /** `near` is true where the value looks like a CloudTrail record that lacks something; false where it is something else. */
  | { readonly ok: false; readonly reason: string; readonly near: boolean };

/**
 * Reads one record. Takes any JSON value, gives a record in AWS's own field names or the reason why it is none; never throws.
 * Tolerates what exports do to records: `@timestamp` or epoch numbers for `eventTime`, missing `userIdentity`, numbers and
 * booleans as text, objects as JSON text, empty error fields. `eventTime` becomes `YYYY-MM-DDTHH:MM:SSZ` (UTC), with milliseconds
 * where they are not zero. A missing `eventID` becomes a hash of the content. Session tokens and secrets are replaced by
 * `removedMark`, the keys stay (safety rule 8); unknown fields stay.
 */
export function parseRecord(value: unknown): ParsedRecord {
  const raw = isJson(value) ? cleanJson(value) : undefined;
  if (!isJson(raw)) return { ok: false, reason: 'not a JSON object', near: false };
  // Insights events name the call one level down.
  const insight = isJson(raw.insightDetails) ? raw.insightDetails : {};
  const eventName = word(raw.eventName) ?? word(insight.eventName);
  const eventSource = word(raw.eventSource) ?? word(insight.eventSource);
  // S3 and SQS notifications have `eventSource: "aws:s3"`, `eventName` and `eventTime` too.
  if (eventSource?.startsWith('aws:'))
    return { ok: false, reason: `an event of ${eventSource}, not of CloudTrail`, near: false };
  if (eventName === undefined || eventSource === undefined) {
    const near = eventName !== eventSource || 'eventVersion' in raw;
    return { ok: false, reason: `no ${eventName === undefined ? 'eventName' : 'eventSource'}`, near };
  }
  const eventTime = timeOf(raw.eventTime) ?? timeOf(raw['@timestamp']) ?? timeOf(raw.timestamp);
  if (eventTime === undefined) return { ok: false, reason: 'no readable eventTime', near: true };
  const eventID = word(raw.eventID) ?? contentId(raw);
  return { ok: true, record: tidy(raw, { eventID, eventTime, eventName, eventSource }) };
}

/**
 * Whether it is an event of CloudTrail Insights, which counts calls and is none (DOMAIN.md 2.8). Also of a record that a source gave in part, without its
 * type.
 */
export function isInsight(record: CloudTrailRecord | Json): boolean {
  return record.eventType === 'AwsCloudTrailInsight' || 'insightDetails' in record;
}

/** The `userIdentity` of a record, by itself: the same as `parseRecord` makes of it. Never throws. */
export function parseIdentity(value: unknown): CloudTrailRecord['userIdentity'] {
  return tidyIdentity(objectOf(cleanJson({ userIdentity: value }).userIdentity) ?? {});
}

const objects = ['requestParameters', 'responseElements', 'additionalEventData', 'serviceEventDetails'] as const;
const words = ['errorCode', 'errorMessage', 'sharedEventID', 'eventType', 'vpcEndpointId'] as const;

function tidy(
  raw: Json,
  core: Pick<CloudTrailRecord, 'eventID' | 'eventTime' | 'eventName' | 'eventSource'>,
): CloudTrailRecord {
  const record: Json = { ...raw, ...core };
  record.awsRegion = word(raw.awsRegion) ?? '';
  record.sourceIPAddress = word(raw.sourceIPAddress) ?? '';
  record.userAgent = word(raw.userAgent) ?? '';
  record.userIdentity = tidyIdentity(objectOf(raw.userIdentity) ?? {});
  for (const field of objects) setOrDelete(record, field, objectOf(raw[field]));
  for (const field of words) setOrDelete(record, field, word(raw[field]));
  setOrDelete(record, 'recipientAccountId', accountId(raw.recipientAccountId));
  setOrDelete(record, 'readOnly', truth(raw.readOnly));
  setOrDelete(record, 'resources', resourcesOf(raw.resources));
  return record as unknown as CloudTrailRecord;
}

function tidyIdentity(identity: Json): Json {
  const tidied: Json = { ...identity };
  for (const field of [
    'type',
    'principalId',
    'arn',
    'accessKeyId',
    'userName',
    'invokedBy',
    'identityProvider',
    'credentialId',
  ]) {
    if (field in identity) setOrDelete(tidied, field, word(identity[field]));
  }
  if ('accountId' in identity) setOrDelete(tidied, 'accountId', accountId(identity.accountId));
  if ('sessionContext' in identity) {
    const context = objectOf(identity.sessionContext);
    if (context) {
      const issuer = objectOf(context.sessionIssuer);
      const attributes = objectOf(context.attributes);
      tidied.sessionContext = {
        ...context,
        ...(issuer ? { sessionIssuer: issuer } : {}),
        ...(attributes ? { attributes: textValues(attributes) } : {}),
      };
    } else delete tidied.sessionContext;
  }
  if ('onBehalfOf' in identity) setOrDelete(tidied, 'onBehalfOf', objectOf(identity.onBehalfOf));
  return tidied;
}

/** AWS writes `"true"`; some exports turn it into a boolean. */
function textValues(attributes: Json): Json {
  return Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, word(value) ?? value]));
}

function setOrDelete(record: Json, field: string, value: unknown): void {
  if (value === undefined) delete record[field];
  else record[field] = value;
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function word(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function truth(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return undefined;
  return /^true$/i.test(value) ? true : /^false$/i.test(value) ? false : undefined;
}

/** Account ids begin with zeros, which spreadsheets and number types lose. */
function accountId(value: unknown): string | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? String(value).padStart(12, '0') : word(value);
}

/** Athena and CloudTrail Lake give these fields as JSON text. Other text is kept under a key of its own. */
function objectOf(value: unknown): Json | undefined {
  if (isJson(value)) return value;
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string' && value.startsWith('{')) {
    const parsed = jsonOf(value);
    if (isJson(parsed)) return cleanJson(parsed);
  }
  return value === 'null' ? undefined : { value };
}

function resourcesOf(value: unknown): readonly Json[] | undefined {
  const list = Array.isArray(value)
    ? value
    : typeof value === 'string' && value.startsWith('[')
      ? cleanJson({ list: jsonOf(value) }).list
      : [value];
  const kept = Array.isArray(list) ? list.filter(isJson) : [];
  return kept.length === 0 ? undefined : kept;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const plainTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const looseTime = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d{1,9})?\s?(Z|UTC|[+-]\d\d:?\d\d)?$/i;

/** ISO 8601 with or without zone (then UTC), or epoch seconds or milliseconds. */
function timeOf(value: unknown): string | undefined {
  if (typeof value === 'number' || (typeof value === 'string' && /^\d{9,13}(\.\d+)?$/.test(value))) {
    const epoch = Number(value);
    return isoInRange(epoch > 1e11 ? epoch : epoch * 1000);
  }
  if (typeof value !== 'string') return undefined;
  if (plainTime.test(value)) return isoInRange(Date.parse(value)) === value ? value : undefined;
  const match = looseTime.exec(value);
  if (!match) return undefined;
  const zone = match[4] === undefined || /^(z|utc)$/i.test(match[4]) ? 'Z' : match[4];
  return isoInRange(Date.parse(`${match[1]}T${match[2]}${(match[3] ?? '').slice(0, 4)}${zone}`));
}

function isoInRange(epochMs: number): string | undefined {
  if (!(epochMs > 0 && epochMs < 253_402_300_800_000)) return undefined;
  return isoOf(epochMs);
}

/** JSON with sorted keys: the same text for the same content, whatever the order of its keys. */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (!isJson(value)) return JSON.stringify(value) ?? 'null';
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalText(value[key])}`).join(',')}}`;
}

function contentId(raw: Json): string {
  return `sha256-${contentHash(canonicalText(raw), 'hex').slice(0, 32)}`;
}

/** Orders by time, then event id, then content: the same order whatever the order of the sources. */
export function compareRecords(a: CloudTrailRecord, b: CloudTrailRecord): number {
  if (a.eventTime !== b.eventTime) {
    // Equal lengths sort as text; `...:00Z` and `...:00.500Z` do not.
    if (a.eventTime.length === b.eventTime.length) return a.eventTime < b.eventTime ? -1 : 1;
    const apart = Date.parse(a.eventTime) - Date.parse(b.eventTime);
    if (apart !== 0) return apart;
  }
  if (a.eventID !== b.eventID) return a.eventID < b.eventID ? -1 : 1;
  if (a === b) return 0;
  const [left, right] = [canonicalText(a), canonicalText(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}
