/** What was looked up: lookups by name, and what of them stands out. */
import type { DnsGroup } from '../contracts/network.ts';

export interface LookedUp {
  readonly queryName: string;
  readonly queryTypes: readonly string[];
  readonly rcodes: readonly string[];
  readonly answers: readonly string[];
  readonly askers: readonly string[];
  readonly times: number;
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** DNS Firewall blocked at least one. */
  readonly blocked: boolean;
  /** How many it blocked. */
  readonly timesBlocked: number;
  /** Why it stands out, in words; absent where it does not. */
  readonly mark?: string;
}

/**
 * Names of mining pools and miners (S3's user data and the pools' own), matched as whole labels or their parts. A name is a
 * hint, not a proof.
 */
const mining =
  /(^|[.-])(xmrig|xmr|monero|minergate|nanopool|minexmr|moneroocean|supportxmr|2miners|nicehash|ethermine|f2pool|hashvault|herominers|c3pool|dwarfpool|xmrpool|cryptofollow|unmineable|minepool|miningpool|stratum)([.-]|\d|$)/;

const manyChildren = 20;

/** Names, those that stand out first, then the rare ones: what a machine asks all the time is seldom the story. */
export function lookedUp(groups: readonly DnsGroup[]): readonly LookedUp[] {
  const byName = Map.groupBy(groups, (group) => group.queryName);
  const tunnels = tunnelsIn([...byName.keys()]);
  const all = [...byName].map(([queryName, some]): LookedUp => {
    const timesBlocked = timesOf(some.filter(isBlocked));
    const mark = markOf(queryName, some, tunnels);
    return {
      queryName,
      queryTypes: distinct(some.map(({ queryType }) => queryType)),
      rcodes: distinct(some.map(({ rcode }) => rcode)),
      answers: distinct(some.flatMap(({ answers }) => answers)).slice(0, 10),
      askers: distinct(some.map(({ instanceId, srcaddr, vpcId }) => instanceId || srcaddr || vpcId)),
      times: timesOf(some),
      firstSeen: some.map((one) => one.firstSeen).sort()[0] ?? '',
      lastSeen:
        some
          .map((one) => one.lastSeen)
          .sort()
          .at(-1) ?? '',
      blocked: timesBlocked > 0,
      timesBlocked,
      ...(mark === undefined ? {} : { mark }),
    };
  });
  return all.sort(
    (a, b) =>
      Number(b.mark !== undefined) - Number(a.mark !== undefined) ||
      a.times - b.times ||
      (a.queryName < b.queryName ? -1 : 1),
  );
}

function isBlocked({ firewallRuleAction }: DnsGroup): boolean {
  return firewallRuleAction === 'BLOCK';
}

function timesOf(groups: readonly DnsGroup[]): number {
  return groups.reduce((sum, { times }) => sum + times, 0);
}

function markOf(name: string, groups: readonly DnsGroup[], tunnels: ReadonlySet<string>): string | undefined {
  const [blocked, all] = [timesOf(groups.filter(isBlocked)), timesOf(groups)];
  // What was asked for before there was a rule was answered.
  if (blocked > 0)
    return blocked === all ? 'DNS Firewall blocked it' : `DNS Firewall blocked it ${blocked} of ${all} times`;
  if (groups.some(({ firewallRuleAction }) => firewallRuleAction === 'ALERT')) return 'DNS Firewall raised an alert';
  if (mining.test(name)) return 'the name of a mining pool or miner';
  if (tunnels.has(parentOf(name))) return 'one of many long names below one domain: data may leave in the names';
  return undefined;
}

/** Domains with at least 20 names below them whose first label is long and looks encoded. */
function tunnelsIn(names: readonly string[]): ReadonlySet<string> {
  const encoded = names.filter((name) => /^[a-z0-9+/=_-]{25,}\./.test(name) && /\d/.test(name.split('.')[0] ?? ''));
  const byParent = Map.groupBy(encoded, parentOf);
  return new Set([...byParent].flatMap(([parent, children]) => (children.length >= manyChildren ? [parent] : [])));
}

function parentOf(name: string): string {
  return name.split('.').slice(-2).join('.');
}

function distinct(list: readonly string[]): readonly string[] {
  return [...new Set(list)].filter((one) => one !== '');
}
