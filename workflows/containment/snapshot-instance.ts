/** Snapshots of all volumes of an instance in one crash-consistent call, each locked against deletion (DOMAIN.md 5.8, A6). */
import { z } from 'zod';
import { defineAction } from '#src/contracts/action.ts';
import type { ApiCall, PolicyDocument } from '#src/contracts/aws.ts';
import { UserError } from '#src/contracts/errors.ts';
import {
  accountOfInstance,
  findInstance,
  InstanceFacts,
  InstanceTarget,
  instanceArn,
  instanceFacts,
  instanceIn,
} from './instance/instance-of.ts';
import { approvalTag, instanceStoreOf, instanceTag, Snapshot, snapshotsOf, volumesOf } from './instance/snapshots.ts';

const usage = 'snapshot-instance <i-... or ARN of an instance> [days to lock, 1 to 3650]';
const usualDays = 90;
/** Each is named in the session policy, which may have 2,048 characters. */
const mostVolumes = 16;

const Target = InstanceTarget.extend({
  /** For how many days nobody can delete the snapshots without the right to unlock them. */
  lockDays: z.number().int().min(1).max(3_650),
});

const Before = InstanceFacts.extend({
  /** EBS volumes that are attached, in order of id. */
  volumes: z.array(z.string()),
  /** Disks of the host itself, which no snapshot covers; 0 where there are none. */
  instanceStoreGb: z.number(),
  /** Snapshots of these volumes that Firebreak made. */
  snapshots: z.array(Snapshot),
});
type Before = z.output<typeof Before>;

export const snapshotInstance = defineAction({
  name: 'snapshot-instance',
  title: 'Take snapshots of all EBS volumes of the instance at one moment, and lock them in governance mode.',
  impact:
    'The instance goes on, perhaps slower on its disks for a while; the snapshots cost storage until they are deleted.',
  usage,
  examples: ['i-0aa11bb22cc33dd44', 'i-0aa11bb22cc33dd44 365'],
  target: Target,
  before: Before,
  permissions: {
    read: [
      'ec2:DescribeInstanceTypes',
      'ec2:DescribeInstances',
      'ec2:DescribeLockedSnapshots',
      'ec2:DescribeSnapshots',
    ],
    write: ['ec2:CreateSnapshots', 'ec2:CreateTags', 'ec2:LockSnapshot'],
  },
  approvals: 1,
  unique: true,
  irreversible: 'Final: the snapshots are evidence and stay; who may unlock them can delete them by hand.',

  parse([word, days, ...more]) {
    const instance = instanceIn(word, usage);
    const read = Target.safeParse({ ...instance, lockDays: days === undefined ? usualDays : Number(days) });
    if (more.length > 0 || !read.success) {
      throw new UserError('Lock for how many days? A whole number from 1 to 3650.', `Usage: contain ${usage}`);
    }
    return read.data;
  },
  accountOf: accountOfInstance,
  artifact: ({ instanceId }) => ({ kind: 'resource', id: instanceId }),

  async inspect(target, ctx) {
    const { region, instance } = await findInstance(target, ctx);
    const volumes = volumesOf(instance);
    return {
      ...instanceFacts(region, instance, ctx.aws),
      volumes,
      instanceStoreGb: await instanceStoreOf(instance, region, ctx),
      snapshots: await snapshotsOf(volumes, region, ctx),
    };
  },
  background: (_target, { snapshots }) =>
    Promise.resolve(
      snapshots.length === 0 ? [] : [`Firebreak has made ${snapshots.length} snapshots of these volumes before.`],
    ),
  complete(target, { volumes, region }) {
    const { instanceId } = target;
    if (volumes.length === 0) {
      throw new UserError(
        `${instanceId} has no EBS volume attached: there is nothing to take a snapshot of.`,
        'Instance-store disks can only be copied from inside; volumes that were detached, by their own ids.',
      );
    }
    if (volumes.length > mostVolumes) {
      throw new UserError(
        `${instanceId} has ${volumes.length} volumes: more than ${mostVolumes} do not fit into the rights of one plan.`,
        'Take the snapshots by hand: aws ec2 create-snapshots takes all of them at one moment.',
      );
    }
    return Promise.resolve({ ...target, region });
  },

  touches: ({ instanceId }, { instanceArn: arn, volumes }) => [arn, instanceId, ...volumes],
  binds: ({ instanceArn: arn, volumes }) => ({ instanceArn: arn, volumes }),

  apply({ instanceId, lockDays }, { region, volumes }) {
    if (volumes.length === 0) return [];
    const Tags = [
      { Key: 'ir:case', Value: { $fill: 'caseId' } },
      { Key: approvalTag, Value: { $fill: 'approvalId' } },
      { Key: instanceTag, Value: instanceId },
    ];
    const create = call('CreateSnapshots', region, {
      InstanceSpecification: { InstanceId: instanceId, ExcludeBootVolume: false },
      Description: `Evidence of ${instanceId}`,
      CopyTagsFromSource: 'volume',
      TagSpecifications: [{ ResourceType: 'snapshot', Tags }],
    });
    const lock = (volume: string): ApiCall => ({
      ...call('LockSnapshot', region, {
        SnapshotId: {
          $fill: 'answer',
          call: 0,
          field: 'Snapshots',
          entry: { where: 'VolumeId', is: volume, take: 'SnapshotId' },
        },
        LockMode: 'governance',
        LockDuration: lockDays,
      }),
      // A snapshot that could not be locked is no reason to leave the others open.
      goesOn: true,
    });
    return [create, ...volumes.map(lock)];
  },

  seen({ operation, input }, { volumes, snapshots }) {
    if (operation === 'LockSnapshot') {
      return snapshots.some((one) => one.snapshotId === input.SnapshotId && isLocked(one)) ? {} : undefined;
    }
    const made = madeBy(input, snapshots);
    if (!volumes.every((volume) => made.some((one) => one.volumeId === volume))) return undefined;
    return { Snapshots: made.map(({ snapshotId, volumeId }) => ({ SnapshotId: snapshotId, VolumeId: volumeId })) };
  },

  verify(_direction, before, now, done) {
    const create = done.find(({ call: sent }) => sent.operation === 'CreateSnapshots')?.call;
    const made = create === undefined ? [] : madeBy(create.input, now.snapshots);
    const without = before.volumes.filter((volume) => !made.some((one) => one.volumeId === volume));
    if (made.length === 0 || without.length > 0) {
      return { held: false, because: `EC2 shows no snapshot of ${without.join(', ') || 'the volumes'}` };
    }
    const failed = made.filter((one) => one.state === 'error');
    if (failed.length > 0) {
      return { held: false, final: true, because: `EC2 could not finish ${failed.map(nameOf).join(', ')}` };
    }
    const open = made.filter((one) => !isLocked(one));
    if (open.length > 0) return { held: false, because: `EC2 shows no lock on ${open.map(nameOf).join(', ')}` };
    return { held: true };
  },

  sessionPolicy: ({ instanceId }, { region, volumes }, accountId, partition) => {
    const arn = (kind: string) => `arn:${partition}:ec2:${region}:${accountId}:${kind}`;
    const sources = [
      instanceArn(instanceId, region, accountId, partition),
      ...volumes.map((id) => arn(`volume/${id}`)),
    ];
    const own = { StringEquals: { [`aws:ResourceTag/${instanceTag}`]: instanceId } };
    return { Version: '2012-10-17', Statement: statements(sources, `arn:${partition}:ec2:${region}::snapshot/*`, own) };
  },
  roleStatements(accountId, partition) {
    const sources = ['instance/*', 'volume/*'].map((kind) => `arn:${partition}:ec2:*:${accountId}:${kind}`);
    const own = { StringLike: { [`aws:ResourceTag/${instanceTag}`]: 'i-*' } };
    return statements(sources, `arn:${partition}:ec2:*::snapshot/*`, own);
  },

  isPartial: true,
  willNotStop: ({ instanceStoreGb }) => [
    ...(instanceStoreGb > 0
      ? [
          `${instanceStoreGb} GB of instance store are not covered: no snapshot can be taken of them, and a stop loses them.`,
        ]
      : []),
    'Volumes that were detached before, and memory, are not covered.',
    'What the programs on the instance had not written to disk yet is missing, as after a power cut.',
    'A snapshot that is pending holds the moment of the call, but can still fail: the last look tells.',
    'Whoever may call ec2:UnlockSnapshot can lift a governance lock and then delete the snapshot.',
    "A snapshot under the account's own aws/ebs key cannot be shared with another account: copy it under another key first.",
  ],
  describe({ instanceId }, { volumes, snapshots }) {
    const locked = snapshots.filter(isLocked).length;
    const pending = snapshots.filter((one) => one.state === 'pending').length;
    return `${instanceId} has ${volumes.length} EBS volumes and ${snapshots.length} snapshots by Firebreak, ${locked} locked, ${pending} still pending`;
  },
});

