/**
 * Finds where the fields of each record lie in the bytes of a file, and checks on the way that all of it is JSON. Every byte of
 * an import goes through here, so nothing is made of them but numbers.
 */
import { isUtf8 } from 'node:buffer';
import { recordFields } from './columns.ts';
import { grown } from './grown.ts';
import { literalEnd } from './json-literals.ts';
import { hashOf, withFour, withOne } from './text-hash.ts';

const width = recordFields.length;

/** The place of a field among `recordFields`. Throws Error where there is none of this name. */
export function numberOfField(name: string): number {
  const number = recordFields.indexOf(name);
  if (number < 0) throw new Error(`There is no field ${name}.`);
  return number;
}

/** True where four bytes are characters that mean themselves; seldom false where they are. */
function arePlain(four: number): boolean {
  const [quotes, slashes] = [four ^ 0x22222222, four ^ 0x5c5c5c5c];
  const is =
    ((quotes - 0x01010101) & ~quotes) | ((slashes - 0x01010101) & ~slashes) | ((four - 0x20202020) & ~four) | four;
  return (is & 0x80808080) === 0;
}

const tableSize = 4096;
const numberOfHash = new Int8Array(tableSize).fill(-1);
const names = recordFields.map((field) => Buffer.from(field));
for (const [i, name] of names.entries()) {
  const at = hashOf(name, 0, name.length) & (tableSize - 1);
  // A new field whose hash is taken would never be found.
  if (numberOfHash[at] !== -1) throw new Error(`${recordFields[i]} and another field have one place`);
  numberOfHash[at] = i;
}

const [quote, backslash, comma, colon, openBrace, closeBrace, openBracket, closeBracket] = Buffer.from(
  '"\\,:{}[]',
) as unknown as [number, number, number, number, number, number, number, number];
/** Bytes of a text that mean themselves. */
const isPlain = new Uint8Array(256).fill(1, 0x20, 0x80);
isPlain[quote] = 0;
isPlain[backslash] = 0;
const isEscape = new Uint8Array(256);
for (const byte of Buffer.from('"\\/bfnrtu')) isEscape[byte] = 1;

/** Records nested deeper are cut by the door of all records (domain/record-clean.ts). */
const maxDepth = 60;
/** More are no file that CloudTrail writes, and their places would take more memory than the file. */
const maxRows = 200_000;
/** What is kept from file to file. */
const usualRows = 6000;
/** CloudTrail writes at most 256 KB. */
const maxRecordBytes = 300_000;

/** Behind what is read: the last bytes of a file are looked at four at a time too. */
export const spareBytes = 8;

/** What may stand next in nested JSON. */
const value = 0;
const valueOrEnd = 1;
const keyOrEnd = 2;
const key = 3;
const afterValue = 4;

const inObject = 1;
const inArray = 2;

/** One file at a time; its memory serves the next. */
export class RecordFields {
  rows = 0;
  /** Two for each field of each record: where its JSON text begins and ends, 0 and 0 where it is absent or null. */
  spans: Int32Array = new Int32Array(width * 2 * usualRows);
  /** Of the text of each field. */
  hashes: Int32Array = new Int32Array(width * usualRows);
  /** Where each record begins and ends. */
  bounds: Int32Array = new Int32Array(2 * usualRows);
  /** 1 where a record has fields that CloudTrail does not write, or one twice, or is too long. */
  odd: Uint8Array = new Uint8Array(usualRows);
  /** 1 where the caller's identity holds more than text. */
  literal: Uint8Array = new Uint8Array(usualRows);

  /** Of the bytes that are read. */
  #view: DataView = new DataView(new ArrayBuffer(0));
  readonly #stack = new Uint8Array(maxDepth + 1);
  #hash = 0;
  #isAscii = true;
  #hasEscape = false;
  #hasLiteral = false;

