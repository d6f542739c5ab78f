/** What machines hang on: interfaces, security groups, VPCs and their endpoints, Auto Scaling and load balancers. */
import type { Account, Instance } from './state.ts';

export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** One rule for one peer, as DescribeSecurityGroupRules would list it. */
export interface Rule {
  readonly protocol: string;
  readonly from?: number;
  readonly to?: number;
  readonly peer: { readonly cidr: string } | { readonly cidr6: string } | { readonly groupId: string };
}

export interface SecurityGroup {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly region: string;
  readonly vpcId: string;
  readonly tags: Tag[];
  readonly ingress: Rule[];
  readonly egress: Rule[];
}

export interface NetworkInterface {
  readonly id: string;
  readonly subnetId: string;
  readonly vpcId: string;
  readonly privateIp: string;
  readonly publicIp?: string;
  readonly macAddress: string;
  readonly deviceIndex: number;
  groups: readonly { readonly id: string; readonly name: string }[];
  /** The service that made it and alone may change it. */
  readonly requesterId?: string;
  /** Seconds; AWS's default where absent. */
  readonly tcpEstablishedTimeout?: number;
}

export interface ScalingGroup {
  readonly name: string;
  readonly region: string;
  readonly uuid: string;
  readonly minSize: number;
  readonly maxSize: number;
  desired: number;
  /** Lifecycle state by instance. */
  readonly members: Map<string, string>;
  readonly suspended: readonly string[];
  readonly targetGroupArns: readonly string[];
  readonly loadBalancerNames: readonly string[];
}

export interface TargetGroup {
  readonly arn: string;
  readonly name: string;
  readonly region: string;
  readonly vpcId: string;
  readonly targetType: 'instance' | 'ip' | 'lambda';
  readonly port: number;
  readonly targets: { readonly id: string; readonly port: number; draining: boolean }[];
}

export interface ClassicLoadBalancer {
  readonly name: string;
  readonly region: string;
  readonly vpcId: string;
  readonly instances: string[];
}

export interface VpcEndpoint {
  readonly id: string;
  readonly region: string;
  readonly vpcId: string;
  /** `com.amazonaws.eu-west-1.ssm` */
  readonly serviceName: string;
  /** Of its interfaces, one for each subnet. */
  readonly interfaces: readonly { readonly id: string; readonly privateIp: string }[];
}

export interface Network {
  readonly securityGroups: SecurityGroup[];
  /** VPCs with an IPv6 range. */
  readonly ipv6Vpcs: Set<string>;
  readonly endpoints: VpcEndpoint[];
  readonly scalingGroups: ScalingGroup[];
  readonly targetGroups: TargetGroup[];
  readonly loadBalancers: ClassicLoadBalancer[];
}

export function newNetwork(): Network {
  return {
    securityGroups: [],
    ipv6Vpcs: new Set(),
    endpoints: [],
    scalingGroups: [],
    targetGroups: [],
    loadBalancers: [],
  };
}

export const everyAddress: Rule = { protocol: '-1', peer: { cidr: '0.0.0.0/0' } };
export const everyAddress6: Rule = { protocol: '-1', peer: { cidr6: '::/0' } };

/** Its interfaces. One of a story is made from the fields that the story gives. */
export function interfacesOf(instance: Instance): NetworkInterface[] {
  const { networkInterfaceId, subnetId, vpcId, privateIp, publicIp, macAddress, securityGroup } = instance;
  instance.interfaces ??= [
    {
      ...{ id: networkInterfaceId, subnetId, vpcId, privateIp, macAddress, deviceIndex: 0 },
      ...(publicIp === undefined ? {} : { publicIp }),
      groups: [securityGroup],
    },
  ];
  return instance.interfaces;
}

/** The groups of a Region. Those that machines of a story only name are made with rules. */
export function groupsIn(account: Account, region: string): readonly SecurityGroup[] {
  const { securityGroups } = account.network;
  for (const instance of account.instances.filter((one) => one.region === region)) {
    for (const { vpcId, groups } of interfacesOf(instance)) {
      for (const { id, name } of groups) {
        if (securityGroups.some((group) => group.id === id)) continue;
        const open = (port: number): Rule => ({ protocol: 'tcp', from: port, to: port, peer: { cidr: '0.0.0.0/0' } });
        // The shop is open on 443, and somebody left 22 open.
        const ingress = name === 'web' ? [open(443), open(22)] : [{ protocol: '-1', peer: { groupId: id } }];
        const egress = [everyAddress];
        securityGroups.push({ ...{ id, name, region, vpcId, ingress, egress }, description: name, tags: [] });
      }
    }
  }
  return securityGroups.filter((group) => group.region === region);
}

export function sameRule(a: Rule, b: Rule): boolean {
  return JSON.stringify(ruleKey(a)) === JSON.stringify(ruleKey(b));
}

function ruleKey({ protocol, from, to, peer }: Rule): unknown {
  return [protocol, from ?? -1, to ?? -1, Object.entries(peer)];
}
