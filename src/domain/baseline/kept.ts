/**
 * Profiles and keys as lines of JSON, and back. Sightings are numbers of a list, since most values of a principal were first seen in the
 * same few records. What does not read back as it was written is no profile: the reader throws.
 */
import { z } from 'zod';
import type { Sighting } from '../../contracts/baseline.ts';
import { Key } from './keys.ts';
import { dimensions, Profile } from './profile.ts';

const Time = z.number();
const Text = z.string();
const SightingLine = z.tuple([Time, Text, Text, Text, Text, Text, Text, Text, Text, z.number().int()]);
const Sightings = z.array(SightingLine);
const Index = z.number().int().nonnegative();
const Values = z.array(z.tuple([z.string(), Index]));

const ProfileLine = z.object({
  g: z.string(),
  f: Time,
  l: Time,
  s: Time,
  d: z.array(z.tuple([z.number().int(), z.number().int()])),
  md: z.boolean(),
  t: z.array(Time),
  x: Sightings,
  v: z.partialRecord(z.enum(dimensions), z.object({ m: z.boolean(), k: Values })),
  w: z.partialRecord(z.enum(dimensions), z.array(z.tuple([z.string(), Time]))),
  n: z.array(z.tuple([z.number().int(), z.string(), z.string(), z.string(), z.string(), Index])),
});

const KeyLine = z.object({
  k: z.string(),
  l: Time,
  made: z.tuple([Time, z.string()]).optional(),
  x: Sightings,
  r: z.array(z.tuple([Index, z.number().int()])),
  i: z.object({ m: z.boolean(), k: Values }),
  h: z.array(z.tuple([z.number().int(), z.string(), Index, Time])),
});

type Line = z.output<typeof SightingLine>;

/** Numbers the sightings in the order in which they are asked for. */
class Book {
  readonly lines: Line[] = [];
  readonly #numbers = new Map<Sighting, number>();

  number(one: Sighting): number {
    const known = this.#numbers.get(one);
    if (known !== undefined) return known;
    const flags = (one.isWrite ? 1 : 0) + (one.isConsole ? 2 : 0) + (one.isDenied ? 4 : 0);
    const { at, eventId, eventName, eventSource, region, ip, account, principal, key } = one;
    this.#numbers.set(one, this.lines.length);
    this.lines.push([at, eventId, eventName, eventSource, region, ip, account, principal, key, flags]);
    return this.lines.length - 1;
  }
}

function sightingsOf(lines: readonly Line[], shared: (text: string) => string): (index: number) => Sighting {
  const made = lines.map(
    ([at, eventId, name, source, region, ip, account, principal, key, flags]): Sighting => ({
      ...{ at, eventId, eventName: shared(name), eventSource: shared(source), region: shared(region), ip: shared(ip) },
      ...{ account: shared(account), principal: shared(principal), key: shared(key) },
      ...{ isWrite: (flags & 1) !== 0, isConsole: (flags & 2) !== 0, isDenied: (flags & 4) !== 0 },
    }),
  );
  return (index) => {
    const one = made[index];
    if (one === undefined) throw new Error('a profile names a sighting that is not there');
    return one;
  };
}

export function profileLine(group: string, profile: Profile): string {
  const book = new Book();
  const line: z.output<typeof ProfileLine> = {
    g: group,
    f: profile.first,
    l: profile.last,
    s: profile.since,
    d: [...profile.days].sort(([a], [b]) => a - b),
    md: profile.moreDays,
    t: profile.times,
    v: Object.fromEntries(
      [...profile.values].map(([dimension, { kept, more }]) => [
        dimension,
        { m: more, k: [...kept].map(([value, one]) => [value, book.number(one)]) },
      ]),
    ),
    w: Object.fromEntries([...profile.writes].map(([dimension, writes]) => [dimension, [...writes]])),
    n: [...profile.windows]
      .sort(([a], [b]) => a - b)
      .map(([key, { regions, writeRegions, reads, denied, first }]) => {
        return [key, regions, writeRegions, reads, denied, book.number(first)];
      }),
    x: book.lines,
  };
  return JSON.stringify(line);
}

export function keyLine(id: string, key: Key): string {
  const book = new Book();
  const line: z.output<typeof KeyLine> = {
    k: id,
    l: key.last,
    ...(key.made ? { made: [key.made.at, key.made.ip] } : {}),
    r: key.runs.map(({ first, lastDay }) => [book.number(first), lastDay]),
    i: { m: key.ips.more, k: [...key.ips.kept].map(([ip, one]) => [ip, book.number(one)]) },
    h: [...key.hours].flatMap(([hour, places]) =>
      [...places].map(([country, { first, last }]): [number, string, number, number] => {
        return [hour, country, book.number(first), last];
      }),
    ),
    x: book.lines,
  };
  return JSON.stringify(line);
}

export type KeptLine =
  | { readonly kind: 'profile'; readonly group: string; readonly profile: Profile }
  | { readonly kind: 'key'; readonly id: string; readonly key: Key };

/** Throws Error for what is no such line. `shared`: see `sharedTexts`. */
export function readLine(text: string, shared: (text: string) => string): KeptLine {
  const value: unknown = JSON.parse(text);
  if (typeof value === 'object' && value !== null && 'k' in value) return keyOf(KeyLine.parse(value), shared);
  const line = ProfileLine.parse(value);
  const sighting = sightingsOf(line.x, shared);
  const profile = new Profile(line.f);
  profile.last = line.l;
  profile.since = line.s;
  profile.moreDays = line.md;
  for (const [day, count] of line.d) profile.days.set(day, count);
  profile.times = line.t;
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
    profile.windows.set(key, { ...{ regions, writeRegions, reads, denied }, first: sighting(index) });
  return { kind: 'profile', group: line.g, profile };
}

function keyOf(line: z.output<typeof KeyLine>, shared: (text: string) => string): KeptLine {
  const sighting = sightingsOf(line.x, shared);
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
