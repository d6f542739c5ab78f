/** A Parquet file in the making, by row groups, with the words of each. */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { ColumnMetaData, RowGroup, SchemaElement } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { ColumnChunks } from './column-chunks.ts';
import { columnTypes } from './columns.ts';
import type { Sheaf } from './sheaf.ts';
import { type RowGroup as RowGroupPlace, rowsPerGroup, WordFilter } from './words.ts';

const magic = 0x31524150;

const elements: Readonly<Record<string, Omit<SchemaElement, 'name'>>> = {
  BIGINT: { type: 'INT64', converted_type: 'INT_64' },
  INTEGER: { type: 'INT32', converted_type: 'INT_32' },
  TIMESTAMP: { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' } },
  VARCHAR: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  UUID: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } },
};

const columns = [['grp', 'BIGINT'] as const, ...columnTypes];
const schema: SchemaElement[] = [
  { name: 'records', num_children: columns.length, repetition_type: 'REQUIRED' },
  ...columns.map(([name, type]): SchemaElement => ({ name, repetition_type: 'OPTIONAL', ...elements[type] })),
];

/** Where ids and addresses stand that a question may look for (needle.ts). */
const searched: ReadonlySet<string> = new Set([
  ...['ip', 'account', 'userIdentity', 'requestParameters', 'responseElements'],
  ...['serviceEventDetails', 'resources', 'additionalEventData'],
]);

/** One row group in the file. */
export interface WrittenGroup {
  readonly number: number;
  readonly place: RowGroupPlace;
  readonly words: Uint32Array;
}

export const columnNames: readonly string[] = columns.map(([name]) => name);

export class ParquetShard {
  readonly #file: number;
  readonly #base: number;
  readonly #out = new ByteWriter(4 * 1024 * 1024);
  readonly #chunks = new ColumnChunks(this.#out);
  readonly #rowGroups: RowGroup[] = [];
  readonly #hash = createHash('sha256');
  readonly #filter = new WordFilter();
  readonly #filled = new Set<string>();
  readonly groups: WrittenGroup[] = [];
  rows = 0;

  /** @param base of the numbers of its row groups. Throws what the file system says, also where the file is there. */
  constructor(path: string, base: number) {
    this.#file = openSync(path, 'wx', 0o600);
    this.#base = base;
    this.#out.appendUint32(magic);
  }

  /** Columns in which anything stands. */
  get filled(): readonly string[] {
    return [...this.#filled].sort();
  }

  /** Writes all rows of the sheaf, in its order. Throws what the file system says. */
  add(sheaf: Sheaf): void {
    sheaf.sort();
    for (let from = 0; from < sheaf.rows; from += rowsPerGroup) {
      this.#addGroup(sheaf, from, Math.min(from + rowsPerGroup, sheaf.rows));
      this.#flush();
    }
  }

  /** Writes the footer and sees to it that all of it is on the disk. Throws what the file system says. */
  finish(): { readonly bytes: number; readonly sha256: string } {
    const out = this.#out;
    writeMetadata(out, {
      version: 2,
      created_by: 'firebreak',
      schema,
      num_rows: BigInt(this.rows),
      row_groups: this.#rowGroups,
      metadata_length: 0,
    });
    out.appendUint32(magic);
    this.#flush();
    fsyncSync(this.#file);
    closeSync(this.#file);
    return { bytes: out.offset, sha256: this.#hash.digest('hex') };
  }

  /** Leaves it as it is. */
  close(): void {
    closeSync(this.#file);
  }

  #addGroup(sheaf: Sheaf, from: number, to: number): void {
    const offset = this.#out.offset;
    const number = this.#base + this.groups.length;
    const { bytes } = sheaf;
    const seen = (start: number, end: number) => this.#filter.add(bytes, start, end);
    const writer = this.#chunks;
    const metas: ColumnMetaData[] = [
      writer.bigIntegers('grp', 1, new Float64Array(to - from).fill(number)),
      writer.integers('file', sheaf.files.subarray(from, to)),
      writer.bigIntegers('event_time', 1000, sheaf.times.subarray(from, to)),
    ];
    for (const column of sheaf.columns) {
      if (column.name === 'eventVersion') {
        metas.push(writer.uuids('event_uuid', sheaf.events, from, to));
        metas.push(writer.uuids('request_uuid', sheaf.requests, from, to));
      }
      metas.push(writer.texts(column, bytes, from, to, searched.has(column.name) ? seen : undefined));
    }
    for (const { path_in_schema, num_values, statistics } of metas)
      if (statistics?.null_count !== num_values) this.#filled.add(path_in_schema[0] ?? '');
    const length = this.#out.offset - offset;
    this.#rowGroups.push({
      columns: metas.map((meta) => ({
        file_offset: meta.dictionary_page_offset ?? meta.data_page_offset,
        meta_data: meta,
      })),
      total_byte_size: metas.reduce((sum, meta) => sum + meta.total_uncompressed_size, 0n),
      num_rows: BigInt(to - from),
      total_compressed_size: BigInt(length),
    });
    const chunks = metas.map((meta) => meta.total_compressed_size).join(' ');
    const place = { from: offset, chunks, rows: to - from, lowest: number, highest: number };
    const written = this.#out.getBytes();
    const checksum = crc32(written.subarray(written.length - length));
    this.groups.push({ number, place: { ...place, crc32: checksum }, words: this.#filter.take() });
    this.rows += to - from;
  }

  #flush(): void {
    const part = this.#out.getBytes();
    this.#hash.update(part);
    for (let at = 0; at < part.length; ) at += writeSync(this.#file, part, at);
    this.#out.index = 0;
  }
}
