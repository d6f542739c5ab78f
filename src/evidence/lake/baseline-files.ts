/**
 * The kept past on the disk: a page that names the shards whose records are in it and the files that hold it, and 64 files of lines. A
 * file is never changed: an update writes new ones and then the page, so that after a crash the page before stands with all that it names.
 */
import { hash, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { z } from 'zod';
import { Baseline } from '../../domain/baseline/baseline.ts';
import { type KeptLine, keyLine, profileLine, readLine } from '../../domain/baseline/kept.ts';
import type { Key } from '../../domain/baseline/keys.ts';
import type { Profile } from '../../domain/baseline/profile.ts';
import { sharedTexts } from '../../domain/baseline/sighting.ts';
import { flush, type LakeFolder, namesIn, writePage } from './pages.ts';

/** Changed whenever profiles are made or kept in another way: what an earlier version wrote is made again. */
const version = 1;
const bucketCount = 64;
/** Per file; beyond them those go that were silent for longest. */
const maxPrincipals = 1_500;
const maxKeys = 2_000;
/** Credentials of an instance are valid for some hours; those that were seen in one place only are of no use after that. */
const instanceMs = 36 * 3_600_000;

const zip = promisify(gzip);
const unzip = promisify(gunzip);

const BucketPage = z.object({
  file: z.string().regex(/^\d\d-[0-9a-f]{16}\.gz$/),
  sha256: z.string(),
  principals: z.number(),
  /** Principals that were dropped up to now, and the last call of any of them: whoever comes back learns from then on. */
  evicted: z.number(),
  evictedUntil: z.number(),
});
type BucketPage = z.output<typeof BucketPage>;

const PastPage = z.object({
  version: z.literal(version),
  /** The databases of addresses by which countries and networks were told; "" where there was none. */
  places: z.string(),
  shards: z.array(z.string()),
  /** False while it is made anew: then it knows too little for anything to be called new. */
  whole: z.boolean(),
  buckets: z.partialRecord(z.string().regex(/^\d\d$/), BucketPage),
});
export type PastPage = z.output<typeof PastPage>;

export const noPast: PastPage = { version, places: '', shards: [], whole: false, buckets: {} };

/** What is kept cannot be used: it has to be made again. */
export class SpoiltPast extends Error {
  override readonly name = 'SpoiltPast';
}

const pageName = 'page.json';

export function pastDir(folder: LakeFolder): string {
  return join(folder.root, 'baselines');
}

export async function makePastDir(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
}

/** Undefined where nothing is kept. Throws SpoiltPast for what no update of this version has written. */
export async function readPastPage(dir: string): Promise<PastPage | undefined> {
  let text: string;
  try {
    text = await readFile(join(dir, pageName), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return PastPage.parse(JSON.parse(text));
  } catch (error) {
    throw new SpoiltPast('its page is damaged or of another version', { cause: error });
  }
}

/** The page where it can be used. */
export async function usablePage(dir: string): Promise<PastPage | undefined> {
  try {
    return await readPastPage(dir);
  } catch (error) {
    if (error instanceof SpoiltPast) return undefined;
    throw error;
  }
}

export function bucketOf(name: string): string {
  return String(Number.parseInt(hash('sha256', name, 'hex').slice(0, 2), 16) % bucketCount).padStart(2, '0');
}

export const allBuckets: readonly string[] = Array.from({ length: bucketCount }, (_, i) => String(i).padStart(2, '0'));

/** Another process has replaced the file meanwhile: the page has to be read again. */
export class GonePast extends Error {
  override readonly name = 'GonePast';
}

/** The lines of a file. Throws SpoiltPast where it is not what was written, GonePast where it is no longer there. */
async function linesOf(dir: string, { file, sha256 }: BucketPage): Promise<readonly string[]> {
  let bytes: Buffer;
  try {
    bytes = await readFile(join(dir, file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new GonePast(`${file} is gone`);
    throw error;
  }
  if (hash('sha256', bytes, 'hex') !== sha256) throw new SpoiltPast(`${file} is damaged`);
  return (await unzip(bytes)).toString('utf8').split('\n').filter(Boolean);
}

/** One file as it is kept; with `only`, the lines of these principals and keys. Throws as `linesOf` does. */
export async function readBucket(
  dir: string,
  page: BucketPage | undefined,
  only?: ReadonlySet<string>,
): Promise<Baseline> {
  const baseline = new Baseline();
  if (page === undefined) return baseline;
  const shared = sharedTexts();
  for (const text of await linesOf(dir, page)) {
    if (only && !only.has(nameIn(text))) continue;
    let line: KeptLine;
    try {
      line = readLine(text, shared);
    } catch (error) {
      throw new SpoiltPast(`${page.file} does not read back`, { cause: error });
    }
    if (line.kind === 'profile') baseline.profiles.set(line.group, line.profile);
    else baseline.keys.set(line.id, line.key);
  }
  return baseline;
}

const nameForm = /^\{"[gk]":("(?:[^"\\]|\\.)*")/;

/** Whose line it is, without reading the rest. */
function nameIn(line: string): string {
  const [, quoted] = nameForm.exec(line) ?? [];
  return quoted === undefined ? '' : String(JSON.parse(quoted));
}

export interface Pieces {
  readonly profiles: (readonly [string, Profile])[];
  readonly keys: (readonly [string, Key])[];
}

/** What of a baseline goes into which file. */
export function piecesOf(baseline: Baseline): ReadonlyMap<string, Pieces> {
  const pieces = new Map<string, Pieces>();
  const pieceFor = (name: string): Pieces => {
    const bucket = bucketOf(name);
    const known = pieces.get(bucket) ?? { profiles: [], keys: [] };
    pieces.set(bucket, known);
    return known;
  };
  for (const one of baseline.profiles) pieceFor(one[0]).profiles.push(one);
  for (const one of baseline.keys) pieceFor(one[0]).keys.push(one);
  return pieces;
}

/** Adds a piece to what a file holds. */
export function addPiece(kept: Baseline, piece: Pieces, before: BucketPage | undefined): void {
  for (const [group, profile] of piece.profiles) {
    const known = kept.profiles.get(group);
    if (known) known.merge(profile);
    else {
      if (before) profile.since = Math.max(profile.since, before.evictedUntil);
      kept.profiles.set(group, profile);
    }
  }
  for (const [id, key] of piece.keys) {
    const known = kept.keys.get(id);
    if (known) known.merge(key);
    else kept.keys.set(id, key);
  }
}

/** Writes one file, trimmed, and returns its entry in the page. */
export async function writeBucket(
  dir: string,
  bucket: string,
  kept: Baseline,
  before: BucketPage | undefined,
): Promise<BucketPage> {
  const { dropped, until } = evict(kept);
  const lines: string[] = [];
  for (const [group, profile] of kept.profiles) {
    profile.trim();
    lines.push(profileLine(group, profile));
  }
  for (const [id, key] of kept.keys) {
    key.trim();
    lines.push(keyLine(id, key));
  }
  const bytes = await zip(Buffer.from(lines.join('\n')), { level: 4 });
  const file = `${bucket}-${randomBytes(8).toString('hex')}.gz`;
  const handle = await open(join(dir, `${file}.part`), 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(join(dir, `${file}.part`), join(dir, file));
  return {
    file,
    sha256: hash('sha256', bytes, 'hex'),
    principals: kept.profiles.size,
    evicted: (before?.evicted ?? 0) + dropped,
    evictedUntil: Math.max(before?.evictedUntil ?? 0, until),
  };
}

function evict({ profiles, keys }: Baseline): { readonly dropped: number; readonly until: number } {
  let [dropped, until] = [0, 0];
  if (profiles.size > maxPrincipals) {
    for (const [group, { last }] of [...profiles].sort(([, a], [, b]) => b.last - a.last).slice(maxPrincipals)) {
      profiles.delete(group);
      dropped += 1;
      until = Math.max(until, last);
    }
  }
  const newest = Math.max(0, ...[...keys.values()].map(({ last }) => last));
  for (const [id, key] of keys)
    if (!id.startsWith('AKIA') && key.ips.kept.size < 2 && key.last < newest - instanceMs) keys.delete(id);
  if (keys.size > maxKeys)
    for (const [id] of [...keys].sort(([, a], [, b]) => b.last - a.last).slice(maxKeys)) keys.delete(id);
  return { dropped, until };
}

/** Makes the page the one that counts. The files that it names are on the disk before it is. */
export async function writePastPage(dir: string, page: PastPage): Promise<void> {
  await flush(dir);
  await writePage(dir, pageName, page);
}

/** Removes what the page does not name: left by a killed update, or replaced by the last one. Without a page to go by it leaves all. */
export async function tidyPast(dir: string): Promise<void> {
  const page = await usablePage(dir);
  if (page === undefined) return;
  const { buckets } = page;
  const named = new Set([pageName, ...Object.values(buckets).map((bucket) => bucket?.file)]);
  for (const name of await namesIn(dir))
    if (!named.has(name) && name !== 'lock') await rm(join(dir, name), { force: true });
}
