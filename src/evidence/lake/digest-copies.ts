/** Digests as they were read, so that a later import of the same bucket need not fetch them again to compare. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asError } from '../../contracts/errors.ts';
import type { FilePage, LakeFolder } from './pages.ts';
import { sha256 } from './prepare.ts';

/** Unpacked. Rejects with what the file system says. */
export async function keepDigest(folder: LakeFolder, page: Pick<FilePage, 'sha256'>, content: Buffer): Promise<void> {
  await mkdir(join(folder.root, 'digests'), { recursive: true, mode: 0o700 });
  await writeFile(placeOf(folder, page), content, { mode: 0o600 });
}

/** Undefined where there is no copy, or another one than was read: then it has to be fetched. */
export async function keptDigest(folder: LakeFolder, page: FilePage): Promise<Buffer | undefined> {
  try {
    const content = await readFile(placeOf(folder, page));
    return sha256(content) === page.plain ? content : undefined;
  } catch (error) {
    if ((asError(error) as NodeJS.ErrnoException).code === undefined) throw error;
    return undefined;
  }
}

function placeOf(folder: LakeFolder, page: Pick<FilePage, 'sha256'>): string {
  return join(folder.root, 'digests', `${page.sha256}.json`);
}
