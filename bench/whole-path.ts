/**
 * The whole path of an alert, through the real process: webhook to acknowledgement at 500/s, to the first card and to the full one,
 * and a storm from the first webhook to the last alert that is handled, as a ratio to BullMQ's bare add and process on the same
 * backend. `node bench/whole-path.ts [redis]`; BENCH_ONLY=storm leaves the rest out. Client, servers and database share the machine's cores.
 */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPostgresBackend, Queue, runMigrations, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { webhookToken } from '../demo/setting.ts';
import { demoIds } from '../demo/slack/workspace.ts';
import { openEmbeddedPostgres } from '../src/store/embedded-postgres.ts';
import { silentLog, startTestRedis, temporaryFolder } from '../test/support/databases.ts';
import { sql } from '../test/support/doors.ts';
import { eventually, serverOf } from '../test/support/killing.ts';
import { openScene, wordsOf } from '../test/support/scene.ts';

const perSecond = 500;
const seconds = 5;
const storm = Number(process.env.BENCH_STORM ?? 3_000);
const singles = 5;
const senders = 24;

const redis = process.argv[2] === 'redis' ? await startTestRedis() : undefined;
const backend = redis === undefined ? 'PostgreSQL' : 'Redis';
const agent = new Agent({ keepAlive: true, maxSockets: 256 });

const scene = await openScene({
  aws: { lookupRatePerSecond: 2 },
  config: { noise: { cardsPerMinute: 5 } },
  env: redis === undefined ? {} : { REDIS_URL: redis.url },
});

function finding(name: string): string {
  const base = scene.findings.accessKey as unknown as { detail: Record<string, unknown> };
  const resource = structuredClone(base.detail.resource) as { accessKeyDetails: Record<string, unknown> };
  resource.accessKeyDetails = { ...resource.accessKeyDetails, userName: name, accessKeyId: undefined };
  const detail = { ...base.detail, id: randomUUID().replaceAll('-', ''), arn: undefined, severity: 5, resource };
  return JSON.stringify({ ...base, id: randomUUID(), detail });
}

