/** Amazon EC2: the reads. */
import { replaceUnhealthy } from './auto-scaling.ts';
import { fleetReads } from './ec2-fleets.ts';
import { imageReads } from './ec2-images.ts';
import { networkWrites } from './ec2-network.ts';
import { networkReads } from './ec2-network-reads.ts';
import { ec2Posture } from './ec2-posture.ts';
import { powerReads, powerWrites } from './ec2-power.ts';
import { ec2Profiles } from './ec2-profiles.ts';
import { asTrail, clientError, instanceShape, reservationShape, settle, stateShape } from './ec2-shape.ts';
import { ec2Snapshots } from './ec2-snapshots.ts';
import { ec2Writes } from './ec2-writes.ts';
import { associationOf } from './evidence.ts';
import { interfacesOf } from './network.ts';
import type { Input, Value } from './protocols.ts';
import { type Call, type Operation, type Outcome, objects, type Service, text, texts } from './service.ts';
import type { Instance } from './state.ts';

function valuesOf(instance: Instance, filter: string): readonly string[] | undefined {
  if (filter.startsWith('tag:')) {
    return instance.tags.filter((tag) => tag.Key === filter.slice(4)).map((tag) => tag.Value);
  }
  const fields: Readonly<Record<string, string | undefined>> = {
    'instance-id': instance.id,
    'instance-state-name': instance.state,
    'instance-type': instance.type,
    'image-id': instance.imageId,
    'vpc-id': instance.vpcId,
    'subnet-id': instance.subnetId,
    'reservation-id': instance.reservationId,
    'private-ip-address': instance.privateIp,
    'ip-address': instance.publicIp ?? '',
    'key-name': instance.keyName ?? '',
    'availability-zone': instance.availabilityZone,
    'iam-instance-profile.arn': associationOf(instance)?.profileArn ?? '',
    'client-token': instance.clientToken,
  };
  if (filter === 'network-interface.network-interface-id') return interfacesOf(instance).map(({ id }) => id);
  if (filter === 'instance.group-id') return interfacesOf(instance).flatMap(({ groups }) => groups.map(({ id }) => id));
  if (filter === 'tag-key') return instance.tags.map((tag) => tag.Key);
  const value = fields[filter];
  return value === undefined ? undefined : [value];
}

