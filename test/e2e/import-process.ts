/** One import in a process of its own, with small shards, so that it can be killed between and within them. */
import { folderSource } from '../../src/evidence/lake/folder-source.ts';
import { importLogs } from '../../src/evidence/lake/import.ts';

const [dir = '', dataDir = ''] = process.argv.slice(2);
const say = (fields: object, text: string) => process.stderr.write(`${text} ${JSON.stringify(fields)}\n`);
const result = await importLogs({
  source: folderSource(dir),
  dataDir,
  selection: {},
  shardBytes: 200_000,
  now: () => new Date(),
  log: { debug: () => undefined, info: () => undefined, warn: say, error: say },
  signal: new AbortController().signal,
});
process.stdout.write(JSON.stringify({ imported: result.imported, skipped: result.skipped, records: result.records }));
