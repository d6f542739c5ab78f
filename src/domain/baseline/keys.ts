/** What is told of credentials, whoever holds them: made, used, silent, in two places. Independent of the order of records. */
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { isBefore, type Sighting } from './profile.ts';
import { baselineRules } from './rules.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const silentDays = 90;
const soonMs = 600_000;
const maxPlaces = 200;
const maxKeys = 200_000;

export interface Found {
  readonly rule: (typeof baselineRules)[keyof typeof baselineRules];
  readonly sighting: Sighting;
}

interface Key {
  /** First use on each day. */
  readonly days: Map<number, Sighting>;
  /** First use from each address. */
  readonly ips: Map<string, Sighting>;
  /** By hour and country: first and last use. */
  readonly hours: Map<number, Map<string, { first: Sighting; last: Sighting }>>;
}

export class KeyBook {
  readonly #used = new Map<string, Key>();
  readonly #made = new Map<string, { readonly at: number; readonly ip: string }>();
  /** Credentials of instances: first use from each public address. */
  readonly #instances = new Map<string, Map<string, Sighting>>();

  /** `country` undefined: not known. `publicIp` undefined: no address, or one inside of a network. */
  add(record: CloudTrailRecord, sighting: Sighting, country: string | undefined, publicIp: string | undefined): void {
    const { accessKeyId, arn } = record.userIdentity;
    if (record.eventName === 'CreateAccessKey' && record.errorCode === undefined) this.#noteMade(record, sighting);
    if (typeof accessKeyId !== 'string') return;
    if (accessKeyId.startsWith('AKIA')) this.#noteUse(accessKeyId, sighting, country);
    else if (publicIp !== undefined && /:assumed-role\/[^/]+\/i-[0-9a-f]{8,17}$/.test(arn ?? '')) {
      const ips = this.#instances.get(accessKeyId) ?? new Map<string, Sighting>();
      if (ips.size > 0 || this.#instances.size < maxKeys) this.#instances.set(accessKeyId, ips);
      keepFirst(ips, publicIp, sighting);
    }
  }

  #noteMade({ responseElements }: CloudTrailRecord, { at, ip }: Sighting): void {
    const made = responseElements?.accessKey as { readonly accessKeyId?: unknown } | undefined;
    if (typeof made?.accessKeyId === 'string' && this.#made.size < maxKeys)
      this.#made.set(made.accessKeyId, { at, ip });
  }

  #noteUse(id: string, sighting: Sighting, country: string | undefined): void {
    const known = this.#used.get(id);
    if (!known && this.#used.size >= maxKeys) return;
    const key = known ?? { days: new Map(), ips: new Map(), hours: new Map() };
    this.#used.set(id, key);
    keepFirst(key.days, Math.floor(sighting.at / dayMs), sighting);
    if (sighting.ip !== '') keepFirst(key.ips, sighting.ip, sighting);
    if (country === undefined) return;
    const hour = Math.floor(sighting.at / hourMs);
    const places = key.hours.get(hour) ?? new Map<string, { first: Sighting; last: Sighting }>();
    key.hours.set(hour, places);
    const place = places.get(country);
    if (!place) places.set(country, { first: sighting, last: sighting });
    else if (isBefore(sighting, place.first)) place.first = sighting;
    else if (isBefore(place.last, sighting)) place.last = sighting;
  }

  found(): readonly Found[] {
    return [
      ...[...this.#used].flatMap(([id, key]) => [
        ...awakenings(key).map((sighting): Found => ({ rule: baselineRules.dormant, sighting })),
        ...travels(key).map((sighting): Found => ({ rule: baselineRules.travel, sighting })),
        ...this.#elsewhere(id, key),
      ]),
      ...[...this.#instances.values()].flatMap((ips): readonly Found[] => {
        const [, second] = inOrder(ips.values());
        return second ? [{ rule: baselineRules.instance, sighting: second }] : [];
      }),
    ];
  }

  #elsewhere(id: string, { ips }: Key): readonly Found[] {
    const made = this.#made.get(id);
    if (!made) return [];
    const found = inOrder(ips.values()).find(({ at, ip }) => ip !== made.ip && at >= made.at && at - made.at <= soonMs);
    return found ? [{ rule: baselineRules.newKey, sighting: found }] : [];
  }
}

function awakenings({ days }: Key): readonly Sighting[] {
  const sorted = [...days].sort(([a], [b]) => a - b);
  return sorted.flatMap(([day, sighting], at) =>
    at > 0 && day - (sorted[at - 1]?.[0] ?? day) > silentDays ? [sighting] : [],
  );
}

/** The first call of each pair of countries within an hour of each other, once a day. */
function travels({ hours }: Key): readonly Sighting[] {
  const found = new Map<number, Sighting>();
  for (const [hour, places] of hours) {
    const near = [...places, ...(hours.get(hour - 1) ?? [])];
    for (const [country, place] of places) {
      for (const [other, earlier] of near) {
        if (other === country) continue;
        // Of two spans, the ends that lie nearest to each other.
        const isNear = place.first.at - earlier.last.at < hourMs && earlier.first.at - place.last.at < hourMs;
        const later = isBefore(earlier.first, place.first) ? place.first : earlier.first;
        if (isNear) keepFirst(found, Math.floor(later.at / dayMs), later);
      }
    }
  }
  return inOrder(found.values());
}

function inOrder(sightings: Iterable<Sighting>): readonly Sighting[] {
  return [...sightings].sort((a, b) => (isBefore(a, b) ? -1 : 1));
}

function keepFirst<K>(map: Map<K, Sighting>, key: K, sighting: Sighting): void {
  const before = map.get(key);
  if (before ? isBefore(sighting, before) : map.size < maxPlaces || typeof key === 'number') map.set(key, sighting);
}
