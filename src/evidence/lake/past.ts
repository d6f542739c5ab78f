/** The kept past of every principal in the lake: added to shard by shard, asked by hunts, compared with what comes in. */
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import type { AddressBook } from '../../contracts/address.ts';
import type { BaselineHistory, Past, PastAnswer, PastFinding, PastQuestion } from '../../contracts/baseline.ts';
import { asError, UserError } from '../../contracts/errors.ts';
import type { Log } from '../../contracts/log.ts';
import { Baseline, joinedHistory } from '../../domain/baseline/baseline.ts';
import { groupsOf, scanGroup } from './baseline-scan.ts';
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
  writeBucket,
  writePastPage,
} from './baseline-files.ts';
import { LivePast } from './live-past.ts';
import { lakeFolder, readPages, type ShardPage } from './pages.ts';

export interface PastOptions {
  readonly dataDir: string;
  /** Opened with the first use. */
  addresses(): Promise<AddressBook | undefined>;
  readonly log: Log;
  /** Things in memory before they are written; see `Baseline.size`. */
  readonly flushAt?: number;
}

type Stored = NonNullable<ShardPage['shard']>;

interface State {
  readonly page: PastPage;
  /** Shards of the lake that the page does not have. */
  readonly missing: readonly Stored[];
  readonly pages: readonly ShardPage[];
  readonly places: string;
}

/** Some 100 MB. */
const usualFlushAt = 1_000_000;
const mostTries = 5;

