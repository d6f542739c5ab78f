/** Which resource a finding is about, and who acted (DOMAIN.md 2.2). */
import type { Alert, ResourceTag } from '../contracts/alert.ts';
import type { Detail, FindingResource, FindingSequence } from './guardduty-detail.ts';

/** An attack sequence may name 400 resources. */
const mostResources = 400;
const mostTags = 200;

interface Named {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly arn?: string | undefined;
}

/** What a block of `resource` names, in the order in which a finding without a known `resourceType` is read. */
function blocksOf(resource: FindingResource): Readonly<Record<string, readonly Named[]>> {
  const tags = resource.instanceDetails?.tags ?? [];
  const buckets = resource.s3BucketDetails;
  const workload = resource.kubernetesDetails?.kubernetesWorkloadDetails;
  return {
    Lambda: one(resource.lambdaDetails, (it) => ({ id: it.functionArn, name: it.functionName, arn: it.functionArn })),
    ECSCluster: one(resource.ecsClusterDetails, (it) => ({ id: it.arn, name: it.name, arn: it.arn })),
    EKSCluster: one(resource.eksClusterDetails, (it) => ({
      id: it.arn,
      name: [it.name, workload?.namespace, workload?.name].filter((part) => part !== undefined).join('/') || undefined,
      arn: it.arn,
    })),
    RDSDBInstance: one(resource.rdsDbInstanceDetails, (it) => ({
      id: it.dbInstanceArn ?? it.dbInstanceIdentifier,
      name: it.dbInstanceIdentifier,
    })),
    RDSLimitlessDB: one(resource.rdsLimitlessDbDetails, (it) => ({
      id: it.dbShardGroupArn ?? it.dbShardGroupIdentifier,
      name: it.dbShardGroupIdentifier,
    })),
    S3Object: buckets.flatMap((bucket) =>
      bucket.s3ObjectDetails.map((object) => ({ id: object.objectArn, name: object.key })),
    ),
    S3Bucket: buckets.map((bucket) => ({ id: bucket.name ?? bucket.arn, arn: bucket.arn })),
    EBSSnapshot: one(resource.ebsSnapshotDetails, (it) => ({ id: it.snapshotArn })),
    EC2Image: one(resource.ec2ImageDetails, (it) => ({ id: it.imageArn })),
    RecoveryPoint: one(resource.recoveryPointDetails, (it) => ({ id: it.recoveryPointArn, name: it.backupVaultName })),
    Guardrail: one(resource.bedrockGuardrailDetails, (it) => ({ id: it.guardrailArn ?? it.guardrailId })),
    Container: one(resource.containerDetails, (it) => ({ id: it.id, name: it.name })),
    Instance: one(resource.instanceDetails, (it) => ({
      id: it.instanceId,
      name: tags.find((tag) => tag.key === 'Name')?.value,
    })),
  };
}

function one<Block>(block: Block | undefined, name: (block: Block) => Named): readonly Named[] {
  return block === undefined ? [] : [name(block)];
}

function sequenceResources(sequence: FindingSequence | undefined): readonly (Named & { type?: string | undefined })[] {
  return (sequence?.resources ?? []).map((it) => ({ id: it.uid, name: it.name, type: it.resourceType }));
}

/** What the finding tells of the tags of its resources, each with the resource it is on. */
export function tagsIn(detail: Detail): readonly ResourceTag[] {
  const { resource } = detail;
  const { instanceDetails, eksClusterDetails, ecsClusterDetails, lambdaDetails, rdsDbInstanceDetails } = resource ?? {};
  const tagged = [
    { on: instanceDetails?.instanceId, tags: instanceDetails?.tags },
    ...(resource?.s3BucketDetails ?? []).map((bucket) => ({ on: bucket.name ?? bucket.arn, tags: bucket.tags })),
    { on: eksClusterDetails?.arn, tags: eksClusterDetails?.tags },
    { on: ecsClusterDetails?.arn, tags: ecsClusterDetails?.tags },
    { on: lambdaDetails?.functionArn, tags: lambdaDetails?.tags },
    { on: rdsDbInstanceDetails?.dbInstanceArn, tags: rdsDbInstanceDetails?.tags },
    ...(detail.service?.detection?.sequence?.resources ?? []).map((it) => ({ on: it.uid, tags: it.tags })),
  ];
  return tagged
    .flatMap(({ on, tags = [] }) =>
      tags.flatMap(({ key, value = '' }) =>
        on === undefined || key === undefined ? [] : [{ resource: on, key, value }],
      ),
    )
    .slice(0, mostTags);
}

