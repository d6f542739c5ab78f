/**
 * Columns of one row group as Parquet has them (https://parquet.apache.org/docs/file-format/): a dictionary page where texts come again,
 * and one data page of version 2. Values are taken from the bytes in which they lie and never become strings.
 */
import { constants, zstdCompressSync } from 'node:zlib';
import type { ColumnMetaData, Encoding, ParquetType } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js';
import { letGo } from './let-go.ts';
import { PageBytes } from './page-bytes.ts';
import type { TextColumn } from './sheaf.ts';
import { type Uuids, uuidBytes } from './uuids.ts';
import { rowsPerGroup } from './words.ts';

/** Level 1 packs these as well as 3 does. */
const level = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
/** Smaller pages are not worth packing. */
const fewBytes = 1024;

type Statistics = NonNullable<ColumnMetaData['statistics']>;

/** Called with every text that is written, once for each in a dictionary. */
export type TextSeen = (from: number, to: number) => void;

/** Writes the columns of a row group one after the other; its rows are those from `from` to before `to`. */
export class ColumnChunks {
  readonly #out: ByteWriter;
  readonly #page = new PageBytes();
  /** For each text of a column: one more than its number in the dictionary of this row group. */
  #local = new Int32Array(1024);
  /** Of the column in the making: the numbers of its texts, those that differ, and the place of each among these. */
  readonly #used = new Int32Array(rowsPerGroup);
  readonly #distinct = new Int32Array(rowsPerGroup);
  readonly #indexes = new Int32Array(rowsPerGroup);

  /** @param out its `offset` is where the file ends by now */
  constructor(out: ByteWriter) {
    this.#out = out;
  }

  texts(
    { name, values, numbers }: TextColumn,
    bytes: Buffer,
    from: number,
    to: number,
    seen?: TextSeen | undefined,
  ): ColumnMetaData {
    const count = to - from;
    const used = this.#used;
    let present = 0;
    // Most columns that are not filled are filled in no row.
    for (let i = 0; i < (values.count === 0 ? 0 : count); i++) {
      const number = numbers[from + i] as number;
      flags[i] = number === 0 ? 0 : 1;
      if (number !== 0) used[present++] = number - 1;
    }
    return this.#texts(name, values, bytes, { count, present, used: used.subarray(0, present) }, seen);
  }

