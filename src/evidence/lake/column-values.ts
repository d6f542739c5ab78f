/** The values of a column of a row group: which rows hold a text, and what stands in some row, without decoding the others. */
import { isUtf8 } from 'node:buffer';
import { caseBlindSearch } from './case-blind.ts';
import { type DataPage, hybrid, hybridAt, type PackedColumn } from './column-pages.ts';

/** What is looked for in the values of a column. */
export interface Needle {
  readonly text: string;
  /** The value is the text; else it stands somewhere in it. */
  readonly isWhole: boolean;
  /** Upper and lower case of ASCII are the same; `text` is in lower case then. */
  readonly isCaseBlind: boolean;
}

/** Texts one after the other, each behind its length (Parquet's PLAIN). */
class Texts {
  readonly #bytes: Buffer;
  /** Where each begins, and behind the last where the next would. */
  readonly #starts: Uint32Array;

  /** Throws Error where they do not fill the bytes. */
  constructor(bytes: Buffer, count: number) {
    const starts = new Uint32Array(count + 1);
    let at = 4;
    for (let i = 0; i < count; i++) {
      starts[i] = at;
      at += lengthBefore(bytes, at) + 4;
    }
    starts[count] = at;
    if (at !== bytes.length + 4) throw new Error('the texts of a page do not fill it');
    this.#bytes = bytes;
    this.#starts = starts;
  }

  at(number: number): Buffer {
    return this.#bytes.subarray(this.#starts[number] as number, (this.#starts[number + 1] as number) - 4);
  }

  /** The number of the text in which these bytes lie as a whole; undefined where they lie in none. */
  around(from: number, length: number): number | undefined {
    const starts = this.#starts;
    let low = 0;
    let high = starts.length - 2;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((starts[middle] as number) <= from) low = middle;
      else high = middle - 1;
    }
    const isIn = high >= 0 && from >= (starts[low] as number) && from + length <= (starts[low + 1] as number) - 4;
    return isIn ? low : undefined;
  }

  endOf(number: number): number {
    return (this.#starts[number + 1] as number) - 4;
  }
}

/** Byte by byte: a million calls of a DataView's methods take longer than the rest of a question. */
function lengthBefore(bytes: Buffer, at: number): number {
  const low = (bytes[at - 4] as number) | ((bytes[at - 3] as number) << 8);
  return low + ((bytes[at - 2] as number) | ((bytes[at - 1] as number) << 8)) * 65_536;
}

/** Numbers of the texts that hold the needle. */
function textsWith(bytes: Buffer, count: number, { text, isWhole, isCaseBlind }: Needle): number[] {
  const needle = Buffer.from(text);
  const next = isCaseBlind ? caseBlindSearch(bytes, needle) : (from: number) => bytes.indexOf(needle, from);
  let at = count === 0 ? -1 : next(0);
  if (at < 0) return [];
  const found: number[] = [];
  const texts = new Texts(bytes, count);
  while (at >= 0) {
    const number = texts.around(at, needle.length);
    const isFound = number !== undefined && (!isWhole || texts.at(number).length === needle.length);
    if (isFound) found.push(number);
    at = next(isFound ? texts.endOf(number) : at + 1);
  }
  return found;
}

export class ColumnValues {
  readonly #packed: PackedColumn;
  #dictionary: { readonly bytes: Buffer; readonly count: number } | undefined;
  #entries: Texts | undefined;
  readonly #texts = new Map<DataPage, Texts>();

  constructor(packed: PackedColumn) {
    this.#packed = packed;
  }

  /** Sets a mark for each row whose text holds the needle. Throws Error where pages are not as they should be. */
  mark(needle: Needle, marks: Uint8Array): void {
    let entries: readonly number[] | undefined;
    for (const page of this.#packed.pages) {
      if (page.count === 0) continue;
      let numbers: readonly number[] = [];
      if (page.encoding === 'plain') {
        numbers = textsWith(page.values(), page.count, needle);
      } else {
        const { bytes, count } = this.#entriesBytes();
        entries ??= textsWith(bytes, count, needle);
        if (entries.length > 0) numbers = valuesWith(page, new Set(entries));
      }
      if (numbers.length > 0) for (const row of rowsOf(page, numbers)) marks[page.from + row] = 1;
    }
  }

