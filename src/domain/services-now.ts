/**
 * What exists now in services beside EC2: each read of each service is an answer of its own, found, nothing found, or not looked at
 * with the reason. Judges what was read against what the config expects; reads nothing.
 */
import type { InventoryEntry } from '../contracts/investigation.ts';

/** What is read, in the words of answers. Each is one read of one service, so that a refusal takes nothing else with it. */
export const serviceReads = [
  'ECS tasks and services',
  'Lambda functions',
  'SageMaker notebooks',
  'SageMaker endpoints',
  'SageMaker training jobs',
  'SageMaker processing jobs',
  'SageMaker Studio apps',
  'SES sending',
  'SES identities',
  'service quota requests',
  'Lightsail instances',
  'spot requests',
  'spot fleets',
  'EC2 fleets',
  'alternate contacts',
  'support cases',
] as const;
export type ServiceRead = (typeof serviceReads)[number];

/** One thing, or several alike as one. Its texts come from outside. */
export interface FoundThing {
  /** ARN or name. */
  readonly id: string;
  /** Of each, where several are one; at most 50. */
  readonly ids?: readonly string[];
  /** What it is, in a few words: `6 tasks of shop-web:3, 4 vCPU and 8 GB each`. */
  readonly says: string;
  readonly count: number;
  /** When it was made, started or changed, ISO 8601 UTC; "" where AWS does not say. */
  readonly at: string;
  /** USD of all of them; undefined where they cost nothing by the hour, or no price is known (then `unpriced` is set). */
  readonly hourly: number | undefined;
  /** The type whose price is not known. */
  readonly unpriced?: string;
  /** What is odd about it wherever it is. */
  readonly marks: readonly string[];
  /** True where being outside of the expected Regions is odd: machines that run, mail that can be sent. */
  readonly bound: boolean;
}

/** What one read found: what is worth telling, of how many in all. */
export interface FoundThings {
  readonly things: readonly FoundThing[];
  readonly total: number;
  /** What of it could not be read; absent: all was. */
  readonly gap?: string;
}

/** Why there is no answer. Only `failed` is a gap that somebody can close by asking again or by giving rights. */
export type NotLooked = {
  readonly ok: false;
  readonly why: 'failed' | 'not-offered' | 'not-subscribed';
  readonly reason: string;
};

export interface ServiceLook {
  readonly read: ServiceRead;
  /** "" for what belongs to the whole account. */
  readonly region: string;
  readonly found: { readonly ok: true; readonly value: FoundThings } | NotLooked;
}

/** A thing with where it is and how it compares with what is expected. */
export interface SweptThing extends FoundThing {
  readonly read: ServiceRead;
  readonly accountId: string;
  readonly region: string;
  /** Undefined where the config does not say, and where the Region means nothing. */
  readonly expected: boolean | undefined;
  /** Made, started or changed in the window. */
  readonly isNew: boolean;
}

/** The answer to one read over all accounts and Regions. There is no "clean". */
export interface ServiceAnswer {
  readonly read: ServiceRead;
  readonly state: 'found' | 'nothing-found' | 'not-looked-at';
  /** How many there are in all, those not worth telling included. */
  readonly total: number;
  readonly hourly: number;
  readonly regionsLookedAt: number;
  /** Regions in which the service is not offered. */
  readonly notOffered: readonly string[];
  /** Why it was not looked at, or not everywhere; absent where it was. */
  readonly because?: string;
}

/** What exists now, as an answer to a question about the past. */
export interface NowAnswer {
  readonly state: 'found' | 'nothing-found' | 'not-looked-at';
  /** The worst first. */
  readonly things: readonly SweptThing[];
  /** Reads that have no full answer. */
  readonly open: readonly ServiceRead[];
  /** Why; absent where all was looked at. */
  readonly because?: string;
}

interface AccountServices {
  readonly accountId: string;
  readonly services: readonly ServiceLook[];
}

/** All things, the worst first. `since`: what counts as made lately, ISO 8601 UTC. */
export function sweptThings(
  accounts: readonly AccountServices[],
  inventory: readonly InventoryEntry[],
  since: string,
): readonly SweptThing[] {
  const things = accounts.flatMap(({ accountId, services }) => {
    const expected = inventory.find(({ id }) => id === accountId)?.expectedRegions;
    return services.flatMap(({ read, region, found }) =>
      found.ok
        ? found.value.things.map(
            (thing): SweptThing => ({
              ...thing,
              ...{ read, accountId, region },
              expected: expected === undefined || region === '' || !thing.bound ? undefined : expected.includes(region),
              isNew: thing.at !== '' && thing.at >= since,
            }),
          )
        : [],
    );
  });
  return withSpread(things).toSorted(
    (a, b) => rank(b) - rank(a) || (b.hourly ?? 0) - (a.hourly ?? 0) || (a.at < b.at ? 1 : -1),
  );
}

/** S0's attacker had the same in 16 Regions. */
const spreadRegions = 5;

/** Marks what is the same in many Regions of an account, unless it is expected there. */
function withSpread(things: readonly SweptThing[]): readonly SweptThing[] {
  const alike = Map.groupBy(things, ({ accountId, read, says }) => `${accountId}\n${read}\n${says}`);
  return [...alike.values()].flatMap((same) => {
    const regions = new Set(same.filter(({ bound }) => bound).map(({ region }) => region)).size;
    if (regions < spreadRegions || same.every(({ expected }) => expected === true)) return same;
    return same.map((thing) => ({ ...thing, marks: [...thing.marks, `the same in ${regions} Regions`] }));
  });
}

