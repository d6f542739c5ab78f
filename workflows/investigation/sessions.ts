/** Chains of sessions: what was minted from an artifact, what minted it, and until when each works. */
import { z } from 'zod';
import { defineInvestigation } from '#src/contracts/investigation.ts';
import type { Line, Part } from '#src/contracts/message.ts';
import { csvFile, cutTable, few, unfinished, withGaps } from '#src/domain/answers.ts';
import { classify } from '#src/domain/artifact.ts';
import type { Minting } from '#src/domain/minting.ts';
import { bold, code, count, line, span, utc } from '#src/domain/phrases.ts';
import { labelOf } from '#src/domain/pivot-actors.ts';
import {
  loopsOf,
  type RoleLoop,
  type SeenSession,
  type SessionLine,
  seenSessions,
  sessionLines,
} from '#src/domain/session-chains.ts';
import { followSessions, type Lineage } from '#src/domain/session-search.ts';

const shown = 15;

export const sessions = defineInvestigation({
  name: 'sessions',
  title: 'Sessions',
  target: z.object({ artifact: z.string().min(1) }),
  permissions: ['cloudtrail:LookupEvents'],

  async run({ artifact: word }, ctx) {
    const { artifact } = classify(word);
    const lineage = await followSessions(artifact, ctx);
    const coverage = withGaps(ctx.evidence.coverage(), lineage.cutShort);
    const lines = sessionLines(lineage, ctx.now());
    const loops = loopsOf(lineage);
    const seen = seenSessions(lineage).filter(
      ({ identity }) => identity !== artifact.id || lineage.origin.length === 0,
    );
    const alive = lines.filter(({ state }) => state === 'may-be-alive');
    return {
      headline: headlineOf(artifact.id, lines, loops, lineage, unfinished(coverage)),
      parts: partsOf(lines, loops, seen, lineage),
      coverage,
      answer: { artifact, sessions: lines, mintedBy: lineage.origin, loops, seen, failed: lineage.failed, coverage },
      pictures: [],
      next: [
        ...alive.slice(0, 2).flatMap(({ accessKey }) => (accessKey ? [`/ir pivot ${accessKey}`] : [])),
        `/ir timeline ${word} --sessions`,
      ],
      proposals: [],
      files: [sessionFile(lines)],
    };
  },
});

