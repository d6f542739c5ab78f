/** Reads a source of log files into the lake: what is there already is skipped, what is bad is listed, a crash loses nothing. */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asError, UserError } from '../../contracts/errors.ts';
import type { Log } from '../../contracts/log.ts';
import type { LogObject, LogSource } from '../../contracts/log-source.ts';
import { Batch, usualShardBytes } from './batch.ts';
import { badFilesOf } from './coverage.ts';
import { DigestBook } from './digests.ts';
import { type Fetched, Fetcher } from './fetch.ts';
import { asFullDisk, takeLock } from './guard.ts';
import { layoutOf, type Selection, wanted } from './layout.ts';
import { type Maker, openMakers } from './makers.ts';
import {
  type LakeFolder,
  lakeFolder,
  makeLakeFolder,
  namesIn,
  type Pages,
  type RunPage,
  readPages,
  type ShardPage,
  writePage,
} from './pages.ts';
import { runPageOf } from './run-page.ts';

export interface ImportOptions {
  readonly source: LogSource;
  readonly dataDir: string;
  readonly selection: Selection;
  /** Public keys of digests, as `aws cloudtrail list-public-keys` prints them. */
  readonly digestKeys?: string | undefined;
  /** Unpacked bytes of a shard. */
  readonly shardBytes?: number;
  /** The source is some of what lies in its place: digests are left for a whole import, and no time is vouched for. */
  readonly isPart?: boolean;
  readonly now: () => Date;
  readonly log: Log;
  readonly signal: AbortSignal;
  onProgress?: ((progress: ImportProgress) => void) | undefined;
}

export interface ImportProgress {
  readonly files: number;
  readonly filesDone: number;
  readonly bytes: number;
  readonly bytesDone: number;
  readonly records: number;
}

export interface ImportResult {
  readonly files: number;
  readonly imported: number;
  /** Known from before, by their hash or version. */
  readonly skipped: number;
  readonly records: number;
  readonly bad: readonly { readonly path: string; readonly reason: string }[];
  readonly others: number;
  readonly run: RunPage;
}

/** Objects that are fetched while others are worked on, for each maker of shards. */
const ahead = { folder: 2, s3: 8 } as const;

/**
 * Imports everything that the selection takes. Throws UserError where another import runs on the same data folder, the source
 * cannot be read or the disk is full; what was finished by then is kept, and the next run goes on after it.
 */
export async function importLogs(options: ImportOptions): Promise<ImportResult> {
  const folder = lakeFolder(options.dataDir);
  await makeLakeFolder(folder);
  const lost = new AbortController();
  const release = await takeLock(folder, () =>
    lost.abort(
      new UserError('The import stood still for too long and lost its lock.', 'Run it again: it goes on from there.'),
    ),
  );
  const signal = AbortSignal.any([options.signal, lost.signal]);
  try {
    return await new Import({ ...options, signal }, folder).run();
  } catch (error) {
    const told = await asFullDisk(error, folder);
    // Halves of shards are of no use, least of all on a full disk.
    await rm(folder.temp, { recursive: true, force: true, maxRetries: 3 }).catch((left: unknown) =>
      options.log.warn({ error: asError(left) }, 'halves of shards are left'),
    );
    throw told;
  } finally {
    await release();
  }
}

class Import {
  readonly #options: ImportOptions;
  readonly #folder: LakeFolder;
  readonly #fetcher: Fetcher;
  readonly #unreadable: { path: string; reason: string }[] = [];
  readonly #bad: { path: string; reason: string }[] = [];
  readonly #pages: ShardPage[] = [];
  readonly #digests: DigestBook;
  /** By what failed first. */
  readonly #stopped = new AbortController();
  readonly #stop = (error: unknown) => this.#stopped.abort(error);
  readonly #signal: AbortSignal;
  #skipped = 0;
  #others = 0;
  #records = 0;
  #done = { files: 0, bytes: 0 };
  #total = { files: 0, bytes: 0 };

