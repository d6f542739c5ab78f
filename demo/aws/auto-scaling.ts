/** Amazon EC2 Auto Scaling: groups that replace what is not healthy, and the ways out of them. */
import { AwsError } from './errors.ts';
import type { Random } from './ids.ts';
import { interfacesOf, type ScalingGroup } from './network.ts';
import type { Value } from './protocols.ts';
import { type Call, type Operation, type Outcome, type Service, text, texts } from './service.ts';
import type { Account, Instance } from './state.ts';

const version = '2011-01-01';
const alive = ['pending', 'running'];
/** Members that count towards the desired capacity. */
const inService = ['Pending', 'InService'];

/** A new machine like this one, as the group's launch template would make it. */
function launch(account: Account, group: ScalingGroup, like: Instance, random: Random, now: Date): Instance {
  const { interfaces: _interfaces, protection: _protection, ...rest } = like;
  const made: Instance = {
    ...rest,
    id: `i-${random.hex(17)}`,
    reservationId: `r-${random.hex(17)}`,
    networkInterfaceId: `eni-${random.hex(17)}`,
    privateIp: `10.0.${random.below(200)}.${10 + random.below(200)}`,
    launchTime: now,
    clientToken: random.uuid(),
    tags: [{ Key: 'aws:autoscaling:groupName', Value: group.name }],
    state: 'pending',
  };
  account.instances.push(made);
  group.members.set(made.id, 'InService');
  for (const target of account.network.targetGroups.filter(({ arn }) => group.targetGroupArns.includes(arn))) {
    target.targets.push({ id: made.id, port: target.port, draining: false });
  }
  return made;
}

function leave(account: Account, group: ScalingGroup, id: string): void {
  for (const target of account.network.targetGroups.filter(({ arn }) => group.targetGroupArns.includes(arn))) {
    for (const one of target.targets) if (one.id === id) one.draining = true;
  }
  for (const balancer of account.network.loadBalancers) {
    if (!group.loadBalancerNames.includes(balancer.name)) continue;
    const at = balancer.instances.indexOf(id);
    if (at >= 0) balancer.instances.splice(at, 1);
  }
}

/** What the groups of a Region do when nobody looks: a member that does not run is terminated, and another one launched. */
export function replaceUnhealthy(account: Account, region: string, random: Random, now: Date): void {
  for (const group of account.network.scalingGroups.filter((one) => one.region === region)) {
    let like: Instance | undefined;
    for (const [id, state] of [...group.members]) {
      const instance = account.instances.find((one) => one.id === id);
      like ??= instance;
      if (!inService.includes(state) || instance === undefined || alive.includes(instance.state)) continue;
      if (group.suspended.includes('ReplaceUnhealthy') || group.suspended.includes('HealthCheck')) continue;
      if (!group.suspended.includes('Terminate')) instance.state = 'terminated';
      leave(account, group, id);
      group.members.delete(id);
    }
    if (like === undefined || group.suspended.includes('Launch')) continue;
    const missing = group.desired - [...group.members.values()].filter((state) => inService.includes(state)).length;
    for (let made = 0; made < missing; made += 1) launch(account, group, like, random, now);
  }
}

function settleGroups(call: Call): void {
  replaceUnhealthy(call.principal.account, call.region, call.random, call.now);
}

function groupsHere(call: Call): readonly ScalingGroup[] {
  return call.principal.account.network.scalingGroups.filter((group) => group.region === call.region);
}

const emptyUuid = '00000000-0000-4000-8000-000000000000';

function arnOf(call: Call, name: string, uuid = '*'): string {
  const { account } = call.principal;
  return `arn:aws:autoscaling:${call.region}:${account.id}:autoScalingGroup:${uuid}:autoScalingGroupName/${name}`;
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationError', 400, message, 'ValidationException');
}

function memberShape(account: Account, group: ScalingGroup, id: string) {
  const instance = account.instances.find((one) => one.id === id);
  return {
    ...{ InstanceId: id, LifecycleState: group.members.get(id), HealthStatus: 'Healthy' },
    AvailabilityZone: instance?.availabilityZone,
    InstanceType: instance?.type,
    ProtectedFromScaleIn: false,
  };
}

