/**
 * A sweep: what exists now, against what is expected. For accounts with poor logs, where "nothing found" says little (S0). It
 * judges what was read; what this version does not ask for is named. Services beside EC2: services-now.ts.
 */
import type { InventoryEntry } from '../contracts/investigation.ts';
import { hourlyPrice, isDear, pricesFrom } from './instance-prices.ts';
import type { Looked } from './looked.ts';
import {
  type ServiceAnswer,
  type ServiceLook,
  type SweptThing,
  serviceAnswers,
  servicesNotThere,
  serviceTroubles,
  sweptThings,
  troubleLines,
} from './services-now.ts';

export interface FoundInstance {
  readonly id: string;
  readonly type: string;
  readonly state: string;
  /** ISO 8601 UTC, "" where AWS did not say. */
  readonly launchedAt: string;
  readonly spot: boolean;
  readonly httpTokens: string;
  readonly imageId: string;
  /** Its `Name` tag: free text from outside. */
  readonly name: string;
}

export interface FoundScalingGroup {
  readonly name: string;
  readonly wanted: number;
  readonly most: number;
  readonly madeAt: string;
}

export interface NewIdentity {
  readonly kind: 'user' | 'key';
  /** ARN or key id. */
  readonly id: string;
  readonly of: string;
  readonly active: boolean;
  readonly madeAt: string;
}

export interface MemberAccount {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly state: string;
  readonly joinedAt: string;
  readonly created: boolean;
}

export interface RegionNow {
  readonly region: string;
  readonly instances: Looked<readonly FoundInstance[]>;
  readonly groups: Looked<readonly FoundScalingGroup[]>;
}

export interface AccountNow {
  readonly accountId: string;
  /** Set where the account could not be opened at all. */
  readonly failed?: string;
  readonly regions: readonly RegionNow[];
  /** What was read of services beside EC2, in every Region. */
  readonly services: readonly ServiceLook[];
  readonly users: Looked<readonly NewIdentity[]> | undefined;
  readonly members: Looked<readonly MemberAccount[]> | undefined;
}

/** Where an attacker may work as well, and what this version does not ask for. */
const sweptByNobody: readonly string[] = [
  'EKS clusters',
  'Batch jobs',
  'Bedrock',
  'EMR, Glue and CodeBuild',
  'Lightsail databases and containers',
];

/** Running or stopped machines of one type in one Region. */
export interface SweptGroup {
  readonly accountId: string;
  readonly region: string;
  readonly type: string;
  readonly running: number;
  readonly stopped: number;
  readonly instanceIds: readonly string[];
  /** GPU, accelerated or very large. */
  readonly dear: boolean;
  /** Undefined where the config does not say what is expected. */
  readonly expected: boolean | undefined;
  /** USD of the running ones; undefined where the price is not known. An estimate. */
  readonly hourly: number | undefined;
  readonly lastLaunch: string;
}

export interface Sweep {
  readonly state: 'looked' | 'not-looked-at';
  readonly because?: string;
  readonly instances: readonly SweptGroup[];
  readonly scalingGroups: readonly (FoundScalingGroup & { readonly accountId: string; readonly region: string })[];
  readonly identities: readonly (NewIdentity & { readonly accountId: string })[];
  /** Of the organisation, the newest first. */
  readonly memberAccounts: readonly MemberAccount[];
  /** One answer per read of a service beside EC2. */
  readonly services: readonly ServiceAnswer[];
  /** What these reads found, the worst first. */
  readonly things: readonly SweptThing[];
  /** USD per hour of all that runs and has a known price, services included. */
  readonly hourly: number;
  readonly unpriced: readonly string[];
  readonly prices: string;
  /** Regions in which something runs that is not expected there. */
  readonly unexpectedRegions: readonly string[];
  readonly regionsLookedAt: number;
  /** Calls that AWS refused or did not answer. */
  readonly failures: readonly string[];
  /** By name: what nothing was asked about. */
  readonly notLookedAt: readonly string[];
}

const idsKept = 100;

export function noSweep(because: string): Sweep {
  const nothing = { instances: [], scalingGroups: [], identities: [], memberAccounts: [], unpriced: [], failures: [] };
  const counts = { hourly: 0, prices: pricesFrom, unexpectedRegions: [], regionsLookedAt: 0 };
  const services = serviceAnswers([]).map((one) => ({ ...one, because }));
  return { state: 'not-looked-at', because, ...nothing, ...counts, services, things: [], notLookedAt: sweptByNobody };
}

