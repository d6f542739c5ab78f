/**
 * The lake against the shell: import, memory, disk, pivots and a closure, as ratios to zcat, rg and jq over the same files in the
 * same run. Needs zcat, rg (ripgrep) and jq.
 *
 *   node bench/lake.ts [--records 200000] [--data DIR]
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Artifact } from '../src/contracts/artifact.ts';
import type { Evidence } from '../src/contracts/evidence.ts';
import { listFiles } from '../src/evidence/folder.ts';
import { openLakeEvidence } from '../src/evidence/lake/lake.ts';
import { openScanEvidence } from '../src/evidence/scan.ts';
import { pivot } from '../workflows/investigation/pivot.ts';
import type { Expected } from './intrusions.ts';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '200000' },
    data: { type: 'string' },
  },
});
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: console.error };

const compiled = join(import.meta.dirname, '../node_modules/.cache/firebreak');
const memoryProbe = encodeURIComponent(
  "process.on('exit',()=>{const u=process.resourceUsage();process.stderr.write('peak '+Math.round(u.maxRSS/1024)+' MB, cpu '+(u.userCPUTime+u.systemCPUTime)/1000+' ms\\n')})",
);

await bench();

async function bench(): Promise<void> {
  for (const tool of ['zcat', 'rg', 'jq', 'xargs', 'find']) {
    if (spawnSync('which', [tool]).status !== 0) throw new Error(`${tool} is not installed`);
  }
  const dir = values.data === undefined ? mkdtempSync(join(tmpdir(), 'bench-lake-')) : resolve(values.data);
  if (!existsSync(join(dir, 'expected.json'))) {
    const { generate } = await import('./generate.ts');
    await generate({ dir, records: Number(values.records), seed: 1, perFile: 5000 });
  }
  const expected = JSON.parse(readFileSync(join(dir, 'expected.json'), 'utf8')) as Expected[];
  const logs = join(dir, 'AWSLogs');
  const packed = globSync(`${logs}/**/*.gz`).reduce((sum, file) => sum + statSync(file).size, 0);
  const lake = mkdtempSync(join(tmpdir(), 'bench-lake-data-'));
  try {
    measureImport(logs, lake, packed);
    await measureQuestions(logs, lake, expected);
  } finally {
    rmSync(lake, { recursive: true, force: true });
  }
}

function measureImport(logs: string, lake: string, packed: number): void {
  const unzip = `find ${logs} -name '*.gz' -print0 | xargs -0 -P2 -n20 zcat > /dev/null`;
  const zcat = median(3, () => shell(unzip));
  const zcatCpu = cpuOf(unzip);
  const main = join(import.meta.dirname, '../src/main.ts');
  const began = performance.now();
  const run = spawnSync(process.execPath, ['--import', `data:text/javascript,${memoryProbe}`, main, 'import', logs], {
    // As the launcher starts Firebreak.
    env: { ...process.env, FIREBREAK_DATA_DIR: lake, NODE_COMPILE_CACHE: compiled },
    encoding: 'utf8',
  });
  const ms = performance.now() - began;
  if (run.status !== 0) throw new Error(run.stderr);
  const disk = globSync(`${lake}/lake/shards/*`).reduce((sum, file) => sum + statSync(file).size, 0);
  console.log(run.stdout.split('\n')[0]);
  report('two zcat in parallel (baseline)', zcat);
  report('import', ms, `${(ms / zcat).toFixed(2)} times two zcat (wanted: at most 2.3)`);
  const cpu = Number(/cpu ([\d.]+) ms/.exec(run.stderr)?.[1]);
  report(
    'import, time of all cores',
    cpu,
    `${(cpu / zcatCpu).toFixed(2)} times that of zcat (${(zcatCpu / 1000).toFixed(1)} s)`,
  );
  console.log(`memory of the import: ${/peak (\d+) MB/.exec(run.stderr)?.[1]} MB (wanted: under 1024)`);
  console.log(
    `disk: ${(disk / 1e6).toFixed(0)} MB, ${(disk / packed).toFixed(2)} of the gz files (wanted: under 0.45)`,
  );
}

async function measureQuestions(logs: string, lake: string, expected: readonly Expected[]): Promise<void> {
  const [chain] = expected as [Expected];
  const ip: Artifact = { kind: 'ip', id: chain.addresses[3] ?? '' };
  const user: Artifact = { kind: 'user', id: chain.principals[1] ?? '' };
  const instance: Artifact = { kind: 'resource', id: chain.instances[1] ?? '' };
  const byRg = (word: string, field: string, value: string) =>
    shell(
      `rg -z -l -F -- '${word}' ${logs} | xargs -P2 -n8 sh -c 'zcat "$@" | jq -c ".Records[] | select(${field} == \\"${value}\\")"' _ > /dev/null`,
    );
  const rgIp = median(1, () => byRg(ip.id, '.sourceIPAddress', ip.id));
  const rgUser = median(1, () => byRg(user.id.split('/').at(-1) ?? '', '.userIdentity.arn', user.id));
  const jqAll = median(1, () =>
    shell(
      `find ${logs} -name '*.gz' -print0 | xargs -0 -P2 -n8 sh -c 'zcat "$@" | jq -c ".Records[] | select(((.requestParameters|tostring)+(.responseElements|tostring)) | contains(\\"${instance.id}\\"))"' _ > /dev/null`,
    ),
  );
  report('rg -z -l, then zcat and jq on the hits: IP (baseline)', rgIp);
  report('rg -z -l, then zcat and jq on the hits: user (baseline)', rgUser);
  report('zcat and jq: substring (baseline)', jqAll);
  const slowest = { ms: 0 };
  for (const [name, artifact, baseline, wanted] of [
    ['IP', ip, rgIp, 250],
    ['user', user, rgUser, 250],
    ['instance in request and response', instance, jqAll, 120],
  ] as const) {
    const times: number[] = [];
    for (let i = 0; i < 7; i++) {
      const evidence = await warm(lake, chain);
      const began = performance.now();
      const records = await evidence.recordsOf(artifact);
      times.push(performance.now() - began);
      if (records.length === 0) throw new Error(`${artifact.id} was not found`);
      evidence.close();
    }
    const ms = middle(times);
    slowest.ms = Math.max(slowest.ms, ms);
    report(`${name}, warm`, ms, `${(baseline / ms).toFixed(0)} times faster (wanted: ${wanted})`);
  }
  for (const [name, artifact, baseline] of [
    ['IP', ip, rgIp],
    ['user', user, rgUser],
  ] as const) {
    // The first one after a change of the code compiles it.
    const times = [1, 2, 3, 4, 5].map(() => {
      const began = performance.now();
      const words = [join(import.meta.dirname, 'first-question.ts'), JSON.stringify(artifact), lake];
      // As the launcher starts Firebreak.
      execFileSync(process.execPath, words, { env: { ...process.env, NODE_COMPILE_CACHE: compiled } });
      return performance.now() - began;
    });
    report(
      `${name}, first in a new process`,
      middle(times),
      `${(baseline / middle(times)).toFixed(0)} times faster (wanted: 80)`,
    );
  }
  const part = instance.id.slice(2, -1);
  const session = await open(lake);
  const searches: number[] = [];
  for (let i = 0; i < 5; i++) {
    const began = performance.now();
    const found = await session.holding?.(part);
    searches.push(performance.now() - began);
    if (!found || found.length === 0) throw new Error(`${part} was not found`);
  }
  session.close();
  const ms = middle(searches);
  report('any text in request and response', ms, `${(jqAll / ms).toFixed(0)} times faster (wanted: 120)`);
  await measureScan(logs, ip, rgIp, user, rgUser);
  await measureClosure(lake, expected);
}

/** The answer before an import is done. */
async function measureScan(logs: string, ip: Artifact, rgIp: number, user: Artifact, rgUser: number): Promise<void> {
  const { files, unreadable } = await listFiles(logs);
  for (const [name, artifact, baseline] of [
    ['IP', ip, rgIp],
    ['user', user, rgUser],
  ] as const) {
    const scan = openScanEvidence({ dir: logs, window: {}, maxEvents: 5_000_000, log: quiet, files, unreadable });
    const began = performance.now();
    const records = await scan.recordsOf(artifact);
    const ms = performance.now() - began;
    if (records.length === 0) throw new Error(`${artifact.id} was not found by the scan`);
    report(`${name}, by a scan of the files`, ms, `${(baseline / ms).toFixed(1)} times faster (wanted: 4)`);
  }
}

