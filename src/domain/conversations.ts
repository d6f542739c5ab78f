/** Who talked to whom: groups of flows seen from the side that is asked about, and what of it is unusual. */
import type { FlowGroup, FlowQuestion } from '../contracts/network.ts';
import { isPrivateIp } from './address.ts';

export interface Conversation {
  /** The address asked about, or the one inside the network. */
  readonly local: string;
  readonly peer: string;
  readonly peerIsPublic: boolean;
  /** The service's port, and whose it is. */
  readonly port: number;
  readonly portOf: 'local' | 'peer';
  readonly protocol: string;
  readonly bytesOut: number;
  readonly bytesIn: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly interfaces: readonly string[];
  readonly instances: readonly string[];
  readonly vpcId: string;
  readonly accountId: string;
  readonly region: string;
}

export interface Outflow {
  readonly local: string;
  readonly peer: string;
  readonly bytesOut: number;
  /** What makes it unusual, in words. */
  readonly because: string;
}

const protocols: Readonly<Record<number, string>> = {
  1: 'ICMP',
  6: 'TCP',
  17: 'UDP',
  47: 'GRE',
  50: 'ESP',
  58: 'ICMPv6',
};

function protocolName(number: number): string {
  return protocols[number] ?? `protocol ${number}`;
}

type Growing = { -readonly [key in keyof Conversation]: Conversation[key] };

/** One direction of a conversation as one interface saw it. */
interface Sighting {
  bytes: number;
  accepted: number;
  rejected: number;
  first: string;
  last: string;
}

interface Grown {
  readonly talk: Growing;
  /** By interface. */
  readonly out: Map<string, Sighting>;
  readonly in: Map<string, Sighting>;
}

/**
 * Conversations, those that moved the most first. `asked`: addresses that count as the local side. Bytes are those that were let
 * through: what was rejected moved nothing. What several interfaces saw at the same time (both ends within a VPC, a NAT gateway between)
 * counts once, as the one that saw the most of it has it.
 */
export function conversationsOf(groups: readonly FlowGroup[], asked: readonly string[]): readonly Conversation[] {
  const isAsked = new Set(asked);
  const all = new Map<string, Grown>();
  const legs = legsOf(groups);
  for (const group of groups) {
    if (legs.has(legKey(group.interfaceId, group.srcaddr, group.dstaddr))) continue;
    const isOut = leavesLocal(group, isAsked);
    const [local, peer] = isOut ? [group.srcaddr, group.dstaddr] : [group.dstaddr, group.srcaddr];
    const portOf = isOut === group.toPort ? 'peer' : 'local';
    // The same private address in another network is another machine. Between two of them both ends may tell, each of its own place.
    const isWithin = isPrivateIp(local) && isPrivateIp(peer);
    const place = isWithin ? [] : [group.accountId, group.region, group.vpcId];
    const key = [local, peer, group.port, portOf, group.protocol, ...place].join(' ');
    const had = all.get(key) ?? newConversation(group, { local, peer, portOf });
    all.set(key, had);
    const { talk } = had;
    if (group.firstSeen < talk.firstSeen) talk.firstSeen = group.firstSeen;
    if (group.lastSeen > talk.lastSeen) talk.lastSeen = group.lastSeen;
    talk.interfaces = withOne(talk.interfaces, group.interfaceId);
    talk.instances = withOne(talk.instances, group.instanceId);
    see(isOut ? had.out : had.in, group);
  }
  const weight = ({ bytesOut, bytesIn }: Conversation) => bytesOut + bytesIn;
  return [...all.values()].map(summed).sort((a, b) => weight(b) - weight(a) || (a.firstSeen < b.firstSeen ? -1 : 1));
}

/** Headers of a packet may be counted on one leg and not on the other. */
const alike = 1.1;

/**
 * A NAT gateway logs a packet with the address of its sender, and once more with its own: the second is no other traffic. It is told by the lines of
 * the first, in which its own address stands where the packet has the one outside. Where the gateway moved more than it sent on, some of it was
 * its own doing, and both are told: rather twice than not at all.
 */
