/** What is left on the card of a case that is closed to a named few. */
import type { Message } from '../contracts/message.ts';
import type { Case } from '../contracts/store.ts';
import { code, line } from './phrases.ts';

export function restrictedCard({ id, restrictedTo = [] }: Case): Message {
  const text = `Case ${id} is closed to ${restrictedTo.length} people. Ask the on-call lead.`;
  const lines = [
    line('Case ', code(id), ` is closed to ${restrictedTo.length} people.`),
    line('Ask the on-call lead.'),
  ];
  return { text, parts: [{ kind: 'lines', lines }] };
}
