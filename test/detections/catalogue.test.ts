/** What every rule of the catalogue must hold, walked over the files. */
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { catalogue, catalogueFiles } from '../../detections/index.ts';
import { techniques } from '../../detections/techniques.ts';
import { matcherOf } from '../../src/domain/sigma/matcher.ts';
import { ruleSet } from '../../src/domain/sigma/rule-set.ts';
import type { CorrelationRule, EventRule, Node } from '../../src/domain/sigma/tree.ts';
import { type Event, eventFor, put } from './event-for.ts';

const book = catalogue();
const rules = book.rules.filter((rule): rule is EventRule => rule.kind === 'event');
const correlations = book.rules.filter((rule): rule is CorrelationRule => rule.kind === 'correlation');

interface RuleDocument {
  readonly id?: unknown;
  readonly name?: unknown;
  readonly [field: string]: unknown;
}
const documents = catalogueFiles().flatMap(({ path, text }) =>
  parseAllDocuments(text).map((document) => ({ path, rule: document.toJS() as RuleDocument })),
);

/** Parts of a rule's `and`, at its top. */
function partsOf(node: Node): readonly Node[] {
  return node.kind === 'and' ? node.of.flatMap(partsOf) : [node];
}

/** The tree without the parts that hold something back. */
function withoutNots(node: Node): Node {
  return { kind: 'and', of: partsOf(node).filter((part) => part.kind !== 'not') };
}

const failure = { errorCode: 'AccessDenied', errorMessage: 'no' };

