/**
 * The embedded PostgreSQL of a data folder, shared by the processes that run on it. Each process holds one session
 * (its anchor) with a shared advisory lock, which counts it, and one exclusive advisory lock per role. The server frees
 * them when the process dies, whatever kills it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { SetupError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import { asSetupError, type DataFolder, isSystemError, openDataFolder, withFolderLock } from './data-folder.ts';
import { ensureServer, type RunningServer, stopServer } from './postgres-server.ts';

export type Role = 'web' | 'worker' | 'executor';

export interface EmbeddedPostgres {
  readonly connectionString: string;
  /** Whether this process started the server. */
  readonly owner: boolean;
  /** Gives the roles back; the last process out stops the server and waits for it. Safe to call twice. */
  release(): Promise<void>;
}

/** First key of our advisory locks; the second is 0 for "attached" and the role's number for a role. */
const lockSpace = 0x4642;
const roleNumbers: Readonly<Record<Role, number>> = { web: 1, worker: 2, executor: 3 };

/**
 * Starts the server of the data folder, or attaches to it. Throws SetupError where another process holds one of the
 * roles, where the folder is of another version, or where the server cannot run.
 */
export async function openEmbeddedPostgres(input: {
  readonly dataDir: string;
  readonly roles: readonly Role[];
  readonly log: Log;
}): Promise<EmbeddedPostgres> {
  const { roles, log } = input;
  const folder = await openDataFolder(input.dataDir);
  const server = await withFolderLock(folder, log, async () => {
    const found = await ensureServer(folder, log);
    try {
      await takeRoles(found.client, roles, folder);
    } catch (thrown) {
      await leave(found, folder);
      throw thrown;
    }
    return found;
  }).catch((thrown: unknown) => {
    throw asSetupError(thrown, folder.path);
  });
  const anchor = keepAnchored(server, roles, folder, log);
  return { connectionString: server.connectionString, owner: server.started, release: anchor.release };
}

/** Takes the locks of this session. Throws SetupError naming the role and, where known, the process that has it. */
async function takeRoles(client: pg.Client, roles: readonly Role[], folder: DataFolder): Promise<void> {
  await client.query(`select set_config('application_name', $1, false), pg_advisory_lock_shared($2, 0)`, [
    `firebreak anchor ${process.pid}`,
    lockSpace,
  ]);
  const refused: string[] = [];
  for (const role of roles) {
    const holder = await takeRole(client, role);
    if (holder === 'taken') continue;
    refused.push(
      `Another process${holder === undefined ? '' : ` (pid ${holder})`} already runs as ${role} on the data folder ${folder.path}. Stop it first, or use another FIREBREAK_DATA_DIR.`,
    );
  }
  if (refused.length > 0) throw new SetupError(refused);
}

async function takeRole(client: pg.Client, role: Role): Promise<'taken' | number | undefined> {
  const giveUpAt = Date.now() + 2_000;
  for (;;) {
    const { rows } = await client.query<{ taken: boolean; holder: string | null }>(
      `select pg_try_advisory_lock($1, $2) as taken,
         (select a.application_name from pg_locks l join pg_stat_activity a using (pid)
           where l.locktype = 'advisory' and l.classid = $1 and l.objid = $2 and l.objsubid = 2
             and l.granted and l.pid <> pg_backend_pid() limit 1) as holder`,
      [lockSpace, roleNumbers[role]],
    );
    if (rows[0]?.taken === true) return 'taken';
    const holder = Number(/ (\d+)$/.exec(rows[0]?.holder ?? '')?.[1] ?? Number.NaN);
    // The server needs a moment to notice that a killed process is gone.
    const mayBeLeaving = Number.isNaN(holder) || !isAlive(holder);
    if (!mayBeLeaving || Date.now() > giveUpAt) return Number.isNaN(holder) ? undefined : holder;
    await sleep(25);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return isSystemError(thrown, 'EPERM');
  }
}

/** Ends our session; stops the server where nobody else is attached. The caller holds the folder's lock. */
async function leave(server: RunningServer, folder: DataFolder): Promise<void> {
  const { rows } = await server.client.query<{ others: number }>(
    `select count(*)::int as others from pg_locks
      where locktype = 'advisory' and classid = $1 and objid = 0 and objsubid = 2 and granted and pid <> pg_backend_pid()`,
    [lockSpace],
  );
  await server.client.end();
  if (rows[0]?.others === 0) await stopServer(server.pid, folder, 'SIGINT');
}

/** Holds the anchor; after a crash of the server it starts it again on the same port and takes the roles again. */
function keepAnchored(
  first: RunningServer,
  roles: readonly Role[],
  folder: DataFolder,
  log: Log,
): { release(): Promise<void> } {
  let server = first;
  let released: Promise<void> | undefined;
  let recovery: Promise<void> = Promise.resolve();

  function watch(): void {
    void server.sessionEnded.then(() => {
      if (released === undefined) recovery = recover();
    });
  }

  async function recover(): Promise<void> {
    log.warn({ pid: server.pid }, 'the connection to the embedded PostgreSQL was lost');
    for (let waitMs = 20; released === undefined; waitMs = Math.min(waitMs * 2, 2_000)) {
      try {
        await withFolderLock(folder, log, async () => {
          const found = await ensureServer(folder, log, { port: first.port });
          try {
            await takeRoles(found.client, roles, folder);
          } catch (thrown) {
            await found.client.end();
            throw thrown;
          }
          server = found;
        });
        watch();
        log.info({ pid: server.pid }, 'the embedded PostgreSQL is back');
        return;
      } catch (thrown) {
        log.error({ error: String(thrown) }, 'the embedded PostgreSQL is not back yet');
        await sleep(waitMs);
      }
    }
  }

  async function letGo(): Promise<void> {
    await recovery;
    await withFolderLock(folder, log, async () => {
      try {
        await leave(server, folder);
      } catch (thrown) {
        // The server died under us: there is nothing to stop, and the next start adopts whatever is left.
        log.warn({ error: String(thrown) }, 'the embedded PostgreSQL was gone before it was released');
      }
    });
  }

  watch();
  return {
    release: () => {
      released ??= letGo();
      return released;
    },
  };
}
