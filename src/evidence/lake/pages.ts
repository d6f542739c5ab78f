/**
 * The pages of the lake: one JSON file per shard with where its records come from, one per finished import. A shard counts only
 * once its page is there, and a page is there whole or not at all, so that a crash leaves no half of anything.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { WordsPage } from './words.ts';

const FilePage = z.object({
  path: z.string(),
  size: z.number(),
  /** SHA-256 of the original object, in hex. */
  sha256: z.string(),
  /** SHA-256 of what was packed in it; only where digests are there to compare with. */
  plain: z.string().optional(),
  etag: z.string().optional(),
  versionId: z.string().optional(),
  records: z.number(),
  verdict: z.enum(['log', 'bad', 'digest', 'other']),
  reason: z.string().optional(),
});
export type FilePage = z.output<typeof FilePage>;

const ShardPage = z.object({
  version: z.literal(1),
  source: z.string(),
  importedAt: z.string(),
  /** Absent where none of the files held a record. */
  shard: z.object({ name: z.string(), rows: z.number(), bytes: z.number(), sha256: z.string() }).optional(),
  words: WordsPage.optional(),
  /** Columns of the shard in which anything stands; absent in pages of earlier versions. */
  columns: z.array(z.string()).optional(),
  first: z.string().optional(),
  last: z.string().optional(),
  accounts: z.array(z.string()),
  regions: z.array(z.string()),
  files: z.array(FilePage),
});
export type ShardPage = z.output<typeof ShardPage>;

const RunPage = z.object({
  version: z.literal(1),
  source: z.string(),
  startedAt: z.string(),
  finishedAt: z.string(),
  /** The time for which the source was read in full; absent where it held nothing. */
  from: z.string().optional(),
  to: z.string().optional(),
  /** Only these were read, where given. */
  onlyAccounts: z.array(z.string()).optional(),
  onlyRegions: z.array(z.string()).optional(),
  accounts: z.array(z.string()),
  regions: z.array(z.string()),
  /** Objects that could not be reached at all. */
  unreadable: z.array(z.object({ path: z.string(), reason: z.string() })),
  digests: z.object({
    found: z.number(),
    signature: z.string(),
    problems: z.array(z.string()),
  }),
});
export type RunPage = z.output<typeof RunPage>;

/** As coverage names it. */
export const lakeName = 'CloudTrail lake';

export interface LakeFolder {
  readonly root: string;
  readonly shards: string;
  readonly runs: string;
  readonly temp: string;
}

export function lakeFolder(dataDir: string): LakeFolder {
  const root = join(dataDir, 'lake');
  return { root, shards: join(root, 'shards'), runs: join(root, 'runs'), temp: join(root, 'temp') };
}

export async function makeLakeFolder(folder: LakeFolder): Promise<void> {
  for (const path of [folder.root, folder.shards, folder.runs, folder.temp]) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  }
}

/** Pages that cannot be read are no pages: what they would vouch for counts as not imported. */
export interface Pages {
  readonly shards: readonly ShardPage[];
  readonly runs: readonly RunPage[];
  readonly damaged: readonly string[];
}

export async function readPages(folder: LakeFolder): Promise<Pages> {
  const damaged: string[] = [];
  const shards = await readAll(folder.shards, ShardPage, damaged);
  const runs = await readAll(folder.runs, RunPage, damaged);
  return { shards, runs, damaged };
}

/** Files of a source that are no CloudTrail logs, by their paths. */
export async function otherFilesOf(dataDir: string, source: string): Promise<ReadonlySet<string>> {
  const { shards } = await readPages(lakeFolder(dataDir));
  const files = shards.filter((page) => page.source === source).flatMap((page) => page.files);
  return new Set(files.filter(({ verdict }) => verdict === 'other').map(({ path }) => path));
}

async function readAll<T>(dir: string, schema: z.ZodType<T>, damaged: string[]): Promise<T[]> {
  const pages: T[] = [];
  for (const name of (await namesIn(dir)).filter((one) => one.endsWith('.json')).sort()) {
    const parsed = schema.safeParse(jsonOf(await readFile(join(dir, name), 'utf8')));
    if (parsed.success) pages.push(parsed.data);
    else damaged.push(join(dir, name));
  }
  return pages;
}

export async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Written beside, flushed, renamed, and the folder flushed: after a crash the page is there whole or not at all. */
export async function writePage(dir: string, name: string, page: object): Promise<void> {
  const part = join(dir, `${name}.${randomBytes(4).toString('hex')}.part`);
  const file = await open(part, 'wx', 0o600);
  try {
    await file.writeFile(JSON.stringify(page));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(part, join(dir, name));
  await flush(dir);
}

/** Flushes a file or a folder to the disk. */
export async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
