/** Snoozes in words. */
import type { Message } from '../contracts/message.ts';
import type { Snooze, SnoozeRule } from '../contracts/noise.ts';
import { inert } from './inert.ts';
import { bold, code, count, date, line, person } from './phrases.ts';

/** `type Recon:*, account 111122223333, resource bucket-1`. */
export function ruleWords(rule: SnoozeRule): string {
  const shown = (word: string) =>
    `${inert(word, 120)}${rule.literal === true && word.includes('*') ? ' (the star is a letter of it)' : ''}`;
  const words = [
    rule.type === undefined ? undefined : `type ${shown(rule.type)}`,
    rule.accountId === undefined ? undefined : `account ${inert(rule.accountId, 30)}`,
    rule.resource === undefined ? undefined : `resource ${shown(rule.resource)}`,
    rule.actor === undefined ? undefined : `actor ${shown(rule.actor.replace(/^(?:name|key|id|ip|domain):/, ''))}`,
  ].filter((word) => word !== undefined);
  return words.length === 0 ? 'everything' : words.join(', ');
}

export function snoozeList(snoozes: readonly Snooze[]): Message {
  const sentence = snoozes.length === 0 ? 'Nothing is snoozed.' : `${count(snoozes.length, 'snooze')} in force.`;
  return {
    text: sentence,
    parts: [
      { kind: 'lines', lines: [line(bold(sentence), ' A critical one speaks all the same.')] },
      {
        kind: 'list',
        items: snoozes.map((snooze) =>
          line(
            code(snooze.id),
            ` ${ruleWords(snooze.rule)}, until `,
            date(snooze.until),
            ', by ',
            person(snooze.by),
            `: ${inert(snooze.reason, 200)}`,
          ),
        ),
      },
    ],
  };
}
