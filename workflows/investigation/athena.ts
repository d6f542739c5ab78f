/** The named questions of the crypto-mining playbook, asked of Athena, with what each would cost and did cost. */
import { z } from 'zod';
import { defineInvestigation, type Report } from '#src/contracts/investigation.ts';
import { csvFile, cutTable, few, unfinished, withGaps } from '#src/domain/answers.ts';
import { silentAccounts } from '#src/domain/athena/heard.ts';
import { checkedWords, questionCalled } from '#src/domain/athena/questions.ts';
import { dollarsText } from '#src/domain/athena/words.ts';
import { bytesText } from '#src/domain/conversations.ts';
import { code, count, line, utc } from '#src/domain/phrases.ts';

const shown = 20;
const shownColumns = 6;

export const athena = defineInvestigation({
  name: 'athena',
  title: 'Athena question',
  target: z.object({
    question: z.string().min(1),
    words: z.array(z.string()).default([]),
    /** Tell the SQL and what it would read, and run nothing. */
    estimateOnly: z.boolean().default(false),
  }),
  permissions: [],

  async run({ question: name, words: typed, estimateOnly }, ctx): Promise<Report> {
    const question = questionCalled(name);
    const words = checkedWords(question, typed);
    const source = ctx.other?.athena;
    if (source === undefined) {
      const coverage = withGaps(ctx.evidence.coverage(), [
        'Athena: the config names none, or logs of a folder are asked',
      ]);
      return {
        headline: 'Athena cannot be asked: it is not set up here.',
        parts: [
          {
            kind: 'lines',
            lines: [
              line(
                'Set ',
                code('athena'),
                ' in the config file, and make the tables with ',
                code('firebreak athena ddl'),
                '.',
              ),
            ],
          },
        ],
        coverage,
        answer: { question: question.name, words, sql: null, rows: [], coverage },
        pictures: [],
        next: [],
        proposals: [],
      };
    }
    ctx.progress('Looking at what the query would read');
    const scope = await source.scope();
    const statement = source.named(question.name, words, scope);
    const estimate = await source.estimate(statement);
    const before =
      estimate.bytes === undefined
        ? `What it reads cannot be told before: ${estimate.because}`
        : `It reads about ${bytesText(estimate.bytes)} (${estimate.because}), ${dollarsText(source.dollars(estimate.bytes))}`;
    ctx.progress(`Asking Athena. ${before}.`);
    const told = estimateOnly ? undefined : await source.ask(statement);
    const rows = told?.rows ?? [];
    const columns = told?.columns ?? [];
    const { table, also = [] } = statement.reads;
    const heard = await Promise.all(
      told
        ? [...new Set([table, ...also])].map((one) =>
            silentAccounts({ athena: source, signal: ctx.signal }, one, scope, new Set()),
          )
        : [],
    );
    const unheard = heard.flatMap(({ gaps }) => gaps);
    const spent = source.spent();
    const cost = told ? `${bytesText(spent.bytes)} read, ${dollarsText(spent.dollars)}` : 'not run';
    const unseen =
      told && question.isByLaunch
        ? words.filter((word) => !rows.some((row) => row.some((cell) => cell?.split(' ').includes(word))))
        : [];
    const coverage = {
      complete: told !== undefined && !told.truncated && unseen.length === 0 && unheard.length === 0,
      accounts: scope.accounts.filter((account) => !heard.some(({ silent }) => silent.includes(account))),
      regions: scope.regions,
      from: scope.from,
      to: scope.to,
      sources: [
        {
          name: `Athena: ${question.title}`,
          events: rows.length,
          pages: told ? 1 : 0,
          truncated: told?.truncated === true,
          failed: false,
          reason: cost,
        },
      ],
      badFiles: [],
      notLookedAt: [
        ...(told ? [] : ['the logs themselves: only what it would read was asked for']),
        ...(unseen.length === 0
          ? []
          : [
              `${few(unseen)}: interfaces are told by the launch alone, so that nothing was looked at where it was not between ${utc(scope.from)} and ${utc(scope.to)}`,
            ]),
        ...unheard,
        ...(told?.truncated ? [`rows after the first ${rows.length}`] : []),
      ],
    };
    return {
      headline: told
        ? `${question.title}: ${rows.length === 0 ? 'nothing was found in what was looked at' : count(rows.length, 'row')}${unfinished(coverage)}, ${cost}.`
        : `${question.title}: not run. ${before}.`,
      parts: [
        {
          kind: 'facts',
          facts: [
            { label: 'Asked', value: line(code(question.name), ` (${question.number}) of `, code(words.join(' '))) },
            {
              label: 'Where',
              value: line(
                `${count(scope.accounts.length, 'account')}, ${count(scope.regions.length, 'Region')}, ${utc(scope.from)} to ${utc(scope.to)}`,
              ),
            },
            { label: 'Cost', value: line(`before: ${before}; after: ${cost}`) },
          ],
        },
        ...(rows.length === 0
          ? []
          : [
              cutTable(
                columns.slice(0, shownColumns),
                rows.map((row) => row.slice(0, shownColumns).map((cell) => (cell ?? '').slice(0, 120))),
                shown,
              ),
            ]),
        ...(told === undefined ? [{ kind: 'preformatted' as const, text: statement.sql }] : []),
      ],
      coverage,
      answer: {
        question: question.name,
        number: question.number,
        words,
        sql: statement.sql,
        parameters: statement.parameters,
        estimate,
        columns,
        rows: rows.map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at] ?? null]))),
        cost: { ...spent, queryExecutionId: told?.queryExecutionId ?? null },
        coverage,
      },
      pictures: [],
      next: told === undefined ? [`/ir athena ${question.name} ${words.join(' ')}`] : [],
      proposals: [],
      files: [
        csvFile(
          'athena',
          `${question.title}, as a table: ${count(rows.length, 'row')}.`,
          columns,
          rows.map((row) => columns.map((_, at) => row[at] ?? '')),
          rows.length > shown || columns.length > shownColumns,
        ),
      ],
    };
  },
});
