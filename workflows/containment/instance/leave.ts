/** The calls that take an instance out of its Auto Scaling group and its load balancers, and those that bring it back. */
import type { DoneCall } from '#src/contracts/approval.ts';
import type { ApiCall, PolicyDocument } from '#src/contracts/aws.ts';
import type { Placement, Scaling } from './placement.ts';

type Known = Omit<Placement, 'unread'>;

interface Placed extends Known {
  readonly region: string;
}

/** In Standby a member is neither health-checked nor replaced nor scaled in. */
export function standbyCall(id: string, { region, scaling }: Placed, decrement: boolean): readonly ApiCall[] {
  return scaling?.lifecycle === 'InService' ? [scalingCall('EnterStandby', id, region, scaling, decrement)] : [];
}

/** For what is about to be terminated: then it is no member any more. */
export function detachCall(id: string, { region, scaling }: Placed, decrement: boolean): readonly ApiCall[] {
  const isMember = scaling?.lifecycle === 'InService' || scaling?.lifecycle === 'Standby';
  // A member in Standby does not count towards the desired capacity: there is nothing to decrement.
  const less = decrement && scaling?.lifecycle === 'InService';
  return isMember ? [scalingCall('DetachInstances', id, region, scaling, less)] : [];
}

function scalingCall(operation: string, id: string, region: string, { group }: Scaling, decrement: boolean): ApiCall {
  const input = {
    InstanceIds: [id],
    AutoScalingGroupName: group,
    ShouldDecrementDesiredCapacity: decrement,
  };
  return { service: 'autoscaling', operation, region, input };
}

/** As many as a session policy has room for beside the rest. Nodes of a cluster are in many more. */
const most = 4;

/** One sentence where it stays registered with some. */
export function leftRegistered({ targets, balancers }: Pick<Placement, 'targets' | 'balancers'>): string[] {
  const left = Math.max(0, targets.length - most) + Math.max(0, balancers.length - most);
  if (left === 0) return [];
  return [
    `It stays registered with ${left} more target groups or load balancers: they stop sending it requests when their health checks fail.`,
  ];
}

/** A load balancer that refuses is named, and hinders nothing. */
export function deregisterCalls(id: string, { region, targets, balancers }: Placed): readonly ApiCall[] {
  return [
    ...targets.slice(0, most).map(
      (target): ApiCall => ({
        ...{ service: 'elbv2', operation: 'DeregisterTargets', region, goesOn: true },
        input: { TargetGroupArn: target.groupArn, Targets: [{ Id: target.id, Port: target.port }] },
      }),
    ),
    ...balancers.slice(0, most).map(
      (name): ApiCall => ({
        ...{ service: 'elb', operation: 'DeregisterInstancesFromLoadBalancer', region, goesOn: true },
        input: { LoadBalancerName: name, Instances: [{ InstanceId: id }] },
      }),
    ),
  ];
}

const back: Readonly<Record<string, string>> = {
  DeregisterTargets: 'RegisterTargets',
  DeregisterInstancesFromLoadBalancer: 'RegisterInstancesWithLoadBalancer',
  EnterStandby: 'ExitStandby',
};

/** What undoes those of `done` that still show in `now`. Leaving Standby comes last: the group then judges its health. */
export function returnCalls(done: readonly DoneCall[], now: Placed): readonly ApiCall[] {
  const undone = done.flatMap(({ call }): readonly ApiCall[] => {
    const operation = Object.hasOwn(back, call.operation) ? back[call.operation] : undefined;
    if (operation === undefined || placementSeen(call, now) === undefined) return [];
    const { ShouldDecrementDesiredCapacity: _, ...input } = call.input;
    return [{ service: call.service, operation, region: call.region, input, goesOn: true }];
  });
  const isLast = ({ operation }: ApiCall) => operation === 'ExitStandby';
  return [...undone.filter((call) => !isLast(call)), ...undone.filter(isLast)];
}

/** Whether what was just read shows one of these calls as carried out. Undefined also for every other call. */
export function placementSeen(
  { operation, input }: ApiCall,
  now: Known,
): Readonly<Record<string, unknown>> | undefined {
  return isDone(operation, input, now) ? {} : undefined;
}