/** The resource to show, and the ids of all that are named, each once. An AccessKey finding may name an instance too. */
export function resourceOf(detail: Detail): { resource: Alert['resource']; resourceIds: readonly string[] } {
  const blocks = detail.resource === undefined ? {} : blocksOf(detail.resource);
  const type = detail.resource?.resourceType;
  const named = Object.values(blocks).flat();
  const sequence = sequenceResources(detail.service?.detection?.sequence);
  const own = type !== undefined && Object.hasOwn(blocks, type) ? blocks[type] : undefined;
  const taskArn = detail.resource?.ecsClusterDetails?.taskDetails?.arn;
  // Of a key itself there is nothing more to name than the actor says, so the sequence's first real resource is shown.
  const main = own?.[0] ?? named[0] ?? sequence.find((it) => it.type !== 'ACCESS_KEY') ?? sequence[0];
  const ids = [...(own ?? []), ...named, ...sequence]
    .flatMap((it) => [it.id, it.arn])
    .concat(taskArn)
    .filter((id) => id !== undefined);
  return {
    resource: {
      type: type ?? 'not named',
      ...(main?.id !== undefined && { id: main.id }),
      ...(main?.name !== undefined && main.name !== main.id && { name: main.name }),
    },
    resourceIds: [...new Set(ids)].slice(0, mostResources),
  };
}

const arnForm = /^arn:aws[a-z-]*:(?:iam|sts)::/;

/** An assumed-role ARN holds no path, so role and session name give it exactly; a user's path is not in the finding. */
function arnOf(
  key: NonNullable<FindingResource['accessKeyDetails']>,
  partition: string,
  accountId: string,
): string | undefined {
  const said = key.userIdentity?.arn;
  if (said !== undefined) return said;
  if (key.userType === 'Root') return `arn:${partition}:iam::${accountId}:root`;
  const session = /^AROA[A-Z0-9]+:(.+)$/.exec(key.principalId ?? '')?.[1];
  if (key.userType !== 'AssumedRole' || key.userName === undefined || session === undefined) return undefined;
  return `arn:${partition}:sts::${accountId}:assumed-role/${key.userName}/${session}`;
}

interface Actor {
  readonly principalArn?: string | undefined;
  readonly userName?: string | undefined;
  readonly userType?: string | undefined;
  readonly principalId?: string | undefined;
  readonly accessKeyId?: string | undefined;
}

function sayOf(detail: Detail, partition: string, accountId: string): Actor {
  const { resource } = detail;
  const key = resource?.accessKeyDetails;
  if (key !== undefined) {
    const { userName, userType, principalId, accessKeyId } = key;
    return { principalArn: arnOf(key, partition, accountId), userName, userType, principalId, accessKeyId };
  }
  const actors = detail.service?.detection?.sequence?.actors ?? [];
  const user = (actors.find((actor) => actor.user?.credentialUid !== undefined) ?? actors.find((actor) => actor.user))
    ?.user;
  if (user !== undefined) {
    const isArn = arnForm.test(user.uid ?? '');
    return {
      principalArn: isArn ? user.uid : undefined,
      principalId: isArn ? undefined : user.uid,
      userName: user.name,
      userType: user.type,
      accessKeyId: user.credentialUid,
    };
  }
  const kubernetes = resource?.kubernetesDetails?.kubernetesUserDetails?.username;
  if (kubernetes !== undefined) return { userName: kubernetes, userType: 'Kubernetes' };
  const database = resource?.rdsDbUserDetails?.user;
  if (database !== undefined) return { userName: database, userType: 'Database' };
  return { principalArn: resource?.lambdaDetails?.role };
}

/** Who acted, as far as the finding says so. The instance profile of an instance is no actor. */
export function actorOf(detail: Detail, partition: string, accountId: string): Alert['actor'] {
  const { principalArn, userName, userType, principalId, accessKeyId } = sayOf(detail, partition, accountId);
  return {
    ...(principalArn !== undefined && { principalArn }),
    ...(userName !== undefined && { userName }),
    ...(userType !== undefined && { userType }),
    ...(principalId !== undefined && { principalId }),
    ...(accessKeyId !== undefined && { accessKeyId }),
  };
}
