/**
 * The words of a shard: one Bloom filter per group of rows, so that a question reads only the groups that may hold its word.
 * A group is some principals with all their records; a filter never misses a word that is there, and errs for about 1 in 100
 * that are not.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { idFields } from './needle.ts';

/** Records per group, more or less. */
export const groupRows = 2048;
const bitsPerWord = 11;
const probes = 4;

/** How the words were made: filters made otherwise are not asked. */
export const wordsKind = 'duckdb-1.5-hash32';

export const WordsPage = z.object({
  name: z.string(),
  kind: z.string(),
  bytes: z.number(),
  /** Number of the group, and where its filter begins and ends, in words of 32 bits. */
  groups: z.array(z.tuple([z.number(), z.number(), z.number()])),
});
export type WordsPage = z.output<typeof WordsPage>;

/** Runs of the characters that `needle.ts` looks for, in lower case; of all columns that ids are read from. */
export const wordsSql = `SELECT DISTINCT grp, unnest(list_transform(regexp_extract_all(
    lower(concat_ws(' ', ip, ${idFields.join(', ')})), '[a-z0-9_.@=+,-]{3,}'), lambda word: ${hashSql('word')})) AS word FROM batch`;

export function hashSql(expression: string): string {
  return `CAST(hash(CAST(${expression} AS VARCHAR)) & 4294967295 AS UINTEGER)`;
}

/** Filters of all groups, one after the other. */
export function buildFilters(groups: ReadonlyMap<number, readonly number[]>): {
  bits: Uint32Array;
  places: WordsPage['groups'];
} {
  const places: [number, number, number][] = [];
  let at = 0;
  for (const [group, words] of groups) {
    const length = Math.max(1, Math.ceil((words.length * bitsPerWord) / 32));
    places.push([group, at, at + length]);
    at += length;
  }
  const bits = new Uint32Array(at);
  for (const [group, from, to] of places) {
    const filter = bits.subarray(from, to);
    for (const word of groups.get(group) ?? []) {
      for (let probe = 0; probe < probes; probe++) {
        const bit = bitOf(word, probe, filter.length * 32);
        filter[bit >>> 5] = (filter[bit >>> 5] as number) | (1 << (bit & 31));
      }
    }
  }
  return { bits, places };
}

export class Filters {
  readonly #page: WordsPage;
  readonly #bits: Uint32Array;

  constructor(page: WordsPage, bits: Uint32Array) {
    this.#page = page;
    this.#bits = bits;
  }

  /** Groups that may hold the word. */
  groupsWith(word: number): number[] {
    return this.#page.groups.flatMap(([group, from, to]) => (this.#mayHold(from, to, word) ? [group] : []));
  }

  #mayHold(from: number, to: number, word: number): boolean {
    for (let probe = 0; probe < probes; probe++) {
      const bit = bitOf(word, probe, (to - from) * 32);
      if (((this.#bits[from + (bit >>> 5)] as number) & (1 << (bit & 31))) === 0) return false;
    }
    return true;
  }
}

/** Two mixes of the hash, stepped (Kirsch and Mitzenmacher). */
function bitOf(word: number, probe: number, size: number): number {
  const first = Math.imul(word ^ (word >>> 16), 0x85ebca6b) >>> 0;
  const second = (Math.imul(word ^ (word >>> 13), 0xc2b2ae35) | 1) >>> 0;
  return (first + probe * second) % size;
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