export function openPast(options: PastOptions): Past {
  const { log } = options;
  const folder = lakeFolder(options.dataDir);
  const dir = pastDir(folder);
  const live = new LivePast(dir, () => options.addresses(), log);
  /** Files that `recent` has looked at. */
  const told = new Map<string, string>();
  /** Shards that this process could not read: hunts try again, updates do not. */
  const unreadable = new Set<string>();
  let updating: Promise<boolean> | undefined;

  async function placesOf(): Promise<string> {
    const book = await options.addresses();
    const from = wellKnown.flatMap((ip) => book?.lookUp(ip)?.from ?? []);
    return [...new Set(from.filter((name) => / database\b/.test(name)))].sort().join(', ');
  }

  /** What is kept and what is not yet. A page that cannot be used counts as none, and the log says so. */
  async function stateOf(): Promise<State> {
    const places = await placesOf();
    let page: PastPage | undefined;
    let why = '';
    try {
      page = await readPastPage(dir);
    } catch (error) {
      if (!(error instanceof SpoiltPast)) throw error;
      why = error.message;
    }
    const { shards: pages } = await readPages(folder);
    const stored = pages.flatMap(({ shard }) => shard ?? []);
    const names = new Set(stored.map(({ name }) => name));
    const vanished = page?.shards.filter((name) => !names.has(name)).length ?? 0;
    if (vanished > 0) why = `${vanished} shards that are in it are gone from the lake`;
    else if (page && places !== '' && page.places !== places) why = 'the databases of addresses are others';
    if (why !== '') {
      log.warn({ why }, 'the baselines cannot be used as they are, they are made again from all of the lake');
      page = undefined;
    }
    const known = new Set(page?.shards);
    return {
      page: page ?? { ...noPast, places },
      missing: stored.filter(({ name }) => !known.has(name)),
      pages,
      places,
    };
  }

  async function updateLocked(signal: AbortSignal): Promise<boolean> {
    const now = await stateOf();
    const state = { ...now, missing: now.missing.filter(({ name }) => !unreadable.has(name)) };
    if (state.missing.length === 0) return true;
    // Without countries it would make holes in what another process has them for.
    if (state.places === '' && state.page.places !== '') return false;
    try {
      await addShards(state, signal);
    } catch (error) {
      if (!(error instanceof SpoiltPast || error instanceof GonePast)) throw error;
      log.warn({ why: error.message }, 'the baselines cannot be used as they are, they are made again from all of the lake');
      const missing = state.pages.flatMap(({ shard }) => shard ?? []);
      await addShards({ ...state, page: { ...noPast, places: state.places }, missing }, signal);
    }
    return true;
  }

  async function addShards({ page: before, missing, pages }: State, signal: AbortSignal): Promise<void> {
    await tidyPast(dir, before);
    const addresses = await options.addresses();
    const began = performance.now();
    let page = before;
    let baseline = new Baseline(addresses);
    let read: string[] = [];
    const flushAll = async () => {
      page = await saved(page, piecesOf(baseline), read);
      baseline = new Baseline(addresses);
      read = [];
    };
    for (const group of groupsOf(missing)) {
      const part = await scanGroup(group, addresses, { folder, pages, log, signal });
      baseline.merge(part.baseline);
      read.push(...part.read);
      for (const { name } of group) if (!part.read.includes(name)) unreadable.add(name);
      if (baseline.size >= (options.flushAt ?? usualFlushAt)) await flushAll();
    }
    if (read.length > 0) await flushAll();
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
    await tidyPast(dir, next);
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
  async function steadily<T>(ask: (state: State) => Promise<T>): Promise<T> {
    for (let left = mostTries; ; left -= 1) {
      try {
        return await ask(await stateOf());
      } catch (error) {
        if (!(error instanceof GonePast) || left === 0) throw error;
      }
    }
  }

  async function answerFrom({ page, missing, pages }: State, question: PastQuestion): Promise<PastAnswer> {
    const { signal, progress } = question;
    const addresses = await options.addresses();
    const delta = new Baseline(addresses);
    const gaps: string[] = [];
    let read = 0;
    for (const group of groupsOf(missing)) {
      progress(`Baselines: ${read} of ${missing.length} new parts of the lake read`);
      const part = await scanGroup(group, addresses, { folder, pages, log, signal });
      delta.merge(part.baseline);
      read += part.read.length;
    }
    const unread = missing.length - read;
    if (unread > 0) gaps.push(`baselines: ${unread} parts of the lake could not be read`);
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
    const countries = page.places !== '' || history.countries;
    return { found, history: { ...history, countries, ...(evicted > 0 ? { evicted } : {}) }, gaps };
  }

  const past: Past = {
    update(signal) {
      updating ??= update(signal).finally(() => {
        updating = undefined;
      });
      return updating;
    },

    async answer(question) {
      question.progress('Bringing the baselines up to date');
      try {
        await past.update(question.signal);
      } catch (error) {
        question.signal.throwIfAborted();
        // A folder that cannot be written is read all the same.
        log.warn({ error: asError(error).message }, 'the baselines could not be kept');
      }
      try {
        return await steadily((state) => answerFrom(state, question));
      } catch (error) {
        if (!(error instanceof SpoiltPast)) throw error;
        log.warn({ why: error.message }, 'the baselines cannot be used, all of the lake is read');
        return steadily((state) => {
          const missing = state.pages.flatMap(({ shard }) => shard ?? []);
          return answerFrom({ ...state, page: { ...noPast, places: state.places }, missing }, question);
        });
      }
    },

    async recent(since, tell) {
      let page: PastPage | undefined;
      try {
        page = await readPastPage(dir);
      } catch (error) {
        if (error instanceof SpoiltPast) return;
        throw error;
      }
      for (const bucket of allBuckets) {
        const kept = page?.buckets[bucket];
        if (kept === undefined || told.get(bucket) === kept.file) continue;
        try {
          await tell((await readBucket(dir, kept)).found().filter(({ sighting }) => sighting.at >= since));
        } catch (error) {
          // The next update makes it again, and then it is looked at.
          if (error instanceof GonePast || error instanceof SpoiltPast) continue;
          throw error;
        }
        told.set(bucket, kept.file);
      }
    },

    compare: (records) => live.compare(records),
  };
  return past;
}

/** Addresses that every database knows. */
const wellKnown = ['8.8.8.8', '1.1.1.1', '9.9.9.9'];

function isAsked({ sighting: { at, account, region } }: PastFinding, question: PastQuestion): boolean {
  const { from, to, accounts, regions } = question;
  return (
    (from === undefined || at >= Date.parse(from)) &&
    (to === undefined || at < Date.parse(to)) &&
    (accounts === undefined || account === '' || accounts.includes(account)) &&
    (regions === undefined || region === '' || regions.includes(region))
  );
}
