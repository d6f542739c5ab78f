/** What of the lake a question reads. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { columnTypes } from './columns.ts';
import type { LakeFolder, ShardPage } from './pages.ts';
import type { Shard } from './reader.ts';
import { readFilters } from './words.ts';

/** The shards that may hold something of the window, and those that are not as they were written. */
export async function usable(
  folder: LakeFolder,
  pages: readonly ShardPage[],
  { window }: { readonly window: { readonly from?: string | undefined; readonly to?: string | undefined } },
) {
  const shards: Shard[] = [];
  const lost: string[] = [];
  for (const { shard, words, first, last } of pages) {
    if (shard === undefined) continue;
    if (window.to !== undefined && Date.parse(first ?? '') >= Date.parse(window.to)) continue;
    if (window.from !== undefined && Date.parse(last ?? '') < Date.parse(window.from)) continue;
    const path = join(folder.shards, shard.name);
    const size = await stat(path).then(
      (found) => found.size,
      (error: NodeJS.ErrnoException) => {
        if (error.code === undefined) throw error;
        return -1;
      },
    );
    if (size !== shard.bytes) lost.push(path);
    else shards.push({ path, filters: await readFilters(words, join(folder.shards, words?.name ?? '')) });
  }
  return { shards, lost };
}

/** The columns of a record, as questions select them. */
export const picks = columnTypes
  .map(([column]) => {
    if (column === 'event_time') return 'epoch_ms(event_time) AS event_ms';
    return column.endsWith('_uuid') ? `CAST(${column} AS VARCHAR) AS ${column}` : `"${column}"`;
  })
  .filter((pick) => pick !== '"ip"' && pick !== '"account"' && pick !== '"file"')
  .join(', ');
