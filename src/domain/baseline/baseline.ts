/**
 * Each principal against its own past (DOMAIN.md 8.4): records in any order, split and joined in any way, then what stands out.
 * What has too short a history is not judged, and said so. Console sessions that only read raise nothing above low.
 */
import type { AddressBook } from '../../contracts/address.ts';
import type { BaselineHistory, PastFinding } from '../../contracts/baseline.ts';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { isPrivateIp } from '../address.ts';
import { principalGroup } from '../principal.ts';
import { agentFamily } from '../use.ts';
import { learningMs, oddities } from './judge.ts';
import { Key, keysIn } from './keys.ts';
import { type Dimension, Profile } from './profile.ts';
import { comparedNode, isBefore, sharedTexts, sightingOf } from './sighting.ts';

/** In memory; beyond them nobody new is looked at, and said so. */
const maxPrincipals = 200_000;
const maxKeys = 200_000;

/** What a record was added to. */
export interface Touched {
  readonly group: string;
  readonly keys: readonly string[];
}

export class Baseline {
  readonly profiles = new Map<string, Profile>();
  readonly keys = new Map<string, Key>();
  #countries = false;
  #left = 0;
  readonly #addresses: AddressBook | undefined;
  readonly #shared = sharedTexts();
  readonly #places = new Map<string, { readonly country?: string; readonly asn?: string }>();

  constructor(addresses?: AddressBook) {
    this.#addresses = addresses;
  }

  /** Undefined where the record is of nobody who is compared. */
  observe(record: CloudTrailRecord): Touched | undefined {
    const node = comparedNode(record);
    if (node === undefined) return undefined;
    const group = this.#shared(principalGroup(node));
    const sighting = sightingOf(record, node, this.#shared);
    if (Number.isNaN(sighting.at)) return undefined;
    const { ip } = sighting;
    const isOutside = ip !== '' && !isPrivateIp(ip);
    const { country, asn } = isOutside ? this.#placeOf(ip) : {};
    this.#countries ||= country !== undefined || asn !== undefined;
    const known = this.profiles.get(group);
    if (known === undefined && this.profiles.size >= maxPrincipals) {
      this.#left += 1;
      return undefined;
    }
    const profile = known ?? new Profile(sighting.at);
    if (known === undefined) this.profiles.set(group, profile);
    const values: Partial<Record<Dimension, string>> = {
      service: sighting.eventSource,
      hour: hours[new Date(sighting.at).getUTCHours()] ?? '',
      ...(record.awsRegion === '' ? {} : { region: sighting.region }),
      ...(country === undefined ? {} : { country }),
      ...(asn === undefined ? {} : { asn }),
      ...(record.userAgent === '' ? {} : { agent: this.#shared(agentFamily(record.userAgent).split('/')[0] ?? '') }),
    };
    const publicIp = isOutside ? ip : undefined;
    profile.add(sighting, values, publicIp);
    const noted: string[] = [];
    for (const { id, note } of keysIn(record, sighting, { country, publicIp })) {
      const key = this.keys.get(id) ?? new Key();
      if (!this.keys.has(id) && this.keys.size >= maxKeys) continue;
      this.keys.set(id, key);
      note(key);
      noted.push(id);
    }
    return { group, keys: noted };
  }

  merge(other: Baseline): void {
    for (const [group, profile] of other.profiles) {
      const known = this.profiles.get(group);
      if (known) known.merge(profile);
      else this.profiles.set(group, profile);
    }
    for (const [id, key] of other.keys) {
      const known = this.keys.get(id);
      if (known) known.merge(key);
      else this.keys.set(id, key);
    }
    this.#countries ||= other.#countries;
  }

  /** What stands out of all, or of these. In order of time. */
  found(only?: Touched): readonly PastFinding[] {
    const profiles = only ? entriesOf(this.profiles, [only.group]) : [...this.profiles];
    const keys = only ? entriesOf(this.keys, only.keys) : [...this.keys];
    return [
      ...profiles.flatMap(([group, profile]) => oddities(group, profile)),
      ...keys.flatMap(([id, key]) => key.found(id)),
    ].sort((a, b) => (isBefore(a.sighting, b.sighting) ? -1 : isBefore(b.sighting, a.sighting) ? 1 : 0));
  }

  /** In things that are kept; one takes some 100 bytes. */
  get size(): number {
    let size = this.keys.size * 10;
    for (const profile of this.profiles.values()) size += profile.size;
    return size;
  }

  history(): BaselineHistory {
    let [first, last, judged, capped] = [Number.POSITIVE_INFINITY, 0, 0, 0];
    for (const profile of this.profiles.values()) {
      first = Math.min(first, profile.first);
      last = Math.max(last, profile.last);
      if (profile.last - profile.learnsFrom >= learningMs) judged += 1;
      if (profile.isCapped) capped += 1;
    }
    const principals = this.profiles.size;
    return {
      from: principals === 0 ? '' : new Date(first).toISOString(),
      to: principals === 0 ? '' : new Date(last).toISOString(),
      principals,
      judged,
      countries: this.#countries,
      ...(capped > 0 ? { capped } : {}),
      ...(this.#left > 0 ? { evicted: this.#left } : {}),
    };
  }

  /** Databases of addresses are slow, and the same addresses come again and again. */
  #placeOf(ip: string): { readonly country?: string; readonly asn?: string } {
    const known = this.#places.get(ip);
    if (known) return known;
    const facts = this.#addresses?.lookUp(ip);
    const place = {
      ...(facts?.country === undefined ? {} : { country: facts.country }),
      ...(facts?.asn === undefined ? {} : { asn: facts.asn }),
    };
    if (this.#places.size < maxPlaces) this.#places.set(ip, place);
    return place;
  }
}

const maxPlaces = 100_000;
const hours = Array.from({ length: 24 }, (_, hour) => String(hour));

function entriesOf<T>(map: ReadonlyMap<string, T>, keys: readonly string[]): readonly (readonly [string, T])[] {
  return keys.flatMap((key) => {
    const value = map.get(key);
    return value === undefined ? [] : [[key, value] as const];
  });
}

/** Two histories as one. */
export function joinedHistory(a: BaselineHistory, b: BaselineHistory): BaselineHistory {
  const [capped, evicted] = [(a.capped ?? 0) + (b.capped ?? 0), (a.evicted ?? 0) + (b.evicted ?? 0)];
  const froms = [a.from, b.from].filter((one) => one !== '').sort();
  const tos = [a.to, b.to].filter((one) => one !== '').sort();
  return {
    from: froms[0] ?? '',
    to: tos.at(-1) ?? '',
    principals: a.principals + b.principals,
    judged: a.judged + b.judged,
    countries: a.countries || b.countries,
    ...(capped > 0 ? { capped } : {}),
    ...(evicted > 0 ? { evicted } : {}),
  };
}
