/**
 * What one principal was seen to do, kept so that neither the order of its records matters nor how they were split and joined:
 * of each value the first time, of each day how many calls, of each ten minutes what was touched. Grows with the variety of what it
 * does, not with the number of calls; `trim` bounds what is kept on the disk.
 */
import type { Rests, Sighting } from '../../contracts/baseline.ts';
import { type Earliest, firstSightings, firstTimes } from './earliest.ts';
import { isBefore } from './sighting.ts';

export const dimensions = ['country', 'asn', 'region', 'agent', 'service', 'hour'] as const;
export type Dimension = (typeof dimensions)[number];

const dayMs = 86_400_000;
/** Values of one dimension that are kept: more are no baseline but noise. */
const maxValues = 300;
const windowMs = 600_000;
/** Names that are told apart within ten minutes. */
const maxNames = 40;
/** A principal has to have been seen at so many different times before anything counts as new. */
const leastTimes = 20;
/**
 * On the disk: days with their counts, the latest; ten minutes, the latest, to which late records may still be added (CloudTrail delivers
 * within 15 minutes or so); and those in which much was touched.
 */
const maxDays = 400;
const maxWindows = 36;
const maxBursts = 100;

export const manyRegions = 5;
export const manyReads = 20;
export const manyDenied = 5;

/** Ten minutes of one principal. Names are marks of one character. */
export interface Window {
  regions: string;
  writeRegions: string;
  reads: string;
  denied: string;
  first: Sighting;
}

export class Profile {
  first: number;
  last: number;
  /** From when on it learns: later than its first call where something of it was dropped before. */
  since = 0;
  /** Calls by day since the epoch. */
  readonly days = new Map<number, number>();
  /** Days beyond those were dropped. */
  moreDays = false;
  /** The first different times at which it was seen, in order. */
  times: number[] = [];
  readonly values = new Map<Dimension, Earliest<Sighting>>();
  /** Its public addresses. */
  readonly ips = firstTimes(maxValues);
  /** Of each value the first call through it that changes something, where that is within a day of the first one. */
  readonly writes = new Map<Dimension, Map<string, number>>();
  readonly windows = new Map<number, Window>();

  constructor(at: number) {
    this.first = at;
    this.last = at;
  }

  /** `publicIp` undefined: no address, or one inside of a network. */
  add(sighting: Sighting, values: Readonly<Partial<Record<Dimension, string>>>, publicIp: string | undefined): void {
    const { at } = sighting;
    this.first = Math.min(this.first, at);
    this.last = Math.max(this.last, at);
    const day = Math.floor(at / dayMs);
    this.days.set(day, (this.days.get(day) ?? 0) + 1);
    this.#noteTime(at);
    if (publicIp !== undefined) this.ips.note(publicIp, at);
    for (const dimension of dimensions) {
      const value = values[dimension];
      if (value === undefined) continue;
      this.valuesOf(dimension).note(value, sighting);
      if (sighting.isWrite) this.#noteWrite(dimension, value, at);
    }
    this.#count(sighting);
  }

  merge(other: Profile): void {
    this.first = Math.min(this.first, other.first);
    this.last = Math.max(this.last, other.last);
    this.since = Math.max(this.since, other.since);
    for (const [day, count] of other.days) this.days.set(day, (this.days.get(day) ?? 0) + count);
    this.moreDays ||= other.moreDays;
    for (const at of other.times) this.#noteTime(at);
    this.ips.merge(other.ips);
    for (const [dimension, values] of other.values) this.valuesOf(dimension).merge(values);
    for (const [dimension, writes] of other.writes)
      for (const [value, at] of writes) this.#noteWrite(dimension, value, at);
    for (const [key, window] of other.windows) this.#mergeWindow(key, window);
  }

  /** Whether it was seen often enough before then. */
  isKnownBefore(at: number): boolean {
    const last = this.times[leastTimes - 1];
    return last !== undefined && last < at;
  }

  /** When it began to learn. */
  get learnsFrom(): number {
    return Math.max(this.first, this.since);
  }

  /** Some value was left out: nothing beyond those that are kept is called new. */
  get isCapped(): boolean {
    return this.ips.more || [...this.values.values()].some(({ more }) => more);
  }

  restsAt(at: number): Rests {
    const day = Math.floor(at / dayMs);
    const before = [...this.days].filter(([one]) => one < day);
    return {
      since: this.first,
      days: before.length,
      events: before.reduce((sum, [, count]) => sum + count, 0),
      atLeast: this.moreDays,
    };
  }