function wildcard(pattern: string): RegExp {
  const source = pattern
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`);
}

/** Instances of the call's account and Region that its ids and filters name. Throws for ids that are not there. */
function selected(call: Call): readonly Instance[] {
  const here = call.principal.account.instances.filter((instance) => instance.region === call.region);
  here.forEach(settle);
  replaceUnhealthy(call.principal.account, call.region, call.random, call.now);
  const ids = texts(call.input, 'InstanceId');
  for (const id of ids) {
    if (!/^i-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id)) {
      throw clientError('InvalidInstanceID.Malformed', `Invalid id: "${id}"`);
    }
  }
  const missing = ids.filter((id) => !here.some((instance) => instance.id === id));
  if (missing.length > 0) {
    const [noun, verb] = missing.length === 1 ? ['ID', 'does'] : ['IDs', 'do'];
    throw clientError('InvalidInstanceID.NotFound', `The instance ${noun} '${missing.join(', ')}' ${verb} not exist`);
  }
  let chosen = ids.length === 0 ? here : here.filter((instance) => ids.includes(instance.id));
  for (const filter of objects(call.input, 'Filter')) {
    const name = text(filter, 'Name') ?? '';
    const patterns = texts(filter, 'Value').map(wildcard);
    chosen = chosen.filter((instance) => {
      const values = valuesOf(instance, name);
      if (values === undefined) throw clientError('InvalidParameterValue', `The filter '${name}' is invalid`);
      return values.some((value) => patterns.some((pattern) => pattern.test(value)));
    });
  }
  return chosen;
}

/** One page by NextToken and MaxResults (5 to 1000). */
function page<T>(call: Call, all: readonly T[]): { items: readonly T[]; nextToken: string | undefined } {
  const wanted = text(call.input, 'MaxResults');
  if (wanted !== undefined && texts(call.input, 'InstanceId').length > 0) {
    const message = 'The parameter instancesSet cannot be used with the parameter maxResults';
    throw clientError('InvalidParameterCombination', message);
  }
  const size = Number(wanted ?? '1000');
  if (!Number.isInteger(size) || size < 5 || size > 1000) {
    throw clientError(
      'InvalidParameterValue',
      `Value ( ${wanted} ) for parameter maxResults is invalid. Expecting a value from 5 to 1000.`,
    );
  }
  const token = text(call.input, 'NextToken');
  const start = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString());
  if (!Number.isInteger(start)) throw clientError('InvalidParameterValue', 'The token is invalid');
  const end = start + size;
  const nextToken = end < all.length ? Buffer.from(String(end)).toString('base64url') : undefined;
  return { items: all.slice(start, end), nextToken };
}

function describeInstances(call: Call): Outcome {
  call.may('ec2:DescribeInstances');
  const { items, nextToken } = page(call, selected(call));
  const reservations = Map.groupBy(items, (instance) => instance.reservationId);
  const reservationSet = [...reservations.values()].map((list) => reservationShape(list, call.principal.account.id));
  return { output: { reservationSet, nextToken } };
}

function describeInstanceStatus(call: Call): Outcome {
  call.may('ec2:DescribeInstanceStatus');
  const all = text(call.input, 'IncludeAllInstances') === 'true';
  const shown = selected(call).filter((instance) => all || instance.state === 'running');
  const { items, nextToken } = page(call, shown);
  const instanceStatusSet = items.map((instance) => ({
    instanceId: instance.id,
    availabilityZone: instance.availabilityZone,
    instanceState: stateShape(instance.state),
    systemStatus: { status: 'ok', details: [{ name: 'reachability', status: 'passed' }] },
    instanceStatus: { status: 'ok', details: [{ name: 'reachability', status: 'passed' }] },
  }));
  return { output: { instanceStatusSet, nextToken } };
}

function describeRegions(call: Call): Outcome {
  call.may('ec2:DescribeRegions');
  const words = { ENABLED_BY_DEFAULT: 'opt-in-not-required', ENABLED: 'opted-in', DISABLED: 'not-opted-in' } as const;
  const names = texts(call.input, 'RegionName');
  const all = text(call.input, 'AllRegions') === 'true';
  const regionInfo = [...call.principal.account.regions]
    .filter(([name, status]) => (all || status !== 'DISABLED') && (names.length === 0 || names.includes(name)))
    .map(([name, status]) => ({
      regionName: name,
      regionEndpoint: `ec2.${name}.amazonaws.com`,
      optInStatus: words[status],
    }))
    .filter((region) =>
      objects(call.input, 'Filter').every((filter) => {
        if (text(filter, 'Name') === 'opt-in-status') return texts(filter, 'Value').includes(region.optInStatus);
        if (text(filter, 'Name') === 'region-name') return texts(filter, 'Value').includes(region.regionName);
        throw clientError('InvalidParameterValue', `The filter '${text(filter, 'Name')}' is invalid`);
      }),
    );
  return { output: { regionInfo } };
}

function describeInstanceAttribute(call: Call): Outcome {
  const id = text(call.input, 'InstanceId') ?? '';
  const { account } = call.principal;
  call.may('ec2:DescribeInstanceAttribute', `arn:aws:ec2:${call.region}:${account.id}:instance/${id}`);
  const [instance] = selected({ ...call, input: { InstanceId: [id] } });
  if (instance === undefined) throw clientError('InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`);
  const attribute = text(call.input, 'Attribute') ?? '';
  const values: Readonly<Record<string, Value>> = {
    userData: instance.userData === undefined ? {} : { value: instance.userData },
    instanceType: { value: instance.type },
    disableApiTermination: { value: instance.protection?.termination ?? false },
    disableApiStop: { value: instance.protection?.stop ?? false },
    instanceInitiatedShutdownBehavior: { value: instance.evidence?.shutdown ?? 'stop' },
    rootDeviceName: { value: '/dev/xvda' },
    sourceDestCheck: { value: true },
    ebsOptimized: { value: false },
    enaSupport: { value: true },
    groupSet: instanceShape(instance, account.id).groupSet,
  };
  if (!(attribute in values)) {
    throw clientError(
      'InvalidParameterValue',
      `Value (${attribute}) for parameter attribute is invalid. Unknown attribute.`,
    );
  }
  return { output: { instanceId: id, [attribute]: values[attribute] } };
}

/** The ids and filters of a Describe call as CloudTrail has them. */
function describeParameters(input: Input): Readonly<Record<string, unknown>> {
  const instancesSet = texts(input, 'InstanceId').map((instanceId) => ({ instanceId }));
  const filterSet = objects(input, 'Filter').map((filter) => ({
    name: text(filter, 'Name'),
    valueSet: texts(filter, 'Value').map((value) => ({ value })),
  }));
  const maxResults = text(input, 'MaxResults');
  const rest = maxResults === undefined ? {} : { maxResults: Number(maxResults) };
  return { ...rest, ...(asTrail({ instancesSet, filterSet }) as Readonly<Record<string, unknown>>) };
}

const reads: Readonly<Record<string, Operation>> = {
  DescribeInstances: { readOnly: true, parameters: describeParameters, run: describeInstances },
  DescribeInstanceStatus: { readOnly: true, parameters: describeParameters, run: describeInstanceStatus },
  DescribeRegions: { readOnly: true, run: describeRegions },
  DescribeInstanceAttribute: { readOnly: true, run: describeInstanceAttribute },
};

export const ec2: Service = {
  name: 'ec2',
  protocol: 'ec2',
  namespace: 'http://ec2.amazonaws.com/doc/2016-11-15/',
  apiVersion: '2016-11-15',
  eventSource: 'ec2.amazonaws.com',
  global: false,
  operations: {
    ...reads,
    ...ec2Posture,
    ...fleetReads,
    ...networkReads,
    ...imageReads,
    ...powerReads,
    ...ec2Writes,
    ...networkWrites,
    ...powerWrites,
    ...ec2Snapshots,
    ...ec2Profiles,
  },
};
