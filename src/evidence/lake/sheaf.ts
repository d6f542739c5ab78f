/**
 * The records of a shard in the making, as they lie in the unpacked files, and the order in which they are written: all of one
 * principal together, so that a question about it unpacks few row groups.
 */
import type { FileHandle } from 'node:fs/promises';
import { removedMark } from '../../domain/record-clean.ts';
import { type CutRow, firstKey } from './cut.ts';
import { rowsPerGroup, WordFilter } from './words.ts';

const stsRemoved = Buffer.from(`"sessionToken":"${removedMark}"`);
const chunkBytes = 4 * 1024 * 1024;

interface Sheet {
  readonly content: Buffer;
  readonly number: number;
  readonly rows: readonly CutRow[];
}

export class Sheaf {
  #sheets: Sheet[] = [];
  readonly #names = new Map<string, number>();
  #rows = 0;
  #bytes = 0;

  get rows(): number {
    return this.#rows;
  }

  /** Of the unpacked files. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param number of the file in its batch */
  add(content: Buffer, number: number, rows: readonly CutRow[]): void {
    this.#sheets.push({ content, number, rows });
    for (const { name } of rows) this.#names.set(name, (this.#names.get(name) ?? 0) + 1);
    this.#rows += rows.length;
    this.#bytes += content.length;
  }

  /** Writes prepared lines (columns.ts) in their order and lets go of the files; returns the filter of each group. */
  async write(file: FileHandle): Promise<Map<number, Uint32Array>> {
    const filters = new Map<number, Uint32Array>();
    const filter = new WordFilter();
    let out = Buffer.allocUnsafe(chunkBytes + 1024 * 1024);
    let at = 0;
    let done = 0;
    for (const place of this.#order()) {
      const { content, number, row } = this.#rowAt(place);
      const group = Math.floor(done / rowsPerGroup);
      if (done > 0 && done % rowsPerGroup === 0) filters.set(group - 1, filter.take());
      const most = row.end - row.start + 64 + row.tokens.length * stsRemoved.length;
      if (at > 0 && at + most > out.length) {
        await file.writeFile(out.subarray(0, at));
        at = 0;
      }
      if (most > out.length) out = Buffer.allocUnsafe(most);
      at += out.write(`{"#":${number},"g":${group},"v":`, at, 'latin1');
      let from = row.start + 1 + firstKey.length;
      for (const [cutFrom, cutTo] of row.tokens) {
        filter.add(content, from, cutFrom);
        at += content.copy(out, at, from, cutFrom);
        at += stsRemoved.copy(out, at);
        from = cutTo;
      }
      filter.add(content, from, row.end);
      at += content.copy(out, at, from, row.end);
      out[at++] = 0x0a;
      done += 1;
    }
    if (at > 0) await file.writeFile(out.subarray(0, at));
    if (done > 0) filters.set(Math.floor((done - 1) / rowsPerGroup), filter.take());
    this.#sheets = [];
    this.#names.clear();
    return filters;
  }

  /** Numbers of the rows as they came, sorted by name; those of one name stay in the order in which they came. */
  #order(): Uint32Array {
    const next = new Map<string, number>();
    let at = 0;
    for (const name of [...this.#names.keys()].sort()) {
      next.set(name, at);
      at += this.#names.get(name) ?? 0;
    }
    const order = new Uint32Array(this.#rows);
    let row = 0;
    for (const { rows } of this.#sheets) {
      for (const { name } of rows) {
        const place = next.get(name) ?? 0;
        order[place] = row++;
        next.set(name, place + 1);
      }
    }
    return order;
  }

  #rowAt(index: number): { content: Buffer; number: number; row: CutRow } {
    const starts = this.#starts();
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((starts[middle] as number) <= index) low = middle;
      else high = middle - 1;
    }
    const sheet = this.#sheets[low] as Sheet;
    return {
      content: sheet.content,
      number: sheet.number,
      row: sheet.rows[index - (starts[low] as number)] as CutRow,
    };
  }

  #startsOf: number[] = [];

  /** The number of the first row of each file. */
  #starts(): readonly number[] {
    for (let i = this.#startsOf.length; i < this.#sheets.length; i++)
      this.#startsOf.push(i === 0 ? 0 : (this.#startsOf[i - 1] ?? 0) + (this.#sheets[i - 1]?.rows.length ?? 0));
    return this.#startsOf;
  }
}

const lineEnd = Buffer.from('\n');

/** The lines of one file by itself, all in one group. */
export function linesOf(content: Buffer, rows: readonly CutRow[], number: number, group: number): Buffer {
  const parts: Buffer[] = [];
  for (const { start, end, tokens } of rows) {
    parts.push(Buffer.from(`{"#":${number},"g":${group},"v":`));
    let from = start + 1 + firstKey.length;
    for (const [cutFrom, cutTo] of tokens) {
      parts.push(content.subarray(from, cutFrom), stsRemoved);
      from = cutTo;
    }
    parts.push(content.subarray(from, end), lineEnd);
  }
  return Buffer.concat(parts);
}
