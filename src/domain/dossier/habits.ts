/** How an identity usually acts, and how it acts this time. "Usual" is the part of the window before `thisTime`. */
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { parseIp } from '../address.ts';
import { agentFamily } from '../use.ts';
import { isoOf } from '../window.ts';

export interface HabitsInput {
  /** Calls that the identity itself made, in order of time. */
  readonly calls: readonly CloudTrailRecord[];
  /** Records in which others change it, in order of time. */
  readonly changes: readonly CloudTrailRecord[];
  /** ISO 8601 UTC: where "this time" begins. Undefined: a day before the last call. */
  readonly thisTime: string | undefined;
  readonly complete: boolean;
  /** Country of an address; undefined where it is not known. */
  readonly countryOf: (ip: string) => string | undefined;
  /** ISO 3166-1 alpha-2, from the inventory; undefined: nobody said. */
  readonly expectedCountries: readonly string[] | undefined;
  /** The name of the operator's own network that holds the address. */
  readonly networkOf: (ip: string) => string | undefined;
}

const dayMs = 86_400_000;
const leastCalls = 20;
const leastDays = 2;

export interface Habits {
  readonly thisTime: string;
  readonly before: Profile;
  readonly now: Profile;
  readonly enough: boolean;
}

export interface Profile {
  readonly calls: number;
  readonly days: number;
  /** Hours of the day, UTC, in which it acted. */
  readonly hours: readonly number[];
  readonly countries: readonly string[];
  readonly addresses: readonly string[];
  readonly agents: readonly string[];
  readonly regions: readonly string[];
  readonly services: readonly string[];
}

/** The two profiles. */
export function habitsOf(input: HabitsInput): Habits {
  const last = input.calls.at(-1)?.eventTime;
  const thisTime = input.thisTime ?? (last === undefined ? '' : isoOf(Date.parse(last) - dayMs));
  const earlier = input.calls.filter(({ eventTime }) => eventTime < thisTime);
  const later = input.calls.filter(({ eventTime }) => eventTime >= thisTime);
  const before = profileOf(earlier, input.countryOf);
  return {
    thisTime,
    before,
    now: profileOf(later, input.countryOf),
    enough: before.calls >= leastCalls && before.days >= leastDays,
  };
}

function profileOf(calls: readonly CloudTrailRecord[], countryOf: (ip: string) => string | undefined): Profile {
  const addresses = distinct(calls.flatMap(({ sourceIPAddress }) => parseIp(sourceIPAddress) ?? []));
  return {
    calls: calls.length,
    days: distinct(calls.map(({ eventTime }) => eventTime.slice(0, 10))).length,
    hours: distinct(calls.map(hourOf)).toSorted((a, b) => a - b),
    countries: distinct(addresses.flatMap((ip) => countryOf(ip) ?? [])),
    addresses,
    agents: distinct(calls.map(({ userAgent }) => agentFamily(userAgent))),
    regions: distinct(calls.map(({ awsRegion }) => awsRegion)),
    services: distinct(calls.map(serviceOf)),
  };
}

export function serviceOf({ eventSource }: CloudTrailRecord): string {
  return eventSource.replace('.amazonaws.com', '');
}

export function hourOf({ eventTime }: CloudTrailRecord): number {
  return new Date(eventTime).getUTCHours();
}

export function distinct<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
