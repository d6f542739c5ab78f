/**
 * The pages of a column of a row group of Parquet, read without the file's footer: each lies behind its own header. What the importer writes is known here (zstd, every column optional, no nesting); anything else is an error,
 * and the caller asks DuckDB.
 */
import { zstdDecompressSync } from 'node:zlib';
// Only the parts that are used: the whole of it takes longer to load than a question to answer.
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { deserializeTCompactProtocol, readVarInt } from 'hyparquet/src/thrift.js';

/** One data page, unpacked. */
export interface DataPage {
  /** For each row whether it has a value; undefined where all have one. */
  readonly filled: Uint8Array | Int32Array | undefined;
  /** Rows that have one. */
  readonly count: number;
  /** The values. */
  readonly bytes: Buffer;
}

interface Page {
  readonly kind: number;
  readonly rows: number;
  readonly encoding: PackedPage['encoding'];
  readonly packed: Buffer;
  readonly plainBytes: number;
  /** Bytes of the levels before the values; only in pages of the second kind, which do not pack them. */
  readonly levels: number | undefined;
  readonly isPacked: boolean;
}

/** A data page of a column, unpacked when it is first asked for. */
export class PackedPage {
  /** Of its first row. */
  readonly from: number;
  /** Rows, those without a value too. */
  readonly rows: number;
  /** Undefined where it is none that the importer uses. */
  readonly encoding: 'plain' | 'dictionary' | 'deltas' | undefined;
  readonly #page: Page;
  #data: DataPage | undefined;

  constructor(page: Page, from: number) {
    this.from = from;
    this.rows = page.rows;
    this.encoding = page.encoding;
    this.#page = page;
  }

  /** Throws Error where the page is not as the importer writes them. */
  data(): DataPage {
    this.#data ??= dataPageOf(this.#page);
    return this.#data;
  }
}

/** One column of a row group. */
export interface PackedColumn {
  readonly pages: readonly PackedPage[];
  /** The entries of the dictionary and how many they are; undefined where there is none. */
  readonly dictionary: (() => { readonly bytes: Buffer; readonly count: number }) | undefined;
}

/**
 * @param bytes one column of a row group
 * @throws Error where the pages do not add up to the rows or the bytes
 */
export function packedColumn(bytes: Buffer, rows: number): PackedColumn {
  const reader = { view: viewOf(bytes), offset: 0 };
  const pages: PackedPage[] = [];
  let dictionary: PackedColumn['dictionary'];
  let seen = 0;
  while (reader.offset < bytes.length) {
    const page = nextPage(bytes, reader);
    if (page.kind === kinds.dictionary) {
      dictionary = () => ({ bytes: unpacked(page.packed, page.plainBytes), count: page.rows });
    } else {
      pages.push(new PackedPage(page, seen));
      seen += page.rows;
    }
  }
  if (seen !== rows) throw new Error(`a column has ${seen} rows of ${rows}`);
  return { pages, dictionary };
}

/** PageType and Encoding of Parquet's Thrift definition. */
const kinds = { data: 0, dictionary: 2, dataSecond: 3 };
const encodings = new Map<unknown, PackedPage['encoding']>([
  [0, 'plain'],
  [2, 'dictionary'],
  [5, 'deltas'],
  [8, 'dictionary'],
]);

/** A page header: type, unpacked and packed size, and the header of its type (Parquet's PageHeader). */
function nextPage(bytes: Buffer, reader: { readonly view: DataView<ArrayBuffer>; offset: number }): Page {
  const header = deserializeTCompactProtocol(reader);
  const { field_1: kind, field_2: plainBytes, field_3: size } = header;
  const packed = bytes.subarray(reader.offset, reader.offset + size);
  if (packed.length !== size || packed.length === 0) throw new Error('a page is cut');
  reader.offset += size;
  const own = kind === kinds.data ? header.field_5 : kind === kinds.dictionary ? header.field_7 : header.field_8;
  if (own === undefined) throw new Error(`a page is of type ${kind}`);
  const rows: unknown = own.field_1;
  if (typeof rows !== 'number' || rows < 0) throw new Error('a page does not say how many values it has');
  if (kind !== kinds.dataSecond) {
    const encoding = encodings.get(own.field_2);
    return { kind, rows, encoding, packed, plainBytes, levels: undefined, isPacked: true };
  }
  if (own.field_6 !== 0) throw new Error('a column is nested');
  const isPacked = own.field_7 !== false;
  return { kind, rows, encoding: encodings.get(own.field_4), packed, plainBytes, levels: own.field_5, isPacked };
}

