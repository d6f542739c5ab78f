/** The security groups that isolate an instance: one of our own for each VPC, made by the plan itself (DOMAIN.md 5.8, A5). */
import {
  DescribeNetworkInterfacesCommand,
  DescribeVpcEndpointsCommand,
  DescribeVpcsCommand,
  type SecurityGroup,
} from '@aws-sdk/client-ec2';
import { z } from 'zod';
import type { ApiCall, AwsReader } from '#src/contracts/aws.ts';
import { UserError } from '#src/contracts/errors.ts';
import { everyPage } from '#src/domain/pages.ts';
import { groupsBy, type InterfaceFacts } from './interfaces.ts';

/** Whom the group isolates. Only our own groups carry it, and the sessions of the action may change no other. */
export const isolatesTag = 'firebreak-isolates';

export const VpcFacts = z.strictObject({
  id: z.string(),
  /** Another account's where the VPC is shared. */
  ownerId: z.string(),
  /** Then a new group lets IPv6 out too. */
  ipv6: z.boolean(),
  /** Private addresses of the endpoints of SSM; read for the variant that keeps SSM. */
  ssmAddresses: z.array(z.string()),
});
export type VpcFacts = z.output<typeof VpcFacts>;

export const IsolationGroup = z.strictObject({
  groupId: z.string(),
  name: z.string(),
  vpcId: z.string(),
  /** `in ...` and `out ...`, in order. */
  rules: z.array(z.string()),
});
export type IsolationGroup = z.output<typeof IsolationGroup>;

interface Reading {
  readonly region: string;
  readonly aws: AwsReader;
  readonly signal: AbortSignal;
}

/** The groups that isolate this instance already, by whatever plan. */
export async function isolationGroups(instanceId: string, { region, aws, signal }: Reading): Promise<IsolationGroup[]> {
  const found = await groupsBy(`tag:${isolatesTag}`, [instanceId], region, aws, signal);
  return found
    .map((group) => ({
      groupId: group.GroupId ?? '',
      name: group.GroupName ?? '',
      vpcId: group.VpcId ?? '',
      rules: rulesOf(group),
    }))
    .sort((a, b) => (a.groupId < b.groupId ? -1 : 1));
}

function rulesOf({ IpPermissions, IpPermissionsEgress }: SecurityGroup): string[] {
  const words = (way: string, permissions: SecurityGroup['IpPermissions']) =>
    (permissions ?? []).flatMap((rule) => {
      // Where a rule is for every protocol some give no ports, some -1.
      const ports = rule.FromPort === undefined || rule.FromPort === -1 ? 'all' : `${rule.FromPort}-${rule.ToPort}`;
      const peers = [
        ...(rule.IpRanges ?? []).map(({ CidrIp }) => CidrIp),
        ...(rule.Ipv6Ranges ?? []).map(({ CidrIpv6 }) => CidrIpv6),
        ...(rule.UserIdGroupPairs ?? []).map(({ GroupId }) => GroupId),
        ...(rule.PrefixListIds ?? []).map(({ PrefixListId }) => PrefixListId),
      ];
      return peers.map((peer) => ruleWords(way, rule.IpProtocol ?? '-1', ports, peer ?? ''));
    });
  return [...words('in', IpPermissions), ...words('out', IpPermissionsEgress)].sort();
}

function ruleWords(way: string, protocol: string, ports: string, peer: string): string {
  return `${way} ${protocol} ${ports} ${peer}`;
}

