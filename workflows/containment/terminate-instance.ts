/** Terminates one instance for good (DOMAIN.md 5.8, A9): eradication, when the evidence is safe. */
import { defineAction } from '#src/contracts/action.ts';
import type { ApiCall } from '#src/contracts/aws.ts';
import { NotFoundError } from '#src/contracts/errors.ts';
import { accountOfInstance, instanceIn } from './instance/instance-of.ts';
import { detachCall, scalingWords } from './instance/leave.ts';
import {
  ec2Call,
  gone,
  PowerState,
  PowerTarget,
  powerBackground,
  powerReads,
  powerSeen,
  powerState,
  powerStatements,
  replacementIn,
  unplaced,
  unprotectCalls,
} from './instance/power.ts';

const usage = 'terminate-instance <i-... or ARN of an instance> [no-replacement]';

export const terminateInstance = defineAction({
  name: 'terminate-instance',
  title:
    'Terminate the instance for good, after detaching it from its Auto Scaling group, cancelling a persistent spot request and switching off its protections.',
  impact:
    'The instance is gone, with its memory, its instance-store disks and every volume that is deleted on termination.',
  usage,
  examples: [
    'arn:aws:ec2:eu-west-1:999999999999:instance/i-0f1ee70000000a001',
    'arn:aws:ec2:eu-west-1:999999999999:instance/i-0f1ee70000000b001',
    'arn:aws:ec2:eu-west-1:999999999999:instance/i-0f1ee70000000c001',
  ],
  target: PowerTarget,
  before: PowerState,
  permissions: {
    read: powerReads,
    write: [
      'autoscaling:DetachInstances',
      'ec2:CancelSpotInstanceRequests',
      'ec2:ModifyInstanceAttribute',
      'ec2:TerminateInstances',
    ],
  },
  approvals: 2,
  kind: 'eradication',
  irreversible: 'A terminated instance cannot be brought back; from snapshots another one can be made.',
  unique: true,

  parse(words) {
    const [word, ...more] = words;
    return { ...instanceIn(word, usage), replacement: replacementIn(more, usage) };
  },
  accountOf: accountOfInstance,
  artifact: ({ instanceId }) => ({ kind: 'resource', id: instanceId }),

  async inspect(target, ctx) {
    try {
      return (await powerState(target, ctx)).state;
    } catch (error) {
      const planned = PowerState.safeParse(ctx.planned);
      if (!(error instanceof NotFoundError) || !planned.success) throw error;
      return { ...planned.data, state: forgotten };
    }
  },

  background: powerBackground,

  // Which volumes go with it is what was approved; that an attacker stops or protects it hinders nothing.
  binds: ({ instanceArn, volumes }) => ({ instanceArn, volumes }),
  touches: ({ instanceId }, { instanceArn, scaling, volumes }) => [
    instanceArn,
    instanceId,
    ...volumes.map(({ id }) => id),
    ...(scaling === null ? [] : [scaling.group]),
  ],

  apply: callsOf,
  seen: (call, now) => (isOver(call, now) ? {} : powerSeen(call, now)),

  verify(_direction, _before, now, done) {
    const isSent = done.some(({ call }) => call.operation === 'TerminateInstances');
    if (now.state === forgotten && isSent) return { held: true };
    const missing = done.filter(({ call }) => !isOver(call, now) && powerSeen(call, now) === undefined);
    if (missing.length > 0) {
      return { held: false, because: `AWS does not show ${missing.map(({ call }) => call.operation).join(', ')}` };
    }
    return now.state === 'terminated'
      ? { held: true }
      : { held: false, because: `EC2 still reads ${now.state}, not terminated` };
  },

  sessionPolicy: (target, before, accountId, partition) => ({
    Version: '2012-10-17',
    Statement: powerStatements(target.instanceId, before.region, callsOf(target, before), accountId, partition),
  }),

  roleStatements: (accountId, partition) => [
    { Effect: 'Allow', Action: powerReads, Resource: '*' },
    {
      Effect: 'Allow',
      Action: ['ec2:ModifyInstanceAttribute', 'ec2:TerminateInstances'],
      Resource: `arn:${partition}:ec2:*:${accountId}:instance/*`,
    },
    {
      Effect: 'Allow',
      Action: ['ec2:CancelSpotInstanceRequests'],
      Resource: `arn:${partition}:ec2:*:${accountId}:spot-instances-request/*`,
    },
    {
      Effect: 'Allow',
      Action: ['autoscaling:DetachInstances'],
      Resource: `arn:${partition}:autoscaling:*:${accountId}:autoScalingGroup:*`,
    },
  ],

  mintedLivesMs: () => 6 * 3_600_000,
  refusesNothing: true,
  settlesWithinMs: 5 * 60_000,

  willNotStop: ({ volumes, scaling }) => [
    ...volumes.map(({ id, device, deleteOnTermination }) =>
      deleteOnTermination
        ? `The volume ${id} (${device}) is deleted with it: take a snapshot before.`
        : `The volume ${id} (${device}) stays, and goes on costing.`,
    ),
    'Evidence first: what was in memory is lost for good.',
    'Credentials of its role that were taken from it go on working elsewhere: revoke the session too.',
    'Whatever launched it (a fleet, a template, a stolen key) can launch another one.',
    ...scalingWords(scaling, true),
  ],

  describe: ({ instanceId }, { state }) => `${instanceId} is ${state}`,
});

/** EC2 stops showing what is terminated, within an hour or so: what a plan has seen is then not there. */
const forgotten = 'no longer shown by EC2';

/** Of what is terminated no protection is left to be read, nor a membership. */
function isOver({ operation }: ApiCall, { state }: PowerState): boolean {
  return operation === 'ModifyInstanceAttribute' && gone.includes(state);
}

function callsOf({ instanceId, replacement }: PowerTarget, before: PowerState): readonly ApiCall[] {
  const { region, spot, state } = before;
  if (gone.includes(state) || state === forgotten) return [];
  const isOpen = spot?.type === 'persistent' && !['cancelled', 'closed'].includes(spot.state);
  return [
    ...detachCall(instanceId, { ...before, ...unplaced }, replacement === 'no-replacement'),
    // Else it would launch another one.
    ...(isOpen ? [ec2Call('CancelSpotInstanceRequests', region, { SpotInstanceRequestIds: [spot.requestId] })] : []),
    // Protection against stopping hinders terminating too.
    ...unprotectCalls(instanceId, before, 'DisableApiStop', 'DisableApiTermination'),
    ec2Call('TerminateInstances', region, { InstanceIds: [instanceId] }),
  ];
}
