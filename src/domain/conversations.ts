/** Who talked to whom: groups of flows seen from the side that is asked about, and what of it is unusual. */
import type { FlowGroup } from '../contracts/network.ts';
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

/** Conversations, those that moved the most first. `asked`: addresses that count as the local side. */
export function conversationsOf(groups: readonly FlowGroup[], asked: readonly string[]): readonly Conversation[] {
  const isAsked = new Set(asked);
  const all = new Map<string, Growing>();
  for (const group of groups) {
    const isOut = leavesLocal(group, isAsked);
    const [local, peer] = isOut ? [group.srcaddr, group.dstaddr] : [group.dstaddr, group.srcaddr];
    const portOf = isOut === group.toPort ? 'peer' : 'local';
    const key = [local, peer, group.port, portOf, group.protocol].join(' ');
    const had = all.get(key) ?? {
      ...{ local, peer, peerIsPublic: !isPrivateIp(peer), port: group.port, portOf },
      protocol: protocolName(group.protocol),
      ...{ bytesOut: 0, bytesIn: 0, accepted: 0, rejected: 0 },
      ...{ firstSeen: group.firstSeen, lastSeen: group.lastSeen, interfaces: [], instances: [] },
      ...{ accountId: group.accountId, region: group.region },
    };
    all.set(key, {
      ...had,
      bytesOut: had.bytesOut + (isOut ? group.bytes : 0),
      bytesIn: had.bytesIn + (isOut ? 0 : group.bytes),
      accepted: had.accepted + (group.action === 'REJECT' ? 0 : group.flows),
      rejected: had.rejected + (group.action === 'REJECT' ? group.flows : 0),
      firstSeen: [group.firstSeen, had.firstSeen].sort()[0] ?? had.firstSeen,
      lastSeen: [group.lastSeen, had.lastSeen].sort()[1] ?? had.lastSeen,
      interfaces: withOne(had.interfaces, group.interfaceId),
      instances: withOne(had.instances, group.instanceId),
    });
  }
  const weight = ({ bytesOut, bytesIn }: Conversation) => bytesOut + bytesIn;
  return [...all.values()].sort((a, b) => weight(b) - weight(a) || (a.firstSeen < b.firstSeen ? -1 : 1));
}

function leavesLocal({ srcaddr, dstaddr }: FlowGroup, asked: ReadonlySet<string>): boolean {
  if (asked.has(srcaddr) !== asked.has(dstaddr)) return asked.has(srcaddr);
  if (isPrivateIp(srcaddr) !== isPrivateIp(dstaddr)) return isPrivateIp(srcaddr);
  return true;
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
  const sent = new Map<string, Map<string, number>>();
  for (const { local, peer, peerIsPublic, bytesOut } of conversations) {
    if (!peerIsPublic || bytesOut === 0) continue;
    const peers = sent.get(local) ?? new Map<string, number>();
    peers.set(peer, (peers.get(peer) ?? 0) + bytesOut);
    sent.set(local, peers);
  }
  const found: Outflow[] = [];
  for (const [local, peers] of sent) {
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
