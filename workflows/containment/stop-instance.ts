/** Stops one instance, out of reach of its Auto Scaling group (DOMAIN.md 5.8, A8). */
import { defineAction } from '#src/contracts/action.ts';
import type { Applied } from '#src/contracts/approval.ts';
import type { ApiCall } from '#src/contracts/aws.ts';
import { NotFoundError, UserError } from '#src/contracts/errors.ts';
import { accountOfInstance, instanceIn } from './instance/instance-of.ts';
import { returnCalls, scalingWords, standbyCall } from './instance/leave.ts';
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
  protectionCall,
  replacementIn,
  unplaced,
  unprotectCalls,
} from './instance/power.ts';

const usage = 'stop-instance <i-... or ARN of an instance> [no-replacement]';
const stopped: readonly string[] = ['stopping', 'stopped'];

export const stopInstance = defineAction({
  name: 'stop-instance',
  title:
    'Stop the instance, after taking it out of its Auto Scaling group (no-replacement: which then wants one less) and switching off its stop protection.',
  impact:
    'Whatever runs on it ends; memory, data on instance-store disks and a public address that is no Elastic IP are lost.',
  usage,
  examples: [
    'arn:aws:ec2:eu-west-1:999999999999:instance/i-0f1ee70000000a001 no-replacement',
    'arn:aws:ec2:eu-west-1:999999999999:instance/i-0f1ee70000000b001',
    'arn:aws:ec2:eu-west-1:999999999999:instance/i-0f1ee70000000c001',
  ],
  target: PowerTarget,
  before: PowerState,
  permissions: {
    read: powerReads,
    write: [
      'autoscaling:EnterStandby',
      'autoscaling:ExitStandby',
      'ec2:ModifyInstanceAttribute',
      'ec2:StartInstances',
      'ec2:StopInstances',
    ],
  },
  approvals: 1,
  reversal:
    'Undo starts it where it was running, puts its stop protection back and takes it out of Standby (the desired capacity of its group then grows by one); memory, instance-store data and the public address do not come back.',
  unique: true,

  parse(words) {
    const [word, ...more] = words;
    return { ...instanceIn(word, usage), replacement: replacementIn(more, usage) };
  },
  accountOf: accountOfInstance,
  artifact: ({ instanceId }) => ({ kind: 'resource', id: instanceId }),

  async inspect(target, ctx) {
    const { state } = await powerState(target, ctx);
    if (gone.includes(state.state)) throw new NotFoundError(`instance ${target.instanceId} is ${state.state} already`);
    if (state.spot !== null && state.spot.type !== 'persistent') {
      throw new UserError(
        `${target.instanceId} is a spot instance of a one-time request: AWS cannot stop it.`,
        'Isolate it (isolate-instance), take snapshots, and terminate it when the evidence is safe.',
      );
    }
    if (state.rootDevice !== 'ebs') {
      throw new UserError(
        `${target.instanceId} has its root on instance store: AWS cannot stop it, only terminate it.`,
        'Isolate it (isolate-instance), and copy what you need from inside.',
      );
    }
    return state;
  },

  background: powerBackground,

  binds: ({ instanceArn, state }) => ({ instanceArn, state }),
  touches: ({ instanceId }, { instanceArn, scaling }) => [
    instanceArn,
    instanceId,
    ...(scaling === null ? [] : [scaling.group]),
  ],

  apply: callsOf,
  undo: undoCalls,
  seen: powerSeen,

  verify(direction, _before, now, done) {
    // Protection that somebody sets on a stopped instance hinders nothing.
    const judged = done.filter(({ call }) => direction === 'undo' || call.operation !== 'ModifyInstanceAttribute');
    const missing = judged.filter(({ call }) => powerSeen(call, now) === undefined);
    if (missing.length > 0) {
      return { held: false, because: `AWS does not show ${missing.map(({ call }) => call.operation).join(', ')}` };
    }
    const started = done.some(({ call }) => call.operation === 'StartInstances');
    const wanted = direction === 'apply' ? 'stopped' : started ? 'running' : now.state;
    return now.state === wanted
      ? { held: true }
      : { held: false, because: `EC2 still reads ${now.state}, not ${wanted}` };
  },

  sessionPolicy(target, before, accountId, partition, restores) {
    const calls = restores === undefined ? callsOf(target, before) : undoCalls(target, before, restores);
    return {
      Version: '2012-10-17',
      Statement: powerStatements(target.instanceId, before.region, calls, accountId, partition),
    };
  },

  roleStatements: (accountId, partition) => [
    { Effect: 'Allow', Action: powerReads, Resource: '*' },
    {
      Effect: 'Allow',
      Action: ['ec2:ModifyInstanceAttribute', 'ec2:StartInstances', 'ec2:StopInstances'],
      Resource: `arn:${partition}:ec2:*:${accountId}:instance/*`,
    },
    {
      Effect: 'Allow',
      Action: ['autoscaling:EnterStandby', 'autoscaling:ExitStandby'],
      Resource: `arn:${partition}:autoscaling:*:${accountId}:autoScalingGroup:*`,
    },
  ],

  mintedLivesMs: () => 6 * 3_600_000,
  refusesNothing: true,
  // Stopping takes minutes where the machine has much in memory.
  settlesWithinMs: 5 * 60_000,

  willNotStop: ({ scaling, spot }) => [
    'Evidence first: memory is lost with the stop (capture it before), and a script at shutdown may wipe disks (take snapshots before).',
    'Whoever may call StartInstances can start it again, with other user data too.',
    'Credentials of its role that were taken from it go on working elsewhere: revoke the session too.',
    ...(spot === null ? [] : ['Its spot request stays; AWS starts a stopped instance of it only when asked to.']),
    ...scalingWords(scaling, true),
  ],

  describe: ({ instanceId }, { state, scaling }) =>
    `${instanceId} is ${state}${scaling === null ? '' : `, ${scaling.lifecycle} in the Auto Scaling group ${scaling.group}`}`,
});

function callsOf({ instanceId, replacement }: PowerTarget, before: PowerState): readonly ApiCall[] {
  if (stopped.includes(before.state)) return [];
  return [
    ...standbyCall(instanceId, { ...before, ...unplaced }, replacement === 'no-replacement'),
    ...unprotectCalls(instanceId, before, 'DisableApiStop'),
    ec2Call('StopInstances', before.region, { InstanceIds: [instanceId] }),
  ];
}

/** It runs again before its group judges its health. */
function undoCalls({ instanceId }: PowerTarget, now: PowerState, applied: Applied): readonly ApiCall[] {
  const before = PowerState.parse(applied.before);
  const wasRunning = !stopped.includes(before.state) && stopped.includes(now.state);
  const wasProtected = before.stopProtected && !now.stopProtected;
  return [
    ...(wasRunning ? [ec2Call('StartInstances', now.region, { InstanceIds: [instanceId] })] : []),
    ...(wasProtected ? [protectionCall(instanceId, now.region, 'DisableApiStop', true)] : []),
    ...returnCalls(applied.done, { ...now, ...unplaced }),
  ];
}
