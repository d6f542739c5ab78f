/** The shards of a session, and what of them a question reads. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { columnTypes, sqlText } from './columns.ts';
import type { LakeFolder, ShardPage } from './pages.ts';
import type { Shard } from './reader.ts';
import { turns } from './turns.ts';
import { filtersOf } from './words.ts';

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
  const turn = turns();
  for (const { shard, words, columns } of inWindow) {
    if (shard === undefined) continue;
    const path = join(folder.shards, shard.name);
    if (sizeOf(path) !== shard.bytes) lost.push(path);
    else {
      const filters = filtersOf(words, join(folder.shards, words?.name ?? ''));
      shards.push({ path, columns, rowGroups: words?.rowGroups, filters });
    }
    await turn();
  }
  return { shards: shards.sort((a, b) => (a.path < b.path ? -1 : 1)), lost: lost.sort() };
}

/** -1 where it is gone. */
function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return -1;
  }
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
