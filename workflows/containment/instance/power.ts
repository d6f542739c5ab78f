/** What starting, stopping and terminating an instance have in common: protections, spot requests, and the calls on them. */
import {
  DescribeInstanceAttributeCommand,
  DescribeInstanceTypesCommand,
  DescribeSpotInstanceRequestsCommand,
  type Instance,
} from '@aws-sdk/client-ec2';
import { z } from 'zod';
import type { ActionContext } from '#src/contracts/action.ts';
import type { ApiCall, AwsReader, PolicyDocument } from '#src/contracts/aws.ts';
import type { CloudTrailRecord } from '#src/contracts/cloudtrail.ts';
import { UpstreamError, UserError } from '#src/contracts/errors.ts';
import { everyPage } from '#src/domain/pages.ts';
import { backgroundOf } from './background.ts';
import { findInstance, InstanceFacts, InstanceTarget, instanceFacts } from './instance-of.ts';
import { placementSeen, placementStatements } from './leave.ts';
import { Scaling, scalingOf } from './placement.ts';

/** Of an instance whose load balancers are not looked at. */
export const unplaced = { targets: [], balancers: [] };
export const gone: readonly string[] = ['shutting-down', 'terminated'];

/** `no-replacement`: its Auto Scaling group wants one instance less, so that none is launched in its place. */
export const PowerTarget = InstanceTarget.extend({ replacement: z.enum(['', 'no-replacement']) });
export type PowerTarget = z.output<typeof PowerTarget>;

export const PowerState = InstanceFacts.extend({
  /** DisableApiStop, which also hinders TerminateInstances, and DisableApiTermination. */
  stopProtected: z.boolean(),
  terminationProtected: z.boolean(),
  spot: z.strictObject({ requestId: z.string(), type: z.string(), state: z.string() }).nullable(),
  /** `ebs`, or `instance-store`: then the root disk is lost with a stop, which AWS refuses. */
  rootDevice: z.string(),
  volumes: z.array(z.strictObject({ id: z.string(), device: z.string(), deleteOnTermination: z.boolean() })),
  scaling: Scaling.nullable(),
});
export type PowerState = z.output<typeof PowerState>;

export const powerReads = [
  'autoscaling:DescribeAutoScalingGroups',
  'autoscaling:DescribeAutoScalingInstances',
  'ec2:DescribeInstanceAttribute',
  'ec2:DescribeInstances',
  'ec2:DescribeInstanceTypes',
  'ec2:DescribeSpotInstanceRequests',
];

