/** Every event of one artifact, in order of time. */
import { z } from 'zod';
import type { CloudTrailRecord } from '#src/contracts/cloudtrail.ts';
import { defineInvestigation } from '#src/contracts/investigation.ts';
import { csvFile, jsonFile, unfinished, withGaps } from '#src/domain/answers.ts';
import { classify } from '#src/domain/artifact.ts';
import { recordGraph } from '#src/domain/exports/graph.ts';
import { graphFiles } from '#src/domain/exports/report-files.ts';
import { timesketch } from '#src/domain/exports/timesketch.ts';
import { count, span } from '#src/domain/phrases.ts';
import { labelOf } from '#src/domain/pivot-actors.ts';
import { compareRecords } from '#src/domain/record.ts';
import { followSessions } from '#src/domain/session-search.ts';
import { type TimelineEntry, timelineCsv, timelineEntries } from '#src/domain/timeline.ts';
import { timelineParts } from '#src/domain/timeline-parts.ts';
import { timelinePicture } from '#src/domain/timeline-picture.ts';
import { over90Days } from '#src/domain/window.ts';
import { techniques } from '../../detections/techniques.ts';

export const timeline = defineInvestigation({
  name: 'timeline',
  title: 'Timeline',
  target: z.object({
    artifact: z.string().min(1),
    /** Also the calls of the sessions and keys that it minted, and of what those minted. */
    sessions: z.boolean().default(false),
  }),
  permissions: ['cloudtrail:LookupEvents'],

  async run({ artifact: word, sessions }, ctx) {
    const { artifact } = classify(word);
    ctx.progress(`Reading the records of ${artifact.id}`);
    const own = await ctx.evidence.recordsOf(artifact);
    const lineage = sessions ? await followSessions(artifact, ctx) : undefined;
    const records = [...new Set<CloudTrailRecord>([...own, ...(lineage?.calls ?? [])])].sort(compareRecords);
    const coverage = withGaps(ctx.evidence.coverage(), lineage?.cutShort ?? []);
    const entries = timelineEntries(records, techniques);
    const events = entries.map(({ event }) => event);
    const answer = { artifact, events, coverage };
    const picture = timelinePicture(entries);
    const graph = () => recordGraph(records, `Timeline of ${artifact.id}`, artifact.id);
    return {
      headline: headlineOf(artifact.id, entries, unfinished(coverage)),
      parts: timelineParts(entries),
      coverage,
      answer,
      pictures: picture ? [{ kind: 'timeline', title: `Timeline of ${labelOf(artifact.id)}`, timeline: picture }] : [],
      next: events.length === 0 ? over90Days(`/ir timeline ${word}`, coverage.from, ctx.now()) : [`/ir pivot ${word}`],
      proposals: [],
      files: [
        jsonFile('timeline', answer, false),
        {
          ...csvFile('timeline', timelineDescribed(events.length), [], [], events.length > 0),
          text: () => timelineCsv(events),
        },
        {
          format: 'timesketch',
          filename: 'timeline.jsonl',
          describes: 'The records as JSON lines for Timesketch, with every field.',
          attach: false,
          text: () => timesketch(entries),
        },
        ...graphFiles('timeline', graph),
      ],
    };
  },
});

function timelineDescribed(events: number): string {
  return `The timeline as a table: ${count(events, 'event')} in order of time, one row each.`;
}

function headlineOf(id: string, entries: readonly TimelineEntry[], ending: string): string {
  const [first, last] = [entries[0]?.event, entries.at(-1)?.event];
  if (!first || !last) return `Nothing found for ${id} in what was looked at${ending}.`;
  const failed = entries.filter(({ event }) => event.outcome !== 'success').length;
  const known = entries.filter(({ weight }) => weight > 1).length;
  const notes = [
    failed > 0 ? `${failed.toLocaleString('en-US')} failed or denied` : '',
    known > 0 ? `${known.toLocaleString('en-US')} of a known technique` : '',
  ].filter(Boolean);
  return `${id} is in ${count(entries.length, 'event')}, ${span(first.eventTime, last.eventTime)}${notes.length > 0 ? `: ${notes.join(', ')}` : ''}${ending}.`;
}
