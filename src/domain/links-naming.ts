/** Turns a field of a request or response into the thing that it names. Names get the record's partition, account and Region. */
import { at, type Field } from './links-fields.ts';
import { type GraphNode, nodeOfArn, parseArn } from './principal.ts';

export interface Place {
  readonly partition: string;
  readonly accountId: string;
  readonly region: string;
  /** `ec2` of `ec2.amazonaws.com`. */
  readonly service: string;
}

export interface Named {
  readonly node: GraphNode;
  /** What it is, in lower case: `instance`, `user`, `trail`. Compared with the noun in the event's name. */
  readonly noun: string;
  readonly field: Field;
}

/** Noun, and the ARN's ending after `arn:PARTITION:SERVICE:`; `{v}` is the value. `id`: the value itself is the id. */
type Naming = readonly [noun: string, pattern: string];

/** In place of the service in calls about SSM parameters. */
export const parameters = 'ssm parameters';

/** Bounded on purpose: names outside this table are not taken for resources (no free text becomes a node). */
const namings: Readonly<Record<string, Readonly<Record<string, Naming>>>> = {
  iam: {
    username: ['user', ':{a}:user/{v}'],
    newusername: ['user', ':{a}:user/{v}'],
    rolename: ['role', ':{a}:role/{v}'],
    groupname: ['group', ':{a}:group/{v}'],
    newgroupname: ['group', ':{a}:group/{v}'],
    instanceprofilename: ['instanceprofile', ':{a}:instance-profile/{v}'],
    serialnumber: ['mfadevice', 'id'],
    servicespecificcredentialid: ['servicespecificcredential', 'id'],
    sshpublickeyid: ['sshpublickey', 'id'],
    certificateid: ['signingcertificate', 'id'],
  },
  ec2: { keyname: ['keypair', '{r}:{a}:key-pair/{v}'], allocationid: ['address', 'id'] },
  s3: { bucketname: ['bucket', '::{v}'] },
  lambda: {
    functionname: ['function', '{r}:{a}:function:{v}'],
    layername: ['layer', '{r}:{a}:layer:{v}'],
  },
  cloudtrail: { name: ['trail', '{r}:{a}:trail/{v}'], trailname: ['trail', '{r}:{a}:trail/{v}'] },
  guardduty: { detectorid: ['detector', 'id'] },
  ses: {
    emailidentity: ['identity', '{r}:{a}:identity/{v}'],
    identity: ['identity', '{r}:{a}:identity/{v}'],
    emailaddress: ['identity', '{r}:{a}:identity/{v}'],
    domain: ['identity', '{r}:{a}:identity/{v}'],
  },
  kms: { keyid: ['key', '{r}:{a}:key/{v}'] },
  dynamodb: { tablename: ['table', '{r}:{a}:table/{v}'] },
  sqs: { queuename: ['queue', '{r}:{a}:{v}'] },
  secretsmanager: { secretid: ['secret', '{r}:{a}:secret:{v}'] },
  ssm: { target: ['instance', 'id'] },
  // Of calls about parameters: other calls of this service give documents and windows a `name`.
  [parameters]: { name: ['parameter', '{r}:{a}:parameter/{v}'] },
  ecs: {
    cluster: ['cluster', '{r}:{a}:cluster/{v}'],
    clustername: ['cluster', '{r}:{a}:cluster/{v}'],
    taskdefinition: ['taskdefinition', '{r}:{a}:task-definition/{v}'],
  },
  eks: { clustername: ['cluster', '{r}:{a}:cluster/{v}'] },
  ecr: { repositoryname: ['repository', '{r}:{a}:repository/{v}'] },
  rds: {
    dbinstanceidentifier: ['dbinstance', '{r}:{a}:db:{v}'],
    dbclusteridentifier: ['dbcluster', '{r}:{a}:cluster:{v}'],
    dbsnapshotidentifier: ['dbsnapshot', '{r}:{a}:snapshot:{v}'],
    dbclustersnapshotidentifier: ['dbclustersnapshot', '{r}:{a}:cluster-snapshot:{v}'],
  },
  autoscaling: {
    autoscalinggroupname: ['autoscalinggroup', '{r}:{a}:autoScalingGroupName/{v}'],
    launchconfigurationname: ['launchconfiguration', '{r}:{a}:launchConfigurationName/{v}'],
  },
  lightsail: { instancename: ['instance', '{r}:{a}:Instance/{v}'] },
  events: { name: ['rule', '{r}:{a}:rule/{v}'], rule: ['rule', '{r}:{a}:rule/{v}'] },
  monitoring: { alarmname: ['alarm', '{r}:{a}:alarm:{v}'] },
  logs: { loggroupname: ['loggroup', '{r}:{a}:log-group:{v}'] },
  config: {
    configrulename: ['configrule', '{r}:{a}:config-rule/{v}'],
    configurationrecordername: ['configurationrecorder', '{r}:{a}:configuration-recorder/{v}'],
  },
  sagemaker: { notebookinstancename: ['notebookinstance', '{r}:{a}:notebook-instance/{v}'] },
  cloudformation: { stackname: ['stack', '{r}:{a}:stack/{v}'] },
  codebuild: { projectname: ['project', '{r}:{a}:project/{v}'] },
  rolesanywhere: {
    trustanchorid: ['trustanchor', '{r}:{a}:trust-anchor/{v}'],
    profileid: ['profile', '{r}:{a}:profile/{v}'],
  },
};