/** A session whose files and footers have been read by another question. */
async function warm(lake: string, chain: Expected) {
  const evidence = await open(lake);
  await evidence.recordsOf({ kind: 'user', id: chain.principals[4] ?? '' });
  await evidence.recordsOf({ kind: 'ip', id: chain.addresses[0] ?? '' });
  return evidence;
}

async function measureClosure(lake: string, expected: readonly Expected[]): Promise<void> {
  for (const one of expected) {
    const lakeSession = await open(lake);
    let slowest = { id: '', ms: 0 };
    let asked = 0;
    const timed = async <Answer>(id: string, ask: () => Promise<Answer>): Promise<Answer> => {
      const from = performance.now();
      const answer = await ask();
      const took = performance.now() - from;
      asked += 1;
      if (took > slowest.ms) slowest = { id, ms: took };
      return answer;
    };
    const evidence: Evidence = {
      coverage: () => lakeSession.coverage(),
      progress: () => lakeSession.progress(),
      recordsOf: (artifact) => timed(artifact.id, () => lakeSession.recordsOf(artifact)),
      addressUse: (ip, moreThan) => timed(ip, async () => lakeSession.addressUse?.(ip, moreThan)),
    };
    const began = performance.now();
    const { answer } = await pivot.run(pivot.target.parse({ artifact: one.seed }), {
      evidence,
      aws: undefined,
      signal: new AbortController().signal,
      progress: () => undefined,
      now: () => new Date(),
    });
    const ms = performance.now() - began;
    lakeSession.close();
    const ids = (kinds: readonly string[], expanded: boolean) =>
      answer.nodes.filter((node) => kinds.includes(node.kind) && node.expanded === expanded).map((node) => node.id);
    same(`${one.name}: principals`, ids(['user', 'session'], true), one.principals);
    same(`${one.name}: addresses`, ids(['ip'], true), one.addresses);
    same(`${one.name}: hubs`, ids(['ip'], false), one.hubs);
    const instances = ids(['resource'], true).filter((id) => id.startsWith('i-'));
    same(`${one.name}: instances`, instances, one.instances);
    report(
      `${one.name}, closed pivot`,
      ms,
      `${asked} questions, ${(ms / slowest.ms).toFixed(1)} times its slowest one (${slowest.id}, ${slowest.ms.toFixed(0)} ms; wanted: under 3); exactly what was planted`,
    );
  }
}