/** Throws UserError where SSM shall be kept and the VPC has no endpoints for it: 443 to everywhere would be an open door. */
export async function vpcsOf(
  interfaces: readonly InterfaceFacts[],
  keepSsm: boolean,
  { region, aws, signal }: Reading,
): Promise<VpcFacts[]> {
  const ids = [...new Set(interfaces.map(({ vpcId }) => vpcId))].sort();
  const options = { abortSignal: signal };
  if (ids.length === 0) return [];
  const vpcs = await everyPage(async (NextToken) => {
    const page = await aws.ec2(region).send(new DescribeVpcsCommand({ VpcIds: ids, NextToken }), options);
    return { items: page.Vpcs, next: page.NextToken };
  });
  const addresses = keepSsm ? await ssmAddresses(ids, { region, aws, signal }) : new Map<string, string[]>();
  const facts = ids.map((id) => {
    const vpc = vpcs.find(({ VpcId }) => VpcId === id);
    const ranges = vpc?.Ipv6CidrBlockAssociationSet ?? [];
    return {
      id,
      ownerId: vpc?.OwnerId ?? aws.accountId,
      ipv6: ranges.some(({ Ipv6CidrBlockState }) => Ipv6CidrBlockState?.State === 'associated'),
      ssmAddresses: addresses.get(id) ?? [],
    };
  });
  if (keepSsm && facts.every((vpc) => vpc.ssmAddresses.length === 0)) {
    throw new UserError(
      `${ids.join(' and ')} has no interface endpoints for ssm and ssmmessages: SSM could be kept only with a way to the internet.`,
      'Isolate it without ssm (capture memory first), or create the endpoints.',
    );
  }
  return facts;
}

/** By VPC; only where both services that every agent needs are there. */
async function ssmAddresses(
  vpcIds: readonly string[],
  { region, aws, signal }: Reading,
): Promise<Map<string, string[]>> {
  const options = { abortSignal: signal };
  const services = ['ssm', 'ssmmessages', 'ec2messages'].map((service) => `com.amazonaws.${region}.${service}`);
  // In China the names begin with `cn.`.
  const names = [...services, ...services.map((name) => `cn.${name}`)];
  const Filters = [
    { Name: 'vpc-id', Values: [...vpcIds] },
    { Name: 'service-name', Values: names },
    { Name: 'vpc-endpoint-state', Values: ['available'] },
  ];
  const endpoints = await everyPage(async (NextToken) => {
    const page = await aws.ec2(region).send(new DescribeVpcEndpointsCommand({ Filters, NextToken }), options);
    return { items: page.VpcEndpoints, next: page.NextToken };
  });
  const complete = vpcIds.filter((id) =>
    ['.ssm', '.ssmmessages'].every((end) =>
      endpoints.some(({ VpcId, ServiceName }) => VpcId === id && ServiceName?.endsWith(end)),
    ),
  );
  const ofVpc = new Map<string, string[]>();
  for (const id of complete) {
    const interfaces = endpoints.filter(({ VpcId }) => VpcId === id).flatMap((one) => one.NetworkInterfaceIds ?? []);
    const theirs = await everyPage(async (NextToken) => {
      const input = { NetworkInterfaceIds: interfaces, NextToken };
      const page = await aws.ec2(region).send(new DescribeNetworkInterfacesCommand(input), options);
      return { items: page.NetworkInterfaces, next: page.NextToken };
    });
    const found = theirs.flatMap(({ PrivateIpAddress }) => PrivateIpAddress ?? []);
    ofVpc.set(id, [...new Set(found)].sort());
  }
  return ofVpc;
}

/** The rules that the isolation group of a VPC has: none, or out to the endpoints of SSM. */
function wantedRules({ ssmAddresses: addresses }: VpcFacts): string[] {
  return addresses.map((address) => ruleWords('out', 'tcp', '443-443', `${address}/32`)).sort();
}

/** Its only group is one of ours, with no rules but the wanted ones. */
export function isSealed(
  { groups, vpcId }: InterfaceFacts,
  { vpcs, isolation }: { readonly vpcs: readonly VpcFacts[]; readonly isolation: readonly IsolationGroup[] },
): boolean {
  const vpc = vpcs.find(({ id }) => id === vpcId);
  const group = isolation.find(({ groupId }) => groupId === groups[0]);
  if (groups.length !== 1 || group === undefined || vpc === undefined) return false;
  return JSON.stringify(group.rules) === JSON.stringify(wantedRules(vpc));
}

