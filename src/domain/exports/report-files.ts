/** The files of a graph. */
import type { ReportFile } from '../../contracts/investigation.ts';
import { dot, type ExportGraph } from './dot.ts';
import { mermaid } from './mermaid.ts';

/** `graph` is made only when one of the files is wanted. */
export function graphFiles(name: string, graph: () => ExportGraph): readonly ReportFile[] {
  return [
    {
      format: 'dot',
      filename: `${name}.dot`,
      describes: 'The graph for Graphviz: who, with what, from where.',
      attach: false,
      text: () => dot(graph()),
    },
    {
      format: 'mermaid',
      filename: `${name}.mmd`,
      describes: 'The graph as a Mermaid flowchart: who, with what, from where.',
      attach: false,
      text: () => mermaid(graph()),
    },
  ];
}
