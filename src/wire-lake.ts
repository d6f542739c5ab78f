/** Constructs what keeps the lake filled; wire.ts constructs all else. */
import { systemClock } from './clock.ts';
import type { Config } from './config.ts';
import type { Log } from './contracts/log.ts';
import type { LogSource } from './contracts/log-source.ts';
import type { FedImport, LakeFeed } from './flows/feed-lake.ts';
import { queueCredentials } from './wire.ts';

/** What keeps the lake filled, one per `imports[]` entry of the config. */
export async function lakeFeeds(config: Config, log: Log): Promise<readonly LakeFeed[]> {
  if (config.imports.length === 0) return [];
  const { openMessageQueue } = await import('./aws/queues.ts');
  const { openS3Objects, parseS3Url } = await import('./aws/s3-objects.ts');
  const { announcedSource } = await import('./evidence/lake/announced-source.ts');
  const { importLogs } = await import('./evidence/lake/import.ts');
  return config.imports.flatMap((entry): LakeFeed[] => {
    const place = parseS3Url(entry.place);
    if (place === undefined) return [];
    const bucket = openS3Objects(place, { region: config.awsRegion, pathStyle: config.s3PathStyle });
    const { accounts, regions, queue } = entry;
    const run = async (source: LogSource, isPart: boolean, signal: AbortSignal): Promise<FedImport> => {
      const from = new Date(systemClock.now().getTime() - entry.days * 86_400_000).toISOString();
      const now = () => systemClock.now();
      const selection = { from, accounts, regions };
      const result = await importLogs({ source, selection, isPart, dataDir: config.dataDir, now, log, signal });
      return { ...result, unreadable: result.run.unreadable.map(({ path }) => path) };
    };
    return [
      {
        entry,
        queue: queue && openMessageQueue(queue, queueCredentials(queue)),
        importAll: (signal) => run(bucket, false, signal),
        importThese: (objects, signal) => run(announcedSource(bucket, objects), true, signal),
        clock: systemClock,
        log,
      },
    ];
  });
}
