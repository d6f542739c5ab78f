/** Starts, adopts and stops the embedded PostgreSQL server of a data folder. Callers hold the folder's lock. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, open, rename, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { SetupError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import { type DataFolder, isSystemError, readIfThere, serverPassword } from './data-folder.ts';
import { chooseAccount, isServerOf, type ServerAccount, serverEnvironment } from './postgres-account.ts';
import { findPrograms, initialise, serverUser } from './postgres-cluster.ts';

const database = 'firebreak';

/** Small, since the default is one process on one machine; durable: fsync, full_page_writes and synchronous_commit stay on. */
const settings = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=150',
  'shared_buffers=32MB',
  'min_wal_size=32MB',
  'max_wal_size=256MB',
  // Not minimal: there, a sequence that is used in the transaction that made it goes back after a crash, as BullMQ's
  // job ids do, and a job whose id was there before is never run.
  'wal_level=replica',
  'max_wal_senders=0',
  'max_logical_replication_workers=0',
  'max_parallel_workers=0',
  'io_method=sync',
  'jit=off',
  'autovacuum_max_workers=1',
  'huge_pages=off',
  'timezone=UTC',
  'log_timezone=UTC',
  'log_min_messages=warning',
  'log_checkpoints=off',
];

export interface RunningServer {
  readonly pid: number;
  readonly port: number;
  readonly connectionString: string;
  /** A session on it. */
  readonly client: pg.Client;
  /** Resolves when the session ends, for whatever reason. */
  readonly sessionEnded: Promise<void>;
  readonly started: boolean;
}

/**
 * Gives a session on the folder's server: the running one, else a new one. A server that does not answer is stopped
 * first. `again` is the port of a server that died under us: the new one must take the same, and never a new cluster.
 * Throws SetupError with the end of the server's log where it cannot run.
 */
export async function ensureServer(folder: DataFolder, log: Log, again?: { port: number }): Promise<RunningServer> {
  const hasCluster = (await readIfThere(join(folder.cluster, 'PG_VERSION'))) !== undefined;
  if (!hasCluster && again !== undefined) throw new SetupError([`The database in ${folder.cluster} is gone.`]);
  const password = await serverPassword(folder);
  const running = hasCluster ? await adopt(folder, password, log) : undefined;
  if (running !== undefined) return running;
  const programs = await findPrograms();
  const account = await chooseAccount(folder, programs.postgres);
  if (!hasCluster) await initialise(folder, account, programs.initdb);
  // A folder that came back from a backup may be open to others, and PostgreSQL refuses such a one.
  await chmod(folder.cluster, 0o700);
  await chmod(folder.passwordFile, 0o600);
  return start(folder, account, programs.postgres, password, again?.port);
}

interface PidFile {
  readonly pid: number;
  readonly port: number;
  /** starting, stopping, ready or standby. */
  readonly status: string;
}

/** postmaster.pid: https://www.postgresql.org/docs/18/storage-file-layout.html; lines 1, 4 and 8. */
async function readPidFile(folder: DataFolder): Promise<PidFile | undefined> {
  const lines = (await readIfThere(join(folder.cluster, 'postmaster.pid')))?.split('\n');
  const pid = Number.parseInt(lines?.[0] ?? '', 10);
  if (lines === undefined || !(pid > 1)) return undefined;
  return { pid, port: Number.parseInt(lines[3] ?? '', 10), status: (lines[7] ?? 'starting').trim() };
}

async function adopt(folder: DataFolder, password: string, log: Log): Promise<RunningServer | undefined> {
  const pidFile = join(folder.cluster, 'postmaster.pid');
  const found = await readPidFile(folder);
  // Left by a killed server; its id may be somebody else's by now, which would keep PostgreSQL from starting.
  if (found === undefined || !(await isServerOf(found.pid, folder.cluster))) {
    await rm(pidFile, { force: true });
    return undefined;
  }
  // Recovery after a crash may take its time; a server that says `ready` must answer at once.
  const recoveryEnds = Date.now() + 60_000;
  let answerBy: number | undefined;
  while (await isServerOf(found.pid, folder.cluster)) {
    const now = await readPidFile(folder);
    if (now?.status === 'ready') {
      answerBy ??= Date.now() + 5_000;
      const client = await logIn(now.port, password);
      if (client !== undefined) return running(now, password, client, false);
    }
    if (Date.now() > (answerBy ?? recoveryEnds)) break;
    await sleep(20);
  }
  log.warn({ pid: found.pid }, 'the embedded PostgreSQL does not answer and is stopped');
  await stopServer(found.pid, folder, 'SIGQUIT');
  await rm(pidFile, { force: true });
  return undefined;
}

