/**
 * Profiles and keys as lines of JSON, and back. Sightings are numbers of a list and their texts numbers of another, since most values of
 * a principal were first seen in the same few records. The files have their hash in a page, so that a line is what this code wrote: only
 * its form is looked at again, and what does not fit throws.
 */
import type { Sighting } from '../../contracts/baseline.ts';
import { Key } from './keys.ts';
import { type Dimension, dimensions, Profile } from './profile.ts';

/** Time, event id, seven numbers of texts, flags. */
type SightingLine = readonly [number, string, number, number, number, number, number, number, number, number];

interface Sightings {
  /** Texts. */
  readonly t: readonly string[];
  readonly x: readonly SightingLine[];
}

/** Whether there were more, and value and number of sighting by turns. */
interface Values {
  readonly m: boolean;
  readonly k: readonly (readonly [string, number])[];
}

interface ProfileLine extends Sightings {
  readonly g: string;
  readonly f: number;
  readonly l: number;
  readonly s: number;
  readonly d: readonly (readonly [number, number])[];
  readonly md: boolean;
  readonly at: readonly number[];
  readonly v: Readonly<Partial<Record<Dimension, Values>>>;
  readonly w: Readonly<Partial<Record<Dimension, readonly (readonly [string, number])[]>>>;
  /** Addresses and times. */
  readonly i: Values;
  readonly n: readonly (readonly [number, string, string, string, string, number])[];
}

interface KeyLine extends Sightings {
  readonly k: string;
  readonly l: number;
  readonly made?: readonly [number, string];
  readonly r: readonly (readonly [number, number])[];
  readonly i: Values;
  readonly h: readonly (readonly [number, string, number, number])[];
}

/** Numbers the sightings in the order in which they are asked for. */
class Book {
  readonly x: SightingLine[] = [];
  readonly t: string[] = [];
  readonly #numbers = new Map<Sighting, number>();
  readonly #texts = new Map<string, number>();

  number(one: Sighting): number {
    const known = this.#numbers.get(one);
    if (known !== undefined) return known;
    const flags = (one.isWrite ? 1 : 0) + (one.isConsole ? 2 : 0) + (one.isDenied ? 4 : 0);
    const { at, eventId, eventName, eventSource, region, ip, account, principal, key } = one;
    this.#numbers.set(one, this.x.length);
    const [name, source, place] = [this.#text(eventName), this.#text(eventSource), this.#text(region)];
    const [from, owner, who, by] = [this.#text(ip), this.#text(account), this.#text(principal), this.#text(key)];
    this.x.push([at, eventId, name, source, place, from, owner, who, by, flags]);
    return this.x.length - 1;
  }

  #text(text: string): number {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    this.#texts.set(text, this.t.length);
    this.t.push(text);
    return this.t.length - 1;
  }
}

function sightingsOf({ t, x }: Sightings, shared: (text: string) => string): (index: number) => Sighting {
  const texts = t.map(shared);
  const text = (index: number) => present(texts[index]);
  const made = x.map(([at, eventId, name, source, region, ip, account, principal, key, flags]): Sighting => {
    return {
      at,
      eventId,
      eventName: text(name),
      eventSource: text(source),
      region: text(region),
      ip: text(ip),
      account: text(account),
      principal: text(principal),
      key: text(key),
      isWrite: (flags & 1) !== 0,
      isConsole: (flags & 2) !== 0,
      isDenied: (flags & 4) !== 0,
    };
  });
  return (index) => present(made[index]);
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a line of the baselines lacks what it names');
  return value;
}

export function profileLine(group: string, profile: Profile): string {
  const book = new Book();
  const values = [...profile.values].map(([dimension, { kept, more }]) => {
    return [dimension, { m: more, k: [...kept].map(([value, one]) => [value, book.number(one)]) }];
  });
  const windows = [...profile.windows]
    .sort(([a], [b]) => a - b)
    .map(([key, { regions, writeRegions, reads, denied, first }]) => {
      return [key, regions, writeRegions, reads, denied, book.number(first)] as const;
    });
  const line: ProfileLine = {
    g: group,
    f: profile.first,
    l: profile.last,
    s: profile.since,
    d: [...profile.days].sort(([a], [b]) => a - b),
    md: profile.moreDays,
    at: profile.times,
    v: Object.fromEntries(values),
    w: Object.fromEntries([...profile.writes].map(([dimension, writes]) => [dimension, [...writes]])),
    i: { m: profile.ips.more, k: [...profile.ips.kept] },
    n: windows,
    t: book.t,
    x: book.x,
  };
  return JSON.stringify(line);
}

export function keyLine(id: string, key: Key): string {
  const book = new Book();
  const line: KeyLine = {
    k: id,
    l: key.last,
    ...(key.made ? { made: [key.made.at, key.made.ip] } : {}),
    r: key.runs.map(({ first, lastDay }) => [book.number(first), lastDay]),
    i: { m: key.ips.more, k: [...key.ips.kept].map(([ip, one]) => [ip, book.number(one)]) },
    h: [...key.hours].flatMap(([hour, places]) =>
      [...places].map(([country, { first, last }]) => [hour, country, book.number(first), last] as const),
    ),
    t: book.t,
    x: book.x,
  };
  return JSON.stringify(line);
}

export type KeptLine =
  | { readonly kind: 'profile'; readonly group: string; readonly profile: Profile }
  | { readonly kind: 'key'; readonly id: string; readonly key: Key };

/** Throws Error for what is no such line. `shared`: see `sharedTexts`. */
export function readLine(text: string, shared: (text: string) => string): KeptLine {
  const line = JSON.parse(text) as ProfileLine | KeyLine;
  return 'k' in line ? keyOf(line, shared) : profileOf(line, shared);
}

function profileOf(line: ProfileLine, shared: (text: string) => string): KeptLine {
  const sighting = sightingsOf(line, shared);
  const profile = new Profile(line.f);
  profile.last = line.l;
  profile.since = line.s;
  profile.moreDays = line.md;
  for (const [day, count] of line.d) profile.days.set(day, count);
  profile.times = [...line.at];
  for (const [ip, at] of line.i.k) profile.ips.kept.set(ip, at);
  profile.ips.more = line.i.m;
  for (const dimension of dimensions) {
    const values = line.v[dimension];
    if (values) {
      const earliest = profile.valuesOf(dimension);
      for (const [one, index] of values.k) earliest.kept.set(shared(one), sighting(index));
      earliest.more = values.m;
    }
    const writes = line.w[dimension];
    if (writes) profile.writes.set(dimension, new Map(writes));
  }
  for (const [key, regions, writeRegions, reads, denied, index] of line.n)
    profile.windows.set(key, { regions, writeRegions, reads, denied, first: sighting(index) });
  return { kind: 'profile', group: line.g, profile };
}

function keyOf(line: KeyLine, shared: (text: string) => string): KeptLine {
  const sighting = sightingsOf(line, shared);
  const key = new Key();
  key.last = line.l;
  if (line.made) key.made = { at: line.made[0], ip: line.made[1] };
  key.runs = line.r.map(([index, lastDay]) => ({ first: sighting(index), lastDay }));
  for (const [ip, index] of line.i.k) key.ips.kept.set(shared(ip), sighting(index));
  key.ips.more = line.i.m;
  for (const [hour, country, first, last] of line.h) {
    const places = key.hours.get(hour) ?? new Map();
    places.set(shared(country), { first: sighting(first), last });
    key.hours.set(hour, places);
  }
  return { kind: 'key', id: line.k, key };
}
