/** What can be looked at: accounts, Regions, sources, window. */
import { z } from 'zod';
import { defineInvestigation } from '#src/contracts/investigation.ts';
import { cutTable, withGaps } from '#src/domain/answers.ts';
import { code, count, line, utc } from '#src/domain/phrases.ts';
import { look } from '../account-state/look.ts';

/** An event id that no event has: asking for it costs one request per account and Region, and proves that each answers. */
const nobody = '00000000-0000-0000-0000-000000000000';

export const coverage = defineInvestigation({
  name: 'coverage',
  title: 'Coverage',
  target: z.object({}),
  permissions: ['cloudtrail:LookupEvents'],

  async run(_target, ctx) {
    ctx.progress('Asking every source whether it answers');
    const { aws } = ctx;
    const accounts = aws === undefined ? undefined : await look(() => aws.accounts(), ctx.signal);
    const known = accounts?.ok ? accounts.value : [];
    await ctx.evidence.recordsOf({ kind: 'event', id: nobody });
    const looked = ctx.evidence.coverage();
    const missing = known.filter((account) => !looked.accounts.includes(account));
    const gaps = missing
      .filter((account) => !looked.sources.some((source) => source.failed && source.name.includes(account)))
      .map((account) => `account ${account}: not among those asked`);
    const told = withGaps(looked, [
      ...(accounts?.ok === false ? [`which accounts there are: ${accounts.reason}`] : []),
      ...gaps,
    ]);
    const failed = told.sources.filter((source) => source.failed || source.truncated);
    const span = told.from === '' ? 'no time at all' : `${utc(told.from)} to ${utc(told.to)}`;
    const what = `${count(told.accounts.length, 'account')} in ${count(told.regions.length, 'Region')} can be looked at, ${span}`;
    return {
      headline: `${what}; ${told.complete ? 'every source of CloudTrail records answers' : `${failed.length > 0 ? `${count(failed.length, 'source')} failed or ${failed.length === 1 ? 'was' : 'were'} cut short` : 'not everything can be looked at'}`}.`,
      parts: [
        { kind: 'header', text: 'Sources' },
        cutTable(
          ['Source', 'State', 'Events read'],
          told.sources
            .toSorted((a, b) => Number(b.failed) - Number(a.failed))
            .map((source) => [
              source.name,
              source.failed
                ? `failed: ${source.reason ?? 'no reason told'}`
                : source.truncated
                  ? `cut short: ${source.reason ?? ''}`
                  : 'answers',
              source.events.toLocaleString('en-US'),
            ]),
          30,
        ),
        {
          kind: 'facts',
          facts: [
            { label: 'Accounts', value: line(told.accounts.join(', ') || 'none') },
            { label: 'Regions', value: line(told.regions.join(', ') || 'none') },
            { label: 'Window', value: line(span) },
            // Athena costs, so that what it holds is not asked by the way.
            {
              label: 'Not asked here',
              value: line(
                ...['VPC flow logs (', code('/ir flows'), '), DNS query logs (', code('/ir dns'), '), AWS Config ('],
                ...[
                  code('/ir changes'),
                  ') and sign-ins (',
                  code('/ir ip'),
                  '): these say themselves what they looked at',
                ],
              ),
            },
          ],
        },
      ],
      coverage: told,
      answer: {
        accounts: told.accounts,
        regions: told.regions,
        from: told.from,
        to: told.to,
        sources: told.sources,
        accountsNotReached: missing,
        coverage: told,
      },
      pictures: [],
      next: [],
      proposals: [],
    };
  },
});
