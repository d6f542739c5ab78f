/**
 * Each principal against its own past (DOMAIN.md 8.4): one pass over the records in any order, then what stands out. What has
 * too short a history is not judged, and said so. Console sessions that only read raise nothing above low.
 */
import type { AddressBook } from '../../contracts/address.ts';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { isPrivateIp, parseIp } from '../address.ts';
import { principalGroup, principalOf } from '../principal.ts';
import { outcomeOf } from '../sightings.ts';
import { agentFamily } from '../use.ts';
import { type Found, KeyBook } from './keys.ts';
import { type Dimension, Profile, type Sighting, type Value } from './profile.ts';
import { baselineRules } from './rules.ts';

const dayMs = 86_400_000;
/** A principal learns for so long before anything counts as new, and has to have been seen this often. */
const learningMs = 14 * dayMs;
const leastEvents = 20;
const maxPrincipals = 200_000;
const manyRegions = 5;
const manyReads = 20;
const manyDenied = 5;
/** What is done on so many days is a habit. */
const maxHabit = 2;

/** How much the answer rests on. */
export interface BaselineHistory {
  /** ISO 8601 UTC; "" where there was nothing. */
  readonly from: string;
  readonly to: string;
  readonly principals: number;
  /** With 14 days of history or more. */
  readonly judged: number;
  /** False: no address database, so that countries and networks were not looked at. */
  readonly countries: boolean;
}

export interface Baseline {
  observe(record: CloudTrailRecord): void;
  found(): readonly Found[];
  history(): BaselineHistory;
}

export function baselineOf(addresses?: AddressBook): Baseline {
  const profiles = new Map<string, Profile>();
  const keys = new KeyBook();
  const names = nameBook();
  const shared = sharedTexts();
  let knowsCountries = false;

  return {
    observe(record) {
      const node = principalOf(record);
      const by = record.userIdentity.invokedBy;
      if (!node || node.kind === 'service' || (typeof by === 'string' && by.endsWith('.amazonaws.com'))) return;
      const group = principalGroup(node);
      const ip = parseIp(record.sourceIPAddress) ?? '';
      const isOutside = ip !== '' && !isPrivateIp(ip);
      const place = isOutside ? addresses?.lookUp(ip) : undefined;
      knowsCountries ||= place?.country !== undefined || place?.asn !== undefined;
      const sighting = sightingOf(record, node.id, ip, shared);
      const profile = profiles.get(group) ?? new Profile(sighting.at);
      if (profile.events > 0 || profiles.size < maxPrincipals) profiles.set(group, profile);
      const values: Partial<Record<Dimension, string>> = {
        service: record.eventSource,
        hour: String(new Date(sighting.at).getUTCHours()),
        ...(record.awsRegion === '' ? {} : { region: record.awsRegion }),
        ...(isOutside ? { ip } : {}),
        ...(place?.country === undefined ? {} : { country: place.country }),
        ...(place?.asn === undefined ? {} : { asn: place.asn }),
        ...(record.userAgent === '' ? {} : { agent: agentFamily(record.userAgent).split('/')[0] ?? '' }),
      };
      profile.add(sighting, values, names);
      keys.add(record, sighting, place?.country, isOutside ? ip : undefined);
    },

    found: () => [...[...profiles.values()].flatMap(oddities), ...keys.found()],

    history() {
      const all = [...profiles.values()];
      const first = all.reduce((least, one) => Math.min(least, one.first), Number.POSITIVE_INFINITY);
      const last = all.reduce((most, one) => Math.max(most, one.last), 0);
      return {
        from: all.length === 0 ? '' : new Date(first).toISOString(),
        to: all.length === 0 ? '' : new Date(last).toISOString(),
        principals: all.length,
        judged: all.filter((one) => one.last - one.first >= learningMs).length,
        countries: knowsCountries,
      };
    },
  };
}

const maxShared = 100_000;

/** The same text as one string, however many records it came in. */
function sharedTexts(): (text: string) => string {
  const texts = new Map<string, string>();
  return (text) => {
    const known = texts.get(text);
    if (known !== undefined) return known;
    if (texts.size < maxShared) texts.set(text, text);
    return text;
  };
}

function sightingOf(
  record: CloudTrailRecord,
  principal: string,
  ip: string,
  shared: (text: string) => string,
): Sighting {
  const { eventName, readOnly } = record;
  return {
    at: Date.parse(record.eventTime),
    eventId: record.eventID,
    eventName: shared(eventName),
    region: shared(record.awsRegion),
    ip: shared(ip),
    isWrite:
      readOnly === undefined ? !/^(Get|List|Describe|Head|Lookup|Search|BatchGet|Assume)/.test(eventName) : !readOnly,
    isConsole: record.sessionCredentialFromConsole === 'true' || record.userAgent.includes('Mozilla/'),
    isDenied: outcomeOf(record) === 'denied',
    principal: shared(principal),
  };
}

