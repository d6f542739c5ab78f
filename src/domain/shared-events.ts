/**
 * Calls across accounts are recorded in each of them, under event ids of their own and one `sharedEventID`. The copy of the
 * account whose resource it is knows the caller by the number of his account only; his own account's copy names him (DOMAIN.md 3.2).
 */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import type { Evidence } from '../contracts/evidence.ts';
import { linksOf } from './links.ts';
import { principalOf, text } from './principal.ts';

/** The same for all copies of one call; undefined for calls that stay in one account. */
export function sharedKeyOf(record: CloudTrailRecord): string | undefined {
  const shared = text(record.sharedEventID);
  return shared === undefined ? undefined : `${shared}\n${record.eventName}\n${record.eventTime}`;
}

/** True where the record tells no more of the caller than his account. */
export function isBlind(record: CloudTrailRecord): boolean {
  return principalOf(record)?.kind === 'account';
}

/** The records without the blind copies of calls whose named copy is among them, so that each call counts once. */
export function withoutBlindCopies(records: readonly CloudTrailRecord[]): readonly CloudTrailRecord[] {
  const named = new Set(records.flatMap((record) => (isBlind(record) ? [] : (sharedKeyOf(record) ?? []))));
  return records.filter((record) => !isBlind(record) || !named.has(sharedKeyOf(record) ?? ''));
}

/** Most things of a record that are asked for in search of its other copy. */
const maxAsked = 3;

/**
 * The copy that names the caller, looked for among the records of what the call gave or made; undefined where it is not in what was
 * looked at. Throws what `evidence` throws.
 */
export async function namedCopyOf(
  record: CloudTrailRecord,
  evidence: Pick<Evidence, 'recordsOf'>,
): Promise<CloudTrailRecord | undefined> {
  const key = sharedKeyOf(record);
  if (key === undefined || !isBlind(record)) return undefined;
  const { nodes } = linksOf(record);
  const asked = nodes.filter(({ kind }) => kind === 'session' || kind === 'role' || kind === 'resource');
  for (const node of asked
    .toSorted((a, b) => Number(b.kind === 'session') - Number(a.kind === 'session'))
    .slice(0, maxAsked)) {
    const found = (await evidence.recordsOf(node)).find((other) => sharedKeyOf(other) === key && !isBlind(other));
    if (found) return found;
  }
  return undefined;
}
