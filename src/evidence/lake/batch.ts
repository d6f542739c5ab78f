/** One shard in the making: prepared and careful lines in, one Parquet file and its page out. */
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import type { Log } from '../../contracts/log.ts';
import { unwrap } from '../unwrap.ts';
import { CarefulLines } from './careful-lines.ts';
import { jsonOfRow, preparedSelect } from './columns.ts';
import { cutRecords } from './cut.ts';
import { type FilePage, type LakeFolder, type ShardPage, writePage } from './pages.ts';
import { readCarefully, unpack } from './prepare.ts';
import { type Draft, draftShard, makeBatchTable, writeShard } from './shard.ts';
import { linesOf, Sheaf } from './sheaf.ts';

/** About 60,000 records, or many small files. */
export const usualShardBytes = 80 * 1024 * 1024;
const fullFiles = 20_000;

export interface BatchTools {
  readonly db: DuckDBConnection;
  readonly folder: LakeFolder;
  readonly template: string;
  readonly nonce: string;
  readonly source: string;
  readonly log: Log;
  /** Unpacked bytes of a shard. */
  readonly shardBytes: number;
}

/** How to read a file again by the careful way. */
export interface Again {
  readonly size: number;
  /** A place in the file system; the function's caller removes what it made for it. */
  open(): Promise<{ readonly file: string; close(): Promise<void> }>;
}

interface Held {
  readonly again: Again;
  /** Records in its prepared lines. */
  readonly rows: number;
  /** Records that came through the door. */
  readonly careful: readonly CloudTrailRecord[];
}

/** Of lines that were read file by file: any word may be in it. */
const looseGroup = 999_999;

export class Batch {
  readonly #tools: BatchTools;
  readonly #name: string;
  readonly #prepared: string;
  readonly #careful: CarefulLines;
  readonly #files: FilePage[] = [];
  readonly #held = new Map<number, Held>();
  readonly #sheaf = new Sheaf();
  #filters = new Map<number, Uint32Array>();

  constructor(tools: BatchTools, name: string) {
    this.#tools = tools;
    this.#name = name;
    this.#prepared = join(tools.folder.temp, `${name}.ndjson`);
    this.#careful = new CarefulLines(join(tools.folder.temp, `${name}.careful.ndjson`));
  }

  get isFull(): boolean {
    return this.#sheaf.bytes + this.#careful.bytes >= this.#tools.shardBytes || this.#files.length >= fullFiles;
  }

  get isEmpty(): boolean {
    return this.#files.length === 0;
  }

  /** Adds a file that held nothing to import. */
  note(page: FilePage): void {
    this.#files.push(page);
  }

  /** Adds a file by its unpacked content, which is kept until the end. False where it has to be added by `addCarefully`. */
  add(content: Buffer, page: Omit<FilePage, 'records' | 'verdict' | 'reason'>, again: Again): boolean {
    const number = this.#files.length;
    const cut = cutRecords(content);
    if (cut === undefined) return false;
    this.#sheaf.add(content, number, cut.rows);
    this.#files.push({ ...page, records: cut.rows.length + cut.careful.length, verdict: 'log' });
    this.#held.set(number, { again, rows: cut.rows.length, careful: cut.careful });
    return true;
  }

  async addCarefully(page: Omit<FilePage, 'records' | 'verdict' | 'reason'>, again: Again): Promise<void> {
    const number = this.#files.length;
    this.#files.push({ ...page, records: 0, verdict: 'other' });
    await this.#readAgain(number, again);
  }

