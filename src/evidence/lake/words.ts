/**
 * The words of a shard: one Bloom filter per group of rows, so that a question reads only the groups that may hold its word.
 * A group is some principals with all their records. Filters are made from the text of whole records while it is read, before
 * anybody knows where a row will lie: a filter never misses a word that is there, and errs for a few in 100 that are not.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** Groups of a full shard; a smaller one has fewer, each of about `rowsPerGroup` records. */
const maxGroups = 32;
export const rowsPerGroup = 2048;
const wordsOf32 = 2048;
const bitMask = wordsOf32 * 32 - 1;

/** How the words were made: filters made otherwise are not asked. */
export const wordsKind = 'fnv1a-1';

export const WordsPage = z.object({
  name: z.string(),
  kind: z.string(),
  bytes: z.number(),
  /** Number of the group, and where its filter begins and ends, in words of 32 bits. */
  groups: z.array(z.tuple([z.number(), z.number(), z.number()])),
});
export type WordsPage = z.output<typeof WordsPage>;

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

/** The group of a record, by anything that the records of one principal have in common. */
export function groupOf(text: Buffer): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ (text[i] as number), prime);
  return (hash ^ (hash >>> 15)) & (maxGroups - 1);
}

/** Filters in the making. */
export class WordBook {
  readonly #bits = new Uint32Array(maxGroups * wordsOf32);
  #rows = 0;

  /** Notes the words of one record. Keys are left out: nobody asks for them, and every record has them. */
  add(text: Buffer, from: number, to: number, group: number): void {
    const bits = this.#bits;
    const base = group * wordsOf32;
    this.#rows += 1;
    let hash = seed;
    let length = 0;
    for (let i = from; i <= to; i++) {
      const letter = i < to ? (letters[text[i] as number] as number) : 0;
      if (letter !== 0) {
        hash = Math.imul(hash ^ letter, prime);
        length += 1;
        continue;
      }
      if (length >= shortestWord && !(text[i] === 0x22 && text[i + 1] === 0x3a)) {
        const step = stepOf(hash);
        for (let probe = 0, at = hash; probe < probes; probe++, at = (at + step) | 0) {
          const bit = at & bitMask;
          bits[base + (bit >>> 5)] = (bits[base + (bit >>> 5)] as number) | (1 << (bit & 31));
        }
      }
      hash = seed;
      length = 0;
    }
  }

  /** Groups that a shard of so many records is worth: group `g` becomes `g % count`. */
  count(): number {
    let count = maxGroups;
    while (count > 1 && count * rowsPerGroup > this.#rows * 1.5) count /= 2;
    return count;
  }

  /** The filters one after the other, each as short as its words allow. */
  filters(): { readonly bits: Uint32Array; readonly places: WordsPage['groups'] } {
    const count = this.count();
    const parts: Uint32Array[] = [];
    const places: [number, number, number][] = [];
    let at = 0;
    for (let group = 0; group < count; group++) {
      let filter = this.#bits.slice(group * wordsOf32, (group + 1) * wordsOf32);
      for (let other = group + count; other < maxGroups; other += count)
        filter = joined(filter, this.#bits.subarray(other * wordsOf32, (other + 1) * wordsOf32));
      while (filter.length > 32 && fillOf(filter) < 0.2)
        filter = joined(filter.slice(0, filter.length / 2), filter.subarray(filter.length / 2));
      parts.push(filter);
      places.push([group, at, at + filter.length]);
      at += filter.length;
    }
    const bits = new Uint32Array(at);
    for (const [i, part] of parts.entries()) bits.set(part, places[i]?.[1] ?? 0);
    return { bits, places };
  }
}

const probes = 4;

/** Odd, so that the probes differ; the places are a mix of two hashes, stepped (Kirsch and Mitzenmacher). */
function stepOf(hash: number): number {
  return (Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 5) | 1;
}

function joined(a: Uint32Array<ArrayBuffer>, b: Uint32Array): Uint32Array<ArrayBuffer> {
  return a.map((bits, i) => bits | (b[i] as number));
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
  const bits = new Uint32Array(bytes.length / 4);
  Buffer.from(bits.buffer).set(bytes);
  return new Filters(page, bits);
}
