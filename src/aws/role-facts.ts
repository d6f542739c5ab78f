/** What IAM says of one of Firebreak's own roles, and whether this process may become it. For `firebreak doctor`. */
import {
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import type { AwsReader } from '../contracts/aws.ts';
import { UpstreamError } from '../contracts/errors.ts';
import { awsErrorFacts } from '../domain/aws-errors.ts';
import { everyPage, iamNext } from '../domain/pages.ts';
import { globalRegion, partitionOfRegion } from '../domain/partition.ts';
import { policyText } from '../domain/policy-text.ts';
import { sessionTags } from '../domain/role-rights.ts';
import { partitionOfRole, stsClient } from './clients.ts';

export interface RoleFacts {
  /** As IAM has it, with the path. */
  readonly arn: string;
  readonly trust: unknown;
  /** Documents of all policies, inline and attached. */
  readonly policies: readonly unknown[];
  readonly boundary: string | undefined;
}

/** Reads it with the audit role. Throws what AWS throws, and UpstreamError for an answer that is not IAM's. */
export async function roleFacts(roleArn: string, aws: AwsReader): Promise<RoleFacts> {
  const RoleName = roleArn.split('/').at(-1) ?? '';
  const { Role } = await aws.iam.send(new GetRoleCommand({ RoleName }));
  if (Role?.Arn === undefined) throw notIam();
  const inline = await everyPage(async (Marker) => {
    const page = await aws.iam.send(new ListRolePoliciesCommand({ RoleName, Marker }));
    return { items: page.PolicyNames, next: iamNext(page) };
  });
  const attached = await everyPage(async (Marker) => {
    const page = await aws.iam.send(new ListAttachedRolePoliciesCommand({ RoleName, Marker }));
    return { items: page.AttachedPolicies, next: iamNext(page) };
  });
  const policies: unknown[] = [];
  for (const PolicyName of inline) {
    const { PolicyDocument } = await aws.iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
    policies.push(documentIn(PolicyDocument));
  }
  for (const { PolicyArn } of attached) {
    const { Policy } = await aws.iam.send(new GetPolicyCommand({ PolicyArn }));
    const VersionId = Policy?.DefaultVersionId;
    const { PolicyVersion } = await aws.iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId }));
    policies.push(documentIn(PolicyVersion?.Document));
  }
  return {
    arn: Role.Arn,
    trust: documentIn(Role.AssumeRolePolicyDocument),
    policies,
    boundary: Role.PermissionsBoundary?.PermissionsBoundaryArn,
  };
}

/**
 * Whether this process's own credentials may become the role, tried as the executor does it: with tags and source identity. Where it
 * works, the session may do nothing. False where AWS refuses; throws what AWS throws else.
 */
export async function mayBecome(roleArn: string, externalId: string | undefined, region: string): Promise<boolean> {
  const partition = partitionOfRole(roleArn);
  const stsRegion = partitionOfRegion(region) === partition ? region : globalRegion(partition);
  const nothing = { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }] };
  try {
    await stsClient(stsRegion, { credentials: undefined, maxAttempts: 3 }).send(
      new AssumeRoleCommand({
        RoleArn: roleArn,
        RoleSessionName: 'ir-doctor',
        SourceIdentity: 'ir-doctor',
        DurationSeconds: 900,
        Policy: JSON.stringify(nothing),
        Tags: sessionTags.map((Key) => ({ Key, Value: 'doctor' })),
        ...(externalId === undefined ? {} : { ExternalId: externalId }),
      }),
    );
    return true;
  } catch (error) {
    if (['AccessDenied', 'AccessDeniedException'].includes(awsErrorFacts(error).code)) return false;
    throw error;
  }
}

function documentIn(text: string | undefined): unknown {
  if (text === undefined) throw notIam();
  return JSON.parse(policyText(text)) as unknown;
}

/** "Could not look" is never "there is none" (safety rule 9). */
function notIam(): UpstreamError {
  return new UpstreamError('aws', 'NotAws', "the answer was not IAM's", { retryable: true });
}
