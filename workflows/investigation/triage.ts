/** The first hour's questions about an account, each answered with evidence. */
import pLimit from 'p-limit';
import { z } from 'zod';
import type { BaselineHistory } from '#src/contracts/baseline.ts';
import type { CloudTrailRecord } from '#src/contracts/cloudtrail.ts';
import type { Coverage } from '#src/contracts/evidence.ts';
import { defineInvestigation, type InvestigationContext } from '#src/contracts/investigation.ts';
import { withGaps } from '#src/domain/answers.ts';
import { allBaselineRules } from '#src/domain/baseline/rules.ts';
import { Production, productionCounts } from '#src/domain/detection/production.ts';
import { withoutGlobalLogs } from '#src/domain/global-logs.ts';
import { type Reported, reportedNext, reportedParts, reportedPlan, reportedRemark } from '#src/domain/reported.ts';
import { sweepFile } from '#src/domain/services-wording.ts';
import { cannotReadAll } from '#src/domain/sigma/hunt.ts';
import { historyParts, huntTimeline } from '#src/domain/sigma/hunt-wording.ts';
import { narrowingOf } from '#src/domain/sigma/narrowing.ts';
import { nothingSettled, pickSettled, runSettled, settledJson, settledParts } from '#src/domain/sigma/settled.ts';
import { storiesOf } from '#src/domain/sigma/stories.ts';
import { noSweep, type Sweep, sweepOf } from '#src/domain/sweep.ts';
import { sweepNext, sweepParts, sweepPlan, sweepRemark, sweptShown } from '#src/domain/sweep-wording.ts';
import { type TriageAnswer, triageCollector } from '#src/domain/triage-answers.ts';
import { withNow } from '#src/domain/triage-now.ts';
import { triageSteps, unusualStep } from '#src/domain/triage-steps.ts';
import { triageHeadline, triageParts, triagePlan } from '#src/domain/triage-wording.ts';
import { catalogue } from '../../detections/index.ts';
import { detectorReads, reportedIn } from '../account-state/detectors.ts';
import { look } from '../account-state/look.ts';
import { accountNow, runningReads } from '../account-state/running.ts';

const maxKeys = 5;
/** Each has a client per service and Region. */
const accountsAtOnce = 4;

