/**
 * The first of each of a bounded number of values: a sighting, or its time alone. Where there are more values, those that were seen first
 * stay, so that the same is kept whatever the order of records and of merges, and a flood of values does not push out what was known.
 */
import type { Sighting } from '../../contracts/baseline.ts';
import { isBefore } from './sighting.ts';

export class Earliest<First> {
  readonly kept = new Map<string, First>();
  /** Whether anything was left out. */
  more = false;
  readonly #most: number;
  readonly #isBefore: (a: First, b: First) => boolean;
  /** The value that goes first; undefined where it has to be looked for. */
  #last: string | undefined;

  constructor(most: number, isFirstBefore: (a: First, b: First) => boolean) {
    this.#most = most;
    this.#isBefore = isFirstBefore;
  }

  note(value: string, first: First): void {
    const before = this.kept.get(value);
    if (before !== undefined) {
      if (!this.#isBefore(first, before)) return;
      this.kept.set(value, first);
      this.#last = undefined;
      return;
    }
    if (this.kept.size >= this.#most) {
      this.more = true;
      const last = this.#lastOf();
      const latest = this.kept.get(last);
      if (latest === undefined || !this.#precedes(value, first, last, latest)) return;
      this.kept.delete(last);
    }
    this.kept.set(value, first);
    this.#last = undefined;
  }

  merge(other: Earliest<First>): void {
    for (const [value, first] of other.kept) this.note(value, first);
    this.more ||= other.more;
  }

  inOrder(): readonly First[] {
    return [...this.kept.values()].sort((a, b) => (this.#isBefore(a, b) ? -1 : this.#isBefore(b, a) ? 1 : 0));
  }

  #lastOf(): string {
    if (this.#last !== undefined) return this.#last;
    let last: readonly [string, First] | undefined;
    for (const one of this.kept) if (last === undefined || this.#precedes(...last, ...one)) last = one;
    this.#last = last?.[0];
    return last?.[0] ?? '';
  }

  #precedes(a: string, first: First, b: string, second: First): boolean {
    if (this.#isBefore(first, second)) return true;
    return !this.#isBefore(second, first) && a < b;
  }
}

export function firstSightings(most: number): Earliest<Sighting> {
  return new Earliest(most, isBefore);
}

/** Times in milliseconds since the epoch. */
export function firstTimes(most: number): Earliest<number> {
  return new Earliest(most, (a, b) => a < b);
}
