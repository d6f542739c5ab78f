/** The kept past of every principal in the lake: added to shard by shard, asked by hunts, compared with what comes in. */
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import type { AddressBook } from '../../contracts/address.ts';
import type { Past, PastQuestion } from '../../contracts/baseline.ts';
import { asError, UserError } from '../../contracts/errors.ts';
import type { Log } from '../../contracts/log.ts';
import { Baseline } from '../../domain/baseline/baseline.ts';
import {
  addPiece,
  allBuckets,
  GonePast,
  makePastDir,
  noPast,
  type PastPage,
  type Pieces,
  pastDir,
  piecesOf,
  readBucket,
  readPastPage,
  SpoiltPast,
  tidyPast,
  usablePage,
  writeBucket,
  writePastPage,
} from './baseline-files.ts';
import { groupsOf, scanGroup } from './baseline-scan.ts';
import { LivePast } from './live-past.ts';
import { lakeFolder, readPages } from './pages.ts';
import { answerFrom, type PastState } from './past-answer.ts';

export interface PastOptions {
  readonly dataDir: string;
  /** Opened with the first use. */
  addresses(): Promise<AddressBook | undefined>;
  readonly log: Log;
  /** Things in memory before they are written; see `Baseline.size`. */
  readonly flushAt?: number;
  /** Shards that an update reads at once, at the most. */
  readonly shardsAtOnce?: number;
}

/** Some 100 MB. */
const usualFlushAt = 1_000_000;
const mostTries = 5;

