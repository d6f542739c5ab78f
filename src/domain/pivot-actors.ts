/**
 * Who in the graph acts together. Sharing an address ties nobody to anybody: identities that only an address leads to are
 * neighbours, which may be innocent, and are never called the attacker's (DOMAIN.md 3.4, shared IP trap).
 */
import type { EdgeKind, NodeKind } from '../contracts/artifact.ts';
import type { PivotEdge, PivotNode } from '../contracts/pivot.ts';
import { sourceIdentityMark } from './links-behind.ts';
import type { PivotGraph } from './pivot-engine.ts';
import { whyNotFollow } from './pivot-rules.ts';
import {
  type GraphNode,
  isPrincipal,
  nodeOfArn,
  parseArn,
  principalGroup,
  principalOf,
  sessionOf,
} from './principal.ts';

export interface Actor {
  /** User, root or federated user by ARN; all sessions of a role together by the role's ARN. */
  readonly id: string;
  readonly label: string;
  readonly nodes: readonly PivotNode[];
  /** Tied to the seed by keys, sessions or what was made, not by an address alone. */
  readonly isCore: boolean;
  /** Why it is not told as part of the story, for behind its name: ` (same address only)`, ` (not followed)`; else "". */
  readonly aside: string;
  /** Calls that it made itself. */
  readonly events: number;
  readonly ips: readonly string[];
  readonly keys: readonly string[];
  readonly firstSeen: string;
  readonly lastSeen: string;
}

/** Ids tied to the seeds by anything but a shared address. An address as seed ties everybody who used it. */
export function coreOf(graph: PivotGraph, seeds: readonly GraphNode[]): ReadonlySet<string> {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const kindOf = (id: string): NodeKind => nodes.get(id)?.kind ?? 'resource';
  const ties = new Map<string, string[]>();
  const tie = (from: string, to: string) => gather(ties, from, to);
  for (const edge of graph.edges) {
    const isSeedAddress = seeds.some((seed) => seed.kind === 'ip' && seed.id === edge.to);
    if (edge.kind === 'used-ip' && !isSeedAddress) continue;
    if (whyNotFollow(edge, edge.from, kindOf) === undefined) tie(edge.from, edge.to);
    if (whyNotFollow(edge, edge.to, kindOf) === undefined) tie(edge.to, edge.from);
  }
  const core = new Set(seeds.map((seed) => seed.id));
  for (const id of core) {
    if (nodes.get(id)?.expanded === false) continue;
    for (const other of ties.get(id) ?? []) {
      if (!/^(service|account)$/.test(kindOf(other))) core.add(other);
    }
  }
  return core;
}

function gather<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const had = map.get(key);
  if (had) had.push(value);
  else map.set(key, [value]);
}

interface Group {
  readonly nodes: Map<string, PivotNode>;
  readonly times: string[];
  events: number;
}

/** The acting identities of the graph, core first, busiest first. */
export function actorsOf(graph: PivotGraph, core: ReadonlySet<string>): readonly Actor[] {
  const nodes = new Map(graph.nodes.filter((node) => isPrincipal(node.kind)).map((node) => [node.id, node]));
  const groups = new Map<string, Group>();
  const groupOf = (node: PivotNode): Group => {
    const id = principalGroup(node);
    const group = groups.get(id) ?? { nodes: new Map(), times: [], events: 0 };
    group.nodes.set(node.id, node);
    groups.set(id, group);
    return group;
  };
  for (const node of nodes.values()) groupOf(node);
  for (const record of graph.records) {
    const node = nodes.get(principalOf(record)?.id ?? '');
    if (!node) continue;
    const group = groupOf(node);
    group.events += 1;
    group.times.push(record.eventTime);
  }
  const usedBy = new Map<string, PivotEdge[]>();
  for (const edge of graph.edges)
    if (edge.kind === 'used-ip' || edge.kind === 'used-key') gather(usedBy, edge.from, edge);
  return [...groups]
    .map(([id, group]): Actor => {
      const members = [...group.nodes.values()];
      const isCore = members.some((node) => core.has(node.id));
      const used = (kind: EdgeKind) => [
        ...new Set(
          members.flatMap((node) =>
            (usedBy.get(node.id) ?? []).flatMap((edge) => (edge.kind === kind ? [edge.to] : [])),
          ),
        ),
      ];
      return {
        id,
        label: labelOf(id),
        nodes: members,
        isCore,
        aside: isCore ? '' : members.some((node) => node.expanded) ? ' (same address only)' : ' (not followed)',
        events: group.events,
        ips: used('used-ip'),
        keys: used('used-key'),
        firstSeen: group.times[0] ?? '',
        lastSeen: group.times.at(-1) ?? '',
      };
    })
    .sort((a, b) => Number(b.isCore) - Number(a.isCore) || b.events - a.events || (a.id < b.id ? -1 : 1));
}

/** An Identity Center user's id, with or without the store's number before it; no other node has this form. */
const personId = /^([0-9a-f]{10}-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** `PROVIDER:AUDIENCE:SUBJECT` of a caller with a web identity. */
const webIdentity = /^oidc-provider\/([^:]+):[^:]*:(.+)$/s;

/** `user pipeline`, `role DevOps`, `session MaryMajor of role DevOps`, `root of 111122223333`; other ids as they are. */
export function labelOf(id: string): string {
  if (id.startsWith(sourceIdentityMark)) return `source identity ${id.slice(sourceIdentityMark.length)}`;
  if (personId.test(id)) return `Identity Center user ${id}`;
  const arn = parseArn(id);
  const node = nodeOfArn(id);
  const last = arn?.resource.split('/').at(-1) ?? id;
  switch (node?.kind) {
    case 'user':
      return `user ${last}`;
    case 'role':
      return `role ${last}`;
    case 'root':
      return `root of ${arn?.accountId}`;
    case 'federatedUser':
      return `federated user ${last}`;
    case 'session': {
      const session = sessionOf(id);
      return session ? `session ${session.session} of role ${session.role}` : id;
    }
    case 'resource': {
      const [, provider, subject] = (arn?.service === 'iam' && webIdentity.exec(arn.resource)) || [];
      if (provider && subject) return `federated user ${subject} of ${provider}`;
      return arn ? `${arn.service} ${arn.resource.replace(/^[^:/]*[:/](?=.)/, '')}` : id;
    }
    default:
      return id;
  }
}
