/** Elastic Load Balancing: both APIs, the classic one and that of target groups. They share a name and differ in version. */
import { AwsError } from './errors.ts';
import type { ClassicLoadBalancer, TargetGroup } from './network.ts';
import { type Call, type Operation, type Outcome, objects, type Service, text } from './service.ts';

const versions = { classic: '2012-06-01', v2: '2015-12-01' } as const;

function here<T extends { readonly region: string }>(call: Call, all: readonly T[]): readonly T[] {
  return all.filter((one) => one.region === call.region);
}

function targetGroupOf(call: Call): TargetGroup {
  const arn = text(call.input, 'TargetGroupArn') ?? '';
  call.may(`elasticloadbalancing:${call.operation}`, call.operation.startsWith('Describe') ? '*' : arn);
  const group = here(call, call.principal.account.network.targetGroups).find((one) => one.arn === arn);
  if (group === undefined) throw new AwsError('TargetGroupNotFound', 400, `Target groups '${arn}' not found`);
  return group;
}

/** A page of the marker's kind. AWS gives up to 400 at a time. */
function page<T>(call: Call, all: readonly T[]): { items: readonly T[]; NextMarker: string | undefined } {
  const size = Number(text(call.input, 'PageSize') ?? '400');
  const start = Number(text(call.input, 'Marker') ?? '0');
  const end = start + size;
  return { items: all.slice(start, end), NextMarker: end < all.length ? String(end) : undefined };
}

function describeTargetGroups(call: Call): Outcome {
  call.may('elasticloadbalancing:DescribeTargetGroups');
  const { items, NextMarker } = page(call, here(call, call.principal.account.network.targetGroups));
  const TargetGroups = items.map((group) => ({
    ...{ TargetGroupArn: group.arn, TargetGroupName: group.name, VpcId: group.vpcId, TargetType: group.targetType },
    ...{ Protocol: 'HTTP', Port: group.port },
  }));
  return { output: { TargetGroups, NextMarker } };
}

function describeTargetHealth(call: Call): Outcome {
  const group = targetGroupOf(call);
  const TargetHealthDescriptions = group.targets.map(({ id, port, draining }) => ({
    Target: { Id: id, Port: port },
    HealthCheckPort: String(port),
    TargetHealth: draining ? { State: 'draining', Reason: 'Target.DeregistrationInProgress' } : { State: 'healthy' },
  }));
  return { output: { TargetHealthDescriptions } };
}

function targetsIn(call: Call, group: TargetGroup) {
  return objects(call.input, 'Targets').map((one) => ({
    id: text(one, 'Id') ?? '',
    port: Number(text(one, 'Port') ?? group.port),
  }));
}

function deregisterTargets(call: Call): Outcome {
  const group = targetGroupOf(call);
  for (const { id, port } of targetsIn(call, group)) {
    for (const one of group.targets) if (one.id === id && one.port === port) one.draining = true;
  }
  return { output: {}, responseElements: {} };
}

function registerTargets(call: Call): Outcome {
  const group = targetGroupOf(call);
  for (const { id, port } of targetsIn(call, group)) {
    const kept = group.targets.filter((one) => one.id !== id || one.port !== port);
    group.targets.splice(0, group.targets.length, ...kept, { id, port, draining: false });
  }
  return { output: {}, responseElements: {} };
}

function describeLoadBalancers(call: Call): Outcome {
  call.may('elasticloadbalancing:DescribeLoadBalancers');
  const { items, NextMarker } = page(call, here(call, call.principal.account.network.loadBalancers));
  const LoadBalancerDescriptions = items.map((balancer) => ({
    ...{ LoadBalancerName: balancer.name, VPCId: balancer.vpcId, Scheme: 'internet-facing' },
    DNSName: `${balancer.name}-1.${call.region}.elb.amazonaws.com`,
    Instances: balancer.instances.map((InstanceId) => ({ InstanceId })),
  }));
  return { output: { LoadBalancerDescriptions, NextMarker } };
}

function classicOf(call: Call): ClassicLoadBalancer {
  const name = text(call.input, 'LoadBalancerName') ?? '';
  const { account } = call.principal;
  const arn = `arn:aws:elasticloadbalancing:${call.region}:${account.id}:loadbalancer/${name}`;
  call.may(`elasticloadbalancing:${call.operation}`, arn);
  const found = here(call, account.network.loadBalancers).find((one) => one.name === name);
  if (found === undefined) {
    throw new AwsError('LoadBalancerNotFound', 400, `There is no ACTIVE Load Balancer named '${name}'`);
  }
  return found;
}

function changeClassic(verb: 'add' | 'remove') {
  return (call: Call): Outcome => {
    const balancer = classicOf(call);
    const ids = objects(call.input, 'Instances').map((one) => text(one, 'InstanceId') ?? '');
    const known = verb === 'add' ? call.principal.account.instances.map(({ id }) => id) : balancer.instances;
    const missing = ids.find((id) => !known.includes(id));
    if (missing !== undefined) {
      throw new AwsError('InvalidInstance', 400, `Could not find EC2 instance ${missing}.`);
    }
    const kept = balancer.instances.filter((id) => !ids.includes(id));
    balancer.instances.splice(0, balancer.instances.length, ...kept, ...(verb === 'add' ? ids : []));
    return {
      output: { Instances: balancer.instances.map((InstanceId) => ({ InstanceId })) },
      responseElements: { instances: balancer.instances.map((instanceId) => ({ instanceId })) },
    };
  };
}

const classicOperations: Readonly<Record<string, Operation>> = {
  DescribeLoadBalancers: { readOnly: true, run: describeLoadBalancers },
  RegisterInstancesWithLoadBalancer: { readOnly: false, run: changeClassic('add') },
  DeregisterInstancesFromLoadBalancer: { readOnly: false, run: changeClassic('remove') },
};

const v2Operations: Readonly<Record<string, Operation>> = {
  DescribeTargetGroups: { readOnly: true, run: describeTargetGroups },
  DescribeTargetHealth: { readOnly: true, run: describeTargetHealth },
  DeregisterTargets: { readOnly: false, run: deregisterTargets },
  RegisterTargets: { readOnly: false, run: registerTargets },
};

function service(apiVersion: string, operations: Readonly<Record<string, Operation>>): Service {
  return {
    name: 'elasticloadbalancing',
    protocol: 'query',
    namespace: `http://elasticloadbalancing.amazonaws.com/doc/${apiVersion}/`,
    apiVersion,
    eventSource: 'elasticloadbalancing.amazonaws.com',
    global: false,
    operations,
  };
}

const classic = service(versions.classic, classicOperations);
const v2 = service(versions.v2, v2Operations);

/** The API that a request is for, by the version in its body. */
export function loadBalancing(body: string): Service {
  return new URLSearchParams(body).get('Version') === versions.v2 ? v2 : classic;
}
