/** Amazon EC2: the reads of security groups, interfaces, VPCs and their endpoints. */
import { clientError } from './ec2-shape.ts';
import { groupsIn, interfacesOf, type Rule, type Tag } from './network.ts';
import type { Value } from './protocols.ts';
import { type Call, type Operation, type Outcome, objects, text, texts } from './service.ts';

export function arnOf(call: Call, kind: string, id: string): string {
  return `arn:aws:ec2:${call.region}:${call.principal.account.id}:${kind}/${id}`;
}

export function interfacesIn(call: Call) {
  return call.principal.account.instances
    .filter((instance) => instance.region === call.region && instance.state !== 'terminated')
    .flatMap((instance) => interfacesOf(instance).map((one) => ({ instance, one })));
}

export function tagSet(tags: readonly Tag[]): Value {
  return tags.map(({ Key, Value: value }) => ({ key: Key, value }));
}

/** Rules of one protocol and port range stand together. */
function permissionShape(rules: readonly Rule[], accountId: string): Value {
  const together = Map.groupBy(rules, ({ protocol, from, to }) => `${protocol}/${from}/${to}`);
  return [...together.values()].map((same) => ({
    ipProtocol: same[0]?.protocol,
    fromPort: same[0]?.from,
    toPort: same[0]?.to,
    groups: same.flatMap(({ peer }) => ('groupId' in peer ? [{ groupId: peer.groupId, userId: accountId }] : [])),
    ipRanges: same.flatMap(({ peer }) => ('cidr' in peer ? [{ cidrIp: peer.cidr }] : [])),
    ipv6Ranges: same.flatMap(({ peer }) => ('cidr6' in peer ? [{ cidrIpv6: peer.cidr6 }] : [])),
    prefixListIds: [],
  }));
}

/** Those whose values fit every filter. Throws for a filter that is not known here. */
export function filtered<T>(
  call: Call,
  all: readonly T[],
  valuesOf: (one: T, filter: string) => readonly string[] | undefined,
): readonly T[] {
  return all.filter((one) =>
    objects(call.input, 'Filter').every((filter) => {
      const values = valuesOf(one, text(filter, 'Name') ?? '');
      if (values === undefined) {
        throw clientError('InvalidParameterValue', `The filter '${text(filter, 'Name')}' is invalid`);
      }
      return texts(filter, 'Value').some((wanted) => values.includes(wanted));
    }),
  );
}

function tagValues(tags: readonly Tag[], filter: string): readonly string[] | undefined {
  if (filter === 'tag-key') return tags.map(({ Key }) => Key);
  if (!filter.startsWith('tag:')) return undefined;
  return tags.filter(({ Key }) => Key === filter.slice(4)).map(({ Value: value }) => value);
}

function describeSecurityGroups(call: Call): Outcome {
  call.may('ec2:DescribeSecurityGroups');
  const { account } = call.principal;
  const ids = texts(call.input, 'GroupId');
  const here = groupsIn(account, call.region);
  const missing = ids.find((id) => !here.some((group) => group.id === id));
  if (missing !== undefined) {
    throw clientError('InvalidGroup.NotFound', `The security group '${missing}' does not exist`);
  }
  const chosen = filtered(call, here, (group, filter) => {
    const fields: Readonly<Record<string, string>> = {
      ...{ 'group-id': group.id, 'vpc-id': group.vpcId, 'group-name': group.name },
    };
    return tagValues(group.tags, filter) ?? (fields[filter] === undefined ? undefined : [fields[filter]]);
  });
  const securityGroupInfo = chosen
    .filter(({ id }) => ids.length === 0 || ids.includes(id))
    .map((group) => ({
      ...{ ownerId: account.id, groupId: group.id, groupName: group.name, groupDescription: group.description },
      vpcId: group.vpcId,
      ipPermissions: permissionShape(group.ingress, account.id),
      ipPermissionsEgress: permissionShape(group.egress, account.id),
      tagSet: tagSet(group.tags),
      securityGroupArn: arnOf(call, 'security-group', group.id),
    }));
  return { output: { securityGroupInfo } };
}

