/** Every event in whose request, response or details a text stands. */
import { z } from 'zod';
import { defineInvestigation } from '#src/contracts/investigation.ts';
import { csvFile, jsonFile, unfinished, withGaps } from '#src/domain/answers.ts';
import { inert } from '#src/domain/inert.ts';
import { count, span } from '#src/domain/phrases.ts';
import { searchIn } from '#src/domain/text-search.ts';
import { timelineCsv, timelineEntries } from '#src/domain/timeline.ts';
import { timelineParts } from '#src/domain/timeline-parts.ts';
import { techniques } from '../../detections/techniques.ts';

/** Shorter texts stand nearly everywhere. */
const shortestText = 3;

export const search = defineInvestigation({
  name: 'search',
  title: 'Search',
  target: z.object({ text: z.string().min(shortestText).max(500) }),
  permissions: ['cloudtrail:LookupEvents'],

  async run({ text }, ctx) {
    ctx.progress('Searching requests and responses');
    const found = await searchIn(ctx.evidence, text);
    const gaps =
      found === undefined ? ['this source answers single questions only: the text was not searched for'] : [];
    const coverage = withGaps(ctx.evidence.coverage(), gaps);
    const entries = timelineEntries(found ?? [], techniques);
    const events = entries.map(({ event }) => event);
    const [first, last] = [events[0], events.at(-1)];
    const answer = { text, events, coverage };
    const named = `"${inert(text, 80)}"`;
    return {
      headline:
        first && last
          ? `${named} stands in ${count(events.length, 'event')}, ${span(first.eventTime, last.eventTime)}${unfinished(coverage)}.`
          : `${named} was not found in what was looked at${unfinished(coverage)}.`,
      parts: timelineParts(entries),
      coverage,
      answer,
      pictures: [],
      next: events.length === 0 ? [] : [`/ir pivot ${first?.principal || first?.sourceIp || first?.eventId}`],
      proposals: [],
      files: [
        jsonFile('search', answer, false),
        {
          ...csvFile(
            'search',
            `The events as a table: ${count(events.length, 'event')} in order of time.`,
            [],
            [],
            events.length > 0,
          ),
          text: () => timelineCsv(events),
        },
      ],
    };
  },
});