function legsOf(groups: readonly FlowGroup[]): ReadonlySet<string> {
  const sentOn = new Map<string, number>();
  for (const { interfaceId, srcaddr, dstaddr, srcVia, dstVia, bytes } of groups) {
    if (interfaceId === '') continue;
    if (srcVia !== '') grow(sentOn, legKey(interfaceId, srcVia, srcaddr), bytes);
    if (dstVia !== '') grow(sentOn, legKey(interfaceId, dstVia, dstaddr), bytes);
  }
  const moved = new Map<string, number>();
  for (const { interfaceId, srcaddr, dstaddr, bytes } of groups) {
    const key = legKey(interfaceId, srcaddr, dstaddr);
    if (sentOn.has(key)) grow(moved, key, bytes);
  }
  return new Set([...sentOn].flatMap(([key, bytes]) => ((moved.get(key) ?? 0) <= bytes * alike ? [key] : [])));
}

function legKey(interfaceId: string, one: string, other: string): string {
  return [interfaceId, ...[one, other].sort()].join(' ');
}

function grow(sums: Map<string, number>, key: string, bytes: number): void {
  sums.set(key, (sums.get(key) ?? 0) + bytes);
}

function newConversation(
  { port, protocol, firstSeen, lastSeen, vpcId, accountId, region }: FlowGroup,
  { local, peer, portOf }: Pick<Conversation, 'local' | 'peer' | 'portOf'>,
): Grown {
  const talk: Growing = {
    ...{ local, peer, peerIsPublic: !isPrivateIp(peer), port, portOf, protocol: protocolName(protocol) },
    ...{ bytesOut: 0, bytesIn: 0, accepted: 0, rejected: 0, firstSeen, lastSeen },
    ...{ interfaces: [], instances: [], vpcId, accountId, region },
  };
  return { talk, out: new Map(), in: new Map() };
}

function see(seen: Map<string, Sighting>, group: FlowGroup): void {
  const isRejected = group.action === 'REJECT';
  const had = seen.get(group.interfaceId);
  seen.set(group.interfaceId, {
    bytes: (had?.bytes ?? 0) + (isRejected ? 0 : group.bytes),
    accepted: (had?.accepted ?? 0) + (isRejected ? 0 : group.flows),
    rejected: (had?.rejected ?? 0) + (isRejected ? group.flows : 0),
    first: had === undefined || group.firstSeen < had.first ? group.firstSeen : had.first,
    last: had === undefined || group.lastSeen > had.last ? group.lastSeen : had.last,
  });
}

function summed({ talk, out, in: inward }: Grown): Conversation {
  const [sent, got] = [counted(out), counted(inward)];
  return {
    ...talk,
    ...{ bytesOut: sent.bytes, bytesIn: got.bytes },
    ...{ accepted: sent.accepted + got.accepted, rejected: sent.rejected + got.rejected },
  };
}

/** An address that moved to another interface was seen there at another time: then both count. */
function counted(seen: ReadonlyMap<string, Sighting>): Pick<Sighting, 'bytes' | 'accepted' | 'rejected'> {
  const total = { bytes: 0, accepted: 0, rejected: 0 };
  let most = { ...total };
  let last = '';
  const close = () => {
    total.bytes += most.bytes;
    total.accepted += most.accepted;
    total.rejected += most.rejected;
    most = { bytes: 0, accepted: 0, rejected: 0 };
  };
  for (const one of [...seen.values()].sort((a, b) => (a.first < b.first ? -1 : 1))) {
    if (one.first > last) close();
    most = {
      bytes: Math.max(most.bytes, one.bytes),
      accepted: Math.max(most.accepted, one.accepted),
      rejected: Math.max(most.rejected, one.rejected),
    };
    if (one.last > last) last = one.last;
  }
  close();
  return total;
}

/**
 * The addresses of the interfaces or the instance that were asked about, as far as their own lines tell: each line has one at one end, so
 * that it is the address that all of them share, or the few that together do. Empty where a single pair of addresses leaves it open.
 */
