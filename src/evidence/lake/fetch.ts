/** Gets one object of a source: known ones are passed over, all others hashed and unpacked. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { LogObject, LogSource } from '../../contracts/log-source.ts';
import { keepDigest, keptDigest } from './digest-copies.ts';
import type { DigestBook } from './digests.ts';
import { layoutOf } from './layout.ts';
import type { FilePage, LakeFolder, ShardPage } from './pages.ts';
import { maxInMemory, sha256, unpack } from './prepare.ts';

/** How to read a file again by the careful way. */
export interface Again {
  readonly size: number;
  /** A place in the file system; the function's caller removes what it made for it. */
  open(): Promise<{ readonly file: string; close(): Promise<void> }>;
}

export interface Fetched {
  readonly object: LogObject;
  readonly page: Omit<FilePage, 'records' | 'verdict' | 'reason'>;
  readonly again: Again;
  /** Absent where it is too large to hold. */
  readonly packed: Buffer | undefined;
  /** True where the hash of what is packed is to be compared with a digest. */
  readonly hashPlain: boolean;
  /** There is nothing to import of it, and this is to be noted: a digest, or what was found out later of a known object. */
  readonly noted?: FilePage | undefined;
}

export class Fetcher {
  readonly #source: LogSource;
  readonly #folder: LakeFolder;
  readonly #digests: DigestBook;
  readonly #signal: AbortSignal;
  /** By content, and by what the source says of a version. */
  readonly #hashes = new Set<string>();
  /** Content that could not be read in full is told of each object that has it: a question may be for the account or Region of one of them. */
  readonly #faulty = new Set<string>();
  readonly #told = new Set<string>();
  /** Content of this run, and objects of it with the content of an earlier one, which was not judged by then. */
  readonly #fresh = new Set<string>();
  #twins: { readonly object: LogObject; readonly hash: string }[] = [];
  readonly #versions = new Map<string, FilePage>();
  /** For a later import that compares with digests. */
  readonly #hashesPlain: boolean;

  constructor(source: LogSource, folder: LakeFolder, digests: DigestBook, hashesPlain: boolean, signal: AbortSignal) {
    this.#source = source;
    this.#folder = folder;
    this.#digests = digests;
    this.#hashesPlain = hashesPlain;
    this.#signal = signal;
  }

  /** Notes what an earlier import has read. */
  know({ source, files }: ShardPage): void {
    for (const file of files) {
      if (isFaulty(file)) {
        this.#faulty.add(file.sha256);
        this.#told.add(JSON.stringify([source, file.path, file.sha256]));
      } else this.#hashes.add(file.sha256);
      const version = versionOf(source, file);
      if (version) this.#versions.set(version, file);
    }
  }

  /** Objects that were passed over for content that has turned out to be faulty: the next fetch of them is their own. */
  twins(pages: readonly ShardPage[]): readonly LogObject[] {
    for (const { files } of pages) for (const file of files) if (isFaulty(file)) this.#faulty.add(file.sha256);
    const again = this.#twins.filter(({ hash }) => this.#faulty.has(hash)).map(({ object }) => object);
    this.#twins = [];
    return again;
  }

  /**
   * Undefined where it is known. Rejects with UserError or a system error where it cannot be read.
   * @param compare with digests: takes the hash of what is packed, also of known objects
   */
  async fetch(object: LogObject, compare: boolean): Promise<Fetched | undefined> {
    const isDigest = layoutOf(object.path)?.isDigest === true;
    const version = versionOf(this.#source.name, object);
    const known = version === undefined ? undefined : this.#versions.get(version);
    if (known && (!compare || (await this.#isCompared(known, isDigest)))) return undefined;
    const read = object.size > maxInMemory ? undefined : await this.#source.read(object, this.#signal);
    // CloudTrail's own notes do not say how large an object is.
    const again: Again = { size: read?.bytes.length ?? object.size, open: () => this.#openFile(object) };
    const hash = read ? sha256(read.bytes) : await this.#hashLarge(object);
    const isKnown = this.#isKnown(object, hash);
    this.#fresh.add(hash);
    // Known by its content alone, as after an import of a copy: noted, so that it need not be fetched again to know it.
    const isElsewhere = version !== undefined && known === undefined && this.#hashes.has(hash);
    if (isKnown && !compare && !isElsewhere) return undefined;
    const plain = read && (isDigest || (isKnown && compare)) ? await unpack(read.bytes, compare) : undefined;
    if (isDigest && plain) this.#digests.add(object.path, plain.content, plain.sha256 ?? '');
    if (isDigest && plain && version) await keepDigest(this.#folder, { sha256: hash }, plain.content);
    if (isKnown && compare && !isDigest) this.#digests.saw(object.path, plain?.sha256);
    const isNews = known !== undefined && plain?.sha256 !== undefined && known.plain === undefined;
    if (isKnown && !isNews && !isElsewhere) return undefined;
    const versionId = read?.versionId ?? object.versionId;
    const page = {
      path: object.path,
      size: object.size,
      sha256: hash,
      ...(plain?.sha256 ? { plain: plain.sha256 } : {}),
      ...(object.etag ? { etag: object.etag } : {}),
      ...(versionId ? { versionId } : {}),
    };
    const hashPlain = (compare || this.#hashesPlain) && !isDigest;
    const rest = { object, page, again, packed: read?.bytes, hashPlain };
    if (isKnown && known) return { ...rest, noted: { ...known, ...page, records: 0 } };
    if (isElsewhere && !isDigest) return { ...rest, noted: { ...page, records: 0, verdict: 'log' } };
    return isDigest && plain ? { ...rest, noted: { ...page, records: 0, verdict: 'digest' } } : rest;
  }

  #isKnown(object: LogObject, hash: string): boolean {
    if (this.#faulty.has(hash)) return this.#told.has(JSON.stringify([this.#source.name, object.path, hash]));
    if (this.#hashes.has(hash)) return true;
    if (this.#fresh.has(hash)) this.#twins.push({ object, hash });
    return this.#fresh.has(hash);
  }

  /** Compares what an earlier import has found out of this version; false where that does not suffice. */
  async #isCompared(known: FilePage, isDigest: boolean): Promise<boolean> {
    if (known.plain === undefined) return false;
    if (isDigest) {
      const content = await keptDigest(this.#folder, known);
      if (content === undefined) return false;
      this.#digests.add(known.path, content, known.plain);
    } else this.#digests.saw(known.path, known.plain);
    return true;
  }

  async #openFile(object: LogObject): Promise<{ file: string; close(): Promise<void> }> {
    if (object.file !== undefined) return { file: object.file, close: async () => undefined };
    const file = join(this.#folder.temp, `object-${randomBytes(6).toString('hex')}`);
    await this.#source.save(object, file, this.#signal);
    return { file, close: () => rm(file, { force: true }) };
  }

  async #hashLarge(object: LogObject): Promise<string> {
    const { file, close } = await this.#openFile(object);
    try {
      const hash = createHash('sha256');
      await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), hash);
      return hash.digest('hex');
    } finally {
      await close();
    }
  }
}

function isFaulty({ verdict }: FilePage): boolean {
  return verdict === 'bad' || verdict === 'other';
}

function versionOf(
  source: string,
  object: { path: string; size: number; etag?: string | undefined },
): string | undefined {
  if (object.etag === undefined) return undefined;
  return JSON.stringify([source, object.path, object.size, object.etag]);
}
