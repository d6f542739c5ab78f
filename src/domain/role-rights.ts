/**
 * What each role must be allowed and who may become it, made from the units' own lists: for the permissions page, for
 * CloudFormation, and for `firebreak doctor`, which compares an installation with it.
 */
import type { ContainmentAction } from '../contracts/action.ts';
import type { Investigation } from '../contracts/investigation.ts';

/** What finding the Regions of an account takes (src/aws/reach.ts), whatever is asked. */
export const reachReads = ['account:ListRegions', 'ec2:DescribeRegions'] as const;

/** The blast radius on an approval card is read from the logs (src/flows/blast-radius.ts). */
export const planReads = ['cloudtrail:LookupEvents'] as const;

/** What the inventory asks of AWS Organizations, where the config says `inventory.organizations` (src/aws/organization.ts). */
export const organizationReads = [
  'account:GetAlternateContact',
  'organizations:DescribeOrganizationalUnit',
  'organizations:ListAccounts',
  'organizations:ListParents',
  'organizations:ListTagsForResource',
] as const;

/** GuardDuty asked for what no event brought, and each finding read again (src/aws/findings.ts). */
export const intakeReads = [
  'guardduty:GetFindings',
  'guardduty:ListDetectors',
  'guardduty:ListFindings',
  'guardduty:ListMembers',
] as const;

/** `firebreak doctor` reads both roles of an account with the audit role (src/aws/role-facts.ts). */
const doctorReads = [
  'iam:GetPolicy',
  'iam:GetPolicyVersion',
  'iam:GetRole',
  'iam:GetRolePolicy',
  'iam:ListAttachedRolePolicies',
  'iam:ListRolePolicies',
] as const;

export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: Readonly<Record<string, string>>;
  readonly Action: readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface Policy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

export const sessionTags = ['ir-case', 'ir-plan', 'ir-requester', 'ir-approver'];

export function policyOf(...statements: readonly Statement[]): Policy {
  return { Version: '2012-10-17', Statement: statements };
}

export function sortedNames(names: Iterable<string>): readonly string[] {
  return [...new Set(names)].sort();
}

/** Rights of the audit role: every read of every investigation and of every plan. */
export function auditRights(
  investigations: readonly Pick<Investigation, 'permissions'>[],
  actions: readonly Pick<ContainmentAction, 'permissions'>[],
): Policy {
  const reads = [
    ...reachReads,
    ...planReads,
    ...intakeReads,
    ...doctorReads,
    ...investigations.flatMap((unit) => unit.permissions),
    ...actions.flatMap((action) => action.permissions.read),
  ];
  return policyOf({ Sid: 'Look', Effect: 'Allow', Action: sortedNames(reads), Resource: '*' });
}

/** Rights of the responder role: the union of what the session policies of all actions can ask for, over all targets. */
export function responderRights(
  actions: readonly Pick<ContainmentAction, 'roleStatements'>[],
  accountId: string,
  partition: string,
): Policy {
  const statements = actions.flatMap((action) => action.roleStatements(accountId, partition));
  const merged = new Map<string, Statement>();
  for (const { Sid: _, ...statement } of statements) {
    const { Action, ...rest } = statement;
    const key = JSON.stringify(rest);
    merged.set(key, { ...rest, Action: sortedNames([...(merged.get(key)?.Action ?? []), ...Action]) });
  }
  return policyOf(...merged.values());
}

/** Who may become the audit role. */
export function auditTrust(principal: string, externalId: string): Policy {
  return policyOf({
    Effect: 'Allow',
    Principal: { AWS: principal },
    Action: ['sts:AssumeRole'],
    Condition: { StringEquals: { 'sts:ExternalId': externalId } },
  });
}

/** Who may become the responder role, and that a session without case, plan, requester and approver is refused. */
export function responderTrust(principal: string, externalId: string): Policy {
  return policyOf({
    Effect: 'Allow',
    Principal: { AWS: principal },
    Action: ['sts:AssumeRole', 'sts:SetSourceIdentity', 'sts:TagSession'],
    Condition: {
      StringEquals: { 'sts:ExternalId': externalId },
      StringLike: {
        'sts:SourceIdentity': 'ir-*',
        ...Object.fromEntries(sessionTags.map((tag) => [`aws:RequestTag/${tag}`, '*'])),
      },
      'ForAllValues:StringEquals': { 'aws:TagKeys': sessionTags },
    },
  });
}