export function ownAddresses(
  groups: readonly FlowGroup[],
  { interfaces, instances }: Pick<FlowQuestion, 'interfaces' | 'instances'>,
): readonly string[] {
  const byInterface = new Map<string, FlowGroup[]>();
  for (const group of groups) {
    if (!interfaces.includes(group.interfaceId) && !instances.includes(group.instanceId)) continue;
    const mine = byInterface.get(group.interfaceId);
    if (mine) mine.push(group);
    else byInterface.set(group.interfaceId, [group]);
  }
  return [...new Set([...byInterface.values()].flatMap(sharedEnds))];
}

function sharedEnds(groups: readonly FlowGroup[]): readonly string[] {
  const found: string[] = [];
  for (let left = groups; left.length > 0; ) {
    const times = new Map<string, number>();
    for (const { srcaddr, dstaddr } of left)
      for (const end of new Set([srcaddr, dstaddr])) if (mayBeInside(end)) times.set(end, (times.get(end) ?? 0) + 1);
    const [first, second] = [...times].sort(([, a], [, b]) => b - a);
    if (first === undefined || first[1] === second?.[1]) return found;
    found.push(first[0]);
    left = left.filter(({ srcaddr, dstaddr }) => srcaddr !== first[0] && dstaddr !== first[0]);
  }
  return found;
}

/** An interface's IPv4 addresses are private in flow logs, also where it has a public one; IPv6 addresses are its own. */
function mayBeInside(address: string): boolean {
  return isPrivateIp(address) || address.includes(':');
}

function leavesLocal({ srcaddr, dstaddr, toPort }: FlowGroup, asked: ReadonlySet<string>): boolean {
  if (asked.has(srcaddr) !== asked.has(dstaddr)) return asked.has(srcaddr);
  if (isPrivateIp(srcaddr) !== isPrivateIp(dstaddr)) return isPrivateIp(srcaddr);
  // No side is the local one: both directions stay one conversation, seen from the one that asks for the service.
  return toPort;
}

function withOne(list: readonly string[], one: string): readonly string[] {
  return one === '' || list.includes(one) ? list : [...list, one];
}

const largeBytes = 1024 ** 3;
const notableBytes = 50 * 1024 ** 2;
const times = 10;

/**
 * Outflows to public addresses that stand out: at least 1 GiB to one peer, or at least 50 MiB and ten times the median of what
 * the same side sent to its other public peers (of which there must be three). Answers to requests of the peer count too: data
 * leaves by a download as well.
 */
export function outflowsOf(conversations: readonly Conversation[]): readonly Outflow[] {
  const sent = new Map<string, { readonly local: string; readonly peers: Map<string, number> }>();
  for (const conversation of conversations) {
    const { local, peer, bytesOut } = outwards(conversation);
    if (isPrivateIp(peer) || bytesOut === 0) continue;
    const { accountId, region, vpcId } = conversation;
    const key = [local, accountId, region, vpcId].join(' ');
    const from = sent.get(key) ?? { local, peers: new Map<string, number>() };
    from.peers.set(peer, (from.peers.get(peer) ?? 0) + bytesOut);
    sent.set(key, from);
  }
  const found: Outflow[] = [];
  for (const { local, peers } of sent.values()) {
    for (const [peer, bytesOut] of peers) {
      const others = [...peers].filter(([other]) => other !== peer).map(([, bytes]) => bytes);
      const usual = medianOf(others);
      if (bytesOut >= largeBytes) found.push({ local, peer, bytesOut, because: 'at least 1 GiB to one address' });
      else if (others.length >= 3 && bytesOut >= notableBytes && bytesOut >= usual * times) {
        const because = `${Math.floor(bytesOut / Math.max(1, usual))} times what it usually sent to an address (${bytesText(usual)})`;
        found.push({ local, peer, bytesOut, because });
      }
    }
  }
  return found.sort((a, b) => b.bytesOut - a.bytesOut);
}

/** Where an address outside is asked about, what left for it is what it got. */
function outwards({ local, peer, peerIsPublic, bytesOut, bytesIn }: Conversation): Omit<Outflow, 'because'> {
  const isFromOutside = !peerIsPublic && !isPrivateIp(local);
  return isFromOutside ? { local: peer, peer: local, bytesOut: bytesIn } : { local, peer, bytesOut };
}

function medianOf(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

/** `1.4 GiB`. */
export function bytesText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return unit === 0 ? `${bytes} bytes` : `${value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}