/** Signing names that differ in ARNs. */
const arnServices: Readonly<Record<string, string>> = { monitoring: 'cloudwatch', [parameters]: 'ssm' };

/** `i-...`, `vol-...`, `sg-...`: a lower-case prefix, then at least 8 letters or digits. */
const prefixedId = /^[a-z]{1,12}(-[a-z]{2,12})?-[0-9a-zA-Z]{8,40}$/;
const instanceId = /^i-[0-9a-zA-Z]{8,32}$/;
const accessKeyId = /^(AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,124}$/;

/** Ids of the call itself or of a relation, which nobody pivots on. */
const noise = new Set([
  'request',
  'requester',
  'reservation',
  'association',
  'attachment',
  'owner',
  'client',
  'dhcpoptions',
]);

export function isInstanceId(id: string): boolean {
  return instanceId.test(id);
}

/** The thing that a field names, or undefined where it names none that the table or an id's own form vouches for. */
export function nameOf(field: Field, place: Place): Named | undefined {
  const { key, value } = field;
  const naming = namings[place.service]?.[key];
  const arn = parseArn(value);
  if (arn) {
    const node = nodeOfArn(withoutQualifier(value));
    const stem = key.replace(/(arn|id|identifier|name)$/, '');
    const isNamed = /(arn|id|identifier|name)$/.test(key) || naming !== undefined;
    const type = arn.resource.split(/[:/]/)[0]?.replaceAll('-', '').toLowerCase() ?? '';
    const noun = naming?.[0] ?? (isNamed ? (stem === '' || stem === 'resource' ? type : stem) : '');
    return node && { node, noun, field };
  }
  if (key === 'accesskeyid') {
    return accessKeyId.test(value) ? { node: { kind: 'accessKey', id: value }, noun: 'accesskey', field } : undefined;
  }
  if (naming) return named(naming, field, place);
  const stem = /^(.+)id$/.exec(key)?.[1];
  if (stem === undefined || noise.has(stem) || !prefixedId.test(value)) return undefined;
  return { node: { kind: 'resource', id: value }, noun: stem, field };
}

function named([noun, pattern]: Naming, field: Field, place: Place): Named | undefined {
  const { value } = field;
  if (/[\s*?]/.test(value) && place.service !== 'iam') return undefined;
  if (pattern === 'id') {
    if (noun === 'instance' && !instanceId.test(value)) return undefined;
    return { node: { kind: 'resource', id: value }, noun, field };
  }
  const ending = pattern
    .replace('{r}', place.region)
    .replace('{a}', place.accountId)
    .replace('{v}', () => cleaned(noun, field));
  const node = nodeOfArn(`arn:${place.partition}:${arnServices[place.service] ?? place.service}:${ending}`);
  return node && { node, noun, field };
}

/** IAM paths stand beside the name (CreateUser, CreateRole); Lambda, SSM and KMS accept more than the bare name. */
function cleaned(noun: string, field: Field): string {
  if (noun === 'user' || noun === 'role' || noun === 'group') {
    const path = at(field.owner, 'path');
    return path && /^\/(.+\/)?$/.test(path) ? `${path.slice(1)}${field.value}` : field.value;
  }
  // One slash only stands before a name that begins with one; a version or label names the same parameter.
  if (noun === 'parameter') return field.value.replace(/^\//, '').replace(/:.*$/s, '');
  if (noun === 'function') return field.value.replace(/^\d{12}:function:/, '').replace(/:[^:]*$/, '');
  return field.value;
}

/** A version or alias at the end of a Lambda function's ARN names the same function. */
function withoutQualifier(arn: string): string {
  const parts = arn.split(':');
  return parts[2] === 'lambda' && parts[5] === 'function' && parts.length > 7 ? parts.slice(0, 7).join(':') : arn;
}
