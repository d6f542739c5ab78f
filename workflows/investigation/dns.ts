/** What was looked up: Route 53 Resolver query logs of an instance, a VPC, an address or a domain. */
import { z } from 'zod';
import { defineInvestigation } from '#src/contracts/investigation.ts';
import type { Part } from '#src/contracts/message.ts';
import { csvFile, cutTable, few, unfinished, withGaps } from '#src/domain/answers.ts';
import { type LookedUp, lookedUp } from '#src/domain/dns-story.ts';
import { networkWord } from '#src/domain/network-word.ts';
import { bold, code, count, line, span } from '#src/domain/phrases.ts';

const shown = 25;
const columns = [
  'queryName',
  'mark',
  'times',
  'queryTypes',
  'rcodes',
  'answers',
  'askers',
  'firstSeen',
  'lastSeen',
  'blocked',
] as const;

export const dns = defineInvestigation({
  name: 'dns',
  title: 'Names looked up',
  target: z.object({ artifact: z.string().min(1) }),
  permissions: [],

  async run({ artifact: word }, ctx) {
    const subject = networkWord(word, ['instance', 'vpc', 'address', 'domain']);
    ctx.progress(`Reading the query logs for ${subject.id}`);
    const one = (kind: string) => (subject.kind === kind ? [subject.id] : []);
    const found = await ctx.other?.network.lookups({
      addresses: one('address'),
      instances: one('instance'),
      vpcs: one('vpc'),
      domains: one('domain'),
    });
    const names = lookedUp(found?.groups ?? []);
    // Query logging is set up by VPC, and a machine that asks for nothing is rare.
    const silent =
      found && names.length === 0 && subject.kind !== 'domain'
        ? [
            `query logs of ${subject.kind === 'vpc' ? '' : 'the VPC of '}${subject.id}: not one query of it is in the logs, and they are set up by VPC`,
          ]
        : [];
    const coverage = withGaps(
      found?.coverage ?? ctx.evidence.coverage(),
      found ? silent : ['Route 53 Resolver query logs: no source of them is set up here'],
    );
    const marked = names.filter(({ mark }) => mark !== undefined);
    const times = names.reduce((total, name) => total + name.times, 0);
    const askers = new Set(names.flatMap((name) => name.askers));
    const notable = marked[0] ? `; ${marked[0].queryName}: ${marked[0].mark}` : '';
    const about =
      subject.kind === 'domain'
        ? `${subject.id} was looked up ${count(times, 'time')} by ${count(askers.size, 'asker')}, as ${count(names.length, 'name')}`
        : `${subject.id} looked up ${count(names.length, 'name')}, ${count(times, 'query', 'queries')}`;
    const headline =
      found === undefined
        ? `Nothing is known of what ${subject.id} looked up: no query logs can be asked here.`
        : names.length === 0
          ? `No lookup ${subject.kind === 'domain' ? 'of' : 'by'} ${subject.id} was found in what was looked at${unfinished(coverage)}.`
          : `${about}${notable}${unfinished(coverage)}.`;
    return {
      headline,
      parts: partsOf(names, marked),
      coverage,
      answer: { subject, lookups: names, queries: times, askers: [...askers].sort(), coverage },
      pictures: [],
      next:
        subject.kind === 'domain'
          ? [...askers]
              .filter((asker) => /^(i-|[\d.]+$)/.test(asker))
              .slice(0, 2)
              .map((asker) => `/ir flows ${asker}`)
          : marked.slice(0, 2).map(({ queryName }) => `/ir dns ${queryName}`),
      proposals: [],
      files: [
        csvFile(
          'dns',
          `What was looked up, as a table: ${count(names.length, 'name')}, those that stand out first.`,
          columns,
          names.map((name) => columns.map((column) => name[column] ?? '')),
          names.length > shown,
        ),
      ],
    };
  },
});

function partsOf(names: readonly LookedUp[], marked: readonly LookedUp[]): readonly Part[] {
  const parts: Part[] = [];
  if (marked.length > 0) {
    parts.push(
      { kind: 'header', text: 'What stands out' },
      {
        kind: 'list',
        items: marked
          .slice(0, 8)
          .map(({ queryName, mark, times, askers }) =>
            line(code(queryName), ': ', bold(mark ?? ''), `; ${count(times, 'query', 'queries')} by ${few(askers)}`),
          ),
      },
    );
  }
  if (names.length > 0) {
    const rows = names.map((name) => [
      name.queryName,
      name.times.toLocaleString('en-US'),
      few(name.askers),
      name.timesBlocked === name.times ? 'blocked' : few(name.answers.length > 0 ? name.answers : name.rcodes),
      span(name.firstSeen, name.lastSeen),
    ]);
    parts.push(
      { kind: 'header', text: 'Names, rare ones first' },
      cutTable(['Name', 'Times', 'By', 'Answer', 'When'], rows, shown),
    );
  }
  return parts;
}
