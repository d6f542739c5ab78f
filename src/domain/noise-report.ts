/** The report of what made the noise, and the week that it is about. */
import type { Message } from '../contracts/message.ts';
import type { NoiseRow } from '../contracts/noise.ts';
import { inert } from './inert.ts';
import { type Account, findAccount } from './inventory.ts';
import { type NoiseConfig, weekdays } from './noise.ts';
import { bold, code, count, date, line } from './phrases.ts';

/** Kinds of which the sums are, and of which the table shows the first. */
export const kindsCounted = 5_000;
const kindsShown = 20;
const dayMs = 24 * 60 * 60 * 1_000;

/** The newest time at which a weekly report was due, as ISO 8601 UTC. */
export function reportDueAt(now: Date, { weekday, hour }: NoiseConfig['report']): string {
  const today = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate(), hour);
  const back = (now.getUTCDay() - weekdays.indexOf(weekday) + 7) % 7;
  const due = today - back * dayMs;
  return new Date(due > now.getTime() ? due - 7 * dayMs : due).toISOString();
}

/** `since` and `until`, ISO 8601 UTC. */
export function noiseReport(
  rows: readonly NoiseRow[],
  since: string,
  until: string,
  accounts: readonly Account[],
): Message {
  const sum = (key: 'alerts' | 'cases' | 'cards' | 'lines' | 'snoozed' | 'falsePositives') =>
    rows.reduce((total, row) => total + row[key], 0);
  const alerts = sum('alerts');
  const sentence =
    alerts === 0
      ? 'Nothing made noise in this time.'
      : `${count(alerts, 'alert')} in ${count(sum('cases'), 'case')}: ${count(sum('cards'), 'card')}, ${count(sum('lines'), 'line')} of digests, ${sum('snoozed')} snoozed, ${count(sum('falsePositives'), 'false positive')}.`;
  return {
    text: `What made the noise: ${sentence}`,
    parts: [
      { kind: 'header', text: 'What made the noise' },
      { kind: 'lines', lines: [line(bold(sentence)), line('From ', date(since), ' to ', date(until), '.')] },
      ...(rows.length === 0
        ? []
        : [
            {
              kind: 'table' as const,
              columns: ['Type', 'Account', 'Alerts', 'Cases', 'Cards', 'Snoozed', 'False positives', 'Acknowledged'],
              rows: rows
                .slice(0, kindsShown)
                .map((row) => [
                  inert(row.type, 80),
                  findAccount(accounts, row.accountId)?.name ?? row.accountId,
                  String(row.alerts),
                  String(row.cases),
                  String(row.cards),
                  String(row.snoozed),
                  String(row.falsePositives),
                  String(row.acknowledged),
                ]),
            },
          ]),
      {
        kind: 'context',
        lines: [
          line(
            'Mute a kind with ',
            code('/ir snooze add --type TYPE --account ID --until 7d REASON'),
            rows.length > kindsShown
              ? `. Shown are the ${kindsShown} largest of ${count(rows.length, 'kind')}; the sums are of all.`
              : '.',
          ),
        ],
      },
    ],
  };
}
