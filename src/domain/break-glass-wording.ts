/** What everybody is told when somebody broke the glass. */
import type { Approval, Vote } from '../contracts/approval.ts';
import type { Message } from '../contracts/message.ts';
import { whatOf } from './approval-wording.ts';
import { accountWords } from './inventory.ts';
import { type NoticeOf, whereIs } from './notices.ts';
import { bold, code, date, line, person } from './phrases.ts';

type GlassVote = Vote & { readonly breakGlass: string };

export function shoutMessage(of: NoticeOf, glass: GlassVote): Message {
  const { approval } = of;
  const what = `${whatOf(approval)} in ${accountWords(approval.plan.accountId, of.account)}`;
  return {
    text: `BREAK-GLASS: ${what} was approved by one person alone.`,
    parts: [
      { kind: 'header', text: `BREAK-GLASS: ${whatOf(approval)}` },
      {
        kind: 'lines',
        lines: [
          line(person(glass.userId), ' approved it alone at ', date(glass.at), `: ${what}.`),
          line(bold('Reason: '), glass.breakGlass),
          line(
            'Asked by ',
            person(approval.requester.userId),
            `, case ${approval.caseId}. Its card: `,
            ...whereIs(of),
            '.',
          ),
          line(
            'Not right? ',
            code('/ir freeze <reason>'),
            ' stops all writes; the card has Undo where that is possible.',
          ),
        ],
      },
    ],
  };
}

/** To channels, of a case that is closed to a few: neither target nor reason. */
export function closedShout({ caseId }: Approval, glass: GlassVote): Message {
  return {
    text: `BREAK-GLASS: a plan of the closed case ${caseId} was approved by one person alone.`,
    parts: [
      {
        kind: 'lines',
        lines: [
          line(
            bold('BREAK-GLASS: '),
            person(glass.userId),
            ` approved a plan of the closed case ${caseId} alone at `,
            date(glass.at),
            '.',
          ),
          line('What and why is with the few who may see the case.'),
        ],
      },
    ],
  };
}
