/** What a role did: its sessions make its calls, and LookupEvents finds those by their names alone (DOMAIN.md 3.7). */
import type { Artifact } from '../contracts/artifact.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import type { Coverage, Evidence } from '../contracts/evidence.ts';
import { sameThing } from './acting.ts';
import { withGaps } from './answers.ts';
import { mintingOf } from './minting.ts';
import { compareRecords } from './record.ts';

/** Each costs two questions in every Region. */
const maxSessions = 20;

/** Requests for a role, where `usual` are enough for what makes its calls itself. `most`: less where a person waits for the answer. */
export function requestsFor({ kind }: Artifact, usual: number, most = 1_000): number {
  return kind === 'role' ? Math.max(usual, most) : usual;
}

/**
 * The records of the artifact and, of a role, those of the sessions that were taken in the window, the latest names first. `left` says
 * that there are more names than are asked for; `coverage` has it too. Throws what `evidence` throws.
 */
export async function useRecordsOf(
  artifact: Artifact,
  evidence: Pick<Evidence, 'recordsOf' | 'coverage'>,
): Promise<{ readonly records: readonly CloudTrailRecord[]; readonly coverage: Coverage; readonly left?: string }> {
  const own = await evidence.recordsOf(artifact);
  const looked = evidence.coverage();
  // Other sources find the calls of sessions by their role.
  const isLookup = looked.sources.some(({ name }) => name.includes('LookupEvents'));
  if (artifact.kind !== 'role' || !isLookup) return { records: own, coverage: looked };
  const taken = own
    .flatMap((record) => mintingOf(record) ?? [])
    .filter(({ role }) => sameThing(role ?? '', artifact.id));
  const names = [...new Set(taken.toReversed().flatMap(({ identity }) => identity ?? []))];
  const records = new Set(own);
  for (const id of names.slice(0, maxSessions)) {
    for (const record of await evidence.recordsOf({ kind: 'session', id })) records.add(record);
  }
  const all = [...records].sort(compareRecords);
  if (names.length <= maxSessions) return { records: all, coverage: evidence.coverage() };
  const left = `${names.length - maxSessions} more session names of the role ${artifact.id}`;
  return { records: all, coverage: withGaps(evidence.coverage(), [left]), left };
}