function describeInterfaces(call: Call): Outcome {
  call.may('ec2:DescribeNetworkInterfaces');
  const ids = texts(call.input, 'NetworkInterfaceId');
  const ofInstances = filtered(call, interfacesIn(call), ({ instance, one }, filter) => {
    const fields: Readonly<Record<string, readonly string[]>> = {
      'attachment.instance-id': [instance.id],
      'network-interface-id': [one.id],
      'group-id': one.groups.map(({ id }) => id),
      'vpc-id': [one.vpcId],
      'association.public-ip': [one.publicIp ?? ''],
      'addresses.association.public-ip': [one.publicIp ?? ''],
      'addresses.private-ip-address': [one.privateIp],
      'private-ip-address': [one.privateIp],
      'ipv6-addresses.ipv6-address': [''],
    };
    return fields[filter];
  }).map(({ instance, one }) => ({
    ...{ networkInterfaceId: one.id, subnetId: one.subnetId, vpcId: one.vpcId, ownerId: call.principal.account.id },
    ...{ macAddress: one.macAddress, privateIpAddress: one.privateIp, interfaceType: 'interface', status: 'in-use' },
    availabilityZone: instance.availabilityZone,
    requesterId: one.requesterId,
    requesterManaged: one.requesterId !== undefined,
    sourceDestCheck: true,
    groupSet: one.groups.map((group) => ({ groupId: group.id, groupName: group.name })),
    attachment: {
      instanceId: instance.id,
      instanceOwnerId: call.principal.account.id,
      deviceIndex: one.deviceIndex,
      status: 'attached',
      deleteOnTermination: true,
    },
    association: one.publicIp === undefined ? undefined : { publicIp: one.publicIp, ipOwnerId: 'amazon' },
    connectionTrackingConfiguration:
      one.tcpEstablishedTimeout === undefined ? undefined : { tcpEstablishedTimeout: one.tcpEstablishedTimeout },
  }));
  const ofEndpoints = call.principal.account.network.endpoints
    .filter((endpoint) => endpoint.region === call.region)
    .flatMap((endpoint) =>
      endpoint.interfaces.map(({ id, privateIp }) => ({
        ...{ networkInterfaceId: id, vpcId: endpoint.vpcId, ownerId: call.principal.account.id },
        ...{ privateIpAddress: privateIp, interfaceType: 'vpc_endpoint', status: 'in-use', requesterManaged: true },
      })),
    );
  const all: readonly { readonly networkInterfaceId: string; readonly [k: string]: Value }[] =
    objects(call.input, 'Filter').length > 0 ? ofInstances : [...ofInstances, ...ofEndpoints];
  return {
    output: {
      networkInterfaceSet: all.filter((one) => ids.length === 0 || ids.includes(one.networkInterfaceId)),
    },
  };
}

function describeVpcEndpoints(call: Call): Outcome {
  call.may('ec2:DescribeVpcEndpoints');
  const here = call.principal.account.network.endpoints.filter((endpoint) => endpoint.region === call.region);
  const chosen = filtered(call, here, (endpoint, filter) => {
    const fields: Readonly<Record<string, string>> = {
      ...{ 'vpc-id': endpoint.vpcId, 'service-name': endpoint.serviceName },
      ...{ 'vpc-endpoint-type': 'Interface', 'vpc-endpoint-state': 'available' },
    };
    return fields[filter] === undefined ? undefined : [fields[filter]];
  });
  const vpcEndpointSet = chosen.map((endpoint) => ({
    ...{ vpcEndpointId: endpoint.id, vpcId: endpoint.vpcId, serviceName: endpoint.serviceName, state: 'available' },
    vpcEndpointType: 'Interface',
    networkInterfaceIdSet: endpoint.interfaces.map(({ id }) => id),
  }));
  return { output: { vpcEndpointSet } };
}

export const networkReads: Readonly<Record<string, Operation>> = {
  DescribeSecurityGroups: { readOnly: true, run: describeSecurityGroups },
  DescribeNetworkInterfaces: { readOnly: true, run: describeInterfaces },
  DescribeVpcEndpoints: { readOnly: true, run: describeVpcEndpoints },
};
