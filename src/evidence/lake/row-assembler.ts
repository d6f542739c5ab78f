/**
 * Rows to records, for scans of millions of them. The door treats each field by itself (domain/record.ts), so a value that
 * came before, such as the same caller's identity, need not go through it again.
 */
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { parseIdentity } from '../../domain/record.ts';
import { isoOf } from '../../domain/window.ts';
import { type Row, recordOfRow } from './columns.ts';

/** Different in each record: not worth remembering. */
const unlike = new Set(['requestParameters', 'additionalEventData', 'resources', 'requestID', 'serviceEventDetails']);
/** What the door fills in where the row has nothing. */
const filled: readonly string[] = ['userIdentity', 'userAgent', 'sourceIPAddress', 'awsRegion'];
const maxRemembered = 20_000;
const maxText = 2_000;
const missing = Symbol('missing');

/**
 * Makes records of rows with these columns; undefined for a row that is damaged. Fields of different records may be one
 * object.
 */
export function rowAssembler(columns: readonly string[]): (row: Row) => CloudTrailRecord | undefined {
  const own = columns.filter((name) => !['event_ms', 'event_uuid', 'eventID', 'request_uuid', 'extra'].includes(name));
  const fields = [...own, ...filled.filter((field) => !own.includes(field))].map((field) => ({
    field,
    values: new Map<unknown, unknown>(),
    isFilled: filled.includes(field),
    isRemembered: !unlike.has(field),
  }));

  return (row) => {
    const { event_ms: at, event_uuid: id } = row;
    // Anything but the usual goes through the door as a whole.
    if (typeof id !== 'string' || row.extra !== undefined) return recordOfRow(row);
    const record: Record<string, unknown> = { eventID: id, eventTime: timeText(Number(at)) };
    for (const { field, values, isFilled, isRemembered } of fields) {
      const text = row[field];
      if (text === undefined && !isFilled) continue;
      let value = values.get(text);
      if (value === undefined) {
        value = tidied(field, text);
        if (value === undefined) return recordOfRow(row);
        if (isRemembered && (typeof text !== 'string' || text.length <= maxText)) {
          if (values.size >= maxRemembered) values.clear();
          values.set(text, value);
        }
      }
      if (value !== missing) record[field] = value;
    }
    if (typeof row.request_uuid === 'string') record.requestID = row.request_uuid;
    return record as unknown as CloudTrailRecord;
  };
}

/** Events come many to a second. */
let lastMs = Number.NaN;
let lastText = '';

function timeText(ms: number): string {
  if (ms === lastMs) return lastText;
  lastMs = ms;
  lastText = isoOf(ms);
  return lastText;
}

/** The field as the door makes it; `missing` where it takes it away, undefined where the text is damaged. */
function tidied(field: string, text: unknown): unknown {
  // Nearly as many callers as records, where each has a session of its own.
  if (field === 'userIdentity' && typeof text === 'string') return identityOf(text);
  const row = { event_ms: 1_000_000_000_000, eventID: '"-"', eventName: '"-"', eventSource: '"-"' };
  const record = recordOfRow(text === undefined ? row : { ...row, [field]: text });
  return record && (record[field] ?? missing);
}

function identityOf(text: string): unknown {
  try {
    return parseIdentity(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
