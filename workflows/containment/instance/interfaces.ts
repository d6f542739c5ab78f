/** The network interfaces of an instance, and whether what flows through them now would survive other security groups. */
import {
  DescribeNetworkInterfacesCommand,
  DescribeSecurityGroupsCommand,
  type IpPermission,
  type SecurityGroup,
} from '@aws-sdk/client-ec2';
import { z } from 'zod';
import type { AwsReader } from '#src/contracts/aws.ts';
import { everyPage } from '#src/domain/pages.ts';

/** AWS's default: five days (DOMAIN.md 5.8). */
const defaultTimeoutSeconds = 432_000;

export const InterfaceFacts = z.strictObject({
  id: z.string(),
  vpcId: z.string(),
  /** Ids of its security groups, in order of id: AWS gives them in none. */
  groups: z.array(z.string()),
  /** The service that made it and alone may change it; empty for ordinary ones. */
  managedBy: z.string(),
  /** Directions whose open connections are tracked, and so outlive a change of groups. */
  tracked: z.array(z.enum(['in', 'out'])),
  /** After how many idle seconds a tracked connection ends. */
  idleSeconds: z.number(),
});
export type InterfaceFacts = z.output<typeof InterfaceFacts>;

/** In order of id. Throws UpstreamError where the answer is none of EC2's. */
export async function interfacesOf(
  instanceId: string,
  region: string,
  aws: AwsReader,
  signal: AbortSignal,
): Promise<InterfaceFacts[]> {
  const client = aws.ec2(region);
  const options = { abortSignal: signal };
  const Filters = [{ Name: 'attachment.instance-id', Values: [instanceId] }];
  // One that is missed stays open.
  const found = await everyPage(async (NextToken) => {
    const page = await client.send(new DescribeNetworkInterfacesCommand({ Filters, NextToken }), options);
    return { items: page.NetworkInterfaces, next: page.NextToken };
  });
  const ids = [...new Set(found.flatMap(({ Groups }) => (Groups ?? []).map(({ GroupId }) => GroupId)))];
  const groups = await groupsBy('group-id', ids.filter((id) => id !== undefined).sort(), region, aws, signal);
  return found
    .map((one) => {
      const own = (one.Groups ?? []).map(({ GroupId }) => GroupId ?? '').sort();
      return {
        id: one.NetworkInterfaceId ?? '',
        vpcId: one.VpcId ?? '',
        groups: own,
        managedBy: one.RequesterManaged === true ? (one.RequesterId ?? 'an AWS service') : '',
        tracked: trackedWays(own.map((id) => groups.find(({ GroupId }) => GroupId === id))),
        idleSeconds: one.ConnectionTrackingConfiguration?.TcpEstablishedTimeout ?? defaultTimeoutSeconds,
      };
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Security groups by a filter: ids that are not there are then no error. */
export async function groupsBy(
  name: string,
  values: readonly string[],
  region: string,
  aws: AwsReader,
  signal: AbortSignal,
): Promise<readonly SecurityGroup[]> {
  if (values.length === 0) return [];
  const Filters = [{ Name: name, Values: [...values] }];
  return everyPage(async (NextToken) => {
    const page = await aws.ec2(region).send(new DescribeSecurityGroupsCommand({ Filters, NextToken }), {
      abortSignal: signal,
    });
    return { items: page.SecurityGroups, next: page.NextToken };
  });
}

/**
 * A flow is untracked, and ends at once, only where its rule names every address and a rule of the other direction lets every
 * answer pass (DOMAIN.md 5.8). Groups that could not be read count as tracked.
 */
export function trackedWays(groups: readonly (SecurityGroup | undefined)[]): ('in' | 'out')[] {
  if (groups.some((group) => group === undefined)) return ['in', 'out'];
  const into = groups.flatMap((group) => group?.IpPermissions ?? []);
  const out = groups.flatMap((group) => group?.IpPermissionsEgress ?? []);
  const tracks = (own: readonly IpPermission[], other: readonly IpPermission[]) =>
    own.some(
      (rule) => !isForEverybody(rule) || !other.some((answer) => isForEverybody(answer) && isForEveryPort(answer)),
    );
  return [...(tracks(into, out) ? (['in'] as const) : []), ...(tracks(out, into) ? (['out'] as const) : [])];
}

/** Every peer of the rule is the whole of IPv4 or of IPv6. */
function isForEverybody({ IpRanges, Ipv6Ranges, UserIdGroupPairs, PrefixListIds }: IpPermission): boolean {
  const ranges = [
    ...(IpRanges ?? []).map(({ CidrIp }) => CidrIp),
    ...(Ipv6Ranges ?? []).map(({ CidrIpv6 }) => CidrIpv6),
  ];
  const others = (UserIdGroupPairs?.length ?? 0) + (PrefixListIds?.length ?? 0);
  return others === 0 && ranges.length > 0 && ranges.every((range) => range === '0.0.0.0/0' || range === '::/0');
}

function isForEveryPort({ IpProtocol, FromPort, ToPort }: IpPermission): boolean {
  return IpProtocol === '-1' || (FromPort === 0 && ToPort === 65_535);
}

/** What goes on flowing after the change, one sentence each. */
export function trackingWords(interfaces: readonly InterfaceFacts[]): string[] {
  const tracked = interfaces.filter((one) => one.tracked.length > 0);
  const always =
    'Connections through a NAT gateway, a network load balancer, a transit gateway or PrivateLink are tracked whatever the rules say: they go on until they are idle.';
  if (tracked.length === 0)
    return [`By their rules no connection that is open now is tracked: it ends with the change.`, always];
  const which = tracked.map(
    ({ id, tracked: ways, idleSeconds }) => `${id} ${ways.join(' and ')} (${lasting(idleSeconds)})`,
  );
  return [
    `Connections that are open now are tracked and go on until they are idle for the time in brackets: ${which.join(', ')}; stopping the instance ends them.`,
    always,
  ];
}

function lasting(seconds: number): string {
  if (seconds === defaultTimeoutSeconds) return '5 days, or 350 seconds on Nitro v6 types';
  return `${seconds} seconds`;
}
