/** Nobody acknowledged a critical card: who is called, when, and by what. `EscalationConfig` is a config section. */
import { z } from 'zod';
import type { Alert } from '../contracts/alert.ts';
import type { Message } from '../contracts/message.ts';
import type { Page } from '../contracts/pager.ts';
import { sentenceOfAlert } from './alert-headline.ts';
import { inert } from './inert.ts';
import { type Account, accountWords } from './inventory.ts';
import { bold, code, line, say, text } from './phrases.ts';
import { severityLabel, severityWord } from './severity.ts';

const Name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,40}$/, 'letters, digits and hyphens');
const EnvName = z.string().regex(/^[A-Z][A-Z0-9_]{2,60}$/, 'is not the name of an environment variable');
const Url = z.url({ protocol: /^https?$/ });

const Pager = z.discriminatedUnion('kind', [
  z.strictObject({
    name: Name,
    kind: z.literal('pagerduty'),
    /** Names the variable that holds the integration (routing) key. */
    keyEnv: EnvName,
    /** Your own origin, as https://events.eu.pagerduty.com; default PagerDuty's in the United States. */
    url: Url.default('https://events.pagerduty.com'),
  }),
  z.strictObject({
    name: Name,
    kind: z.literal('opsgenie'),
    keyEnv: EnvName,
    url: Url.default('https://api.opsgenie.com'),
  }),
  z.strictObject({ name: Name, kind: z.literal('webhook'), url: Url, keyEnv: EnvName.optional() }),
  z.strictObject({
    name: Name,
    kind: z.literal('sns'),
    topicArn: z
      .string()
      .regex(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}(\.fifo)?$/, 'is not the ARN of a topic'),
  }),
]);
export type PagerEntry = z.output<typeof Pager>;

export const EscalationConfig = z
  .strictObject({
    levels: z
      .array(
        z.strictObject({
          /** Since the card (or, where Slack is down, the alert) came. */
          afterMinutes: z
            .number()
            .min(0)
            .max(7 * 24 * 60),
          users: z.array(z.string().regex(/^[UW][A-Z0-9]{2,}$/, 'is not a Slack user id')).default([]),
          groups: z.array(z.string().regex(/^S[A-Z0-9]{2,}$/, 'is not a Slack user group id')).default([]),
          pagers: z.array(Name).default([]),
        }),
      )
      .max(10)
      .default([]),
    pagers: z.array(Pager).default([]),
  })
  .superRefine(({ levels, pagers }, ctx) => {
    const names = pagers.map(({ name }) => name);
    for (const [index, { users, groups, pagers: wanted }] of levels.entries()) {
      const unknown = wanted.filter((name) => !names.includes(name));
      const path = ['levels', index];
      if (unknown.length > 0)
        ctx.addIssue({ code: 'custom', path, message: `there is no pager ${unknown.join(', ')}` });
      if (users.length + groups.length + wanted.length === 0) {
        ctx.addIssue({ code: 'custom', path, message: 'calls nobody: name users, groups or pagers' });
      }
    }
    if (new Set(names).size < names.length) {
      ctx.addIssue({ code: 'custom', path: ['pagers'], message: 'two pagers have the same name' });
    }
  });
export type EscalationConfig = z.output<typeof EscalationConfig>;
export const noEscalation: EscalationConfig = EscalationConfig.parse({});

/** When each level is due, counted from `at` (ISO 8601 UTC). Levels count from 1. */
export function dueTimes(config: EscalationConfig, at: string): { level: number; dueAt: string }[] {
  return config.levels.map(({ afterMinutes }, index) => ({
    level: index + 1,
    dueAt: new Date(Date.parse(at) + afterMinutes * 60_000).toISOString(),
  }));
}

/** The levels that reach somebody without Slack. */
export function levelsWithoutSlack(config: EscalationConfig): number[] {
  return config.levels.flatMap(({ pagers }, index) => (pagers.length > 0 ? [index + 1] : []));
}

interface Call {
  readonly caseId: string;
  readonly round: number;
  readonly alert: Alert;
  readonly account: Account | undefined;
  readonly channel: string;
}

function whatOf({ alert, account }: Call): string {
  const where = accountWords(inert(alert.accountId, 30), account);
  return `${severityLabel(alert.severity)} in ${where}, ${inert(alert.region, 40)}: ${sentenceOfAlert(alert)}`;
}

/** The direct message to somebody on call. `closed`: to a named few, whose card in the channel has no button. */
export function callForHelp(call: Call, closed: boolean): Message {
  const sentence = `Nobody has acknowledged this yet: ${whatOf(call)}`;
  return {
    ...say(sentence),
    parts: [
      {
        kind: 'lines',
        lines: [
          line(bold('Nobody has acknowledged this yet.')),
          line(text(whatOf(call))),
          line(
            'Case ',
            code(call.caseId),
            closed
              ? '. It is closed to a named few, and its card has no button: ask one of them, or the on-call lead, to look at it.'
              : '. Its card is in the alert channel: press Acknowledge there, which also stops the calls.',
          ),
        ],
      },
    ],
  };
}

/** What goes to a pager: names and ids, no evidence. */
export function pageOf(call: Call, because: string): Page {
  const { alert, caseId, round } = call;
  const severity = severityWord(alert.severity) === 'critical' ? 'critical' : 'error';
  return {
    key: `firebreak-${caseId}-${round}`,
    summary: `${caseId} ${whatOf(call)}`.slice(0, 1_000),
    severity,
    source: inert(alert.accountId, 30),
    details: {
      case: caseId,
      type: inert(alert.type, 120),
      account: inert(alert.accountId, 30),
      region: inert(alert.region, 40),
      because,
    },
  };
}
