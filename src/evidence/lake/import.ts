/** Reads a source of log files into the lake: what is there already is skipped, what is bad is listed, a crash loses nothing. */
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import pLimit from 'p-limit';
import { UserError } from '../../contracts/errors.ts';
import type { Log } from '../../contracts/log.ts';
import type { LogObject, LogSource } from '../../contracts/log-source.ts';
import { Batch, type BatchTools, usualShardBytes } from './batch.ts';
import { templateLine } from './columns.ts';
import { DigestBook } from './digests.ts';
import { type Fetched, Fetcher } from './fetch.ts';
import { asFullDisk, takeLock } from './guard.ts';
import { layoutOf, type Selection, wanted } from './layout.ts';
import {
  type LakeFolder,
  lakeFolder,
  makeLakeFolder,
  namesIn,
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

/** Fetches and unpacks ahead of DuckDB. */
const ahead = { folder: 3, s3: 16 } as const;

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
      new UserError(
        'The import stood still for too long and lost its lock.',
        'Run it again: it goes on where it stopped.',
      ),
    ),
  );
  const signal = AbortSignal.any([options.signal, lost.signal]);
  try {
    return await new Import({ ...options, signal }, folder).run();
  } catch (error) {
    throw await asFullDisk(error, folder);
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
  #skipped = 0;
  #others = 0;
  #records = 0;
  #done = { files: 0, bytes: 0 };
  #total = { files: 0, bytes: 0 };

  constructor(options: ImportOptions, folder: LakeFolder) {
    this.#options = options;
    this.#folder = folder;
    this.#digests = new DigestBook(options.digestKeys);
    this.#fetcher = new Fetcher(options.source, folder, this.#digests, options.signal);
  }

  async run(): Promise<ImportResult> {
    const startedAt = this.#options.now().toISOString();
    const before = await this.#tidy();
    const objects = await this.#list();
    const nonce = randomBytes(12).toString('hex');
    const template = join(this.#folder.temp, 'template.ndjson');
    await writeFile(template, templateLine(nonce));
    const instance = await DuckDBInstance.create(':memory:', {
      // With two, each waits for the other for as long as it works; this process has other things to do meanwhile.
      threads: '1',
      memory_limit: '256MB',
      temp_directory: join(this.#folder.temp, 'duckdb'),
      // The lines are in the order in which they are to lie.
      preserve_insertion_order: 'true',
    });
    const db = await instance.connect();
    try {
      const tools = {
        db,
        folder: this.#folder,
        template,
        nonce,
        source: this.#options.source.name,
        log: this.#options.log,
        shardBytes: this.#options.shardBytes ?? usualShardBytes,
      };
      await this.#importAll(objects, tools);
    } finally {
      db.closeSync();
      instance.closeSync();
    }
    const { source, selection } = this.#options;
    const run = runPageOf({
      source,
      selection,
      startedAt,
      finishedAt: this.#options.now().toISOString(),
      vouches: !this.#options.isPart,
      objects,
      pages: [...before, ...this.#pages],
      unreadable: this.#unreadable,
      digests: this.#digests.report(),
    });
    const hasToTell = !this.#options.isPart || this.#unreadable.length > 0;
    if (hasToTell)
      await writePage(this.#folder.runs, `${startedAt.replaceAll(/[:.]/g, '-')}-${nonce.slice(0, 8)}.json`, run);
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
  async #tidy(): Promise<readonly ShardPage[]> {
    await rm(this.#folder.temp, { recursive: true, force: true });
    await makeLakeFolder(this.#folder);
    const { shards } = await readPages(this.#folder);
    const named = new Set(shards.flatMap((page) => [page.shard?.name ?? '', page.words?.name ?? '']));
    for (const name of await namesIn(this.#folder.shards)) {
      const isLeftOver = !name.endsWith('.json') && !named.has(name);
      if (isLeftOver) await rm(join(this.#folder.shards, name), { force: true });
    }
    for (const page of shards) this.#fetcher.know(page);
    return shards;
  }

  async #list(): Promise<readonly LogObject[]> {
    const { source, selection, signal } = this.#options;
    const objects: LogObject[] = [];
    const note = (path: string, reason: string) => this.#unreadable.push({ path, reason });
    const isAsked = (path: string) => wanted(path, selection) && !(this.#options.isPart && layoutOf(path)?.isDigest);
    for await (const object of source.list(isAsked, note, signal)) {
      objects.push(object);
      this.#total.files += 1;
      this.#total.bytes += object.size;
    }
    // Digests first: they tell whether hashes of the logs are needed.
    const digestFirst = (object: LogObject) => (layoutOf(object.path)?.isDigest ? 0 : 1);
    return objects.sort((a, b) => digestFirst(a) - digestFirst(b) || (a.path < b.path ? -1 : 1));
  }

  async #importAll(objects: readonly LogObject[], tools: BatchTools): Promise<void> {
    const hasDigests = objects.some((object) => layoutOf(object.path)?.isDigest);
    const limit = pLimit(ahead[this.#options.source.kind]);
    const queue: Promise<Fetched | undefined>[] = [];
    let next = 0;
    const fill = () => {
      while (queue.length < ahead[this.#options.source.kind] && next < objects.length) {
        const object = objects[next++] as LogObject;
        const fetched = limit(() => this.#fetch(object, hasDigests));
        // Awaited in its turn; until then a rejection must not end the process.
        fetched.catch(() => undefined);
        queue.push(fetched);
      }
    };
    let batch = this.#newBatch(tools);
    let writing: Promise<void> = Promise.resolve();
    try {
      for (fill(); queue.length > 0; fill()) {
        const fetched = await queue.shift();
        this.#options.signal.throwIfAborted();
        if (fetched) await this.#add(fetched, batch);
        if (!batch.isFull) continue;
        await writing;
        const full = batch;
        writing = this.#finish(full);
        writing.catch(() => undefined);
        batch = this.#newBatch(tools);
      }
      await writing;
      if (batch.isEmpty) await batch.discard();
      else await this.#finish(batch);
    } catch (error) {
      await Promise.allSettled([writing, ...queue]);
      await batch.discard();
      throw error;
    }
  }

  #newBatch(tools: BatchTools): Batch {
    const stamp = this.#options.now().toISOString().replaceAll(/[-:.]/g, '');
    return new Batch(tools, `${stamp}-${randomBytes(4).toString('hex')}`);
  }

  async #finish(batch: Batch): Promise<void> {
    const page = await batch.finish(this.#options.now().toISOString());
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
    return undefined;
  }

  /** Undefined where it is known already, or cannot be had. */
  async #fetch(object: LogObject, hashPlain: boolean): Promise<Fetched | undefined> {
    try {
      return (await this.#fetcher.fetch(object, hashPlain)) ?? this.#skip(object);
    } catch (error) {
      this.#options.signal.throwIfAborted();
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

  async #add({ object, page, again, content }: Fetched, batch: Batch): Promise<void> {
    if (layoutOf(object.path)?.isDigest && content) {
      batch.note({ ...page, records: 0, verdict: 'digest' });
    } else if (content === undefined || !batch.add(content, page, again)) {
      await batch.addCarefully(page, again);
    }
  }
}