export function openPast(options: PastOptions): Past {
  const { log } = options;
  const folder = lakeFolder(options.dataDir);
  const dir = pastDir(folder);
  /** Files that `recent` has looked at. */
  const told = new Map<string, string>();
  /** Shards that this process could not read: hunts try again, updates do not. */
  const unreadable = new Set<string>();
  /** A file does not read back: the next update makes all of it again. */
  let spoilt = false;
  let updating: Promise<boolean> | undefined;

  const live = new LivePast(dir, { addresses: () => options.addresses(), log, onSpoilt });

  function onSpoilt(): void {
    spoilt = true;
  }

  async function placesOf(): Promise<string> {
    const book = await options.addresses();
    const from = wellKnown.flatMap((ip) => book?.lookUp(ip)?.from ?? []);
    return [...new Set(from.filter((name) => / database\b/.test(name)))].sort().join(', ');
  }

  /** What is kept and what is not yet. A page that cannot be used counts as none, and the log says so. `instead`: of what is there. */
  async function stateOf(instead?: PastPage): Promise<PastState> {
    const places = await placesOf();
    const { page, why } = instead ? { page: undefined, why: '' } : await readUsable();
    const { shards: pages } = await readPages(folder);
    const stored = pages.flatMap(({ shard }) => shard ?? []);
    const fault = why || (page ? mismatch(page, new Set(stored.map(({ name }) => name)), places) : '');
    if (fault !== '')
      log.warn({ why: fault }, 'the baselines cannot be used as they are, they are made again from all of the lake');
    const used = fault === '' && page ? page : { ...noPast, places };
    const known = new Set(used.shards);
    return { page: used, missing: stored.filter(({ name }) => !known.has(name)), pages, places };
  }

  async function readUsable(): Promise<{ readonly page: PastPage | undefined; readonly why: string }> {
    if (spoilt) return { page: undefined, why: 'a file of them is damaged' };
    try {
      return { page: await readPastPage(dir), why: '' };
    } catch (error) {
      if (!(error instanceof SpoiltPast)) throw error;
      return { page: undefined, why: error.message };
    }
  }

  async function updateLocked(signal: AbortSignal): Promise<boolean> {
    const now = await stateOf();
    const state = { ...now, missing: now.missing.filter(({ name }) => !unreadable.has(name)) };
    if (state.missing.length === 0 && (state.page.whole || state.pages.length === 0)) return true;
    // Without countries it would make holes in what another process has them for.
    if (state.places === '' && state.page.places !== '') return false;
    try {
      await addShards(state, signal);
    } catch (error) {
      if (!(error instanceof SpoiltPast || error instanceof GonePast)) throw error;
      log.warn(
        { why: error.message },
        'the baselines cannot be used as they are, they are made again from all of the lake',
      );
      await addShards(await stateOf(noPast), signal);
    }
    spoilt = false;
    return true;
  }

  async function addShards({ page: before, missing, pages }: PastState, signal: AbortSignal): Promise<void> {
    await tidyPast(dir);
    const addresses = await options.addresses();
    const began = performance.now();
    let page = before;
    let baseline = new Baseline(addresses);
    let read: string[] = [];
    const flushAll = async (isLast: boolean) => {
      page = await saved({ ...page, whole: page.whole || isLast }, piecesOf(baseline), read);
      baseline = new Baseline(addresses);
      read = [];
    };
    for (const group of groupsOf(missing, options.shardsAtOnce)) {
      const part = await scanGroup(group, addresses, { folder, pages, log, signal });
      baseline.merge(part.baseline);
      read.push(...part.read);
      for (const { name } of group) if (!part.read.includes(name)) unreadable.add(name);
      if (baseline.size >= (options.flushAt ?? usualFlushAt)) await flushAll(false);
    }
    if (read.length > 0 || !page.whole) await flushAll(true);
    log.info(
      { shards: missing.length, ms: Math.round(performance.now() - began) },
      'baselines were brought up to date',
    );
  }

  async function saved(page: PastPage, pieces: ReadonlyMap<string, Pieces>, names: readonly string[]) {
    const buckets = { ...page.buckets };
    for (const [bucket, piece] of pieces) {
      const before = page.buckets[bucket];
      const kept = await readBucket(dir, before);
      addPiece(kept, piece, before);
      buckets[bucket] = await writeBucket(dir, bucket, kept, before);
    }
    const next = { ...page, shards: [...page.shards, ...names].sort(), buckets };
    await writePastPage(dir, next);
    await tidyPast(dir);
    return next;
  }

  async function update(signal: AbortSignal): Promise<boolean> {
    const { shards } = await readPages(folder);
    if (shards.length === 0) return true;
    await makePastDir(dir);
    const lost = new AbortController();
    let release: () => Promise<void>;
    try {
      release = await lock(dir, {
        lockfilePath: join(dir, 'lock'),
        realpath: false,
        stale: 5_000,
        update: 1_000,
        onCompromised: () => lost.abort(new UserError('The update of the baselines stood still and lost its lock.')),
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
      return false;
    }
    try {
      return await updateLocked(AbortSignal.any([signal, lost.signal]));
    } finally {
      await release().catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ERELEASED' && error.code !== 'ENOTACQUIRED') throw error;
      });
    }
  }

  /** Once more where another process has replaced the files meanwhile. */
  async function steadily<T>(ask: (state: PastState) => Promise<T>): Promise<T> {
    for (let left = mostTries; ; left -= 1) {
      try {
        return await ask(await stateOf());
      } catch (error) {
        if (!(error instanceof GonePast) || left === 0) throw error;
      }
    }
  }

  async function broughtUpToDate({ signal, progress }: PastQuestion): Promise<void> {
    progress('Bringing the baselines up to date');
    try {
      await past.update(signal);
    } catch (error) {
      signal.throwIfAborted();
      // A folder that cannot be written is read all the same.
      log.warn({ error: asError(error).message }, 'the baselines could not be kept');
    }
  }

  const past: Past = {
    update(signal) {
      updating ??= update(signal).finally(() => {
        updating = undefined;
      });
      return updating;
    },

    async lacks() {
      const { missing } = await stateOf();
      return missing.reduce((sum, { rows }) => sum + rows, 0);
    },

    async answer(question) {
      const more = question.more ? await Array.fromAsync(question.more) : [];
      const given = { more, addresses: await options.addresses(), dir, folder, log };
      // What does not read back is made again by the second try, where it can be written.
      for (const left of [1, 0]) {
        await broughtUpToDate(question);
        try {
          return await steadily((state) => answerFrom(state, question, given));
        } catch (error) {
          if (!(error instanceof SpoiltPast || error instanceof GonePast)) throw error;
          log.warn({ why: error.message, left }, 'the baselines cannot be used');
          if (error instanceof SpoiltPast) onSpoilt();
        }
      }
      return answerFrom(await stateOf(noPast), question, given);
    },

    async recent(since, tell) {
      const page = await usablePage(dir);
      if (!page?.whole) return;
      for (const bucket of allBuckets) {
        const kept = page.buckets[bucket];
        if (kept === undefined || told.get(bucket) === kept.file) continue;
        try {
          await tell((await readBucket(dir, kept)).found().filter(({ sighting }) => sighting.at >= since));
        } catch (error) {
          // The next update makes it again, and then it is looked at.
          if (error instanceof SpoiltPast) onSpoilt();
          else if (!(error instanceof GonePast)) throw error;
          continue;
        }
        told.set(bucket, kept.file);
      }
    },

    compare: (records) => live.compare(records),
  };
  return past;
}

/** Why what is kept does not fit the lake; "" where it does. */
function mismatch(page: PastPage, names: ReadonlySet<string>, places: string): string {
  const vanished = page.shards.filter((name) => !names.has(name)).length;
  if (vanished > 0) return `${vanished} shards that are in them are gone from the lake`;
  return places !== '' && page.places !== places ? 'the databases of addresses are others' : '';
}

/** Addresses that every database knows. */
const wellKnown = ['8.8.8.8', '1.1.1.1', '9.9.9.9'];
