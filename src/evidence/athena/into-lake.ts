/** What Athena gave, into the lake: through the door first, so that secrets never touch the disk. */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AthenaRows } from '../../contracts/athena.ts';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import type { Log } from '../../contracts/log.ts';
import { recordLine } from '../../domain/athena/rows.ts';
import { parseRecord } from '../../domain/record.ts';
import { folderSource } from '../lake/folder-source.ts';
import { importLogs } from '../lake/import.ts';

export interface IntoLake {
  readonly dataDir: string;
  readonly now: () => Date;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const linesPerFile = 50_000;
/** A folder that is older was left behind by a process that was killed. */
const leftBehindMs = 6 * 3_600_000;

/** The records of rows of `trailColumns`. `lost`: rows that are none. */
export function recordsOfRows({ rows }: Pick<AthenaRows, 'rows'>): {
  readonly records: readonly CloudTrailRecord[];
  readonly lost: number;
} {
  const parsed = rows.map((cells) => parseRecord(JSON.parse(recordLine(cells))));
  const records = parsed.flatMap((one) => (one.ok ? [one.record] : []));
  return { records, lost: rows.length - records.length };
}

/** Imports them. No time is vouched for: that is for who knows what was asked. Throws as `importLogs` does; nothing is left behind. */
export async function intoLake(records: readonly CloudTrailRecord[], options: IntoLake): Promise<void> {
  const { dataDir, now, log, signal } = options;
  await clearUp(options);
  if (records.length === 0) return;
  const dir = join(dataDir, `athena-${randomBytes(6).toString('hex')}`);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  try {
    for (let at = 0; at < records.length; at += linesPerFile) {
      const lines = records.slice(at, at + linesPerFile).map((record) => JSON.stringify(record));
      await writeFile(join(dir, `${String(at).padStart(9, '0')}.ndjson`), `${lines.join('\n')}\n`, { mode: 0o600 });
    }
    const source = { ...folderSource(dir), name: 'athena' };
    await importLogs({ source, dataDir, selection: {}, isPart: true, now, log, signal });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function clearUp({ dataDir, now }: IntoLake): Promise<void> {
  let names: readonly string[] = [];
  try {
    names = await readdir(dataDir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  for (const name of names.filter((one) => /^athena-[0-9a-f]{12}$/.test(one))) {
    const path = join(dataDir, name);
    const made = await stat(path).catch((error: NodeJS.ErrnoException) => {
      // Another process has cleared it up meanwhile.
      if (error.code !== 'ENOENT') throw error;
      return undefined;
    });
    if (made && now().getTime() - made.mtimeMs > leftBehindMs) await rm(path, { recursive: true, force: true });
  }
}
