/** The volumes of an instance, and the snapshots that Firebreak has made of them. */
import {
  DescribeInstanceTypesCommand,
  DescribeLockedSnapshotsCommand,
  DescribeSnapshotsCommand,
  type Snapshot as Ec2Snapshot,
  type Instance,
} from '@aws-sdk/client-ec2';
import { z } from 'zod';
import type { ActionContext } from '#src/contracts/action.ts';
import { UpstreamError } from '#src/contracts/errors.ts';
import { everyPage } from '#src/domain/pages.ts';

export const approvalTag = 'ir:approval';
/** Also what the lock's right is bound to: the session may lock snapshots of this instance only. */
export const instanceTag = 'ir:instance';

/** EC2 takes no more ids in one DescribeLockedSnapshots. */
const idsAtOnce = 200;

export const Snapshot = z.strictObject({
  snapshotId: z.string(),
  volumeId: z.string(),
  /** The id of the approval that made it. */
  approval: z.string(),
  /** pending, completed, error, recoverable or recovering. */
  state: z.string(),
  /** governance, compliance, compliance-cooloff or expired; empty where it is not locked. */
  lockState: z.string(),
});
export type Snapshot = z.output<typeof Snapshot>;

/** The EBS volumes that are attached, in order of id: AWS gives them in order of attachment. */
export function volumesOf(instance: Instance): string[] {
  const mappings = instance.BlockDeviceMappings ?? [];
  return mappings.flatMap(({ Ebs }) => (Ebs?.VolumeId === undefined ? [] : [Ebs.VolumeId])).sort();
}

/** GB of disks of the host, by the instance's type: EC2 does not list them at the instance. */
export async function instanceStoreOf(
  { InstanceType }: Instance,
  region: string,
  { aws, signal }: ActionContext,
): Promise<number> {
  if (InstanceType === undefined) return 0;
  const command = new DescribeInstanceTypesCommand({ InstanceTypes: [InstanceType] });
  const { InstanceTypes } = await aws.ec2(region).send(command, { abortSignal: signal });
  if (InstanceTypes === undefined) throw notAws();
  return InstanceTypes[0]?.InstanceStorageInfo?.TotalSizeInGB ?? 0;
}

/** Snapshots of these volumes with our tag, in order of volume and id. */
export async function snapshotsOf(volumes: readonly string[], region: string, ctx: ActionContext): Promise<Snapshot[]> {
  if (volumes.length === 0) return [];
  const found = await ownSnapshots(volumes, region, ctx);
  const locks = await locksOf(
    found.map(({ SnapshotId }) => SnapshotId ?? ''),
    region,
    ctx,
  );
  return found
    .map(({ SnapshotId = '', VolumeId = '', State = '', Tags = [] }) => ({
      snapshotId: SnapshotId,
      volumeId: VolumeId,
      approval: Tags.find(({ Key }) => Key === approvalTag)?.Value ?? '',
      state: State,
      lockState: locks.get(SnapshotId) ?? '',
    }))
    .sort((a, b) => (a.volumeId + a.snapshotId < b.volumeId + b.snapshotId ? -1 : 1));
}

async function ownSnapshots(
  volumes: readonly string[],
  region: string,
  { aws, signal }: ActionContext,
): Promise<readonly Ec2Snapshot[]> {
  const Filters = [
    { Name: 'volume-id', Values: [...volumes] },
    { Name: 'tag-key', Values: [approvalTag] },
  ];
  return everyPage(async (NextToken) => {
    const input = { OwnerIds: ['self'], Filters, MaxResults: 500, NextToken };
    const page = await aws.ec2(region).send(new DescribeSnapshotsCommand(input), { abortSignal: signal });
    return { items: page.Snapshots, next: page.NextToken };
  });
}

async function locksOf(
  ids: readonly string[],
  region: string,
  { aws, signal }: ActionContext,
): Promise<ReadonlyMap<string, string>> {
  const locks = new Map<string, string>();
  for (let start = 0; start < ids.length; start += idsAtOnce) {
    const SnapshotIds = ids.slice(start, start + idsAtOnce);
    const locked = await everyPage(async (NextToken) => {
      const command = new DescribeLockedSnapshotsCommand({ SnapshotIds, NextToken });
      const page = await aws.ec2(region).send(command, { abortSignal: signal });
      return { items: page.Snapshots, next: page.NextToken };
    });
    for (const { SnapshotId, LockState } of locked) {
      if (SnapshotId !== undefined && LockState !== undefined) locks.set(SnapshotId, LockState);
    }
  }
  return locks;
}

function notAws(): UpstreamError {
  return new UpstreamError('aws', 'NotAws', "the answer was not EC2's", { retryable: true });
}
