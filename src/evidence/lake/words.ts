/**
 * The words of a shard: one Bloom filter per group of rows, so that a question reads only the groups that may hold its word.
 * A group is some principals with all their records. A filter is made of the columns in which ids and addresses stand (`searched` in
 * parquet-shard.ts): it never misses a word that is there, and errs for a few in 100 that are not.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { areNumbers, isEither, isListOf, isNumber, isObject, isOptional, isText } from './shapes.ts';

/** Records of a group, and of a row group of Parquet: what a question has to unpack for one hit. */
export const rowsPerGroup = 2048;
/** Before it is folded to what its words need. */
const widestFilter = 4096;

/**
 * How the words were made and lie: filters made otherwise are not asked. Filters of one length lie in strips, the first numbers of
 * all of them, then the second ones, so that a question need not read the others.
 */
export const wordsKind = 'fnv1a-3';
/** As that of earlier versions, one filter behind the other. */
const earlierKind = 'fnv1a-2';

/** One row group of the Parquet file. */
export interface RowGroup {
  /** Where its first column begins, in bytes. */
  readonly from: number;
  /**
   * Bytes of each of its columns, one behind the other, with their page headers. As one text, which takes a question a third of the
   * time to read: it looks into few of them. A list in pages of earlier versions.
   */
  readonly chunks: string | readonly number[];
  readonly rows: number;
  /** The lowest and the highest group among its rows. */
  readonly lowest: number;
  readonly highest: number;
  /** CRC-32 of all its bytes. */
  readonly crc32: number;
}

/** Where the row groups lie: all columns optional, their data pages of version 2 (column-chunks.ts). */
export interface RowGroups {
  /** Columns in the order of the file. */
  readonly columns: readonly string[];
  readonly places: readonly RowGroup[];
}

export interface WordsPage {
  readonly name: string;
  readonly kind: string;
  readonly bytes: number;
  /**
   * Number of the group, and where its filter begins and ends, in words of 32 bits. Those of one length follow each other; in the
   * file they lie in strips.
   */
  readonly groups: readonly (readonly [number, number, number])[];
  /** Absent in pages of earlier versions. */
  readonly rowGroups?: RowGroups | undefined;
}

const isRowGroup = isObject<RowGroup>({
  from: isNumber,
  chunks: isEither(isText, isListOf(isNumber)),
  rows: isNumber,
  lowest: isNumber,
  highest: isNumber,
  crc32: isNumber,
});

export const isWordsPage = isObject<WordsPage>({
  name: isText,
  kind: isText,
  bytes: isNumber,
  groups: isListOf(areNumbers<readonly [number, number, number]>(3)),
  rowGroups: isOptional(isObject<RowGroups>({ columns: isListOf(isText), places: isListOf(isRowGroup) })),
});

/** Bytes of each column. Throws Error where the page does not tell as many as there are columns. */
export function chunksOf({ chunks }: RowGroup, columns: readonly string[]): readonly number[] {
  const sizes = typeof chunks === 'string' ? chunks.split(' ').map(Number) : chunks;
  if (sizes.length !== columns.length || !sizes.every((size) => Number.isSafeInteger(size) && size >= 0))
    throw new Error('the columns of a row group are not described');
  return sizes;
}

/** What each byte adds to a hash; 0 for those that part words. Words are runs of what `needle.ts` looks for, in any case. */
const letters = new Uint8Array(256);
for (const letter of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@=+,-') {
  letters[letter.charCodeAt(0)] = letter.toLowerCase().charCodeAt(0);
}
const seed = 0x811c9dc5 | 0;
const prime = 0x01000193;
/** Shorter words are in no filter. */
export const shortestWord = 3;

/** The hash of one word (FNV-1a of 32 bits). */
export function hashOfWord(word: string): number {
  let hash = seed;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ (letters[word.charCodeAt(i)] ?? 0), prime);
  return hash;
}

const ids = new Set(['eventid', 'requestid', 'sharedeventid'].map(hashOfWord));
/** Spares most keys the look into the set. */
const idBits = new Uint8Array(64);
for (const id of ids) idBits[id & 63] = 1;
const uuidLength = 36;
const recentMask = 4095;

/** The filter of one group in the making. */
export class WordFilter {
  readonly #bits = new Uint32Array(widestFilter);
  /** Words that are noted already: most come again and again. */
  readonly #recent = new Int32Array(recentMask + 1);

