/** What stands between imports and the disk: one importer at a time, and a clear word when the disk is full. */
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import { BusyError, UserError } from '../../contracts/errors.ts';
import type { LakeFolder } from './pages.ts';

const lowSpace = 128 * 1024 * 1024;

/**
 * Throws UserError where another import holds the lock for longer than a dead one could. `onLost` is called where this process
 * stood still for so long that another may have taken the lock: it must stop.
 */
export async function takeLock(folder: LakeFolder, onLost: () => void): Promise<() => Promise<void>> {
  try {
    const release = await lock(folder.root, {
      lockfilePath: join(folder.root, 'import.lock'),
      realpath: false,
      stale: 5_000,
      update: 1_000,
      onCompromised: onLost,
      // The lock of a killed import is free after 5 s.
      retries: { retries: 16, factor: 1, minTimeout: 400, maxTimeout: 400 },
    });
    return () =>
      release().catch((error: NodeJS.ErrnoException) => {
        // Lost: there is nothing left to give back.
        if (error.code !== 'ERELEASED' && error.code !== 'ENOTACQUIRED') throw error;
      });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
    throw new BusyError(
      'Another import is running on this data folder.',
      'One at a time: wait for it, or stop it first.',
    );
  }
}

/**
 * The error to throw on: UserError where the disk is full, else the same. DuckDB tells a full disk in words only, so that the
 * disk is asked.
 * @param free bytes, asked of the system when absent
 */
export async function asFullDisk(error: unknown, folder: LakeFolder, free?: number): Promise<unknown> {
  if (error instanceof UserError) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const left = free ?? (await freeBytes(folder));
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && left >= lowSpace) return error;
  return new UserError(
    `The disk of ${folder.root} is full (${Math.round(left / 1_048_576)} MB free).`,
    'What was imported so far is kept. Make room and run the same import again: it goes on where it stopped.',
  );
}

async function freeBytes(folder: LakeFolder): Promise<number> {
  const { bavail, bsize } = await statfs(folder.root);
  return bavail * bsize;
}