function describeInstances(call: Call): Outcome {
  call.may('autoscaling:DescribeAutoScalingInstances');
  settleGroups(call);
  const ids = texts(call.input, 'InstanceIds');
  const AutoScalingInstances = groupsHere(call).flatMap((group) =>
    [...group.members.keys()]
      .filter((id) => ids.length === 0 || ids.includes(id))
      .map((id) => ({
        ...memberShape(call.principal.account, group, id),
        HealthStatus: 'HEALTHY',
        AutoScalingGroupName: group.name,
      })),
  );
  return { output: { AutoScalingInstances } };
}

function describeGroups(call: Call): Outcome {
  call.may('autoscaling:DescribeAutoScalingGroups');
  settleGroups(call);
  const names = texts(call.input, 'AutoScalingGroupNames');
  const AutoScalingGroups = groupsHere(call)
    .filter(({ name }) => names.length === 0 || names.includes(name))
    .map((group) => ({
      ...{ AutoScalingGroupName: group.name, AutoScalingGroupARN: arnOf(call, group.name, group.uuid) },
      ...{ MinSize: group.minSize, MaxSize: group.maxSize, DesiredCapacity: group.desired, DefaultCooldown: 300 },
      AvailabilityZones: [`${call.region}a`],
      LoadBalancerNames: group.loadBalancerNames,
      TargetGroupARNs: group.targetGroupArns,
      HealthCheckType: 'EC2',
      HealthCheckGracePeriod: 300,
      CreatedTime: call.now,
      SuspendedProcesses: group.suspended.map((ProcessName) => ({ ProcessName, SuspensionReason: 'User suspended' })),
      Instances: [...group.members.keys()].map((id) => memberShape(call.principal.account, group, id)),
    }));
  return { output: paged(call, [...AutoScalingGroups, ...emptyGroups(call, names)]) };
}

/** The groups of the account's set-up, in which no machine is. */
function emptyGroups(call: Call, names: readonly string[]) {
  return call.principal.account.posture.scalingGroups
    .filter(({ region, name }) => region === call.region && (names.length === 0 || names.includes(name)))
    .map((group) => ({
      ...{ AutoScalingGroupName: group.name, AutoScalingGroupARN: arnOf(call, group.name, emptyUuid) },
      ...{ MinSize: 0, MaxSize: group.most, DesiredCapacity: group.wanted, DefaultCooldown: 300 },
      AvailabilityZones: [`${group.region}a`],
      HealthCheckType: 'EC2',
      HealthCheckGracePeriod: 0,
      CreatedTime: group.madeAt,
      Instances: [],
    }));
}

function paged(call: Call, groups: readonly { readonly [k: string]: Value }[]) {
  const size = Number(text(call.input, 'MaxRecords') ?? '50');
  const start = Number(text(call.input, 'NextToken') ?? '0');
  if (!Number.isInteger(size) || size < 1 || size > 100) throw invalid('MaxRecords must be between 1 and 100.');
  if (!Number.isInteger(start) || start < 0) throw new AwsError('InvalidNextToken', 400, 'The token is not valid.');
  const end = start + size;
  const more = end < groups.length ? { NextToken: String(end) } : {};
  return { AutoScalingGroups: groups.slice(start, end), ...more };
}

/** The group and the members that the call names, once the caller may. */
function membersOf(call: Call): { group: ScalingGroup; ids: readonly string[] } {
  const name = text(call.input, 'AutoScalingGroupName') ?? '';
  const group = groupsHere(call).find((one) => one.name === name);
  call.may(`autoscaling:${call.operation}`, arnOf(call, name, group?.uuid));
  if (group === undefined) throw invalid(`AutoScalingGroup name not found - AutoScalingGroup: ${name}`);
  const ids = texts(call.input, 'InstanceIds');
  for (const id of ids) {
    if (!group.members.has(id)) throw invalid(`The instance ${id} is not part of Auto Scaling group ${name}.`);
  }
  return { group, ids };
}

