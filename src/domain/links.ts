/**
 * The links that one CloudTrail record proves (DOMAIN.md 3.2 and 4). Nodes are everything that the record touches, so that
 * looking up any of them finds the record; edges are only what is certain:
 *
 * - `used-ip` and `used-key`: any call, failed ones too. An address is one only if it parses strictly; AWS services in its
 *   place become `service` nodes without an edge.
 * - `assumed`: caller to session (AssumeRole*, AssumeRoot), the one who switched to it in the console or on whose behalf it acts
 *   to session, and session to its role.
 * - `minted`: caller to the temporary key or federated user; the issuing user to its federated user.
 * - `created`, `changed`, `deleted`: actor to thing, of successful calls only. A foreign account that a call lets in (trust
 *   policy, image or snapshot permission, invitation) counts as changed.
 * - `runs-as`: instance, function or source identity to session.
 * - `same-as`: both names of a renamed user, id and name of a key pair.
 */
import type { EdgeKind } from '../contracts/artifact.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { parseIp } from './address.ts';
import { foreignAccounts } from './links-accounts.ts';
import { holdersOf, runnersOf, runnersOfHanded } from './links-behind.ts';
import { at } from './links-fields.ts';
import { isInstanceId, type Place } from './links-naming.ts';
import { touchedBy } from './links-resources.ts';
import { askedRole, handedOut, isOfSts } from './links-sts.ts';
import {
  accountOf,
  type GraphNode,
  nameKeyOfArn,
  nodeOfArn,
  partitionOf,
  principalOf,
  roleArnOfSession,
  roleOf,
  sessionOf,
  succeeded,
  text,
  triedAs,
} from './principal.ts';

interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: EdgeKind;
}

export interface Links {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** Records do not change, so that each is read once however often it is asked for. */
const known = new WeakMap<CloudTrailRecord, Links>();

/** Nodes and edges of a record. Never throws, whatever the record holds. */
export function linksOf(record: CloudTrailRecord): Links {
  const before = known.get(record);
  if (before) return before;
  const links = readLinks(record);
  known.set(record, links);
  return links;
}

class Collector {
  readonly nodes = new Map<string, GraphNode>();
  readonly edges = new Map<string, GraphEdge>();

  node(node: GraphNode): void {
    const had = this.nodes.get(node.id);
    if (!had || had.kind === 'resource') this.nodes.set(node.id, node);
  }

