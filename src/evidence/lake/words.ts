/**
 * The words of a shard: one Bloom filter per group of rows, so that a question reads only the groups that may hold its word.
 * A group is some principals with all their records. A filter is made of the columns in which ids and addresses stand (`searched` in
 * parquet-shard.ts): it never misses a word that is there, and errs for a few in 100 that are not.
 */
import { readFile } from 'node:fs/promises';
import { areNumbers, isListOf, isNumber, isObject, isOptional, isText } from './shapes.ts';

/** Records of a group, and of a row group of Parquet: what a question has to unpack for one hit. */
export const rowsPerGroup = 2048;
/** Before it is folded to what its words need. */
const widestFilter = 4096;

/** How the words were made: filters made otherwise are not asked. */
export const wordsKind = 'fnv1a-2';

/** One row group of the Parquet file. */
export interface RowGroup {
  /** Where its first column begins, in bytes. */
  readonly from: number;
  /** Bytes of each of its columns, one behind the other, with their page headers. */
  readonly chunks: readonly number[];
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
  /** Number of the group, and where its filter begins and ends, in words of 32 bits. */
  readonly groups: readonly (readonly [number, number, number])[];
  /** Absent in pages of earlier versions. */
  readonly rowGroups?: RowGroups | undefined;
}

const isRowGroup = isObject<RowGroup>({
  from: isNumber,
  chunks: isListOf(isNumber),
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

/** The filters of a shard, one after the other. */
export function joinFilters(filters: ReadonlyMap<number, Uint32Array>): {
  readonly bits: Uint32Array;
  readonly places: readonly (readonly [number, number, number])[];
} {
  const places: [number, number, number][] = [];
  let length = 0;
  for (const [group, filter] of filters) {
    places.push([group, length, length + filter.length]);
    length += filter.length;
  }
  const bits = new Uint32Array(length);
  for (const [i, filter] of [...filters.values()].entries()) bits.set(filter, places[i]?.[1] ?? 0);
  return { bits, places };
}

const probes = 4;

/** Odd, so that the probes differ; the places are a mix of two hashes, stepped (Kirsch and Mitzenmacher). */
function stepOf(hash: number): number {
  return (Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 5) | 1;
}

function fillOf(filter: Uint32Array): number {
  let set = 0;
  for (let bits of filter) for (; bits !== 0; bits &= bits - 1) set += 1;
  return set / (filter.length * 32);
}

export class Filters {
  readonly #page: WordsPage;
  readonly #bits: Uint32Array;

  constructor(page: WordsPage, bits: Uint32Array) {
    this.#page = page;
    this.#bits = bits;
  }

  /** Groups that may hold the word. */
  groupsWith(hash: number): number[] {
    return this.#page.groups.flatMap(([group, from, to]) => (this.#mayHold(from, to, hash) ? [group] : []));
  }

  #mayHold(from: number, to: number, hash: number): boolean {
    const mask = (to - from) * 32 - 1;
    const step = stepOf(hash);
    for (let probe = 0, at = hash; probe < probes; probe++, at = (at + step) | 0) {
      const bit = at & mask;
      if (((this.#bits[from + (bit >>> 5)] as number) & (1 << (bit & 31))) === 0) return false;
    }
    return true;
  }
}

/** Undefined where the filters are gone, cut or of another kind: the shard is read as a whole then. */
export async function readFilters(page: WordsPage | undefined, path: string): Promise<Filters | undefined> {
  if (page === undefined || page.kind !== wordsKind) return undefined;
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return undefined;
  }
  if (bytes.length !== page.bytes) return undefined;
  // Numbers of 32 bits have to lie on whole words of memory, which small files need not do.
  const whole = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Filters(page, new Uint32Array(whole.buffer, whole.byteOffset, bytes.length / 4));
}
