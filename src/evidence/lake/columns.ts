/**
 * How a record lies in a shard: every field of the top level as its own JSON text, so that a row gives back exactly the record
 * that was read. Records with secrets or anything unusual are read by the same door as everywhere (`parseRecord`) before they
 * are written; all others lie there as they came (screen.ts).
 */
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { parseIp } from '../../domain/address.ts';
import { parseRecord } from '../../domain/record.ts';
import { isoOf } from '../../domain/window.ts';

/** Fields of the record contents (DOMAIN.md 3.1) that lie in columns of their own. */
const fields = [
  'eventVersion',
  'userIdentity',
  'eventSource',
  'eventName',
  'awsRegion',
  'sourceIPAddress',
  'userAgent',
  'errorCode',
  'errorMessage',
  'requestParameters',
  'responseElements',
  'additionalEventData',
  'requestID',
  'eventID',
  'readOnly',
  'resources',
  'eventType',
  'apiVersion',
  'managementEvent',
  'recipientAccountId',
  'serviceEventDetails',
  'sharedEventID',
  'vpcEndpointId',
  'vpcEndpointAccountId',
  'eventCategory',
  'addendum',
  'sessionCredentialFromConsole',
  'edgeDeviceDetails',
  'tlsDetails',
  'insightDetails',
  'eventContext',
] as const;

/** Every field of a record that has a place of its own in a shard. */
export const recordFields: readonly string[] = ['eventTime', ...fields];

/** Ids that are nearly always UUIDs are kept as such: 16 bytes instead of 38. */
const uuids = ['eventID', 'requestID'] as const;

/** The columns of a shard. `file` counts in the file list of the shard's page; `event_time` is UTC. */
export const columnTypes: readonly (readonly [string, string])[] = [
  ['file', 'INTEGER'],
  ['event_time', 'TIMESTAMP'],
  ['ip', 'VARCHAR'],
  ['account', 'VARCHAR'],
  ['event_uuid', 'UUID'],
  ['request_uuid', 'UUID'],
  ...fields.map((field) => [field, 'VARCHAR'] as const),
  ['extra', 'VARCHAR'],
];

/** Columns whose values are texts, in their order. */
export const textColumns: readonly string[] = ['ip', 'account', ...fields, 'extra'];

export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export type Row = Readonly<Record<string, unknown>>;

/** The text that a row was read from, but for the order of its fields and fields that were null. */
function jsonOfRow(row: Row): string {
  const parts: string[] = [];
  const time = timeText(row.event_ms);
  if (typeof time === 'string') parts.push(`"eventTime":${time}`);
  for (const field of fields) {
    const text =
      row[field] ??
      (field === 'eventID' ? quotedText(row.event_uuid) : field === 'requestID' ? quotedText(row.request_uuid) : null);
    if (typeof text === 'string') parts.push(`${JSON.stringify(field)}:${text}`);
  }
  const extra = typeof row.extra === 'string' ? row.extra.slice(1, -1) : '';
  if (extra !== '') parts.push(extra);
  return `{${parts.join(',')}}`;
}

function quotedText(value: unknown): string | null {
  return value === null || value === undefined ? null : `"${String(value)}"`;
}

/** Milliseconds since the epoch. */
function timeText(at: unknown): string | undefined {
  if (at === null || at === undefined) return undefined;
  return `"${isoOf(Number(at))}"`;
}

/** The record of a row; undefined where the row is damaged. */
export function recordOfRow(row: Row): CloudTrailRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(jsonOfRow(row));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const parsed = parseRecord(value);
  return parsed.ok ? parsed.record : undefined;
}

const inColumns: ReadonlySet<string> = new Set(fields);

/** What stands in the text columns for a record that came through the door, without its ids. */
export function* carefulTexts(record: CloudTrailRecord): Generator<readonly [column: string, text: string]> {
  const ip = parseIp(record.sourceIPAddress) ?? record.sourceIPAddress;
  if (ip !== '') yield ['ip', ip];
  const account = record.recipientAccountId ?? record.userIdentity.accountId;
  if (account !== undefined) yield ['account', account];
  const extra: Record<string, unknown> = Object.create(null);
  for (const [field, value] of Object.entries(record)) {
    if (value === null || value === undefined || elsewhere.has(field)) continue;
    if (inColumns.has(field)) yield [field, JSON.stringify(value)];
    else extra[field] = value;
  }
  if (Object.keys(extra).length > 0) yield ['extra', JSON.stringify(extra)];
}

/** Kept in columns of another kind. */
const elsewhere: ReadonlySet<string> = new Set(['eventTime', ...uuids]);
