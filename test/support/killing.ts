/** Killing the real process at chosen points, and knowing when the next one has put everything right. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Scene } from './scene.ts';

/** A way to kill the process while something is under way. */
export interface Killer {
  /** Where the process was killed; undefined while it was not. */
  at(): string | undefined;
  stop(): Promise<void>;
}

/**
 * Kills with SIGKILL at a call to Slack or AWS, which `here` tells by its name and how often it was seen from now on:
 * `aws UpdateAccessKey before 1`. Killed `before` a call, the call is lost on its way; killed `after` it, it was carried
 * out and its answer is lost.
 */
export async function killAtCall(scene: Scene, here: (event: string) => boolean): Promise<Killer> {
  const seen = new Map<string, number>();
  let killedAt: string | undefined;
  async function see(name: string): Promise<'drop' | undefined> {
    if (killedAt !== undefined) return 'drop';
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    if (!here(`${name} ${times}`)) return undefined;
    killedAt = `${name} ${times}`;
    await scene.firebreak.kill();
    return 'drop';
  }
  const stops = [
    scene.aws.onRequest((call) => see(`aws ${call.operation} ${call.phase}`)),
    scene.slack.onCall((call, phase) => see(`slack ${call.method} ${phase}`)),
  ];
  return {
    at: () => killedAt,
    async stop() {
      for (const stop of stops) stop();
    },
  };
}

/** Kills so many ms from now. */
export async function killLater(scene: Scene, ms: number): Promise<Killer> {
  const ended = new AbortController();
  let killedAt: string | undefined;
  const done = sleep(ms, undefined, { signal: ended.signal }).then(
    () => {
      killedAt = `${ms} ms`;
      return scene.firebreak.kill();
    },
    () => undefined,
  );
  return {
    at: () => killedAt,
    async stop() {
      ended.abort();
      await done;
    },
  };
}

/** Advisory lock on the head of the audit chain: whoever writes an audit entry waits for it just before it commits. */
const auditHead = 0x4642_4155;

/**
 * Kills inside a database transaction that writes an audit entry (`within`), or as soon as it has committed (`past`).
 * `number` counts the entries from now, 1 being the first.
 */
export async function killAtTransition(scene: Scene, where: 'within' | 'past', number: number): Promise<Killer> {
  const client = new pg.Client(databaseOf(scene));
  await client.connect();
  await client.query('select pg_advisory_lock($1::bigint)', [auditHead]);
  let killedAt: string | undefined;
  let stopped = false;
  async function isAwaited(): Promise<boolean> {
    const { rows } = await client.query<{ awaited: boolean }>(
      `select exists (select 1 from pg_locks where locktype = 'advisory' and classid = 0 and objid = $1 and objsubid = 1
        and not granted) as awaited`,
      [auditHead],
    );
    return rows[0]?.awaited === true;
  }
  async function kill(): Promise<void> {
    killedAt = `${where} transition ${number}`;
    await scene.firebreak.kill();
  }
  const done = (async () => {
    for (let seen = 0; !stopped && killedAt === undefined; ) {
      if (!(await isAwaited())) {
        await sleep(2);
        continue;
      }
      seen += 1;
      if (where === 'within' && seen === number) return kill();
      // The one that waits goes first; ours is granted when it has committed.
      await client.query('select pg_advisory_unlock($1::bigint)', [auditHead]);
      await client.query('select pg_advisory_lock($1::bigint)', [auditHead]);
      if (where === 'past' && seen === number) return kill();
    }
  })();
  return {
    at: () => killedAt,
    async stop() {
      stopped = true;
      await done;
      await client.end();
    },
  };
}

/** The first line of the embedded server's postmaster.pid is its pid, the fourth its port. */
export function serverOf({ dataDir }: Pick<Scene, 'dataDir'>): { pid: number; port: number } {
  const lines = readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n');
  return { pid: Number(lines[0]), port: Number(lines[3]) };
}

function databaseOf(scene: Pick<Scene, 'dataDir'>): pg.ClientConfig {
  const password = readFileSync(join(scene.dataDir, 'postgres.password'), 'utf8').trim();
  return { host: '127.0.0.1', port: serverOf(scene).port, user: 'firebreak', password, database: 'firebreak' };
}

type Where = Pick<Scene, 'dataDir'>;
const sessions = new Map<string, pg.Client>();

/** One session per data folder, kept: logging in takes more time than all the questions of a test. */
async function session(scene: Where): Promise<pg.Client> {
  const known = sessions.get(scene.dataDir);
  if (known !== undefined) return known;
  const client = new pg.Client(databaseOf(scene));
  const forget = () => sessions.delete(scene.dataDir);
  client.on('error', forget);
  client.on('end', forget);
  await client.connect();
  sessions.set(scene.dataDir, client);
  return client;
}

/**
 * Nothing waits, runs or is put off: what has not happened by now will not happen. The look a minute after a change does not
 * count. False where the database does not answer.
 */
export async function isIdle(scene: Where): Promise<boolean> {
  try {
    const { rows } = await (await session(scene)).query<{ idle: boolean }>(
      `select not exists (select 1 from bullmq.job where state in ('waiting', 'active', 'delayed')
        and not (name in ('containment.watch', 'containment.alive') and state = 'delayed')) as idle`,
    );
    return rows[0]?.idle === true;
  } catch {
    sessions.delete(scene.dataDir);
    return false;
  }
}

/** Waits for something that takes a second: looks less often than `until`, since a look may read all messages. */
export async function eventually(
  what: string,
  check: () => boolean | Promise<boolean>,
  withinMs = 60_000,
): Promise<void> {
  const giveUpAt = Date.now() + withinMs;
  while (!(await check())) {
    if (Date.now() > giveUpAt) throw new Error(`waited ${withinMs} ms in vain: ${what}`);
    await sleep(40);
  }
}

/** Waits until it is idle. */
export function idle(scene: Where, withinMs = 60_000): Promise<void> {
  return eventually('no job is left', () => isIdle(scene), withinMs);
}

/** Drops the looks that are due a minute after each change, so that they do not mix with what comes later. */
export async function dropWatches(scene: Where): Promise<void> {
  await (await session(scene)).query(
    `delete from bullmq.job where name in ('containment.watch', 'containment.alive') and state = 'delayed'`,
  );
}