/** What stands out: odd in itself, or where nothing is expected. */
export function isOdd(thing: SweptThing): boolean {
  return thing.marks.length > 0 || thing.expected === false;
}

function rank(thing: SweptThing): number {
  return 4 * Number(isOdd(thing)) + 2 * Number((thing.hourly ?? 0) >= 1) + Number(thing.isNew);
}

/** One answer per read, in the order of `serviceReads`. */
export function serviceAnswers(accounts: readonly AccountServices[]): readonly ServiceAnswer[] {
  const looks = accounts.flatMap(({ accountId, services }) => services.map((one) => ({ ...one, accountId })));
  return serviceReads.map((read): ServiceAnswer => {
    const own = looks.filter((one) => one.read === read);
    const looked = own.flatMap(({ found }) => (found.ok ? [found.value] : []));
    const missing = own.flatMap(({ found, region }) => (found.ok ? [] : [{ ...found, region }]));
    const gaps = own.flatMap(({ found, region }) =>
      found.ok && found.value.gap !== undefined ? [{ region, reason: found.value.gap }] : [],
    );
    const lost = [...missing.filter(({ why }) => why !== 'not-offered'), ...gaps];
    const things = looked.flatMap((one) => one.things);
    const isLooked = looked.length > 0 && lost.length === 0;
    const reasons = reasonOf(own.length, looked.length, lost.length > 0 ? lost : missing);
    return {
      read,
      state: things.length > 0 ? 'found' : isLooked ? 'nothing-found' : 'not-looked-at',
      total: looked.reduce((sum, one) => sum + one.total, 0),
      hourly: things.reduce((sum, one) => sum + (one.hourly ?? 0), 0),
      regionsLookedAt: new Set(own.filter(({ found, region }) => found.ok && region !== '').map(({ region }) => region))
        .size,
      notOffered: [...new Set(missing.filter(({ why }) => why === 'not-offered').map(({ region }) => region))].sort(),
      ...(isLooked ? {} : { because: reasons }),
    };
  });
}

function reasonOf(
  asked: number,
  looked: number,
  missing: readonly { readonly region: string; readonly reason: string }[],
): string {
  if (asked === 0) return 'nothing was asked';
  const [first] = missing;
  if (first === undefined) return '';
  const where = looked === 0 ? '' : `in ${placesOf(missing.map(({ region }) => region))}: `;
  return `${where}${first.reason}`;
}

/** `sa-east-1`, or `3 Regions`. */
function placesOf(regions: readonly string[]): string {
  const places = [...new Set(regions.filter((region) => region !== ''))];
  return places.length === 0 ? 'an account' : places.length <= 2 ? places.join(' and ') : `${places.length} Regions`;
}

/** Something that could not be read. `reason` begins with AWS's code. */
export interface Trouble {
  readonly what: string;
  readonly region: string;
  readonly reason: string;
}

/** Reads that AWS refused or did not answer, as troubles of one account. They make an answer incomplete. */
export function serviceTroubles({ services }: AccountServices): readonly Trouble[] {
  return troublesOf(services, 'failed');
}

/** What is not there to be asked: services that a Region does not have, and plans that the account does not have. */
export function servicesNotThere({ accountId, services }: AccountServices): readonly string[] {
  const absent = [...troublesOf(services, 'not-subscribed'), ...troublesOf(services, 'not-offered')];
  return troubleLines(accountId, absent);
}

function troublesOf(services: readonly ServiceLook[], why: NotLooked['why']): readonly Trouble[] {
  return services.flatMap(({ read, region, found }) => {
    const reason = found.ok ? (why === 'failed' ? found.value.gap : undefined) : found.why === why && found.reason;
    return typeof reason === 'string' ? [{ what: read, region, reason }] : [];
  });
}

/** Services have names of their own for a refusal; a policy of the organisation that closes Regions shows all of them. */
const refusals =
  /^(AccessDenied|AccessDeniedException|UnauthorizedOperation|AuthorizationError|UnauthorizedException)$/;

/** One line for what has the same trouble in the same Regions: a closed Region, or a missing right, is one line and not a hundred. */
export function troubleLines(accountId: string, troubles: readonly Trouble[]): readonly string[] {
  const kindOf = ({ reason }: Trouble) => {
    const code = reason.split(':')[0] ?? '';
    return refusals.test(code) ? 'refused' : code;
  };
  const reads = Map.groupBy(troubles, (one) => `${one.what}\n${kindOf(one)}`);
  const lines = Map.groupBy(reads.values(), (same) => {
    const [first] = same;
    const regions = same.map(({ region }) => region).sort();
    return `${first === undefined ? '' : kindOf(first)}\n${regions.join()}`;
  });
  return [...lines.values()].flatMap((alike) => {
    const first = alike[0]?.[0];
    if (first === undefined) return [];
    const what = alike.flatMap((same) => same[0]?.what ?? []).join(', ');
    const where = first.region === '' ? '' : ` in ${placesOf(alike[0]?.map(({ region }) => region) ?? [])}`;
    return [`${what} of ${accountId}${where}: ${first.reason}`];
  });
}
