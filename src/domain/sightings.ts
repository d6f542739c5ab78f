/** Sightings: calls that the technique table knows, ranked so that the telling ones come first. */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import type { Sighting } from '../contracts/pivot.ts';
import { plainEventName } from './links-resources.ts';
import { principalOf, succeeded } from './principal.ts';
import { isInsight } from './record.ts';

/** One row of the table: which calls it is about, and what they mean. */
export interface Technique {
  /** `iam.amazonaws.com`; several where services share the call's name. */
  readonly sources: readonly string[];
  /** The event's name without its date; `*` at the end stands for any ending. */
  readonly event: string;
  /** ATT&CK ids. */
  readonly technique: readonly string[];
  /** ATT&CK tactics, in their own names. */
  readonly tactic: readonly string[];
  /** What it means, in plain words, after the name of who did it. */
  readonly says: string;
  /** 1 is background noise by itself, 5 is hardly ever innocent (DOMAIN.md 8, before context). */
  readonly weight: 1 | 2 | 3 | 4 | 5;
  /** Narrows the row: all calls where absent. */
  readonly only?: 'success' | 'failure' | 'root';
}

export interface Ranked {
  readonly sighting: Sighting;
  readonly weight: number;
}

/** The table made ready for many look-ups. */
export function indexTechniques(table: readonly Technique[]): (record: CloudTrailRecord) => Technique | undefined {
  const exact = new Map<string, Technique[]>();
  const prefixes: Technique[] = [];
  for (const row of table) {
    if (row.event.endsWith('*')) prefixes.push(row);
    else for (const source of row.sources) push(exact, `${source}:${row.event}`, row);
  }
  return (record) => {
    if (isInsight(record)) return undefined;
    const name = plainEventName(record.eventName);
    const rows = [
      ...(exact.get(`${record.eventSource}:${record.eventName}`) ?? exact.get(`${record.eventSource}:${name}`) ?? []),
      ...prefixes.filter((row) => row.sources.includes(record.eventSource) && name.startsWith(row.event.slice(0, -1))),
    ];
    return rows.find((row) => applies(row, record));
  };
}

function push(map: Map<string, Technique[]>, key: string, row: Technique): void {
  map.set(key, [...(map.get(key) ?? []), row]);
}

function applies(row: Technique, record: CloudTrailRecord): boolean {
  if (row.only === 'success') return succeeded(record);
  if (row.only === 'failure') return !succeeded(record);
  if (row.only === 'root') return record.userIdentity.type === 'Root';
  return true;
}

/** `denied` is a matter of rights; `failed` is everything else that went wrong, dry runs and quota limits included. */
export function outcomeOf(record: CloudTrailRecord): Sighting['outcome'] {
  if (succeeded(record)) return 'success';
  return /denied|unauthorized|forbidden|notauthorized|authorizationerror|authfailure/i.test(record.errorCode ?? '')
    ? 'denied'
    : 'failed';
}

/** Every sighting in the records with its weight, in order of time. Records must be in order of time. */
export function sightingsOf(records: readonly CloudTrailRecord[], table: readonly Technique[]): readonly Ranked[] {
  const find = indexTechniques(table);
  return records.flatMap((record) => {
    const row = find(record);
    return row ? [{ sighting: sightingOf(record, row), weight: row.weight }] : [];
  });
}

function sightingOf(record: CloudTrailRecord, row: Technique): Sighting {
  return {
    eventId: record.eventID,
    eventTime: record.eventTime,
    eventName: record.eventName,
    eventSource: record.eventSource,
    principal: principalOf(record)?.id ?? '',
    sourceIp: record.sourceIPAddress,
    region: record.awsRegion,
    outcome: outcomeOf(record),
    ...(record.errorCode ? { errorCode: record.errorCode } : {}),
    technique: row.technique,
    tactic: row.tactic,
    says: row.says,
  };
}