  /**
   * Reads `{"Records":[...]}`, an array or one record a line, without white space between them. False where it is anything else.
   * @param bytes holds a 0 at `to`, and some bytes behind it (`spareBytes`)
   */
  read(bytes: Buffer, from: number, to: number): boolean {
    this.rows = 0;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const head = bytes.toString('latin1', from, Math.min(from + 12, to));
    const isList = head.startsWith('[');
    const isLines = !isList && head !== '{"Records":[';
    let i = isLines ? from : from + (isList ? 1 : 12);
    for (;;) {
      i = this.#record(bytes, i);
      if (i < 0 || i > to) return false;
      if (isLines) {
        const end = afterBreaks(bytes, i);
        if (end === to) return true;
        if (end === i) return false;
        i = end;
      } else if (bytes[i] === comma) i += 1;
      else break;
    }
    if (bytes[i++] !== closeBracket || (!isList && bytes[i++] !== closeBrace)) return false;
    return afterBreaks(bytes, i) === to;
  }

  /** Where the record that begins at `start` ends, behind its brace; -1 where it is no JSON object. */
  #record(bytes: Buffer, start: number): number {
    if (bytes[start] !== openBrace || this.rows === maxRows) return -1;
    const row = this.#newRow();
    const base = row * width;
    const { spans, hashes } = this;
    this.#isAscii = true;
    let isOdd = false;
    let i = start + 1;
    for (;;) {
      const from = i + 1;
      this.#hash = 0;
      i = bytes[i] === quote ? this.#text(bytes, from) : -1;
      if (i < 0 || bytes[i] !== colon) return -1;
      const field = fieldAt(bytes, from, i - 1, this.#hash);
      const begin = i + 1;
      this.#hash = 0;
      this.#hasEscape = false;
      this.#hasLiteral = false;
      const first = bytes[begin];
      if (first === quote) i = this.#text(bytes, begin + 1);
      else if (first === openBrace || first === openBracket) i = this.#nested(bytes, begin);
      else i = this.#literal(bytes, begin);
      if (i < 0) return -1;
      const at = (base + field) * 2;
      if (field < 0 || spans[at + 1] !== 0) isOdd = true;
      else {
        spans[at] = begin;
        spans[at + 1] = i;
        hashes[base + field] = this.#hash;
        if (this.#hasEscape && hasNoQuotes[field] === 1) isOdd = true;
        if (this.#hasLiteral && field === identity) this.literal[row] = 1;
      }
      const next = bytes[i++];
      if (next === closeBrace) break;
      if (next !== comma) return -1;
    }
    if (!this.#isAscii && !isUtf8(bytes.subarray(start, i))) return -1;
    // Only now: a field that is null a second time is there twice.
    for (let at = base * 2; at < (base + width) * 2; at += 2)
      if (bytes[spans[at] as number] === 0x6e && spans[at + 1] !== 0) spans[at] = spans[at + 1] = 0;
    this.odd[row] = isOdd || i - start > maxRecordBytes ? 1 : 0;
    this.bounds[row * 2] = start;
    this.bounds[row * 2 + 1] = i;
    return i;
  }

  /** The number of the field of a record in which a place lies; -1 where it lies in none. */
  fieldWith(row: number, place: number): number {
    for (let i = 0, at = row * width * 2; i < width; i++, at += 2)
      if (place >= (this.spans[at] as number) && place < (this.spans[at + 1] as number)) return i;
    return -1;
  }

  /** Gives back the memory of a file with far more records than most. */
  shrink(): void {
    if (this.odd.length <= usualRows * 8) return;
    this.spans = new Int32Array(width * 2 * usualRows);
    this.hashes = new Int32Array(width * usualRows);
    this.bounds = new Int32Array(2 * usualRows);
    this.odd = new Uint8Array(usualRows);
    this.literal = new Uint8Array(usualRows);
  }

  #newRow(): number {
    const row = this.rows++;
    if (row >= this.odd.length) {
      this.spans = grown(this.spans);
      this.hashes = grown(this.hashes);
      this.bounds = grown(this.bounds);
      this.odd = grown(this.odd);
      this.literal = grown(this.literal);
    }
    this.spans.fill(0, row * width * 2, (row + 1) * width * 2);
    this.literal[row] = 0;
    return row;
  }

  /** Behind the text whose first byte after the quote is at `i`; -1 where it is none. */
  #text(bytes: Buffer, i: number): number {
    const view = this.#view;
    let hash = this.#hash;
    for (;;) {
      for (let four = view.getInt32(i, true); arePlain(four); four = view.getInt32(i, true)) {
        hash = withFour(hash, four);
        i += 4;
      }
      let byte = bytes[i] as number;
      while (isPlain[byte] === 1) {
        hash = withOne(hash, byte);
        byte = bytes[++i] as number;
      }
      if (byte === quote) break;
      if (byte === backslash) {
        const escaped = bytes[i + 1] as number;
        if (isEscape[escaped] !== 1) return -1;
        this.#hasEscape = true;
        hash = withOne(hash, escaped);
        i += 2;
      } else if (byte >= 0x80) {
        this.#isAscii = false;
        hash = withOne(hash, byte);
        i += 1;
      } else return -1;
    }
    this.#hash = hash;
    return i + 1;
  }

  /** Behind `true`, `false`, `null` or a number. */
  #literal(bytes: Buffer, start: number): number {
    const end = literalEnd(bytes, start);
    for (let i = start; i < end; i++) this.#hash = withOne(this.#hash, bytes[i] as number);
    return end;
  }