  /**
   * Notes the words of one record, a piece of its text at a time. Keys are left out, since every record has them, and so are
   * the UUIDs of records and requests, which no link is made of.
   */
  add(text: Buffer, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      let letter = letters[text[i] as number] as number;
      if (letter === 0) continue;
      const start = i;
      let hash = seed;
      do {
        hash = Math.imul(hash ^ letter, prime);
        i += 1;
        letter = i < to ? (letters[text[i] as number] as number) : 0;
      } while (letter !== 0);
      if (i - start < shortestWord) continue;
      if (text[i] === 0x22 && text[i + 1] === 0x3a && i + 1 < to) {
        if (idBits[hash & 63] !== 0 && ids.has(hash) && text[i + 2] === 0x22 && text[i + 3 + uuidLength] === 0x22)
          i += 3 + uuidLength;
      } else if (this.#recent[hash & recentMask] !== hash || hash === 0) {
        this.#note(hash);
      }
    }
  }

  #note(hash: number): void {
    const bits = this.#bits;
    const mask = widestFilter * 32 - 1;
    this.#recent[hash & recentMask] = hash;
    const step = stepOf(hash);
    for (let probe = 0, at = hash; probe < probes; probe++, at = (at + step) | 0) {
      const bit = at & mask;
      bits[bit >>> 5] = (bits[bit >>> 5] as number) | (1 << (bit & 31));
    }
  }

  /** As short as its words allow; empties it for the next group. */
  take(): Uint32Array {
    let filter = this.#bits.slice();
    this.#bits.fill(0);
    this.#recent.fill(0);
    while (filter.length > 32 && fillOf(filter) < 0.2) {
      const half = filter.subarray(filter.length / 2);
      filter = filter.slice(0, filter.length / 2).map((bits, i) => bits | (half[i] as number));
    }
    return filter;
  }
}

/** The filters of a shard as they lie in its file. */
export function joinFilters(filters: ReadonlyMap<number, Uint32Array>): {
  readonly bits: Uint32Array;
  readonly places: readonly (readonly [number, number, number])[];
} {
  const places: [number, number, number][] = [];
  let end = 0;
  for (const [group, { length }] of [...filters].sort(([, a], [, b]) => a.length - b.length)) {
    places.push([group, end, end + length]);
    end += length;
  }
  const bits = new Uint32Array(end);
  for (const { from, length, groups } of stripsOf(places)) {
    for (const [i, group] of groups.entries()) {
      const filter = filters.get(group) as Uint32Array;
      for (let at = 0; at < length; at++) bits[from + at * groups.length + i] = filter[at] as number;
    }
  }
  return { bits, places };
}

/** Filters of one length. */
interface Strips {
  readonly from: number;
  readonly length: number;
  readonly groups: number[];
}

function stripsOf(places: WordsPage['groups']): readonly Strips[] {
  const all: Strips[] = [];
  for (const [group, from, to] of places) {
    const last = all.at(-1);
    if (last?.length === to - from) last.groups.push(group);
    else all.push({ from, length: to - from, groups: [group] });
  }
  return all;
}

const probes = 4;

/** Odd, so that the probes differ; the places are a mix of two hashes, stepped (Kirsch and Mitzenmacher). */
function stepOf(hash: number): number {
  return (Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 5) | 1;
}

function fillOf(filter: Uint32Array): number {
  let set = 0;
  for (const bits of filter) {
    const pairs = bits - ((bits >>> 1) & 0x55555555);
    const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
    set += Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return set / (filter.length * 32);
}

/** The filters of a shard; of the file only what a question needs is read. */
export class Filters {
  readonly #page: WordsPage;
  readonly #path: string;
  #strips: readonly Strips[] | undefined;

  constructor(page: WordsPage, path: string) {
    this.#page = page;
    this.#path = path;
  }

  /** Groups that may hold the word; undefined where the filters are gone or cut: the shard is read as a whole then. */
  groupsWith(hash: number): readonly number[] | undefined {
    let file: number | undefined;
    try {
      file = openSync(this.#path, 'r');
      return fstatSync(file).size === this.#page.bytes ? this.#groupsIn(file, hash) : undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return undefined;
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }

  #groupsIn(file: number, hash: number): readonly number[] | undefined {
    const { kind, groups } = this.#page;
    this.#strips ??= kind === wordsKind ? stripsOf(groups) : groups.flatMap((place) => stripsOf([place]));
    const found: number[] = [];
    const step = stepOf(hash);
    for (const strips of this.#strips) {
      const size = strips.groups.length * 4;
      let may = strips.groups.map((_, i) => i);
      for (let probe = 0, at = hash; probe < probes && may.length > 0; probe++, at = (at + step) | 0) {
        const bit = at & (strips.length * 32 - 1);
        const strip = stripBytes(size);
        if (readSync(file, strip, 0, size, strips.from * 4 + (bit >>> 5) * size) !== size) return undefined;
        // Byte by byte, as Uint32Array has them in the file.
        may = may.filter((i) => ((strip[i * 4 + ((bit >>> 3) & 3)] as number) & (1 << (bit & 7))) !== 0);
      }
      for (const i of may) found.push(strips.groups[i] as number);
    }
    return found;
  }
}

let strip = Buffer.alloc(1024);

/** Used again and again. */
function stripBytes(size: number): Buffer {
  if (strip.length < size) strip = Buffer.alloc(size * 2);
  return strip;
}

/** Undefined where they are of another kind: the shard is read as a whole then. @param path of the shard's words */
export function filtersOf(page: WordsPage | undefined, path: string): Filters | undefined {
  return page?.kind === wordsKind || page?.kind === earlierKind ? new Filters(page, path) : undefined;
}
