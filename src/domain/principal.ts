/** Who acted: the node of a record's `userIdentity` (DOMAIN.md 3.2), and the ARN rules that the links rest on. */
import type { NodeKind } from '../contracts/artifact.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { partitionOfRegion } from './partition.ts';

export interface GraphNode {
  readonly kind: NodeKind;
  readonly id: string;
}

export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly accountId: string;
  readonly resource: string;
}

/** Longer ids are cut out of the graph: AWS allows 2,048 characters in an ARN. */
const maxIdLength = 2048;

export function parseArn(text: string): Arn | undefined {
  if (!text.startsWith('arn:') || text.length > maxIdLength) return undefined;
  const [, partition, service, region, accountId, ...rest] = text.split(':');
  const resource = rest.join(':');
  if (!partition || !service || region === undefined || accountId === undefined || resource === '') return undefined;
  return { partition, service, region, accountId, resource };
}

/** The node that an ARN stands for: users, roles, sessions, root and federated users by kind, all else a resource. */
export function nodeOfArn(text: string): GraphNode | undefined {
  const arn = parseArn(text);
  if (arn === undefined) return undefined;
  if (arn.service === 'iam' && arn.resource === 'root') return { kind: 'root', id: text };
  if (arn.service === 'iam' && arn.resource.startsWith('user/')) return { kind: 'user', id: text };
  if (arn.service === 'iam' && arn.resource.startsWith('role/')) return { kind: 'role', id: text };
  if (arn.service === 'sts' && arn.resource.startsWith('assumed-role/')) return { kind: 'session', id: text };
  if (arn.service === 'sts' && arn.resource.startsWith('federated-user/')) return { kind: 'federatedUser', id: text };
  return { kind: 'resource', id: text };
}

/** Role name and session name of `arn:...:sts::ACCOUNT:assumed-role/Role/Session`. */
export function sessionOf(arn: string): { readonly role: string; readonly session: string } | undefined {
  const match = /^assumed-role\/([^/]+)\/(.+)$/s.exec(parseArn(arn)?.resource ?? '');
  return match?.[1] && match[2] ? { role: match[1], session: match[2] } : undefined;
}

/** The role's ARN without its path, which a session ARN does not tell. */
export function roleArnOfSession(arn: string): string | undefined {
  const parts = parseArn(arn);
  const session = sessionOf(arn);
  return parts && session ? `arn:${parts.partition}:iam::${parts.accountId}:role/${session.role}` : undefined;
}

/** Account and name of a user or role ARN, path left out: IAM names are unique per account whatever the path and case. */
export function nameKeyOfArn(text: string): string | undefined {
  const arn = parseArn(text);
  if (arn?.service !== 'iam') return undefined;
  const match = /^(user|role)\/(?:.*\/)?([^/]+)$/s.exec(arn.resource);
  return match ? `${arn.partition}:${arn.accountId}:${match[1]}:${match[2]?.toLowerCase()}` : undefined;
}

/** The name of a user or role, without its path; empty where the ARN is none. */
export function nameOfArn(text: string): string {
  return parseArn(text)?.resource.split('/').at(-1) ?? '';
}

/** What counts as one principal for hub rules: all sessions of a role together (DESIGN.md 5). */
export function principalGroup(node: GraphNode): string {
  return node.kind === 'session' ? (roleArnOfSession(node.id) ?? node.id) : node.id;
}

export function isPrincipal(kind: NodeKind): boolean {
  return kind === 'user' || kind === 'session' || kind === 'root' || kind === 'federatedUser';
}

/** Users, roles, sessions and the like: what can act. Changes to them are followed both ways. */
export function isIdentity(kind: NodeKind): boolean {
  return isPrincipal(kind) || kind === 'role';
}

/** aws, aws-cn or aws-us-gov: from the caller's ARN, else from the Region. */
export function partitionOf(record: CloudTrailRecord): string {
  const arn = text(record.userIdentity.arn);
  return (arn && parseArn(arn)?.partition) || partitionOfRegion(record.awsRegion);
}

