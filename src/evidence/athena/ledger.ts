/** The ledger of the command line, which takes no database: lines in the data folder. It counts for this folder alone. */
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { AthenaLedger } from '../../contracts/athena.ts';
import { jsonOf } from '../unwrap.ts';

const Entry = z.object({ id: z.string(), at: z.string(), bytes: z.number() });

/** Two commands at the very same time may both take the last of a day's bytes; the workgroup's own limit stands. */
export function fileLedger(dataDir: string): AthenaLedger {
  const file = join(dataDir, 'athena-queries.ndjson');

  async function ofDay(day: string): Promise<number> {
    let text = '';
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    const last = new Map<string, z.output<typeof Entry>>();
    for (const line of text.split('\n')) {
      const entry = Entry.safeParse(jsonOf(line));
      if (entry.success) last.set(entry.data.id, { ...entry.data, at: last.get(entry.data.id)?.at ?? entry.data.at });
    }
    return [...last.values()].filter(({ at }) => at.startsWith(day)).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  return {
    async reserve({ id, bytes, title, at, maxPerDay }) {
      await mkdir(dataDir, { recursive: true, mode: 0o700 });
      const left = Math.max(0, maxPerDay - (await ofDay(at.slice(0, 10))));
      if (bytes > left) return { granted: false, left, limit: 'day' };
      await appendFile(file, `${JSON.stringify({ id, at, bytes, title })}\n`, { mode: 0o600 });
      return { granted: true, left: left - bytes, limit: undefined };
    },
    async settle(id, bytes) {
      await appendFile(file, `${JSON.stringify({ id, at: '', bytes })}\n`, { mode: 0o600 });
    },
  };
}
