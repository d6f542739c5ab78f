/**
 * How a record lies in a shard: every field of the top level as its own JSON text, so that a row gives back exactly the record
 * that was read. Records with secrets or anything unusual are read by the same door as everywhere (`parseRecord`) before they
 * are written; all others never leave DuckDB. Which are which is decided here, in SQL, and errs on the side of the door.
 */
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { parseIp } from '../../domain/address.ts';
import { parseRecord } from '../../domain/record.ts';

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

/** Ids that are nearly always UUIDs are kept as such: 16 bytes instead of 38. */
const uuids = ['eventID', 'requestID'] as const;

/** Prepared lines begin with the number of the file, the group of the record (words.ts) and its `eventVersion`. */
const fileField = '#';
const groupField = 'g';
const versionField = 'v';

/** A line with every field that a prepared line may have: DuckDB refuses lines with others. */
export function templateLine(nonce: string): string {
  const names = [versionField, 'eventTime', ...fields.filter((field) => field !== 'eventVersion')];
  return `${JSON.stringify({ [fileField]: 0, [groupField]: 0, ...Object.fromEntries(names.map((name) => [name, nonce])) })}\n`;
}

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

/** Before the others in the table of a batch. */
export const groupColumn = ['grp', 'BIGINT'] as const;

const uuidPattern = '"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"';

/** DuckDB sets aside twice this much per thread; CloudTrail writes at most 256 KB per record. */
const usualLine = 4 * 1024 * 1024;

/**
 * Reads prepared lines into the columns, with `odd` true where a row is not as usual and has to take the careful way. CASE, not AND: only that
 * spares DuckDB the second test where the first decides.
 */
export function preparedSelect(template: string, lines: string, nonce: string): string {
  const bare = (field: string) => `substring(${field}, 2, length(${field}) - 2)`;
  const quoted = (field: string) => `starts_with(${field}, '"') AND length(${field}) > 2`;
  const uuid = (field: string) =>
    `CASE WHEN length(${field}) = 38 AND regexp_full_match(${field}, ${sqlText(uuidPattern)}) THEN CAST(${bare(field)} AS UUID) END`;
  const odd = [
    `NOT coalesce(strftime(event_time, '%Y-%m-%dT%H:%M:%SZ') = ${bare('eventTime')} AND event_time > TIMESTAMP '1970-01-02', false)`,
    ...['eventName', 'eventSource'].map((field) => `NOT coalesce(${quoted(field)}, false)`),
    `(event_uuid IS NULL AND NOT coalesce(${quoted('eventID')}, false))`,
    `starts_with(eventSource, '"aws:')`,
    `(sourceIPAddress IS NOT NULL AND (NOT starts_with(sourceIPAddress, '"') OR contains(sourceIPAddress, ':')))`,
    `(recipientAccountId IS NOT NULL AND NOT (${quoted('recipientAccountId')}))`,
    `(userIdentity IS NOT NULL AND NOT starts_with(userIdentity, '{'))`,
  ];
  const source = `read_json([${sqlText(template)}, ${sqlText(lines)}], format = 'newline_delimited', sample_size = 1,
    maximum_sample_files = 1, maximum_depth = 1, maximum_object_size = ${usualLine})`;
  const names = fields.map((field) =>
    field === 'eventVersion' ? `${versionField}::VARCHAR AS eventVersion` : `${field}::VARCHAR AS ${field}`,
  );
  return `WITH lines AS (
      SELECT CAST("${fileField}" AS INTEGER) AS file, CAST(${groupField} AS INTEGER) AS grp, eventTime::VARCHAR AS eventTime, ${names.join(', ')}
      FROM ${source} WHERE ${versionField}::VARCHAR IS DISTINCT FROM ${sqlText(JSON.stringify(nonce))}
    ), timed AS (SELECT *, try_cast(${bare('eventTime')} AS TIMESTAMP) AS event_time, ${uuid('eventID')} AS event_uuid,
      ${uuid('requestID')} AS request_uuid FROM lines
    ), judged AS (SELECT *, coalesce((${odd.join(' OR ')}), false) AS odd FROM timed)
    SELECT grp, file, event_time, CASE WHEN ${quoted('sourceIPAddress')} THEN ${bare('sourceIPAddress')} END AS ip,
      CASE WHEN recipientAccountId IS NOT NULL THEN ${bare('recipientAccountId')}
        ELSE json_extract_string(userIdentity, '$.accountId') END AS account, event_uuid, request_uuid,
      ${fields.map((field) => (field === 'eventID' ? idText(field, 'event_uuid') : field === 'requestID' ? idText(field, 'request_uuid') : field)).join(', ')},
      NULL::VARCHAR AS extra, odd, CASE WHEN odd THEN eventTime END AS odd_time FROM judged`;
}

function idText(field: string, uuid: string): string {
  return `CASE WHEN ${uuid} IS NULL THEN ${field} END AS ${field}`;
}

export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export type Row = Readonly<Record<string, unknown>>;

/** The text that a row was read from, but for the order of its fields and fields that were null. */
export function jsonOfRow(row: Row): string {
  const parts: string[] = [];
  const time = row.odd_time ?? timeText(row.event_ms);
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
  return `"${new Date(Number(at)).toISOString().replace('.000Z', 'Z')}"`;
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

const inColumns: ReadonlySet<string> = new Set([...fields, 'eventTime']);

/** A line of NDJSON for a record that came through the door: each column as text, so that any content survives. */
export function carefulLine(record: CloudTrailRecord, file: number, grp: number): string {
  const row: Record<string, unknown> = { grp, file, event_time: record.eventTime.replace('T', ' ').replace('Z', '') };
  const ip = parseIp(record.sourceIPAddress) ?? record.sourceIPAddress;
  if (ip !== '') row.ip = ip;
  row.account = record.recipientAccountId ?? record.userIdentity.accountId ?? null;
  const extra: Record<string, unknown> = Object.create(null);
  for (const [key, value] of Object.entries(record)) {
    if (value === null || value === undefined || key === 'eventTime') continue;
    if (inColumns.has(key)) row[key] = JSON.stringify(value);
    else extra[key] = value;
  }
  if (Object.keys(extra).length > 0) row.extra = JSON.stringify(extra);
  return `${JSON.stringify(row)}\n`;
}

/** Reads lines of `carefulLine` into the same columns. */
export function carefulSelect(lines: string, longest: number): string {
  const types = [groupColumn, ...columnTypes].filter(([name]) => name !== 'event_uuid' && name !== 'request_uuid');
  const uuid = (field: string) =>
    `CASE WHEN regexp_full_match(${field}, ${sqlText(uuidPattern)}) THEN CAST(substring(${field}, 2, 36) AS UUID) END`;
  const text = (field: string) =>
    `CASE WHEN NOT regexp_full_match(${field}, ${sqlText(uuidPattern)}) THEN ${field} END`;
  const picks = [groupColumn, ...columnTypes].map(([name]) => {
    if (name === 'event_uuid') return `${uuid('eventID')} AS event_uuid`;
    if (name === 'request_uuid') return `${uuid('requestID')} AS request_uuid`;
    return (uuids as readonly string[]).includes(name) ? `${text(name)} AS ${name}` : `"${name}"`;
  });
  return `SELECT ${picks.join(', ')}, false AS odd, NULL::VARCHAR AS odd_time FROM read_json(${sqlText(lines)},
    format = 'newline_delimited', maximum_object_size = ${Math.max(usualLine, longest + 1024)},
    columns = {${types.map(([name, type]) => `${sqlText(name)}: ${sqlText(type)}`).join(', ')}})`;
}