/** Throws as findInstance does, and UserError where the group may not have one instance less. */
export async function powerState(
  target: PowerTarget,
  ctx: ActionContext,
): Promise<{ readonly state: PowerState; readonly instance: Instance }> {
  const { region, instance } = await findInstance(target, ctx);
  const { aws, signal } = ctx;
  const facts = instanceFacts(region, instance, aws);
  const isGone = gone.includes(facts.state);
  const attribute = (name: 'disableApiStop' | 'disableApiTermination') =>
    // Of what is being terminated the attributes say nothing any more.
    isGone ? Promise.resolve(false) : isSet(target.instanceId, name, region, aws, signal);
  const [scaling, stopProtected, terminationProtected, spot] = await Promise.all([
    scalingOf({ region, instance, aws, signal }),
    attribute('disableApiStop'),
    attribute('disableApiTermination'),
    spotOf(instance, region, aws, signal),
  ]);
  const { replacement } = target;
  if (replacement !== '' && scaling?.lifecycle === 'InService' && scaling.desired <= scaling.min && !isGone) {
    throw new UserError(
      `The Auto Scaling group ${scaling.group} may not have fewer than ${scaling.min} instances: it would launch another one.`,
      'Lower its minimum first, or leave out no-replacement.',
    );
  }
  const volumes = (instance.BlockDeviceMappings ?? []).map(({ DeviceName, Ebs }) => ({
    id: Ebs?.VolumeId ?? '',
    device: DeviceName ?? '',
    deleteOnTermination: Ebs?.DeleteOnTermination ?? false,
  }));
  const state = {
    ...{ ...facts, stopProtected, terminationProtected, spot, scaling },
    rootDevice: instance.RootDeviceType ?? 'ebs',
    volumes: volumes.sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
  return { state, instance };
}

async function isSet(
  InstanceId: string,
  Attribute: 'disableApiStop' | 'disableApiTermination',
  region: string,
  aws: AwsReader,
  signal: AbortSignal,
): Promise<boolean> {
  const command = new DescribeInstanceAttributeCommand({ InstanceId, Attribute });
  const answer = await aws.ec2(region).send(command, { abortSignal: signal });
  if (answer.InstanceId === undefined) {
    throw new UpstreamError('aws', 'NotAws', "the answer was not EC2's", { retryable: true });
  }
  const value = Attribute === 'disableApiStop' ? answer.DisableApiStop : answer.DisableApiTermination;
  return value?.Value === true;
}

async function spotOf(
  { SpotInstanceRequestId: requestId }: Instance,
  region: string,
  aws: AwsReader,
  signal: AbortSignal,
): Promise<PowerState['spot']> {
  if (requestId === undefined || requestId === '') return null;
  // By filter: a request that is long over is then an empty answer and no error.
  const Filters = [{ Name: 'spot-instance-request-id', Values: [requestId] }];
  const requests = await everyPage(async (NextToken) => {
    const page = await aws.ec2(region).send(new DescribeSpotInstanceRequestsCommand({ Filters, NextToken }), {
      abortSignal: signal,
    });
    return { items: page.SpotInstanceRequests, next: page.NextToken };
  });
  const request = requests.find(({ SpotInstanceRequestId }) => SpotInstanceRequestId === requestId);
  return { requestId, type: request?.Type ?? 'one-time', state: request?.State ?? 'closed' };
}

/** A word more after the instance. Throws UserError. */
/** What an approver should know beside the plan: whose it is, and what is lost with its disks. */
export async function powerBackground(
  target: PowerTarget,
  before: PowerState,
  ctx: ActionContext & { readonly records?: readonly CloudTrailRecord[] },
): Promise<string[]> {
  const { instance } = await powerState(target, { ...ctx, planned: before });
  const disks = await instanceStoreWords(instance, before.region, ctx.aws, ctx.signal);
  return [...backgroundOf(instance, unplaced, ctx.records ?? []), ...disks];
}

export function replacementIn(words: readonly string[], usage: string): PowerTarget['replacement'] {
  const [word = '', ...more] = words;
  if (more.length === 0 && (word === '' || word === 'no-replacement')) return word;
  throw new UserError('After the instance comes nothing, or no-replacement.', `Usage: contain ${usage}`);
}

/** AWS knows no protection of spot instances. Sent whether it is set or not: an attacker who sets it must not void a plan. */
export function unprotectCalls(
  id: string,
  { region, spot, lifecycle }: PowerState,
  ...attributes: readonly ('DisableApiStop' | 'DisableApiTermination')[]
): readonly ApiCall[] {
  if (spot !== null || lifecycle === 'spot') return [];
  return attributes.map((attribute) => protectionCall(id, region, attribute, false));
}

export function protectionCall(id: string, region: string, attribute: string, value: boolean): ApiCall {
  return ec2Call('ModifyInstanceAttribute', region, { InstanceId: id, [attribute]: { Value: value } });
}

export function ec2Call(operation: string, region: string, input: ApiCall['input']): ApiCall {
  return { service: 'ec2', operation, region, input };
}

/** Whether what was just read shows the call as carried out. */
export function powerSeen(call: ApiCall, now: PowerState): Readonly<Record<string, unknown>> | undefined {
  const { operation, input } = call;
  if (call.service !== 'ec2') return placementSeen(call, { scaling: now.scaling, targets: [], balancers: [] });
  const value = (name: string) => (input[name] as { readonly Value?: boolean } | undefined)?.Value;
  const done: Readonly<Record<string, boolean>> = {
    StartInstances: ['pending', 'running'].includes(now.state),
    StopInstances: ['stopping', 'stopped'].includes(now.state),
    TerminateInstances: gone.includes(now.state),
    CancelSpotInstanceRequests: ['cancelled', 'closed'].includes(now.spot?.state ?? 'closed'),
    ModifyInstanceAttribute:
      value('DisableApiStop') === undefined
        ? value('DisableApiTermination') === now.terminationProtected
        : value('DisableApiStop') === now.stopProtected,
  };
  return Object.hasOwn(done, operation) && done[operation] === true ? {} : undefined;
}

/** What a session needs for these calls, on this instance only. */
export function powerStatements(
  instanceId: string,
  region: string,
  calls: readonly ApiCall[],
  accountId: string,
  partition: string,
): PolicyDocument['Statement'] {
  const arn = (kind: string, id: string) => `arn:${partition}:ec2:${region}:${accountId}:${kind}/${id}`;
  const operations = [...new Set(calls.filter(({ service }) => service === 'ec2').map(({ operation }) => operation))];
  const onInstance = operations.filter((operation) => operation !== 'CancelSpotInstanceRequests');
  const requests = calls.flatMap(({ input }) => (input.SpotInstanceRequestIds as readonly string[] | undefined) ?? []);
  return [
    { Effect: 'Allow', Action: powerReads, Resource: '*' },
    // AWS takes no statement without an action.
    ...(onInstance.length === 0
      ? []
      : [
          {
            Effect: 'Allow' as const,
            Action: onInstance.map((operation) => `ec2:${operation}`),
            Resource: arn('instance', instanceId),
          },
        ]),
    ...(requests.length === 0
      ? []
      : [
          {
            Effect: 'Allow' as const,
            Action: ['ec2:CancelSpotInstanceRequests'],
            Resource: requests.map((id) => arn('spot-instances-request', id)),
          },
        ]),
    ...placementStatements(calls, region, accountId, partition),
  ];
}

/** Data on disks that belong to the host and not to EBS, one sentence where the type has such. */
async function instanceStoreWords(
  { InstanceType }: Instance,
  region: string,
  aws: AwsReader,
  signal: AbortSignal,
): Promise<string[]> {
  if (InstanceType === undefined) return [];
  const answer = await aws.ec2(region).send(new DescribeInstanceTypesCommand({ InstanceTypes: [InstanceType] }), {
    abortSignal: signal,
  });
  const [type] = answer.InstanceTypes ?? [];
  if (type?.InstanceStorageSupported !== true) return [];
  const size = type.InstanceStorageInfo?.TotalSizeInGB;
  return [
    `Its type ${InstanceType} has instance-store disks${size === undefined ? '' : ` (${size} GB)`}: their data is lost and cannot be snapshotted.`,
  ];
}
