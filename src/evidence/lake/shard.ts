/** Writes what is in the table `batch` as one Parquet file with its words. Nothing of it counts before its page is written. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { columnTypes, groupColumn, sqlText } from './columns.ts';
import { flush, type LakeFolder, type ShardPage } from './pages.ts';
import { describeShard } from './row-groups.ts';
import { joinFilters, type RowGroups, rowsPerGroup, type WordsPage, wordsKind } from './words.ts';

type ShardFacts = Pick<ShardPage, 'shard' | 'words' | 'columns' | 'first' | 'last' | 'accounts' | 'regions'>;

interface Order {
  /** Of each group in the table. */
  readonly filters: ReadonlyMap<number, Uint32Array>;
  /** True where the rows lie by group already. */
  readonly inOrder: boolean;
}

/** Makes the table that `writeShard` reads. */
export async function makeBatchTable(db: DuckDBConnection): Promise<void> {
  const columns = [groupColumn, ...columnTypes].map(([name, type]) => `"${name}" ${type}`).join(', ');
  await db.run('DROP TABLE IF EXISTS batch');
  await db.run(`CREATE TEMP TABLE batch (${columns}, odd BOOLEAN, odd_time VARCHAR)`);
}

/** A Parquet file whose rows are counted before it counts. */
export interface Draft {
  /** Rows of each file of the page. */
  readonly rows: ReadonlyMap<number, number>;
  /** Makes it the shard. Rejects with what DuckDB or the file system says. */
  keep(filters: Order['filters']): Promise<ShardFacts>;
}

/**
 * Writes the rows of a SELECT (the columns of `batch`, in the order in which they are to lie) without a table in
 * between. Rejects with what DuckDB says.
 */
export async function draftShard(
  db: DuckDBConnection,
  folder: LakeFolder,
  name: string,
  select: string,
): Promise<Draft> {
  const part = join(folder.temp, `${name}.parquet`);
  const base = shardBase();
  await copyTo(db, part, base, `(${select})`);
  const table = `read_parquet(${sqlText(part)})`;
  const counted = await db.runAndReadAll(`SELECT coalesce(file, -1), count(*)::INTEGER FROM ${table} GROUP BY ALL`);
  return {
    rows: new Map(counted.getRows().map(([file, rows]) => [Number(file), Number(rows)])),
    keep: async (filters) => keepPart(db, folder, name, part, await factsOf(db, table), filters, base),
  };
}

/** Writes and drops the table. Rejects with what DuckDB or the file system says. */
export async function writeShard(
  db: DuckDBConnection,
  folder: LakeFolder,
  name: string,
  { filters, inOrder }: Order,
): Promise<ShardFacts> {
  const facts = await factsOf(db, 'batch');
  const part = join(folder.temp, `${name}.parquet`);
  const base = shardBase();
  if (facts.rows > 0) await copyTo(db, part, base, inOrder ? 'batch' : '(SELECT * FROM batch ORDER BY grp)');
  await db.run('DROP TABLE batch');
  return keepPart(db, folder, name, part, facts, filters, base);
}

/** A number that no other shard has, but for bad luck, which costs a little time and no record. */
function shardBase(): number {
  return randomBytes(4).readUInt32LE() * 1_048_576;
}

/** In small row groups, so that a question unpacks little beside what it asks for. Level 1 packs these as well as 3 does. */
async function copyTo(db: DuckDBConnection, part: string, base: number, rows: string): Promise<void> {
  const names = columnTypes.map(([column]) => `"${column}"`).join(', ');
  await db.run(
    `COPY (SELECT grp + ${base} AS grp, ${names} FROM ${rows}) TO ${sqlText(part)}
      (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE ${rowsPerGroup})`,
  );
}

async function keepPart(
  db: DuckDBConnection,
  folder: LakeFolder,
  name: string,
  part: string,
  { rows, first, last, accounts, regions }: Awaited<ReturnType<typeof factsOf>>,
  filters: Order['filters'],
  base: number,
): Promise<ShardFacts> {
  if (rows === 0) return { accounts, regions };
  const { columns, rowGroups } = await describeShard(db, part);
  const words = await writeWords(folder, name, filters, base, rowGroups);
  await flush(part);
  const [{ size }, sha256] = [await stat(part), await hashOf(part)];
  await rename(part, join(folder.shards, `${name}.parquet`));
  await flush(folder.shards);
  return {
    shard: { name: `${name}.parquet`, rows, bytes: size, sha256 },
    words,
    columns,
    first,
    last,
    accounts,
    regions,
  };
}

async function writeWords(
  folder: LakeFolder,
  shard: string,
  filters: Order['filters'],
  base: number,
  rowGroups: RowGroups | undefined,
): Promise<WordsPage> {
  const { bits, places } = joinFilters(filters);
  const name = `${shard}.words`;
  const bytes = Buffer.from(bits.buffer);
  await writeFile(join(folder.shards, name), bytes, { mode: 0o600, flush: true });
  const groups = places.map(([group, from, to]): [number, number, number] => [base + group, from, to]);
  return { name, kind: wordsKind, bytes: bytes.length, groups, ...(rowGroups === undefined ? {} : { rowGroups }) };
}

async function factsOf(db: DuckDBConnection, table: string) {
  const reader = await db.runAndReadAll(
    `SELECT count(*)::INTEGER AS rows, epoch_ms(min(event_time)) AS first, epoch_ms(max(event_time)) AS last,
      list(DISTINCT account) AS accounts, list(DISTINCT awsRegion) AS regions FROM ${table}`,
  );
  const row = reader.getRowObjectsJS()[0] ?? {};
  const time = (value: unknown) => (value === null ? '' : new Date(Number(value)).toISOString().replace('.000Z', 'Z'));
  return {
    rows: Number(row.rows),
    first: time(row.first),
    last: time(row.last),
    accounts: textsOf(row.accounts),
    regions: textsOf(row.regions).map((text) => text.replaceAll('"', '')),
  };
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string' && one !== '').sort() : [];
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
