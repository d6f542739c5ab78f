/** Amazon EC2: the reads of what hangs on an instance: images, security groups, network interfaces. */
import { clientError } from './ec2-shape.ts';
import type { Value } from './protocols.ts';
import { type Call, type Operation, type Outcome, objects, text, texts } from './service.ts';
import type { Instance } from './state.ts';

interface Image {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly alias?: string;
  readonly creationDate: string;
}

/** Public images of the story; any other id is not found. */
const images: readonly Image[] = [
  {
    ...{ id: 'ami-0c2b8ca1dad447f8a', name: 'amzn2-ami-hvm-2.0.20210813.1-x86_64-gp2', ownerId: '137112412989' },
    ...{ alias: 'amazon', creationDate: '2021-08-20T20:40:44.000Z' },
  },
  {
    ...{ id: 'ami-0d5eff06f840b45e9', name: 'amzn2-ami-hvm-2.0.20210326.0-x86_64-gp2', ownerId: '137112412989' },
    ...{ alias: 'amazon', creationDate: '2021-03-31T22:37:58.000Z' },
  },
];

type Ports = readonly [protocol: string, from: number, to: number, range: string];
/** Inbound rules by the group's name: the shop is open on 443, and somebody left 22 open. */
const inbound: Readonly<Record<string, readonly Ports[]>> = {
  web: [
    ['tcp', 443, 443, '0.0.0.0/0'],
    ['tcp', 22, 22, '0.0.0.0/0'],
  ],
};

function here(call: Call): readonly Instance[] {
  return call.principal.account.instances.filter(
    (instance) => instance.region === call.region && instance.state !== 'terminated',
  );
}

function describeImages(call: Call): Outcome {
  call.may('ec2:DescribeImages');
  const ids = texts(call.input, 'ImageId');
  const missing = ids.filter((id) => !images.some((image) => image.id === id));
  for (const id of ids) {
    if (!/^ami-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id))
      throw clientError('InvalidAMIID.Malformed', `Invalid id: "${id}"`);
  }
  if (missing.length > 0)
    throw clientError('InvalidAMIID.NotFound', `The image id '[${missing.join(', ')}]' does not exist`);
  const imagesSet = images
    .filter(({ id }) => ids.length === 0 || ids.includes(id))
    .map((image) => ({
      ...{ imageId: image.id, name: image.name, imageOwnerId: image.ownerId, imageOwnerAlias: image.alias },
      ...{ creationDate: image.creationDate, isPublic: true, imageState: 'available', imageType: 'machine' },
      ...{ architecture: 'x86_64', rootDeviceType: 'ebs', rootDeviceName: '/dev/xvda', virtualizationType: 'hvm' },
      imageLocation: `amazon/${image.name}`,
    }));
  return { output: { imagesSet } };
}

function permission([ipProtocol, fromPort, toPort, range]: Ports): Value {
  const ranges = range.includes(':') ? { ipv6Ranges: [{ cidrIpv6: range }] } : { ipRanges: [{ cidrIp: range }] };
  return { ipProtocol, fromPort, toPort, groups: [], ipRanges: [], ipv6Ranges: [], prefixListIds: [], ...ranges };
}

function describeSecurityGroups(call: Call): Outcome {
  call.may('ec2:DescribeSecurityGroups');
  const all = new Map(here(call).map((instance) => [instance.securityGroup.id, instance]));
  const ids = texts(call.input, 'GroupId');
  const missing = ids.find((id) => !all.has(id));
  if (missing !== undefined)
    throw clientError('InvalidGroup.NotFound', `The security group '${missing}' does not exist`);
  const securityGroupInfo = [...all.values()]
    .filter(({ securityGroup }) => ids.length === 0 || ids.includes(securityGroup.id))
    .map(({ securityGroup, vpcId }) => ({
      ...{ groupId: securityGroup.id, groupName: securityGroup.name, groupDescription: securityGroup.name, vpcId },
      ownerId: call.principal.account.id,
      ipPermissions: (inbound[securityGroup.name] ?? []).map(permission),
      ipPermissionsEgress: [
        { ipProtocol: '-1', groups: [], ipRanges: [{ cidrIp: '0.0.0.0/0' }], ipv6Ranges: [], prefixListIds: [] },
      ],
    }));
  return { output: { securityGroupInfo } };
}

function valuesOf(instance: Instance, filter: string): readonly string[] {
  const fields: Readonly<Record<string, string | undefined>> = {
    'association.public-ip': instance.publicIp ?? '',
    'addresses.association.public-ip': instance.publicIp ?? '',
    'addresses.private-ip-address': instance.privateIp,
    'private-ip-address': instance.privateIp,
    'ipv6-addresses.ipv6-address': '',
    'network-interface-id': instance.networkInterfaceId,
    'attachment.instance-id': instance.id,
  };
  const value = fields[filter];
  if (value === undefined) throw clientError('InvalidParameterValue', `The filter '${filter}' is invalid`);
  return [value];
}

function describeNetworkInterfaces(call: Call): Outcome {
  call.may('ec2:DescribeNetworkInterfaces');
  const filters = objects(call.input, 'Filter');
  const networkInterfaceSet = here(call)
    .filter((instance) =>
      filters.every((filter) =>
        valuesOf(instance, text(filter, 'Name') ?? '').some((value) => texts(filter, 'Value').includes(value)),
      ),
    )
    .map((instance) => ({
      networkInterfaceId: instance.networkInterfaceId,
      ...{ subnetId: instance.subnetId, vpcId: instance.vpcId, availabilityZone: instance.availabilityZone },
      ...{ description: '', ownerId: call.principal.account.id, requesterManaged: false, status: 'in-use' },
      ...{ macAddress: instance.macAddress, privateIpAddress: instance.privateIp, interfaceType: 'interface' },
      attachment: {
        instanceId: instance.id,
        instanceOwnerId: call.principal.account.id,
        deviceIndex: 0,
        status: 'attached',
      },
      association: instance.publicIp === undefined ? undefined : { publicIp: instance.publicIp, ipOwnerId: 'amazon' },
    }));
  return { output: { networkInterfaceSet } };
}

export const networkReads: Readonly<Record<string, Operation>> = {
  DescribeImages: { readOnly: true, run: describeImages },
  DescribeSecurityGroups: { readOnly: true, run: describeSecurityGroups },
  DescribeNetworkInterfaces: { readOnly: true, run: describeNetworkInterfaces },
};
