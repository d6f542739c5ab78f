/** Sessions and keys that STS and its kin hand out (DOMAIN.md 4.1). */
import type { EdgeKind } from '../contracts/artifact.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { at } from './links-fields.ts';
import { type GraphNode, nodeOfArn, parseArn } from './principal.ts';

export interface Handed {
  readonly kind: Extract<EdgeKind, 'assumed' | 'minted'>;
  readonly node: GraphNode;
}

/** Calls of other services that hand out sessions of a role, with bodies like those of STS. */
const kin = new Set(['rolesanywhere.amazonaws.com:CreateSession', 'eks-auth.amazonaws.com:AssumeRoleForPodIdentity']);

/** Whether the call is one of STS, or of its kin. */
export function isOfSts({ eventSource, eventName }: CloudTrailRecord): boolean {
  return eventSource === 'sts.amazonaws.com' || kin.has(`${eventSource}:${eventName}`);
}

/** What a successful call of STS or its kin gave to its caller. Empty for all other calls. */
export function handedOut(record: CloudTrailRecord, partition: string): readonly Handed[] {
  if (!isOfSts(record)) return [];
  const handed: Handed[] = [];
  const set = record.responseElements?.credentialSet;
  if (record.eventName === 'CreateSession') return (Array.isArray(set) ? set : []).slice(0, maxSets).flatMap(sessionIn);
  if (record.eventName.startsWith('Assume')) {
    const identity = record.eventName === 'AssumeRoot' ? assumedRoot(record, partition) : assumedSession(record);
    if (identity) handed.push({ kind: 'assumed', node: identity });
  }
  const federated = at(record.responseElements, 'federatedUser', 'arn');
  const federatedNode = federated ? nodeOfArn(federated) : undefined;
  if (federatedNode) handed.push({ kind: 'minted', node: federatedNode });
  const key = at(record.responseElements, 'credentials', 'accessKeyId');
  if (key) handed.push({ kind: 'minted', node: { kind: 'accessKey', id: key } });
  return handed;
}

const maxSets = 10;

/** One entry of what Roles Anywhere gives for a certificate. */
function sessionIn(entry: unknown): readonly Handed[] {
  const session = nodeOfArn(at(entry, 'assumedRoleUser', 'arn') ?? '');
  const key = at(entry, 'credentials', 'accessKeyId');
  return [
    ...(session ? [{ kind: 'assumed', node: session } as const] : []),
    ...(key ? [{ kind: 'minted', node: { kind: 'accessKey', id: key } } as const] : []),
  ];
}

/** The role that an AssumeRole* call names: exact, with its path. Also for calls that failed. */
export function askedRole(record: CloudTrailRecord): GraphNode | undefined {
  if (!isOfSts(record)) return undefined;
  const roleArn = at(record.requestParameters, 'roleArn');
  const node = roleArn ? nodeOfArn(roleArn) : undefined;
  return node?.kind === 'role' ? node : undefined;
}

/** AWS services' own AssumeRole calls leave `assumedRoleUser` out; role and session name say the same. */
function assumedSession(record: CloudTrailRecord): GraphNode | undefined {
  const told = at(record.responseElements, 'assumedRoleUser', 'arn');
  if (told) return nodeOfArn(told);
  const role = parseArn(askedRole(record)?.id ?? '');
  const session = at(record.requestParameters, 'roleSessionName');
  const name = role?.resource.split('/').at(-1);
  if (!role || !name || !session) return undefined;
  return nodeOfArn(`arn:${role.partition}:sts::${role.accountId}:assumed-role/${name}/${session}`);
}

function assumedRoot(record: CloudTrailRecord, partition: string): GraphNode | undefined {
  const target = at(record.requestParameters, 'targetPrincipal');
  if (!target) return undefined;
  return nodeOfArn(/^\d{12}$/.test(target) ? `arn:${partition}:iam::${target}:root` : target);
}
