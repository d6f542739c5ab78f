/**
 * A seeded CloudTrail data set in AWSLogs layout: noise of many accounts, exact duplicates, hub addresses, and intrusions
 * that cross accounts. What a closed pivot from each intrusion must find is written down from the plan of the intrusion,
 * never computed by the engine: `expected.json`, beside `AWSLogs/`.
 *
 *   node bench/generate.ts DIR [--records 200000] [--seed 1] [--per-file 5000]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Expected, intrusions, type PlannedCall } from './intrusions.ts';
import { type Where, World } from './noise.ts';

export interface GenerateOptions {
  readonly dir: string;
  readonly records: number;
  readonly seed: number;
  readonly perFile: number;
}

const pack = promisify(gzip);
/** Writes the set and returns what pivots over it must find. */
export async function generate(options: GenerateOptions): Promise<readonly Expected[]> {
  const world = new World(options.seed);
  await rm(options.dir, { recursive: true, force: true });
  await mkdir(options.dir, { recursive: true });
  const { planned, expected } = intrusions();
  const files = Math.max(1, Math.round(options.records / options.perFile));
  const planted = plantedByFile(planned, files, world);
  let left = options.records - planned.length;
  const writes = new Set<Promise<void>>();
  let earlier: string[] = [];
  for (let file = 0; file < files; file++) {
    const place = world.place(file, files);
    const texts = planted[file]?.map((call) => world.attack(call)) ?? [];
    const noise = file === files - 1 ? left : Math.min(left, options.perFile - texts.length);
    left -= noise;
    for (let i = 0; i < noise; i++) {
      // One in 500 is delivered again, as CloudTrail does: the same bytes in a later file.
      if (earlier.length > 0 && world.chance(0.002)) texts.push(earlier[world.below(earlier.length)] ?? '');
      else texts.push(world.noise(place));
    }
    world.shuffle(texts);
    earlier = texts.slice(0, 200);
    const write = writeLog(options.dir, place, file, `{"Records":[${texts.join(',')}]}`);
    writes.add(write);
    // One that failed stays among them, so that whoever waits next hears of it.
    write.then(
      () => writes.delete(write),
      () => undefined,
    );
    if (writes.size >= 3) await Promise.race(writes);
  }
  await Promise.all(writes);
  writeFileSync(join(options.dir, 'expected.json'), `${JSON.stringify(expected, undefined, 2)}\n`);
  return expected;
}

async function writeLog(dir: string, { account, region, from }: Where, file: number, text: string): Promise<void> {
  const [date = '', time = ''] = new Date(from).toISOString().split('T');
  const folder = join(dir, 'AWSLogs', account, 'CloudTrail', region, ...date.split('-'));
  mkdirSync(folder, { recursive: true });
  const stamp = `${date.replaceAll('-', '')}T${time.slice(0, 5).replace(':', '')}Z`;
  const name = `${account}_CloudTrail_${region}_${stamp}_${file.toString(36).padStart(16, '0')}.json.gz`;
  await writeFile(join(folder, name), await pack(Buffer.from(text)));
}

function plantedByFile(planned: readonly PlannedCall[], files: number, world: World): PlannedCall[][] {
  const byFile: PlannedCall[][] = Array.from({ length: files }, () => []);
  for (const call of planned) byFile[world.below(files)]?.push(call);
  return byFile;
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      records: { type: 'string', default: '200000' },
      seed: { type: 'string', default: '1' },
      'per-file': { type: 'string', default: '5000' },
    },
  });
  const began = performance.now();
  const expected = await generate({
    dir: resolve(positionals[0] ?? 'bench-data'),
    records: Number(values.records),
    seed: Number(values.seed),
    perFile: Number(values['per-file']),
  });
  console.log(
    `${values.records} records with ${expected.length} intrusions in ${((performance.now() - began) / 1000).toFixed(1)} s`,
  );
}
