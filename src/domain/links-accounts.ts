/** Other accounts that a successful call lets in: trust policies, shared images and snapshots, invitations. */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { at, fieldsOf } from './links-fields.ts';
import type { Place } from './links-naming.ts';
import type { GraphNode } from './principal.ts';

const policyFields = ['assumeRolePolicyDocument', 'policyDocument'];

/** Account nodes, without the record's own account. */
export function foreignAccounts(record: CloudTrailRecord, place: Place): readonly GraphNode[] {
  return [...new Set(accountsIn(record))]
    .filter((id) => /^\d{12}$/.test(id) && id !== place.accountId)
    .map((id) => ({ kind: 'account', id }));
}

function accountsIn(record: CloudTrailRecord): readonly string[] {
  const asked = record.requestParameters;
  switch (record.eventName) {
    case 'CreateRole':
    case 'UpdateAssumeRolePolicy':
      return policyFields.flatMap((field) => trustedAccounts(at(asked, field)));
    case 'ModifyImageAttribute':
      return sharedWith(asked, 'launchPermission');
    case 'ModifySnapshotAttribute':
      return sharedWith(asked, 'createVolumePermission');
    case 'InviteAccountToOrganization':
      return [at(asked, 'target', 'id') ?? ''];
    default:
      return [];
  }
}

function sharedWith(asked: unknown, field: string): readonly string[] {
  if (typeof asked !== 'object' || asked === null) return [];
  const permission: unknown = Reflect.get(asked, field);
  const added: unknown =
    typeof permission === 'object' && permission !== null ? Reflect.get(permission, 'add') : undefined;
  return fieldsOf(added).flatMap(({ key, value }) => (key === 'userid' ? [value] : []));
}

/** Principals of a trust policy. IAM logs the document as a string, URL-encoded or not; one that is neither names nobody. */
function trustedAccounts(document: string | undefined): readonly string[] {
  if (document === undefined) return [];
  return [...decoded(document).matchAll(/"(?:arn:[a-z-]+:(?:iam|sts)::)?(\d{12})(?::[^"]*)?"/g)].map(
    (match) => match[1] ?? '',
  );
}

function decoded(document: string): string {
  if (!/^\s*%/.test(document)) return document;
  return document.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
