/** Which secrets calls gave away: a rotation list. Listing and describing secrets gives none. */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { at, fieldsOf } from './links-fields.ts';
import { plainEventName } from './links-resources.ts';
import { accountOf, partitionOf, principalOf } from './principal.ts';
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

interface Kind {
  readonly kind: string;
  readonly sure: SecretRead['sure'];
  /** Keys of the request that name the secret, in lower case without list words. */
  readonly named: readonly string[];
  /** Ending of the ARN, after `arn:PARTITION:SERVICE:`. */
  readonly arn?: string;
}

const secret: Kind = { kind: 'Secrets Manager secret', sure: 'read', named: ['secretid'], arn: '{r}:{a}:secret:{v}' };
const parameter: Kind = { kind: 'SSM parameter', sure: 'read', named: ['name', 'path'], arn: '{r}:{a}:parameter/{v}' };
const lambda: Kind = {
  kind: 'environment of a Lambda function',
  sure: 'may-hold',
  named: ['functionname'],
  arn: '{r}:{a}:function:{v}',
};

/** Calls whose answer holds a secret. Event names without their date. */
const calls: Readonly<Record<string, Kind>> = {
  'secretsmanager:GetSecretValue': secret,
  'secretsmanager:BatchGetSecretValue': secret,
  'ssm:GetParameter': parameter,
  'ssm:GetParameters': parameter,
  'ssm:GetParametersByPath': parameter,
  'ssm:GetParameterHistory': parameter,
  'kms:Decrypt': { kind: 'data decrypted with a KMS key', sure: 'read', named: ['keyid'], arn: '{r}:{a}:key/{v}' },
  'ec2:GetPasswordData': { kind: 'Windows administrator password of an instance', sure: 'read', named: ['instanceid'] },
  'ecr:GetAuthorizationToken': { kind: 'container registry token', sure: 'read', named: ['registryid'] },
  'ecr-public:GetAuthorizationToken': { kind: 'container registry token', sure: 'read', named: ['registryid'] },
  'codeartifact:GetAuthorizationToken': { kind: 'CodeArtifact token', sure: 'read', named: ['domain'] },
  'redshift:GetClusterCredentials': { kind: 'database password', sure: 'read', named: ['clusteridentifier'] },
  'redshift:GetClusterCredentialsWithIAM': { kind: 'database password', sure: 'read', named: ['clusteridentifier'] },
  'redshift-serverless:GetCredentials': { kind: 'database password', sure: 'read', named: ['workgroupname'] },
  'lightsail:GetRelationalDatabaseMasterUserPassword': {
    kind: 'database password',
    sure: 'read',
    named: ['relationaldatabasename'],
  },
  'lightsail:GetInstanceAccessDetails': { kind: 'access to an instance', sure: 'read', named: ['instancename'] },
  'lightsail:DownloadDefaultKeyPair': { kind: 'private key of all Lightsail instances', sure: 'read', named: [] },
  'glue:GetConnection': { kind: 'password of a Glue connection', sure: 'may-hold', named: ['name'] },
  'glue:GetConnections': { kind: 'passwords of Glue connections', sure: 'may-hold', named: [] },
  'lambda:GetFunction': lambda,
  'lambda:GetFunctionConfiguration': lambda,
  'ec2:DescribeInstanceAttribute': { kind: 'user data of an instance', sure: 'may-hold', named: ['instanceid'] },
  'codebuild:BatchGetProjects': { kind: 'environment of a build project', sure: 'may-hold', named: ['name'] },
  'ecs:DescribeTaskDefinition': {
    kind: 'environment of a task definition',
    sure: 'may-hold',
    named: ['taskdefinition'],
  },
};

