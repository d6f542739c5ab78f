/**
 * Logs beside CloudTrail: VPC flow logs, Route 53 Resolver query logs, and sign-in logs that put a person behind an address.
 * Field names are AWS's own (https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html), in camel case.
 */
import type { Coverage } from './evidence.ts';

/** One line of a flow log. Fields that its format does not have are ''. */
export interface FlowRecord {
  readonly accountId: string;
  readonly region: string;
  readonly interfaceId: string;
  readonly instanceId: string;
  readonly vpcId: string;
  readonly srcaddr: string;
  readonly dstaddr: string;
  /** The packet's own addresses, where a NAT gateway or the like stands between. */
  readonly pktSrcaddr: string;
  readonly pktDstaddr: string;
  readonly srcport: number;
  readonly dstport: number;
  /** IANA number. */
  readonly protocol: number;
  readonly packets: number;
  readonly bytes: number;
  /** Seconds since the epoch. */
  readonly start: number;
  readonly end: number;
  readonly action: string;
}

/** Flows between the same two addresses over the same service port, put together. */
export interface FlowGroup {
  /** The packet's address where the format has one. */
  readonly srcaddr: string;
  readonly dstaddr: string;
  /** The line's own address where the packet's is another, as of a NAT gateway; '' where they are one. */
  readonly srcVia: string;
  readonly dstVia: string;
  /** The lower of the two ports: the service, as a rule. */
  readonly port: number;
  /** True where it is the destination's. */
  readonly toPort: boolean;
  readonly protocol: number;
  readonly action: string;
  readonly interfaceId: string;
  readonly instanceId: string;
  readonly vpcId: string;
  readonly accountId: string;
  readonly region: string;
  readonly flows: number;
  readonly packets: number;
  readonly bytes: number;
  /** ISO 8601 UTC: start of the first and end of the last. */
  readonly firstSeen: string;
  readonly lastSeen: string;
}

/** Any of these is enough. */
export interface FlowQuestion {
  readonly addresses: readonly string[];
  readonly interfaces: readonly string[];
  readonly instances: readonly string[];
}

export interface DnsRecord {
  readonly accountId: string;
  readonly region: string;
  readonly vpcId: string;
  /** ISO 8601 UTC. */
  readonly queryTimestamp: string;
  /** In lower case, without the dot at the end. */
  readonly queryName: string;
  readonly queryType: string;
  readonly rcode: string;
  /** What it was answered with (Rdata), at most a few. */
  readonly answers: readonly string[];
  readonly srcaddr: string;
  readonly instanceId: string;
  /** `ALERT` or `BLOCK` where DNS Firewall had a say. */
  readonly firewallRuleAction: string;
}

/** The same name asked for by the same asker, put together. */
export interface DnsGroup {
  readonly queryName: string;
  readonly queryType: string;
  readonly rcode: string;
  readonly srcaddr: string;
  readonly instanceId: string;
  readonly vpcId: string;
  readonly accountId: string;
  readonly region: string;
  readonly firewallRuleAction: string;
  /** Of one of them. */
  readonly answers: readonly string[];
  readonly times: number;
  readonly firstSeen: string;
  readonly lastSeen: string;
}

/** Any of these is enough. A domain stands for itself and all below it. */
export interface DnsQuestion {
  readonly addresses: readonly string[];
  readonly instances: readonly string[];
  readonly vpcs: readonly string[];
  readonly domains: readonly string[];
}

/** Groups, and the coverage of this question alone. */
export interface Found<Group> {
  readonly groups: readonly Group[];
  readonly coverage: Coverage;
}

/** One line of a sign-in log of the operator's own: this person had this address then. */
export interface PersonAtAddress {
  readonly person: string;
  /** Canonical. */
  readonly address: string;
  /** ISO 8601 UTC. */
  readonly from: string;
  /** Absent where the log has no end of it. */
  readonly to?: string;
  /** Name of the log in the config: `vpn`, `sso`. */
  readonly log: string;
}

/** A sighting set against the time that is asked about. */
export interface PersonLine {
  readonly person: string;
  readonly address: string;
  readonly from: string;
  readonly to: string | null;
  readonly log: string;
  /** `at-the-time`: the log has them there then; `near`: within a day of it; `at-another-time`: only before or after. */
  readonly match: 'at-the-time' | 'near' | 'at-another-time';
}

export interface People {
  /** Who had one of these addresses at any time that the logs tell of. Never throws for what a file holds. */
  at(addresses: readonly string[]): Promise<readonly PersonAtAddress[]>;
  /** Logs that could not be read, in words. */
  gaps(): Promise<readonly string[]>;
}

/** One investigation's view: its window, accounts and Regions are fixed when it is opened. */
export interface NetworkLogs {
  /** Never throws for a file or a service that fails: that shows in the coverage. */
  flows(question: FlowQuestion): Promise<Found<FlowGroup>>;
  lookups(question: DnsQuestion): Promise<Found<DnsGroup>>;
}
