/**
 * Which IAM action a CloudTrail event stands for. Mostly `<service>:<event name>`; the exceptions below are data, from the
 * Service Authorization Reference. What is not known is named as not known, never guessed.
 */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { plainEventName } from './links-resources.ts';

/** Event sources whose IAM prefix is not the first part of their host name. */
const prefixes: Readonly<Record<string, string>> = {
  'monitoring.amazonaws.com': 'cloudwatch',
  'email.amazonaws.com': 'ses',
  'tagging.amazonaws.com': 'tag',
  'streams.dynamodb.amazonaws.com': 'dynamodb',
  'runtime.sagemaker.amazonaws.com': 'sagemaker',
  'bedrock-runtime.amazonaws.com': 'bedrock',
  'bedrock-agent.amazonaws.com': 'bedrock',
  'bedrock-agent-runtime.amazonaws.com': 'bedrock',
  'servicecatalog-appregistry.amazonaws.com': 'servicecatalog',
  'application-insights.amazonaws.com': 'applicationinsights',
  'replication-sso.amazonaws.com': 'sso',
  'cloudwatch-synthetics.amazonaws.com': 'synthetics',
};

/** Sources whose events no IAM action allows or refuses. */
const noAction: readonly string[] = ['signin.amazonaws.com', 'sso-oauth.amazonaws.com', 'portal.sso.amazonaws.com'];

/** Events that need other actions than their own name, by IAM prefix. */
const exceptions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  s3: {
    ListBuckets: ['ListAllMyBuckets'],
    ListObjects: ['ListBucket'],
    ListObjectsV2: ['ListBucket'],
    HeadBucket: ['ListBucket'],
    ListObjectVersions: ['ListBucketVersions'],
    ListMultipartUploads: ['ListBucketMultipartUploads'],
    ListParts: ['ListMultipartUploadParts'],
    HeadObject: ['GetObject'],
    SelectObjectContent: ['GetObject'],
    CopyObject: ['GetObject', 'PutObject'],
    UploadPart: ['PutObject'],
    UploadPartCopy: ['GetObject', 'PutObject'],
    CreateMultipartUpload: ['PutObject'],
    CompleteMultipartUpload: ['PutObject'],
    DeleteObjects: ['DeleteObject'],
    GetBucketEncryption: ['GetEncryptionConfiguration'],
    PutBucketEncryption: ['PutEncryptionConfiguration'],
    DeleteBucketEncryption: ['PutEncryptionConfiguration'],
    GetBucketLifecycle: ['GetLifecycleConfiguration'],
    GetBucketLifecycleConfiguration: ['GetLifecycleConfiguration'],
    PutBucketLifecycle: ['PutLifecycleConfiguration'],
    PutBucketLifecycleConfiguration: ['PutLifecycleConfiguration'],
    DeleteBucketLifecycle: ['PutLifecycleConfiguration'],
    GetBucketReplication: ['GetReplicationConfiguration'],
    PutBucketReplication: ['PutReplicationConfiguration'],
    DeleteBucketReplication: ['PutReplicationConfiguration'],
    GetBucketCors: ['GetBucketCORS'],
    PutBucketCors: ['PutBucketCORS'],
    DeleteBucketCors: ['PutBucketCORS'],
    GetBucketAnalyticsConfiguration: ['GetAnalyticsConfiguration'],
    ListBucketAnalyticsConfigurations: ['GetAnalyticsConfiguration'],
    GetBucketInventoryConfiguration: ['GetInventoryConfiguration'],
    ListBucketInventoryConfigurations: ['GetInventoryConfiguration'],
    GetBucketMetricsConfiguration: ['GetMetricsConfiguration'],
    ListBucketMetricsConfigurations: ['GetMetricsConfiguration'],
    GetBucketIntelligentTieringConfiguration: ['GetIntelligentTieringConfiguration'],
    GetBucketAccelerateConfiguration: ['GetAccelerateConfiguration'],
    GetBucketNotificationConfiguration: ['GetBucketNotification'],
    PutBucketNotificationConfiguration: ['PutBucketNotification'],
    GetObjectLockConfiguration: ['GetBucketObjectLockConfiguration'],
    PutObjectLockConfiguration: ['PutBucketObjectLockConfiguration'],
    GetPublicAccessBlock: ['GetBucketPublicAccessBlock'],
    PutPublicAccessBlock: ['PutBucketPublicAccessBlock'],
    DeleteBucketTagging: ['PutBucketTagging'],
    DeleteBucketPublicAccessBlock: ['PutBucketPublicAccessBlock'],
    DeleteBucketOwnershipControls: ['PutBucketOwnershipControls'],
  },
  lambda: { Invoke: ['InvokeFunction'], InvokeAsync: ['InvokeFunction'], InvokeExecution: ['InvokeFunction'] },
  dynamodb: {
    TransactGetItems: ['GetItem'],
    TransactWriteItems: ['ConditionCheckItem', 'DeleteItem', 'PutItem', 'UpdateItem'],
    ExecuteStatement: ['PartiQLDelete', 'PartiQLInsert', 'PartiQLSelect', 'PartiQLUpdate'],
    BatchExecuteStatement: ['PartiQLDelete', 'PartiQLInsert', 'PartiQLSelect', 'PartiQLUpdate'],
  },
  kms: { ReEncrypt: ['ReEncryptFrom', 'ReEncryptTo'] },
  sqs: {
    SendMessageBatch: ['SendMessage'],
    DeleteMessageBatch: ['DeleteMessage'],
    ChangeMessageVisibilityBatch: ['ChangeMessageVisibility'],
  },
  sns: { PublishBatch: ['Publish'] },
  ses: { SendBulkEmail: ['SendBulkTemplatedEmail', 'SendEmail'] },
};

/** Services whose actions are HTTP verbs. */
const byVerb: readonly string[] = ['apigateway'];
const verbs: readonly (readonly [RegExp, string])[] = [
  [/^(Get|Test|Export)/, 'GET'],
  [/^(Create|Generate|Import)/, 'POST'],
  [/^(Put|Tag)/, 'PUT'],
  [/^Update/, 'PATCH'],
  [/^(Delete|Untag|Flush)/, 'DELETE'],
];

export type NeededActions = { readonly actions: readonly string[] } | { readonly unknown: string };

/** The IAM actions that a call needed; `unknown` where none can be named. An event that no action rules gives an empty list. */
export function iamActionsOf({
  eventSource,
  eventName,
}: Pick<CloudTrailRecord, 'eventSource' | 'eventName'>): NeededActions {
  if (noAction.includes(eventSource)) return { actions: [] };
  const prefix = Object.hasOwn(prefixes, eventSource)
    ? (prefixes[eventSource] ?? '')
    : (/^([a-z0-9-]+)\.amazonaws\.com$/.exec(eventSource)?.[1] ?? '');
  const name = plainEventName(eventName);
  const unknown = { unknown: `${eventSource}:${eventName}` };
  if (prefix === '' || !/^[A-Z][A-Za-z0-9]{1,99}$/.test(name)) return unknown;
  if (byVerb.includes(prefix)) {
    const verb = verbs.find(([form]) => form.test(name))?.[1];
    return verb === undefined ? unknown : { actions: [`${prefix}:${verb}`] };
  }
  const own = Object.hasOwn(exceptions, prefix) ? exceptions[prefix] : undefined;
  const needed = own !== undefined && Object.hasOwn(own, name) ? own[name] : undefined;
  return { actions: (needed ?? [name]).map((action) => `${prefix}:${action}`) };
}