/** Names as single characters, so that a set of them is a short text. */
function nameBook(): (name: string) => string {
  const numbers = new Map<string, string>();
  return (name) => {
    const known = numbers.get(name);
    if (known !== undefined) return known;
    // More names than there are characters would come from outside only: they share the last one.
    const character = String.fromCharCode(Math.min(numbers.size + 1, 0xd7ff));
    if (numbers.size < 0xd7ff) numbers.set(name, character);
    return character;
  };
}

function oddities(profile: Profile): readonly Found[] {
  return [...firsts(profile), ...rushes(profile)];
}

const judgedDimensions = ['country', 'asn', 'region', 'agent', 'service', 'hour'] as const;

function firsts(profile: Profile): readonly Found[] {
  if (profile.events < leastEvents) return [];
  const news = judgedDimensions.flatMap((dimension) => {
    const values = profile.values.get(dimension);
    return [...(values ?? [])]
      .filter(([value, { first }]) => {
        if (first.at - profile.first < learningMs) return false;
        return dimension !== 'hour' || !isBesideKnown(values, Number(value), first.at);
      })
      .map(([, value]) => ({ dimension, value }));
  });
  const found = news.map(({ dimension, value }): Found => ({ rule: baselineRules[dimension], sighting: value.first }));
  for (const sameDay of Map.groupBy(news, ({ value }) => Math.floor(value.first.at / dayMs)).values()) {
    const told = togetherOf(sameDay);
    if (told) found.push(told);
  }
  return found;
}

function isBesideKnown(hours: ReadonlyMap<string, Value> | undefined, hour: number, at: number): boolean {
  return [(hour + 23) % 24, (hour + 1) % 24].some((beside) => (hours?.get(String(beside))?.first.at ?? at) < at);
}

/** Several firsts of one day. Service and hour alone are what any new task looks like. */
function togetherOf(news: readonly { readonly dimension: Dimension; readonly value: Value }[]): Found | undefined {
  const kinds = new Set(news.map(({ dimension }) => dimension));
  const places = ['country', 'asn', 'region', 'agent'] as const;
  if (kinds.size < 2 || !places.some((dimension) => kinds.has(dimension))) return undefined;
  const [first] = news.map(({ value }) => value.first).sort((a, b) => a.at - b.at);
  if (!first) return undefined;
  const wrote = news.some(({ value }) => value.firstWrite - value.first.at < dayMs);
  if (wrote) return { rule: baselineRules.severalWrites, sighting: first };
  return news.every(({ value }) => value.first.isConsole)
    ? undefined
    : { rule: baselineRules.several, sighting: first };
}

function rushes(profile: Profile): readonly Found[] {
  const windows = [...profile.windows.values()].sort((a, b) => a.first.at - b.first.at);
  const wide = windows.filter(({ regions }) => regions.length >= manyRegions);
  const changed = windows.filter(({ writeRegions }) => writeRegions.length >= manyRegions);
  const curious = windows.filter(({ reads }) => reads.length >= manyReads);
  const denied = windows.filter(({ denied: names, first }) => names.length >= manyDenied && isNewPlace(profile, first));
  return [
    ...once(changed).map((sighting): Found => ({ rule: baselineRules.fanOutWrites, sighting })),
    ...once(wide.filter((window) => !changed.includes(window))).map(
      (sighting): Found => ({ rule: baselineRules.fanOut, sighting }),
    ),
    ...once(curious).map((sighting): Found => ({ rule: baselineRules.enumeration, sighting })),
    ...once(denied).map((sighting): Found => ({ rule: baselineRules.deniedPlace, sighting })),
  ];
}

/** The address was seen for the first time within the hour, of a principal that was known for longer. */
function isNewPlace(profile: Profile, { ip, at }: Sighting): boolean {
  const first = profile.values.get('ip')?.get(ip)?.first.at;
  return first !== undefined && at - first < 3_600_000 && first - profile.first >= learningMs;
}

/** The first of each day, or none where it is a habit: inventories and posture scanners do it every day. */
function once(windows: readonly { readonly first: Sighting }[]): readonly Sighting[] {
  const byDay = new Map<number, Sighting>();
  for (const { first } of windows) {
    const day = Math.floor(first.at / dayMs);
    if (!byDay.has(day)) byDay.set(day, first);
  }
  return byDay.size > maxHabit ? [] : [...byDay.values()];
}
