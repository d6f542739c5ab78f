/** An EC2 instance as the API and as CloudTrail show it. */
import { AwsError } from './errors.ts';
import { type Association, associationOf, type Volume, volumesOf } from './evidence.ts';
import { interfacesOf, type NetworkInterface } from './network.ts';
import type { Value } from './protocols.ts';
import type { Instance, InstanceState } from './state.ts';

/** EC2's client faults appear in CloudTrail with `Client.` before them. */
export function clientError(code: string, message: string, status = 400): AwsError {
  return new AwsError(code, status, message, `Client.${code}`);
}

const stateCodes: Readonly<Record<InstanceState, number>> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};

export function stateShape(state: InstanceState): { code: number; name: string } {
  return { code: stateCodes[state], name: state };
}

/** The next read of a machine that is on its way finds it arrived. */
export function settle(instance: Instance): void {
  const arrival = { pending: 'running', stopping: 'stopped', 'shutting-down': 'terminated' } as const;
  const { state } = instance;
  if (state === 'pending' || state === 'stopping' || state === 'shutting-down') instance.state = arrival[state];
}

function interfaceShape(one: NetworkInterface, accountId: string): { readonly [k: string]: Value } {
  return {
    networkInterfaceId: one.id,
    subnetId: one.subnetId,
    vpcId: one.vpcId,
    ownerId: accountId,
    status: 'in-use',
    macAddress: one.macAddress,
    privateIpAddress: one.privateIp,
    sourceDestCheck: true,
    interfaceType: 'interface',
    groupSet: groupSet(one),
    ...(one.deviceIndex === 0 ? {} : { attachment: { deviceIndex: one.deviceIndex, status: 'attached' } }),
  };
}

function groupSet(one: NetworkInterface | undefined) {
  return (one?.groups ?? []).map(({ id, name }) => ({ groupId: id, groupName: name }));
}

function volumeShape({ id, device }: Volume) {
  return { deviceName: device, ebs: { volumeId: id, status: 'attached', deleteOnTermination: true } };
}

export function profileShape(association: Association | undefined) {
  return association === undefined ? undefined : { arn: association.profileArn, id: 'AIPADEMO' };
}

export function metadataShape({ evidence }: Instance) {
  const { tokens = 'optional', hops = 1 } = evidence?.metadata ?? {};
  return { state: 'applied', httpTokens: tokens, httpPutResponseHopLimit: hops, httpEndpoint: 'enabled' };
}

/** Field names are those of the wire and of CloudTrail's responseElements, which are the same. */
export function instanceShape(instance: Instance, accountId: string): { readonly [k: string]: Value } {
  const gone = instance.state === 'terminated';
  return {
    instanceId: instance.id,
    imageId: instance.imageId,
    instanceState: stateShape(instance.state),
    privateDnsName: gone ? '' : `ip-${instance.privateIp.replaceAll('.', '-')}.ec2.internal`,
    keyName: instance.keyName,
    amiLaunchIndex: instance.launchIndex,
    productCodes: [],
    instanceType: instance.type,
    launchTime: instance.launchTime,
    placement: { availabilityZone: instance.availabilityZone, tenancy: 'default' },
    monitoring: { state: 'disabled' },
    subnetId: gone ? undefined : instance.subnetId,
    vpcId: gone ? undefined : instance.vpcId,
    privateIpAddress: gone ? undefined : instance.privateIp,
    ipAddress: gone ? undefined : instance.publicIp,
    groupSet: groupSet(interfacesOf(instance)[0]),
    architecture: 'x86_64',
    rootDeviceType: 'ebs',
    rootDeviceName: '/dev/xvda',
    blockDeviceMapping: gone ? [] : volumesOf(instance).map(volumeShape),
    virtualizationType: 'hvm',
    hypervisor: 'xen',
    clientToken: instance.clientToken,
    ...(instance.spot === undefined
      ? {}
      : { instanceLifecycle: 'spot', spotInstanceRequestId: instance.spot.requestId }),
    tagSet: instance.tags.map(({ Key, Value }) => ({ key: Key, value: Value })),
    sourceDestCheck: true,
    networkInterfaceSet: gone ? [] : interfacesOf(instance).map((one) => interfaceShape(one, accountId)),
    iamInstanceProfile: profileShape(associationOf(instance)),
    ebsOptimized: false,
    enaSupport: true,
    metadataOptions: metadataShape(instance),
  };
}

/** Lists become `{items: [...]}` and instants milliseconds: EC2's form in CloudTrail. */
export function asTrail(value: Value): unknown {
  if (value instanceof Date) return value.getTime();
  if (Array.isArray(value)) return value.length === 0 ? {} : { items: value.map((one: Value) => asTrail(one)) };
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, child]) => child !== undefined);
  return Object.fromEntries(entries.map(([key, child]) => [key, asTrail(child)]));
}

/** What RunInstances answers and CloudTrail records, for one reservation. */
export function reservationShape(instances: readonly Instance[], accountId: string): { readonly [k: string]: Value } {
  return {
    reservationId: instances[0]?.reservationId,
    ownerId: accountId,
    groupSet: [],
    instancesSet: instances.map((instance) => instanceShape(instance, accountId)),
  };
}
