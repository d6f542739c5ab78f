/** The data folder: who made it, who may enter it, and the lock under which its server is started and stopped. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { lock } from 'proper-lockfile';
import { z } from 'zod';
import { SetupError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';

const dataVersion = 1;
const postgresMajor = 18;

const FolderVersion = z.object({ dataVersion: z.number().int(), postgresMajor: z.number().int() });

export interface DataFolder {
  readonly path: string;
  readonly cluster: string;
  readonly passwordFile: string;
  readonly serverLog: string;
}

/** True where the thrown value is a system error of that code. */
export function isSystemError(thrown: unknown, ...codes: readonly string[]): boolean {
  return thrown instanceof Error && codes.includes(String((thrown as NodeJS.ErrnoException).code));
}

/** The text of a file, or undefined where there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if (isSystemError(thrown, 'ENOENT', 'ENOTDIR')) return undefined;
    throw thrown;
  }
}

/**
 * Checks that this version of Firebreak can use the folder, then makes it (0700) and marks it.
 * Throws SetupError, before anything is touched, for a folder of another version or one that cannot be entered.
 */
export async function openDataFolder(dataDir: string): Promise<DataFolder> {
  const wanted = resolve(dataDir);
  try {
    await refuseOtherVersion(wanted);
    await mkdir(wanted, { recursive: true, mode: 0o700 });
    await chmod(wanted, 0o700);
    const path = await realpath(wanted);
    const marker = join(path, 'firebreak.json');
    if ((await readIfThere(marker)) === undefined) {
      await writeWhole(marker, `${JSON.stringify({ dataVersion, postgresMajor })}\n`);
    }
    return {
      path,
      cluster: join(path, 'postgres'),
      passwordFile: join(path, 'postgres.password'),
      serverLog: join(path, 'postgres.log'),
    };
  } catch (thrown) {
    throw asSetupError(thrown, wanted);
  }
}

/** Says what to do about a folder that the system refuses; other errors come back as they are. */
export function asSetupError(thrown: unknown, path: string): unknown {
  if (isSystemError(thrown, 'ELOCKED')) {
    return new SetupError([`Another process has been starting or stopping the database of ${path} for over a minute.`]);
  }
  const refusals = ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR', 'EEXIST', 'EISDIR', 'ENOTEMPTY'];
  if (!isSystemError(thrown, ...refusals)) return thrown;
  const { code, path: at } = thrown as NodeJS.ErrnoException;
  return new SetupError([
    `The data folder ${path} cannot be used (${code}${at === undefined ? '' : ` at ${at}`}). Set FIREBREAK_DATA_DIR to a folder that this account may write and that has room, or DATABASE_URL to an external PostgreSQL.`,
  ]);
}

async function refuseOtherVersion(path: string): Promise<void> {
  const text = await readIfThere(join(path, 'firebreak.json'));
  const clusterMajor = Number.parseInt((await readIfThere(join(path, 'postgres', 'PG_VERSION'))) ?? '', 10);
  const found = text === undefined ? undefined : FolderVersion.safeParse(parseJson(text));
  if (found !== undefined && !found.success) {
    throw new SetupError([
      `${join(path, 'firebreak.json')} does not say which version of Firebreak made the data folder. Restore it from a backup, or choose another FIREBREAK_DATA_DIR.`,
    ]);
  }
  const version = found?.data.dataVersion ?? dataVersion;
  const major = Number.isNaN(clusterMajor) ? (found?.data.postgresMajor ?? postgresMajor) : clusterMajor;
  if (version > dataVersion || major > postgresMajor) {
    throw new SetupError([
      `The data folder ${path} was made by a newer version of Firebreak (data version ${version}, PostgreSQL ${major}; this one knows ${dataVersion} and ${postgresMajor}). Nothing was changed. Run that version, or choose another FIREBREAK_DATA_DIR.`,
    ]);
  }
  if (major < postgresMajor) {
    throw new SetupError([
      `The data folder ${path} holds a database of PostgreSQL ${major}, and this version of Firebreak brings PostgreSQL ${postgresMajor}. Nothing was changed. Dump it with the older version and load it into a new FIREBREAK_DATA_DIR.`,
    ]);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

/** Writes a file so that a crash leaves the old one, or none, and never half of the new one. */
async function writeWhole(path: string, text: string): Promise<void> {
  const part = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(part, text, { mode: 0o600, flush: true });
  await rename(part, path);
}

/** The server's password: made once, 256 bits, readable by the owner of the data folder only. */
export async function serverPassword(folder: DataFolder): Promise<string> {
  const kept = (await readIfThere(folder.passwordFile))?.trim();
  if (kept !== undefined && kept !== '') return kept;
  if ((await readIfThere(join(folder.cluster, 'PG_VERSION'))) !== undefined) {
    throw new SetupError([
      `${folder.passwordFile} is missing, so nobody can log in to the database of ${folder.path}. Restore it from a backup, or choose another FIREBREAK_DATA_DIR.`,
    ]);
  }
  const password = randomBytes(32).toString('base64url');
  await writeWhole(folder.passwordFile, `${password}\n`);
  return password;
}

/**
 * Runs `work` while no other process starts or stops the server of this folder. The lock of a killed process is
 * taken over after 3 s; PostgreSQL's own interlock stands behind it.
 */
export async function withFolderLock<T>(folder: DataFolder, log: Log, work: () => Promise<T>): Promise<T> {
  const unlock = await lock(folder.path, {
    lockfilePath: join(folder.path, 'postgres.lock'),
    realpath: false,
    stale: 3_000,
    update: 1_000,
    retries: { retries: 1_200, factor: 1, minTimeout: 40, maxTimeout: 60 },
    onCompromised: (error) => log.warn({ error: error.message }, 'the lock of the data folder was lost'),
  });
  try {
    return await work();
  } finally {
    await unlock().catch((thrown: unknown) => {
      // Lost to a process that thought us dead: there is nothing left to give back.
      if (!isSystemError(thrown, 'ERELEASED', 'ENOTACQUIRED')) throw thrown;
    });
  }
}
