/**
 * The first sighting of each of a bounded number of values. Where there are more, those that were seen first stay, so that the same is
 * kept whatever the order of records and of merges, and a flood of values does not push out what was known.
 */
import type { Sighting } from '../../contracts/baseline.ts';
import { isBefore } from './sighting.ts';

export class Earliest {
  readonly kept = new Map<string, Sighting>();
  /** Whether anything was left out. */
  more = false;
  readonly #most: number;
  /** The value that goes first; undefined where it has to be looked for. */
  #last: string | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  note(value: string, sighting: Sighting): void {
    const before = this.kept.get(value);
    if (before !== undefined) {
      if (!isBefore(sighting, before)) return;
      this.kept.set(value, sighting);
      this.#last = undefined;
      return;
    }
    if (this.kept.size >= this.#most) {
      this.more = true;
      const last = this.#lastOf();
      if (!precedes(value, sighting, last, this.kept.get(last))) return;
      this.kept.delete(last);
    }
    this.kept.set(value, sighting);
    this.#last = undefined;
  }

  merge(other: Earliest): void {
    for (const [value, sighting] of other.kept) this.note(value, sighting);
    this.more ||= other.more;
  }

  inOrder(): readonly Sighting[] {
    return [...this.kept.values()].sort((a, b) => (isBefore(a, b) ? -1 : 1));
  }

  #lastOf(): string {
    if (this.#last !== undefined) return this.#last;
    let last: string | undefined;
    for (const [value, sighting] of this.kept)
      if (last === undefined || precedes(last, this.kept.get(last), value, sighting)) last = value;
    this.#last = last;
    return last ?? '';
  }
}

function precedes(a: string, first: Sighting | undefined, b: string, second: Sighting | undefined): boolean {
  if (first === undefined || second === undefined) return first !== undefined;
  if (isBefore(first, second)) return true;
  return !isBefore(second, first) && a < b;
}
