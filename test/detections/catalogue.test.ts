/** What every rule of the catalogue must hold, walked over the files. */
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { catalogue, catalogueFiles, catalogueTests } from '../../detections/index.ts';
import { techniques } from '../../detections/techniques.ts';
import { matcherOf } from '../../src/domain/sigma/matcher.ts';
import { ruleSet } from '../../src/domain/sigma/rule-set.ts';
import { runRuleTests } from '../../src/domain/sigma/rule-tests.ts';
import type { CorrelationRule, EventRule, Node } from '../../src/domain/sigma/tree.ts';
import { eventFor } from './event-for.ts';

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

describe('the tests beside the rules', () => {
  it('hold', async () => {
    const results = await runRuleTests(catalogueTests(), book);

    expect(results.filter(({ failures }) => failures.length > 0)).toEqual([]);
  });

  it('show for every rule an event that matches and a near thing that does not', () => {
    const written = catalogueTests().flatMap(({ text }) =>
      parseAllDocuments(text).map(
        (document) => document.toJS() as { rule: string; match?: unknown[]; miss?: unknown[] },
      ),
    );
    const whole = new Set(written.filter(({ match, miss }) => match?.length && miss?.length).map(({ rule }) => rule));

    expect(new Set(written.map(({ rule }) => rule)).size).toBe(written.length);
    expect(book.rules.map(({ name }) => name).filter((name) => !whole.has(name))).toEqual([]);
  });

  it('lie beside the rule that they are about', () => {
    for (const { path, text } of catalogueTests()) {
      const own = book.rules.filter(({ file }) => file === path.replace('.tests.yml', '.yml')).map(({ name }) => name);
      for (const document of parseAllDocuments(text)) expect(own).toContain((document.toJS() as RuleDocument).rule);
    }
  });
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
    expect(set.match({ eventSource: `${service}.amazonaws.com`, eventName })).not.toEqual([]);
    const refused = set.match({ eventSource: `${service}.amazonaws.com`, eventName, ...failure });
    expect(refused).not.toEqual([]);
    for (const rule of refused) expect(partsOf(rule.tree)).not.toContainEqual({ kind: 'null', field: 'errorCode' });
  });
});
