/** A finding about the past on its way through the stream: a record of our own, told from those that come in by its key. */
import { createHash } from 'node:crypto';
import type { PastFinding, Rests } from '../../contracts/baseline.ts';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { count, utc } from '../phrases.ts';
import { recordOfSighting } from './sighting.ts';

const prefix = 'baseline:';
/** In the record; what comes from outside under this name is not looked at, since keys of its records have no prefix. */
const field = 'firebreakBaseline';
const dayMs = 86_400_000;

export function isFinding(eventKey: string): boolean {
  return eventKey.startsWith(prefix);
}

/** One per rule, principal and day (UTC), by whatever way and how often it is found. */
export function findingEntry(finding: PastFinding): { readonly eventKey: string; readonly record: CloudTrailRecord } {
  const { rule, group, sighting, rests } = finding;
  const what = JSON.stringify([rule, group, sighting.account, Math.floor(sighting.at / dayMs)]);
  return {
    eventKey: `${prefix}${createHash('sha256').update(what).digest('hex')}`,
    record: { ...recordOfSighting(sighting), [field]: { rule, note: rests ? restsWords(rests) : '' } },
  };
}

export function heardFinding(record: CloudTrailRecord): { readonly name: string; readonly note: string } {
  const { rule, note } = (record[field] ?? {}) as { readonly rule?: unknown; readonly note?: unknown };
  return { name: typeof rule === 'string' ? rule : '', note: typeof note === 'string' ? note : '' };
}

/** `31 days with at least 4,000 calls of it since 2026-10-01 08:00 UTC`. */
function restsWords({ since, days, events, atLeast }: Rests): string {
  const least = atLeast ? 'at least ' : '';
  return `${least}${count(days, 'day')} with ${least}${count(events, 'call')} of it since ${utc(new Date(since).toISOString())}`;
}
