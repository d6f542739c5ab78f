/**
 * Who or what is behind a session, where the record itself says so (DOMAIN.md 3.2, 4.1): the source identity that survives every
 * hop of a chain, the Identity Center person, the identity that a console user switched from, and the function.
 */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { at } from './links-fields.ts';
import { type GraphNode, nodeOfArn, parseArn, sessionOf, text } from './principal.ts';

/** Before a source identity, so that no user name or subject is taken for one. */
export const sourceIdentityMark = 'source-identity:';
const sourceIdentityForm = /^[\w+=,.@-]{2,64}$/;

/** The node of a source identity: what the first hop of a chain set and no later one can change. */
export function sourceIdentityNode(name: string | undefined): GraphNode | undefined {
  return name !== undefined && sourceIdentityForm.test(name)
    ? { kind: 'federatedUser', id: `${sourceIdentityMark}${name}` }
    : undefined;
}

/** What runs as the session that made the call. */
export function runnersOf(record: CloudTrailRecord): readonly GraphNode[] {
  const { userIdentity } = record;
  // Credentials are issued to one function, task or instance; the source is what called it, and stands for it in older records.
  const issuedTo = at(userIdentity, 'inScopeOf', 'credentialsIssuedTo') ?? at(userIdentity, 'inScopeOf', 'sourceArn');
  return defined([nodeOfArn(issuedTo ?? ''), sourceIdentityNode(text(userIdentity.sessionContext?.sourceIdentity))]);
}

/** What will run as the session that a successful AssumeRole* call hands out. */
export function runnersOfHanded(record: CloudTrailRecord, session: GraphNode): readonly GraphNode[] {
  const named =
    at(record.responseElements, 'sourceIdentity') ??
    at(record.requestParameters, 'sourceIdentity') ??
    // A chained hop carries it on without saying so again.
    text(record.userIdentity.sessionContext?.sourceIdentity);
  return defined([sourceIdentityNode(named), functionOf(record, session), ...bearersOf(record)]);
}

/** Whom Roles Anywhere or EKS gave a session: they ask without an AWS identity, and are named in the answer. */
function bearersOf({ responseElements }: CloudTrailRecord): readonly (GraphNode | undefined)[] {
  return [
    nodeOfArn(at(responseElements, 'subjectArn') ?? ''),
    nodeOfArn(at(responseElements, 'podIdentityAssociation', 'associationArn') ?? ''),
  ];
}

/** Lambda names the session of a function after it, and nobody else can call as Lambda. */
function functionOf(record: CloudTrailRecord, session: GraphNode): GraphNode | undefined {
  const { type, invokedBy } = record.userIdentity;
  if (type !== 'AWSService' || !/^lambda\.amazonaws\.com(\.cn)?$/.test(invokedBy ?? '')) return undefined;
  const [arn, name] = [parseArn(session.id), sessionOf(session.id)?.session];
  if (!arn || !name || record.awsRegion === '') return undefined;
  return nodeOfArn(`arn:${arn.partition}:lambda:${record.awsRegion}:${arn.accountId}:function:${name}`);
}

/** The identities that hold the session of the call by what its record says: edges `assumed` lead from them to it. */
export function holdersOf(record: CloudTrailRecord): readonly GraphNode[] {
  const { userIdentity } = record;
  const person = userIdentity.type === 'AssumedRole' ? text(userIdentity.onBehalfOf?.userId) : undefined;
  return defined([person === undefined ? undefined : { kind: 'federatedUser', id: person }, switchedFrom(record)]);
}

/** In the console a role is switched to by a call of the new session, which names the identity of before. */
function switchedFrom(record: CloudTrailRecord): GraphNode | undefined {
  if (!record.eventSource.startsWith('signin.') || record.eventName !== 'SwitchRole') return undefined;
  const from = nodeOfArn(at(record.additionalEventData, 'SwitchFrom') ?? '');
  return from?.kind === 'resource' ? undefined : from;
}

function defined(nodes: readonly (GraphNode | undefined)[]): readonly GraphNode[] {
  return nodes.filter((node) => node !== undefined);
}
