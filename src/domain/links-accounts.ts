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
  const text = decoded(document);
  const principals = principalsIn(text);
  // What is no JSON, cut off at the end perhaps, is searched as text.
  if (principals === undefined)
    return [...text.matchAll(/"([^"]*)"/g)].flatMap((match) => accountOfPrincipal(match[1]));
  return principals.flatMap(accountOfPrincipal);
}

function accountOfPrincipal(principal: string | undefined): readonly string[] {
  const match = /^(?:arn:[a-z-]+:(?:iam|sts)::)?(\d{12})(?::.*)?$/s.exec(principal ?? '');
  return match?.[1] ? [match[1]] : [];
}

/** What stands under `Principal` of statements that allow: conditions hold numbers of 12 digits too. Undefined: no JSON. */
function principalsIn(document: string): readonly string[] | undefined {
  let policy: unknown;
  try {
    policy = JSON.parse(document);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const statements = fieldOf(policy, 'Statement');
  return (Array.isArray(statements) ? statements : [statements]).flatMap((statement) =>
    fieldOf(statement, 'Effect') === 'Allow' ? stringsIn(fieldOf(statement, 'Principal')) : [],
  );
}

function stringsIn(principal: unknown): readonly string[] {
  const named = typeof principal === 'object' && principal !== null ? Object.values(principal).flat() : [principal];
  return named.filter((value): value is string => typeof value === 'string');
}

function fieldOf(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, field)
    ? Reflect.get(value, field)
    : undefined;
}

function decoded(document: string): string {
  if (!/^\s*%/.test(document)) return document;
  return document.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
