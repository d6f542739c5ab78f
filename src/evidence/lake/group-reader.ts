/**
 * Reads single row groups of shards without DuckDB: for a question whose word is in few of them, starting DuckDB and reading
 * footers takes longer than the answer. Rows are those that the question's SQL would give.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { packedColumn, Unpacked } from './column-pages.ts';
import { ColumnValues, type Needle } from './column-values.ts';
import { columnTypes, type Row } from './columns.ts';
import { letGo } from './let-go.ts';
import { chunksOf, type RowGroup } from './words.ts';

/** One row group of a shard. */
export interface GroupPlace {
  readonly path: string;
  /** Columns in the order of the file. */
  readonly columns: readonly string[];
  /** Those in which anything stands; undefined where nobody has looked. */
  readonly filled: readonly string[] | undefined;
  readonly group: RowGroup;
}

/** The needle stands in one of the columns. */
export interface ColumnTest {
  readonly columns: readonly string[];
  readonly needle: Needle;
}

/** What limits ask of a row; each reads its column when it is called. */
export interface RowFacts {
  /** Microseconds since the epoch. */
  time(): bigint | undefined;
  account(): string | undefined;
  region(): string | undefined;
}

export interface RowQuestion {
  /** A row is meant where one of them holds. */
  readonly anyOf: readonly ColumnTest[];
  isWithin(row: RowFacts): boolean;
}

export interface GroupQuestion extends RowQuestion {
  readonly signal: AbortSignal;
  /** Told of each row group that is gone or not what it was when it was written. */
  onDamage(reason: string): void;
}

/** What was not written so, or was changed since. */
class DamagedGroup extends Error {}

/** Row groups read ahead. */
const ahead = 8;

/**
 * The rows that are meant, in the order of the places. Rejects when the signal aborts, and with Error where a row group that is
 * whole is not of the kind that this reads.
 */
export async function* rowsIn(places: readonly GroupPlace[], question: GroupQuestion): AsyncGenerator<Row> {
  const files = new Map<string, Promise<FileHandle>>();
  const reads: Promise<Buffer | DamagedGroup>[] = [];
  try {
    for (const [i, place] of places.entries()) {
      while (reads.length < Math.min(places.length, i + ahead)) {
        reads.push(readGroup(files, places[reads.length] as GroupPlace));
      }
      const bytes = await (reads[i] as Promise<Buffer | DamagedGroup>);
      // Lets go of what has been looked at.
      reads[i] = Promise.resolve(noBytes);
      question.signal.throwIfAborted();
      if (bytes instanceof DamagedGroup) question.onDamage(bytes.message);
      else {
        yield* rowsOfGroup(bytes, place, question);
        letGo(bytes);
      }
    }
  } finally {
    await Promise.allSettled(reads);
    for (const file of await Promise.allSettled(files.values()))
      if (file.status === 'fulfilled') await file.value.close();
  }
}

export function damageOf({ path, group }: GroupPlace): string {
  return `${path}: damaged at byte ${group.from}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

const noBytes = Buffer.alloc(0);

async function readGroup(files: Map<string, Promise<FileHandle>>, place: GroupPlace): Promise<Buffer | DamagedGroup> {
  try {
    const file = files.get(place.path) ?? open(place.path, 'r');
    files.set(place.path, file);
    const { from, crc32: checksum } = place.group;
    const bytes = Buffer.allocUnsafe(sum(chunksOf(place.group, place.columns)));
    const { bytesRead } = await (await file).read(bytes, 0, bytes.length, from);
    if (bytesRead === bytes.length && crc32(bytes) === checksum) return bytes;
    return new DamagedGroup(damageOf(place));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return new DamagedGroup(`${place.path}: could not be read (${code})`);
  }
}

/** Gives a column's bytes by its place among the columns. */
export type ReadChunk = (from: number, length: number) => Buffer;

function* rowsOfGroup(bytes: Buffer, place: GroupPlace, question: RowQuestion): Generator<Row> {
  const unpacked = new Unpacked();
  const column = columnsOf(place, (from, length) => bytes.subarray(from, from + length), unpacked);
  try {
    for (const row of rowsWith(place, question, column)) yield rowAt(row, column);
  } finally {
    unpacked.letGo();
  }
}

export type Columns = (name: string) => ColumnValues | undefined;

/**
 * The columns of a row group in which anything stands, each read when it is first asked for.
 * @param read gives bytes of the row group
 * @param unpacked takes what is unpacked of them
 * @throws Error (the columns, when asked) where its pages are not as the importer writes them
 */
export function columnsOf({ columns, filled, group }: GroupPlace, read: ReadChunk, unpacked: Unpacked): Columns {
  const known = new Map<string, ColumnValues>();
  const chunks = chunksOf(group, columns);
  return (name) => {
    const had = known.get(name);
    const at = columns.indexOf(name);
    if (had || at < 0 || filled?.includes(name) === false) return had;
    const bytes = read(sum(chunks.slice(0, at)), chunks[at] ?? 0);
    const made = new ColumnValues(packedColumn(bytes, group.rows, unpacked));
    known.set(name, made);
    return made;
  };
}

/** Numbers of the rows that are meant. */
export function* rowsWith({ group }: GroupPlace, question: RowQuestion, column: Columns): Generator<number> {
  const marks = new Uint8Array(group.rows);
  for (const { columns, needle } of question.anyOf) for (const name of columns) column(name)?.mark(needle, marks);
  for (let row = marks.indexOf(1); row >= 0; row = marks.indexOf(1, row + 1)) {
    const isWithin = question.isWithin({
      time: () => column('event_time')?.numberAt(row),
      account: () => column('account')?.textAt(row),
      region: () => column('awsRegion')?.textAt(row),
    });
    if (isWithin) yield row;
  }
}

export function rowAt(row: number, column: Columns): Row {
  const values: Record<string, unknown> = {};
  for (const [name, type] of picked) {
    const from = column(name);
    if (from === undefined) continue;
    if (type === 'TIMESTAMP') values.event_ms = milliseconds(from.numberAt(row));
    else values[name] = type === 'UUID' ? from.uuidAt(row) : from.textAt(row);
  }
  return values;
}

/** As `picksOf` of shards.ts. */
const picked = columnTypes.filter(([name]) => !['ip', 'account', 'file'].includes(name));

function milliseconds(time: bigint | undefined): number | undefined {
  return time === undefined ? undefined : Number(time / 1000n);
}