  /** Behind the object or list that begins at `i`. */
  #nested(bytes: Buffer, i: number): number {
    const stack = this.#stack;
    let depth = 0;
    let state = value;
    for (;;) {
      const byte = bytes[i];
      if (byte === quote) {
        if (state === afterValue) return -1;
        i = this.#text(bytes, i + 1);
        if (i < 0) return -1;
        if (state <= valueOrEnd) state = afterValue;
        else if (bytes[i++] === colon) state = value;
        else return -1;
      } else if (byte === comma) {
        if (state !== afterValue) return -1;
        state = stack[depth] === inObject ? key : value;
        i += 1;
      } else if (byte === openBrace || byte === openBracket) {
        if (state > valueOrEnd || depth >= maxDepth) return -1;
        const isObject = byte === openBrace;
        depth += 1;
        stack[depth] = isObject ? inObject : inArray;
        state = isObject ? keyOrEnd : valueOrEnd;
        i += 1;
      } else if (byte === closeBrace || byte === closeBracket) {
        const isObject = byte === closeBrace;
        if (state !== afterValue && state !== (isObject ? keyOrEnd : valueOrEnd)) return -1;
        if (stack[depth] !== (isObject ? inObject : inArray)) return -1;
        depth -= 1;
        state = afterValue;
        i += 1;
        if (depth === 0) return i;
      } else {
        if (state > valueOrEnd) return -1;
        this.#hasLiteral = true;
        i = this.#literal(bytes, i);
        if (i < 0) return -1;
        state = afterValue;
      }
    }
  }
}

const identity = numberOfField('userIdentity');
/** Fields whose text is taken from between its quotes. */
const hasNoQuotes = Uint8Array.from(recordFields, (field) =>
  ['sourceIPAddress', 'recipientAccountId'].includes(field) ? 1 : 0,
);

/** The number of the field with this name; -1 where CloudTrail has none such. */
function fieldAt(bytes: Buffer, from: number, to: number, hash: number): number {
  const field = numberOfHash[hash & (tableSize - 1)] as number;
  if (field < 0) return -1;
  const name = names[field] as Buffer;
  if (name.length !== to - from) return -1;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[from + i]) return -1;
  return field;
}

function afterBreaks(bytes: Buffer, i: number): number {
  while (bytes[i] === 0x0a || bytes[i] === 0x0d || bytes[i] === 0x20) i += 1;
  return i;
}