/**
 * Sums up what was read. `inventory`: the config's accounts, for the Regions that are expected. `since`: what counts as made lately,
 * ISO 8601 UTC. Pure.
 */
export function sweepOf(accounts: readonly AccountNow[], inventory: readonly InventoryEntry[], since: string): Sweep {
  const groups = accounts.flatMap((account) => {
    const entry = inventory.find(({ id }) => id === account.accountId);
    return account.regions.flatMap((region) => groupsOf(account.accountId, region, entry?.expectedRegions));
  });
  const instances = groups.toSorted(
    (a, b) =>
      Number(a.expected ?? true) - Number(b.expected ?? true) ||
      Number(b.dear) - Number(a.dear) ||
      (b.hourly ?? 0) - (a.hourly ?? 0) ||
      b.running - a.running,
  );
  const everywhere = accounts.flatMap(({ regions }) => regions);
  const things = sweptThings(accounts, inventory, since);
  const elsewhere = [...instances, ...things].filter(({ expected }) => expected === false);
  const unpriced = [
    ...instances.filter((one) => one.hourly === undefined).map(({ type }) => type),
    ...things.flatMap((thing) => thing.unpriced ?? []),
  ];
  return {
    state: 'looked',
    instances,
    scalingGroups: accounts.flatMap(({ accountId, regions }) =>
      regions.flatMap(({ region, groups: found }) =>
        found.ok ? found.value.map((one) => ({ ...one, accountId, region })) : [],
      ),
    ),
    identities: accounts
      .flatMap(({ accountId, users }) => (users?.ok ? users.value.map((one) => ({ ...one, accountId })) : []))
      .toSorted((a, b) => (a.madeAt < b.madeAt ? 1 : -1)),
    memberAccounts: accounts
      .flatMap(({ members }) => (members?.ok ? members.value : []))
      .toSorted((a, b) => (a.joinedAt < b.joinedAt ? 1 : -1)),
    services: serviceAnswers(accounts),
    things,
    hourly: [...instances, ...things].reduce((sum, one) => sum + (one.hourly ?? 0), 0),
    unpriced: [...new Set(unpriced)],
    prices: pricesFrom,
    unexpectedRegions: [...new Set(elsewhere.map(({ region }) => region))],
    regionsLookedAt: new Set(everywhere.filter(({ instances: found }) => found.ok).map(({ region }) => region)).size,
    failures: accounts.flatMap(failuresOf),
    notLookedAt: [...sweptByNobody, ...accounts.flatMap(servicesNotThere), ...accounts.flatMap(refusedMembers)],
  };
}

function groupsOf(
  accountId: string,
  { region, instances }: RegionNow,
  expectedRegions: readonly string[] | undefined,
): readonly SweptGroup[] {
  if (!instances.ok) return [];
  return [...Map.groupBy(instances.value, ({ type }) => type)].map(([type, own]) => {
    const running = own.filter(({ state }) => state === 'running' || state === 'pending').length;
    const price = hourlyPrice(type);
    return {
      ...{ accountId, region, type, running, stopped: own.length - running },
      instanceIds: own.map(({ id }) => id).slice(0, idsKept),
      dear: isDear(type),
      expected: expectedRegions === undefined ? undefined : expectedRegions.includes(region),
      hourly: price === undefined ? undefined : price * running,
      lastLaunch:
        own
          .map(({ launchedAt }) => launchedAt)
          .toSorted()
          .at(-1) ?? '',
    };
  });
}

function failuresOf(account: AccountNow): readonly string[] {
  const { accountId, failed, regions, users } = account;
  if (failed !== undefined) return [`account ${accountId}: ${failed}`];
  const troubles = regions.flatMap(({ region, instances, groups }) => [
    ...(instances.ok ? [] : [{ what: 'EC2 instances', region, reason: instances.reason }]),
    ...(groups.ok ? [] : [{ what: 'Auto Scaling groups', region, reason: groups.reason }]),
  ]);
  return [
    ...troubleLines(accountId, [...troubles, ...serviceTroubles(account)]),
    ...(users === undefined || users.ok ? [] : [`users and keys of ${accountId}: ${users.reason}`]),
  ];
}

/** Only the management account and delegated administrators may list accounts, so a refusal is the rule. */
function refusedMembers({ accountId, members }: AccountNow): readonly string[] {
  if (members === undefined || members.ok) return [];
  return [`accounts of the organisation, asked in ${accountId}: ${members.reason}`];
}
