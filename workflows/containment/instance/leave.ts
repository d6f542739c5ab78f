/** The calls that take an instance out of its Auto Scaling group and its load balancers, and those that bring it back. */
import type { DoneCall } from '#src/contracts/approval.ts';
import type { ApiCall, PolicyDocument } from '#src/contracts/aws.ts';
import type { Placement, Scaling } from './placement.ts';

interface Placed extends Placement {
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

/** A load balancer that refuses is named, and hinders nothing. */
export function deregisterCalls(id: string, { region, targets, balancers }: Placed): readonly ApiCall[] {
  return [
    ...targets.map(
      (target): ApiCall => ({
        ...{ service: 'elbv2', operation: 'DeregisterTargets', region, goesOn: true },
        input: { TargetGroupArn: target.groupArn, Targets: [{ Id: target.id, Port: target.port }] },
      }),
    ),
    ...balancers.map(
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
  now: Placement,
): Readonly<Record<string, unknown>> | undefined {
  return isDone(operation, input, now) ? {} : undefined;
}

function isDone(operation: string, input: ApiCall['input'], { scaling, targets, balancers }: Placement): boolean {
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

/** What a session needs for these calls and the ones that undo them, on these resources only. */
export function placementStatements(
  calls: readonly ApiCall[],
  region: string,
  accountId: string,
  partition: string,
): Statements {
  const arn = (service: string, resource: string) => `arn:${partition}:${service}:${region}:${accountId}:${resource}`;
  const of = (...operations: readonly string[]) => calls.filter(({ operation }) => operations.includes(operation));
  const statements: Statements[number][] = [];
  const allow = (Action: readonly string[], Resource: readonly string[]) => {
    if (Resource.length > 0) statements.push({ Effect: 'Allow', Action, Resource: [...new Set(Resource)] });
  };
  const groups = (found: readonly ApiCall[]) =>
    found.map(({ input }) =>
      arn('autoscaling', `autoScalingGroup:*:autoScalingGroupName/${input.AutoScalingGroupName}`),
    );
  allow(['autoscaling:EnterStandby', 'autoscaling:ExitStandby'], groups(of('EnterStandby', 'ExitStandby')));
  allow(['autoscaling:DetachInstances'], groups(of('DetachInstances')));
  allow(
    targetWrites,
    of('DeregisterTargets', 'RegisterTargets').map(({ input }) =>
      arn('elasticloadbalancing', String(input.TargetGroupArn).split(':').slice(5).join(':')),
    ),
  );
  allow(
    classicWrites,
    of('DeregisterInstancesFromLoadBalancer', 'RegisterInstancesWithLoadBalancer').map(({ input }) =>
      arn('elasticloadbalancing', `loadbalancer/${input.LoadBalancerName}`),
    ),
  );
  return statements;
}

export const targetWrites = ['elasticloadbalancing:DeregisterTargets', 'elasticloadbalancing:RegisterTargets'];
export const classicWrites = [
  'elasticloadbalancing:DeregisterInstancesFromLoadBalancer',
  'elasticloadbalancing:RegisterInstancesWithLoadBalancer',
];

/** What the group does meanwhile, one sentence each. `leaving`: the plan takes the instance out of it. */
export function scalingWords(scaling: Scaling | null, decrement: boolean): string[] {
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
  if (lifecycle === 'InService' && !decrement) {
    lines.push(
      suspended.includes('Launch')
        ? `The group launches nothing in its place, because its process Launch is suspended.`
        : `The group launches another instance in its place from the same template: what let the attacker in may be in that one too.`,
    );
  }
  return lines;
}
