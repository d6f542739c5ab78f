/** What a case adds to the card of its finding: its other findings, its history, and the buttons against noise. */
import type { Alert } from '../contracts/alert.ts';
import type { Button, Inline, Line, Message, Part } from '../contracts/message.ts';
import type { Case } from '../contracts/store.ts';
import { sentenceOfAlert } from './alert-headline.ts';
import { inert } from './inert.ts';
import { type Account, accountWords } from './inventory.ts';
import { bold, code, line, person, text } from './phrases.ts';
import { severityLabel } from './severity.ts';

export interface CaseNews {
  readonly case: Case;
  /** Opaque ids; absent where the button makes no sense. */
  readonly snooze?: string | undefined;
  readonly falsePositive?: string | undefined;
  /** Cases that have become part of this one. */
  readonly parts: readonly string[];
}

/** Adds to a card. Buttons of the card come first. */
export function withCaseNews(card: Message, news: CaseNews): Message {
  const { case: found, parts } = news;
  const lines: Line[] = [line('Case ', code(found.id))];
  if (parts.length > 0) lines.push(line('It contains ', ...listOf(parts)));
  if (found.mergedInto !== undefined) {
    lines.push(line(bold('Part of case '), code(found.mergedInto), ', which goes on with it.'));
  }
  if (found.round > 0)
    lines.push(
      line(
        `${found.round === 1 ? 'Once' : `${found.round} times`} it came back after a time of quiet, or turned critical.`,
      ),
    );
  if (found.falsePositiveBy !== undefined) {
    lines.push(line('Marked as a false positive by ', person(found.falsePositiveBy)));
  }
  const buttons: Button[] = [];
  if (news.snooze !== undefined && found.falsePositiveBy === undefined) {
    const describe = 'Snooze: mute more of this kind for a while; a critical one still speaks';
    buttons.push({ action: 'snooze', value: news.snooze, label: 'Snooze', describe });
  }
  if (news.falsePositive !== undefined && found.falsePositiveBy === undefined) {
    const describe = 'False positive: say that this was nothing; it counts in the weekly report';
    buttons.push({ action: 'false-positive', value: news.falsePositive, label: 'False positive', describe });
  }
  let placed = buttons.length === 0;
  const all: Part[] = card.parts.map((part) => {
    if (part.kind !== 'buttons' || placed) return part;
    placed = true;
    return { ...part, buttons: [...part.buttons, ...buttons] };
  });
  const context: Part = { kind: 'context', lines };
  const at = all.findIndex((part) => part.kind === 'buttons');
  const body = at < 0 ? [...all, context] : [...all.slice(0, at), context, ...all.slice(at)];
  return { text: card.text, parts: placed ? body : [...body, { kind: 'buttons', buttons }] };
}

function listOf(ids: readonly string[]): Inline[] {
  const shown = ids.slice(0, 10).flatMap((id, index) => (index === 0 ? [code(id)] : [text(', '), code(id)]));
  return ids.length > 10 ? [...shown, text(` and ${ids.length - 10} more`)] : shown;
}

/** A message of its own in the channel about a case that has a card already: what is new, and where to look. */
export function ownMessage(input: {
  readonly caseId: string;
  readonly alert: Alert;
  readonly account: Account | undefined;
  readonly said: Line;
  readonly acknowledge: string | undefined;
  /** It goes to the few that the case is closed to, each by himself: its card says nothing. */
  readonly isClosed: boolean;
}): Message {
  const { caseId, alert, account, said, acknowledge, isClosed } = input;
  const words = said.map((part) => ('text' in part ? part.text : part.kind === 'date' ? part.at : '')).join('');
  const where = accountWords(inert(alert.accountId, 30), account);
  const parts: Part[] = [
    {
      kind: 'header',
      text: `${severityLabel(alert.severity)} · ${caseId} has news · ${account?.name ?? inert(alert.accountId, 30)}`,
    },
    { kind: 'lines', lines: [said, line(sentenceOfAlert(alert))] },
    {
      kind: 'context',
      lines: [
        isClosed
          ? line(
              'Case ',
              code(caseId),
              ' is closed to a named few, of whom you are one: its card tells nobody anything.',
            )
          : line(
              'Case ',
              code(caseId),
              ': its card is further up in its channel; the history is in the card’s thread.',
            ),
      ],
    },
  ];
  if (acknowledge !== undefined) {
    const describe = 'Acknowledge: say that you are looking at this case';
    parts.push({
      kind: 'buttons',
      buttons: [{ action: 'acknowledge', value: acknowledge, label: 'Acknowledge', describe }],
    });
  }
  return { text: `News in case ${caseId}, ${severityLabel(alert.severity)} severity, ${where}: ${words}`, parts };
}