/** Makes one group with nothing in it but what is wanted, then puts it on each interface. `first`: index of the first call. */
export function isolateCalls(
  instanceId: string,
  region: string,
  vpc: VpcFacts,
  interfaces: readonly InterfaceFacts[],
  first: number,
): readonly ApiCall[] {
  const GroupId = { $fill: 'answer', call: first, field: 'GroupId' };
  const tags = {
    Name: `firebreak-isolation-${instanceId}`,
    [isolatesTag]: instanceId,
    'firebreak-approval': { $fill: 'approvalId' },
    'firebreak-case': { $fill: 'caseId' },
  };
  const ec2 = (operation: string, input: ApiCall['input']): ApiCall => ({ service: 'ec2', operation, region, input });
  const everything = {
    IpProtocol: '-1',
    IpRanges: [{ CidrIp: '0.0.0.0/0' }],
    ...(vpc.ipv6 ? { Ipv6Ranges: [{ CidrIpv6: '::/0' }] } : {}),
  };
  const toSsm = {
    IpProtocol: 'tcp',
    FromPort: 443,
    ToPort: 443,
    IpRanges: vpc.ssmAddresses.map((address) => ({ CidrIp: `${address}/32` })),
  };
  return [
    ec2('CreateSecurityGroup', {
      // Names are unique in a VPC: after a crash this finds it, and AWS would refuse a second one.
      GroupName: { $fill: 'approvalId' },
      Description: `Firebreak isolation of ${instanceId}`,
      VpcId: vpc.id,
      TagSpecifications: [
        { ResourceType: 'security-group', Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) },
      ],
    }),
    ec2('RevokeSecurityGroupEgress', { GroupId, IpPermissions: [everything] }),
    ...(vpc.ssmAddresses.length === 0
      ? []
      : [ec2('AuthorizeSecurityGroupEgress', { GroupId, IpPermissions: [toSsm] })]),
    ...interfaces.map(({ id }) => ({
      ...ec2('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId: id, Groups: [GroupId] }),
      goesOn: true as const,
    })),
  ];
}

/** Whether what was just read shows one of these calls as carried out, and what AWS answered. Undefined also for other calls. */
export function isolationSeen(
  { operation, input }: ApiCall,
  now: { readonly interfaces: readonly InterfaceFacts[]; readonly isolation: readonly IsolationGroup[] },
): Readonly<Record<string, unknown>> | undefined {
  const group = now.isolation.find(({ groupId }) => groupId === input.GroupId);
  const done = (is: boolean | undefined) => (is === true ? {} : undefined);
  switch (operation) {
    case 'CreateSecurityGroup': {
      const made = now.isolation.find(({ name, vpcId }) => name === input.GroupName && vpcId === input.VpcId);
      return made === undefined ? undefined : { GroupId: made.groupId };
    }
    case 'RevokeSecurityGroupEgress':
      return done(group?.rules.every((rule) => !sentRules(input).includes(rule)));
    case 'AuthorizeSecurityGroupEgress':
      return done(group && sentRules(input).every((rule) => group.rules.includes(rule)));
    case 'DeleteSecurityGroup':
      return done(group === undefined);
    case 'ModifyNetworkInterfaceAttribute':
      return done(hasGroups(input, now.interfaces));
    default:
      return undefined;
  }
}

/** Whether the interface has exactly the groups that the call sets. */
export function hasGroups(
  { NetworkInterfaceId, Groups }: ApiCall['input'],
  interfaces: readonly InterfaceFacts[],
): boolean {
  const found = interfaces.find(({ id }) => id === NetworkInterfaceId);
  const wanted = (Groups as readonly unknown[]).map(String).sort();
  return found !== undefined && JSON.stringify(found.groups) === JSON.stringify(wanted);
}

function sentRules({ IpPermissions }: ApiCall['input']): string[] {
  return rulesOf({ IpPermissionsEgress: IpPermissions as SecurityGroup['IpPermissionsEgress'] });
}