function dataPageOf(page: Page): DataPage {
  const { rows, packed, plainBytes, levels, isPacked } = page;
  if (levels !== undefined) {
    const rest = packed.subarray(levels);
    const bytes = isPacked && rest.length > 0 ? unpacked(rest, plainBytes - levels) : rest;
    return { ...filledOf(packed.subarray(0, levels), rows), bytes };
  }
  const plain = unpacked(packed, plainBytes);
  const length = plain.readUInt32LE(0);
  const from = 4 + length;
  if (from > plain.length) throw new Error('the levels of a page are cut');
  return { ...filledOf(plain.subarray(4, from), rows), bytes: plain.subarray(from) };
}

function filledOf(levels: Buffer, rows: number): { filled: DataPage['filled']; count: number } {
  const all = onlyLevelOf(levels, rows);
  if (all === 1) return { filled: undefined, count: rows };
  const filled = all === 0 ? new Uint8Array(rows) : hybrid(levels, 1, rows);
  let count = 0;
  for (const one of filled) count += one;
  return { filled: count === rows ? undefined : filled, count };
}

/** The level of all rows, where it is one run: so it is where all have a value or none has. */
function onlyLevelOf(levels: Buffer, rows: number): number | undefined {
  let run = 0;
  let at = 0;
  for (let shift = 0; at < levels.length && shift < 28; shift += 7) {
    const byte = levels[at++] as number;
    run |= (byte & 0x7f) << shift;
    if (byte < 0x80) return (run & 1) === 0 && run >>> 1 === rows ? levels[at] : undefined;
  }
  return undefined;
}

/** Run lengths and packed bits (Parquet's RLE hybrid): `count` numbers of `width` bits. */
export function hybrid(bytes: Buffer, width: number, count: number): Uint8Array | Int32Array {
  const numbers = width <= 8 ? new Uint8Array(count) : new Int32Array(count);
  if (count === 0) return numbers;
  const view = viewOf(bytes);
  readRleBitPackedHybrid({ view, offset: 0 }, width, numbers, bytes.length);
  return numbers;
}

/**
 * One of the numbers that `hybrid` gives, without the others: whoever wants one row of a page need not unfold it. Undefined where
 * the bytes end before it.
 */
export function hybridAt(bytes: Buffer, width: number, index: number): number | undefined {
  const reader = { view: viewOf(bytes), offset: 0 };
  for (let seen = 0; reader.offset < bytes.length; ) {
    const header = readVarInt(reader);
    const isPacked = (header & 1) === 1;
    const count = isPacked ? (header >>> 1) * 8 : header >>> 1;
    const size = isPacked ? (header >>> 1) * width : (width + 7) >>> 3;
    if (index >= seen + count) {
      seen += count;
      reader.offset += size;
      continue;
    }
    const bit = isPacked ? (index - seen) * width : 0;
    const at = reader.offset + (bit >>> 3);
    let number = 0;
    // Five bytes hold 32 bits wherever they begin.
    for (let i = 0; i < 5; i++) number += (bytes[at + i] ?? 0) * 2 ** (8 * i);
    return Math.floor(number / 2 ** (bit & 7)) % 2 ** width;
  }
  return undefined;
}

export function viewOf(bytes: Buffer): DataView<ArrayBuffer> {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) as DataView<ArrayBuffer>;
}

function unpacked(packed: Buffer, plainBytes: number): Buffer {
  const plain =
    storedIn(packed) ?? zstdDecompressSync(packed, { chunkSize: plainBytes + 64, maxOutputLength: plainBytes + 64 });
  if (plain.length !== plainBytes) throw new Error('a page unpacks to another length than it says');
  return plain;
}

/**
 * What a frame of zstd holds that was not worth packing: one raw block (RFC 8878, 3.1.1). Ids and short pages are of that kind,
 * and calling zstd for each takes longer than all else. Undefined for other frames.
 */
function storedIn(frame: Buffer): Buffer | undefined {
  if (frame.length < 8 || frame.readUInt32LE(0) !== 0xfd2fb528) return undefined;
  const descriptor = frame[4] as number;
  const isSingle = (descriptor & 0x20) !== 0;
  const hasChecksum = (descriptor & 4) !== 0;
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >>> 6] as number;
  const idBytes = [0, 1, 2, 4][descriptor & 3] as number;
  const at = 5 + (isSingle ? 0 : 1) + idBytes + sizeBytes;
  if (at + 3 > frame.length || hasChecksum) return undefined;
  const header = frame.readUIntLE(at, 3);
  const [isLast, kind, size] = [header & 1, (header >>> 1) & 3, header >>> 3];
  return isLast === 1 && kind === 0 && at + 3 + size === frame.length ? frame.subarray(at + 3) : undefined;
}