/** The account whose resources the call was about; "" where the record does not say. */
export function accountOf(record: CloudTrailRecord): string {
  return text(record.recipientAccountId) ?? text(record.userIdentity.accountId) ?? '';
}

/** Success is no error code and no error message (DOMAIN.md 3.1); a failed ConsoleLogin says so in its response. */
export function succeeded(record: CloudTrailRecord): boolean {
  if (record.errorCode || record.errorMessage) return false;
  return record.responseElements?.ConsoleLogin !== 'Failure';
}

/**
 * The acting principal. ARNs stay exactly as in `userIdentity.arn`. Callers without an ARN get the key of DOMAIN.md 3.2:
 * the service, the foreign account, provider and subject, or the Identity Center user. Undefined where nothing identifies
 * the caller (a sign-in attempt by a hidden name, `Unknown`, stripped records).
 */
export function principalOf(record: CloudTrailRecord): GraphNode | undefined {
  const who = record.userIdentity;
  const type = text(who.type);
  const invokedBy = text(who.invokedBy);
  if (type === 'AWSService') return invokedBy ? { kind: 'service', id: invokedBy } : undefined;
  const arn = text(who.arn);
  if (arn) return nodeByType(arn, type);
  const principalId = text(who.principalId);
  const accountId = text(who.accountId);
  switch (type) {
    case 'Root':
      return accountId ? { kind: 'root', id: `arn:${partitionOf(record)}:iam::${accountId}:root` } : undefined;
    case 'AWSAccount':
      return accountId ? { kind: 'account', id: accountId } : undefined;
    case 'SAMLUser':
    case 'WebIdentityUser': {
      const subject = principalId ?? text(who.userName);
      if (!subject) return undefined;
      const provider = text(who.identityProvider);
      return {
        kind: 'federatedUser',
        id: provider && !subject.startsWith(provider) ? `${provider}:${subject}` : subject,
      };
    }
    case 'IdentityCenterUser': {
      const id = text(who.onBehalfOf?.userId) ?? text(who.credentialId);
      return id ? { kind: 'federatedUser', id } : undefined;
    }
    default:
      return undefined;
  }
}

/** Whom a failed sign-in was tried as: its record names the user, and has neither his ARN nor proof that it was he. */
export function triedAs(record: CloudTrailRecord): GraphNode | undefined {
  const { type, userName } = record.userIdentity;
  const [name, account] = [text(userName), accountOf(record)];
  if (principalOf(record) || type !== 'IAMUser' || !name || name === 'HIDDEN_DUE_TO_SECURITY_REASONS' || !account)
    return undefined;
  return { kind: 'user', id: `arn:${partitionOf(record)}:iam::${account}:user/${name}` };
}

const kindsOfTypes: Readonly<Record<string, NodeKind>> = {
  Root: 'root',
  IAMUser: 'user',
  AssumedRole: 'session',
  Role: 'role',
  FederatedUser: 'federatedUser',
};

function nodeByType(arn: string, type: string | undefined): GraphNode {
  const node = nodeOfArn(arn);
  if (node && node.kind !== 'resource') return node;
  return { kind: kindsOfTypes[type ?? ''] ?? 'user', id: arn };
}

/** The role of a session: its issuer's ARN (which has the path), else derived from the session's own ARN. */
export function roleOf(record: CloudTrailRecord, session: GraphNode): GraphNode | undefined {
  if (session.kind !== 'session') return undefined;
  const issuer = text(record.userIdentity.sessionContext?.sessionIssuer?.arn);
  if (issuer && record.userIdentity.arn === session.id && nodeOfArn(issuer)?.kind === 'role') {
    return { kind: 'role', id: issuer };
  }
  const derived = roleArnOfSession(session.id);
  return derived ? { kind: 'role', id: derived } : undefined;
}

/** A string worth having: records come from outside, so a field may be anything. Blank and overlong count as missing. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= maxIdLength ? value : undefined;
}
