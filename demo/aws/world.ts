/** The cast of the world: two accounts, their users, keys and roles. Secrets are made anew at each start. */

import { responderPolicy } from '../../scripts/reference/permissions.ts';
import { auditReads } from './audit-reads.ts';
import { newEvidence } from './evidence.ts';
import { newSecret, uniqueId } from './ids.ts';
import { newNetwork } from './network.ts';
import type { PolicyDocument } from './policy.ts';
import { postureOf } from './posture.ts';
import { newServices, shopServices } from './services-state.ts';
import type { AccessKey, Account, NamedPolicy, RegionStatus, Role, User } from './state.ts';

const hubId = '888877776666';
export const workshopId = '999999999999';
export const pipelineKeyId = 'AKIAIOSFODNN7EXAMPLE';
export const sharedIp = '203.0.113.99';
const orgId = 'o-exampleorgid';
const externalId = 'firebreak-demo-7c1f0e';
const dayMs = 24 * 3_600_000;

const defaultRegions =
  'us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 sa-east-1 eu-central-1 eu-west-1 eu-west-2 eu-west-3 eu-north-1 ap-south-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-southeast-1 ap-southeast-2'.split(
    ' ',
  );
const optInRegions =
  'af-south-1 ap-east-1 ap-south-2 ap-southeast-3 ap-southeast-4 ca-west-1 eu-central-2 eu-south-1 eu-south-2 il-central-1 me-central-1 me-south-1'.split(
    ' ',
  );

interface KeyPair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface Cast {
  readonly hub: Account;
  readonly workshop: Account;
  readonly credentials: {
    /** Firebreak: may assume both roles. */
    readonly hub: KeyPair;
    /** Firebreak's reading half: may assume the audit role only. */
    readonly hubReader: KeyPair;
    readonly attacker: KeyPair;
    readonly bystander: KeyPair;
    /** An administrator of the workshop account: for tests that change the world behind Firebreak's back. */
    readonly breakGlass: KeyPair;
  };
  readonly accounts: {
    readonly hub: { readonly id: string; readonly name: string };
    readonly workshop: {
      readonly id: string;
      readonly name: string;
      readonly auditRole: string;
      readonly responderRole: string;
      readonly externalId: string;
    };
  };
}

function regions(): ReadonlyMap<string, RegionStatus> {
  return new Map([
    ...defaultRegions.map((name) => [name, 'ENABLED_BY_DEFAULT'] as const),
    ...optInRegions.map((name) => [name, 'DISABLED'] as const),
  ]);
}

function allow(action: string | readonly string[], resource: string | readonly string[] = '*'): PolicyDocument {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, Resource: resource }] };
}

function managed(name: string, document: PolicyDocument, owner = 'aws'): NamedPolicy {
  return { name, arn: `arn:aws:iam::${owner}:policy/${name}`, document };
}

interface NewUser {
  readonly name: string;
  readonly path?: string;
  readonly createDate: Date;
  readonly sourceIp: string;
  readonly keyId?: string;
  readonly inline?: readonly NamedPolicy[];
  readonly attached?: readonly NamedPolicy[];
}

function addUser(account: Account, wanted: NewUser): { user: User; keyPair: KeyPair } {
  const { name, path = '/', createDate, sourceIp } = wanted;
  const key: AccessKey = {
    id: wanted.keyId ?? uniqueId('AKIA', account.id, name),
    secret: newSecret(),
    createDate,
    history: [{ status: 'Active', at: createDate }],
    sourceIp,
  };
  const user: User = {
    name,
    path,
    id: uniqueId('AIDA', account.id, name),
    arn: `arn:aws:iam::${account.id}:user${path}${name}`,
    createDate,
    keys: [key],
    inlinePolicies: [...(wanted.inline ?? [])],
    attachedPolicies: [...(wanted.attached ?? [])],
    groups: [],
    mfaDevices: [],
    otherCredentials: [],
    tags: [],
  };
  account.users.set(name, user);
  return { user, keyPair: { accessKeyId: key.id, secretAccessKey: key.secret } };
}