/** Secrets in the order in which to rotate them: surely read first, then what may have been, then what was only tried. */
export function secretsRead(records: readonly CloudTrailRecord[]): readonly SecretRead[] {
  const found = new Map<string, { kind: Kind; name: string; records: CloudTrailRecord[] }>();
  for (const record of records) {
    const service = record.eventSource.split('.')[0] ?? '';
    const kind = Object.hasOwn(calls, `${service}:${plainEventName(record.eventName)}`)
      ? calls[`${service}:${plainEventName(record.eventName)}`]
      : undefined;
    if (!kind || (kind.kind.startsWith('user data') && at(record.requestParameters, 'attribute') !== 'userData'))
      continue;
    const sure = sureOf(record, kind);
    for (const name of namesOf(record, kind, service)) {
      const entry = found.get(`${kind.kind}\n${name}`) ?? { kind: { ...kind, sure }, name, records: [] };
      if (sure === 'read') entry.kind = { ...kind, sure };
      entry.records.push(record);
      found.set(`${kind.kind}\n${name}`, entry);
    }
  }
  const rank = (one: SecretRead) => (one.reads === 0 ? 2 : one.sure === 'read' ? 0 : 1);
  return [...found.values()]
    .map(({ kind, name, records: of }) => entryOf(kind, name, of))
    .sort((a, b) => rank(a) - rank(b) || b.reads - a.reads || (a.secret < b.secret ? -1 : 1));
}

/** A SecureString comes encrypted unless its decryption is asked for; a plain parameter may still hold a secret. */
function sureOf(record: CloudTrailRecord, kind: Kind): SecretRead['sure'] {
  if (kind !== parameter) return kind.sure;
  return String(record.requestParameters?.withDecryption) === 'true' ? 'read' : 'may-hold';
}

function namesOf(record: CloudTrailRecord, kind: Kind, service: string): readonly string[] {
  const context =
    service === 'kms'
      ? (at(record.requestParameters, 'encryptionContext', 'SecretARN') ??
        at(record.requestParameters, 'encryptionContext', 'PARAMETER_ARN') ??
        at(record.requestParameters, 'encryptionContext', 'aws:s3:arn'))
      : undefined;
  // KMS says in the encryption context what was decrypted; the key itself is not what has to be rotated.
  if (context) return [context];
  const isPath = record.eventName === 'GetParametersByPath';
  const values = fieldsOf(record.requestParameters)
    .filter(({ key, owner }) => kind.named.includes(key) && !(isPath && key === 'name') && owner !== undefined)
    .map(({ value }) => value);
  const told = (record.resources ?? []).flatMap(({ ARN }) =>
    typeof ARN === 'string' && service === 'kms' ? [ARN] : [],
  );
  const names = [...new Set(values.length > 0 ? values : told)];
  if (names.length === 0) return [`not named in the record (${service})`];
  return names.map((name) => arnOf(record, kind, service, isPath ? `${name.replace(/\/$/, '')}/*` : name));
}

function arnOf(record: CloudTrailRecord, { arn }: Kind, service: string, name: string): string {
  const accountId = accountOf(record);
  if (!arn || name.startsWith('arn:') || accountId === '') return name;
  // A parameter's ARN has one slash only before a name that begins with one.
  const value = service === 'ssm' ? name.replace(/^\//, '') : name.replace(/^alias\//, 'alias/');
  const ending = arn
    .replace('{r}', record.awsRegion)
    .replace('{a}', accountId)
    .replace('{v}', () => value);
  return `arn:${partitionOf(record)}:${service}:${ending}`;
}

const maxEventIds = 20;

function entryOf({ kind, sure }: Kind, name: string, records: readonly CloudTrailRecord[]): SecretRead {
  const good = records.filter((record) => outcomeOf(record) === 'success');
  const told = good.length > 0 ? good : records;
  const distinct = (values: readonly string[]) => [...new Set(values.filter(Boolean))];
  return {
    secret: name,
    kind,
    sure,
    reads: good.length,
    denied: records.length - good.length,
    firstRead: told[0]?.eventTime ?? '',
    lastRead: told.at(-1)?.eventTime ?? '',
    by: distinct(told.map((record) => principalOf(record)?.id ?? '')),
    sourceIps: distinct(told.map((record) => record.sourceIPAddress)),
    eventNames: distinct(told.map((record) => record.eventName)),
    accountId: accountOf(told[0] as CloudTrailRecord),
    region: told[0]?.awsRegion ?? '',
    eventIds: told.slice(0, maxEventIds).map((record) => record.eventID),
  };
}
