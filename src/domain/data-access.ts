/** Who touched the data of a bucket, table or secret, as far as the log can tell. */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import type { Coverage } from '../contracts/evidence.ts';
import { sourceOf } from './address.ts';
import type { StoreKind } from './data-store.ts';
import { plainAt } from './links-fields.ts';
import { plainEventName } from './links-resources.ts';
import { principalOf } from './principal.ts';
import { outcomeOf } from './sightings.ts';

export type AccessKind = 'read' | 'list' | 'write' | 'delete' | 'settings';

export interface DataAccess {
  readonly principal: string;
  readonly sourceIp: string;
  readonly access: AccessKind;
  readonly outcome: 'success' | 'denied' | 'failed';
  readonly times: number;
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly eventNames: readonly string[];
  /** As S3 says in `additionalEventData`; undefined where it does not, and of a refusal, whose bytes are those of the error. */
  readonly bytesOut?: number;
  /** Objects or keys that the requests name: how many, and the first 20. */
  readonly objects: number;
  readonly objectNames: readonly string[];
  /** The first 20. */
  readonly eventIds: readonly string[];
}

const dataServices: Readonly<Record<string, StoreKind>> = {
  's3.amazonaws.com': 'bucket',
  'dynamodb.amazonaws.com': 'table',
  'secretsmanager.amazonaws.com': 'secret',
};

const reading =
  /^(GetObject(Torrent)?|SelectObjectContent|CopyObject|RestoreObject|GetItem|BatchGetItem|TransactGetItems|Query|Scan|ExecuteStatement|BatchExecuteStatement|GetRecords|ExecuteTransaction|ExportTableToPointInTime|RestoreTableToPointInTime|RestoreTableFromBackup|CreateBackup|GetSecretValue|BatchGetSecretValue)$/;
/** What is there, how large and since when, and nothing of what is in it. */
const listing =
  /^(HeadObject|GetObjectAttributes|ListObjects(V2)?|ListObjectVersions|ListMultipartUploads|ListParts|ListSecretVersionIds|DescribeSecret|DescribeTable)$/;
const deleting = /^(DeleteObjects?|DeleteItem|DeleteTable|DeleteBucket|DeleteSecret)$/;
const writing =
  /^(PutObject|PostObject|UploadPart(Copy)?|CreateMultipartUpload|CompleteMultipartUpload|PutItem|UpdateItem|BatchWriteItem|TransactWriteItems|PutSecretValue|UpdateSecret)$/;

/** What the call does to the data; `settings` is about the store itself: policies, replication, tags. */
function accessKindOf(record: CloudTrailRecord, store: string): AccessKind {
  const name = plainEventName(record.eventName);
  const source = /^(CopyObject|UploadPartCopy)$/.test(name) ? copiedFrom(record) : undefined;
  // A copy reads one bucket and writes another; only the request tells which of them it is here.
  if (source !== undefined) return source === store ? 'read' : 'write';
  if (reading.test(name)) return 'read';
  if (listing.test(name)) return 'list';
  if (deleting.test(name)) return 'delete';
  return writing.test(name) ? 'write' : 'settings';
}

/** The bucket in `x-amz-copy-source`: `/bucket/key`, encoded as in a URL, or the ARN of an object. Undefined where it is none. */
function copiedFrom({ requestParameters }: CloudTrailRecord): string | undefined {
  const source = requestParameters?.['x-amz-copy-source'];
  if (typeof source !== 'string') return undefined;
  return /^(?:arn:[a-z-]+:s3:::)?(?:\/|%2F)?([a-z0-9.-]{3,63})(?:\/|%2F)/i.exec(source)?.[1];
}

/** Events of the kind that S3 and DynamoDB log only where somebody asked for them. */
function isDataEvent(record: CloudTrailRecord): boolean {
  if (record.eventCategory === 'Data' || record.managementEvent === false) return true;
  const name = plainEventName(record.eventName);
  if (record.eventSource === 's3.amazonaws.com')
    return /Object|UploadPart|MultipartUpload/.test(name) && !/^(Get|Put)ObjectLockConfiguration$/.test(name);
  return (
    record.eventSource === 'dynamodb.amazonaws.com' &&
    /^(GetItem|PutItem|UpdateItem|DeleteItem|Query|Scan|Batch|Transact|Execute|BatchExecute|GetRecords)/.test(name)
  );
}

