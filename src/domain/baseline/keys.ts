/** What is told of credentials, whoever holds them: made, used, silent, in two places. Independent of the order of records. */
import type { PastFinding, Rests, Sighting } from '../../contracts/baseline.ts';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { firstSightings } from './earliest.ts';
import { baselineRules } from './rules.ts';
import { groupOf, isBefore } from './sighting.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const silentDays = 90;
const soonMs = 600_000;
const maxPlaces = 8;
/** On the disk: hours of a key, the latest, and those that tell of travel. */
const maxHours = 12;
const maxTravels = 30;

/** A stretch of days without a silence of more than `silentDays`. */
interface Run {
  first: Sighting;
  /** Day since the epoch, UTC. */
  lastDay: number;
}

export interface Span {
  first: Sighting;
  /** Milliseconds since the epoch. */
  last: number;
}

/** One access key. Of temporary ones only those of instances are kept, and of these only their addresses. */
export class Key {
  /** When it was made and from where, where a record tells; the earliest one. */
  made: { readonly at: number; readonly ip: string } | undefined;
  runs: readonly Run[] = [];
  /** First use from each address. */
  readonly ips = firstSightings(maxPlaces);
  /** By hour and country: first and last use. */
  readonly hours = new Map<number, Map<string, Span>>();
  /** Milliseconds since the epoch. */
  last = 0;

  /** `country` undefined: not known. */
  use(sighting: Sighting, country: string | undefined): void {
    this.last = Math.max(this.last, sighting.at);
    this.#addRun({ first: sighting, lastDay: dayOf(sighting) });
    if (sighting.ip !== '') this.ips.note(sighting.ip, sighting);
    if (country !== undefined) this.#noteSpan(Math.floor(sighting.at / hourMs), country, sighting, sighting.at);
  }

  /** A use of temporary credentials: only from where counts. */
  noteAddress(ip: string, sighting: Sighting): void {
    this.last = Math.max(this.last, sighting.at);
    this.ips.note(ip, sighting);
  }

  noteMade(at: number, ip: string): void {
    this.last = Math.max(this.last, at);
    const { made } = this;
    if (made === undefined || at < made.at || (at === made.at && ip < made.ip)) this.made = { at, ip };
  }

  merge(other: Key): void {
    if (other.made) this.noteMade(other.made.at, other.made.ip);
    for (const run of other.runs) this.#addRun(run);
    this.ips.merge(other.ips);
    for (const [hour, places] of other.hours)
      for (const [country, { first, last }] of places) this.#noteSpan(hour, country, first, last);
    this.last = Math.max(this.last, other.last);
  }

  trim(): void {
    if (this.hours.size <= maxHours) return;
    const old = [...this.hours.keys()].sort((a, b) => b - a).slice(maxHours);
    const telling = new Set(old.filter((hour) => this.#isTelling(hour)).slice(0, maxTravels));
    for (const hour of old) if (!telling.has(hour)) this.hours.delete(hour);
  }

  found(id: string): readonly PastFinding[] {
    if (!id.startsWith('AKIA')) {
      const [, second] = this.ips.inOrder();
      return second ? [finding(baselineRules.instance.name, second)] : [];
    }
    return [
      ...this.runs.slice(1).map(({ first }) => finding(baselineRules.dormant.name, first, this.#restsAt(first))),
      ...this.#travels().map((sighting) => finding(baselineRules.travel.name, sighting)),
      ...this.#elsewhere().map((sighting) => finding(baselineRules.newKey.name, sighting)),
    ];
  }

  /** Two stretches with a shorter silence between them are one: data only ever closes silences, so that any order ends alike. */
  #addRun({ first, lastDay }: Run): void {
    const [only] = this.runs;
    if (this.runs.length === 1 && only && !isBefore(first, only.first) && dayOf(first) - only.lastDay <= silentDays) {
      only.lastDay = Math.max(only.lastDay, lastDay);
      return;
    }
    const sorted = [...this.runs, { first, lastDay }].sort((a, b) => (isBefore(a.first, b.first) ? -1 : 1));
    const joined: Run[] = [];
    for (const run of sorted) {
      const before = joined.at(-1);
      if (before && dayOf(run.first) - before.lastDay <= silentDays)
        before.lastDay = Math.max(before.lastDay, run.lastDay);
      else joined.push({ ...run });
    }
    this.runs = joined;
  }

  #noteSpan(hour: number, country: string, first: Sighting, last: number): void {
    const places = this.hours.get(hour) ?? new Map<string, Span>();
    this.hours.set(hour, places);
    const place = places.get(country);
    if (!place) {
      places.set(country, { first, last });
      return;
    }
    if (isBefore(first, place.first)) place.first = first;
    place.last = Math.max(place.last, last);
  }

  /** Used from more than one country in or beside the hour. */
  #isTelling(hour: number): boolean {
    return new Set([hour - 1, hour, hour + 1].flatMap((one) => [...(this.hours.get(one)?.keys() ?? [])])).size > 1;
  }

  #restsAt({ at }: Sighting): Rests | undefined {
    const before = this.runs.filter(({ lastDay }) => lastDay * dayMs < at);
    const [oldest] = before;
    if (!oldest) return undefined;
    const days = before.reduce((sum, { first, lastDay }) => sum + lastDay - dayOf(first) + 1, 0);
    return { since: oldest.first.at, days, events: before.length, atLeast: true };
  }

