/** From the nodes and edges of an answer to what fits on a picture: edges joined, like leaves folded, the rest cut. */
import type { GraphPicture } from '../contracts/investigation.ts';
import { lookOf } from './kinds.ts';
import { counted } from './text.ts';

type Node = GraphPicture['nodes'][number];

/** A box on the picture: one node, or several alike that hang on the same neighbours. */
export interface Block {
  readonly nodes: readonly Node[];
}

/** Indices into `blocks`. */
export interface Link {
  readonly from: number;
  readonly to: number;
  readonly labels: readonly string[];
}

export interface FoldedGraph {
  readonly blocks: readonly Block[];
  readonly links: readonly Link[];
  /** What is not on the picture, in sentences. */
  readonly notes: readonly string[];
}

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly labels: string[];
}

const minFold = 3;
const maxLinks = 240;

/** At most `maxBlocks` boxes; kept are the seed and what is nearest to it. Same input, same output. */
export function foldGraph(graph: GraphPicture, maxBlocks: number): FoldedGraph {
  const nodes = new Map<string, Node>();
  for (const node of graph.nodes) if (!nodes.has(node.id)) nodes.set(node.id, node);
  const edges = joinEdges(graph.edges.filter((edge) => nodes.has(edge.from) && nodes.has(edge.to)));
  const blocks = foldLeaves([...nodes.values()], edges);
  const kept = nearestFirst(blocks, edges).slice(0, maxBlocks);
  const indexOf = new Map(kept.flatMap((block, index) => block.nodes.map((node) => [node.id, index] as const)));
  const links = joinLinks(edges, indexOf);
  const drawn = kept.reduce((sum, block) => sum + block.nodes.length, 0);
  const dangling = graph.edges.filter((edge) => !nodes.has(edge.from) || !nodes.has(edge.to)).length;
  const notes: string[] = [];
  if (drawn < nodes.size) {
    notes.push(
      `${drawn.toLocaleString('en-US')} of ${counted(nodes.size, 'node')} are drawn, the nearest to the seed; the answer lists all.`,
    );
  }
  if (links.length > maxLinks) notes.push(`${counted(links.length - maxLinks, 'link')} between them not drawn.`);
  if (dangling > 0) notes.push(`${counted(dangling, 'link')} to nodes outside this picture not drawn.`);
  return { blocks: kept, links: links.slice(0, maxLinks), notes };
}

function joinEdges(edges: GraphPicture['edges']): readonly Edge[] {
  const joined = new Map<string, Edge>();
  for (const { from, to, label } of edges) {
    const key = JSON.stringify([from, to]);
    const edge = joined.get(key) ?? { from, to, labels: [] };
    if (!edge.labels.includes(label)) edge.labels.push(label);
    joined.set(key, edge);
  }
  return [...joined.values()];
}

function foldLeaves(nodes: readonly Node[], edges: readonly Edge[]): readonly Block[] {
  const touching = new Map<string, Edge[]>(nodes.map((node) => [node.id, []]));
  for (const edge of edges) {
    touching.get(edge.from)?.push(edge);
    if (edge.to !== edge.from) touching.get(edge.to)?.push(edge);
  }
  const alike = new Map<string, Node[]>();
  for (const node of nodes) {
    const own = touching.get(node.id) ?? [];
    const key = node.mark === 'seed' || own.length > 3 ? JSON.stringify([node.id]) : signature(node, own);
    const group = alike.get(key) ?? [];
    group.push(node);
    alike.set(key, group);
  }
  const folded = new Set<string>();
  const blocks: Block[] = [];
  for (const group of alike.values()) {
    const neighbours = group.flatMap((node) => (touching.get(node.id) ?? []).flatMap(({ from, to }) => [from, to]));
    const own = new Set(group.map((node) => node.id));
    if (group.length < minFold || neighbours.some((id) => folded.has(id) && !own.has(id))) {
      blocks.push(...group.map((node) => ({ nodes: [node] })));
      continue;
    }
    for (const id of own) folded.add(id);
    // Living things first: a long list is cut at its end.
    blocks.push({ nodes: group.toSorted((a, b) => Number(b.mark === 'alive') - Number(a.mark === 'alive')) });
  }
  return blocks;
}

/** Equal for nodes of one kind with the same neighbours in the same relation, whatever the counts. */
function signature(node: Node, edges: readonly Edge[]): string {
  const relations = edges.map(({ from, to, labels }) =>
    JSON.stringify([from === node.id ? '' : from, to === node.id ? '' : to, labels.map((label) => verbOf(label).verb)]),
  );
  return JSON.stringify([lookOf(node.kind, node.id).name, node.mark === 'not-followed', relations.toSorted()]);
}

/** Breadth first from the seed; what hangs on nothing comes last. */
function nearestFirst(blocks: readonly Block[], edges: readonly Edge[]): readonly Block[] {
  const indexOf = new Map(blocks.flatMap((block, index) => block.nodes.map((node) => [node.id, index] as const)));
  const next = blocks.map(() => new Set<number>());
  for (const { from, to } of edges) {
    const [a, b] = [indexOf.get(from), indexOf.get(to)];
    if (a === undefined || b === undefined) continue;
    next[a]?.add(b);
    next[b]?.add(a);
  }
  const isSeed = (block: Block): boolean => block.nodes.some((node) => node.mark === 'seed');
  const starts = [...blocks.keys()].toSorted((a, b) => rank(blocks[b], isSeed) - rank(blocks[a], isSeed) || a - b);
  const seen = new Set<number>();
  for (const start of starts) {
    const queue = seen.has(start) ? [] : [start];
    seen.add(start);
    for (const at of queue) {
      for (const neighbour of next[at] ?? []) {
        if (seen.has(neighbour)) continue;
        seen.add(neighbour);
        queue.push(neighbour);
      }
    }
  }
  return [...seen].flatMap((index) => blocks[index] ?? []);
}

function rank(block: Block | undefined, isSeed: (block: Block) => boolean): number {
  if (block === undefined) return 0;
  return isSeed(block) ? 2 : block.nodes.some((node) => node.mark === 'alive') ? 1 : 0;
}

function joinLinks(edges: readonly Edge[], indexOf: ReadonlyMap<string, number>): readonly Link[] {
  const links = new Map<string, { from: number; to: number; labels: string[] }>();
  for (const edge of edges) {
    const [from, to] = [indexOf.get(edge.from), indexOf.get(edge.to)];
    if (from === undefined || to === undefined) continue;
    const key = `${from} ${to}`;
    const link = links.get(key) ?? { from, to, labels: [] };
    link.labels.push(...edge.labels);
    links.set(key, link);
  }
  return [...links.values()].map((link) => ({ ...link, labels: summed(link.labels) }));
}

/** "used ×3" and "used ×4" become "used ×7": a folded box stands for all its edges. */
function summed(labels: readonly string[]): readonly string[] {
  const totals = new Map<string, { count: number; written: boolean }>();
  for (const label of labels) {
    const { verb, count } = verbOf(label);
    const total = totals.get(verb) ?? { count: 0, written: false };
    totals.set(verb, { count: total.count + (count ?? 1), written: total.written || count !== undefined });
  }
  return [...totals].map(([verb, { count, written }]) =>
    written || count > 1 ? `${verb} ×${count.toLocaleString('en-US')}` : verb,
  );
}

function verbOf(label: string): { verb: string; count: number | undefined } {
  const match = /^(.*\S)\s*×\s*(\d[\d,]{0,12})$/su.exec(label);
  if (match === null) return { verb: label, count: undefined };
  return { verb: match[1] ?? label, count: Number((match[2] ?? '1').replaceAll(',', '')) };
}