function addRole(
  account: Account,
  wanted: Pick<Role, 'name' | 'path' | 'createDate' | 'trust' | 'policies' | 'description'>,
): Role {
  const arn = `arn:aws:iam::${account.id}:role${wanted.path}${wanted.name}`;
  const role = { ...wanted, arn, id: uniqueId('AROA', account.id, wanted.name), maxSessionDuration: 3600 };
  account.roles.set(wanted.name, role);
  return role;
}

/** The two trust policies of docs: exact principal, external id, and for the responder the tags that carry the approval. */
function trustOf(principals: readonly string[], forResponder: boolean): PolicyDocument {
  const tags = ['ir-case', 'ir-plan', 'ir-requester', 'ir-approver'];
  const any = Object.fromEntries(tags.map((tag) => [`aws:RequestTag/${tag}`, '*']));
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: principals },
        Action: ['sts:AssumeRole', 'sts:SetSourceIdentity', 'sts:TagSession'],
        Condition: {
          StringEquals: { 'sts:ExternalId': externalId, 'aws:PrincipalOrgID': orgId },
          ...(forResponder
            ? {
                StringLike: { 'sts:SourceIdentity': 'ir-*', ...any },
                'ForAllValues:StringEquals': { 'aws:TagKeys': tags },
              }
            : {}),
        },
      },
    ],
  };
}

function addFirebreakRoles(workshop: Account, hub: { both: User; reader: User }, createDate: Date) {
  const audit = addRole(workshop, {
    ...{ name: 'IrAudit', path: '/ir/', createDate, description: 'Reads for incident response' },
    trust: trustOf([hub.both.arn, hub.reader.arn], false),
    policies: [managed('IrAuditReads', allow(auditReads), workshopId)],
  });
  const responder = addRole(workshop, {
    ...{ name: 'IrResponder', path: '/ir/', createDate, description: 'Approved containment' },
    trust: trustOf([hub.both.arn], true),
    policies: [
      // What docs/reference/permissions.md tells operators to set, so that the document is tried with every containment.
      managed('IrContain', responderPolicy(workshopId, 'aws') as PolicyDocument, workshopId),
      managed(
        'IrNeverTouch',
        { Statement: { Effect: 'Deny', Action: '*', Resource: `arn:aws:iam::${workshopId}:user/break-glass/*` } },
        workshopId,
      ),
    ],
  });
  const assume = ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'];
  const organization = ['organizations:List*', 'organizations:Describe*', 'account:GetAlternateContact'];
  for (const user of [hub.both, hub.reader])
    user.inlinePolicies.push({ name: 'Inventory', document: allow(organization) });
  const intake = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sns:ConfirmSubscription'];
  for (const user of [hub.both, hub.reader]) user.inlinePolicies.push({ name: 'Intake', document: allow(intake) });
  hub.both.inlinePolicies.push({ name: 'AssumeIr', document: allow(assume, [audit.arn, responder.arn]) });
  hub.reader.inlinePolicies.push({ name: 'AssumeIrAudit', document: allow(assume, audit.arn) });
  return { auditRole: audit.arn, responderRole: responder.arn };
}