  /** The text of a row; undefined where it has none. Throws Error where it is none. */
  textAt(row: number): string | undefined {
    const at = this.#placeOf(row);
    if (at === undefined) return undefined;
    const bytes = at.page.encoding === 'plain' ? this.#textsOf(at.page).at(at.number) : this.#entryAt(at);
    if (!isUtf8(bytes)) throw new Error('a text is no UTF-8');
    return bytes.toString();
  }

  /** The 16 bytes of a row as a UUID is written; undefined where it has none. */
  uuidAt(row: number): string | undefined {
    const hex = this.#fixedAt(row, 16)?.toString('hex');
    return hex?.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  /** A whole number of 64 bits; undefined where the row has none. */
  numberAt(row: number): bigint | undefined {
    return this.#fixedAt(row, 8)?.readBigInt64LE();
  }

  #entryAt(place: Place): Buffer {
    const { bytes, count } = this.#entriesBytes();
    this.#entries ??= new Texts(bytes, count);
    return this.#entries.at(entryNumber(place, count));
  }

  #fixedAt(row: number, size: number): Buffer | undefined {
    const at = this.#placeOf(row);
    if (at === undefined) return undefined;
    if (at.page.encoding === 'plain') return slice(at.page.values(), at.number, size);
    const { bytes, count } = this.#entriesBytes();
    return slice(bytes, entryNumber(at, count), size);
  }

  #entriesBytes(): { readonly bytes: Buffer; readonly count: number } {
    this.#dictionary ??= this.#packed.dictionary?.();
    if (this.#dictionary === undefined) throw new Error('a page lacks its dictionary');
    return this.#dictionary;
  }

  #textsOf(page: DataPage): Texts {
    const known = this.#texts.get(page) ?? new Texts(page.values(), page.count);
    this.#texts.set(page, known);
    return known;
  }

  /** Undefined where the row has no value. */
  #placeOf(row: number): Place | undefined {
    const page = this.#packed.pages.findLast(({ from }) => from <= row);
    if (page === undefined || row - page.from >= page.rows) throw new Error(`no row ${row}`);
    const { filled } = page;
    if (filled === undefined) return { page, number: row - page.from };
    if (filled[row - page.from] !== 1) return undefined;
    let number = 0;
    for (let i = 0; i < row - page.from; i++) number += filled[i] as number;
    return { page, number };
  }
}

/** A value by its number among those of its page. */
interface Place {
  readonly page: DataPage;
  readonly number: number;
}

/** The number of a value's entry in the dictionary. */
function entryNumber({ page, number }: Place, entries: number): number {
  // With one entry there is nothing to look up.
  if (entries === 1) return 0;
  const bytes = page.values();
  const width = bytes[0] ?? 0;
  const entry = width === 0 ? 0 : hybridAt(bytes.subarray(1), width, number);
  if (entry === undefined || entry >= entries) throw new Error('a dictionary lacks an entry');
  return entry;
}

/** Numbers of the values whose entry is among these. */
function valuesWith(page: DataPage, wanted: ReadonlySet<number>): readonly number[] {
  const bytes = page.values();
  const width = bytes[0] ?? 0;
  const entries = width === 0 ? new Uint8Array(page.count) : hybrid(bytes.subarray(1), width, page.count);
  const numbers: number[] = [];
  for (let i = 0; i < entries.length; i++) if (wanted.has(entries[i] as number)) numbers.push(i);
  return numbers;
}

function slice(bytes: Buffer, number: number, size: number): Buffer {
  const value = bytes.subarray(number * size, (number + 1) * size);
  if (value.length !== size) throw new Error('a page is cut');
  return value;
}

/** Rows of the page's values with these numbers, which ascend. */
function rowsOf(page: DataPage, numbers: readonly number[]): readonly number[] {
  const { filled } = page;
  if (filled === undefined) return numbers;
  const rows: number[] = [];
  let next = 0;
  for (let row = 0, number = 0; row < page.rows && next < numbers.length; row++) {
    if (filled[row] !== 1) continue;
    if (number === numbers[next]) {
      rows.push(row);
      next += 1;
    }
    number += 1;
  }
  return rows;
}
