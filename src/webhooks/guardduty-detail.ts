/**
 * The parts of a GuardDuty finding that Firebreak reads, in EventBridge's spelling (DOMAIN.md 2.2, 2.5). Tolerant on
 * purpose: see tolerant.ts.
 */
import { z } from 'zod';
import { block, flag, list, number, text } from './tolerant.ts';

export const RemoteIpDetails = z.looseObject({
  ipAddressV4: text,
  ipAddressV6: text,
  country: block({ countryName: text, countryCode: text }),
  city: block({ cityName: text }),
  organization: block({ asn: text, asnOrg: text, org: text, isp: text }),
});
export type RemoteIpDetails = z.output<typeof RemoteIpDetails>;
const remoteIpDetails = RemoteIpDetails.optional().catch(undefined);

const Action = z.looseObject({
  actionType: text,
  awsApiCallAction: block({ api: text, serviceName: text, errorCode: text, userAgent: text, remoteIpDetails }),
  networkConnectionAction: block({ connectionDirection: text, remoteIpDetails }),
  portProbeAction: block({ portProbeDetails: list(z.looseObject({ remoteIpDetails })) }),
  dnsRequestAction: block({ domain: text }),
  kubernetesApiCallAction: block({
    requestUri: text,
    verb: text,
    resource: text,
    userAgent: text,
    statusCode: text,
    sourceIPs: list(text),
    remoteIpDetails,
  }),
  kubernetesPermissionCheckedDetails: block({ verb: text, resource: text }),
  rdsLoginAttemptAction: block({ remoteIpDetails }),
});

const tags = list(z.looseObject({ key: text, value: text }));

const Resource = z.looseObject({
  resourceType: text,
  accessKeyDetails: block({
    accessKeyId: text,
    principalId: text,
    userName: text,
    userType: text,
    userIdentity: block({ arn: text }),
  }),
  instanceDetails: block({ instanceId: text, tags }),
  s3BucketDetails: list(
    z.looseObject({
      arn: text,
      name: text,
      tags,
      s3ObjectDetails: list(z.looseObject({ objectArn: text, key: text })),
    }),
  ),
  eksClusterDetails: block({ arn: text, name: text, tags }),
  kubernetesDetails: block({
    kubernetesUserDetails: block({ username: text }),
    kubernetesWorkloadDetails: block({ name: text, namespace: text, type: text }),
  }),
  ecsClusterDetails: block({ arn: text, name: text, tags, taskDetails: block({ arn: text }) }),
  containerDetails: block({ id: text, name: text }),
  lambdaDetails: block({ functionArn: text, functionName: text, role: text, tags }),
  rdsDbInstanceDetails: block({ dbInstanceIdentifier: text, dbInstanceArn: text, tags }),
  rdsLimitlessDbDetails: block({ dbShardGroupIdentifier: text, dbShardGroupArn: text }),
  rdsDbUserDetails: block({ user: text }),
  ebsSnapshotDetails: block({ snapshotArn: text }),
  ec2ImageDetails: block({ imageArn: text }),
  recoveryPointDetails: block({ recoveryPointArn: text, backupVaultName: text }),
  bedrockGuardrailDetails: block({ guardrailArn: text, guardrailId: text }),
});
export type FindingResource = z.output<typeof Resource>;

const Sequence = z.looseObject({
  uid: text,
  actors: list(
    z.looseObject({
      id: text,
      user: block({ name: text, uid: text, type: text, credentialUid: text }),
    }),
  ),
  resources: list(z.looseObject({ uid: text, name: text, resourceType: text, tags })),
  endpoints: list(
    z.looseObject({
      ip: text,
      domain: text,
      location: block({ city: text, country: text }),
      autonomousSystem: block({ name: text, number: text }),
    }),
  ),
  signals: list(
    z.looseObject({
      uid: text,
      type: text,
      name: text,
      severity: number,
      count: number,
      createdAt: text,
      firstSeenAt: text,
      lastSeenAt: text,
      signalIndicators: list(z.looseObject({ key: text, title: text, values: list(text) })),
    }),
  ),
});
export type FindingSequence = z.output<typeof Sequence>;

const Service = z.looseObject({
  count: number,
  archived: flag,
  eventFirstSeen: text,
  eventLastSeen: text,
  resourceRole: text,
  additionalInfo: block({ sample: flag, value: text }),
  action: Action.optional().catch(undefined),
  detection: block({ sequence: Sequence.optional().catch(undefined) }),
});

export const Detail = z.looseObject({
  accountId: text,
  arn: text,
  id: text,
  type: text,
  severity: number,
  region: text,
  partition: text,
  createdAt: text,
  updatedAt: text,
  title: text,
  description: text,
  resource: Resource.optional().catch(undefined),
  service: Service.optional().catch(undefined),
  associatedAttackSequenceArn: text,
  customDetectionRuleName: text,
});
export type Detail = z.output<typeof Detail>;