const accessOrder: readonly AccessKind[] = ['read', 'delete', 'write', 'list', 'settings'];
const maxNames = 20;

/** @param store the name of the bucket, table or secret. Grouped by who, from where, what and outcome: reads first, most bytes and calls first. Other services' records are left out. */
export function accessesOf(records: readonly CloudTrailRecord[], store: string): readonly DataAccess[] {
  const groups = Map.groupBy(
    records.filter((record) => Object.hasOwn(dataServices, record.eventSource)),
    (record) =>
      [principalOf(record)?.id ?? '', sourceOf(record), accessKindOf(record, store), outcomeOf(record)].join('\n'),
  );
  return [...groups.values()]
    .map((group) => accessOf(group, store))
    .sort(
      (a, b) =>
        Number(a.outcome !== 'success') - Number(b.outcome !== 'success') ||
        accessOrder.indexOf(a.access) - accessOrder.indexOf(b.access) ||
        (b.bytesOut ?? 0) - (a.bytesOut ?? 0) ||
        b.times - a.times,
    );
}

function accessOf(records: readonly CloudTrailRecord[], store: string): DataAccess {
  const first = records[0] as CloudTrailRecord;
  const bytes = records.map((record) => Number(plainAt(record.additionalEventData, 'bytesTransferredOut')));
  const told = bytes.filter((value) => value >= 0);
  const names = [...new Set(records.map(objectOf).filter(Boolean))];
  return {
    principal: principalOf(first)?.id ?? '',
    sourceIp: sourceOf(first),
    access: accessKindOf(first, store),
    outcome: outcomeOf(first),
    times: records.length,
    firstSeen: first.eventTime,
    lastSeen: records.at(-1)?.eventTime ?? '',
    eventNames: [...new Set(records.map(({ eventName }) => eventName))],
    ...(told.length > 0 && outcomeOf(first) === 'success'
      ? { bytesOut: told.reduce((sum, value) => sum + value, 0) }
      : {}),
    objects: names.length,
    objectNames: names.slice(0, maxNames),
    eventIds: records.slice(0, maxNames).map(({ eventID }) => eventID),
  };
}

function objectOf(record: CloudTrailRecord): string {
  const key = record.requestParameters?.key;
  if (record.eventSource === 's3.amazonaws.com') return typeof key === 'string' ? key.slice(0, 1_024) : '';
  return typeof key === 'object' && key !== null ? JSON.stringify(key).slice(0, 1_024) : '';
}

/** What the log can and cannot say about reads that it does not show. */
export interface Provable {
  readonly verdict: 'reads-seen' | 'cannot-be-told' | 'no-read-seen';
  /** A clause, without capital and full stop. */
  readonly because: string;
  /** What was not looked at because the source does not have it; "" where nothing is missing. */
  readonly gap: string;
}

/**
 * `no-read-seen` is kept for secrets, whose reads are management events and always logged. A bucket or table never gets it:
 * its data events are off unless somebody turned them on, and may be on for some objects only.
 */
export function provableOf(
  kind: StoreKind | undefined,
  records: readonly CloudTrailRecord[],
  coverage: Coverage,
  store: string,
): Provable {
  const seen = records.some((record) => accessKindOf(record, store) === 'read' && outcomeOf(record) === 'success');
  if (kind === 'secret') {
    const isWhole = coverage.complete && coverage.sources.length > 0;
    const verdict = seen ? 'reads-seen' : isWhole ? 'no-read-seen' : 'cannot-be-told';
    const told = seen ? 'reads of it are in the log' : 'no read of it was found in what was looked at';
    return { verdict, because: told, gap: '' };
  }
  const other = 'other access that was not logged can be neither proved nor excluded';
  if (seen) return { verdict: 'reads-seen', because: `reads are in the log, and ${other}`, gap: '' };
  const verdict = 'cannot-be-told';
  const unsaid = 'whether data was read can be neither proved nor excluded';
  if (records.some(isDataEvent)) {
    return { verdict, because: `${unsaid}: the log has data events of it, but not every kind may be logged`, gap: '' };
  }
  const gap = 'reads and writes of single objects or items: the sources have no data events of it';
  const onlyHistory =
    coverage.sources.length > 0 && coverage.sources.every(({ name }) => name.includes('LookupEvents'));
  const why = onlyHistory ? 'LookupEvents never has data events' : 'these logs hold no data events of it';
  return { verdict, because: `${unsaid}: ${why}`, gap };
}