  /** The first call of each pair of countries within an hour of each other, once a day. */
  #travels(): readonly Sighting[] {
    const found = new Map<number, Sighting>();
    for (const [hour, places] of this.hours) {
      const near = [...places, ...(this.hours.get(hour - 1) ?? [])];
      for (const [country, place] of places) {
        for (const [other, earlier] of near) {
          if (other === country) continue;
          // Of two spans, the ends that lie nearest to each other.
          const isNear = place.first.at - earlier.last < hourMs && earlier.first.at - place.last < hourMs;
          if (!isNear) continue;
          const later = isBefore(earlier.first, place.first) ? place.first : earlier.first;
          const known = found.get(dayOf(later));
          if (!known || isBefore(later, known)) found.set(dayOf(later), later);
        }
      }
    }
    return [...found.values()];
  }

  #elsewhere(): readonly Sighting[] {
    const { made } = this;
    if (made === undefined) return [];
    const found = this.ips.inOrder().find(({ at, ip }) => ip !== made.ip && at >= made.at && at - made.at <= soonMs);
    return found ? [found] : [];
  }
}

/** The keys that a record tells of, each with what it tells. `publicIp` undefined: no address, or one inside of a network. */
export function keysIn(
  record: CloudTrailRecord,
  sighting: Sighting,
  { country, publicIp }: { readonly country: string | undefined; readonly publicIp: string | undefined },
): readonly { readonly id: string; note(key: Key): void }[] {
  const told: { readonly id: string; note(key: Key): void }[] = [];
  if (record.eventName === 'CreateAccessKey' && record.errorCode === undefined) {
    const made = record.responseElements?.accessKey as { readonly accessKeyId?: unknown } | undefined;
    if (typeof made?.accessKeyId === 'string' && made.accessKeyId.startsWith('AKIA'))
      told.push({ id: made.accessKeyId, note: (key) => key.noteMade(sighting.at, sighting.ip) });
  }
  const { key: id } = sighting;
  if (id.startsWith('AKIA')) told.push({ id, note: (key) => key.use(sighting, country) });
  else if (id !== '' && publicIp !== undefined && ofInstance.test(record.userIdentity.arn ?? ''))
    told.push({ id, note: (key) => key.noteAddress(publicIp, sighting) });
  return told;
}

const ofInstance = /:assumed-role\/[^/]+\/i-[0-9a-f]{8,17}$/;

function dayOf({ at }: Sighting): number {
  return Math.floor(at / dayMs);
}

function finding(rule: string, sighting: Sighting, rests?: Rests): PastFinding {
  return { rule, sighting, group: groupOf(sighting), ...(rests ? { rests } : {}) };
}
