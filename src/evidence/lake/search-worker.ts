/** Looks for a text in row groups, one question after the other, in a thread of its own. */
import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { asError } from '../../contracts/errors.ts';
import type { Row } from './columns.ts';
import { type ColumnTest, damageOf, type GroupPlace, rowsOfGroup } from './group-reader.ts';
import { isWithin, type Limits } from './limits.ts';

export interface SearchQuestion {
  /** Of one file. */
  readonly places: readonly GroupPlace[];
  readonly test: ColumnTest;
  readonly limits: Limits;
}

export type SearchAnswer =
  /** `damaged`: what could not be believed, in words. */
  { readonly rows: readonly Row[]; readonly damaged: readonly string[] } | { readonly failure: string };

function answerTo({ places, test, limits }: SearchQuestion): SearchAnswer {
  const rows: Row[] = [];
  const damaged: string[] = [];
  const question = { anyOf: [test], isWithin: isWithin(limits) };
  const file = openSync(places[0]?.path ?? '', 'r');
  try {
    for (const place of places) {
      const bytes = Buffer.allocUnsafe(place.bytes);
      if (readSync(file, bytes, 0, bytes.length, place.from) !== bytes.length) throw new Error(damageOf(place));
      let isChecked = false;
      for (const row of rowsOfGroup(bytes, place, question)) {
        // All of the lake's bytes would take a third of the time; those without the text only have to unpack.
        if (!isChecked && crc32(bytes) !== place.checksum) {
          damaged.push(damageOf(place));
          break;
        }
        isChecked = true;
        rows.push(row);
      }
    }
  } finally {
    closeSync(file);
  }
  return { rows, damaged };
}

parentPort?.on('message', (question: SearchQuestion) => {
  let answer: SearchAnswer;
  try {
    answer = answerTo(question);
  } catch (error) {
    answer = { failure: asError(error).message };
  }
  parentPort?.postMessage(answer);
});
