/**
 * Where the row groups of a shard lie, kept on its page so that a question reads single ones without the file's footer, and with
 * a checksum, so that a damaged one is told and not believed.
 */
import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { DuckDBConnection } from '@duckdb/node-api';
import { sqlText } from './columns.ts';
import type { RowGroup, RowGroups } from './words.ts';

/** What the file says of one column of one row group. */
interface Chunk {
  readonly group: number;
  readonly rows: number;
  readonly column: string;
  readonly packing: string;
  /** Where its first page begins, and how long all of them are. */
  readonly from: number;
  readonly bytes: number;
  /** Rows without a value. */
  readonly nulls: number;
  /** The lowest and the highest value; only of `grp`. */
  readonly lowest: number;
  readonly highest: number;
}

/** What a Parquet file that DuckDB wrote says of itself: columns in which anything stands, and its row groups. */
export async function describeShard(
  db: DuckDBConnection,
  path: string,
): Promise<{ readonly columns: string[]; readonly rowGroups: RowGroups | undefined }> {
  const reader = await db.runAndReadAll(
    `SELECT row_group_id, row_group_num_rows, path_in_schema, compression, coalesce(dictionary_page_offset, data_page_offset),
      total_compressed_size, coalesce(stats_null_count, 0), CASE WHEN path_in_schema = 'grp' THEN stats_min_value END,
      CASE WHEN path_in_schema = 'grp' THEN stats_max_value END
      FROM parquet_metadata(${sqlText(path)}) ORDER BY row_group_id, column_id`,
  );
  const chunks = reader.getRows().map((row): Chunk => {
    const [group, rows, column, packing, from, bytes, nulls, lowest, highest] = row;
    const numbers = { group: Number(group), rows: Number(rows), from: Number(from), bytes: Number(bytes) };
    const bounds = { lowest: Number(lowest ?? Number.NaN), highest: Number(highest ?? Number.NaN) };
    return { ...numbers, column: String(column), packing: String(packing), nulls: Number(nulls), ...bounds };
  });
  const columns = new Set(chunks.filter(({ nulls, rows }) => nulls < rows).map(({ column }) => column));
  return { columns: [...columns].sort(), rowGroups: await rowGroupsOf(path, chunks) };
}

/** Undefined where the chunks do not lie as the reader expects them. */
async function rowGroupsOf(path: string, chunks: readonly Chunk[]): Promise<RowGroups | undefined> {
  const columns = chunks.filter(({ group }) => group === 0).map(({ column }) => column);
  const places: RowGroup[] = [];
  const file = await open(path, 'r');
  try {
    for (let at = 0; at < chunks.length; at += columns.length) {
      const mine = chunks.slice(at, at + columns.length);
      const first = mine[0] as Chunk;
      const group = mine.find(({ column }) => column === 'grp');
      let end = first.from;
      for (const [i, { column, from, bytes, packing }] of mine.entries()) {
        if (column !== columns[i] || from !== end || packing !== 'ZSTD') return undefined;
        end += bytes;
      }
      if (group === undefined || Number.isNaN(group.lowest) || Number.isNaN(group.highest)) return undefined;
      const content = Buffer.allocUnsafe(end - first.from);
      const { bytesRead } = await file.read(content, 0, content.length, first.from);
      if (bytesRead !== content.length) return undefined;
      const lengths = mine.map(({ bytes }) => bytes);
      const { lowest, highest } = group;
      places.push({ from: first.from, chunks: lengths, rows: first.rows, lowest, highest, crc32: crc32(content) });
    }
  } finally {
    await file.close();
  }
  return { columns, places };
}
