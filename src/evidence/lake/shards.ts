/** The shards of a session, and what of them a question reads. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { columnTypes, sqlText } from './columns.ts';
import type { LakeFolder, ShardPage } from './pages.ts';
import type { Shard } from './reader.ts';
import { readFilters } from './words.ts';

/** ISO 8601 UTC, half-open; an absent bound is open. */
interface Window {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** The shards that hold something of the window, and the paths of those that are gone or cut. */
export async function usableShards(
  folder: LakeFolder,
  pages: readonly ShardPage[],
  { from, to }: Window,
): Promise<{ readonly shards: readonly Shard[]; readonly lost: readonly string[] }> {
  const inWindow = pages.filter(
    ({ first, last }) =>
      (to === undefined || Date.parse(first ?? '') < Date.parse(to)) &&
      (from === undefined || Date.parse(last ?? '') >= Date.parse(from)),
  );
  const shards: Shard[] = [];
  const lost: string[] = [];
  const looked = inWindow.map(async ({ shard, words, columns }) => {
    if (shard === undefined) return;
    const path = join(folder.shards, shard.name);
    const size = await sizeOf(path);
    if (size !== shard.bytes) lost.push(path);
    else
      shards.push({
        path,
        columns,
        rowGroups: words?.rowGroups,
        filters: await readFilters(words, join(folder.shards, words?.name ?? '')),
      });
  });
  await Promise.all(looked);
  return { shards: shards.sort((a, b) => (a.path < b.path ? -1 : 1)), lost: lost.sort() };
}

/** -1 where it is gone. */
async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (found) => found.size,
    (error: NodeJS.ErrnoException) => {
      if (error.code === undefined) throw error;
      return -1;
    },
  );
}

/** What a question reads of these shards: unpacking a column takes its time even where nothing stands in it. */
export function picksOf(shards: readonly Shard[]): string {
  const filled = new Set(shards.flatMap((shard) => shard.columns ?? names));
  return names
    .filter((column) => filled.has(column) && !['ip', 'account', 'file'].includes(column))
    .map((column) => {
      if (column === 'event_time') return 'epoch_ms(event_time) AS event_ms';
      return column.endsWith('_uuid') ? `CAST(${column} AS VARCHAR) AS ${column}` : `"${column}"`;
    })
    .join(', ');
}

const names = columnTypes.map(([column]) => column);

/** What DuckDB reads. */
export function tableOf(shards: readonly Shard[]): string {
  return `read_parquet([${shards.map(({ path }) => sqlText(path)).join(', ')}])`;
}
