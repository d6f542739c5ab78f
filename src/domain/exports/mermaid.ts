/** A graph for Mermaid (https://mermaid.js.org/syntax/flowchart.html), which wikis and code hosts draw. */
import { inert } from '../inert.ts';
import type { ExportGraph } from './dot.ts';

/** Mermaid's `maxEdges` and `maxTextSize`: a larger graph is refused, and the text itself cannot raise them. */
const mostEdges = 500;
const mostCharacters = 50_000;

/** As a flowchart, with a comment on top where it is larger than Mermaid draws by default. Names stand in quoted labels as character references, so that none can be markup, a link or a directive. */
export function mermaid(graph: ExportGraph): string {
  const number = new Map(graph.nodes.map((node, index) => [node.id, index]));
  const nodes = graph.nodes.map(
    (node, index) => `  n${index}["${escaped(node.label)}<br/>${escaped(node.kind)}"]${node.isSeed ? ':::seed' : ''}`,
  );
  const edges = graph.edges.flatMap(({ from, to, kind, events }) => {
    const [a, b] = [number.get(from), number.get(to)];
    return a === undefined || b === undefined ? [] : [`  n${a} -->|"${escaped(`${kind} (${events})`)}"| n${b}`];
  });
  const chart = ['flowchart LR', ...nodes, ...edges, '  classDef seed stroke-width:4px', ''].join('\n');
  if (edges.length <= mostEdges && chart.length <= mostCharacters) return chart;
  return `%% ${edges.length} links, ${chart.length} characters: raise maxEdges (500) and maxTextSize (50000) of Mermaid, or use DOT\n${chart}`;
}

function escaped(text: string): string {
  return inert(text, 300).replaceAll(/[^\p{L}\p{N} .:/()@_-]/gu, (character) => `#${character.codePointAt(0)};`);
}
