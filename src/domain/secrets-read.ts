/** Which secrets calls gave away: a rotation list. Listing and describing secrets gives none. */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { sourceOf } from './address.ts';
import { at, fieldsOf, plainAt } from './links-fields.ts';
import { plainEventName } from './links-resources.ts';
import { accountOf, partitionOf, principalOf } from './principal.ts';
import {
  decrypted,
  lambda,
  object,
  parameter,
  type SecretKind,
  secret,
  secretCalls,
  tellingObject,
} from './secret-calls.ts';
import { shortArn } from './short-arn.ts';
import { outcomeOf } from './sightings.ts';

export interface SecretRead {
  /** ARN where the record has enough for one, else the name as asked for; `/path/*` for reads by path. */
  readonly secret: string;
  /** What kind of secret, in words: `Secrets Manager secret`, `SSM parameter`, ... */
  readonly kind: string;
  /** `read`: the answer held it. `may-hold`: the answer often holds secrets (environment variables, plain parameters). */
  readonly sure: 'read' | 'may-hold';
  /** Calls that succeeded, and that did not. */
  readonly reads: number;
  readonly denied: number;
  /** Of the calls that succeeded; of all where none did. */
  readonly firstRead: string;
  readonly lastRead: string;
  readonly by: readonly string[];
  readonly sourceIps: readonly string[];
  readonly eventNames: readonly string[];
  readonly accountId: string;
  readonly region: string;
  /** The first 20. */
  readonly eventIds: readonly string[];
}

/** One call, of one secret. */
interface Reading {
  readonly kind: SecretKind;
  readonly name: string;
  readonly sure: SecretRead['sure'];
  readonly record: CloudTrailRecord;
  /** Named by an ARN, which has what AWS adds to the name of a secret. */
  readonly isArn: boolean;
  /** The decryption that a service did for the call that read it: it tells the secret's name in full, and is no read of its own. */
  readonly isEcho: boolean;
}

/** Secrets in the order in which to rotate them: surely read first, then what may have been, then what was only tried. */
export function secretsRead(records: readonly CloudTrailRecord[]): readonly SecretRead[] {
  const readings = records.flatMap(readingsOf);
  const full = new Set(readings.filter(({ isArn }) => isArn).map(({ name }) => name));
  const found = Map.groupBy(readings, ({ kind, name }) => `${kind.kind}\n${inFull(name, full)}`);
  const rank = (one: SecretRead) => (one.reads === 0 ? 2 : one.sure === 'read' ? 0 : 1);
  return [...found.values()]
    .map((of) => entryOf(inFull(of[0]?.name ?? '', full), of))
    .sort((a, b) => rank(a) - rank(b) || b.reads - a.reads || (a.secret < b.secret ? -1 : 1));
}

/** A secret that was asked for by its name is the one whose ARN, with the six characters that AWS adds, was asked for or decrypted. */
function inFull(name: string, full: ReadonlySet<string>): string {
  return full.has(name) ? name : ([...full].find((arn) => shortArn(arn) === name) ?? name);
}

function readingsOf(record: CloudTrailRecord): readonly Reading[] {
  const service = record.eventSource.split('.')[0] ?? '';
  const call = `${service}:${plainEventName(record.eventName)}`;
  const kind = Object.hasOwn(secretCalls, call) ? secretCalls[call] : undefined;
  if (!kind || kind.only?.(record.requestParameters) === false) return [];
  const of = kind === decrypted ? decryptedFor(record) : undefined;
  if (of) return [{ ...of, record, isArn: true, isEcho: true }];
  const sure = sureOf(record, kind);
  return namesOf(record, kind, service).map((of) => ({ kind, sure, record, isEcho: false, ...of }));
}

/** KMS says in the encryption context what was decrypted; the key itself is not what has to be rotated. */
function decryptedFor({ requestParameters }: CloudTrailRecord): Pick<Reading, 'kind' | 'name' | 'sure'> | undefined {
  const told = (key: string) => at(requestParameters, 'encryptionContext', key);
  const contexts = [
    { kind: secret, name: told('SecretARN'), sure: 'read' },
    { kind: parameter, name: told('PARAMETER_ARN'), sure: 'read' },
    { kind: lambda, name: told('aws:lambda:FunctionArn'), sure: 'may-hold' },
    { kind: object, name: objectOf(told('aws:s3:arn')), sure: 'may-hold' },
  ] as const;
  return contexts.flatMap(({ name, ...of }) => (name === undefined ? [] : [{ ...of, name }]))[0];
}