  edge(from: GraphNode | undefined, kind: EdgeKind, to: GraphNode | undefined): void {
    if (to) this.node(to);
    if (!from || !to || from.id === to.id) return;
    this.node(from);
    this.edges.set(`${kind}\n${from.id}\n${to.id}`, { from: from.id, to: to.id, kind });
  }
}

function readLinks(record: CloudTrailRecord): Links {
  const out = new Collector();
  const actor = principalOf(record);
  const place = placeOf(record);
  const ok = succeeded(record);
  if (actor) {
    out.node(actor);
    linkSession(out, record, actor);
  }
  linkOrigin(out, record, actor);
  for (const id of [place.accountId, text(record.userIdentity.accountId) ?? '']) {
    if (/^\d{12}$/.test(id)) out.node({ kind: 'account', id });
  }
  const role = askedRole(record);
  if (role) out.node(role);
  if (ok) {
    for (const { kind, node } of handedOut(record, place.partition)) {
      const runners = runnersOfHanded(record, node);
      out.edge(actor ?? runners[0], kind, node);
      linkSession(out, record, node, role);
      if (node.kind === 'session') for (const runner of runners) out.edge(runner, 'runs-as', node);
    }
    for (const account of foreignAccounts(record, place)) out.edge(actor, 'changed', account);
    linkNewAccount(out, record);
  }
  if (!isOfSts(record)) linkTouched(out, record, actor, place, ok);
  for (const { ARN } of (Array.isArray(record.resources) ? record.resources : []).slice(0, 200)) {
    const node = nodeOfArn(text(ARN) ?? '');
    if (node) out.node(node);
  }
  return { nodes: [...out.nodes.values()], edges: [...out.edges.values()] };
}

function placeOf(record: CloudTrailRecord): Place {
  return {
    partition: partitionOf(record),
    accountId: accountOf(record),
    region: record.awsRegion,
    service: record.eventSource.split('.')[0] ?? '',
  };
}

/** A session's role, what runs as it, and a federated user's issuer. */
function linkSession(out: Collector, record: CloudTrailRecord, node: GraphNode, asked?: GraphNode): void {
  if (node.kind === 'session') {
    const told = asked && roleArnOfSession(node.id)?.endsWith(`/${asked.id.split('/').at(-1)}`) ? asked : undefined;
    out.edge(node, 'assumed', told ?? roleOf(record, node));
    const name = sessionOf(node.id)?.session;
    if (name && isInstanceId(name)) out.edge({ kind: 'resource', id: name }, 'runs-as', node);
  }
  if (node.id !== record.userIdentity.arn) return;
  if (node.kind === 'session') {
    for (const runner of runnersOf(record)) out.edge(runner, 'runs-as', node);
    if (succeeded(record)) for (const holder of holdersOf(record)) out.edge(holder, 'assumed', node);
  }
  const issuer = text(record.userIdentity.sessionContext?.sessionIssuer?.arn);
  if (node.kind === 'federatedUser' && issuer) out.edge(nodeOfArn(issuer), 'minted', node);
}

function linkOrigin(out: Collector, record: CloudTrailRecord, actor: GraphNode | undefined): void {
  const ip = parseIp(record.sourceIPAddress);
  if (ip) {
    out.edge(actor, 'used-ip', { kind: 'ip', id: ip });
  } else if (/^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$/.test(record.sourceIPAddress)) {
    out.node({ kind: 'service', id: record.sourceIPAddress });
  }
  const key = text(record.userIdentity.accessKeyId);
  if (key && actor?.kind !== 'service') out.edge(actor, 'used-key', { kind: 'accessKey', id: key });
  // A failed sign-in names its user, but has no ARN: it must be found, yet proves no use of the address by the user.
  const tried = triedAs(record);
  if (tried) out.node(tried);
}

function linkTouched(
  out: Collector,
  record: CloudTrailRecord,
  actor: GraphNode | undefined,
  place: Place,
  ok: boolean,
): void {
  const { effects, mentions } = touchedBy(record, place, ok);
  for (const node of mentions) out.node(node);
  for (const { kind, node } of effects) out.edge(actor, kind, isSelf(actor, node) ? actor : node);
  const pair = ok && place.service === 'ec2' ? at(record.responseElements, 'keyPairId') : undefined;
  if (pair)
    for (const { kind, node } of effects)
      if (kind === 'created') out.edge({ kind: 'resource', id: pair }, 'same-as', node);
  if (!ok || place.service !== 'iam') return;
  const owner = `arn:${place.partition}:iam::${place.accountId}:user/`;
  const renamed = at(record.requestParameters, 'newUserName');
  const former = at(record.requestParameters, 'userName');
  if (record.eventName === 'UpdateUser' && renamed && former) {
    out.edge({ kind: 'user', id: owner + former }, 'same-as', { kind: 'user', id: owner + renamed });
  }
}

/** A user that acts on itself by name: the record gives its path in the ARN only. */
function isSelf(actor: GraphNode | undefined, node: GraphNode): boolean {
  return actor?.kind === 'user' && node.kind === 'user' && nameKeyOfArn(actor.id) === nameKeyOfArn(node.id);
}

/** Organizations tells the number of a new account in an event of its own, which names the request of before. */
function linkNewAccount(out: Collector, record: CloudTrailRecord): void {
  if (record.eventSource !== 'organizations.amazonaws.com') return;
  for (const body of [record.responseElements, record.serviceEventDetails]) {
    const request = at(body, 'createAccountStatus', 'id');
    const account = at(body, 'createAccountStatus', 'accountId');
    const asked: GraphNode | undefined = request ? { kind: 'resource', id: request } : undefined;
    if (record.eventName.startsWith('Create')) out.edge(principalOf(record), 'created', asked);
    if (asked && account && /^\d{12}$/.test(account)) out.edge(asked, 'created', { kind: 'account', id: account });
  }
}