function headlineOf(
  id: string,
  lines: readonly SessionLine[],
  loops: readonly RoleLoop[],
  { origin, failed }: Lineage,
  ending: string,
): string {
  const from = origin[0]
    ? `${labelOf(id)} was minted by ${labelOf(origin.at(-1)?.by ?? '')}${origin.length > 1 ? ` through ${count(origin.length, 'session')}` : ''}; `
    : '';
  const alive = lines
    .filter(({ state }) => state === 'may-be-alive')
    .map(({ aliveUntil }) => aliveUntil)
    .sort();
  const life =
    lines.length === 0
      ? ''
      : alive.length === 0
        ? '; by the clock all have run out'
        : `; ${alive.length} may still be alive, the last until ${utc(alive.at(-1) ?? '')}`;
  const minted =
    lines.length === 0
      ? `no session minted from ${labelOf(id)} was found in what was looked at`
      : `${count(lines.length, 'session')} ${lines.length === 1 ? 'was' : 'were'} minted from ${labelOf(id)}, at most ${Math.max(...lines.map(({ depth }) => depth))} in a row`;
  const tried = failed.length === 0 ? '' : `; ${count(failed.length, 'more try', 'more tries')} failed`;
  const juggling = loops[0] ? `; role juggling: ${loops[0].through.map(labelOf).join(' → ')}` : '';
  const words = `${from}${minted}${life}${tried}${juggling}${ending}.`;
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function partsOf(
  lines: readonly SessionLine[],
  loops: readonly RoleLoop[],
  seen: readonly SeenSession[],
  lineage: Lineage,
): readonly Part[] {
  const parts: Part[] = [];
  if (lineage.origin.length > 0) {
    parts.push(
      { kind: 'header', text: 'Minted by' },
      { kind: 'list', ordered: true, items: lineage.origin.map(originLine) },
    );
  }
  for (const loop of loops.slice(0, 3)) {
    parts.push({
      kind: 'lines',
      lines: [
        line(
          bold('Role juggling: '),
          `${loop.through.map(labelOf).join(' → ')}, ${count(loop.times, 'time')}: the access renews itself and outlives each session.`,
        ),
      ],
    });
  }
  if (lines.length > 0) {
    const aliveFirst = lines.toSorted((a, b) => Number(a.state === 'expired') - Number(b.state === 'expired'));
    parts.push(
      { kind: 'header', text: 'Minted from it' },
      cutTable(['Session', 'Minted by', 'How', 'Used', 'Works until'], aliveFirst.map(rowOf), shown),
    );
    parts.push({
      kind: 'context',
      lines: [
        line(
          'A temporary credential works until its end even where the key that it came from is disabled; only a deny on the identity or a revoke of the role ends it earlier, and this log does not show that.',
        ),
      ],
    });
  }
  if (lineage.failed.length > 0) {
    const roles = Map.groupBy(
      lineage.failed,
      ({ role, errorCode }) =>
        `${role === '' ? 'a session of its own' : labelOf(role)}: ${errorCode === '' ? 'failed' : errorCode}`,
    );
    parts.push(
      { kind: 'header', text: 'Tried in vain' },
      {
        kind: 'list',
        items: [...roles]
          .slice(0, 8)
          .map(([what, of]) =>
            line(`${what}${of.length > 1 ? ` ×${of.length}` : ''}, last ${utc(of.at(-1)?.eventTime ?? '')}`),
          ),
      },
    );
  }
  if (seen.length > 0) {
    parts.push({ kind: 'header', text: 'Acted, but how they were minted is not in these logs' });
    parts.push(
      cutTable(
        ['Session', 'Key', 'Calls', 'From', 'When'],
        seen.map((one) => [
          labelOf(one.identity),
          one.accessKey,
          String(one.calls),
          few(one.addresses),
          span(one.firstUsed, one.lastUsed),
        ]),
        shown,
      ),
    );
  }
  return parts;
}

/** A caller of another account is known by its number only, where the record is the role owner's. */
function byLabel(id: string): string {
  return id === '' ? 'an unnamed caller' : /^\d{12}$/.test(id) ? `account ${id}` : labelOf(id);
}

function originLine(minting: Minting): Line {
  return line(
    `${byLabel(minting.by)} by `,
    code(minting.eventName),
    ` at ${utc(minting.eventTime)}${minting.sourceIp === '' ? '' : ` from ${minting.sourceIp}`}${minting.withKey ? ` with key ${minting.withKey}` : ''}`,
  );
}

function rowOf(session: SessionLine): readonly string[] {
  const what = session.identity ? labelOf(session.identity) : `${labelOf(session.by)} itself`;
  return [
    `${'› '.repeat(Math.min(session.depth, 6) - 1)}${what}${session.accessKey ? `, ${session.accessKey}${session.accessKeyIsLikely ? ' (likely)' : ''}` : ''}`,
    byLabel(session.by),
    `${session.eventName}, ${utc(session.eventTime)}`,
    session.calls === 0
      ? 'no call seen'
      : `${count(session.calls, 'call')}${session.addresses.length === 0 ? ', none from an address' : ` from ${few(session.addresses)}`}`,
    `${utc(session.aliveUntil)}${session.state === 'expired' ? ' (over)' : ''}${session.aliveUntilFrom === 'default' ? ' at most' : ''}`,
  ];
}

function sessionFile(lines: readonly SessionLine[]) {
  const columns = [
    'eventTime',
    'by',
    'withKey',
    'eventName',
    'identity',
    'accessKey',
    'aliveUntil',
    'aliveUntilFrom',
    'state',
    'depth',
    'calls',
    'addresses',
    'sourceIp',
    'eventId',
  ] as const;
  return csvFile(
    'sessions',
    `The sessions as a table: ${count(lines.length, 'session')}, one row each.`,
    columns,
    lines.map((session) => columns.map((column) => session[column])),
    lines.length > shown,
  );
}
