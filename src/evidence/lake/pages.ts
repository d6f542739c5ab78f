/**
 * The pages of the lake: one JSON file per shard with where its records come from, one per finished import. A shard counts only
 * once its page is there, and a page is there whole or not at all, so that a crash leaves no half of anything.
 */
import { readFileSync } from 'node:fs';
import { mkdir, open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isListOf, isNumber, isObject, isOneOf, isOptional, isText, type Shape } from './shapes.ts';
import { turns } from './turns.ts';
import { isWordsPage, type WordsPage } from './words.ts';

export interface FilePage {
  readonly path: string;
  readonly size: number;
  /** SHA-256 of the original object, in hex. */
  readonly sha256: string;
  /** SHA-256 of what was packed in it; only where digests are there to compare with. */
  readonly plain?: string | undefined;
  readonly etag?: string | undefined;
  readonly versionId?: string | undefined;
  readonly records: number;
  readonly verdict: 'log' | 'bad' | 'digest' | 'other';
  readonly reason?: string | undefined;
}

const isFilePage = isObject<FilePage>({
  path: isText,
  size: isNumber,
  sha256: isText,
  plain: isOptional(isText),
  etag: isOptional(isText),
  versionId: isOptional(isText),
  records: isNumber,
  verdict: isOneOf('log', 'bad', 'digest', 'other'),
  reason: isOptional(isText),
});

interface ShardFile {
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ShardPage {
  readonly version: 1;
  readonly source: string;
  readonly importedAt: string;
  /** Absent where none of the files held a record. */
  readonly shard?: ShardFile | undefined;
  readonly words?: WordsPage | undefined;
  /** Columns of the shard in which anything stands; absent in pages of earlier versions. */
  readonly columns?: readonly string[] | undefined;
  readonly first?: string | undefined;
  readonly last?: string | undefined;
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  readonly files: readonly FilePage[];
}

const isShardPage = isObject<ShardPage>({
  version: isOneOf(1),
  source: isText,
  importedAt: isText,
  shard: isOptional(isObject<ShardFile>({ name: isText, rows: isNumber, bytes: isNumber, sha256: isText })),
  words: isOptional(isWordsPage),
  columns: isOptional(isListOf(isText)),
  first: isOptional(isText),
  last: isOptional(isText),
  accounts: isListOf(isText),
  regions: isListOf(isText),
  files: isListOf(isFilePage),
});

interface Unreadable {
  readonly path: string;
  readonly reason: string;
}

interface DigestReport {
  readonly found: number;
  readonly signature: string;
  readonly problems: readonly string[];
}

/** ISO 8601 UTC, half-open, whole days. */
interface Hole {
  readonly account: string;
  readonly from: string;
  readonly to: string;
}

export interface RunPage {
  readonly version: 1;
  readonly source: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** The time for which the source was read in full; absent where it held nothing. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Only these were read, where given. */
  readonly onlyAccounts?: readonly string[] | undefined;
  readonly onlyRegions?: readonly string[] | undefined;
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  /** Days without a file of the account between such with files; absent in pages of earlier versions. */
  readonly holes?: readonly Hole[] | undefined;
  /** Objects that could not be reached at all. */
  readonly unreadable: readonly Unreadable[];
  readonly digests: DigestReport;
}

const isRunPage = isObject<RunPage>({
  version: isOneOf(1),
  source: isText,
  startedAt: isText,
  finishedAt: isText,
  from: isOptional(isText),
  to: isOptional(isText),
  onlyAccounts: isOptional(isListOf(isText)),
  onlyRegions: isOptional(isListOf(isText)),
  accounts: isListOf(isText),
  regions: isListOf(isText),
  holes: isOptional(isListOf(isObject<Hole>({ account: isText, from: isText, to: isText }))),
  unreadable: isListOf(isObject<Unreadable>({ path: isText, reason: isText })),
  digests: isObject<DigestReport>({ found: isNumber, signature: isText, problems: isListOf(isText) }),
});

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
  const shards = await readAll(folder.shards, isShardPage, damaged);
  const runs = await readAll(folder.runs, isRunPage, damaged);
  return { shards, runs, damaged };
}

/** Files of a source that are no CloudTrail logs, by their paths. */
export async function otherFilesOf(dataDir: string, source: string): Promise<ReadonlySet<string>> {
  const { shards } = await readPages(lakeFolder(dataDir));
  const files = shards.filter((page) => page.source === source).flatMap((page) => page.files);
  return new Set(files.filter(({ verdict }) => verdict === 'other').map(({ path }) => path));
}

async function readAll<T>(dir: string, shape: Shape<T>, damaged: string[]): Promise<T[]> {
  const names = (await namesIn(dir)).filter((one) => one.endsWith('.json')).sort();
  const pages: T[] = [];
  const turn = turns();
  for (const name of names) {
    const path = join(dir, name);
    const page = jsonOf(readFileSync(path).toString());
    if (shape(page)) pages.push(page);
    else damaged.push(path);
    await turn();
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
  // Loaded only by who writes: readers of the lake need nothing of it.
  const { randomBytes } = process.getBuiltinModule('node:crypto');
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
