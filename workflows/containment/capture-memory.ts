/** An image of the memory of an instance, by one fixed script through Systems Manager (DOMAIN.md 5.8, A7). */
import { z } from 'zod';
import { defineAction } from '#src/contracts/action.ts';
import type { PolicyDocument } from '#src/contracts/aws.ts';
import { UserError } from '#src/contracts/errors.ts';
import {
  accountOfInstance,
  findInstance,
  InstanceFacts,
  InstanceTarget,
  instanceArn,
  instanceFacts,
  onlyInstanceIn,
} from './instance/instance-of.ts';
import {
  captureScript,
  ManagedState,
  managedState,
  StartedCommand,
  shellDocument,
  startedOf,
} from './instance/managed.ts';

const usage = 'capture-memory <i-... or ARN of an instance>';
/** For as long as the plan's own session lives, and some minutes less. */
const settlesWithinMs = 12 * 60_000;
const running = ['Pending', 'InProgress', 'Delayed', 'Cancelling'];

const Before = InstanceFacts.extend(ManagedState.shape).extend({
  /** Of the config; empty where it says nothing. */
  bucket: z.string(),
  memoryTool: z.string(),
  /** Captures by this very script, newest first. */
  captures: z.array(StartedCommand),
});
type Before = z.output<typeof Before>;

export const captureMemory = defineAction({
  name: 'capture-memory',
  title:
    'Run the staged memory tool on the instance through Systems Manager, and store the image in the forensic bucket.',
  impact:
    'The instance may stall while its memory is read, and its root disk is written to: take it before isolation and stop.',
  usage,
  examples: ['i-0aa11bb22cc33dd44'],
  target: InstanceTarget,
  before: Before,
  permissions: {
    read: ['ec2:DescribeInstances', 'ssm:DescribeInstanceInformation', 'ssm:GetCommandInvocation', 'ssm:ListCommands'],
    write: ['ssm:SendCommand'],
  },
  approvals: 1,
  unique: true,
  settlesWithinMs,
  irreversible: 'Final: the image is evidence and stays, and what the tool wrote over on the root disk is gone.',

  parse: (words) => onlyInstanceIn(words, usage),
  accountOf: accountOfInstance,
  artifact: ({ instanceId }) => ({ kind: 'resource', id: instanceId }),

  async inspect(target, ctx) {
    const { region, instance } = await findInstance(target, ctx);
    const { bucket = '', memoryTool = '' } = ctx.forensics ?? {};
    const script = captureScript({ bucket, memoryTool }, target.instanceId);
    return {
      ...instanceFacts(region, instance, ctx.aws),
      ...(await managedState(target.instanceId, region, ctx)),
      bucket,
      memoryTool,
      captures: bucket === '' ? [] : await startedOf(script, target.instanceId, region, ctx),
    };
  },
  background: (_target, { captures }) =>
    Promise.resolve(captures.map(({ commandId, status }) => `A capture was started before: ${commandId}, ${status}.`)),
  complete(target, before) {
    refuseWhereImpossible(target.instanceId, before);
    return Promise.resolve({ ...target, region: before.region });
  },

  touches: ({ instanceId }, { instanceArn: arn }) => [arn, instanceId],
  binds: ({ instanceArn: arn, online, platform, bucket, memoryTool }) => ({
    instanceArn: arn,
    online,
    platform,
    bucket,
    memoryTool,
  }),

  apply: ({ instanceId }, { region, bucket, memoryTool }) => [
    {
      service: 'ssm',
      operation: 'SendCommand',
      region,
      input: {
        DocumentName: shellDocument,
        // The version of today, as AWS may publish another one between plan and approval.
        DocumentVersion: '1',
        InstanceIds: [instanceId],
        Comment: { $fill: 'approvalId' },
        TimeoutSeconds: 60,
        Parameters: { commands: captureScript({ bucket, memoryTool }, instanceId), executionTimeout: ['3600'] },
      },
    },
  ],

  seen({ input }, { captures }) {
    const found = captures.find(({ comment }) => comment === input.Comment);
    return found === undefined ? undefined : { Command: { CommandId: found.commandId } };
  },
  verify(_direction, _before, now, done) {
    const sent = done.at(-1);
    const found = sent && now.captures.find(({ comment }) => comment === sent.call.input.Comment);
    if (found === undefined) return { held: false, because: 'Systems Manager shows no command of this plan' };
    const { commandId, status, responseCode } = found;
    if (status === 'Success') return { held: true };
    const because = `command ${commandId} is ${status}${responseCode === -1 ? '' : `, exit code ${responseCode}`}`;
    return running.includes(status) ? { held: false, because } : { held: false, because, final: true };
  },

  sessionPolicy: ({ instanceId }, { region }, accountId, partition) => ({
    Version: '2012-10-17',
    Statement: statements(instanceArn(instanceId, region, accountId, partition), region, partition),
  }),
  roleStatements: (accountId, partition) =>
    statements(`arn:${partition}:ec2:*:${accountId}:instance/*`, '*', partition),

  isPartial: true,
  willNotStop: () => [
    'It stops nothing: whatever runs on the instance goes on, and can see that its memory is read.',
    'The tool runs on a system that may be in the hands of the attacker: an image can be forged, and so can the exit code that counts as success.',
    "The image goes up with the instance's own role, which needs s3:PutObject on the bucket: refuse the role, isolate and stop only afterwards.",
    'A capture that takes longer than twelve minutes ends as not confirmed, and goes on for up to an hour: its status is in Systems Manager.',
  ],
  describe({ instanceId }, { ping, captures: [latest] }) {
    const last = latest === undefined ? 'no capture' : `capture ${latest.commandId}: ${latest.status}`;
    return `${instanceId} is ${ping === '' ? 'not managed' : ping} in Systems Manager, ${last}`;
  },
});

/** What to do instead, where this cannot be done. Throws UserError. */
function refuseWhereImpossible(instanceId: string, { bucket, state, ping, online, platform }: Before): void {
  if (bucket === '') {
    throw new UserError(
      'No place for images of memory is set.',
      'Set forensics.bucket and forensics.memoryTool in the config, and stage the tool on the instances.',
    );
  }
  if (state !== 'running') throw new UserError(`${instanceId} is ${state}: its memory is gone or not there yet.`);
  if (!online) {
    throw new UserError(
      ping === ''
        ? `${instanceId} is not managed by Systems Manager: nothing can be run on it from here.`
        : `${instanceId} does not answer Systems Manager (${ping}): nothing can be run on it from here.`,
      'Instead: hibernate it, if it was launched for that (memory then lies on its encrypted root volume), log on and run the tool by hand, or go on with contain snapshot-instance, without memory.',
    );
  }
  if (platform !== 'Linux') {
    throw new UserError(
      `${instanceId} runs ${platform || 'an unknown system'}: the fixed script is for Linux.`,
      'Run your memory tool by hand (AWS-RunPowerShellScript on Windows), before isolation and stop.',
    );
  }
}

function statements(instance: string, region: string, partition: string): PolicyDocument['Statement'] {
  const document = `arn:${partition}:ssm:${region}::document/${shellDocument}`;
  return [
    { Effect: 'Allow', Action: ['ssm:SendCommand'], Resource: [document, instance] },
    {
      Effect: 'Allow',
      Action: [
        'ec2:DescribeInstances',
        'ssm:DescribeInstanceInformation',
        'ssm:GetCommandInvocation',
        'ssm:ListCommands',
      ],
      Resource: '*',
    },
  ];
}
