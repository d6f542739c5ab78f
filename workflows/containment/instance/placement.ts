/**
 * Who would bring an instance back, or go on sending it work: its Auto Scaling group and its load balancers. An instance leaves
 * them first, else the group terminates the "unhealthy" evidence (DOMAIN.md 5.8).
 */
import { DescribeAutoScalingGroupsCommand, DescribeAutoScalingInstancesCommand } from '@aws-sdk/client-auto-scaling';
import type { Instance } from '@aws-sdk/client-ec2';
import { DescribeLoadBalancersCommand } from '@aws-sdk/client-elastic-load-balancing';
import { DescribeTargetGroupsCommand, DescribeTargetHealthCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { z } from 'zod';
import type { AwsReader } from '#src/contracts/aws.ts';
import { UpstreamError } from '#src/contracts/errors.ts';
import { awsErrorFacts } from '#src/domain/aws-errors.ts';
import { inert } from '#src/domain/inert.ts';
import { everyPage } from '#src/domain/pages.ts';

/** Target groups asked at once. */
const atOnce = 5;

export const Scaling = z.strictObject({
  group: z.string(),
  /** InService, Standby, Pending, Terminating, Warmed:... */
  lifecycle: z.string(),
  desired: z.number(),
  min: z.number(),
  max: z.number(),
  /** Processes that are suspended: Launch, Terminate, ReplaceUnhealthy, ... */
  suspended: z.array(z.string()),
});
export type Scaling = z.output<typeof Scaling>;

export const Placement = z.strictObject({
  scaling: Scaling.nullable(),
  /** Its registrations with target groups, but for those that are being drained. */
  targets: z.array(z.strictObject({ groupArn: z.string(), id: z.string(), port: z.number() })),
  /** Names of classic load balancers. */
  balancers: z.array(z.string()),
  /** Of these nothing is known, and why: what is given of them above is empty. Plans of earlier versions had to know all. */
  unread: z.array(z.strictObject({ service: z.enum(['autoscaling', 'elbv2', 'elb']), code: z.string() })).default([]),
});
export type Placement = z.output<typeof Placement>;

export const placementReads = [
  'autoscaling:DescribeAutoScalingGroups',
  'autoscaling:DescribeAutoScalingInstances',
  'elasticloadbalancing:DescribeLoadBalancers',
  'elasticloadbalancing:DescribeTargetGroups',
  'elasticloadbalancing:DescribeTargetHealth',
] as const;

interface Place {
  readonly region: string;
  readonly instance: Instance;
  readonly aws: AwsReader;
  readonly signal: AbortSignal;
}

type Unread = Placement['unread'][number];

/**
 * What holds it, as far as this may be read: an instance can be cut off without. Throws what AWS throws where it may pass, where
 * EC2's tags name a group that cannot be asked (it would terminate the evidence), and where the plan was made with an answer.
 * @param planned the state of the plan, once there is one
 */
export async function placementOf(place: Place, planned?: Readonly<Record<string, unknown>>): Promise<Placement> {
  const before = Placement.shape.unread.parse(planned?.unread);
  const unread: Unread[] = [];
  const read = async <T>(service: Unread['service'], ask: () => Promise<T>, nothing: T): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      const { code, retryable } = awsErrorFacts(error);
      const wasKnown = planned !== undefined && !before.some((one) => one.service === service);
      const isMember = service === 'autoscaling' && place.instance.Tags?.some(({ Key }) => Key === groupTag);
      if ((retryable && !notOffered.test(code)) || wasKnown || isMember || error instanceof UpstreamError) throw error;
      unread.push({ service, code: inert(code, 40) });
      return nothing;
    }
  };
  const [scaling, targets, balancers] = await Promise.all([
    read('autoscaling', () => scalingOf(place), null),
    read('elbv2', () => targetsOf(place), []),
    read('elb', () => balancersOf(place), []),
  ]);
  return { scaling, targets, balancers, unread: unread.sort((a, b) => (a.service < b.service ? -1 : 1)) };
}

/** Only AWS can set it, and sets it on every member. */
const groupTag = 'aws:autoscaling:groupName';
/** Where a service is not there, which some answer with a status that else passes. */
const notOffered = /^(InvalidAction|NotImplemented\w*|UnknownOperation\w*)$/;

/** What nobody knows before the plan is approved, one sentence each. */
export function unreadWords(unread: Placement['unread']): string[] {
  return unread.map(({ service, code }) =>
    service === 'autoscaling'
      ? `Auto Scaling could not be asked (${code}). EC2 shows no group of it; a group that has it all the same would terminate it as unhealthy.`
      : `Whether ${service === 'elb' ? 'classic load balancers send' : 'a load balancer sends'} it requests could not be asked (${code}): one that does stops when its health checks fail.`,
  );
}

