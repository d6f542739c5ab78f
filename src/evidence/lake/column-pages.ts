/**
 * The pages of a row group of Parquet, read without the file's footer: column chunks lie one after the other, each page behind
 * its own header. What the importer writes is known here (zstd, every column optional, no nesting); anything else is an error,
 * and the caller asks DuckDB.
 */
import { zstdDecompressSync } from 'node:zlib';
import { parquetHeader } from 'hyparquet/src/column.js';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';

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
  readonly kind: string;
  readonly rows: number;
  readonly encoding: string;
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
  readonly encoding: string;
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
 * @param bytes the whole row group
 * @param columns their names in the order of the file
 * @throws Error where the pages do not add up
 */
export function packedColumns(bytes: Buffer, rows: number, columns: readonly string[]): Map<string, PackedColumn> {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  const found = new Map<string, PackedColumn>();
  for (const column of columns) {
    const pages: PackedPage[] = [];
    let dictionary: PackedColumn['dictionary'];
    for (let seen = 0; seen < rows; ) {
      const page = nextPage(bytes, reader);
      if (page.kind === 'DICTIONARY_PAGE') {
        dictionary = () => ({ bytes: unpacked(page.packed, page.plainBytes), count: page.rows });
      } else {
        pages.push(new PackedPage(page, seen));
        seen += page.rows;
      }
      if (seen > rows) throw new Error(`column ${column} has more than ${rows} rows`);
    }
    found.set(column, { pages, dictionary });
  }
  if (reader.offset !== bytes.length) throw new Error('a row group is longer than its columns');
  return found;
}

function nextPage(bytes: Buffer, reader: { view: DataView<ArrayBufferLike>; offset: number }): Page {
  const header = parquetHeader(reader as Parameters<typeof parquetHeader>[0]);
  const { type, compressed_page_size: size, uncompressed_page_size: plainBytes } = header;
  const packed = bytes.subarray(reader.offset, reader.offset + size);
  if (packed.length !== size) throw new Error('a page is cut');
  reader.offset += size;
  const second = header.data_page_header_v2;
  const first = header.data_page_header ?? header.dictionary_page_header;
  if (second) {
    if (second.repetition_levels_byte_length !== 0) throw new Error('a column is nested');
    const { num_values: rows, encoding, definition_levels_byte_length: levels, is_compressed: isPacked = true } = second;
    return { kind: type, rows, encoding, packed, plainBytes, levels, isPacked };
  }
  if (!first) throw new Error(`a page is a ${type}`);
  return {
    kind: type,
    rows: first.num_values,
    encoding: first.encoding,
    packed,
    plainBytes,
    levels: undefined,
    isPacked: true,
  };
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
  const filled = hybrid(levels, 1, rows);
  let count = 0;
  for (const one of filled) count += one;
  return { filled: count === rows ? undefined : filled, count };
}

/** Run lengths and packed bits (Parquet's RLE hybrid): `count` numbers of `width` bits. */
export function hybrid(bytes: Buffer, width: number, count: number): Uint8Array | Int32Array {
  const numbers = width <= 8 ? new Uint8Array(count) : new Int32Array(count);
  if (count === 0) return numbers;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) as DataView<ArrayBuffer>;
  readRleBitPackedHybrid({ view, offset: 0 }, width, numbers, bytes.length);
  return numbers;
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
