/** A pivot's answer in the forms that it can be had in. */
import type { ReportFile } from '../../contracts/investigation.ts';
import type { PivotAnswer } from '../../contracts/pivot.ts';
import { jsonFile } from '../answers.ts';
import { count } from '../phrases.ts';
import type { Story } from '../pivot-story.ts';
import type { Technique } from '../sightings.ts';
import { timelineCsv, timelineEntries } from '../timeline.ts';
import { pivotGraph } from './graph.ts';
import { graphFiles } from './report-files.ts';
import { timesketch } from './timesketch.ts';

/** `table` marks the calls of known techniques. Nothing is made before a file is wanted. */
export function pivotFiles(
  { graph, seed }: Story,
  answer: PivotAnswer,
  table: readonly Technique[],
): readonly ReportFile[] {
  const entries = once(() => timelineEntries(graph.records, table));
  const any = graph.records.length > 0;
  return [
    jsonFile('pivot', answer, any),
    {
      format: 'csv',
      filename: 'timeline.csv',
      describes: `The timeline of the pivot as a table: ${count(graph.records.length, 'event')} in order of time.`,
      attach: any,
      text: () => timelineCsv(entries().map(({ event }) => event)),
    },
    {
      format: 'timesketch',
      filename: 'timeline.jsonl',
      describes: 'The records of the pivot as JSON lines for Timesketch, with every field.',
      attach: false,
      text: () => timesketch(entries()),
    },
    ...graphFiles('pivot', () => pivotGraph(graph.nodes, graph.edges, `Pivot from ${seed.id}`, seed.id)),
  ];
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
