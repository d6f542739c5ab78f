/** What secrets an actor and its sessions read: the rotation list. */
import { z } from 'zod';
import { defineInvestigation } from '#src/contracts/investigation.ts';
import type { Part } from '#src/contracts/message.ts';
import { csvFile, cutTable, few, unfinished, withGaps } from '#src/domain/answers.ts';
import { classify } from '#src/domain/artifact.ts';
import { count, line, utc } from '#src/domain/phrases.ts';
import { labelOf } from '#src/domain/pivot-actors.ts';
import { secretsRead as readsIn, type SecretRead } from '#src/domain/secrets-read.ts';
import { followSessions } from '#src/domain/session-search.ts';
import { over90Days } from '#src/domain/window.ts';

const shown = 20;
const columns = [
  'secret',
  'kind',
  'sure',
  'reads',
  'denied',
  'firstRead',
  'lastRead',
  'by',
  'sourceIps',
  'eventNames',
  'accountId',
  'region',
  'eventIds',
] as const;

export const secretsRead = defineInvestigation({
  name: 'secrets-read',
  title: 'Secrets read',
  target: z.object({ artifact: z.string().min(1) }),
  permissions: ['cloudtrail:LookupEvents'],

  async run({ artifact: word }, ctx) {
    const { artifact } = classify(word);
    const lineage = await followSessions(artifact, ctx);
    const coverage = withGaps(ctx.evidence.coverage(), lineage.cutShort);
    const secrets = readsIn(lineage.calls);
    const credentials = new Set(lineage.minted.map((minting) => minting.accessKey ?? minting.identity ?? ''));
    return {
      headline: headlineOf(labelOf(artifact.id), secrets, lineage.calls.length, credentials.size, unfinished(coverage)),
      parts: partsOf(secrets),
      coverage,
      answer: {
        artifact,
        secrets,
        rotate: secrets.filter(({ reads }) => reads > 0).map(({ secret }) => secret),
        calls: lineage.calls.length,
        sessions: [...credentials],
        coverage,
      },
      pictures: [],
      next:
        lineage.calls.length === 0
          ? over90Days(`/ir secrets-read ${word}`, coverage.from, ctx.now())
          : [`/ir pivot ${word}`],
      proposals: [],
      files: [
        csvFile(
          'secrets-read',
          `The rotation list as a table: ${count(secrets.length, 'secret')}, one row each.`,
          columns,
          secrets.map((one) => columns.map((column) => one[column])),
          secrets.length > shown,
        ),
      ],
    };
  },
});

function headlineOf(
  who: string,
  secrets: readonly SecretRead[],
  calls: number,
  sessions: number,
  ending: string,
): string {
  const with_ = sessions === 0 ? '' : ` and ${count(sessions, 'session')} minted from it`;
  const read = secrets.filter(({ reads, sure }) => reads > 0 && sure === 'read').length;
  const perhaps = secrets.filter(({ reads, sure }) => reads > 0 && sure === 'may-hold').length;
  const denied = secrets.filter(({ reads }) => reads === 0).length;
  const found = [
    read > 0 ? `read ${count(read, 'secret')} (rotate ${read === 1 ? 'it' : 'them'})` : '',
    perhaps > 0 ? `read ${count(perhaps, 'thing')} that may hold secrets` : '',
    denied > 0 ? `tried ${count(denied, 'more', 'more')} in vain` : '',
  ].filter(Boolean);
  if (calls === 0)
    return `No call by ${who} was found in what was looked at, so nothing is known of what it read${ending}.`;
  const told =
    found.length > 0
      ? `${who}${with_} ${found.join(', ')}`
      : `No read of a secret was found in the ${count(calls, 'call')} of ${who}${with_} that were looked at`;
  return `${told.charAt(0).toUpperCase()}${told.slice(1)}${ending}.`;
}

function partsOf(secrets: readonly SecretRead[]): readonly Part[] {
  const notes: Part = {
    kind: 'context',
    lines: [
      line(
        'Secrets that were copied elsewhere, read by a service for the actor, or read before the window are not in this list; objects in S3 only where their reads are logged and their names tell, or where KMS decrypted them.',
      ),
    ],
  };
  if (secrets.length === 0) return [notes];
  const rows = secrets.map((one) => [
    one.secret.startsWith('arn:') ? labelOf(one.secret) : one.secret,
    one.kind,
    one.reads === 0 ? 'tried in vain' : one.sure === 'read' ? 'rotate' : 'look, then rotate',
    `${one.reads} read${one.denied > 0 ? `, ${one.denied} denied` : ''}`,
    few(one.by.map(labelOf)),
    `${few(one.sourceIps)}, last ${utc(one.lastRead)}`,
  ]);
  return [
    { kind: 'header', text: 'What to rotate' },
    cutTable(['Secret', 'Kind', 'Do', 'Calls', 'By', 'From and when'], rows, shown),
    notes,
  ];
}
