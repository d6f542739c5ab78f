/** The first hour's questions about an account, each answered with evidence. */
import { z } from 'zod';
import type { CloudTrailRecord } from '#src/contracts/cloudtrail.ts';
import { defineInvestigation } from '#src/contracts/investigation.ts';
import { withGaps } from '#src/domain/answers.ts';
import { cannotReadAll, pickRules, runHunt } from '#src/domain/sigma/hunt.ts';
import { huntTimeline } from '#src/domain/sigma/hunt-wording.ts';
import { narrowingOf } from '#src/domain/sigma/narrowing.ts';
import { storiesOf } from '#src/domain/sigma/stories.ts';
import { triageCollector } from '#src/domain/triage-answers.ts';
import { triageHeadline, triageParts, triagePlan } from '#src/domain/triage-wording.ts';
import { catalogue } from '../../detections/index.ts';

const maxKeys = 5;

export const triage = defineInvestigation({
  name: 'triage',
  title: 'Triage',
  target: z.object({}),
  permissions: ['cloudtrail:LookupEvents'],
  takesRules: true,

  async run(_target, ctx) {
    ctx.progress('Reading every event of the window');
    const collector = triageCollector();
    const picked = pickRules('all', catalogue(ctx.rules));
    const records = ctx.evidence.all?.(narrowingOf(picked, true));
    const { matches } = records ? await runHunt(watched(records, collector.add), picked, ctx) : { matches: [] };
    const looked = ctx.evidence.coverage();
    const coverage = withGaps(looked, records || !looked.complete ? [] : [cannotReadAll]);
    const answers = collector.answers(matches, coverage);
    const stories = storiesOf(matches);
    const suspects = stories.filter(({ level }) => level === 'high' || level === 'critical');
    const keys = [...new Set(suspects.flatMap(({ principal }) => collector.keysOf(principal)))].slice(0, maxKeys);
    const headline = triageHeadline(answers, suspects, coverage);
    const timeline = huntTimeline(stories, matches);
    return {
      headline,
      parts: triageParts(answers, suspects, triagePlan(answers, suspects, keys, coverage)),
      coverage,
      answer: { steps: answers, verdict: headline, coverage },
      pictures: timeline ? [{ kind: 'timeline', title: 'Triage', timeline }] : [],
      next: [
        ...suspects
          .filter(({ principal }) => principal !== '' && !/\s/.test(principal))
          .slice(0, 3)
          .map(({ principal }) => `/ir pivot ${principal}`),
        '/ir hunt all',
      ],
      proposals: keys.map((key) => ({
        action: 'disable-access-key',
        words: [key],
        why: 'a principal with grave matches used it',
      })),
    };
  },
});

/** The same records, each shown to `see` as it passes. */
async function* watched(
  records: AsyncIterable<CloudTrailRecord>,
  see: (record: CloudTrailRecord) => void,
): AsyncGenerator<CloudTrailRecord> {
  for await (const record of records) {
    see(record);
    yield record;
  }
}
