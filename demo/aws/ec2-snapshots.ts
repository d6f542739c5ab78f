/** Amazon EC2: snapshots of all volumes of a machine, and their locks. */
import { arnOf, filtered, tagSet } from './ec2-network-reads.ts';
import { asTrail, clientError } from './ec2-shape.ts';
import { endDryRun } from './ec2-writes.ts';
import { instanceNamed, type Snapshot, volumesOf } from './evidence.ts';
import type { Input, Value } from './protocols.ts';
import { type Call, type Operation, type Outcome, objects, text, texts } from './service.ts';

const dayMs = 24 * 3_600_000;

/** Snapshots' ARNs name no account. */
function snapshotArn(call: Call, id: string): string {
  return `arn:aws:ec2:${call.region}::snapshot/${id}`;
}

function tagContext(tags: Snapshot['tags'], prefix: 'aws:requesttag' | 'aws:resourcetag') {
  return Object.fromEntries(tags.map(({ Key, Value: value }) => [`${prefix}/${Key.toLowerCase()}`, [value]]));
}

function snapshotsHere(call: Call): readonly Snapshot[] {
  return call.principal.account.evidence.snapshots.filter(({ region }) => region === call.region);
}

function shapeOf(snapshot: Snapshot, accountId: string): { readonly [k: string]: Value } {
  return {
    snapshotId: snapshot.id,
    volumeId: snapshot.volumeId,
    ownerId: accountId,
    startTime: snapshot.startedAt,
    description: snapshot.description,
    volumeSize: 8,
    encrypted: false,
    progress: '100%',
    tagSet: tagSet(snapshot.tags),
  };
}

function createSnapshots(call: Call): Outcome {
  const { input, principal, region, random, now } = call;
  const { account } = principal;
  const instanceId = text((input.InstanceSpecification ?? {}) as Input, 'InstanceId') ?? '';
  const instance = instanceNamed(account, region, instanceId);
  const volumes = instance === undefined || instance.state === 'terminated' ? [] : volumesOf(instance);
  const tags = objects(input, 'TagSpecification')
    .filter((one) => text(one, 'ResourceType') === 'snapshot')
    .flatMap((one) => objects(one, 'Tag'))
    .map((tag) => ({ Key: text(tag, 'Key') ?? '', Value: text(tag, 'Value') ?? '' }));
  const context = { ...tagContext(tags, 'aws:requesttag'), 'aws:tagkeys': tags.map(({ Key }) => Key) };
  call.may('ec2:CreateSnapshots', arnOf(call, 'instance', instanceId));
  for (const { id } of volumes) call.may('ec2:CreateSnapshots', arnOf(call, 'volume', id));
  call.may('ec2:CreateSnapshots', snapshotArn(call, '*'), undefined, context);
  if (tags.length > 0) {
    const created = { ...context, 'ec2:createaction': ['CreateSnapshots'] };
    call.may('ec2:CreateTags', snapshotArn(call, '*'), undefined, created);
  }
  if (instance === undefined) {
    throw clientError('InvalidInstanceID.NotFound', `The instance ID '${instanceId}' does not exist`);
  }
  if (volumes.length === 0) {
    throw clientError('InvalidParameterValue', `No EBS volumes are attached to instance '${instanceId}'`);
  }
  endDryRun(call);
  const made = volumes.map(({ id: volumeId }) => ({
    ...{ id: `snap-${random.hex(17)}`, region, volumeId, tags, startedAt: now },
    description: text(input, 'Description') ?? '',
  }));
  account.evidence.snapshots.push(...made);
  const snapshotSet = made.map((one) => ({ ...shapeOf(one, account.id), state: 'pending', progress: '' }));
  const output = { snapshotSet };
  return { output, responseElements: asTrail(output) as Readonly<Record<string, unknown>> };
}

