/** Graphs for the exports: of a pivot, or straight from records. */
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import type { PivotEdge, PivotNode } from '../../contracts/pivot.ts';
import { linksOf } from '../links.ts';
import { labelOf } from '../pivot-actors.ts';
import type { ExportGraph } from './dot.ts';

export function pivotGraph(
  nodes: readonly PivotNode[],
  edges: readonly PivotEdge[],
  title: string,
  seed: string,
): ExportGraph {
  return {
    title,
    nodes: nodes.map(({ id, kind }) => ({ id, kind, label: labelOf(id), isSeed: id === seed })),
    edges,
  };
}

/** The links that the records prove, without what they only mention. */
export function recordGraph(records: readonly CloudTrailRecord[], title: string, seed: string): ExportGraph {
  const kinds = new Map<string, string>();
  const edges = new Map<string, { from: string; to: string; kind: string; events: number }>();
  for (const record of records) {
    const links = linksOf(record);
    for (const { kind, id } of links.nodes) kinds.set(id, kind);
    for (const { from, to, kind } of links.edges) {
      const key = `${kind}\n${from}\n${to}`;
      const had = edges.get(key) ?? { from, to, kind, events: 0 };
      edges.set(key, { ...had, events: had.events + 1 });
    }
  }
  const ids = new Set([...edges.values()].flatMap(({ from, to }) => [from, to]));
  return {
    title,
    nodes: [...ids].map((id) => ({ id, kind: kinds.get(id) ?? 'resource', label: labelOf(id), isSeed: id === seed })),
    edges: [...edges.values()],
  };
}
