/** Who is denied what from where, the long tail first. */
import { z } from 'zod';
import type { CloudTrailRecord } from '#src/contracts/cloudtrail.ts';
import { defineInvestigation, type InvestigationContext } from '#src/contracts/investigation.ts';
import { actsIn } from '#src/domain/acting.ts';
import { csvFile, cutTable, unfinished, withGaps } from '#src/domain/answers.ts';
import { classify } from '#src/domain/artifact.ts';
import { type ErrorGroup, errorGroups, noCode } from '#src/domain/error-tail.ts';
import { count, line, span } from '#src/domain/phrases.ts';
import { labelOf } from '#src/domain/pivot-actors.ts';
import { principalOf } from '#src/domain/principal.ts';
import { compareRecords } from '#src/domain/record.ts';

const shown = 20;
const columns = [
  'principal',
  'eventSource',
  'eventName',
  'errorCode',
  'reason',
  'outcome',
  'sourceIp',
  'times',
  'placeTimes',
  'isProbing',
  'isConsole',
  'firstSeen',
  'lastSeen',
  'regions',
  'accountId',
  'eventIds',
] as const;

export const errors = defineInvestigation({
  name: 'errors',
  title: 'Errors',
  target: z.object({
    /** Everybody in the accounts where absent. */
    artifact: z.string().min(1).optional(),
    accounts: z.array(z.string()).default([]),
  }),
  permissions: ['cloudtrail:LookupEvents'],

  async run({ artifact: word, accounts }, ctx) {
    const { records, gaps } = word === undefined ? await everything(accounts, ctx) : await ofOne(word, ctx);
    const coverage = withGaps(ctx.evidence.coverage(), gaps);
    const groups = errorGroups(records);
    const failed = groups.reduce((sum, { times }) => sum + times, 0);
    const who = new Set(groups.map(({ principal }) => principal)).size;
    const about = word === undefined ? '' : ` of ${labelOf(classify(word).artifact.id)}`;
    const probing = [...new Set(groups.filter(({ isProbing }) => isProbing).map(({ principal }) => principal))];
    const first =
      probing[0] === undefined
        ? ''
        : `; ${labelOf(probing[0] === '' ? 'an unnamed caller' : probing[0])} was denied at least 5 different calls within 10 minutes`;
    const headline =
      records.length === 0
        ? `No event${about} was found in what was looked at, so nothing is known of errors${unfinished(coverage)}.`
        : failed === 0
          ? `None of the ${count(records.length, 'event')}${about} that were looked at failed${unfinished(coverage)}.`
          : `${failed.toLocaleString('en-US')} of ${count(records.length, 'event')}${about} failed, by ${count(who, 'caller')}${first}${unfinished(coverage)}.`;
    const rows = groups.map(rowOf);
    return {
      headline,
      parts:
        groups.length === 0
          ? []
          : [
              { kind: 'header', text: 'Rare first' },
              cutTable(['Who', 'What', 'Why', 'From', 'Times', 'When'], rows, shown),
              {
                kind: 'context',
                lines: [
                  line(
                    'Order: whoever is denied many different calls in a short time, then the places with the fewest failures; what the console asks by itself comes last.',
                  ),
                ],
              },
            ],
      coverage,
      answer: {
        ...(word === undefined ? {} : { artifact: classify(word).artifact }),
        errors: groups,
        events: records.length,
        failed,
        coverage,
      },
      pictures: [],
      next: probing
        .slice(0, 2)
        .filter((id) => id !== '' && !/\s/.test(id))
        .map((id) => `/ir pivot ${id}`),
      proposals: [],
      files: [
        csvFile(
          'errors',
          `The errors as a table: ${count(groups.length, 'kind')} of failure by caller and address, one row each.`,
          columns,
          groups.map((group) => columns.map((column) => group[column])),
          groups.length > shown,
        ),
      ],
    };
  },
});

interface Found {
  readonly records: readonly CloudTrailRecord[];
  readonly gaps: readonly string[];
}

async function ofOne(word: string, ctx: InvestigationContext): Promise<Found> {
  const { artifact } = classify(word);
  ctx.progress(`Reading the records of ${artifact.id}`);
  const records = await ctx.evidence.recordsOf(artifact);
  if (artifact.kind === 'resource' || artifact.kind === 'event') return { records, gaps: [] };
  // What others did to an identity is not its own; a failed sign-in names its user, but has no caller.
  return { records: records.filter((record) => actsIn(artifact, record) || !principalOf(record)), gaps: [] };
}

/** Every account that is asked about, else every one that the source or the inventory knows. */
async function everything(
  asked: readonly string[],
  { evidence, aws, signal, progress }: InvestigationContext,
): Promise<Found> {
  const accounts =
    asked.length > 0 ? asked : [...new Set([...evidence.coverage().accounts, ...((await aws?.accounts()) ?? [])])];
  const records = new Set<CloudTrailRecord>();
  for (const id of accounts) {
    signal.throwIfAborted();
    progress(`Reading account ${id}`);
    for (const record of await evidence.recordsOf({ kind: 'account', id })) records.add(record);
  }
  const gaps = accounts.length === 0 ? ['no account is known: name one'] : [];
  return { records: [...records].sort(compareRecords), gaps };
}

/** Which policy refused, before its ARN: the last part of it tells it from others. */
function whyOf({ errorCode, reason }: ErrorGroup): string {
  const [policy, arn] = reason.split(', arn:');
  const told = arn === undefined ? policy : `${policy} (${arn.split('/').at(-1)})`;
  if (told === '') return errorCode;
  return errorCode === noCode ? (told ?? '') : `${errorCode}: ${told}`;
}

function rowOf(group: ErrorGroup): readonly string[] {
  const marks = [group.isProbing ? 'probing' : '', group.isConsole ? 'console' : ''].filter(Boolean).join(', ');
  return [
    `${group.principal === '' ? 'an unnamed caller' : labelOf(group.principal)}${marks === '' ? '' : ` (${marks})`}`,
    `${group.eventSource.replace('.amazonaws.com', '')}:${group.eventName}`,
    whyOf(group),
    group.sourceIp,
    group.times.toLocaleString('en-US'),
    span(group.firstSeen, group.lastSeen),
  ];
}