function describeSnapshots(call: Call): Outcome {
  call.may('ec2:DescribeSnapshots');
  const { account } = call.principal;
  const ids = texts(call.input, 'SnapshotId');
  const owners = texts(call.input, 'Owner');
  const own = owners.length === 0 || owners.includes('self') || owners.includes(account.id);
  const named = snapshotsHere(call).filter(({ id }) => own && (ids.length === 0 || ids.includes(id)));
  const chosen = filtered(call, named, ({ id, volumeId, tags }, filter) => {
    if (filter === 'volume-id') return [volumeId];
    if (filter === 'snapshot-id') return [id];
    if (filter === 'tag-key') return tags.map(({ Key }) => Key);
    if (!filter.startsWith('tag:')) return undefined;
    return tags.filter(({ Key }) => Key === filter.slice(4)).map(({ Value: value }) => value);
  });
  // Its blocks are copied by the time that anybody looks.
  const status = ({ hasFailed }: Snapshot) => (hasFailed === true ? 'error' : 'completed');
  return { output: { snapshotSet: chosen.map((one) => ({ ...shapeOf(one, account.id), status: status(one) })) } };
}

function lockShape({ id, lock }: Snapshot, now: Date): { readonly [k: string]: Value } {
  if (lock === undefined) return { snapshotId: id };
  const expires = new Date(lock.at.getTime() + lock.days * dayMs);
  return {
    snapshotId: id,
    lockState: expires <= now ? 'expired' : lock.mode,
    lockDuration: lock.days,
    lockCreatedOn: lock.at,
    lockExpiresOn: expires,
    lockDurationStartTime: lock.at,
  };
}

function lockSnapshot(call: Call): Outcome {
  const { input, now } = call;
  const id = text(input, 'SnapshotId') ?? '';
  const snapshot = snapshotsHere(call).find((one) => one.id === id);
  call.may('ec2:LockSnapshot', snapshotArn(call, id), undefined, tagContext(snapshot?.tags ?? [], 'aws:resourcetag'));
  if (snapshot === undefined) {
    throw clientError('InvalidSnapshot.NotFound', `The snapshot '${id}' does not exist.`);
  }
  const mode = text(input, 'LockMode');
  const days = Number(text(input, 'LockDuration'));
  if (mode !== 'governance' && mode !== 'compliance') {
    throw clientError('InvalidParameterValue', `Invalid value '${mode}' for LockMode.`);
  }
  if (!Number.isInteger(days) || days < 1 || days > 36_500) {
    throw clientError('InvalidParameterValue', 'LockDuration must be between 1 and 36500 days.');
  }
  endDryRun(call);
  snapshot.lock = { mode, days, at: now };
  const output = lockShape(snapshot, now);
  return { output, responseElements: asTrail(output) as Readonly<Record<string, unknown>> };
}

function describeLocked(call: Call): Outcome {
  call.may('ec2:DescribeLockedSnapshots');
  const ids = texts(call.input, 'SnapshotId');
  const snapshotSet = snapshotsHere(call)
    .filter(({ id, lock }) => lock !== undefined && (ids.length === 0 || ids.includes(id)))
    .map((one) => ({ ...lockShape(one, call.now), ownerId: call.principal.account.id }));
  return { output: { snapshotSet } };
}

function deleteSnapshot(call: Call): Outcome {
  const id = text(call.input, 'SnapshotId') ?? '';
  call.may('ec2:DeleteSnapshot', snapshotArn(call, id));
  const { snapshots } = call.principal.account.evidence;
  const index = snapshots.findIndex((one) => one.id === id && one.region === call.region);
  const snapshot = snapshots[index];
  if (snapshot === undefined) throw clientError('InvalidSnapshot.NotFound', `The snapshot '${id}' does not exist.`);
  if (snapshot.lock !== undefined && lockShape(snapshot, call.now).lockState !== 'expired') {
    throw clientError('SnapshotLocked', `The snapshot '${id}' is locked and can't be deleted.`);
  }
  endDryRun(call);
  snapshots.splice(index, 1);
  return { output: { return: true }, responseElements: { requestId: call.requestId, _return: true } };
}

export const ec2Snapshots: Readonly<Record<string, Operation>> = {
  CreateSnapshots: { readOnly: false, run: createSnapshots },
  DescribeSnapshots: { readOnly: true, run: describeSnapshots },
  LockSnapshot: { readOnly: false, run: lockSnapshot },
  DescribeLockedSnapshots: { readOnly: true, run: describeLocked },
  DeleteSnapshot: { readOnly: false, run: deleteSnapshot },
};
