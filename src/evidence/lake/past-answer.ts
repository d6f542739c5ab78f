/** What stands out in a window, from what is kept and from what is not yet. */
import type { AddressBook } from '../../contracts/address.ts';
import type { BaselineHistory, PastAnswer, PastFinding, PastQuestion } from '../../contracts/baseline.ts';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { Baseline, joinedHistory } from '../../domain/baseline/baseline.ts';
import { addPiece, allBuckets, type PastPage, piecesOf, readBucket } from './baseline-files.ts';
import { groupsOf, type ScanInput, scanGroup } from './baseline-scan.ts';
import type { ShardPage } from './pages.ts';

export interface PastState {
  readonly page: PastPage;
  /** Shards of the lake that the page does not have. */
  readonly missing: readonly NonNullable<ShardPage['shard']>[];
  readonly pages: readonly ShardPage[];
  /** The databases of addresses of this process, in words; "" for none. */
  readonly places: string;
}

/** One file at a time is in memory, and what is not kept yet. Throws as `readBucket` does. */
export async function answerFrom(
  { page, missing, pages }: PastState,
  question: PastQuestion,
  given: {
    /** Records that the lake does not have. */
    readonly more: readonly CloudTrailRecord[];
    readonly addresses: AddressBook | undefined;
    readonly dir: string;
  } & Pick<ScanInput, 'folder' | 'log'>,
): Promise<PastAnswer> {
  const { signal, progress } = question;
  const { more, addresses, dir, folder, log } = given;
  const delta = new Baseline(addresses);
  let read = 0;
  for (const group of groupsOf(missing)) {
    progress(`Baselines: ${read} of ${missing.length} new parts of the lake read`);
    const part = await scanGroup(group, addresses, { folder, pages, log, signal });
    delta.merge(part.baseline);
    read += part.read.length;
  }
  for (const record of more) delta.observe(record);
  const unread = missing.length - read;
  const pieces = piecesOf(delta);
  const found: PastFinding[] = [];
  let history: BaselineHistory = new Baseline().history();
  let evicted = 0;
  for (const bucket of allBuckets) {
    signal.throwIfAborted();
    const before = page.buckets[bucket];
    const piece = pieces.get(bucket);
    if (before === undefined && piece === undefined) continue;
    const kept = await readBucket(dir, before);
    if (piece) addPiece(kept, piece, before);
    for (const one of kept.found()) if (isAsked(one, question)) found.push(one);
    history = joinedHistory(history, kept.history());
    evicted += before?.evicted ?? 0;
  }
  const countries = page.places !== '' || delta.history().countries;
  return {
    found,
    history: { ...history, countries, ...(evicted > 0 ? { evicted } : {}) },
    gaps: unread > 0 ? [`baselines: ${unread} parts of the lake could not be read`] : [],
  };
}

function isAsked({ sighting: { at, account, region } }: PastFinding, question: PastQuestion): boolean {
  const { from, to, accounts, regions } = question;
  return (
    (from === undefined || at >= Date.parse(from)) &&
    (to === undefined || at < Date.parse(to)) &&
    (accounts === undefined || account === '' || accounts.includes(account)) &&
    (regions === undefined || region === '' || regions.includes(region))
  );
}