/** Its membership of an Auto Scaling group, as Auto Scaling has it; null where it is in none. */
export async function scalingOf({ region, instance, aws, signal }: Place): Promise<Scaling | null> {
  const client = aws.autoScaling(region);
  const options = { abortSignal: signal };
  const id = instance.InstanceId ?? '';
  const found = await everyPage(async (NextToken) => {
    const page = await client.send(new DescribeAutoScalingInstancesCommand({ InstanceIds: [id], NextToken }), options);
    return { items: page.AutoScalingInstances, next: page.NextToken };
  });
  const member = found.find(({ InstanceId }) => InstanceId === id);
  if (member?.AutoScalingGroupName === undefined) return null;
  const group = member.AutoScalingGroupName;
  const groups = await everyPage(async (NextToken) => {
    const input = { AutoScalingGroupNames: [group], NextToken };
    const page = await client.send(new DescribeAutoScalingGroupsCommand(input), options);
    return { items: page.AutoScalingGroups, next: page.NextToken };
  });
  const facts = groups.find(({ AutoScalingGroupName }) => AutoScalingGroupName === group);
  if (facts === undefined) throw notAws('Auto Scaling');
  return {
    group,
    lifecycle: member.LifecycleState ?? 'unknown',
    desired: facts.DesiredCapacity ?? 0,
    min: facts.MinSize ?? 0,
    max: facts.MaxSize ?? 0,
    suspended: (facts.SuspendedProcesses ?? []).map(({ ProcessName }) => ProcessName ?? '').sort(),
  };
}

/** Registered by its id, or by an address of its own. */
async function targetsOf({ region, instance, aws, signal }: Place): Promise<Placement['targets']> {
  const client = aws.elbv2(region);
  const vpcs = new Set(instance.NetworkInterfaces?.map(({ VpcId }) => VpcId));
  const ids = new Set([
    instance.InstanceId,
    ...(instance.NetworkInterfaces ?? []).flatMap(({ PrivateIpAddress, PrivateIpAddresses }) => [
      PrivateIpAddress,
      ...(PrivateIpAddresses ?? []).map((address) => address.PrivateIpAddress),
    ]),
  ]);
  const all = await everyPage(async (Marker) => {
    const page = await client.send(new DescribeTargetGroupsCommand({ Marker }), { abortSignal: signal });
    return { items: page.TargetGroups, next: page.NextMarker };
  });
  const groups = all.flatMap(({ TargetGroupArn, TargetType, VpcId }) => {
    const mayHold = TargetType === 'instance' || TargetType === 'ip';
    return TargetGroupArn !== undefined && mayHold && vpcs.has(VpcId) ? [TargetGroupArn] : [];
  });
  const targets: Placement['targets'] = [];
  for (let at = 0; at < groups.length; at += atOnce) {
    const looks = groups.slice(at, at + atOnce).map(async (groupArn) => {
      const health = await client.send(new DescribeTargetHealthCommand({ TargetGroupArn: groupArn }), {
        abortSignal: signal,
      });
      if (health.TargetHealthDescriptions === undefined) throw notAws('Elastic Load Balancing');
      return health.TargetHealthDescriptions.flatMap(({ Target, TargetHealth }) =>
        Target?.Id !== undefined && ids.has(Target.Id) && TargetHealth?.State !== 'draining'
          ? [{ groupArn, id: Target.Id, port: Target.Port ?? 0 }]
          : [],
      );
    });
    targets.push(...(await Promise.all(looks)).flat());
  }
  return targets.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function key({ groupArn, id, port }: Placement['targets'][number]): string {
  return `${groupArn} ${id} ${port}`;
}

async function balancersOf({ region, instance, aws, signal }: Place): Promise<string[]> {
  const all = await everyPage(async (Marker) => {
    const page = await aws.elb(region).send(new DescribeLoadBalancersCommand({ Marker }), { abortSignal: signal });
    return { items: page.LoadBalancerDescriptions, next: page.NextMarker };
  });
  const names = all.flatMap(({ LoadBalancerName, Instances }) => {
    const isIn = (Instances ?? []).some(({ InstanceId }) => InstanceId === instance.InstanceId);
    return LoadBalancerName !== undefined && isIn ? [LoadBalancerName] : [];
  });
  return names.sort();
}

/** "Could not look" is never "there is none" (safety rule 9). */
function notAws(service: string): UpstreamError {
  return new UpstreamError('aws', 'NotAws', `the answer was not that of ${service}`, { retryable: true });
}