  #texts(
    name: string,
    values: TextColumn['values'],
    bytes: Buffer,
    { count, present, used }: { count: number; present: number; used: Int32Array },
    seen: TextSeen | undefined,
  ): ColumnMetaData {
    const { starts, ends } = values;
    const levels = levelsOf(count, present);
    const dictionary = values.isApart ? undefined : this.#dictionaryOf(used, values.count);
    const write = (list: Int32Array) => {
      for (let i = 0; i < list.length; i++) {
        const number = list[i] as number;
        const from = starts[number] as number;
        const to = ends[number] as number;
        this.#page.text(bytes, from, to);
        seen?.(from, to);
      }
    };
    const chunk = this.#begin(name, 'BYTE_ARRAY', count, count - present);
    if (dictionary) {
      write(dictionary.distinct);
      chunk.dictionary(dictionary.distinct.length);
      this.#appendIndexes(dictionary.indexes, dictionary.distinct.length);
    } else write(used);
    return chunk.data(levels, dictionary ? 'RLE_DICTIONARY' : 'PLAIN');
  }

  uuids(name: string, uuids: Uuids, from: number, to: number): ColumnMetaData {
    const count = to - from;
    const ids = uuids.of(from, to);
    const present = ids.length / uuidBytes;
    this.#page.bytes(ids);
    // Nothing packs them.
    const chunk = this.#begin(name, 'FIXED_LEN_BYTE_ARRAY', count, count - present, false);
    if (present < count) for (let i = 0; i < count; i++) flags[i] = uuids.has(from + i) ? 1 : 0;
    return chunk.data(levelsOf(count, present), 'PLAIN');
  }

  /** @param all whole numbers, one for each row */
  integers(name: string, all: Int32Array): ColumnMetaData {
    const { min, max } = extremes(all);
    const write = (one: number) => this.#page.integer(one);
    return this.#numbers(name, 'INT32', all, write, { min_value: min, max_value: max });
  }

  /** @param all whole numbers, one for each row, in units of `unit` */
  bigIntegers(name: string, unit: number, all: Float64Array): ColumnMetaData {
    const { min, max } = extremes(all);
    const write = (one: number) => this.#page.bigInteger(one, unit);
    const bounds = { min_value: BigInt(min) * BigInt(unit), max_value: BigInt(max) * BigInt(unit) };
    return this.#numbers(name, 'INT64', all, write, bounds);
  }

  #numbers(
    name: string,
    type: 'INT32' | 'INT64',
    all: Int32Array | Float64Array,
    write: (one: number) => void,
    bounds: Statistics,
  ): ColumnMetaData {
    const places = new Map<number, number>();
    const indexes = new Int32Array(all.length);
    for (let i = 0; i < all.length; i++) {
      const one = all[i] as number;
      let place = places.get(one);
      if (place === undefined) {
        place = places.size;
        places.set(one, place);
      }
      indexes[i] = place;
    }
    const isFew = places.size * 2 <= all.length;
    for (const one of isFew ? places.keys() : all) write(one);
    const chunk = this.#begin(name, type, all.length, 0, true, bounds);
    if (isFew) {
      chunk.dictionary(places.size);
      this.#appendIndexes(indexes, places.size);
    }
    return chunk.data(levelsOf(all.length, all.length), isFew ? 'RLE_DICTIONARY' : 'PLAIN');
  }

  /** The distinct texts and the place of each in them, where that is worth it. */
  #dictionaryOf(used: Int32Array, count: number) {
    if (this.#local.length < count) this.#local = new Int32Array(count * 2);
    const local = this.#local;
    const [distinct, indexes] = [this.#distinct, this.#indexes.subarray(0, used.length)];
    let size = 0;
    for (let i = 0; i < used.length; i++) {
      const number = used[i] as number;
      if (local[number] === 0) {
        distinct[size++] = number;
        local[number] = size;
      }
      indexes[i] = (local[number] as number) - 1;
    }
    for (let i = 0; i < size; i++) local[distinct[i] as number] = 0;
    return size * 2 > used.length ? undefined : { distinct: distinct.subarray(0, size), indexes };
  }

  #begin(name: string, type: ParquetType, rows: number, nulls: number, isPacked = true, bounds: Statistics = {}) {
    const out = this.#out;
    const begin = out.offset;
    let unpacked = 0;
    let dictionaryAt: number | undefined;
    let isZstd = isPacked;
    /** Of the page so far, where that is worth it. */
    const packed = (must: boolean): Buffer => {
      const raw = this.#page.all();
      if (!isZstd || (!must && raw.length < fewBytes)) return raw;
      const smaller = zstdCompressSync(raw, level);
      return must || smaller.length < raw.length * 0.9 ? smaller : raw;
    };
    return {
      dictionary: (count: number) => {
        dictionaryAt = begin;
        isZstd &&= this.#page.size >= fewBytes;
        const body = packed(true);
        writePageHeader(out, {
          type: 'DICTIONARY_PAGE',
          uncompressed_page_size: this.#page.size,
          compressed_page_size: body.length,
          dictionary_page_header: { num_values: count, encoding: 'PLAIN' },
        });
        unpacked += out.offset - begin + this.#page.size;
        out.appendBytes(body);
        this.#page.clear();
      },
      data: (levels: Uint8Array, encoding: Encoding): ColumnMetaData => {
        const dataAt = out.offset;
        const body = packed(false);
        const isRaw = body.length === this.#page.size && body.buffer === this.#page.all().buffer;
        writePageHeader(out, {
          type: 'DATA_PAGE_V2',
          uncompressed_page_size: levels.length + this.#page.size,
          compressed_page_size: levels.length + body.length,
          data_page_header_v2: {
            num_values: rows,
            num_nulls: nulls,
            num_rows: rows,
            encoding,
            definition_levels_byte_length: levels.length,
            repetition_levels_byte_length: 0,
            is_compressed: !isRaw,
          },
        });
        unpacked += out.offset - dataAt + levels.length + this.#page.size;
        out.appendBytes(levels);
        out.appendBytes(body);
        if (!isRaw) letGo(body);
        this.#page.clear();
        return {
          type,
          encodings: dictionaryAt === undefined ? ['RLE', encoding] : ['RLE', 'PLAIN', encoding],
          path_in_schema: [name],
          codec: isZstd ? 'ZSTD' : 'UNCOMPRESSED',
          num_values: BigInt(rows),
          total_uncompressed_size: BigInt(unpacked),
          total_compressed_size: BigInt(out.offset - begin),
          data_page_offset: BigInt(dataAt),
          ...(dictionaryAt === undefined ? {} : { dictionary_page_offset: BigInt(dictionaryAt) }),
          statistics: { null_count: BigInt(nulls), ...bounds },
        };
      },
    };
  }

  #appendIndexes(indexes: Int32Array, count: number): void {
    const bits = Math.ceil(Math.log2(count));
    scratch.index = 0;
    scratch.appendUint8(bits);
    writeRleBitPackedHybrid(scratch, indexes, bits);
    this.#page.bytes(scratch.getBytes());
  }
}

/** Indexes and levels in the making. */
const scratch = new ByteWriter();

/** Which rows of the column in the making have a value. */
const flags = new Uint8Array(rowsPerGroup);

/** Which rows have a value, as Parquet writes it: of `flags`, in runs or bit by bit. */
function levelsOf(rows: number, present: number): Uint8Array {
  scratch.index = 0;
  if (present === rows || present === 0) {
    scratch.appendVarInt(rows << 1);
    scratch.appendUint8(present === 0 ? 0 : 1);
  } else writeRleBitPackedHybrid(scratch, flags.subarray(0, rows), 1);
  return scratch.getBytes().slice();
}

function extremes(all: Int32Array | Float64Array): { min: number; max: number } {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const one of all) {
    if (one < min) min = one;
    if (one > max) max = one;
  }
  return { min, max };
}