async function start(
  folder: DataFolder,
  account: ServerAccount,
  postgres: string,
  password: string,
  fixedPort: number | undefined,
): Promise<RunningServer> {
  const giveUpAt = Date.now() + 5_000;
  for (;;) {
    const port = fixedPort ?? (await freePort());
    const exited = await launch(folder, account, postgres, port);
    const ready = await untilReady(folder, exited);
    const client = ready && (await logIn(ready.port, password));
    if (ready !== undefined && client !== undefined) return running(ready, password, client, true);
    // Somebody else may have taken the port, or workers of a killed server may still be leaving: both pass.
    if (Date.now() > giveUpAt) break;
    await sleep(100);
  }
  const tail = ((await readIfThere(folder.serverLog)) ?? '').trimEnd().split('\n').slice(-5).join('\n');
  throw new SetupError([`The embedded PostgreSQL does not start. The end of ${folder.serverLog}:\n${tail}`]);
}

/** In bytes; 0 where there is no file. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (thrown) {
    if (isSystemError(thrown, 'ENOENT')) return 0;
    throw thrown;
  }
}

async function launch(
  folder: DataFolder,
  account: ServerAccount,
  postgres: string,
  port: number,
): Promise<{ readonly signal: AbortSignal }> {
  if ((await sizeOf(folder.serverLog)) > 5_000_000) await rename(folder.serverLog, `${folder.serverLog}.1`);
  const output = await open(folder.serverLog, 'a', 0o600);
  const exited = new AbortController();
  try {
    const args = ['-D', folder.cluster, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
    const [file = postgres, ...rest] = [...account.prefix, postgres, ...args];
    // A session and files of its own: it outlives this process, whatever ends it.
    const child = spawn(file, rest, {
      cwd: folder.path,
      detached: true,
      env: serverEnvironment,
      stdio: ['ignore', output.fd, output.fd],
      ...account.ids,
    });
    child.once('exit', () => exited.abort());
    child.once('error', () => exited.abort());
    child.unref();
  } finally {
    await output.close();
  }
  return exited;
}

async function untilReady(folder: DataFolder, exited: { readonly signal: AbortSignal }): Promise<PidFile | undefined> {
  const giveUpAt = Date.now() + 60_000;
  while (!exited.signal.aborted && Date.now() < giveUpAt) {
    const now = await readPidFile(folder);
    if (now?.status === 'ready') return now;
    await sleep(4);
  }
  return undefined;
}

/** A session, or undefined where the server does not answer now. */
async function logIn(port: number, password: string): Promise<pg.Client | undefined> {
  const session = (name: string): pg.Client => {
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      user: serverUser,
      password,
      database: name,
      connectionTimeoutMillis: 2_000,
      query_timeout: 10_000,
      keepAlive: true,
    });
    // Without a listener a lost connection would end the process; the holder adds its own.
    client.on('error', () => undefined);
    return client;
  };
  const client = session(database);
  try {
    await client.connect();
    return client;
  } catch (thrown) {
    const code = thrown instanceof pg.DatabaseError ? thrown.code : undefined;
    if (code === '28P01' || code === '28000') {
      throw new SetupError(['The embedded PostgreSQL refuses the password of its own data folder.']);
    }
    if (code !== '3D000') return undefined;
    // A new cluster: renaming the empty database that initdb made is quicker than making another.
    const maker = session('template1');
    await maker.connect();
    await maker.query(`alter database postgres rename to ${database}`);
    await maker.end();
    return logIn(port, password);
  }
}

function running(found: PidFile, password: string, client: pg.Client, started: boolean): RunningServer {
  const connectionString = `postgresql://${serverUser}:${password}@127.0.0.1:${found.port}/${database}`;
  const sessionEnded = new Promise<void>((resolve) => client.once('end', () => resolve()));
  return { pid: found.pid, port: found.port, connectionString, client, sessionEnded, started };
}

/** Stops the server and waits until it is gone: SIGINT is a fast shutdown, SIGQUIT an immediate one. */
export async function stopServer(pid: number, folder: DataFolder, signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
  const steps = signal === 'SIGINT' ? (['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) : (['SIGQUIT', 'SIGKILL'] as const);
  for (const step of steps) {
    if (!(await isServerOf(pid, folder.cluster))) return;
    try {
      process.kill(pid, step);
    } catch (thrown) {
      if (isSystemError(thrown, 'ESRCH')) return;
      throw thrown;
    }
    const giveUpAt = Date.now() + (step === 'SIGINT' ? 30_000 : 2_000);
    while (Date.now() < giveUpAt) {
      if (!(await isServerOf(pid, folder.cluster))) return;
      await sleep(5);
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