function activities(call: Call, group: ScalingGroup, what: string, ids: readonly string[]): Outcome {
  const list = ids.map((id) => ({
    ...{ ActivityId: call.random.uuid(), AutoScalingGroupName: group.name, Description: `${what}: ${id}` },
    ...{ Cause: 'a user request', StartTime: call.now, StatusCode: 'InProgress', Progress: 50 },
  }));
  return { output: { Activities: list }, responseElements: { activities: list.length } };
}

/** Takes the members out, by Standby or for good. Without decrement another one is launched. */
function takeOut(call: Call, detach: boolean): Outcome {
  const { group, ids } = membersOf(call);
  const decrement = text(call.input, 'ShouldDecrementDesiredCapacity');
  if (decrement === undefined) throw invalid('ShouldDecrementDesiredCapacity is required');
  for (const id of ids) {
    const state = group.members.get(id);
    if (state === 'InService' || (detach && state === 'Standby')) continue;
    throw invalid(`The instance ${id} is in ${state}; it must be InService.`);
  }
  if (decrement === 'true' && group.desired - ids.length < group.minSize) {
    const wanted = group.desired - ids.length;
    throw invalid(
      `AutoScalingGroup ${group.name} has min-size=${group.minSize}, max-size=${group.maxSize}, and desired-size=${group.desired}. To place into standby ${ids.length} instance will need to update the AutoScalingGroup to a desired size of ${wanted}.`,
    );
  }
  const { account } = call.principal;
  for (const id of ids) {
    if (decrement === 'true' && group.members.get(id) === 'InService') group.desired -= 1;
    leave(account, group, id);
    if (!detach) group.members.set(id, 'Standby');
    else {
      group.members.delete(id);
      const tags = account.instances.find((one) => one.id === id)?.tags;
      const kept = tags?.filter(({ Key }) => Key !== 'aws:autoscaling:groupName') ?? [];
      tags?.splice(0, tags.length, ...kept);
    }
    const like = account.instances.find((one) => one.id === id);
    const present = [...group.members.values()].filter((state) => inService.includes(state)).length;
    if (like !== undefined && present < group.desired && !group.suspended.includes('Launch')) {
      interfacesOf(launch(account, group, like, call.random, call.now));
    }
  }
  return activities(call, group, detach ? 'Detaching EC2 instance' : 'Moving EC2 instance to Standby', ids);
}

function exitStandby(call: Call): Outcome {
  const { group, ids } = membersOf(call);
  for (const id of ids) {
    const state = group.members.get(id);
    if (state !== 'Standby') throw invalid(`The instance ${id} is in ${state}; it must be Standby.`);
  }
  if (group.desired + ids.length > group.maxSize) {
    const wanted = group.desired + ids.length;
    throw invalid(
      `AutoScalingGroup ${group.name} has min-size=${group.minSize}, max-size=${group.maxSize}, and desired-size=${group.desired}. To exit standby the desired size would be ${wanted}.`,
    );
  }
  const { network } = call.principal.account;
  for (const id of ids) {
    group.desired += 1;
    group.members.set(id, 'InService');
    for (const target of network.targetGroups.filter(({ arn }) => group.targetGroupArns.includes(arn))) {
      const kept = target.targets.filter((one) => one.id !== id);
      target.targets.splice(0, target.targets.length, ...kept, { id, port: target.port, draining: false });
    }
    for (const balancer of network.loadBalancers) {
      const isOurs = group.loadBalancerNames.includes(balancer.name);
      if (isOurs && !balancer.instances.includes(id)) balancer.instances.push(id);
    }
  }
  return activities(call, group, 'Moving EC2 instance out of Standby', ids);
}

const operations: Readonly<Record<string, Operation>> = {
  DescribeAutoScalingInstances: { readOnly: true, run: describeInstances },
  DescribeAutoScalingGroups: { readOnly: true, run: describeGroups },
  EnterStandby: { readOnly: false, run: (call) => takeOut(call, false) },
  DetachInstances: { readOnly: false, run: (call) => takeOut(call, true) },
  ExitStandby: { readOnly: false, run: exitStandby },
};

export const autoScaling: Service = {
  name: 'autoscaling',
  protocol: 'query',
  namespace: `http://autoscaling.amazonaws.com/doc/${version}/`,
  apiVersion: version,
  eventSource: 'autoscaling.amazonaws.com',
  global: false,
  operations,
};