  /** Drops what is too old or too much to keep. What is dropped was either judged or is too late to be. */
  trim(): void {
    if (this.days.size > maxDays) {
      this.moreDays = true;
      for (const day of [...this.days.keys()].sort((a, b) => b - a).slice(maxDays)) this.days.delete(day);
    }
    for (const [dimension, writes] of this.writes) {
      const kept = this.values.get(dimension)?.kept;
      for (const [value, at] of writes) {
        const first = kept?.get(value)?.at;
        // It only ever gets farther from the first one.
        if (first === undefined || at - first >= dayMs) writes.delete(value);
      }
      if (writes.size === 0) this.writes.delete(dimension);
    }
    if (this.windows.size <= maxWindows) return;
    const old = [...this.windows.keys()].sort((a, b) => b - a).slice(maxWindows);
    let bursts = 0;
    for (const key of old) {
      const window = this.windows.get(key);
      const isKept = window !== undefined && isBurst(window) && bursts < maxBursts;
      if (isKept) bursts += 1;
      else this.windows.delete(key);
    }
  }

  /** How much of the memory it takes, in things that are kept. */
  get size(): number {
    return [...this.values.values()].reduce(
      (sum, { kept }) => sum + kept.size,
      this.windows.size + this.ips.kept.size + 10,
    );
  }

  /** What was seen of the dimension; it may be filled. */
  valuesOf(dimension: Dimension): Earliest<Sighting> {
    const known = this.values.get(dimension) ?? firstSightings(maxValues);
    this.values.set(dimension, known);
    return known;
  }

  #noteWrite(dimension: Dimension, value: string, at: number): void {
    const writes = this.writes.get(dimension) ?? new Map<string, number>();
    this.writes.set(dimension, writes);
    const before = writes.get(value);
    // Values that are left out have no use for it.
    if (before === undefined && !this.values.get(dimension)?.kept.has(value)) return;
    if (before === undefined || at < before) writes.set(value, at);
  }

  #noteTime(at: number): void {
    const { times } = this;
    if (times.length >= leastTimes && at >= (times[leastTimes - 1] ?? 0)) return;
    if (times.includes(at)) return;
    let place = times.length;
    while (place > 0 && (times[place - 1] ?? 0) > at) place -= 1;
    times.splice(place, 0, at);
    if (times.length > leastTimes) times.pop();
  }

  #mergeWindow(key: number, other: Window): void {
    const window = this.windows.get(key);
    if (window === undefined) {
      this.windows.set(key, { ...other });
      return;
    }
    if (isBefore(other.first, window.first)) window.first = other.first;
    for (const field of ['regions', 'writeRegions', 'reads', 'denied'] as const)
      for (const mark of other[field]) window[field] = withMark(window[field], mark);
  }

  #count(sighting: Sighting): void {
    const { at, region, eventName, isWrite, isConsole, isDenied } = sighting;
    const key = Math.floor(at / windowMs);
    const window = this.windows.get(key) ?? { regions: '', writeRegions: '', reads: '', denied: '', first: sighting };
    this.windows.set(key, window);
    if (isBefore(sighting, window.first)) window.first = sighting;
    if (region !== '') {
      window.regions = withMark(window.regions, markOf(region));
      if (isWrite && !isDenied) window.writeRegions = withMark(window.writeRegions, markOf(region));
    }
    // People in the console look at everything; that is what it is for.
    if (isConsole) return;
    if (!isWrite) window.reads = withMark(window.reads, markOf(eventName));
    if (isDenied) window.denied = withMark(window.denied, markOf(eventName));
  }
}

export function isBurst({ regions, reads, denied }: Window): boolean {
  return regions.length >= manyRegions || reads.length >= manyReads || denied.length >= manyDenied;
}

function withMark(marks: string, mark: string): string {
  return marks.length >= maxNames || marks.includes(mark) ? marks : marks + mark;
}

const marks = new Map<string, string>();
const maxMarks = 50_000;
/** Neither control characters nor surrogates: a mark is one character in every encoding. */
const [firstMark, markCount] = [0x100, 0xd700];

/**
 * A name as one character, the same in every process (FNV-1a): a set of names is a short text. Two names of 55,040 share one;
 * then one name less is counted.
 */
function markOf(name: string): string {
  const known = marks.get(name);
  if (known !== undefined) return known;
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  const mark = String.fromCharCode(firstMark + ((hash >>> 0) % markCount));
  if (marks.size < maxMarks) marks.set(name, mark);
  return mark;
}
