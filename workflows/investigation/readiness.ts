/** What would be missing in an incident, per account and Region. */
import { z } from 'zod';
import type { Coverage } from '#src/contracts/evidence.ts';
import { defineInvestigation } from '#src/contracts/investigation.ts';
import { csvFile, jsonFile, unfinished, withGaps } from '#src/domain/answers.ts';
import { count } from '#src/domain/phrases.ts';
import { fixesOf, type ReadinessCheck, readinessChecks, unaskedReadiness } from '#src/domain/readiness.ts';
import { readinessParts } from '#src/domain/readiness-wording.ts';
import { look } from '../account-state/look.ts';
import { accountPosture, postureReads } from '../account-state/posture.ts';

export const readiness = defineInvestigation({
  name: 'readiness',
  title: 'Readiness',
  target: z.object({
    /** Only these; left out: every account that can be asked. */
    only: z.array(z.string().regex(/^\d{12}$/)).optional(),
  }),
  permissions: [...postureReads],
  ofNow: true,

  async run({ only }, ctx) {
    const { aws, inventory = [] } = ctx;
    const now = ctx.now().toISOString();
    const known =
      aws === undefined
        ? { ok: false as const, reason: 'AWS was not asked' }
        : await look(() => aws.accounts(), ctx.signal);
    const accounts = known.ok ? (only ?? known.value) : [];
    const postures =
      aws === undefined ? [] : await Promise.all(accounts.map((id) => accountPosture(aws, id, entryOf(id), ctx)));
    const checks = postures.flatMap((posture) => readinessChecks(posture, entryOf(posture.accountId)));
    const coverage = coverageOf(
      checks,
      postures.flatMap(({ regions }) => regions.map(({ region }) => region)),
      now,
    );
    const told = known.ok ? coverage : withGaps(withoutAws(ctx.evidence.coverage()), [`accounts: ${known.reason}`]);
    const fixes = fixesOf(checks, inventory);
    const yes = checks.filter(({ answer }) => answer === 'yes').length;
    const answer = { checks, fixes, notLookedAt: unaskedReadiness, coverage: told };
    const columns = ['account', 'region', 'check', 'question', 'answer', 'because'];
    const rows = checks.map((one) => [one.accountId, one.region ?? '', one.id, one.question, one.answer, one.because]);
    return {
      headline: `${count(fixes.length, 'thing')} to fix before an incident: ${yes} of ${count(checks.length, 'question')} answered yes in ${count(accounts.length, 'account')}${unfinished(told)}.`,
      parts: readinessParts(checks, fixes),
      coverage: told,
      answer,
      pictures: [],
      next: ['/ir coverage', '/ir triage'],
      proposals: [],
      files: [
        jsonFile('readiness', answer, false),
        csvFile('readiness', 'Every question and its answer.', columns, rows, true),
      ],
    };

    function entryOf(id: string) {
      return inventory.find((entry) => entry.id === id);
    }
  },
});

/** Configuration is read as it is now: there is no window, and no events. */
function coverageOf(checks: readonly ReadinessCheck[], regions: readonly string[], now: string): Coverage {
  const open = checks.filter(({ answer }) => answer === 'could-not-look');
  return {
    complete: open.length === 0 && checks.length > 0,
    accounts: [...new Set(checks.map(({ accountId }) => accountId))].sort(),
    regions: [...new Set(regions)].sort(),
    from: now,
    to: now,
    sources: [],
    badFiles: [],
    notLookedAt: [
      ...open.map(
        (one) =>
          `${one.question} (${one.accountId}${one.region === undefined ? '' : `, ${one.region}`}): ${one.because}`,
      ),
      ...unaskedReadiness,
    ],
  };
}

/** Log files say nothing about how an account is set up. */
function withoutAws(coverage: Coverage): Coverage {
  return { ...coverage, complete: false };
}