function same(what: string, found: readonly string[], wanted: readonly string[]): void {
  const [left, right] = [[...found].sort().join(' '), [...wanted].sort().join(' ')];
  if (left !== right) throw new Error(`${what}: found ${left}, planted ${right}`);
}

function open(dataDir: string) {
  return openLakeEvidence({
    dataDir,
    window: {},
    maxEvents: 5_000_000,
    log: quiet,
    signal: new AbortController().signal,
  });
}

function shell(command: string): void {
  execFileSync('sh', ['-c', command], { stdio: ['ignore', 'ignore', 'inherit'], maxBuffer: 1 << 30 });
}

/** User and system time of a command and its children, in ms: what other programs of the machine do is not in it. */
function cpuOf(command: string): number {
  const times = execFileSync('bash', ['-c', `${command}; times`], { encoding: 'utf8' });
  return [...times.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, m, s]) => sum + Number(m) * 60_000 + Number(s) * 1000,
    0,
  );
}

function median(times: number, work: () => void): number {
  return middle(
    Array.from({ length: times }, () => {
      const began = performance.now();
      work();
      return performance.now() - began;
    }),
  );
}

function middle(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] as number;
}

function report(what: string, ms: number, note = ''): void {
  console.log(
    `${what}: ${ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`}${note === '' ? '' : `, ${note}`}`,
  );
}
