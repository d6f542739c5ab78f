/** What flow logs and resolver query logs would hold of the world's machines: made from their launch times, the same each time. */
import type { Instance, State } from './state.ts';
import { minerDomain, minerImage } from './stories/s3.ts';

const poolAddress = '198.51.100.200';
const dropAddress = '198.51.100.77';
const stepMs = 60_000;
const dropBytes = 1_600_000_000;

export interface FlowRow {
  readonly account: string;
  readonly region: string;
  /** `2026/11/20` */
  readonly day: string;
  readonly interface_id: string;
  readonly srcaddr: string;
  readonly dstaddr: string;
  readonly srcport: number;
  readonly dstport: number;
  readonly packets: number;
  readonly bytes: number;
  readonly start: number;
  readonly end: number;
  readonly action: string;
}

/** Miners talk to their pool every minute; the first of them also sends a lot to one address, once. */
export function flowRows(state: State, now: Date): readonly FlowRow[] {
  const rows: FlowRow[] = [];
  for (const account of state.accounts.values()) {
    const miners = account.instances.filter((instance) => instance.imageId === minerImage);
    for (const [at, instance] of miners.entries()) {
      const flow = (ms: number, peer: string, port: number, bytes: number, back: number) => {
        const start = Math.floor(ms / 1000);
        const base = {
          ...{
            account: account.id,
            region: instance.region,
            day: dayOf(ms),
            interface_id: instance.networkInterfaceId,
          },
          ...{ start, end: start + 59, action: 'ACCEPT' },
        };
        const local = 40_000 + at;
        rows.push(
          { ...base, srcaddr: instance.privateIp, dstaddr: peer, srcport: local, dstport: port, packets: 20, bytes },
          {
            ...base,
            srcaddr: peer,
            dstaddr: instance.privateIp,
            srcport: port,
            dstport: local,
            packets: 18,
            bytes: back,
          },
        );
      };
      for (const ms of minutes(instance, now)) flow(ms, poolAddress, 3333, 42_000, 8_000);
      if (at === 0) flow(instance.launchTime.getTime() + 5 * stepMs, dropAddress, 443, dropBytes, 60_000);
    }
  }
  return rows;
}

function* minutes(instance: Instance, now: Date): Generator<number> {
  for (let ms = instance.launchTime.getTime() + stepMs; ms < now.getTime(); ms += stepMs) yield ms;
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10).replaceAll('-', '/');
}

/** Lines as Resolver writes them, with the partition's account. */
export function dnsRows(state: State, now: Date): readonly Readonly<Record<string, unknown>>[] {
  const rows: Readonly<Record<string, unknown>>[] = [];
  for (const account of state.accounts.values()) {
    for (const instance of account.instances.filter((one) => one.imageId === minerImage)) {
      for (const ms of minutes(instance, now)) {
        if (Math.floor((ms - instance.launchTime.getTime()) / stepMs) % 15 !== 1) continue;
        rows.push({
          ...{ version: '1.100000', account: account.id, account_id: account.id, region: instance.region },
          ...{ vpc_id: instance.vpcId, query_timestamp: new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z') },
          ...{ query_name: `${minerDomain}.`, query_type: 'A', query_class: 'IN', rcode: 'NOERROR' },
          answers: [{ rdata: poolAddress, type: 'A', class: 'IN' }],
          ...{ srcaddr: instance.privateIp, srcport: '51000', transport: 'UDP' },
          ...{ srcids: { instance: instance.id, resolver_endpoint: null }, firewall_rule_action: null },
        });
      }
    }
  }
  return rows;
}
