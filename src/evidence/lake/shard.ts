/** Writes what is in the table `batch` as one Parquet file with its words. Nothing of it counts before its page is written. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { columnTypes, groupColumn, sqlText } from './columns.ts';
import { flush, type LakeFolder, type ShardPage } from './pages.ts';
import { joinFilters, rowsPerGroup, type WordsPage, wordsKind } from './words.ts';

type ShardFacts = Pick<ShardPage, 'shard' | 'words' | 'first' | 'last' | 'accounts' | 'regions'>;

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

/** Writes and drops the table. Rejects with what DuckDB or the file system says. */
export async function writeShard(
  db: DuckDBConnection,
  folder: LakeFolder,
  name: string,
  { filters, inOrder }: Order,
): Promise<ShardFacts> {
  const { rows, first, last, accounts, regions } = await factsOf(db);
  if (rows === 0) return { accounts, regions };
  const part = join(folder.temp, `${name}.parquet`);
  // A number that no other shard has, but for bad luck, which costs a little time and no record.
  const base = randomBytes(4).readUInt32LE() * 1_048_576;
  const words = await writeWords(folder, name, filters, base);
  const names = columnTypes.map(([column]) => `"${column}"`).join(', ');
  // In the order of the groups and in small row groups, so that a question unpacks little beside what it asks for.
  await db.run(
    `COPY (SELECT grp + ${base} AS grp, ${names} FROM batch ${inOrder ? '' : 'ORDER BY grp'}) TO ${sqlText(part)}
      (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rowsPerGroup})`,
  );
  await db.run('DROP TABLE batch');
  await flush(part);
  const [{ size }, sha256] = [await stat(part), await hashOf(part)];
  await rename(part, join(folder.shards, `${name}.parquet`));
  await flush(folder.shards);
  return { shard: { name: `${name}.parquet`, rows, bytes: size, sha256 }, words, first, last, accounts, regions };
}

async function writeWords(
  folder: LakeFolder,
  shard: string,
  filters: Order['filters'],
  base: number,
): Promise<WordsPage> {
  const { bits, places } = joinFilters(filters);
  const name = `${shard}.words`;
  const bytes = Buffer.from(bits.buffer);
  await writeFile(join(folder.shards, name), bytes, { mode: 0o600, flush: true });
  const groups = places.map(([group, from, to]): [number, number, number] => [base + group, from, to]);
  return { name, kind: wordsKind, bytes: bytes.length, groups };
}

async function factsOf(db: DuckDBConnection) {
  const reader = await db.runAndReadAll(
    `SELECT count(*)::INTEGER AS rows, epoch_ms(min(event_time)) AS first, epoch_ms(max(event_time)) AS last,
      list(DISTINCT account) AS accounts, list(DISTINCT awsRegion) AS regions FROM batch`,
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
