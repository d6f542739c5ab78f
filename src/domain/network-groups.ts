/**
 * Flows and lookups put together, so that an answer over millions of lines stays small. The rules are those of the SQL in
 * src/evidence/network (lake) and src/domain/athena (Athena): every source gives the same groups for the same lines.
 */
import type { DnsGroup, DnsQuestion, DnsRecord, FlowGroup, FlowQuestion, FlowRecord } from '../contracts/network.ts';
import { isoOf } from './window.ts';

/** Places that an answer is kept to. Records that name no account or Region stay. */
export interface Places {
  /** ISO 8601 UTC, half-open; an absent bound is open. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly accounts?: readonly string[] | undefined;
  readonly regions?: readonly string[] | undefined;
}

export function placeFilter({ from, to, accounts, regions }: Places) {
  const begin = from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(from);
  const end = to === undefined ? Number.POSITIVE_INFINITY : Date.parse(to);
  // What lasts counts where any of it is in the window: an interval of flow logs is up to ten minutes long.
  return (atMs: number, accountId: string, region: string, untilMs = atMs): boolean =>
    (begin <= atMs || begin < untilMs) &&
    atMs < end &&
    (accounts === undefined || accountId === '' || accounts.includes(accountId)) &&
    (regions === undefined || region === '' || regions.includes(region));
}

/** The time of `placeFilter` as a condition of SQL over "start" and "end", which are seconds. */
export function withinSeconds(
  { from, to }: { readonly from: string; readonly to: string },
  columns = ['"start"', '"end"'],
): string {
  const [start = '', end] = columns;
  const seconds = (time: string) => Math.ceil(Date.parse(time) / 1000);
  const begun = `${start} >= ${seconds(from)}`;
  const lasting = end === undefined ? begun : `(${begun} OR ${end} > ${Math.floor(Date.parse(from) / 1000)})`;
  return `${lasting} AND ${start} < ${seconds(to)}`;
}

export function flowMatches(flow: FlowRecord, { addresses, interfaces, instances }: FlowQuestion): boolean {
  return (
    addresses.includes(flow.srcaddr) ||
    addresses.includes(flow.dstaddr) ||
    addresses.includes(flow.pktSrcaddr) ||
    addresses.includes(flow.pktDstaddr) ||
    interfaces.includes(flow.interfaceId) ||
    instances.includes(flow.instanceId)
  );
}

export function dnsMatches(record: DnsRecord, { addresses, instances, vpcs, domains }: DnsQuestion): boolean {
  return (
    addresses.includes(record.srcaddr) ||
    instances.includes(record.instanceId) ||
    vpcs.includes(record.vpcId) ||
    domains.some((domain) => record.queryName === domain || record.queryName.endsWith(`.${domain}`))
  );
}

type Growing<T> = { -readonly [key in keyof T]: T[key] };

/** Puts groups together up to a number of them; what comes after that is only counted. */
class Groups<Group> {
  readonly #byKey = new Map<string, Growing<Group>>();
  readonly #max: number;
  /** Lines that would have made another group. */
  left = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get(key: string, make: () => Group): Growing<Group> | undefined {
    const had = this.#byKey.get(key);
    if (had) return had;
    if (this.#byKey.size >= this.#max) {
      this.left += 1;
      return undefined;
    }
    const made = make() as Growing<Group>;
    this.#byKey.set(key, made);
    return made;
  }

  list(): readonly Group[] {
    return [...this.#byKey.values()] as Group[];
  }
}

/**
 * What tells a flow from every other: AWS writes one line per interface, direction, ports and interval, so that the same again is a copy of it (a
 * file that is there twice, an export of what S3 has too). Undefined where the format leaves out what it takes.
 */
export function flowIdentity(flow: FlowRecord): string | undefined {
  const isPorted = flow.protocol === 6 || flow.protocol === 17;
  if (flow.interfaceId === '' || flow.protocol === 0 || (isPorted && flow.srcport === 0 && flow.dstport === 0))
    return undefined;
  const { accountId, interfaceId, srcaddr, dstaddr, pktSrcaddr, pktDstaddr, srcport, dstport, protocol } = flow;
  const { packets, bytes, start, end, action } = flow;
  const where = [accountId, interfaceId, srcaddr, dstaddr, pktSrcaddr, pktDstaddr, srcport, dstport, protocol];
  return [...where, packets, bytes, start, end, action].join(' ');
}

export function isoOfSeconds(seconds: number): string {
  // Beyond this no date is one.
  const at = Math.min(Math.max(seconds, 0), 253_402_300_799);
  return isoOf(at * 1000);
}

export function flowGroups(max: number) {
  const groups = new Groups<FlowGroup>(max);
  let lines = 0;
  return {
    add(flow: FlowRecord): void {
      lines += 1;
      const srcaddr = flow.pktSrcaddr || flow.srcaddr;
      const dstaddr = flow.pktDstaddr || flow.dstaddr;
      const srcVia = srcaddr === flow.srcaddr ? '' : flow.srcaddr;
      const dstVia = dstaddr === flow.dstaddr ? '' : flow.dstaddr;
      const toPort = flow.dstport <= flow.srcport;
      const port = toPort ? flow.dstport : flow.srcport;
      const { protocol, action, interfaceId, instanceId, vpcId, accountId, region } = flow;
      const place = { interfaceId, instanceId, vpcId, accountId, region };
      const ends = { srcaddr, dstaddr, srcVia, dstVia };
      const parts = [...Object.values(ends), port, toPort, protocol, action, ...Object.values(place)];
      const start = isoOfSeconds(flow.start);
      const end = isoOfSeconds(Math.max(flow.start, flow.end));
      const group = groups.get(parts.join(' '), () => ({
        ...{ ...ends, port, toPort, protocol, action, ...place },
        ...{ flows: 0, packets: 0, bytes: 0, firstSeen: start, lastSeen: end },
      }));
      if (group === undefined) return;
      group.flows += 1;
      group.packets += flow.packets;
      group.bytes += flow.bytes;
      if (start < group.firstSeen) group.firstSeen = start;
      if (end > group.lastSeen) group.lastSeen = end;
    },
    lines: () => lines,
    left: () => groups.left,
    list: () => groups.list(),
  };
}

export function dnsGroups(max: number) {
  const groups = new Groups<DnsGroup>(max);
  let lines = 0;
  return {
    add(record: DnsRecord): void {
      lines += 1;
      const { queryName, queryType, rcode, srcaddr, instanceId, vpcId, accountId, region, firewallRuleAction } = record;
      const key = { queryName, queryType, rcode, srcaddr, instanceId, vpcId, accountId, region, firewallRuleAction };
      const at = record.queryTimestamp;
      const group = groups.get(JSON.stringify(Object.values(key)), () => ({
        ...key,
        ...{ answers: record.answers, times: 0, firstSeen: at, lastSeen: at },
      }));
      if (group === undefined) return;
      group.times += 1;
      if (at < group.firstSeen) group.firstSeen = at;
      if (at > group.lastSeen) group.lastSeen = at;
    },
    lines: () => lines,
    left: () => groups.left,
    list: () => groups.list(),
  };
}