export const triage = defineInvestigation({
  name: 'triage',
  title: 'Triage',
  target: z.object({ production: Production }),
  permissions: [...runningReads, ...detectorReads, 'cloudtrail:LookupEvents'],
  takesRules: true,

  async run({ production }, ctx) {
    ctx.progress('Reading every event of the window');
    const isReady = await ctx.evidence.isPastReady?.();
    const past = isReady ? ctx.evidence.past?.bind(ctx.evidence) : undefined;
    const ours = catalogue(ctx.rules);
    const book = past ? { ...ours, rules: [...ours.rules, ...allBaselineRules] } : ours;
    const asked = past ? [...triageSteps, unusualStep] : triageSteps;
    const collector = triageCollector(asked);
    const settled = pickSettled('all', book, ctx.ruleSettings ?? nothingSettled, ctx.now());
    const records = ctx.evidence.all?.(narrowingOf(settled.picked, true, past !== undefined));
    const see = (record: CloudTrailRecord): void =>
      collector.add(record, settled.exceptions.heldByAny(record) !== undefined);
    const {
      matches,
      excepted,
      history,
      pastGaps = [],
    } = await runSettled(records && watched(records, see), settled, {
      signal: ctx.signal,
      progress: (step) => ctx.progress(step),
      counts: productionCounts(production),
      past: past && (() => past((step) => ctx.progress(step))),
    });
    const looked = ctx.evidence.coverage();
    const { sweep, reported } = await presentOf(looked, ctx);
    // That nothing is there now closes no question about the past, so the sweep's gaps leave those answers alone.
    const { answers: fromPast, gaps: globalGaps } = withoutGlobalLogs(
      collector
        .answers(matches, records || !looked.complete ? looked : withGaps(looked, [cannotReadAll]))
        .map((answer) => judgedOnly(answer, history)),
      asked,
      looked,
    );
    const coverage = withGaps(looked, [
      ...pastGaps,
      ...globalGaps,
      ...(records || !looked.complete ? [] : [cannotReadAll]),
      ...sweep.failures,
      ...reported.failures,
    ]);
    const answers = withNow(fromPast, sweep);
    const stories = storiesOf(matches);
    const suspects = stories.filter(({ level }) => level === 'high' || level === 'critical');
    const keys = [...new Set(suspects.flatMap(({ principal }) => collector.keysOf(principal)))].slice(0, maxKeys);
    const remarks = [reportedRemark(reported), sweepRemark(sweep)].filter((remark) => remark !== '');
    const headline = triageHeadline(answers, suspects, coverage, remarks);
    const steps = triagePlan(answers, suspects, keys, coverage);
    // The last step is about asking again.
    const plan = [...steps.slice(0, -1), ...reportedPlan(reported), ...sweepPlan(sweep), ...steps.slice(-1)];
    const timeline = huntTimeline(stories, matches);
    return {
      headline,
      parts: [
        ...triageParts(answers, suspects, plan),
        ...reportedParts(reported),
        ...sweepParts(sweep),
        ...historyParts(history, isReady),
        ...settledParts(settled, excepted),
      ],
      coverage,
      answer: { steps: answers, verdict: headline, plan, reported, sweep, ...settledJson(settled, excepted), coverage },
      pictures: timeline ? [{ kind: 'timeline', title: 'Triage', timeline }] : [],
      next: [
        ...suspects
          .filter(({ principal }) => principal !== '' && !/\s/.test(principal))
          .slice(0, 3)
          .map(({ principal }) => `/ir pivot ${principal}`),
        ...sweepNext(sweep),
        ...reportedNext(reported),
        '/ir hunt all',
      ],
      proposals: keys.map((key) => ({
        action: 'disable-access-key',
        words: [key],
        why: 'a principal with grave matches used it',
      })),
      files: sweep.state === 'looked' ? [sweepFile(sweep, sweptShown)] : [],
    };
  },
});

/** Where nobody has a past that is long enough, nothing was compared with it. */
function judgedOnly(answer: TriageAnswer, history: BaselineHistory | undefined): TriageAnswer {
  const isBlind = answer.id === unusualStep.id && answer.state === 'nothing-found' && !history?.judged;
  return isBlind ? { ...answer, state: 'not-looked-at' } : answer;
}

/** What exists now, and what GuardDuty reports, in the accounts that were looked at and can be asked. */
async function presentOf(
  { accounts, from, sources }: Coverage,
  ctx: InvestigationContext,
): Promise<{ sweep: Sweep; reported: Reported }> {
  const { aws } = ctx;
  const unasked = (notAsked: string): Reported => ({ findings: [], off: [], failures: [], notAsked });
  if (aws === undefined)
    return {
      sweep: noSweep('AWS was not asked, only log files were read'),
      reported: unasked('none of the accounts can be asked'),
    };
  const known = await look(() => aws.accounts(), ctx.signal);
  if (!known.ok)
    return {
      sweep: { ...noSweep(known.reason), failures: [`what exists now: ${known.reason}`] },
      reported: unasked(known.reason),
    };
  const asked = known.value.filter(
    (account) => accounts.includes(account) || sources.some(({ name }) => name.includes(account)),
  );
  if (asked.length === 0)
    return {
      sweep: noSweep('none of the accounts can be asked'),
      reported: unasked('none of the accounts can be asked'),
    };
  const since = from === '' ? ctx.now().toISOString() : from;
  const limit = pLimit(accountsAtOnce);
  const entryOf = (account: string) => ctx.inventory?.find(({ id }) => id === account);
  const [found, reported] = await Promise.all([
    Promise.all(asked.map((account) => limit(() => accountNow(aws, account, since, entryOf(account), ctx)))),
    reportedIn(aws, asked, since, ctx),
  ]);
  return { sweep: sweepOf(found, ctx.inventory ?? [], since), reported };
}

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