function isLocked({ lockState }: Snapshot): boolean {
  return ['governance', 'compliance', 'compliance-cooloff'].includes(lockState);
}

function nameOf({ snapshotId, volumeId }: Snapshot): string {
  return `${snapshotId} of ${volumeId}`;
}

/** Those that carry the id of this call's approval. A blank, not filled yet, is nobody's id. */
function madeBy(input: ApiCall['input'], snapshots: Before['snapshots']): Before['snapshots'] {
  const specifications = input.TagSpecifications as readonly {
    readonly Tags: readonly { Key: string; Value: unknown }[];
  }[];
  const approval = specifications[0]?.Tags.find(({ Key }) => Key === approvalTag)?.Value;
  return snapshots.filter((one) => one.approval === approval);
}

function statements(
  sources: readonly string[],
  snapshots: string,
  own: Readonly<Record<string, Readonly<Record<string, string>>>>,
): PolicyDocument['Statement'] {
  const created = { StringEquals: { 'ec2:CreateAction': 'CreateSnapshots' } };
  return [
    { Effect: 'Allow', Action: ['ec2:CreateSnapshots'], Resource: [...sources, snapshots] },
    { Effect: 'Allow', Action: ['ec2:CreateTags'], Resource: snapshots, Condition: created },
    { Effect: 'Allow', Action: ['ec2:LockSnapshot'], Resource: snapshots, Condition: own },
    {
      Effect: 'Allow',
      Action: [
        'ec2:DescribeInstanceTypes',
        'ec2:DescribeInstances',
        'ec2:DescribeLockedSnapshots',
        'ec2:DescribeSnapshots',
      ],
      Resource: '*',
    },
  ];
}

function call(operation: string, region: string, input: ApiCall['input']): ApiCall {
  return { service: 'ec2', operation, region, input };
}