/** Milliseconds to the answer. */
function post(body: string): Promise<number> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(
      `${scene.firebreak.url}/webhooks/eventbridge`,
      {
        agent,
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${webhookToken}` },
      },
      (answer) => {
        answer.resume();
        answer.on('end', () => {
          if (answer.statusCode === 202) resolve(performance.now() - began);
          else reject(new Error(`the webhook answered ${answer.statusCode}`));
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

const percentile = (times: readonly number[], share: number): number =>
  [...times].sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
const ms = (value: number): string => `${value.toFixed(value < 100 ? 1 : 0)} ms`;
const report = (what: string, times: readonly number[]): void =>
  console.log(
    `${what}: p50 ${ms(percentile(times, 0.5))}, p95 ${ms(percentile(times, 0.95))}, p99 ${ms(percentile(times, 0.99))} (n=${times.length})`,
  );

async function unhandled(): Promise<number> {
  const [row] = await sql<{ left: string }>(scene, 'select count(*) as left from alerts where handled_at is null');
  return Number(row?.left);
}

/** Seconds of processor time that the processes have used which fit; those that ended meanwhile count nothing. */
function cpuOf(fits: (pid: string, parent: string) => boolean): number {
  let sum = 0;
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      if (fits(pid, fields[1] ?? '')) sum += fields.slice(11, 15).reduce((all, ticks) => all + Number(ticks), 0) / 100;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ESRCH') throw error;
    }
  }
  return sum;
}

/** Firebreak's process and what it started, and the database's one process for each connection. */
function cpuNow(): { product: number; server: number } {
  const { pid: server } = serverOf(scene);
  const { pid } = scene.firebreak;
  return {
    product: cpuOf((one, parent) => one === String(pid) || (parent === String(pid) && one !== String(server))),
    server: cpuOf((_, parent) => parent === String(server)),
  };
}

async function commits(): Promise<number> {
  const [row] = await sql<{ xact_commit: string }>(
    scene,
    'select xact_commit from pg_stat_database where datname = current_database()',
  );
  return Number(row?.xact_commit);
}

async function cards(): Promise<void> {
  const first: number[] = [];
  const full: number[] = [];
  for (let index = 0; index < singles; index += 1) {
    const name = `single-${index}-end`;
    const card = () => scene.slack.messages(demoIds.alerts).find((one) => wordsOf(one).includes(name));
    const began = performance.now();
    await post(finding(name));
    await scene.slack.waitFor(card, 60_000);
    first.push(performance.now() - began);
    await scene.slack.waitFor(() => {
      const words = wordsOf(card());
      return !words.includes('Being looked up') && !words.includes('this card fills in');
    }, 180_000);
    full.push(performance.now() - began);
    await sleep(12_500);
  }
  report('webhook to first card, one at a time', first);
  report('webhook to full card (dossiers of user and address, LookupEvents at 2/s as AWS has it)', full);
}

async function steady(): Promise<void> {
  const times: Promise<number>[] = [];
  const bodies = Array.from({ length: perSecond * seconds }, (_, index) => finding(`steady-${index}`));
  const began = performance.now();
  for (const [index, body] of bodies.entries()) {
    const due = began + (index / perSecond) * 1_000;
    const early = due - performance.now();
    if (early > 1) await sleep(early);
    times.push(post(body));
  }
  const sentIn = (performance.now() - began) / 1_000;
  const done = await Promise.all(times);
  const answeredIn = (performance.now() - began) / 1_000;
  report(
    `webhook to 202, ${(bodies.length / sentIn).toFixed(0)} a second sent, ${(bodies.length / answeredIn).toFixed(0)} a second answered`,
    done,
  );
  await eventually('all are handled', async () => (await unhandled()) === 0, 300_000);
  const allIn = (performance.now() - began) / 1_000;
  console.log(`  handled in ${allIn.toFixed(1)} s: ${(bodies.length / allIn).toFixed(0)} alerts/s`);
}

async function burst(): Promise<number> {
  const bodies = Array.from({ length: storm }, (_, index) => finding(`storm-${index}`));
  const [before, commitsBefore] = [cpuNow(), await commits()];
  const began = performance.now();
  let next = 0;
  const times: number[] = [];
  await Promise.all(
    Array.from({ length: senders }, async () => {
      for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) times.push(await post(body));
    }),
  );
  const taken = (performance.now() - began) / 1_000;
  await eventually('all are handled', async () => (await unhandled()) === 0, 600_000);
  const all = (performance.now() - began) / 1_000;
  report(`storm of ${storm} by ${senders} senders, acknowledgement (${(storm / taken).toFixed(0)}/s)`, times);
  const after = cpuNow();
  const each = (seconds: number) => `${((seconds / storm) * 1_000).toFixed(2)} ms`;
  console.log(
    `  webhook to handled: ${(storm / all).toFixed(0)} alerts/s; ${each(after.product - before.product)} of the process's processor time, ${each(after.server - before.server)} of the database's and ${(((await commits()) - commitsBefore) / storm).toFixed(1)} transactions each`,
  );
  return storm / all;
}

/** Jobs a second from the first add to the last processed, by as many adders and lanes as the product has. */
async function bare(): Promise<number> {
  const jobs = 3_000;
  const closers: (() => Promise<unknown>)[] = [];
  let queue: Pick<Queue, 'add' | 'close'>;
  let open: (work: () => Promise<void>) => Pick<Worker, 'close'>;
  if (redis === undefined) {
    const server = await openEmbeddedPostgres({ dataDir: temporaryFolder('bare'), roles: [], log: silentLog });
    const pool = new pg.Pool({ connectionString: server.connectionString, max: 12, options: '-c search_path=bullmq' });
    const client = await pool.connect();
    await runMigrations(client, 'bullmq');
    client.release();
    const connection = pool as never;
    queue = new Queue('bare', { connection }, createPostgresBackend);
    open = (work) => new Worker('bare', work, { connection, concurrency: 4 }, createPostgresBackend);
    closers.push(
      () => pool.end(),
      () => server.release(),
    );
  } else {
    const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
    queue = new Queue('bare', { connection });
    open = (work) => new Worker('bare', work, { connection, concurrency: 4 });
    closers.push(async () => connection.disconnect());
  }
  let done = 0;
  const began = performance.now();
  let worker: Pick<Worker, 'close'> | undefined;
  const finished = new Promise<void>((resolve) => {
    worker = open(async () => {
      done += 1;
      if (done === jobs) resolve();
    });
  });
  let next = 0;
  await Promise.all(
    Array.from({ length: senders }, async () => {
      while (next++ < jobs) await queue.add('job', { alertId: 'x' }, { removeOnComplete: { count: 200 } });
    }),
  );
  await finished;
  const rate = jobs / ((performance.now() - began) / 1_000);
  await worker?.close();
  await queue.close();
  for (const close of closers) await close();
  return rate;
}

try {
  console.log(`queue on ${backend}; database server ${serverOf(scene).pid}`);
  const only = process.env.BENCH_ONLY;
  if (only === undefined) await cards();
  const handled = await burst();
  if (only === undefined) await steady();
  await scene.close();
  const baseline = await bare();
  console.log(
    `BullMQ's bare add and process on ${backend}: ${baseline.toFixed(0)} jobs/s; the whole path is ${(handled / baseline).toFixed(2)} times that`,
  );
} finally {
  agent.destroy();
  await redis?.stop();
}
