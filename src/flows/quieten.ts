/** `/ir snooze` and `/ir open`, decided -> stored and answered. */
import type { CommandOutcome } from '../contracts/command.ts';
import type { Message } from '../contracts/message.ts';
import { code, date, line, refusal, say } from '../domain/phrases.ts';
import { ruleWords } from '../domain/snooze-wording.ts';
import type { WebDeps } from './deps.ts';

type Asked = Extract<CommandOutcome, { kind: 'open' | 'snooze' | 'end-snooze' }>;

/** High: a critical speaks through every snooze. */
const maxRank = 2;

export async function quieten(
  outcome: Asked,
  { userId, channelId }: { readonly userId: string; readonly channelId: string },
  { store, queue, clock }: Pick<WebDeps, 'store' | 'clock'> & { readonly queue?: WebDeps['queue'] },
): Promise<Message> {
  const at = clock.now().toISOString();
  switch (outcome.kind) {
    case 'open': {
      const { caseId } = outcome;
      const found = await store.cases.get(caseId);
      if (found === undefined) return refusal(`There is no case ${caseId}.`, undefined);
      if (found.admission === 'card') return say(`${caseId} has its card already; it is in its channel.`);
      // From a shell the sweep brings it, within seconds.
      if (queue === undefined) await store.noise.promote(caseId, at);
      else await queue.add('case.mark', { caseId, userId, channel: channelId, mark: 'open' }, { id: `open-${caseId}` });
      return say(`The card of ${caseId} comes into its channel.`);
    }
    case 'snooze': {
      const { rule, reason, until } = outcome;
      const made = await store.noise.addSnooze({ rule, reason, by: userId, at, until, maxRank });
      return {
        text: `Snoozed: ${ruleWords(rule)} (${made.id}).`,
        parts: [
          {
            kind: 'lines',
            lines: [
              line('Snoozed until ', date(until), `: ${ruleWords(rule)}.`),
              line('What is critical or new still speaks. End it with ', code(`/ir snooze end ${made.id}`), '.'),
            ],
          },
        ],
      };
    }
    case 'end-snooze':
      return (await store.noise.endSnooze(outcome.id, userId, at))
        ? say(`${outcome.id} has ended. What was muted is in the report: /ir noise.`)
        : refusal(`There is no snooze ${outcome.id} in force.`, 'Type /ir snooze for the list.');
  }
}
