/**
 * Under whose account the embedded server runs. PostgreSQL refuses to run as root
 * (https://www.postgresql.org/docs/18/postgres-user.html), so root hands over: to a user namespace in which root is
 * somebody else (needs no second account, and can still enter a folder that only root may enter), else to the account
 * that owns the folder, else to an account `postgres`.
 */
import { spawnSync } from 'node:child_process';
import { chown, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SetupError } from '../contracts/errors.ts';
import { type DataFolder, isSystemError, readIfThere } from './data-folder.ts';

export interface ServerAccount {
  /** Put before the command line. */
  readonly prefix: readonly string[];
  /** Options for spawn. */
  readonly ids: { readonly uid?: number; readonly gid?: number };
}

/** The server and its tools get this and nothing of our own environment, which holds secrets. */
export const serverEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
} as const;

const asOurselves: ServerAccount = { prefix: [], ids: {} };

/**
 * Chooses the account. An existing cluster decides by its owner; for a new one each way is tried.
 * Throws SetupError, saying what to do, where root finds no way.
 */
export async function chooseAccount(folder: DataFolder, postgres: string): Promise<ServerAccount> {
  if (process.getuid?.() !== 0) return asOurselves;
  const owner = await ownerOf(folder.cluster);
  if (owner !== undefined) return owner.uid === 0 ? await userNamespace() : { prefix: [], ids: owner };
  const namespace = await userNamespace();
  if (works(namespace, folder, postgres)) return namespace;
  for (const ids of [await firstOrdinaryOwner(folder.path), accountIds('postgres') ?? createAccount('postgres')]) {
    if (ids === undefined) continue;
    if (!(await giveTo(folder.path, ids))) continue;
    if (works({ prefix: [], ids }, folder, postgres)) return { prefix: [], ids };
    await giveTo(folder.path, { uid: 0, gid: 0 });
  }
  throw new SetupError([
    `The embedded PostgreSQL cannot run as root here: user namespaces are off (unshare --user) and no ordinary account can enter ${folder.path}. Run Firebreak as an ordinary user, set FIREBREAK_DATA_DIR to a folder that the account "postgres" can reach, or set DATABASE_URL to an external PostgreSQL.`,
  ]);
}

/** False where the system does not let even root do it, as in a container with few ids. */
async function giveTo(path: string, ids: { uid: number; gid: number }): Promise<boolean> {
  try {
    await chown(path, ids.uid, ids.gid);
    return true;
  } catch (thrown) {
    if (isSystemError(thrown, 'EPERM', 'EINVAL')) return false;
    throw thrown;
  }
}

/** The password file is read by initdb, so it goes to the same account. */
export async function handOver(account: ServerAccount, path: string): Promise<void> {
  const { uid, gid } = account.ids;
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid);
}

async function userNamespace(): Promise<ServerAccount> {
  // initdb looks its user id up in /etc/passwd, so the id that root is mapped to must be there.
  const passwd = (await readIfThere('/etc/passwd')) ?? '';
  const known = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .find((fields) => Number(fields[2]) > 0 && Number(fields[3]) > 0);
  const uid = known?.[2] ?? '1000';
  return { prefix: ['unshare', '--user', `--map-user=${uid}`, `--map-group=${known?.[3] ?? uid}`], ids: {} };
}

/** Whether the account can run the server's program and write into the data folder. */
function works(account: ServerAccount, folder: DataFolder, postgres: string): boolean {
  const script = '"$1" --version >/dev/null && test -w "$2" && test -x "$2"';
  const [file, ...args] = [...account.prefix, 'sh', '-c', script, 'sh', postgres, folder.path];
  const run = spawnSync(file ?? 'sh', args, { env: serverEnvironment, cwd: '/', stdio: 'ignore', ...account.ids });
  return run.status === 0;
}

async function ownerOf(path: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const { uid, gid } = await stat(path);
    return { uid, gid };
  } catch (thrown) {
    if (isSystemError(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
}

/** The account in whose folder we are: root often works in the clone of an ordinary user. */
async function firstOrdinaryOwner(path: string): Promise<{ uid: number; gid: number } | undefined> {
  for (let at = path; ; at = dirname(at)) {
    const owner = await ownerOf(at);
    if (owner !== undefined && owner.uid !== 0) return owner;
    if (at === dirname(at)) return undefined;
  }
}

function accountIds(name: string): { uid: number; gid: number } | undefined {
  const [uid, gid] = ['-u', '-g'].map((flag) => {
    const run = spawnSync('id', [flag, name], { env: serverEnvironment, encoding: 'utf8' });
    return run.status === 0 ? Number.parseInt(run.stdout, 10) : Number.NaN;
  });
  if (uid === undefined || gid === undefined || Number.isNaN(uid) || Number.isNaN(gid)) return undefined;
  return { uid, gid };
}

function createAccount(name: string): { uid: number; gid: number } | undefined {
  const args = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', name];
  spawnSync('useradd', args, { env: serverEnvironment, stdio: 'ignore' });
  return accountIds(name);
}

/** Whether process `pid` is a live PostgreSQL server on this cluster, and not a zombie or another program with a reused id. */
export async function isServerOf(pid: number, cluster: string): Promise<boolean> {
  if (process.platform !== 'linux') {
    const run = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { env: serverEnvironment, encoding: 'utf8' });
    return run.status === 0 && run.stdout.includes(cluster);
  }
  try {
    const status = await readFile(`/proc/${pid}/stat`, 'utf8');
    if (/^\s*[ZX]/.test(status.slice(status.lastIndexOf(')') + 1))) return false;
    // The server's working directory is its cluster; (device, inode) also tells a moved folder from a copied one.
    const [theirs, ours] = await Promise.all([stat(`/proc/${pid}/cwd`), stat(cluster)]);
    return theirs.dev === ours.dev && theirs.ino === ours.ino;
  } catch (thrown) {
    if (isSystemError(thrown, 'ENOENT', 'ESRCH')) return false;
    if (!isSystemError(thrown, 'EACCES', 'EPERM')) throw thrown;
    return ((await readIfThere(`/proc/${pid}/cmdline`)) ?? '').includes(cluster);
  }
}
