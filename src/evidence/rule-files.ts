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

export interface RuleFolder {
  readonly files: readonly RuleText[];
  /** Files that could not be read, by name: each breaks only itself. */
  readonly problems: readonly { readonly rule: string; readonly reason: string }[];
}

/** Tests of rules lie next to them: `mine.yml`, `mine.tests.yml`. */
const testFile = /\.tests\.ya?ml$/i;

/**
 * All `.yml` and `.yaml` files below the folder, by path; one file is a folder of itself. Symbolic links are not followed.
 * Throws UserError where the folder does not exist, may not be read, or holds no rule files or too many.
 */
export async function readRuleFolder(dir: string, kind: 'rules' | 'tests' = 'rules'): Promise<RuleFolder> {
  try {
    const root = await realpath(dir);
    const found = (await stat(root)).isDirectory() ? await pathsBelow(root) : [root];
    const paths = found.filter((path) => testFile.test(path) === (kind === 'tests'));
    if (paths.length === 0 && kind === 'rules') throw new UserError(`There are no rule files (.yml, .yaml) in ${dir}.`);
    const files: RuleText[] = [];
    const problems: { rule: string; reason: string }[] = [];
    for (const path of paths) {
      const name = path === root ? basename(path) : relative(root, path).split(sep).join('/');
      const read = await readOne(path);
      if ('text' in read) files.push({ path: name, text: read.text });
      else problems.push({ rule: name, reason: read.problem });
    }
    return { files, problems };
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (error instanceof UserError || typeof code !== 'string') throw error;
    const why = code === 'ENOENT' || code === 'ENOTDIR' ? 'does not exist' : `could not be read (${code})`;
    throw new UserError(`The folder of rules ${dir} ${why}.`);
  }
}

/** The folders of the config, together. A folder that cannot be read is a problem of its own and stops nothing. */
export async function readRuleFolders(dirs: readonly string[], kind: 'rules' | 'tests' = 'rules'): Promise<RuleFolder> {
  const folders = await Promise.all(
    dirs.map(async (dir): Promise<RuleFolder> => {
      try {
        const { files, problems } = await readRuleFolder(dir, kind);
        // Files of two folders may have one name.
        const named = (path: string): string => `${basename(dir)}/${path}`;
        return {
          files: files.map((file) => ({ ...file, path: named(file.path) })),
          problems: problems.map((problem) => ({ ...problem, rule: named(problem.rule) })),
        };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return { files: [], problems: [{ rule: dir, reason: error.message }] };
      }
    }),
  );
  return { files: folders.flatMap(({ files }) => files), problems: folders.flatMap(({ problems }) => problems) };
}

/** As `readRuleFolder`, for callers that take all or nothing: throws UserError for the first file that cannot be read. */
export async function readRuleFiles(dir: string): Promise<readonly RuleText[]> {
  const { files, problems } = await readRuleFolder(dir);
  const [problem] = problems;
  if (problem) throw new UserError(`${problem.rule} is ${problem.reason}.`);
  return files;
}

async function readOne(path: string): Promise<{ readonly text: string } | { readonly problem: string }> {
  try {
    if ((await stat(path)).size > maxBytes) return { problem: `larger than ${maxBytes} bytes` };
    return { text: await readFile(path, 'utf8') };
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (typeof code !== 'string') throw error;
    return { problem: `not readable (${code})` };
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
