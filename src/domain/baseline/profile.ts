/**
 * What one principal was seen to do, kept so that the order in which its records come does not matter: of each value the
 * first time, of each ten minutes what was touched. Grows with the variety of what it does, not with the number of calls.
 */

/** One record, as far as baselines ask. Times in milliseconds since the epoch. */
export interface Sighting {
  readonly at: number;
  readonly eventId: string;
  readonly eventName: string;
  readonly region: string;
  readonly ip: string;
  readonly isWrite: boolean;
  readonly isConsole: boolean;
  readonly isDenied: boolean;
  readonly principal: string;
}

export const dimensions = ['country', 'asn', 'region', 'agent', 'service', 'hour', 'ip'] as const;
export type Dimension = (typeof dimensions)[number];

export interface Value {
  first: Sighting;
  /** The first call through it that changes something. */
  firstWrite: number;
}

/** Values of one dimension that are kept: more are no baseline but noise. */
const maxValues = 300;
const windowMs = 600_000;
/** Names that are told apart within ten minutes. */
const maxNames = 40;

/** Ten minutes of one principal. Names are numbers of a book, written as characters. */
interface Window {
  regions: string;
  writeRegions: string;
  reads: string;
  denied: string;
  first: Sighting;
}

export class Profile {
  first: number;
  last: number;
  events = 0;
  readonly values = new Map<Dimension, Map<string, Value>>();
  readonly windows = new Map<number, Window>();

  constructor(at: number) {
    this.first = at;
    this.last = at;
  }

  add(
    sighting: Sighting,
    values: Readonly<Partial<Record<Dimension, string>>>,
    number: (name: string) => string,
  ): void {
    this.events += 1;
    this.first = Math.min(this.first, sighting.at);
    this.last = Math.max(this.last, sighting.at);
    for (const dimension of dimensions) {
      const value = values[dimension];
      if (value !== undefined) this.#note(dimension, value, sighting);
    }
    this.#count(sighting, number);
  }

  #note(dimension: Dimension, value: string, sighting: Sighting): void {
    let known = this.values.get(dimension);
    if (!known) {
      known = new Map();
      this.values.set(dimension, known);
    }
    const before = known.get(value);
    const wroteAt = sighting.isWrite ? sighting.at : Number.POSITIVE_INFINITY;
    if (!before) {
      if (known.size < maxValues) known.set(value, { first: sighting, firstWrite: wroteAt });
      return;
    }
    if (isBefore(sighting, before.first)) before.first = sighting;
    before.firstWrite = Math.min(before.firstWrite, wroteAt);
  }

  #count(sighting: Sighting, number: (name: string) => string): void {
    const { at, region, eventName, isWrite, isConsole, isDenied } = sighting;
    const key = Math.floor(at / windowMs);
    const window = this.windows.get(key) ?? { regions: '', writeRegions: '', reads: '', denied: '', first: sighting };
    this.windows.set(key, window);
    if (isBefore(sighting, window.first)) window.first = sighting;
    if (region !== '') {
      window.regions = withName(window.regions, number(region));
      if (isWrite && !isDenied) window.writeRegions = withName(window.writeRegions, number(region));
    }
    // People in the console look at everything; that is what it is for.
    if (isConsole) return;
    if (!isWrite) window.reads = withName(window.reads, number(eventName));
    if (isDenied) window.denied = withName(window.denied, number(eventName));
  }
}

/** The same answer whichever comes first. */
export function isBefore(a: Sighting, b: Sighting): boolean {
  return a.at < b.at || (a.at === b.at && a.eventId < b.eventId);
}

function withName(names: string, name: string): string {
  return names.length >= maxNames || names.includes(name) ? names : names + name;
}