  async #readAgain(number: number, again: Again): Promise<void> {
    const page = this.#files[number] as FilePage;
    const { file, close } = await again.open();
    try {
      const read = await readCarefully(file, page.path, again.size, (record) => this.#careful.add(record, number));
      const { reason: _former, ...rest } = page;
      this.#files[number] = {
        ...rest,
        records: read.records,
        verdict: read.verdict,
        ...(read.reason === undefined ? {} : { reason: read.reason }),
      };
    } finally {
      await close();
    }
  }

  /** Writes the shard and its page. Rejects with what DuckDB or the file system says; nothing of it counts then. */
  async finish(importedAt: string): Promise<ShardPage> {
    const { folder, source } = this.#tools;
    try {
      this.#filters = await this.#writePrepared();
      const page: ShardPage = {
        version: 1,
        source,
        importedAt,
        ...((await this.#writeStraight()) ?? (await this.#writeByTable())),
        files: this.#files,
      };
      await writePage(folder.shards, `${this.#name}.json`, page);
      return page;
    } finally {
      await this.discard();
    }
  }

  /**
   * The usual way: from the lines into the shard. Undefined where any line is not as usual, which the other way looks into; then
   * nothing of it was kept.
   */
  async #writeStraight(): Promise<Awaited<ReturnType<Draft['keep']>> | undefined> {
    const { db, folder, template, nonce, log } = this.#tools;
    const mark = this.#careful.mark();
    for (const [number, { careful }] of this.#held) for (const record of careful) this.#careful.add(record, number);
    const careful = this.#careful.select();
    const selects = [
      ...(this.#sheaf.rows > 0
        ? [`SELECT * FROM (${preparedSelect(template, this.#prepared, nonce)}) WHERE NOT odd`]
        : []),
      ...(careful === undefined ? [] : [`SELECT * FROM (${careful}) ORDER BY grp`]),
    ];
    if (selects.length === 0) return undefined;
    let draft: Draft | undefined;
    try {
      draft = await draftShard(db, folder, this.#name, selects.map((one) => `(${one})`).join(' UNION ALL '));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== undefined) throw error;
      log.info({ error: String(error).slice(0, 200) }, 'a batch was refused and is looked into');
    }
    if (draft && this.#isAsCut(draft.rows)) return draft.keep(this.#allFilters());
    this.#careful.cutBack(mark);
    return undefined;
  }

  /** True where every file has as many rows as were cut from it or kept of it. */
  #isAsCut(rows: ReadonlyMap<number, number>): boolean {
    const cut = (number: number) => this.#files[number]?.records ?? 0;
    return (
      [...rows].every(([number, n]) => cut(number) === n) &&
      this.#files.every((file, i) => (rows.get(i) ?? 0) === file.records)
    );
  }

  #allFilters(): Map<number, Uint32Array> {
    for (const [group, filter] of this.#careful.takeFilters()) this.#filters.set(group, filter);
    return this.#filters;
  }

  async #writeByTable(): Promise<Awaited<ReturnType<Draft['keep']>>> {
    const { db, folder } = this.#tools;
    await makeBatchTable(db);
    if (this.#held.size > 0) await this.#loadPrepared();
    const careful = this.#careful.select();
    if (careful !== undefined) await this.#run(`INSERT INTO batch ${careful}`);
    const inOrder = careful === undefined && !this.#filters.has(looseGroup);
    return writeShard(db, folder, this.#name, { filters: this.#allFilters(), inOrder });
  }

  async #writePrepared(): Promise<Map<number, Uint32Array>> {
    const file = await open(this.#prepared, 'wx', 0o600);
    try {
      return await this.#sheaf.write(file);
    } finally {
      await file.close();
    }
  }

  async #run(sql: string): Promise<void> {
    await this.#tools.db.run(sql);
  }

  async #loadPrepared(): Promise<void> {
    const { template, nonce, log } = this.#tools;
    const back = new Set<number>();
    try {
      if (this.#sheaf.rows > 0) await this.#run(`INSERT INTO batch ${preparedSelect(template, this.#prepared, nonce)}`);
    } catch (error) {
      // One line that is not as it should be fails them all: each file by itself finds out whose it is.
      log.info({ error: String(error).slice(0, 200) }, 'a batch was refused and is read file by file');
      await this.#run('DELETE FROM batch');
      this.#filters.clear();
      this.#filters.set(looseGroup, new Uint32Array(1).fill(0xffffffff));
      await this.#loadOneByOne(back);
    }
    await this.#checkCounts(back);
    await this.#readOddRows(back);
    for (const number of back) {
      await this.#run(`DELETE FROM batch WHERE file = ${number}`);
      const held = this.#held.get(number) as Held;
      await this.#readAgain(number, held.again);
    }
    await this.#run('DELETE FROM batch WHERE odd');
  }

  async #loadOneByOne(back: Set<number>): Promise<void> {
    const { template, nonce } = this.#tools;
    const single = `${this.#prepared}.one`;
    for (const [number, { again }] of this.#held) {
      try {
        await writeFile(single, await linesAgain(again, number), { mode: 0o600 });
        await this.#run(`INSERT INTO batch ${preparedSelect(template, single, nonce)}`);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== undefined) throw error;
        back.add(number);
      }
    }
    await rm(single, { force: true });
  }

  async #checkCounts(back: Set<number>): Promise<void> {
    const counts = new Map<number, number>();
    const reader = await this.#tools.db.runAndReadAll('SELECT file, count(*)::INTEGER AS n FROM batch GROUP BY file');
    for (const { file, n } of reader.getRowObjectsJS()) counts.set(Number(file), Number(n));
    for (const [number, { rows }] of this.#held) if ((counts.get(number) ?? 0) !== rows) back.add(number);
    // A number that no file has: the line was not ours.
    const strangers = [...counts.keys()].filter((number) => !this.#held.has(number));
    for (const number of strangers) await this.#run(`DELETE FROM batch WHERE file IS NOT DISTINCT FROM ${number}`);
  }

  /** Rows that the door has to see: those with secrets, and those that are not as usual. */
  async #readOddRows(back: Set<number>): Promise<void> {
    const reader = await this.#tools.db.runAndReadAll(
      'SELECT *, epoch_ms(event_time) AS event_ms FROM batch WHERE odd',
    );
    for (const row of reader.getRowObjects()) {
      const number = Number(row.file);
      if (back.has(number)) continue;
      const found: CloudTrailRecord[] = [];
      let whole = true;
      const notOne = () => {
        whole = false;
      };
      unwrap(JSON.parse(jsonOfRow(row)), {
        record: (record) => found.push(record),
        digest: notOne,
        other: notOne,
        nearly: notOne,
      });
      // An id made of the content needs all of it, fields that are null too, which a row does not have.
      if (!whole || found.length !== 1 || found[0]?.eventID.startsWith('sha256-')) {
        back.add(number);
        continue;
      }
      for (const record of found) this.#pending.push([record, number]);
    }
    for (const [record, number] of this.#pending) if (!back.has(number)) this.#careful.add(record, number);
    this.#pending = [];
    for (const [number, { careful }] of this.#held)
      if (!back.has(number)) for (const record of careful) this.#careful.add(record, number);
  }

  #pending: [CloudTrailRecord, number][] = [];

  async discard(): Promise<void> {
    await rm(this.#prepared, { force: true });
    await this.#careful.discard();
  }
}

/** The prepared lines of a file, from its place: those of a batch are not kept. */
async function linesAgain(again: Again, number: number): Promise<Buffer> {
  const { file, close } = await again.open();
  try {
    const plain = await unpack(await readFile(file), false);
    const rows = plain && cutRecords(plain.content)?.rows;
    return rows ? linesOf(plain.content, rows, number, looseGroup) : Buffer.alloc(0);
  } finally {
    await close();
  }
}
