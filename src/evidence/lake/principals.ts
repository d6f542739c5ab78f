/** The principals of the rows of a shard in the making, by which rows are put in order. */
import { hashOf } from './text-hash.ts';

const arnStart = Buffer.from('"arn":"');

/** By the numbers made of their names. Two of one number lie among each other, which costs a little time and no record. */
export class Principals {
  readonly #numbers = new Map<number, number>();

  /** The principal of a `userIdentity`, by its ARN; undefined where it has none. */
  ofIdentity(bytes: Buffer, from: number, to: number): number | undefined {
    const last = to - arnStart.length;
    for (let i = from; i < last; i++) {
      if (bytes[i] !== 0x22 || bytes[i + 1] !== 0x61 || bytes[i + 2] !== 0x72 || bytes[i + 3] !== 0x6e) continue;
      if (bytes[i + 4] !== 0x22 || bytes[i + 6] !== 0x22) continue;
      const start = i + arnStart.length;
      const end = bytes.indexOf(0x22, start);
      return this.named(bytes, start, end < 0 || end > to ? to : end);
    }
    return undefined;
  }

  /** The principal of this name. Sessions of one role get numbers beside each other. */
  named(bytes: Buffer, from: number, to: number): number {
    let slash = to - 1;
    while (slash > from && bytes[slash] !== 0x2f) slash -= 1;
    if (slash <= from) slash = to;
    const name = (hashOf(bytes, from, slash) >>> 6) * 2 ** 26 + (hashOf(bytes, slash, to) >>> 6);
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.#numbers.size);
    return this.#numbers.size - 1;
  }

  /** The order of `rows` rows by their principals, and of those of one by their times (any numbers). */
  order(rows: number, principals: Int32Array, times: Float64Array): Uint32Array {
    const ranks = this.#ranks();
    let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let row = 0; row < rows; row++) {
      const time = times[row] as number;
      if (time < first) first = time;
      if (time > last) last = time;
    }
    // One number a row, of the 53 bits that sort as they should: its principal, its time as far as there is room, and itself.
    const rowsAt = 2 ** Math.ceil(Math.log2(rows + 1));
    const timesAt = 2 ** Math.max(1, 52 - Math.log2(rowsAt) - Math.ceil(Math.log2(ranks.length + 1)));
    const scale = (timesAt - 1) / Math.max(1, last - first);
    const keys = new Float64Array(rows);
    for (let row = 0; row < rows; row++) {
      const time = Math.floor(((times[row] as number) - first) * scale);
      keys[row] = ((ranks[principals[row] as number] as number) * timesAt + time) * rowsAt + row;
    }
    keys.sort();
    return Uint32Array.from(keys, (key) => key % rowsAt);
  }

  clear(): void {
    this.#numbers.clear();
  }

  /** By the number of a principal: its place among all by name. */
  #ranks(): Float64Array {
    const ranks = new Float64Array(this.#numbers.size);
    const sorted = Float64Array.from(this.#numbers.keys()).sort();
    for (const [rank, name] of sorted.entries()) ranks[this.#numbers.get(name) as number] = rank;
    return ranks;
  }
}
