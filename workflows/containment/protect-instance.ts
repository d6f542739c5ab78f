/** Protects an instance that is evidence against termination, from outside and by its own shutdown (DOMAIN.md 5.8, A9). */
import { DescribeInstanceAttributeCommand } from '@aws-sdk/client-ec2';
import { z } from 'zod';
import { type ActionContext, defineAction } from '#src/contracts/action.ts';
import type { ApiCall, PolicyDocument } from '#src/contracts/aws.ts';
import { UpstreamError, UserError } from '#src/contracts/errors.ts';
import {
  accountOfInstance,
  findInstance,
  InstanceFacts,
  InstanceTarget,
  instanceArn,
  instanceFacts,
  onlyInstanceIn,
} from './instance/instance-of.ts';

const usage = 'protect-instance <i-... or ARN of an instance>';

const Before = InstanceFacts.extend({
  disableApiTermination: z.boolean(),
  /** What a shutdown from inside does: stop or terminate. */
  shutdownBehavior: z.string(),
});
type Before = z.output<typeof Before>;

export const protectInstance = defineAction({
  name: 'protect-instance',
  title: 'Protect the instance against termination, and let a shutdown from inside only stop it.',
  impact: 'Nobody can terminate the instance until the protection is taken off; it goes on working, and costs.',
  usage,
  examples: ['i-0aa11bb22cc33dd44'],
  target: InstanceTarget,
  before: Before,
  permissions: {
    read: ['ec2:DescribeInstanceAttribute', 'ec2:DescribeInstances'],
    write: ['ec2:ModifyInstanceAttribute'],
  },
  approvals: 1,
  unique: true,
  reversal: 'Undo sets both attributes to what they were.',

  parse: (words) => onlyInstanceIn(words, usage),
  accountOf: accountOfInstance,
  artifact: ({ instanceId }) => ({ kind: 'resource', id: instanceId }),

  async inspect(target, ctx) {
    const { region, instance } = await findInstance(target, ctx);
    const answers = await Promise.all([
      attribute('disableApiTermination', target.instanceId, region, ctx),
      attribute('instanceInitiatedShutdownBehavior', target.instanceId, region, ctx),
    ]);
    const [{ DisableApiTermination: termination }, { InstanceInitiatedShutdownBehavior: shutdown }] = answers;
    if (termination?.Value === undefined || shutdown?.Value === undefined) {
      throw new UpstreamError('aws', 'NotAws', "the answer was not EC2's", { retryable: true });
    }
    const facts = instanceFacts(region, instance, ctx.aws);
    return { ...facts, disableApiTermination: termination.Value, shutdownBehavior: shutdown.Value };
  },
  background: () => Promise.resolve([]),
  complete(target, { state, lifecycle, region }) {
    if (state === 'terminated' || state === 'shutting-down') {
      throw new UserError(`${target.instanceId} is ${state}: there is nothing left to protect.`);
    }
    if (lifecycle === 'spot') {
      throw new UserError(
        `${target.instanceId} is a spot instance: EC2 does not protect those against termination.`,
        'Take its evidence now: contain capture-memory, then contain snapshot-instance.',
      );
    }
    return Promise.resolve({ ...target, region });
  },

  touches: ({ instanceId }, { instanceArn: arn }) => [arn, instanceId],
  // It may start or stop meanwhile: that changes nothing here.
  binds: ({ instanceArn: arn, disableApiTermination, shutdownBehavior }) => ({
    instanceArn: arn,
    disableApiTermination,
    shutdownBehavior,
  }),

  apply: ({ instanceId }, before) => [
    ...(before.disableApiTermination ? [] : [setTermination(instanceId, before, true)]),
    ...(before.shutdownBehavior === 'stop' ? [] : [setShutdown(instanceId, before, 'stop')]),
  ],
  undo({ instanceId }, now, { before, done }) {
    const set = (name: string) => done.some(({ call }) => call.input[name] !== undefined);
    const [termination, shutdown] = [before.disableApiTermination === true, String(before.shutdownBehavior)];
    return [
      ...(set('InstanceInitiatedShutdownBehavior') && now.shutdownBehavior !== shutdown
        ? [setShutdown(instanceId, now, shutdown)]
        : []),
      ...(set('DisableApiTermination') && now.disableApiTermination !== termination
        ? [setTermination(instanceId, now, termination)]
        : []),
    ];
  },

  seen: (call, now) => (isAsSent(call, now) ? {} : undefined),
  verify(direction, _before, now, done) {
    const isProtected = now.disableApiTermination && now.shutdownBehavior === 'stop';
    const holds = direction === 'apply' ? isProtected : done.every(({ call }) => isAsSent(call, now));
    if (holds) return { held: true };
    const because = `EC2 still reads DisableApiTermination ${now.disableApiTermination}, InstanceInitiatedShutdownBehavior ${now.shutdownBehavior}`;
    return { held: false, because };
  },

  sessionPolicy: ({ instanceId }, { region }, accountId, partition) => ({
    Version: '2012-10-17',
    Statement: statements(instanceArn(instanceId, region, accountId, partition)),
  }),
  roleStatements: (accountId, partition) => statements(`arn:${partition}:ec2:*:${accountId}:instance/*`),
  isPartial: true,
  willNotStop: () => [
    'Auto Scaling and spot reclaim terminate it all the same: take it out of its group first.',
    'It can still be stopped (then memory and instance-store volumes are lost), and stop protection is left as it is.',
    'Whoever may call ec2:ModifyInstanceAttribute can take the protection off.',
    'Volumes can still be detached, overwritten or deleted: snapshots keep what is on them.',
  ],
  describe: ({ instanceId }, { disableApiTermination, shutdownBehavior }) =>
    `${instanceId} ${disableApiTermination ? 'is' : 'is not'} protected against termination, and a shutdown from inside would ${shutdownBehavior} it`,
});

function attribute(
  Attribute: 'disableApiTermination' | 'instanceInitiatedShutdownBehavior',
  InstanceId: string,
  region: string,
  { aws, signal }: ActionContext,
) {
  return aws.ec2(region).send(new DescribeInstanceAttributeCommand({ InstanceId, Attribute }), { abortSignal: signal });
}

/** One attribute in a call: EC2 takes no more. */
function setTermination(InstanceId: string, before: Before, Value: boolean): ApiCall {
  return modify(before, { InstanceId, DisableApiTermination: { Value } });
}

function setShutdown(InstanceId: string, before: Before, Value: string): ApiCall {
  return modify(before, { InstanceId, InstanceInitiatedShutdownBehavior: { Value } });
}

function modify({ region }: Before, input: ApiCall['input']): ApiCall {
  return { service: 'ec2', operation: 'ModifyInstanceAttribute', region, input };
}

function isAsSent({ input }: ApiCall, now: Before): boolean {
  const wanted = (name: string) => (input[name] as { readonly Value: unknown } | undefined)?.Value;
  const [termination, shutdown] = [wanted('DisableApiTermination'), wanted('InstanceInitiatedShutdownBehavior')];
  return termination === undefined ? now.shutdownBehavior === shutdown : now.disableApiTermination === termination;
}

function statements(instance: string): PolicyDocument['Statement'] {
  return [
    { Effect: 'Allow', Action: ['ec2:ModifyInstanceAttribute'], Resource: instance },
    { Effect: 'Allow', Action: ['ec2:DescribeInstanceAttribute', 'ec2:DescribeInstances'], Resource: '*' },
  ];
}
