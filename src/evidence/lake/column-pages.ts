/**
 * The pages of a column of a row group, as column-chunks.ts writes them, read without the file's footer: each lies behind its own
 * header. Anything else is an error, and the caller asks DuckDB.
 */
import { zstdDecompressSync } from 'node:zlib';
// Only the parts that are used: the whole of it takes longer to load than a question to answer.
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { deserializeTCompactProtocol, readVarInt } from 'hyparquet/src/thrift.js';
import { letGo } from './let-go.ts';

/** A data page of a column; its values are unpacked when they are first asked for. */
export class DataPage {
  /** Of its first row. */
  readonly from: number;
  /** Rows, those without a value too. */
  readonly rows: number;
  /** Rows that have a value. */
  readonly count: number;
  readonly encoding: 'plain' | 'dictionary';
  readonly #page: Page;
  readonly #unpacked: Unpacked;
  #filled: Uint8Array | Int32Array | undefined;
  #values: Buffer | undefined;

  constructor(page: Page, from: number, unpacked: Unpacked) {
    this.#unpacked = unpacked;
    this.from = from;
    this.rows = page.rows;
    this.count = page.rows - page.nulls;
    this.encoding = page.encoding;
    this.#page = page;
  }

  /** For each row 1 where it has a value; undefined where all have one. */
  get filled(): Uint8Array | Int32Array | undefined {
    const { rows, packed, levels, nulls } = this.#page;
    if (nulls === 0) return undefined;
    this.#filled ??= nulls === rows ? new Uint8Array(rows) : hybrid(packed.subarray(0, levels), 1, rows);
    return this.#filled;
  }

  /** Throws Error where they are not as long as the page says. */
  values(): Buffer {
    const { packed, levels, plainBytes, isPacked } = this.#page;
    const rest = packed.subarray(levels);
    this.#values ??= isPacked ? this.#unpacked.of(rest, plainBytes - levels) : rest;
    return this.#values;
  }
}

/** One column of a row group. */
export interface PackedColumn {
  readonly pages: readonly DataPage[];
  /** The entries of the dictionary and how many they are; undefined where there is none. */
  readonly dictionary: (() => { readonly bytes: Buffer; readonly count: number }) | undefined;
}

/** What was unpacked of a row group. */
export class Unpacked {
  readonly #all: Buffer[] = [];

  /** Throws Error where it is not as long as that. */
  of(packed: Buffer, plainBytes: number): Buffer {
    const bytes = zstdDecompressSync(packed, { chunkSize: plainBytes + 64, maxOutputLength: plainBytes + 64 });
    if (bytes.length !== plainBytes) throw new Error('a page unpacks to another length than it says');
    this.#all.push(bytes);
    return bytes;
  }

  /**
   * Gives the memory back before the garbage collector would: the next row group gets it while it is still in the processor's
   * caches, which spares a sixth of the time. Nothing of the row group may be asked after that.
   */
  letGo(): void {
    for (const bytes of this.#all.splice(0)) letGo(bytes);
  }
}

/**
 * @param bytes one column of a row group
 * @param unpacked takes what is unpacked of it
 * @throws Error where the pages do not add up to the rows or the bytes
 */
export function packedColumn(bytes: Buffer, rows: number, unpacked: Unpacked): PackedColumn {
  const reader = { view: viewOf(bytes), offset: 0 };
  const pages: DataPage[] = [];
  let dictionary: PackedColumn['dictionary'];
  let seen = 0;
  while (reader.offset < bytes.length) {
    const page = nextPage(bytes, reader);
    if (page.isDictionary) {
      const { packed, plainBytes, isPacked, rows: count } = page;
      dictionary = () => ({ bytes: isPacked ? unpacked.of(packed, plainBytes) : packed, count });
    } else {
      pages.push(new DataPage(page, seen, unpacked));
      seen += page.rows;
    }
  }
  if (seen !== rows) throw new Error(`a column has ${seen} rows of ${rows}`);
  return { pages, dictionary };
}

interface Page {
  readonly isDictionary: boolean;
  /** Of a dictionary its entries. */
  readonly rows: number;
  readonly nulls: number;
  readonly encoding: 'plain' | 'dictionary';
  readonly packed: Buffer;
  readonly plainBytes: number;
  /** Bytes of the levels before the values, which are not packed. */
  readonly levels: number;
  readonly isPacked: boolean;
}

/** PageType and Encoding of Parquet's Thrift definition. */
const [dictionaryPage, dataPage2] = [2, 3];
const [plain, rleDictionary] = [0, 8];
const zstdMagic = 0xfd2fb528;

/** Parquet's PageHeader: type, unpacked and packed size, and the header of its type. */
function nextPage(bytes: Buffer, reader: { readonly view: DataView<ArrayBuffer>; offset: number }): Page {
  const header = deserializeTCompactProtocol(reader);
  const { field_1: kind, field_2: plainBytes, field_3: size, field_7: dictionary, field_8: data } = header;
  const packed = bytes.subarray(reader.offset, reader.offset + size);
  if (packed.length !== size) throw new Error('a page is cut');
  reader.offset += size;
  if (kind === dictionaryPage && dictionary?.field_2 === plain) {
    // Its header does not tell; texts never begin with so long a one.
    const isPacked = size !== plainBytes || (size >= 4 && packed.readUInt32LE(0) === zstdMagic);
    const rows = countOf(dictionary.field_1);
    return { isDictionary: true, rows, nulls: 0, encoding: 'plain', packed, plainBytes, levels: 0, isPacked };
  }
  const encoding = data?.field_4 === plain ? 'plain' : data?.field_4 === rleDictionary ? 'dictionary' : undefined;
  if (kind !== dataPage2 || encoding === undefined || data.field_6 !== 0) throw new Error(`a page is of type ${kind}`);
  const [rows, nulls, levels] = [countOf(data.field_1), countOf(data.field_2), countOf(data.field_5)];
  if (nulls > rows || levels > size) throw new Error('a page does not add up');
  const isPacked = data.field_7 !== false && size > levels;
  return { isDictionary: false, rows, nulls, encoding, packed, plainBytes, levels, isPacked };
}

function countOf(value: unknown): number {
  if (typeof value !== 'number' || value < 0) throw new Error('a page does not say how many values it has');
  return value;
}

/** Run lengths and packed bits (Parquet's RLE hybrid): `count` numbers of `width` bits. */
export function hybrid(bytes: Buffer, width: number, count: number): Uint8Array | Int32Array {
  const numbers = width <= 8 ? new Uint8Array(count) : new Int32Array(count);
  if (count > 0) readRleBitPackedHybrid({ view: viewOf(bytes), offset: 0 }, width, numbers, bytes.length);
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

function viewOf(bytes: Buffer): DataView<ArrayBuffer> {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) as DataView<ArrayBuffer>;
}
