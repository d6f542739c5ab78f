/** What stands out in one principal's past (DOMAIN.md 8.4). Each finding is compared with what came before it only. */
import type { PastFinding, Sighting } from '../../contracts/baseline.ts';
import { type Dimension, isBurst, manyDenied, manyReads, manyRegions, type Profile, type Window } from './profile.ts';
import { baselineRules } from './rules.ts';
import { isBefore } from './sighting.ts';

const dayMs = 86_400_000;
/** A principal learns for so long before anything counts as new. */
export const learningMs = 14 * dayMs;
/** What is done on so many days is a habit. */
const maxHabit = 2;

interface News {
  readonly dimension: Dimension;
  readonly value: string;
  readonly first: Sighting;
}

export function oddities(group: string, profile: Profile): readonly PastFinding[] {
  return [...firsts(profile), ...rushes(profile)].map(({ rule, sighting }) => ({
    rule: rule.name,
    sighting,
    group,
    rests: profile.restsAt(sighting.at),
  }));
}

interface Found {
  readonly rule: (typeof baselineRules)[keyof typeof baselineRules];
  readonly sighting: Sighting;
}

const judgedDimensions = ['country', 'asn', 'region', 'agent', 'service', 'hour'] as const;

function firsts(profile: Profile): readonly Found[] {
  if (profile.last - profile.learnsFrom < learningMs) return [];
  const found: Found[] = [];
  const news: News[] = [];
  for (const dimension of judgedDimensions) {
    const values = profile.values.get(dimension)?.kept;
    for (const [value, first] of values ?? []) {
      if (first.at - profile.learnsFrom < learningMs || !profile.isKnownBefore(first.at)) continue;
      if (dimension === 'hour' && isBesideKnown(values, Number(value), first.at)) continue;
      news.push({ dimension, value, first });
      found.push({ rule: baselineRules[dimension], sighting: first });
    }
  }
  for (const sameDay of Map.groupBy(news, ({ first }) => Math.floor(first.at / dayMs)).values()) {
    const told = togetherOf(sameDay, profile);
    if (told) found.push(told);
  }
  return found;
}

function isBesideKnown(hours: ReadonlyMap<string, Sighting> | undefined, hour: number, at: number): boolean {
  return [(hour + 23) % 24, (hour + 1) % 24].some((beside) => (hours?.get(String(beside))?.at ?? at) < at);
}

const places: readonly Dimension[] = ['country', 'asn', 'region', 'agent'];

/** Several firsts of one day. Service and hour alone are what any new task looks like. */
function togetherOf(news: readonly News[], profile: Profile): Found | undefined {
  const kinds = new Set(news.map(({ dimension }) => dimension));
  if (kinds.size < 2 || !places.some((dimension) => kinds.has(dimension))) return undefined;
  const [first] = news.map((one) => one.first).sort((a, b) => (isBefore(a, b) ? -1 : 1));
  if (!first) return undefined;
  const wrote = news.some(({ dimension, value, first: { at } }) => {
    const wroteAt = profile.writes.get(dimension)?.get(value);
    return wroteAt !== undefined && wroteAt - at < dayMs;
  });
  if (wrote) return { rule: baselineRules.severalWrites, sighting: first };
  return news.every((one) => one.first.isConsole) ? undefined : { rule: baselineRules.several, sighting: first };
}

function rushes(profile: Profile): readonly Found[] {
  const windows = [...profile.windows.values()].filter(isBurst);
  if (windows.length === 0) return [];
  windows.sort((a, b) => (isBefore(a.first, b.first) ? -1 : 1));
  const wide = windows.filter(({ regions }) => regions.length >= manyRegions);
  const changed = windows.filter(({ writeRegions }) => writeRegions.length >= manyRegions);
  const curious = windows.filter(({ reads }) => reads.length >= manyReads);
  const denied = windows.filter(({ denied: names, first }) => names.length >= manyDenied && isNewPlace(profile, first));
  const told = (rule: Found['rule'], some: readonly Window[]): readonly Found[] =>
    once(some).map((sighting) => ({ rule, sighting }));
  return [
    ...told(baselineRules.fanOutWrites, changed),
    ...told(
      baselineRules.fanOut,
      wide.filter((window) => !changed.includes(window)),
    ),
    ...told(baselineRules.enumeration, curious),
    ...told(baselineRules.deniedPlace, denied),
  ];
}

/** The address was seen for the first time within the hour, of a principal that was known for longer. */
function isNewPlace(profile: Profile, { ip, at }: Sighting): boolean {
  const first = profile.ips.kept.get(ip);
  return first !== undefined && at - first < 3_600_000 && first - profile.learnsFrom >= learningMs;
}

/** The first of each day, or none where it is a habit: inventories and posture scanners do it every day. */
function once(windows: readonly Window[]): readonly Sighting[] {
  const byDay = new Map<number, Sighting>();
  for (const { first } of windows) {
    const day = Math.floor(first.at / dayMs);
    if (!byDay.has(day)) byDay.set(day, first);
  }
  return byDay.size > maxHabit ? [] : [...byDay.values()];
}
