/**
 * Finds where the fields of each record lie in the bytes of a file, and checks on the way that all of it is JSON. Every byte of
 * an import goes through here, so nothing is made of them but numbers.
 */
import { isUtf8 } from 'node:buffer';
import { recordFields } from './columns.ts';
import { behindKey, fieldAt, numberOfField } from './field-names.ts';
import { grown } from './grown.ts';
import { arePlain, literalEnd } from './json-literals.ts';
import { withFour, withOne } from './text-hash.ts';

const width = recordFields.length;

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
  /** 1 where the caller's identity holds what is no text, or an empty one. */
  unlike: Uint8Array = new Uint8Array(usualRows);

  /** Of the file: how it is written, where its next record begins and the file ends, and how many records it may still have. */
  #form: 'list' | 'envelope' | 'lines' = 'lines';
  #at = 0;
  #to = 0;
  #left = 0;
  /** Of the bytes that are read. */
  #view: DataView = new DataView(new ArrayBuffer(0));
  readonly #stack = new Uint8Array(maxDepth + 1);
  /** By the number of a field, and `width` for the beginning of a record: the field that stood behind it last. */
  readonly #next = new Int8Array(width + 1).fill(-1);
  #hash = 0;
  #isAscii = true;
  #hasEscape = false;
  #hasOther = false;

  /**
   * Begins with a file: `{"Records":[...]}`, an array or one record a line, without white space between them.
   * @param bytes holds a 0 at `to`, and some bytes behind it (`spareBytes`)
   */
  begin(bytes: Buffer, from: number, to: number): void {
    const head = bytes.toString('latin1', from, Math.min(from + 12, to));
    this.#form = head.startsWith('[') ? 'list' : head === '{"Records":[' ? 'envelope' : 'lines';
    this.#at = from + { list: 1, envelope: 12, lines: 0 }[this.#form];
    this.#to = to;
    this.#left = maxRows;
  }

  /**
   * Reads on in the file: about so many bytes, whose records take the place of those before. `end` where these were the last,
   * `other` where it is anything else than such a file.
   * @param bytes what it began with, or a copy of them with more behind
   */
  more(bytes: Buffer, enough: number): 'more' | 'end' | 'other' {
    this.rows = 0;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const to = this.#to;
    const stop = this.#at + enough;
    let i = this.#at;
    while (i < stop) {
      i = this.#record(bytes, i);
      if (i < 0 || i > to) return 'other';
      if (this.#form === 'lines') {
        const end = afterBreaks(bytes, i);
        if (end === to) return 'end';
        // Two on one line are none of AWS's.
        if (bytes[i] !== 0x0a && bytes[i] !== 0x0d) return 'other';
        i = end;
      } else if (bytes[i] === comma) i += 1;
      else {
        if (bytes[i++] !== closeBracket || (this.#form === 'envelope' && bytes[i++] !== closeBrace)) return 'other';
        return afterBreaks(bytes, i) === to ? 'end' : 'other';
      }
    }
    this.#at = i;
    return 'more';
  }

  /** Where the record that begins at `start` ends, behind its brace; -1 where it is no JSON object. */
  #record(bytes: Buffer, start: number): number {
    if (bytes[start] !== openBrace || --this.#left < 0) return -1;
    const row = this.#newRow();
    const base = row * width;
    const { spans, hashes } = this;
    this.#isAscii = true;
    let isOdd = false;
    let i = start + 1;
    let last = width;
    for (;;) {
      // Most fields stand behind the same one as in the record before.
      let field = this.#next[last] as number;
      let begin = field < 0 ? -1 : behindKey(field, this.#view, i);
      if (begin < 0) {
        const from = i + 1;
        this.#hash = 0;
        i = bytes[i] === quote ? this.#text(bytes, from) : -1;
        if (i < 0 || bytes[i] !== colon) return -1;
        field = fieldAt(bytes, from, i - 1, this.#hash);
        if (field >= 0) this.#next[last] = field;
        begin = i + 1;
      }
      if (field >= 0) last = field;
      this.#hash = 0;
      this.#hasEscape = false;
      this.#hasOther = false;
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
        if (this.#hasOther && field === identity) this.unlike[row] = 1;
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
    this.unlike = new Uint8Array(usualRows);
  }

  #newRow(): number {
    const row = this.rows++;
    if (row >= this.odd.length) {
      this.spans = grown(this.spans);
      this.hashes = grown(this.hashes);
      this.bounds = grown(this.bounds);
      this.odd = grown(this.odd);
      this.unlike = grown(this.unlike);
    }
    this.spans.fill(0, row * width * 2, (row + 1) * width * 2);
    this.unlike[row] = 0;
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
        const end = this.#text(bytes, i + 1);
        if (end < 0) return -1;
        // Nothing between its quotes.
        if (end === i + 2) this.#hasOther = true;
        i = end;
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
        this.#hasOther = true;
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

function afterBreaks(bytes: Buffer, i: number): number {
  while (bytes[i] === 0x0a || bytes[i] === 0x0d || bytes[i] === 0x20) i += 1;
  return i;
}
