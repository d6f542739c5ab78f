/** Which rules there are, what they cover, and how often they would have fired. */
import { z } from 'zod';
import { defineInvestigation } from '#src/contracts/investigation.ts';
import type { Part } from '#src/contracts/message.ts';
import { csvFile, jsonFile, unfinished, withGaps } from '#src/domain/answers.ts';
import { allBaselineRules } from '#src/domain/baseline/rules.ts';
import { Production, productionCounts } from '#src/domain/detection/production.ts';
import { bold, code, count, line } from '#src/domain/phrases.ts';
import { cannotReadAll } from '#src/domain/sigma/hunt.ts';
import { historyParts } from '#src/domain/sigma/hunt-wording.ts';
import { recordsFor } from '#src/domain/sigma/narrowing.ts';
import { navigatorLayer, type RuleLine, ruleLines, ruleWarnings, tacticCounts } from '#src/domain/sigma/rule-report.ts';
import {
  idCollisions,
  nothingSettled,
  pickSettled,
  runSettled,
  settledJson,
  settledParts,
  silencedRules,
} from '#src/domain/sigma/settled.ts';
import { catalogue } from '../../detections/index.ts';

const shown = 15;

export const rules = defineInvestigation({
  name: 'rules',
  title: 'Rules',
  target: z.object({
    /** As in a hunt. */
    pick: z.string().min(1).max(200).default('all'),
    production: Production,
  }),
  permissions: ['cloudtrail:LookupEvents'],
  takesRules: true,

  async run({ pick, production }, ctx) {
    const ours = catalogue(ctx.rules);
    const past = ctx.evidence.past?.bind(ctx.evidence);
    const isReady = await ctx.evidence.isPastReady?.();
    const book = isReady ? { ...ours, rules: [...ours.rules, ...allBaselineRules] } : ours;
    const settings = ctx.ruleSettings ?? nothingSettled;
    const settled = pickSettled(pick, book, settings, ctx.now());
    const { picked } = settled;
    ctx.progress(`Trying ${picked.reporting.size} rules on the past`);
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
      counts: productionCounts(production),
      past: past && (() => past((step) => ctx.progress(step))),
    });
    const looked = ctx.evidence.coverage();
    const coverage = withGaps(looked, [...pastGaps, ...(records || !looked.complete ? [] : [cannotReadAll])]);
    const lines = ruleLines(picked.reporting, matches, notListed);
    const fired = lines.filter((one) => one.matches > 0).length;
    const collisions = [...idCollisions(ours), ...silencedRules(ours)].map(({ rule, reason }) => ({
      rule,
      warning: reason,
    }));
    const warnings = [...collisions, ...ruleWarnings(ours)];
    const answer = {
      rules: lines,
      tactics: tacticCounts(picked.reporting),
      warnings,
      unsupportedRules: [...settings.problems, ...book.unsupported],
      ...settledJson(settled, excepted),
      layer: navigatorLayer(picked.reporting),
      coverage,
    };
    const columns = ['rule', 'level', 'title', 'tactic', 'technique', 'matches', 'principals', 'last', 'file'];
    const rows = lines.map((one) => [
      one.rule,
      one.level,
      one.title,
      one.tactic.join('; '),
      one.technique.join('; '),
      one.matches,
      one.principals,
      one.last ?? '',
      one.file,
    ]);
    return {
      headline: `${count(lines.length, 'rule')}, of which ${fired.toLocaleString('en-US')} would have fired in this window${unfinished(coverage)}.`,
      parts: [...partsOf(lines, answer), ...historyParts(history, isReady), ...settledParts(settled, excepted)],
      coverage,
      answer,
      pictures: [],
      next: ['/ir hunt high'],
      proposals: [],
      files: [
        jsonFile('rules', answer, false),
        csvFile('rules', 'Every rule, with how often it would have fired.', columns, rows, lines.length > shown),
      ],
    };
  },
});

function partsOf(
  lines: readonly RuleLine[],
  told: {
    readonly tactics: readonly { readonly tactic: string; readonly rules: number }[];
    readonly warnings: readonly { readonly rule: string; readonly warning: string }[];
    readonly unsupportedRules: readonly { readonly rule: string; readonly reason: string }[];
  },
): readonly Part[] {
  const parts: Part[] = [];
  const fired = lines.filter((one) => one.matches > 0);
  if (fired.length > 0) {
    parts.push({
      kind: 'table',
      columns: ['Rule', 'Level', 'Would have fired', 'For'],
      rows: fired
        .slice(0, shown)
        .map((one) => [one.rule, one.level, count(one.matches, 'time'), count(one.principals, 'principal')]),
    });
  }
  const tactics = told.tactics.map(({ tactic, rules: many }) => `${tactic} ${many}`).join(', ');
  parts.push({ kind: 'lines', lines: [line(bold('Tactics: '), tactics)] });
  const faults = [
    ...told.unsupportedRules.map(({ rule, reason }) => line(code(rule), ` is not evaluated: ${reason}`)),
    ...told.warnings.map(({ rule, warning }) => line(code(rule), ` ${warning}`)),
  ];
  if (faults.length > 0) {
    parts.push({ kind: 'lines', lines: [line(bold(`${count(faults.length, 'fault')} in rules`))] });
    parts.push({ kind: 'list', items: faults.slice(0, shown) });
  }
  return parts;
}
