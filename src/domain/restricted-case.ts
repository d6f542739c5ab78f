/** What is left on the cards of a case that is closed to a named few. */
import type { Approval } from '../contracts/approval.ts';
import type { Line, Message } from '../contracts/message.ts';
import type { Case } from '../contracts/store.ts';
import { few } from './answers.ts';
import { code, line, say } from './phrases.ts';

export function restrictedCard({ id, restrictedTo = [], mergedInto }: Case): Message {
  const text = `Case ${id} is closed to ${restrictedTo.length} people. Ask the on-call lead.`;
  const lines = [
    line('Case ', code(id), ` is closed to ${restrictedTo.length} people.`),
    line('Ask the on-call lead.'),
    ...(mergedInto === undefined ? [] : [line('It goes on in case ', code(mergedInto), '.')]),
  ];
  return { text, parts: [{ kind: 'lines', lines }] };
}

/** What the few hear of a case that took closed ones in and is closed with them. */
export function tookIn(parts: readonly string[]): Line {
  return line('A new case took in ', code(few(parts)), ', and is closed to you as that is.');
}

/** Without the target and the action: whoever reads it may be the one that it is about. */
export function closedPlan({ caseId, state }: Pick<Approval, 'caseId' | 'state'>): Message {
  return say(`A plan of case ${caseId} is ${state}.`, line(haveIt));
}

export function closedStrike(caseId: string): Message {
  return say(`There is a plan for case ${caseId}.`, line(haveIt));
}

const haveIt = 'The case is closed to a named few, who have the card.';