function isDone(operation: string, input: ApiCall['input'], { scaling, targets, balancers }: Known): boolean {
  const lifecycle = scaling?.lifecycle ?? '';
  switch (operation) {
    case 'EnterStandby':
      return lifecycle === 'Standby' || lifecycle === 'EnteringStandby';
    case 'ExitStandby':
      return lifecycle === 'InService' || lifecycle.startsWith('Pending');
    case 'DetachInstances':
      return scaling === null || lifecycle.startsWith('Detach');
    case 'DeregisterTargets':
      return !isTarget(input, targets);
    case 'RegisterTargets':
      return isTarget(input, targets);
    case 'DeregisterInstancesFromLoadBalancer':
      return !balancers.includes(String(input.LoadBalancerName));
    case 'RegisterInstancesWithLoadBalancer':
      return balancers.includes(String(input.LoadBalancerName));
    default:
      return false;
  }
}

function isTarget({ TargetGroupArn, Targets }: ApiCall['input'], targets: Placement['targets']): boolean {
  const [wanted] = Targets as readonly { readonly Id: string; readonly Port: number }[];
  return targets.some(
    ({ groupArn, id, port }) => groupArn === TargetGroupArn && id === wanted?.Id && port === wanted.Port,
  );
}

type Statements = PolicyDocument['Statement'];

/** What a session needs for these calls, on these resources only. */
export function placementStatements(
  calls: readonly ApiCall[],
  region: string,
  accountId: string,
  partition: string,
): Statements {
  const resources = new Map<string, Set<string>>();
  for (const { service, operation, input } of calls) {
    const named = resourceOf(service, input);
    if (named === undefined) continue;
    const [prefix, resource] = named;
    const arn = `arn:${partition}:${prefix}:${region}:${accountId}:${resource}`;
    const action = `${prefix}:${operation}`;
    resources.set(action, (resources.get(action) ?? new Set()).add(arn));
  }
  return [...resources].map(([action, arns]) => ({ Effect: 'Allow', Action: [action], Resource: [...arns] }));
}

/** IAM's name of the service, and the resource of the ARN. */
function resourceOf(service: string, input: ApiCall['input']): readonly [string, string] | undefined {
  switch (service) {
    case 'autoscaling':
      return ['autoscaling', `autoScalingGroup:*:autoScalingGroupName/${input.AutoScalingGroupName}`];
    case 'elbv2':
      return ['elasticloadbalancing', String(input.TargetGroupArn).split(':').slice(5).join(':')];
    case 'elb':
      return ['elasticloadbalancing', `loadbalancer/${input.LoadBalancerName}`];
    default:
      return undefined;
  }
}

export const targetWrites = ['elasticloadbalancing:DeregisterTargets', 'elasticloadbalancing:RegisterTargets'];
export const classicWrites = [
  'elasticloadbalancing:DeregisterInstancesFromLoadBalancer',
  'elasticloadbalancing:RegisterInstancesWithLoadBalancer',
];

/** What the group does meanwhile, one sentence each. `optional`: the plan may have been asked for with no-replacement. */
export function scalingWords(scaling: Scaling | null, optional: boolean): string[] {
  if (scaling === null) return [];
  const { group, lifecycle, suspended } = scaling;
  if (lifecycle !== 'InService' && lifecycle !== 'Standby') {
    return [
      `The Auto Scaling group ${group} has it as ${lifecycle}, which this plan cannot take out: the group may still terminate or replace it.`,
    ];
  }
  const lines = [
    `Whoever may change the Auto Scaling group ${group} can still delete it, and with it its members, those in Standby too.`,
  ];
  if (lifecycle === 'InService') {
    lines.push(
      suspended.includes('Launch')
        ? 'The group launches nothing in its place, because its process Launch is suspended.'
        : `${optional ? 'Without no-replacement the' : 'The'} group launches another instance in its place from the same template: what let the attacker in may be in that one too.`,
    );
  }
  return lines;
}
