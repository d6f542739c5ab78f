/**
 * Real databases for tests. The servers of one test process are shared: a call gives a fresh database on them.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { Log } from '../../src/contracts/log.ts';
import type { Store } from '../../src/contracts/store.ts';
import { type EmbeddedPostgres, openEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { openStore } from '../../src/store/store.ts';

export interface TestDatabase {
  readonly connectionString: string;
  /** Drops the database; the last one stops the server and removes its folder. */
  stop(): Promise<void>;
}

export interface TestStore {
  readonly store: Store;
  /** Closes it, and drops its database. */
  stop(): Promise<void>;
}

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with the same append-only file. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Says nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** Waits until `check` is true; throws after `withinMs` with what was waited for. */
export async function until(what: string, check: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> {
  const giveUpAt = Date.now() + withinMs;
  while (!(await check())) {
    if (Date.now() > giveUpAt) throw new Error(`waited ${withinMs} ms in vain: ${what}`);
    await sleep(10);
  }
}

export function temporaryFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `firebreak-${name}-`));
}

interface Shared {
  readonly server: Promise<EmbeddedPostgres>;
  readonly folder: string;
  users: number;
}
let shared: Shared | undefined;

/** A fresh database on an embedded server: about 0.8 s for the first of a process, 50 ms for the next ones. */
export async function startTestDatabase(): Promise<TestDatabase> {
  if (shared === undefined) {
    const folder = temporaryFolder('database');
    shared = { folder, users: 0, server: openEmbeddedPostgres({ dataDir: folder, roles: [], log: silentLog }) };
    process.once('exit', () => discardServer(folder));
  }
  const mine = shared;
  mine.users += 1;
  const { connectionString } = await mine.server;
  const name = `test_${randomBytes(6).toString('hex')}`;
  await runSql(connectionString, `create database ${name}`);
  return {
    connectionString: connectionString.replace(/\/[^/]*$/, `/${name}`),
    stop: async () => {
      await runSql(connectionString, `drop database if exists ${name} with (force)`);
      mine.users -= 1;
      if (mine.users > 0) return;
      if (shared === mine) shared = undefined;
      await (await mine.server).release();
      rmSync(mine.folder, { recursive: true, force: true });
    },
  };
}

/** A store on a fresh database. */
export async function startTestStore(): Promise<TestStore> {
  const { connectionString, stop } = await startTestDatabase();
  const store = await openStore({ connectionString, log: silentLog, applicationName: 'test' });
  return {
    store,
    stop: async () => {
      await store.close();
      await stop();
    },
  };
}

/** For runs that end without `stop`: no server and no folder stays behind. */
export function discardServer(folder: string): void {
  const pidFile = join(folder, 'postgres', 'postmaster.pid');
  if (existsSync(pidFile)) process.kill(Number.parseInt(readFileSync(pidFile, 'utf8'), 10), 'SIGQUIT');
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

export async function runSql(connectionString: string, statement: string): Promise<pg.QueryResult['rows']> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Why there is no Redis to test with, or undefined where there is one. */
export function redisMissing(): string | undefined {
  return spawnSync('redis-server', ['--version']).status === 0 ? undefined : 'redis-server is not installed';
}

export async function startTestRedis(): Promise<TestRedis> {
  const folder = temporaryFolder('redis');
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'yes'];
  let child: ChildProcess | undefined;
  const start = async () => {
    child = spawn('redis-server', args, { stdio: 'ignore' });
    await until('redis answers', async () => {
      const redis = new Redis(port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => null });
      redis.on('error', () => undefined);
      try {
        await redis.connect();
        return (await redis.ping()) === 'PONG';
      } catch {
        return false;
      } finally {
        redis.disconnect();
      }
    });
  };
  const end = async (signal: NodeJS.Signals) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill: () => end('SIGKILL'),
    restart: start,
    stop: async () => {
      await end('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const systemPostgres = '/usr/lib/postgresql';

function systemPostgresBin(): string | undefined {
  if (!existsSync(systemPostgres)) return undefined;
  const versions = readdirSync(systemPostgres).sort((left, right) => Number(right) - Number(left));
  return versions.map((version) => join(systemPostgres, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
}

/** Why there is no external PostgreSQL to test with, or undefined where there is one. */
export function externalPostgresMissing(): string | undefined {
  if (systemPostgresBin() === undefined) return `no PostgreSQL under ${systemPostgres}`;
  if (process.getuid?.() === 0 && accountIds('postgres') === undefined) {
    return 'running as root and there is no account "postgres"';
  }
  return undefined;
}

function accountIds(name: string): { uid: number; gid: number } | undefined {
  const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }));
  if (uid?.status !== 0 || gid?.status !== 0) return undefined;
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

/** The system's own PostgreSQL, in a cluster of its own, reached as an operator's DATABASE_URL would be. */
export async function startExternalDatabase(): Promise<TestDatabase> {
  const bin = systemPostgresBin();
  if (bin === undefined) throw new Error(externalPostgresMissing());
  const folder = temporaryFolder('external');
  const ids = process.getuid?.() === 0 ? accountIds('postgres') : undefined;
  if (ids !== undefined) chownSync(folder, ids.uid, ids.gid);
  const cluster = join(folder, 'cluster');
  const port = await freePort();
  const options = { cwd: folder, stdio: 'ignore', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' }, ...ids } as const;
  execFileSync(
    join(bin, 'initdb'),
    ['-D', cluster, '-U', 'operator', '-A', 'trust', '-E', 'UTF8', '--no-sync'],
    options,
  );
  const settings = ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'fsync=off'];
  const server = spawn(join(bin, 'postgres'), ['-D', cluster, '-p', String(port), ...settings], options);
  const connectionString = `postgresql://operator@127.0.0.1:${port}/postgres`;
  await until('the external PostgreSQL answers', async () => {
    try {
      await runSql(connectionString, 'select 1');
      return true;
    } catch {
      return false;
    }
  });
  return {
    connectionString,
    stop: async () => {
      server.kill('SIGINT');
      await once(server, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
