/** Which rules match anything in the window: ours, and those that the operator points at. */
import { z } from 'zod';
import { defineInvestigation } from '#src/contracts/investigation.ts';
import { unfinished, withGaps } from '#src/domain/answers.ts';
import { allBaselineRules } from '#src/domain/baseline/rules.ts';
import { Production, productionCounts } from '#src/domain/detection/production.ts';
import { cannotReadAll, type Match, type Picked } from '#src/domain/sigma/hunt.ts';
import {
  askedParts,
  historyParts,
  huntHeadline,
  huntParts,
  huntTimeline,
  isLoud,
} from '#src/domain/sigma/hunt-wording.ts';
import { recordsFor } from '#src/domain/sigma/narrowing.ts';
import {
  idCollisions,
  nothingSettled,
  pickSettled,
  runSettled,
  settledJson,
  settledParts,
} from '#src/domain/sigma/settled.ts';
import { storiesOf } from '#src/domain/sigma/stories.ts';
import { catalogue } from '../../detections/index.ts';

const noCountries =
  'first-seen countries and networks, and impossible travel: no address database knew an address of these records';

export const hunt = defineInvestigation({
  name: 'hunt',
  title: 'Hunt',
  target: z.object({
    /** `all`, a rule, a technique, a tactic, or a level and above. */
    pick: z.string().min(1).max(200).default('all'),
    production: Production,
  }),
  permissions: ['cloudtrail:LookupEvents'],
  takesRules: true,

  async run({ pick, production }, ctx) {
    const ours = catalogue(ctx.rules);
    const past = ctx.evidence.past?.bind(ctx.evidence);
    const isReady = await ctx.evidence.isPastReady?.();
    // Where asking costs nothing, `all` has it too.
    const book = isReady ? { ...ours, rules: [...ours.rules, ...allBaselineRules] } : ours;
    const settings = ctx.ruleSettings ?? nothingSettled;
    const settled = pickSettled(pick, book, settings, ctx.now());
    const { picked } = settled;
    ctx.progress(`Hunting with ${picked.running.length} rules`);
    const records = recordsFor(picked, ctx.evidence, (step) => ctx.progress(step));
    const {
      matches,
      notListed,
      excepted,
      history,
      pastGaps = [],
    } = await runSettled(records, settled, {
      signal: ctx.signal,
      progress: (step) => ctx.progress(step),
      addresses: ctx.surroundings?.addresses,
      counts: productionCounts(production),
      past: past && (() => past((step) => ctx.progress(step))),
    });
    const looked = ctx.evidence.coverage();
    const gaps = [...pastGaps, ...(records || !looked.complete ? [] : [cannotReadAll])];
    const coverage = withGaps(
      looked,
      history && !history.countries && needsPlaces(picked) ? [...gaps, noCountries] : gaps,
    );
    const asked = ctx.evidence.rulesAsked?.();
    const stories = storiesOf(matches);
    const what = pick === 'all' ? 'everything' : pick;
    const headline = `${huntHeadline(what, picked.reporting.size, matches, stories)}${unfinished(coverage)}.`;
    const unsupported = [...settings.problems, ...book.unsupported];
    const collisions = idCollisions(book);
    const timeline = huntTimeline(stories, matches);
    return {
      headline,
      parts: [
        ...huntParts(stories, notListed, unsupported),
        ...historyParts(history, isReady),
        ...askedParts(asked),
        ...settledParts(settled, excepted),
      ],
      coverage,
      answer: {
        matches: matches.map(matchJson),
        ...(notListed.length > 0 ? { notListed } : {}),
        unsupportedRules: unsupported,
        ...(collisions.length > 0 ? { collidingRules: collisions } : {}),
        ...settledJson(settled, excepted),
        ...(history ? { history } : {}),
        ...(asked ? { asked } : {}),
        coverage,
      },
      pictures: timeline ? [{ kind: 'timeline', title: `Hunt for ${what}`, timeline }] : [],
      next: stories
        .filter(({ level, principal }) => isLoud(level) && principal !== '' && !/\s/.test(principal))
        .slice(0, 3)
        .map(({ principal }) => `/ir pivot ${principal}`),
      proposals: [],
    };
  },
});

function needsPlaces({ reporting }: Picked): boolean {
  return [...reporting].some(({ name }) => /^baseline-(new-country|new-network|impossible-travel)$/.test(name));
}

function matchJson({ rule, burst, rests, ...match }: Match) {
  return {
    rule: rule.name,
    level: rule.level,
    technique: rule.technique,
    tactic: rule.tactic,
    eventId: match.eventId,
    eventTime: match.eventTime,
    principal: match.principal,
    sourceIp: match.sourceIp,
    ...(rests ? { restsOn: { ...rests, since: new Date(rests.since).toISOString() } } : {}),
    ...(burst ? { count: burst.count, eventIds: burst.eventIds } : {}),
  };
}