  constructor(options: ImportOptions, folder: LakeFolder) {
    this.#options = options;
    this.#folder = folder;
    this.#digests = new DigestBook(options.digestKeys, options.selection);
    this.#signal = AbortSignal.any([options.signal, this.#stopped.signal]);
    this.#fetcher = new Fetcher(options.source, folder, this.#digests, options.isPart === true, this.#signal);
  }

  async run(): Promise<ImportResult> {
    const startedAt = this.#options.now().toISOString();
    const before = await this.#tidy();
    const objects = await this.#list();
    await this.#importAll(objects);
    await this.#importTwins();
    const run = runPageOf({
      ...this.#options,
      startedAt,
      finishedAt: this.#options.now().toISOString(),
      vouches: !this.#options.isPart,
      objects,
      pages: [...before.shards, ...this.#pages],
      unreadable: this.#unreadable,
      digests: this.#digests.report(),
    });
    const name = `${startedAt.replaceAll(/[:.]/g, '-')}-${randomBytes(4).toString('hex')}.json`;
    // A message of an object that stays unreadable comes again and again.
    const told = new Set(badFilesOf(before, {}).map((one) => JSON.stringify(one)));
    const hasToTell = !this.#options.isPart || this.#unreadable.some((one) => !told.has(JSON.stringify(one)));
    if (hasToTell) await writePage(this.#folder.runs, name, run);
    await rm(this.#folder.temp, { recursive: true, force: true });
    return {
      files: objects.length,
      imported: this.#done.files - this.#skipped,
      skipped: this.#skipped,
      records: this.#records,
      bad: this.#bad,
      others: this.#others,
      run,
    };
  }

  /** Removes what a killed import left, and learns what is there. */
  async #tidy(): Promise<Pages> {
    await rm(this.#folder.temp, { recursive: true, force: true });
    await makeLakeFolder(this.#folder);
    const pages = await readPages(this.#folder);
    const named = new Set(pages.shards.flatMap((page) => [page.shard?.name ?? '', page.words?.name ?? '']));
    for (const name of await namesIn(this.#folder.shards)) {
      const isLeftOver = !name.endsWith('.json') && !named.has(name);
      if (isLeftOver) await rm(join(this.#folder.shards, name), { force: true });
    }
    for (const page of pages.shards) this.#fetcher.know(page);
    return pages;
  }

  async #list(): Promise<readonly LogObject[]> {
    const { source, selection, isPart, signal } = this.#options;
    const objects: LogObject[] = [];
    const note = (path: string, reason: string) => this.#unreadable.push({ path, reason });
    const isAsked = (path: string) => wanted(path, selection) && !(isPart && layoutOf(path)?.isDigest);
    for await (const object of source.list(isAsked, note, signal)) {
      objects.push(object);
      this.#total.files += 1;
      this.#total.bytes += object.size;
    }
    // Digests first: they tell whether hashes of the logs are needed.
    const digestFirst = (object: LogObject) => (layoutOf(object.path)?.isDigest ? 0 : 1);
    return objects.sort((a, b) => digestFirst(a) - digestFirst(b) || (a.path < b.path ? -1 : 1));
  }

  async #importAll(objects: readonly LogObject[]): Promise<void> {
    const makers = openMakers(this.#folder, this.#total.bytes);
    const closeAll = () => Promise.all(makers.map((maker) => maker.close()));
    // A file in work need not come to its end.
    this.#signal.addEventListener('abort', () => void closeAll(), { once: true });
    const rest = this.#fetched(objects);
    try {
      await Promise.all(makers.map((maker) => this.#fillShards(maker, rest).catch(this.#stop)));
      // Not before all have ended: nothing is to go on behind the caller's back.
      this.#signal.throwIfAborted();
    } finally {
      await closeAll();
    }
  }

  async #importTwins(): Promise<void> {
    const twins = this.#fetcher.twins(this.#pages);
    this.#skipped -= twins.length;
    this.#done.files -= twins.length;
    for (const { size } of twins) this.#done.bytes -= size;
    if (twins.length > 0) await this.#importAll(twins);
  }

  /** The next objects, each fetched as soon as it is asked for. */
  *#fetched(objects: readonly LogObject[]): Generator<Promise<Fetched | undefined>> {
    const hasDigests = objects.some((object) => layoutOf(object.path)?.isDigest);
    for (const object of objects) {
      const fetched = this.#fetch(object, hasDigests);
      // Awaited in its turn; until then a rejection must not end the process.
      fetched.catch(() => undefined);
      yield fetched;
    }
  }

  /** Takes files until there are none, and makes shards of them. */
  async #fillShards(maker: Maker, rest: Generator<Promise<Fetched | undefined>>): Promise<void> {
    const { source, shardBytes = usualShardBytes } = this.#options;
    const queue: Promise<Fetched | undefined>[] = [];
    const fill = () => {
      while (queue.length < ahead[source.kind]) {
        const { value, done } = rest.next();
        if (done) return;
        queue.push(value);
      }
    };
    const newBatch = () => new Batch({ maker, folder: this.#folder, source: source.name, shardBytes });
    let batch = newBatch();
    for (fill(); queue.length > 0; fill()) {
      const fetched = await queue.shift();
      this.#signal.throwIfAborted();
      if (fetched) await this.#add(fetched, batch);
      if (!batch.isFull) continue;
      await this.#finish(batch);
      batch = newBatch();
    }
    if (!batch.isEmpty) await this.#finish(batch);
  }

  async #finish(batch: Batch): Promise<void> {
    this.#signal.throwIfAborted();
    const at = this.#options.now().toISOString();
    const page = await batch.finish(`${at.replaceAll(/[-:.]/g, '')}-${randomBytes(4).toString('hex')}`, at);
    this.#pages.push(page);
    this.#records += page.shard?.rows ?? 0;
    for (const file of page.files) {
      if (file.verdict === 'bad') this.#bad.push({ path: file.path, reason: file.reason ?? '' });
      if (file.verdict === 'other') this.#others += 1;
      this.#done.files += 1;
      this.#done.bytes += file.size;
    }
    this.#tell();
  }

  #tell(): void {
    this.#options.onProgress?.({
      files: this.#total.files,
      filesDone: this.#done.files,
      bytes: this.#total.bytes,
      bytesDone: this.#done.bytes,
      records: this.#records,
    });
  }

  #skip(object: LogObject): undefined {
    this.#skipped += 1;
    this.#done.files += 1;
    this.#done.bytes += object.size;
    this.#tell();
  }

  /** Undefined where it is known already, or cannot be had. */
  async #fetch(object: LogObject, hashPlain: boolean): Promise<Fetched | undefined> {
    try {
      return (await this.#fetcher.fetch(object, hashPlain)) ?? this.#skip(object);
    } catch (error) {
      this.#signal.throwIfAborted();
      const code = (error as NodeJS.ErrnoException).code;
      if (!(error instanceof UserError) && (code === undefined || !/^E[A-Z]+$/.test(code) || code === 'ENOSPC'))
        throw error;
      const reason = error instanceof UserError ? error.message : `could not be read (${code})`;
      this.#unreadable.push({ path: object.path, reason });
      this.#bad.push({ path: object.path, reason });
      this.#done.files += 1;
      this.#done.bytes += object.size;
      return undefined;
    }
  }

  async #add(fetched: Fetched, batch: Batch): Promise<void> {
    if (fetched.noted) {
      if (fetched.noted.verdict !== 'digest') this.#skipped += 1;
      batch.note(fetched.noted);
      return;
    }
    const plain = await batch.add(fetched);
    if (fetched.hashPlain) this.#digests.saw(fetched.object.path, plain);
  }
}
