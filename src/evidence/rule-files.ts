/** Reads a folder of Sigma rule files, as text. What they mean is the domain's business. */
import { lstat, opendir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { UserError } from '../contracts/errors.ts';

export interface RuleText {
  /** Relative to the folder, with `/`. */
  readonly path: string;
  readonly text: string;
}

const maxFiles = 20_000;
const maxBytes = 2_000_000;

/**
 * All `.yml` and `.yaml` files below the folder, by path; one file is a folder of itself. Symbolic links are not followed.
 * Throws UserError where the folder does not exist, may not be read, or holds no rule files, too many or too large ones.
 */
export async function readRuleFiles(dir: string): Promise<readonly RuleText[]> {
  try {
    const root = await realpath(dir);
    const paths = (await stat(root)).isDirectory() ? await pathsBelow(root) : [root];
    if (paths.length === 0) throw new UserError(`There are no rule files (.yml, .yaml) in ${dir}.`);
    const texts: RuleText[] = [];
    for (const path of paths) {
      if ((await stat(path)).size > maxBytes) throw new UserError(`${path} is larger than ${maxBytes} bytes.`);
      const name = path === root ? basename(path) : relative(root, path).split(sep).join('/');
      texts.push({ path: name, text: await readFile(path, 'utf8') });
    }
    return texts;
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (error instanceof UserError || typeof code !== 'string') throw error;
    const why = code === 'ENOENT' || code === 'ENOTDIR' ? 'does not exist' : `could not be read (${code})`;
    throw new UserError(`The folder of rules ${dir} ${why}.`);
  }
}

async function pathsBelow(root: string): Promise<readonly string[]> {
  const found: string[] = [];
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const entry of await opendir(folder)) {
      const path = join(folder, entry.name);
      const kind = await lstat(path);
      if (kind.isDirectory()) folders.push(path);
      else if (kind.isFile() && /\.ya?ml$/i.test(entry.name)) found.push(path);
      if (found.length > maxFiles) throw new UserError(`There are more than ${maxFiles} rule files in ${root}.`);
    }
  }
  return found.sort();
}
