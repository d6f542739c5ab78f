/** New shards of the lake, for detection in the stream. */
import { join } from 'node:path';
import type { LakeWatch } from '../../contracts/lake-watch.ts';
import type { Log } from '../../contracts/log.ts';
import { timestampText } from './limits.ts';
import { lakeFolder, readPages } from './pages.ts';

/** Watches the lake of a data folder. Nothing of DuckDB is loaded before there is something to read. */
export function openLakeWatch(dataDir: string, log: Log): LakeWatch {
  const folder = lakeFolder(dataDir);
  return {
    async shards() {
      const { shards } = await readPages(folder);
      return shards.flatMap(({ shard, last }) => (shard ? [{ name: shard.name, last: last ?? '' }] : []));
    },

    async *records(name, since, narrowing) {
      const { openReader } = await import('./reader.ts');
      const { scanLake } = await import('./scan.ts');
      const path = join(folder.shards, name);
      const { connection, close } = await openReader(folder, [{ path, filters: undefined }]);
      if (connection === undefined) return;
      let damaged = 0;
      try {
        yield* scanLake({
          connection,
          shards: [path],
          limits: {
            sql: ['event_time >= CAST($from AS TIMESTAMP)'],
            values: { from: timestampText(since) },
          },
          narrowing,
          log,
          signal: new AbortController().signal,
          onCount: () => undefined,
          onDamage: () => {
            damaged += 1;
          },
        });
      } finally {
        close();
      }
      if (damaged > 0) log.warn({ shard: name, damaged }, 'records of the lake are damaged: not looked at');
    },
  };
}
