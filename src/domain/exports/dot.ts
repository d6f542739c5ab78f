/** A graph for Graphviz (https://graphviz.org/doc/info/lang.html). */
import { inert } from '../inert.ts';

export interface ExportGraph {
  readonly title: string;
  readonly nodes: readonly {
    readonly id: string;
    readonly kind: string;
    readonly label: string;
    readonly isSeed: boolean;
  }[];
  readonly edges: readonly {
    readonly from: string;
    readonly to: string;
    readonly kind: string;
    readonly events: number;
  }[];
}

const shapes: Readonly<Record<string, string>> = {
  ip: 'ellipse',
  accessKey: 'note',
  resource: 'component',
  service: 'hexagon',
  account: 'folder',
};

/** Nodes are numbered; names stand in quoted labels only, so that none can add a statement. Edges to unknown nodes are left out. */
export function dot(graph: ExportGraph): string {
  const number = new Map(graph.nodes.map((node, index) => [node.id, index]));
  const nodes = graph.nodes.map(
    (node, index) =>
      `  n${index} [label=${quoted(node.label, node.kind)}, tooltip=${quoted(node.id)}, shape=${shapes[node.kind] ?? 'box'}${node.isSeed ? ', penwidth=3' : ''}];`,
  );
  const edges = graph.edges.flatMap(({ from, to, kind, events }) => {
    const [a, b] = [number.get(from), number.get(to)];
    return a === undefined || b === undefined ? [] : [`  n${a} -> n${b} [label=${quoted(`${kind} (${events})`)}];`];
  });
  return [`digraph ${quoted(graph.title)} {`, '  rankdir=LR;', ...nodes, ...edges, '}', ''].join('\n');
}

/**
 * A quoted id of DOT, one line of a label for each text: `"` is the only character to escape, and a backslash must not escape what
 * follows, but for our own `\n` between lines. Graphviz reads character references of HTML in labels, which names do not mean.
 */
function quoted(...lines: readonly string[]): string {
  const inside = lines.map((line) =>
    inert(line, 300).replaceAll('&', '&amp;').replaceAll('\\', '\\\\').replaceAll('"', '\\"'),
  );
  return `"${inside.join('\\n')}"`;
}
