/** A graph for Mermaid (https://mermaid.js.org/syntax/flowchart.html), which wikis and code hosts draw. */
import { inert } from '../inert.ts';
import type { ExportGraph } from './dot.ts';

/** As a flowchart. Names stand in quoted labels as character references, so that none can be markup, a link or a directive. */
export function mermaid(graph: ExportGraph): string {
  const number = new Map(graph.nodes.map((node, index) => [node.id, index]));
  const nodes = graph.nodes.map(
    (node, index) => `  n${index}["${escaped(node.label)}<br/>${escaped(node.kind)}"]${node.isSeed ? ':::seed' : ''}`,
  );
  const edges = graph.edges.flatMap(({ from, to, kind, events }) => {
    const [a, b] = [number.get(from), number.get(to)];
    return a === undefined || b === undefined ? [] : [`  n${a} -->|"${escaped(`${kind} (${events})`)}"| n${b}`];
  });
  return ['flowchart LR', ...nodes, ...edges, '  classDef seed stroke-width:4px', ''].join('\n');
}

function escaped(text: string): string {
  return inert(text, 300).replaceAll(/[^\p{L}\p{N} .:/()@_-]/gu, (character) => `#${character.codePointAt(0)};`);
}
