/** Records as the lines of a timeline. */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import type { TimelineEvent } from '../contracts/timeline.ts';
import { type Cell, csv } from './exports/csv.ts';
import { accountOf, principalOf } from './principal.ts';
import { indexTechniques, outcomeOf, type Technique } from './sightings.ts';

export interface TimelineEntry {
  readonly record: CloudTrailRecord;
  readonly event: TimelineEvent;
  /** Of the technique table: 0 for calls that it does not know, 5 for what is hardly ever innocent. */
  readonly weight: number;
  readonly tactic: readonly string[];
  /** What it means, in plain words; "" for calls that the table does not know. */
  readonly says: string;
}

/** One entry per record, in the order given. */
export function timelineEntries(
  records: readonly CloudTrailRecord[],
  table: readonly Technique[],
): readonly TimelineEntry[] {
  const find = indexTechniques(table);
  return records.map((record) => {
    const row = find(record);
    return {
      record,
      event: eventOf(record, row?.technique ?? []),
      weight: row?.weight ?? 0,
      tactic: row?.tactic ?? [],
      says: row?.says ?? '',
    };
  });
}

function eventOf(record: CloudTrailRecord, technique: readonly string[]): TimelineEvent {
  return {
    eventId: record.eventID,
    eventTime: record.eventTime,
    eventSource: record.eventSource,
    eventName: record.eventName,
    principal: principalOf(record)?.id ?? '',
    sourceIp: record.sourceIPAddress,
    outcome: outcomeOf(record),
    technique,
    region: record.awsRegion,
    accountId: accountOf(record),
    accessKey: record.userIdentity.accessKeyId ?? '',
    userAgent: record.userAgent,
    ...(record.errorCode ? { errorCode: record.errorCode } : {}),
  };
}

const columns = [
  'eventTime',
  'principal',
  'accessKey',
  'sourceIp',
  'accountId',
  'region',
  'eventSource',
  'eventName',
  'outcome',
  'errorCode',
  'technique',
  'userAgent',
  'eventId',
] as const satisfies readonly (keyof TimelineEvent)[];

/** A timeline as a table for a spreadsheet. */
export function timelineCsv(events: readonly TimelineEvent[]): string {
  return csv(
    columns,
    events.map((event) => columns.map((column): Cell => event[column])),
  );
}
