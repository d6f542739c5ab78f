/**
 * Reads single row groups of shards without DuckDB: for a question whose word is in few of them, starting DuckDB and reading
 * footers takes longer than the answer. Rows are those that the question's SQL would give.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { packedColumn, Unpacked } from './column-pages.ts';
import { ColumnValues, type Needle } from './column-values.ts';
import { columnTypes, type Row } from './columns.ts';
import { isWithin, type Limits } from './limits.ts';
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

export interface GroupQuestion {
  readonly places: readonly GroupPlace[];
  /** A row is meant where one of them holds. */
  readonly anyOf: readonly ColumnTest[];
  readonly limits: Limits;
  /**
   * Whether row groups without a row that is meant are compared with their checksum too. For all of the lake that takes a third of
   * the time; without it they only have to unpack.
   */
  readonly checksAll: boolean;
}

export interface GroupAnswer {
  /** In the order of the places. */
  readonly rows: readonly Row[];
  /** What could not be believed: row groups that are gone or not what they were when they were written, in words. */
  readonly damaged: readonly string[];
}

/** What was not written so, or was changed since. */
class DamagedGroup extends Error {}

/**
 * The rows that are meant. Nobody else has a turn meanwhile.
 * @throws Error where a row group that is whole is not of the kind that this reads
 */
export function answerTo({ places, ...question }: GroupQuestion): GroupAnswer {
  const rows: Row[] = [];
  const damaged: string[] = [];
  for (const place of places) {
    try {
      rows.push(...rowsOfGroup(place, question));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (error instanceof DamagedGroup) damaged.push(message);
      else if (fileCode.test(code ?? '')) damaged.push(`${place.path}: could not be read (${code})`);
      else throw error;
    }
  }
  return { rows, damaged };
}

/** As those of the operating system are; Node's own begin with `ERR_`. */
const fileCode = /^E(?!RR_)[A-Z0-9]+$/;

/** Used again and again: memory that is fresh each time costs more than what is read into it. */
let memory = Buffer.alloc(0);

function rowsOfGroup(place: GroupPlace, question: Omit<GroupQuestion, 'places'>): readonly Row[] {
  const { path, columns, group } = place;
  const size = sum(chunksOf(group, columns));
  if (memory.length < size) memory = Buffer.allocUnsafeSlow(size * 2);
  const unpacked = new Unpacked();
  const file = openSync(path, 'r');
  try {
    const fetched: Part[] = [];
    const fetch = (from: number, to: number) => {
      if (readSync(file, memory, from, to - from, group.from + from) !== to - from) throw damageOf(place);
      fetched.push([from, to]);
    };
    const read = (from: number, length: number) => {
      if (!fetched.some(([start, end]) => start <= from && from + length <= end)) fetch(from, from + length);
      return memory.subarray(from, from + length);
    };
    const check = () => {
      if (crc32(read(0, size)) !== group.crc32) throw damageOf(place);
    };
    if (question.checksAll) check();
    else for (const part of partsWith(place, question.anyOf)) fetch(...part);
    const column = columnsOf(place, read, unpacked);
    const found = [...rowsWith(place, question, column)];
    if (found.length > 0 && !question.checksAll) check();
    return found.map((row) => rowAt(row, column));
  } finally {
    closeSync(file);
    unpacked.letGo();
  }
}

function damageOf({ path, group }: GroupPlace): DamagedGroup {
  return new DamagedGroup(`${path}: damaged at byte ${group.from}`);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

/** Bytes of a row group, from its beginning. */
type Part = readonly [from: number, to: number];

/** What lies between two columns is read along where it is not more: every call costs as much as so many bytes. */
const nearBytes = 16 * 1024;

/** Where the columns of the tests lie in which anything stands. */
function partsWith({ columns, filled, group }: GroupPlace, tests: readonly ColumnTest[]): readonly Part[] {
  const wanted = tests.flatMap((test) => test.columns);
  const parts: Part[] = [];
  let from = 0;
  for (const [i, length] of chunksOf(group, columns).entries()) {
    const [name, to] = [columns[i] ?? '', from + length];
    if (wanted.includes(name) && filled?.includes(name) !== false) {
      const last = parts.at(-1);
      if (last && from - last[1] <= nearBytes) parts[parts.length - 1] = [last[0], to];
      else parts.push([from, to]);
    }
    from = to;
  }
  return parts;
}

/** Gives a column's bytes by its place among the columns. */
type ReadChunk = (from: number, length: number) => Buffer;

type Columns = (name: string) => ColumnValues | undefined;

/**
 * The columns of a row group in which anything stands, each read when it is first asked for.
 * @param read gives bytes of the row group
 * @param unpacked takes what is unpacked of them
 * @throws Error (the columns, when asked) where its pages are not as the importer writes them
 */
function columnsOf({ columns, filled, group }: GroupPlace, read: ReadChunk, unpacked: Unpacked): Columns {
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
function* rowsWith(
  { group }: GroupPlace,
  { anyOf, limits }: Omit<GroupQuestion, 'places'>,
  column: Columns,
): Generator<number> {
  const marks = new Uint8Array(group.rows);
  const isInLimits = isWithin(limits);
  for (const { columns, needle } of anyOf) for (const name of columns) column(name)?.mark(needle, marks);
  for (let row = marks.indexOf(1); row >= 0; row = marks.indexOf(1, row + 1)) {
    const isMeant = isInLimits({
      time: () => column('event_time')?.numberAt(row),
      account: () => column('account')?.textAt(row),
      region: () => column('awsRegion')?.textAt(row),
    });
    if (isMeant) yield row;
  }
}

function rowAt(row: number, column: Columns): Row {
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
