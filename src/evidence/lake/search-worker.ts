/** Looks for a text in row groups, one question after the other, in a thread of its own. */
import { closeSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { answerQuestions } from '../answer-questions.ts';
import { Unpacked } from './column-pages.ts';
import type { Row } from './columns.ts';
import { type ColumnTest, columnsOf, damageOf, type GroupPlace, rowAt, rowsWith } from './group-reader.ts';
import { isWithin, type Limits } from './limits.ts';
import { chunksOf } from './words.ts';

export interface SearchQuestion {
  /** Of one file. */
  readonly places: readonly GroupPlace[];
  readonly test: ColumnTest;
  readonly limits: Limits;
}

export interface SearchAnswer {
  readonly rows: readonly Row[];
  /** What could not be believed, in words. */
  readonly damaged: readonly string[];
}

/** Used again and again: memory that is fresh each time costs more than what is read into it. */
let memory = Buffer.alloc(0);

function answerTo({ places, test, limits }: SearchQuestion): SearchAnswer {
  const rows: Row[] = [];
  const damaged: string[] = [];
  const question = { anyOf: [test], isWithin: isWithin(limits) };
  const file = openSync(places[0]?.path ?? '', 'r');
  try {
    for (const place of places) {
      const { group } = place;
      const size = chunksOf(group, place.columns).reduce((sum, length) => sum + length, 0);
      if (memory.length < size) memory = Buffer.allocUnsafeSlow(size * 2);
      const fetched: Part[] = [];
      const fetch = (from: number, to: number) => {
        if (readSync(file, memory, from, to - from, group.from + from) !== to - from) throw new Error(damageOf(place));
        fetched.push([from, to]);
      };
      for (const part of partsWith(place, test.columns)) fetch(...part);
      const read = (from: number, length: number) => {
        if (!fetched.some(([start, end]) => start <= from && from + length <= end)) fetch(from, from + length);
        return memory.subarray(from, from + length);
      };
      const unpacked = new Unpacked();
      try {
        const column = columnsOf(place, read, unpacked);
        const found = [...rowsWith(place, question, column)];
        if (found.length === 0) continue;
        // All of the lake's bytes would take a third of the time; those without the text only have to unpack.
        if (crc32(read(0, size)) === group.crc32) rows.push(...found.map((row) => rowAt(row, column)));
        else damaged.push(damageOf(place));
      } finally {
        unpacked.letGo();
      }
    }
  } finally {
    closeSync(file);
  }
  return { rows, damaged };
}

/** Bytes of a row group, from its beginning. */
type Part = readonly [from: number, to: number];

/** What lies between two columns is read along where it is not more: every call costs as much as so many bytes. */
const nearBytes = 16 * 1024;

/** Where the columns lie in which anything stands. */
function partsWith({ columns, filled, group }: GroupPlace, wanted: readonly string[]): readonly Part[] {
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

answerQuestions(answerTo);
