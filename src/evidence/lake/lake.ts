/**
 * Evidence from the lake: shards of Parquet in the data folder. Questions with a word that few row groups hold are answered from
 * these alone, all others by DuckDB, which is loaded by the first of them. Readers take no lock.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Artifact } from '../../contracts/artifact.ts';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import type { Narrowing, Told } from '../../contracts/condition.ts';
import { asError, UserError } from '../../contracts/errors.ts';
import type { AddressUse, Coverage, Evidence } from '../../contracts/evidence.ts';
import type { Log } from '../../contracts/log.ts';
import { compareRecords } from '../../domain/record.ts';
import { createRecordIndex } from '../record-index.ts';
import { type Row, recordOfRow } from './columns.ts';
import type { ColumnTest, GroupPlace } from './group-reader.ts';
import { groupThreads } from './group-threads.ts';
import { limitsOf } from './limits.ts';
import { type Condition, conditionFor } from './needle.ts';
import { lakeFolder, type Pages, readPages } from './pages.ts';
import { placesOf, splitPlaces } from './places.ts';
import type { Reader, Shard } from './reader.ts';
import { sessionCoverage } from './session-coverage.ts';
import { picksOf, tableOf, usableShards } from './shards.ts';

export interface LakeOptions {
  readonly dataDir: string;
  /** ISO 8601 UTC, half-open; an absent bound is open. */
  readonly window: { readonly from?: string | undefined; readonly to?: string | undefined };
  /** Only these, where given. Records that name no account or Region stay. */
  readonly accounts?: readonly string[] | undefined;
  readonly regions?: readonly string[] | undefined;
  /** Records kept in memory. */
  readonly maxEvents: number;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export interface LakeEvidence extends Evidence {
  all: NonNullable<Evidence['all']>;
  /** Gives the memory back; the session must not be asked after that. */
  close(): void;
}

/**
 * Opens a session on what the lake holds now; later imports are for later sessions. Answers are those that the folder source
 * gives for the same records. Throws UserError where there is no lake. `recordsOf` rejects when the signal aborts.
 */
export async function openLakeEvidence(options: LakeOptions): Promise<LakeEvidence> {
  const folder = lakeFolder(options.dataDir);
  const pages = await readPages(folder);
  if (pages.shards.length === 0 && pages.runs.length === 0) {
    throw new UserError(
      'There is no lake in the data folder.',
      'Fill it with: firebreak import DIR|s3://bucket/prefix',
    );
  }
  const { shards, lost } = await usableShards(folder, pages.shards, options.window);
  return new LakeSession(options, { ...pages, damaged: [...pages.damaged, ...lost] }, shards);
}

class LakeSession implements LakeEvidence {
  readonly #options: LakeOptions;
  readonly #pages: Pages;
  readonly #shards: readonly Shard[];
  #reader: Promise<Reader> | undefined;
  readonly #index = createRecordIndex();
  readonly #asked = new Map<string, Promise<void>>();
  readonly #limits: { readonly sql: readonly string[]; readonly values: Record<string, string> };
  #truncated = false;
  #damagedRows = 0;
  #failure: string | undefined;
  #queries = 0;
  /** Records of the window, where it was read as a whole. */
  #scanned = 0;

  constructor(options: LakeOptions, pages: Pages, shards: readonly Shard[]) {
    this.#options = options;
    this.#pages = pages;
    this.#shards = shards;
    this.#limits = limitsOf(options);
  }

  async recordsOf(artifact: Artifact) {
    this.#options.signal.throwIfAborted();
    const key = JSON.stringify([artifact.kind === 'event', artifact.id]);
    const asked = this.#asked.get(key) ?? this.#ask(artifact);
    this.#asked.set(key, asked);
    await asked;
    return this.#index.recordsOf(artifact);
  }