/** Builds accounts, users, keys and roles. Ids are the same at each start, secrets are not. */
export function buildCast(now: Date): Cast {
  function ago(days: number): Date {
    return new Date(Math.floor((now.getTime() - days * dayMs) / 1000) * 1000);
  }
  function newAccount(id: string, name: string): Account {
    const posture = postureOf(id, id === hubId, ago(300));
    return {
      ...{ id, name, orgId, regions: regions(), users: new Map(), roles: new Map(), instances: [], posture },
      ...{ unassignedMfa: new Set<string>(), lastAccessed: new Map() },
      network: newNetwork(),
      evidence: newEvidence(),
      services: id === workshopId ? shopServices(id, ago) : newServices(),
    };
  }
  const hub = newAccount(hubId, 'security-hub');
  const workshop = newAccount(workshopId, 'workshop-prod');
  const hubIp = '192.0.2.25';
  const both = addUser(hub, { name: 'firebreak', path: '/ir/', createDate: ago(200), sourceIp: hubIp });
  const reader = addUser(hub, { name: 'firebreak-reader', path: '/ir/', createDate: ago(200), sourceIp: hubIp });
  const roles = addFirebreakRoles(workshop, { both: both.user, reader: reader.user }, ago(200));

  const users = `arn:aws:iam::${workshopId}:user/*`;
  const iamRights = [
    'iam:CreateUser',
    'iam:CreateAccessKey',
    'iam:ListAccessKeys',
    'iam:UpdateAccessKey',
    'iam:GetUser',
  ];
  const pipeline = addUser(workshop, {
    ...{ name: 'pipeline', createDate: ago(120), sourceIp: sharedIp, keyId: pipelineKeyId },
    attached: [
      managed('SystemIntegrationPolicy', allow(['ec2:Describe*', 'ec2:RunInstances', 'ec2:CreateTags']), workshopId),
      managed('SystemIntegrationUsers', allow(iamRights, users), workshopId),
    ],
  });
  pipeline.user.tags.push({ Key: 'owner', Value: 'build-team' });
  const bystander = addUser(workshop, {
    ...{ name: 'reporting', createDate: ago(310), sourceIp: '198.51.100.40' },
    inline: [{ name: 'ReportingReads', document: allow(['ec2:Describe*', 's3:Get*', 's3:List*', 'athena:*']) }],
  });
  const breakGlass = addUser(workshop, {
    ...{ name: 'admin', path: '/break-glass/', createDate: ago(400), sourceIp: '192.0.2.77' },
    attached: [managed('AdministratorAccess', allow('*'))],
  });
  const jane = addUser(workshop, { name: 'JaneDoe', createDate: ago(350), sourceIp: '198.51.100.23' });
  jane.user.keys.splice(0);
  jane.user.loginProfile = { createDate: ago(350), resetRequired: false };
  jane.user.groups.push({
    ...{ name: 'Developers', id: uniqueId('AGPA', workshopId, 'Developers') },
    policies: [
      managed('ReadOnlyAccess', allow(['ec2:Describe*', 'iam:Get*', 'iam:List*', 'logs:Get*'])),
      {
        name: 'OwnPassword',
        document: allow('iam:ChangePassword', `arn:aws:iam::${workshopId}:user/\${aws:username}`),
      },
    ],
  });
  jane.user.mfaDevices.push({ serial: `arn:aws:iam::${workshopId}:mfa/JaneDoe`, enableDate: ago(349) });
  addRole(workshop, {
    ...{ name: 'WebApp', path: '/', createDate: ago(300), description: 'The shop, on its instances' },
    trust: { Statement: { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' } },
    policies: [
      managed('AmazonSSMManagedInstanceCore', allow(['ssm:UpdateInstanceInformation', 'ssmmessages:*'])),
      {
        name: 'ShopUploads',
        document: allow(['s3:GetObject', 's3:PutObject'], 'arn:aws:s3:::workshop-shop-uploads/*'),
      },
    ],
  });
  addRole(workshop, {
    ...{ name: 'DevOps', path: '/', createDate: ago(380), description: 'People of the platform team' },
    trust: {
      Statement: { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::777777777777:root' }, Action: 'sts:AssumeRole' },
    },
    policies: [
      managed('PowerUserAccess', allow(['ec2:*', 'cloudwatch:*', 'logs:*', 's3:*', 'iam:List*', 'iam:Get*'])),
      {
        name: 'TeamParameters',
        document: allow(['ssm:GetParameter'], `arn:aws:ssm:*:${workshopId}:parameter/platform/*`),
      },
    ],
  });
  return {
    hub,
    workshop,
    credentials: {
      hub: both.keyPair,
      hubReader: reader.keyPair,
      attacker: pipeline.keyPair,
      bystander: bystander.keyPair,
      breakGlass: breakGlass.keyPair,
    },
    accounts: {
      hub: { id: hubId, name: hub.name },
      workshop: { id: workshopId, name: workshop.name, ...roles, externalId },
    },
  };
}
