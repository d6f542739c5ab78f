/**
 * What in a graph is tied to the seeds by more than a shared address or a shared role. Sharing either ties nobody to anybody: the
 * other users of an address, and the other sessions of a role that was only changed, may be innocent (DOMAIN.md 3.4, 4).
 */
import type { NodeKind } from '../contracts/artifact.ts';
import type { PivotEdge } from '../contracts/pivot.ts';
import { linksOf } from './links.ts';
import { type Bearers, nodeOfSide } from './pivot-bearers.ts';
import type { PivotGraph } from './pivot-engine.ts';
import { whyNotFollow } from './pivot-rules.ts';
import { type GraphNode, nameKeyOfArn, principalOf } from './principal.ts';

export type CoreLink = Pick<PivotEdge, 'from' | 'to' | 'kind'>;

interface Tie {
  readonly to: string;
  readonly edge: CoreLink;
}

export interface Core {
  /** Ids, nearest first, with the link that ties each; the seeds have none. */
  readonly links: ReadonlyMap<string, CoreLink | undefined>;
  /** The same by the bearers of names that were made again (pivot-bearers.ts). */
  readonly sides: ReadonlySet<string>;
}

/**
 * What is tied to the seeds by anything but a shared address or role. An address or a role as seed ties everybody who used it.
 */
export function coreOf(graph: PivotGraph, seeds: readonly GraphNode[], bearers: Bearers): Core {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const kindOf = (id: string): NodeKind => nodes.get(id)?.kind ?? 'resource';
  const ties = new Map<string, Tie[]>();
  const tie = (from: string, to: string, edge: CoreLink, events?: PivotEdge) => {
    for (const side of bearers.sidesOf(from, events)) {
      const had = ties.get(side) ?? [];
      for (const other of bearers.sidesOf(to, events)) had.push({ to: other, edge });
      ties.set(side, had);
    }
  };
  for (const edge of graph.edges) {
    const isSeedAddress = seeds.some((seed) => seed.kind === 'ip' && seed.id === edge.to);
    if (edge.kind === 'used-ip' && !isSeedAddress) continue;
    if (whyNotFollow(edge, edge.from, kindOf) === undefined) tie(edge.from, edge.to, edge, edge);
    if (whyNotFollow(edge, edge.to, kindOf) === undefined) tie(edge.to, edge.from, edge, edge);
  }
  for (const { by, session } of letIn(graph)) tie(by, session, { from: by, to: session, kind: 'assumed' });
  const own = new Set([
    ...seeds.map(({ id }) => nameOf(id)),
    ...graph.edges.filter(({ kind }) => kind === 'created').map(({ to }) => nameOf(to)),
  ]);
  const core = new Map<string, CoreLink | undefined>(seeds.map((seed) => [seed.id, undefined]));
  for (const side of core.keys()) {
    const id = nodeOfSide(side);
    if (nodes.get(id)?.expanded === false) continue;
    for (const { to, edge } of ties.get(side) ?? []) {
      if (/^(service|account)$/.test(kindOf(nodeOfSide(to)))) continue;
      const isBesides = edge.kind === 'assumed' && edge.to === id && kindOf(id) === 'role' && !own.has(nameOf(id));
      if (!isBesides && !core.has(to)) core.set(to, edge);
    }
  }
  const links = new Map<string, CoreLink | undefined>();
  for (const [side, edge] of core) if (!links.has(nodeOfSide(side))) links.set(nodeOfSide(side), edge);
  return { links, sides: new Set(core.keys()) };
}

/**
 * Which circle an id belongs to: ids that keys, sessions and what was made tie to each other are of one, whatever addresses they
 * share.
 */
export function circlesOf(graph: PivotGraph): (id: string) => string {
  const kinds = new Map(graph.nodes.map((node) => [node.id, node.kind]));
  const parent = new Map<string, string>();
  const rootOf = (id: string): string => {
    let root = id;
    for (let up = parent.get(root); up !== undefined; up = parent.get(root)) root = up;
    for (let at = id; at !== root; ) {
      const up = parent.get(at) ?? root;
      parent.set(at, root);
      at = up;
    }
    return root;
  };
  const kindOf = (id: string): NodeKind => kinds.get(id) ?? 'resource';
  for (const edge of graph.edges) {
    if (edge.kind === 'used-ip' || [edge.from, edge.to].some((id) => /^(service|account)$/.test(kindOf(id)))) continue;
    const isFollowed = [edge.from, edge.to].some((id) => whyNotFollow(edge, id, kindOf) === undefined);
    const isOnlyRole = edge.kind === 'assumed' && kindOf(edge.to) === 'role';
    const [a, b] = [rootOf(edge.from), rootOf(edge.to)];
    if (isFollowed && !isOnlyRole && a !== b) parent.set(a, b);
  }
  return rootOf;
}

function nameOf(id: string): string {
  return nameKeyOfArn(id) ?? id;
}

/**
 * Sessions that an account took of a role after somebody's change of the role's trust had named the account, and of which it had
 * taken none before: a policy is written anew as a whole, so that it names those who were let in all along, too.
 */
function letIn(graph: PivotGraph): readonly { readonly by: string; readonly session: string }[] {
  const openedBy = new Map<string, string>();
  const before = new Set<string>();
  const found = new Map<string, { by: string; session: string }>();
  for (const record of graph.records) {
    const caller = principalOf(record);
    if (caller?.kind !== 'account' && record.eventSource !== 'iam.amazonaws.com') continue;
    const links = linksOf(record).edges;
    if (caller?.kind === 'account') {
      const roles = links.flatMap(({ kind, to }) => (kind === 'assumed' && nameKeyOfArn(to) ? [nameOf(to)] : []));
      for (const { kind, from, to } of links) {
        if (kind !== 'assumed' || from !== caller.id) continue;
        for (const role of roles) {
          const by = openedBy.get(`${caller.id} ${role}`);
          if (by !== undefined && !before.has(`${caller.id} ${role}`)) found.set(`${by} ${to}`, { by, session: to });
          else before.add(`${caller.id} ${role}`);
        }
      }
    } else if (caller) {
      const changed = links.filter(({ kind }) => kind === 'changed' || kind === 'created').map(({ to }) => to);
      for (const account of changed.filter((id) => /^\d{12}$/.test(id))) {
        for (const role of changed.filter((id) => nameKeyOfArn(id)))
          openedBy.set(`${account} ${nameOf(role)}`, caller.id);
      }
    }
  }
  return [...found.values()];
}