describe('the catalogue', () => {
  it('has no rule that cannot be evaluated', () => {
    expect(book.unsupported).toEqual([]);
    expect(book.rules).toHaveLength(documents.length);
  });

  it('gives every rule a name and an id of its own', () => {
    expect(new Set(documents.map(({ rule }) => rule.id)).size).toBe(documents.length);
    expect(new Set(documents.map(({ rule }) => rule.name)).size).toBe(documents.length);
    for (const { rule } of documents) {
      expect(rule.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(rule.name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    }
  });

  it.each(book.rules.map((rule) => [rule.name, rule] as const))(
    '%s says what it means, what else it may be, and which tactic it serves',
    (_name, rule) => {
      expect(rule.title).toMatch(/^[A-Z][^\n]{5,80}$/);
      expect(rule.description).toMatch(/\S/);
      expect(rule.falsepositives.join()).toMatch(/\S/);
      expect(rule.tactic.length).toBeGreaterThan(0);
      if (!rule.name.startsWith('failed-')) expect(rule.technique.length).toBeGreaterThan(0);
    },
  );

  it('knows every call of the technique table that tells of something', () => {
    const set = ruleSet(rules);
    const unknown = techniques
      .filter((row) => row.weight > 1 && !row.event.endsWith('*'))
      .flatMap((row) => row.sources.map((source) => ({ eventSource: source, eventName: row.event })))
      .filter((event) => set.match(event).length === 0 && set.match({ ...event, ...failure }).length === 0);

    // Services that share a call's name stand in one row; not all of them have the call.
    expect(unknown.map((event) => `${event.eventSource}:${event.eventName}`)).toEqual(notCalls);
  });
});

describe.each(rules.map((rule) => [rule.name, rule] as const))('the rule %s', (_name, rule) => {
  const event = eventFor(rule.tree);
  const matches = matcherOf(rule.tree);
  const asksForFailure = event?.errorCode !== undefined || event?.errorMessage !== undefined;

  it('matches the event that it is about', () => {
    expect(event).toBeDefined();
  });

  it('does not match another call', () => {
    const other = { ...event, eventName: 'SomethingElse', eventSource: 'elsewhere.amazonaws.com' };
    const isAboutCalls = JSON.stringify(rule.tree).includes('"field":"eventName"') && event?.eventName !== undefined;

    if (isAboutCalls) expect(matches(other)).toBe(false);
  });

  it('tells success from failure where it says so', () => {
    const asksForSuccess = JSON.stringify(rule.tree).includes('{"kind":"null","field":"errorCode"}');

    if (asksForSuccess) expect(matches({ ...event, ...failure })).toBe(false);
    if (asksForFailure && rule.name.startsWith('failed-')) {
      expect(matches({ ...event, errorCode: undefined, errorMessage: undefined })).toBe(false);
    }
  });

  it('does not match what it holds back', () => {
    for (const part of partsOf(rule.tree)) {
      if (part.kind !== 'not') continue;
      const held = eventFor({ kind: 'and', of: [withoutNots(rule.tree), part.of] });
      if (held) expect(matches(held)).toBe(false);
    }
  });
});

describe('the bursts', () => {
  it.each(correlations.map((rule) => [rule.name, rule] as const))('%s counts rules that are there', (_name, rule) => {
    for (const name of rule.rules) expect(rules.map((one) => one.name)).toContain(name);
  });
});

/** Table of single cases that generated events do not show. */
const cases: readonly (readonly [rule: string, matches: boolean, event: Event])[] = [
  ['iam-access-key-created-for-other', false, key('bob', 'bob')],
  ['iam-access-key-created-for-other', true, key('bob', 'alice')],
  ['iam-access-key-created', true, key('bob', 'bob')],
  ['iam-access-key-created', true, key('bob', undefined)],
  ['lambda-code-changed', true, call('lambda', 'UpdateFunctionCode20150331v2')],
  ['lambda-code-changed', true, call('lambda', 'UpdateFunctionCode')],
  ['lambda-function-open-to-all', true, call('lambda', 'AddPermission20150331v2', { principal: '*' })],
  ['lambda-function-open-to-all', false, call('lambda', 'AddPermission20150331v2', { principal: 's3.amazonaws.com' })],
  [
    'cloudtrail-management-events-off',
    true,
    call('cloudtrail', 'PutEventSelectors', { eventSelectors: [{ includeManagementEvents: false }] }),
  ],
  [
    'cloudtrail-management-events-off',
    false,
    call('cloudtrail', 'PutEventSelectors', {
      eventSelectors: [{ includeManagementEvents: true, readWriteType: 'All' }],
    }),
  ],
  ['guardduty-detector-disabled', true, call('guardduty', 'UpdateDetector', { enable: false })],
  ['guardduty-detector-disabled', false, call('guardduty', 'UpdateDetector', { enable: true })],
  ['organization-leave-attempted', true, { ...call('organizations', 'LeaveOrganization'), ...failure }],
  ['organization-left', false, { ...call('organizations', 'LeaveOrganization'), ...failure }],
  ['gpu-or-huge-instances-launched', true, call('ec2', 'RunInstances', { instanceType: 'g4dn.xlarge' })],
  ['gpu-or-huge-instances-launched', true, call('ec2', 'RunInstances', { instanceType: 'c5.18xlarge' })],
  ['gpu-or-huge-instances-launched', false, call('ec2', 'RunInstances', { instanceType: 't3.micro' })],
  [
    'many-instances-launched',
    true,
    call('ec2', 'RunInstances', { instancesSet: { items: [{ minCount: 1, maxCount: 20 }] } }),
  ],
  [
    'many-instances-launched',
    false,
    call('ec2', 'RunInstances', { instancesSet: { items: [{ minCount: 1, maxCount: 1 }] } }),
  ],
  ['security-group-opened-to-world', true, opened('0.0.0.0/0', 22)],
  ['security-group-opened-to-world', true, opened('0.0.0.0/0', '3389')],
  ['security-group-opened-to-world', false, opened('10.0.0.0/8', 22)],
  ['security-group-opened-to-world', false, opened('0.0.0.0/0', 443)],
  ['iam-role-trust-opened', true, trust('{\n "Principal": {\n  "AWS": "arn:aws-cn:iam::111122223333:root"\n }}')],
  ['iam-role-trust-opened', true, trust('{"Principal":"*"}')],
  ['iam-role-trust-opened', false, trust('{"Principal":{"Service":"ec2.amazonaws.com"}}')],
  ['iam-inline-policy-of-everything', true, policy('{"Statement":[{"Effect":"Allow","Action":["*"],"Resource":"*"}]}')],
  ['iam-inline-policy-of-everything', false, policy('{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}')],
  ['iam-inline-policy-of-everything', false, policy('{"Statement":[{"Effect":"Allow","Action":"s3:GetObject"}]}')],
  ['bucket-opened-to-world', true, bucketPolicy({ Effect: 'Allow', Principal: '*', Action: 's3:GetObject' })],
  ['bucket-opened-to-world', true, bucketPolicy({ Principal: { AWS: '*' }, Effect: 'Allow' })],
  [
    'bucket-opened-to-world',
    false,
    bucketPolicy({ Effect: 'Allow', Principal: '*', Condition: { Bool: { x: 'true' } } }),
  ],
  ['bucket-opened-to-world', false, bucketPolicy({ Effect: 'Deny', Principal: '*' })],
  [
    'bucket-opened-to-account',
    true,
    call('s3', 'PutBucketPolicy', {
      bucketPolicy: '{"Statement":[{"Principal":{"AWS":"arn:aws:iam::193672423079:root"}}]}',
    }),
  ],
  [
    'bucket-opened-to-account',
    true,
    bucketPolicy({ Effect: 'Allow', Principal: { AWS: ['arn:aws:iam::193672423079:user/x'] } }),
  ],
  ['bucket-opened-to-account', true, bucketPolicy({ Effect: 'Allow', Principal: { AWS: '193672423079' } })],
  [
    'bucket-opened-to-account',
    false,
    bucketPolicy({ Effect: 'Allow', Principal: { Service: 'cloudtrail.amazonaws.com' } }),
  ],
  [
    'gpu-or-huge-instances-refused',
    true,
    { ...call('ec2', 'RunInstances', { instanceType: 'p2.xlarge' }), errorCode: 'Client.UnauthorizedOperation' },
  ],
  ['gpu-or-huge-instances-refused', false, call('ec2', 'RunInstances', { instanceType: 'p2.xlarge' })],
  ['root-changes', true, { ...call('s3', 'PutBucketAcl'), userIdentity: { type: 'Root' } }],
  ['root-changes', false, { ...call('s3', 'GetBucketAcl'), userIdentity: { type: 'Root' } }],
  [
    'root-changes',
    false,
    { ...call('kms', 'CreateGrant'), userIdentity: { type: 'Root', invokedBy: 'ebs.amazonaws.com' } },
  ],
  [
    'console-login-failed',
    true,
    signIn({ responseElements: { ConsoleLogin: 'Failure' }, errorMessage: 'Failed authentication' }),
  ],
  [
    'console-root-login',
    true,
    signIn({ responseElements: { ConsoleLogin: 'Success' }, userIdentity: { type: 'Root' } }),
  ],
  [
    'console-login-without-mfa',
    true,
    signIn({
      responseElements: { ConsoleLogin: 'Success' },
      userIdentity: { type: 'IAMUser' },
      additionalEventData: { MFAUsed: 'No' },
    }),
  ],
  [
    'console-login-without-mfa',
    false,
    signIn({
      responseElements: { ConsoleLogin: 'Success' },
      userIdentity: { type: 'AssumedRole' },
      additionalEventData: { MFAUsed: 'No' },
    }),
  ],
  [
    'instances-terminated',
    false,
    { ...call('ec2', 'TerminateInstances'), userIdentity: { invokedBy: 'autoscaling.amazonaws.com' } },
  ],
  [
    'userdata-downloaded',
    false,
    { ...call('ec2', 'DescribeInstanceAttribute', { attribute: 'userData' }), userAgent: 'Mozilla/5.0 (Macintosh)' },
  ],
  [
    'instance-credentials-from-tool',
    true,
    {
      ...call('sts', 'GetCallerIdentity'),
      userIdentity: { arn: 'arn:aws:sts::111122223333:assumed-role/web/i-0123456789abcdef0' },
      userAgent: 'Boto3/1.34',
    },
  ],
  [
    'instance-credentials-from-tool',
    false,
    {
      ...call('sts', 'GetCallerIdentity'),
      userIdentity: { arn: 'arn:aws:sts::111122223333:assumed-role/web/alice' },
      userAgent: 'Boto3/1.34',
    },
  ],
];

function call(service: string, eventName: string, requestParameters?: Event): Event {
  return { eventSource: `${service}.amazonaws.com`, eventName, ...(requestParameters ? { requestParameters } : {}) };
}
function key(caller: string, target: string | undefined): Event {
  const event = call('iam', 'CreateAccessKey', target === undefined ? undefined : { userName: target });
  return put(event, 'userIdentity.userName', caller);
}
function opened(cidrIp: string, toPort: number | string): Event {
  const items = [{ ipProtocol: 'tcp', fromPort: toPort, toPort, ipRanges: { items: [{ cidrIp }] } }];
  return call('ec2', 'AuthorizeSecurityGroupIngress', { ipPermissions: { items } });
}
function trust(policyDocument: string): Event {
  return call('iam', 'UpdateAssumeRolePolicy', { policyDocument });
}
function policy(policyDocument: string): Event {
  return call('iam', 'PutUserPolicy', { policyDocument });
}
function bucketPolicy(statement: Event): Event {
  return call('s3', 'PutBucketPolicy', { bucketPolicy: { Statement: [{ Sid: 'x', ...statement }] } });
}
function signIn(more: Event): Event {
  return { ...call('signin', 'ConsoleLogin'), ...more };
}

describe('single cases', () => {
  it.each(cases.map(([name, expected, event], at) => [name, expected, at, event] as const))(
    '%s: %s (%i)',
    (name, expected, _at, event) => {
      const rule = rules.find((one) => one.name === name);
      expect(rule && matcherOf(rule.tree)(event)).toBe(expected);
    },
  );
});

/** Rows of the table that stand for no call of that service. */
const notCalls: readonly string[] = [];

/** DOMAIN 8.1 and 8.2 and the lists of the seeds: the bare call, as a log without bodies has it. */
const named = `
  ec2:RunInstances,ReplaceIamInstanceProfileAssociation,AssociateIamInstanceProfile,DisassociateIamInstanceProfile,DeleteFlowLogs
  ec2:DeleteVpc,GetPasswordData,ModifyImageAttribute,CreateKeyPair,ImportKeyPair,AuthorizeSecurityGroupIngress,TerminateInstances
  ec2:EnableSerialConsoleAccess,DescribeInstances,CreateSnapshot,CopySnapshot,SharedSnapshotVolumeCreated,ModifySnapshotAttribute
  ec2:CreateImage,CreateInstanceExportTask,DeleteSnapshot,ModifyInstanceAttribute
  signin:ConsoleLogin,GetSigninToken,SwitchRole,PasswordRecoveryRequested,EmailUpdated
  sts:GetSessionToken,AssumeRole,GetFederationToken,GetCallerIdentity,AssumeRoot
  iam:CreateUser,DeleteUser,CreateRole,AcquireRole,DeleteRole,AttachRolePolicy,DetachRolePolicy,CreateAccessKey,DeleteAccessKey
  iam:UpdateAccessKey,CreateLoginProfile,UpdateLoginProfile,AttachUserPolicy,AttachGroupPolicy,PutUserPolicy,PutGroupPolicy,PutRolePolicy
  iam:CreateGroup,CreatePolicyVersion,SetDefaultPolicyVersion,UpdateAssumeRolePolicy,CreateServiceSpecificCredential,EnableMFADevice
  iam:DeactivateMFADevice,EnableOrganizationsRootSessions,UploadSSHPublicKey,AddRoleToInstanceProfile,CreateInstanceProfile,UpdateUser
  organizations:CreateAccount,CreateGovCloudAccount,CreateAccountResult,CreateOrganization,InviteAccountToOrganization,AcceptHandshake
  organizations:MoveAccount,EnableAWSServiceAccess,RegisterDelegatedAdministrator,InviteOrganizationToTransferResponsibility,LeaveOrganization
  ecs:RegisterTaskDefinition,RunTask,CreateService,CreateCluster,UpdateService,PutClusterCapacityProviders
  eks:CreateFargateProfile,CreateNodegroup batch:SubmitJob,CreateComputeEnvironment,RegisterJobDefinition
  servicequotas:RequestServiceQuotaIncrease,AssociateServiceQuotaTemplate,StartAutoManagement support:CreateCase
  sagemaker:CreateNotebookInstance,StartNotebookInstance,CreateNotebookInstanceLifecycleConfig,CreatePresignedNotebookInstanceUrl
  account:PutAlternateContact,EnableRegion,StartPrimaryEmailUpdate,AcceptPrimaryEmailUpdate,PutContactInformation
  guardduty:DeleteDetector,UpdateDetector,DisassociateFromAdministratorAccount,CreateFilter,UpdateIPSet,CreateIPSet
  ec2-instance-connect:SendSSHPublicKey,SendSerialConsoleSSHPublicKey ssm:SendCommand,StartSession
  rolesanywhere:CreateTrustAnchor cloudtrail:DeleteTrail,PutEventSelectors,StopLogging,UpdateTrail,LookupEvents
  secretsmanager:GetSecretValue,ListSecrets ecr:GetAuthorizationToken ecr-public:GetAuthorizationToken codeartifact:GetAuthorizationToken
  lambda:UpdateFunctionConfiguration20150331v2,UpdateFunctionCode20150331v2,CreateFunctionUrlConfig,AddPermission20150331v2
  s3:DeleteBucket,ListBuckets,GetObject,PutBucketPolicy,PutBucketAcl,DeleteBucketPublicAccessBlock,PutBucketReplication
  s3:PutBucketLifecycleConfiguration,DeleteBucketEncryption lightsail:DeleteInstance,CreateInstances
  rds:DeleteDBInstance,DeleteDBCluster,ModifyDBSnapshotAttribute backup:DeleteBackupVault,DeleteRecoveryPoint
  ses:CreateEmailIdentity,PutAccountDetails,UpdateAccountSendingEnabled,GetSendQuota
  bedrock:InvokeModel,PutUseCaseForModelAccess,DeleteModelInvocationLoggingConfiguration kms:ScheduleKeyDeletion,DisableKey,ImportKeyMaterial
  monitoring:DeleteAlarms logs:DeleteLogGroup events:DeleteRule,DisableRule config:DeleteConfigRule,StopConfigurationRecorder
  securityhub:DisableSecurityHub wafv2:DeleteWebACL network-firewall:DeleteFirewall cloudshell:CreateSession,GetFileUploadUrls
  emr-containers:CreateVirtualCluster glue:CreateJob codebuild:CreateProject,StartBuild amplify:CreateApp
  route53domains:TransferDomain route53:ChangeResourceRecordSets`
  .trim()
  .split(/\s+/)
  .flatMap((group) => {
    const [service = '', names = ''] = group.split(':');
    return names.split(',').map((name) => [service, name] as const);
  });

describe('the calls that responders have written down', () => {
  const set = ruleSet(rules.filter((rule) => !rule.name.endsWith('-base')));

  it.each(named)('%s %s is known, and so is its refusal', (service, eventName) => {
    expect(set.match(call(service, eventName))).not.toEqual([]);
    const refused = set.match({ ...call(service, eventName), ...failure });
    expect(refused).not.toEqual([]);
    for (const rule of refused) expect(partsOf(rule.tree)).not.toContainEqual({ kind: 'null', field: 'errorCode' });
  });
});
