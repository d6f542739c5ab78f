/**
 * A hunt of the whole catalogue over the lake and over a folder, against one full scan of the lake, which is the least that
 * looking at everything costs; and what baselines take.
 *
 *   node bench/hunt.ts [--records 200000] [--data DIR]
 *
 * `--data` keeps the generated logs and the lake for the next run.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { catalogue } from '../detections/index.ts';
import type { Evidence } from '../src/contracts/evidence.ts';
import { Baseline } from '../src/domain/baseline/baseline.ts';
import { type Match, pickRules, runHunt } from '../src/domain/sigma/hunt.ts';
import { narrowingOf, recordsFor } from '../src/domain/sigma/narrowing.ts';
import { openFolderEvidence } from '../src/evidence/folder.ts';
import { sqlText } from '../src/evidence/lake/columns.ts';
import { openLakeEvidence } from '../src/evidence/lake/lake.ts';

const { values } = parseArgs({ options: { records: { type: 'string', default: '200000' }, data: { type: 'string' } } });
const quiet = { debug: () => undefined, info: () => undefined, warn: console.error, error: console.error };
const dir = values.data === undefined ? mkdtempSync(join(tmpdir(), 'bench-hunt-')) : resolve(values.data);
const [logs, data] = [join(dir, 'logs'), join(dir, 'data')];
const signal = new AbortController().signal;

try {
  await prepare();
  const scan = await fullScan();
  report('one full scan of the lake (hash of every column)', scan);
  const high = await lakeHunt('high');
  report(
    `lake, high and critical rules, ${high.matches.length} matches`,
    high.ms,
    `${(high.ms / scan).toFixed(1)} scans`,
  );
  const lake = await lakeHunt('all');
  report(`lake, all rules, ${lake.matches.length} matches`, lake.ms, `${(lake.ms / scan).toFixed(1)} scans`);
  const folder = await folderHunt();
  report(`folder, all rules, ${folder.matches.length} matches, reading included`, folder.ms);
  const same = (matches: readonly Match[]) =>
    matches
      .map(({ rule, eventId }) => `${rule.name} ${eventId}`)
      .sort()
      .join('\n');
  if (same(lake.matches) !== same(folder.matches)) throw new Error('lake and folder do not agree');
  await baselines();
  console.log(`memory at the most: ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`);
} finally {
  if (values.data === undefined) rmSync(dir, { recursive: true, force: true });
}

async function prepare(): Promise<void> {
  if (!existsSync(join(logs, 'expected.json'))) {
    const { generate } = await import('./generate.ts');
    await generate({ dir: logs, records: Number(values.records), seed: 1, perFile: 5_000 });
  }
  if (existsSync(join(data, 'lake'))) return;
  const main = join(import.meta.dirname, '../src/main.ts');
  const run = spawnSync(process.execPath, [main, 'import', join(logs, 'AWSLogs')], {
    env: { ...process.env, FIREBREAK_DATA_DIR: data },
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(run.stderr);
}

async function fullScan(): Promise<number> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const shards = globSync(join(data, 'lake', 'shards', '*.parquet'));
  const sql = `SELECT sum(hash(COLUMNS(*)))::VARCHAR FROM read_parquet([${shards.map(sqlText).join(', ')}])`;
  const times: number[] = [];
  for (let i = 0; i < 3; i += 1) {
    const began = performance.now();
    await connection.runAndReadAll(sql);
    times.push(performance.now() - began);
  }
  connection.closeSync();
  instance.closeSync();
  return times.toSorted((a, b) => a - b)[1] ?? Number.NaN;
}

async function hunted(evidence: Evidence, word: string): Promise<readonly Match[]> {
  const picked = pickRules(word, catalogue());
  const records = recordsFor(picked, evidence);
  if (records === undefined) throw new Error('the source cannot be read whole');
  return (await runHunt(records, picked, { signal, progress: () => undefined })).matches;
}

async function openLake() {
  return openLakeEvidence({ dataDir: data, window: {}, maxEvents: 1_000, log: quiet, signal });
}

async function lakeHunt(word: string): Promise<{ readonly matches: readonly Match[]; readonly ms: number }> {
  const began = performance.now();
  const lake = await openLake();
  const matches = await hunted(lake, word);
  lake.close();
  return { matches, ms: performance.now() - began };
}

async function folderHunt(): Promise<{ readonly matches: readonly Match[]; readonly ms: number }> {
  const began = performance.now();
  const folder = await openFolderEvidence({ dir: join(logs, 'AWSLogs'), window: {}, maxEvents: 5_000_000, log: quiet });
  return { matches: await hunted(folder, 'all'), ms: performance.now() - began };
}

async function baselines(): Promise<void> {
  const lake = await openLake();
  const picked = pickRules('baselines', catalogue());
  const baseline = new Baseline();
  // Without --expose-gc the heap holds garbage too, and the figure is only an upper bound.
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const began = performance.now();
  let records = 0;
  for await (const record of lake.all(narrowingOf(picked))) {
    baseline.observe(record);
    records += 1;
  }
  const ms = performance.now() - began;
  globalThis.gc?.();
  const { principals } = baseline.history();
  const bytes = process.memoryUsage().heapUsed - before;
  report(
    `baselines of ${principals} principals over ${records} records, ${baseline.found().length} findings`,
    ms,
    `${(((bytes / principals) * 1_000) / 1e6).toFixed(1)} MB per 1,000 principals${globalThis.gc ? '' : ' (upper bound: run node --expose-gc)'}`,
  );
  lake.close();
}

function report(what: string, ms: number, note = ''): void {
  console.log(`${what}: ${(ms / 1000).toFixed(2)} s${note === '' ? '' : `, ${note}`}`);
}
