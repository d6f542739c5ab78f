/** Records as JSON lines for Timesketch (https://timesketch.org/guides/user/import-from-json-csv/). */
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import type { TimelineEvent } from '../../contracts/timeline.ts';
import { escapedJson } from '../json-text.ts';
import { redact } from '../redaction.ts';

/**
 * One line per record: `message`, `datetime`, `timestamp` (microseconds), `timestamp_desc`, `tag` (ATT&CK ids), and every field
 * of the record. Objects become JSON text: their fields have another type in every call, which one index cannot hold.
 */
export function timesketch(
  entries: readonly { readonly record: CloudTrailRecord; readonly event: TimelineEvent }[],
): string {
  return entries
    .map(({ record, event }) => `${escapedJson(JSON.stringify(lineOf(record, event), wellFormed))}\n`)
    .join('');
}

/** Half a character, which JSON can spell and UTF-8 cannot, ends a whole upload there. */
function wellFormed(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed() : value;
}

function lineOf(record: CloudTrailRecord, event: TimelineEvent): Readonly<Record<string, unknown>> {
  const fields = redact(record) as Readonly<Record<string, unknown>>;
  const flat = Object.entries(fields).map(([key, value]) => [
    key,
    typeof value === 'object' && value !== null ? JSON.stringify(value) : value,
  ]);
  const who = event.principal === '' ? 'an unnamed caller' : event.principal;
  const outcome =
    event.outcome === 'success' ? '' : ` (${event.outcome}${event.errorCode ? `: ${event.errorCode}` : ''})`;
  const from = event.sourceIp === '' ? '' : ` from ${event.sourceIp}`;
  return {
    ...Object.fromEntries(flat),
    message: `${who} called ${event.eventSource}:${event.eventName}${from}${outcome}`,
    datetime: new Date(record.eventTime).toISOString().replace('Z', '+00:00'),
    timestamp: Date.parse(record.eventTime) * 1_000,
    timestamp_desc: 'Event Time',
    principal: event.principal,
    outcome: event.outcome,
    technique: event.technique.join(' '),
    tag: event.technique,
  };
}