/** Objects whose names tell nothing stand together, by their bucket. */
function objectOf(arn: string | undefined): string | undefined {
  return arn === undefined || tellingObject.test(arn) ? arn : `${arn.split('/', 1)[0]}/*`;
}

/** A SecureString comes encrypted unless its decryption is asked for; a plain parameter may still hold a secret. */
function sureOf(record: CloudTrailRecord, kind: SecretKind): SecretRead['sure'] {
  // Services decrypt volumes, tables and queues for whoever uses them.
  if (kind === decrypted && record.userIdentity.invokedBy) return 'may-hold';
  if (kind !== parameter) return kind.sure;
  return plainAt(record.requestParameters, 'withDecryption') === 'true' ? 'read' : 'may-hold';
}

function namesOf(
  record: CloudTrailRecord,
  kind: SecretKind,
  service: string,
): readonly Pick<Reading, 'name' | 'isArn'>[] {
  const request = record.requestParameters;
  if (kind === object)
    return [named(`arn:${partitionOf(record)}:s3:::${at(request, 'bucketName') ?? ''}/${at(request, 'key') ?? ''}`)];
  const isPath = record.eventName === 'GetParametersByPath';
  const values = fieldsOf(request)
    .filter(({ key, owner }) => kind.named.includes(key) && !(isPath && key === 'name') && owner !== undefined)
    .map(({ value }) => value);
  const told = (record.resources ?? []).flatMap(({ ARN }) =>
    typeof ARN === 'string' && service === 'kms' ? [ARN] : [],
  );
  const names = [...new Set(values.length > 0 ? values : told)];
  if (names.length === 0) return [named(`not named in the record (${service})`)];
  return names.map((name) => ({
    isArn: name.startsWith('arn:'),
    name: arnOf(record, kind, service, isPath ? `${name.replace(/\/$/, '')}/*` : name),
  }));
}

function named(name: string): Pick<Reading, 'name' | 'isArn'> {
  return { name, isArn: false };
}

function arnOf(record: CloudTrailRecord, { arn }: SecretKind, service: string, name: string): string {
  const accountId = accountOf(record);
  if (!arn || name.startsWith('arn:') || accountId === '') return name;
  // A parameter's ARN has one slash only before a name that begins with one, and no version or label.
  const value = service === 'ssm' ? name.replace(/^\//, '').replace(/:.*$/s, '') : name;
  const ending = arn
    .replace('{r}', record.awsRegion)
    .replace('{a}', accountId)
    .replace('{v}', () => value);
  return `arn:${partitionOf(record)}:${service}:${ending}`;
}

const maxEventIds = 20;

function entryOf(name: string, readings: readonly Reading[]): SecretRead {
  const calls = readings.filter(({ isEcho }) => !isEcho);
  // By path, or where the call itself is not in the log, the decryption is all that is known of the read.
  const records = (calls.length > 0 ? calls : readings).map(({ record }) => record);
  const good = records.filter((record) => outcomeOf(record) === 'success');
  const told = good.length > 0 ? good : records;
  const distinct = (values: readonly string[]) => [...new Set(values.filter(Boolean))];
  return {
    secret: name,
    kind: readings[0]?.kind.kind ?? '',
    sure: sureIn(readings.filter(({ record }) => good.length === 0 || outcomeOf(record) === 'success')),
    reads: good.length,
    denied: records.length - good.length,
    firstRead: told[0]?.eventTime ?? '',
    lastRead: told.at(-1)?.eventTime ?? '',
    by: distinct(told.map((record) => principalOf(record)?.id ?? '')),
    sourceIps: distinct(told.map(sourceOf)),
    eventNames: distinct(told.map((record) => record.eventName)),
    accountId: accountOf(told[0] as CloudTrailRecord),
    region: told[0]?.awsRegion ?? '',
    eventIds: told.slice(0, maxEventIds).map((record) => record.eventID),
  };
}

function sureIn(readings: readonly Reading[]): SecretRead['sure'] {
  return readings.some(({ sure }) => sure === 'read') ? 'read' : 'may-hold';
}
