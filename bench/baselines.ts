/**
 * The kept past of principals: what it takes on the disk and in memory, what an update costs against JSON.parse of the same records and
 * against making all of it again, and hunts with it and without it. Seconds are of the processor.
 *
 *   node --expose-gc bench/baselines.ts [--records 400000] [--new 100000]
 */
import { globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { catalogue } from '../detections/index.ts';
import type { Baseline } from '../src/domain/baseline/baseline.ts';
import { allBaselineRules } from '../src/domain/baseline/rules.ts';
import { recordOfSighting } from '../src/domain/baseline/sighting.ts';
import { pickRules, runHunt } from '../src/domain/sigma/hunt.ts';
import { recordsFor } from '../src/domain/sigma/narrowing.ts';
import { openAddressBook } from '../src/evidence/address-book.ts';
import { allBuckets, readBucket, readPastPage } from '../src/evidence/lake/baseline-files.ts';
import { folderSource } from '../src/evidence/lake/folder-source.ts';
import { importLogs } from '../src/evidence/lake/import.ts';
import { openLakeEvidence } from '../src/evidence/lake/lake.ts';
import { openPast } from '../src/evidence/lake/past.ts';
import { generate } from './generate.ts';

const { values } = parseArgs({
  options: { records: { type: 'string', default: '400000' }, new: { type: 'string', default: '100000' } },
});
const quiet = { debug: () => undefined, info: () => undefined, warn: console.error, error: console.error };
const dir = mkdtempSync(join(tmpdir(), 'bench-baselines-'));
const data = join(dir, 'data');
const kept = join(data, 'lake', 'baselines');
const signal = new AbortController().signal;
const book = await openAddressBook({ log: quiet });
const addresses = async () => book;

try {
  await bring('old', Number(values.records), 1);
  const first = await timed(update);
  report(`first update, ${values.records} records`, first);
  await bring('new', Number(values.new), 2);
  const parsing = parseAll('new');
  report(`JSON.parse of ${values.new} records`, parsing);
  const added = await timed(update);
  const share = (100_000 / Number(values.new)) * added;
  report(
    `update by these, ${(share / 1000).toFixed(2)} s per 100,000`,
    added,
    `${(added / parsing).toFixed(1)} times JSON.parse`,
  );
  await sizes();
  await hunts();
  await stream();
  rmSync(kept, { recursive: true });
  const whole = await timed(update);
  report('all of it made again', whole, `the update took ${(added / whole).toFixed(2)} of that`);
  console.log(`memory at the most: ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}

async function bring(name: string, records: number, seed: number): Promise<void> {
  await generate({ dir: join(dir, name), records, seed, perFile: 5_000 });
  const source = folderSource(join(dir, name, 'AWSLogs'));
  await importLogs({ source, dataDir: data, selection: {}, now: () => new Date(), log: quiet, signal });
}

function open() {
  return openPast({ dataDir: data, addresses, log: quiet });
}

async function update(): Promise<void> {
  if (!(await open().update(signal))) throw new Error('the baselines were not brought up to date');
}

/** Processor time of this process, DuckDB's threads included, in ms: a busy machine makes it little longer. */
function spent(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = spent();
  await work();
  return spent() - began;
}

function parseAll(name: string): number {
  let ms = 0;
  for (const path of globSync(join(dir, name, 'AWSLogs', '**', '*.json.gz'))) {
    const text = gunzipSync(readFileSync(path)).toString('utf8');
    const began = spent();
    JSON.parse(text);
    ms += spent() - began;
  }
  return ms;
}

async function sizes(): Promise<void> {
  const files = globSync(join(kept, '*'));
  const bytes = files.reduce((sum, path) => sum + statSync(path).size, 0);
  const lake = globSync(join(data, 'lake', 'shards', '*')).reduce((sum, path) => sum + statSync(path).size, 0);
  const page = await readPastPage(kept);
  if (page === undefined) throw new Error('nothing is kept');
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const all: Baseline[] = [];
  const ms = await timed(async () => {
    for (const bucket of allBuckets) all.push(await readBucket(kept, page.buckets[bucket]));
  });
  globalThis.gc?.();
  const heap = process.memoryUsage().heapUsed - before;
  const principals = all.reduce((sum, { profiles }) => sum + profiles.size, 0);
  const per = (n: number) => ((n / principals) * 1_000) / 1e6;
  console.log(
    `kept of ${principals} principals and ${all.reduce((sum, { keys }) => sum + keys.size, 0)} keys, per 1,000 principals: ` +
      `${per(bytes).toFixed(2)} MB on the disk (${((bytes / lake) * 100).toFixed(1)}% of the lake), ` +
      `${per(heap).toFixed(1)} MB in memory${globalThis.gc ? '' : ' (upper bound: run node --expose-gc)'}, read in ${ms.toFixed(0)} ms`,
  );
}

async function hunts(): Promise<void> {
  const picked = pickRules('baselines', catalogue());
  const window = { from: new Date(0).toISOString(), to: new Date().toISOString() };
  const lake = await openLakeEvidence({ dataDir: data, window: {}, maxEvents: 1_000, log: quiet, signal });
  const ctx = { signal, progress: () => undefined, addresses: book };
  let read = 0;
  const without = await timed(async () => {
    const records = recordsFor(picked, lake);
    if (records) read = (await runHunt(records, picked, ctx)).matches.length;
  });
  report(`hunt for baselines from the records, ${read} matches`, without);
  const evidence = {
    ...{ recordsOf: lake.recordsOf.bind(lake), progress: lake.progress.bind(lake), coverage: lake.coverage.bind(lake) },
    all: lake.all.bind(lake),
    past: () => open().answer({ ...window, ...ctx }),
  };
  let asked = 0;
  const withIt = await timed(async () => {
    const records = recordsFor(picked, evidence);
    if (records) asked = (await runHunt(records, picked, { ...ctx, past: evidence.past })).matches.length;
  });
  report(`the same from what is kept, ${asked} matches`, withIt, `${(without / withIt).toFixed(1)} times faster`);
  lake.close();
}

async function stream(): Promise<void> {
  const past = open();
  const page = await readPastPage(kept);
  const one = await readBucket(kept, page?.buckets['07']);
  const sightings = [...one.profiles.values()].flatMap(({ values: dimensions }) =>
    [...dimensions.values()].flatMap(({ kept: firsts }) => [...firsts.values()]),
  );
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const batch = Array.from({ length: 500 }, (_, i) => sightings[i % sightings.length]).flatMap((sighting, i) =>
    sighting ? [{ ...recordOfSighting(sighting), eventID: `bench-${i}`, eventTime: now }] : [],
  );
  const cold = await timed(() => past.compare(batch));
  const warm = await timed(() => past.compare(batch.map((record) => ({ ...record, eventID: `${record.eventID}-2` }))));
  report(
    `${batch.length} records of the stream compared, ${allBaselineRules.length} rules`,
    cold,
    `then ${warm.toFixed(0)} ms`,
  );
}

function report(what: string, ms: number, note = ''): void {
  console.log(`${what}: ${(ms / 1000).toFixed(2)} s${note === '' ? '' : `, ${note}`}`);
}