  async addressUse(ip: string, moreThan: number): Promise<AddressUse | undefined> {
    this.#options.signal.throwIfAborted();
    const where = await placesOf(this.#shards, conditionFor({ kind: 'ip', id: ip }).word?.text);
    if (where.shards.length === 0) return undefined;
    this.#queries += 1;
    const table = tableOf(where.shards);
    const picks = picksOf(where.shards);
    const conditions = [...where.sql, ...this.#limits.sql];
    const values = { ...this.#limits.values, ip };
    return this.#orFailure(async () => {
      const connection = await this.#connection();
      const { addressUseIn } = await import('./address-use.ts');
      return addressUseIn(connection, {
        ip,
        moreThan,
        table,
        conditions,
        values,
        read: async (condition) => {
          const sql = `SELECT ${picks} FROM ${table} WHERE ${[...conditions, condition].join(' AND ')}`;
          const reader = await connection.runAndReadAll(sql, values);
          return [...this.#records(reader.getRowObjects())];
        },
      });
    });
  }

  async holding(text: string): Promise<readonly CloudTrailRecord[]> {
    this.#options.signal.throwIfAborted();
    if (this.#shards.length === 0) return [];
    const { maxEvents, signal, log } = this.#options;
    this.#queries += 1;
    const found = createRecordIndex();
    let isFull = false;
    await this.#orFailure(async () => {
      const { holdsText } = await import('../../domain/text-search.ts');
      const { searchLake } = await import('./search.ts');
      const limits = { only: this.#options, ...this.#limits, rows: maxEvents + 1 };
      const question = { text, shards: this.#shards, limits, signal, log };
      for await (const rows of searchLake(question, () => this.#connection(), this.#onDamage)) {
        for (const record of this.#records(rows)) {
          if (!holdsText(record, text)) continue;
          if (found.size() < maxEvents) found.add(record);
          else if (!found.has(record)) isFull = true;
        }
        if (isFull) break;
      }
    });
    this.#truncated ||= isFull;
    return [...found.all()].sort(compareRecords);
  }

  async #ask(artifact: Artifact): Promise<void> {
    const condition = conditionFor(artifact);
    const { word } = condition;
    const { near, far } = await splitPlaces(this.#shards, word?.text);
    if (near.length === 0 && far.length === 0) return;
    this.#queries += 1;
    await this.#orFailure(async () => {
      const isRead = near.length === 0 || (await this.#askGroups(near, word?.anyOf ?? []));
      const rest = isRead ? far : this.#shards;
      if (rest.length > 0) await this.#askDuckDb(condition, rest);
    });
  }

  /** False where DuckDB has to be asked instead. */
  async #askGroups(near: readonly GroupPlace[], anyOf: readonly ColumnTest[]): Promise<boolean> {
    const { signal, log } = this.#options;
    const question = { anyOf, limits: this.#options, checksAll: true, signal, onDamage: this.#onDamage };
    try {
      for await (const rows of groupThreads.rowsIn(near, question)) {
        this.#keep(rows);
        if (this.#truncated && this.#index.size() >= this.#options.maxEvents) break;
      }
      return true;
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ error: asError(error) }, 'row groups of the lake were not as expected, DuckDB is asked');
      return false;
    }
  }

  async #askDuckDb({ sql, values, word }: Condition, shards: readonly Shard[]): Promise<void> {
    const where = await placesOf(shards, word?.text);
    if (where.shards.length === 0) return;
    const connection = await this.#connection();
    const room = this.#options.maxEvents - this.#index.size();
    // Where the groups have fewer rows than that anyway, DuckDB need not count.
    const most = Math.max(0, room) + this.#index.size() + 1;
    const reader = await connection.runAndReadAll(
      `SELECT ${picksOf(where.shards)} FROM ${tableOf(where.shards)}
        WHERE ${[...where.sql, `(${sql})`, ...this.#limits.sql].join(' AND ')} ${where.rows <= most ? '' : `LIMIT ${most}`}`,
      { ...values, ...this.#limits.values },
    );
    this.#keep(reader.getRowObjects());
  }

  #keep(rows: readonly Row[]): void {
    for (const record of this.#records(rows)) {
      if (this.#index.size() < this.#options.maxEvents) this.#index.add(record);
      else if (!this.#index.has(record)) this.#truncated = true;
    }
  }

  /** DuckDB for these shards; it is loaded with the first question that needs it. */
  async #connection(): Promise<DuckDBConnection> {
    this.#reader ??= this.#open().then((reader) => {
      this.#options.signal.addEventListener('abort', () => reader.connection?.interrupt(), { once: true });
      return reader;
    });
    return connectionOf(await this.#reader);
  }

  async #open(): Promise<Reader> {
    const { openReader } = await import('./reader.ts');
    return openReader(lakeFolder(this.#options.dataDir), this.#shards);
  }

  *#records(rows: readonly Row[]): Generator<CloudTrailRecord> {
    for (const row of rows) {
      const record = recordOfRow(row);
      if (record === undefined) this.#damagedRows += 1;
      else yield record;
    }
  }

  /** DuckDB's errors are plain ones; what it could not read is not looked at. */
  async #orFailure<T>(ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (error) {
      this.#noteFailure(error);
      return undefined;
    }
  }

  readonly #onDamage = (reason: string): void => this.#noteFailure(new Error(reason));

  #noteFailure(error: unknown): void {
    this.#options.signal.throwIfAborted();
    this.#failure = (error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, 200) ?? '';
    this.#options.log.error({ error: this.#failure }, 'the lake could not be asked');
  }

  /** Reads on a connection of its own, so that questions may be asked in between. Nothing is kept, so there is no cap. */
  async *all(narrowing?: Narrowing, told?: Told): AsyncGenerator<CloudTrailRecord> {
    const { log, signal } = this.#options;
    if (this.#shards.length === 0) return;
    this.#queries += 1;
    let reader: Reader | undefined;
    const interrupt = () => reader?.connection?.interrupt();
    signal.addEventListener('abort', interrupt, { once: true });
    try {
      const { scanLake } = await import('./scan.ts');
      reader = await this.#open();
      yield* scanLake({
        connection: connectionOf(reader),
        shards: this.#shards.map((shard) => shard.path),
        limits: this.#limits,
        narrowing,
        told,
        log,
        signal,
        onCount: (records) => {
          this.#scanned = Math.max(this.#scanned, records);
        },
        onDamage: () => {
          this.#damagedRows += 1;
        },
      });
    } catch (error) {
      this.#noteFailure(error);
    } finally {
      signal.removeEventListener('abort', interrupt);
      reader?.close();
    }
  }

  progress() {
    return {
      regionsDone: 1,
      regions: 1,
      eventsRead: Math.max(this.#index.size(), this.#scanned),
      requests: this.#queries,
    };
  }

  coverage(): Coverage {
    return sessionCoverage(this.#pages, this.#options, {
      events: Math.max(this.#index.size(), this.#scanned),
      truncated: this.#truncated,
      damagedRows: this.#damagedRows,
      failure: this.#failure,
    });
  }

  close(): void {
    // Whoever waited for it has been told of what failed.
    void Promise.allSettled([this.#reader?.then((reader) => reader.close())]);
  }
}

function connectionOf({ connection }: Reader): DuckDBConnection {
  if (connection === undefined) throw new Error('there are no shards to ask');
  return connection;
}
