/** Who is denied what from where, the rare before the frequent: noise repeats itself, a stranger who feels his way does not (DOMAIN.md 8.4). */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { sourceOf } from './address.ts';
import { failureReason } from './denial-reason.ts';
import { plainAt } from './links-fields.ts';
import { accountOf, principalGroup, principalOf, triedAs } from './principal.ts';
import { outcomeOf } from './sightings.ts';

export interface ErrorGroup {
  /** Principal; the sessions of a role together, by the role; the user whom a failed sign-in names. "" where nothing identifies the caller. */
  readonly principal: string;
  readonly sourceIp: string;
  readonly eventSource: string;
  readonly eventName: string;
  readonly errorCode: string;
  /** Which policy refused, or what AWS says where it gives no code; "" where it says neither. */
  readonly reason: string;
  readonly outcome: 'denied' | 'failed';
  readonly times: number;
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly regions: readonly string[];
  readonly accountId: string;
  /** The first 20. */
  readonly eventIds: readonly string[];
  /** Failed calls by this principal from this place altogether: small numbers are the long tail. */
  readonly placeTimes: number;
  /** At least 5 different calls denied within 10 minutes from this place: somebody tries what he may do. */
  readonly isProbing: boolean;
  /** The console asks for what the person may not see, all the time. */
  readonly isConsole: boolean;
}

/** In place of the code that AWS does not give. */
export const noCode = 'no code';

const maxEventIds = 20;
const probingCalls = 5;
const probingMs = 10 * 60_000;

/** Groups of failed calls, probing first, then the rarest places; the console's own probing last. */
export function errorGroups(records: readonly CloudTrailRecord[]): readonly ErrorGroup[] {
  const failed = records.filter((record) => outcomeOf(record) !== 'success');
  const places = Map.groupBy(failed, placeOf);
  const probing = new Set([...places].filter(([, of]) => probes(of)).map(([place]) => place));
  const groups = Map.groupBy(failed, (record) =>
    [placeOf(record), record.eventSource, record.eventName, record.errorCode ?? '', reasonOf(record)].join('\n'),
  );
  return [...groups.values()]
    .map((of) => groupOf(of, places.get(placeOf(of[0] as CloudTrailRecord))?.length ?? 0, probing))
    .sort(
      (a, b) =>
        Number(a.isConsole) - Number(b.isConsole) ||
        Number(b.isProbing) - Number(a.isProbing) ||
        a.placeTimes - b.placeTimes ||
        a.times - b.times ||
        (a.firstSeen < b.firstSeen ? -1 : a.firstSeen > b.firstSeen ? 1 : a.eventName < b.eventName ? -1 : 1),
    );
}

function groupOf(records: readonly CloudTrailRecord[], placeTimes: number, probing: ReadonlySet<string>): ErrorGroup {
  const first = records[0] as CloudTrailRecord;
  const times = records.map(({ eventTime }) => eventTime).sort();
  return {
    principal: groupIdOf(first),
    sourceIp: sourceOf(first),
    eventSource: first.eventSource,
    eventName: first.eventName,
    errorCode: first.errorCode ?? (first.errorMessage ? noCode : 'Failure'),
    reason: reasonOf(first),
    outcome: outcomeOf(first) === 'denied' ? 'denied' : 'failed',
    times: records.length,
    firstSeen: times[0] ?? '',
    lastSeen: times.at(-1) ?? '',
    regions: [...new Set(records.map(({ awsRegion }) => awsRegion))].sort(),
    accountId: accountOf(first),
    eventIds: records.slice(0, maxEventIds).map(({ eventID }) => eventID),
    placeTimes,
    isProbing: probing.has(placeOf(first)),
    isConsole: records.every(isConsole),
  };
}

function groupIdOf(record: CloudTrailRecord): string {
  const principal = principalOf(record) ?? triedAs(record);
  return principal ? principalGroup(principal) : '';
}

function placeOf(record: CloudTrailRecord): string {
  return `${groupIdOf(record)}\n${sourceOf(record)}`;
}

function reasonOf({ errorCode, errorMessage }: CloudTrailRecord): string {
  return failureReason(errorCode, errorMessage);
}

function isConsole(record: CloudTrailRecord): boolean {
  return (
    plainAt(record, 'sessionCredentialFromConsole') === 'true' && /^(Get|List|Describe|Batch)/.test(record.eventName)
  );
}

/** Slides over the denied calls of a place. */
function probes(records: readonly CloudTrailRecord[]): boolean {
  const denied = records
    .filter((record) => outcomeOf(record) === 'denied' && !isConsole(record))
    .map((record) => ({ at: Date.parse(record.eventTime), call: `${record.eventSource}:${record.eventName}` }))
    .sort((a, b) => a.at - b.at);
  const inside = new Map<string, number>();
  let start = 0;
  for (const { at, call } of denied) {
    inside.set(call, (inside.get(call) ?? 0) + 1);
    for (let oldest = denied[start]; oldest && at - oldest.at > probingMs; oldest = denied[start]) {
      const left = (inside.get(oldest.call) ?? 1) - 1;
      if (left === 0) inside.delete(oldest.call);
      else inside.set(oldest.call, left);
      start += 1;
    }
    if (inside.size >= probingCalls) return true;
  }
  return false;
}
