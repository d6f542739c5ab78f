/** A folder of log files, or one file, as the source of an import. */
import { copyFile, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { LogObject, LogSource } from '../../contracts/log-source.ts';
import { listFiles } from '../folder.ts';

/** Symbolic links that lead out of the folder are told as unreadable. */
export function folderSource(dir: string): LogSource {
  return {
    name: resolve(dir),
    kind: 'folder',
    async *list(wanted, unreadable) {
      const found = await listFiles(dir);
      for (const { path, reason } of found.unreadable) unreadable(path, reason);
      for (const { path } of found.links)
        unreadable(path, 'a symbolic link that leads out of the folder, not followed');
      for (const { absolute, path, size } of found.files) if (wanted(path)) yield { path, size, file: absolute };
    },
    async read(object: LogObject) {
      return { bytes: await readFile(object.file ?? object.path) };
    },
    async save(object: LogObject, file: string) {
      await copyFile(object.file ?? object.path, file);
      return {};
    },
  };
}
