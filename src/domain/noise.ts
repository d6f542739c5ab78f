/**
 * When an alert is worth a message of its own, and when it may be a line among others. Noise must not be cover: a critical, a
 * crown jewel, a new tactic, a higher severity or a new resource always speaks. `NoiseConfig`, `CrownJewels` are config sections.
 */
import { z } from 'zod';
import type { Alert } from '../contracts/alert.ts';
import type { Line } from '../contracts/message.ts';
import type { CaseBefore, Novelty, Snooze, SnoozeRule, Told } from '../contracts/noise.ts';
import { actorKeyOf, isLive, resourceKeyOf, tacticOf } from './activity.ts';
import { sentenceOfAlert } from './alert-headline.ts';
import { mergedAlert } from './alert-merge.ts';
import { updateWorthSaying } from './case-story.ts';
import { globMatch } from './glob.ts';
import { inert } from './inert.ts';
import type { Account } from './inventory.ts';
import { hasJewelTag } from './jewel-tags.ts';
import { code, line, text } from './phrases.ts';
import { severityLabel, severityRank, severityWord } from './severity.ts';
import { SlackChannel } from './slack-ids.ts';

export const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;

export const NoiseConfig = z.strictObject({
  /** New cards per channel and minute; further ones become lines of a digest. */
  cardsPerMinute: z.number().int().min(1).max(10_000).default(20),
  /** One digest message per channel and so many minutes of storm. */
  digestMinutes: z.number().int().min(1).max(120).default(10),
  /** Alerts of one actor and resource join one case while no more than this lies between them. */
  joinMinutes: z
    .number()
    .int()
    .min(0)
    .max(7 * 24 * 60)
    .default(60),
  /** A finding that was quiet so long comes back to the channel as a message of its own. */
  recurrenceHours: z.number().int().min(1).max(2_160).default(24),
  /** The span that the dialog of the button Snooze offers first. */
  snoozeHours: z.number().int().min(1).max(2_160).default(24),
  report: z
    .strictObject({
      weekday: z.enum(weekdays).default('monday'),
      /** Hour of the day, UTC. */
      hour: z.number().int().min(0).max(23).default(8),
      /** Where it goes; left out: channels.default. */
      channel: SlackChannel.optional(),
      enabled: z.boolean().default(true),
    })
    .default({ weekday: 'monday', hour: 8, enabled: true }),
});
export type NoiseConfig = z.output<typeof NoiseConfig>;
export const defaultNoise: NoiseConfig = NoiseConfig.parse({});

export const CrownJewels = z.strictObject({
  accounts: z.array(z.string().regex(/^\d{12}$/, 'is not a 12-digit account id')).default([]),
  /** The `dataClass` words of the inventory. */
  dataClasses: z.array(z.string().min(1)).default([]),
  /** Names or ARNs of resources and identities, `*` for any characters. */
  resources: z.array(z.string().min(1)).default([]),
  /** `KEY=VALUE`, `*` for any characters: tags of the account in the inventory, and of resources as findings tell them. */
  tags: z.array(z.string().regex(/^[^=]+=.+$/, 'has not the form KEY=VALUE')).default([]),
});
export type CrownJewels = z.output<typeof CrownJewels>;
export const noJewels: CrownJewels = { accounts: [], dataClasses: [], resources: [], tags: [] };

/** Whether an alert is about what must never drown. A sample is about nothing. Tags of resources are weighed apart (`jewel-tags`). */
export function isCrownJewel(alert: Alert, account: Account | undefined, jewels: CrownJewels): boolean {
  if (alert.sample) return false;
  if (hasJewelTag(account?.tags, jewels.tags)) return true;
  if (jewels.accounts.includes(alert.accountId)) return true;
  const classes = jewels.dataClasses.map((word) => word.toLowerCase());
  if (account?.dataClass?.some((word) => classes.includes(word.toLowerCase())) === true) return true;
  const { userName, principalArn } = alert.actor;
  const names = [alert.resource.id, alert.resource.name, ...alert.resourceIds, userName, principalArn];
  return jewels.resources.some((pattern) => names.some((name) => name !== undefined && globMatch(pattern, name)));
}

export function isCritical(alert: Alert): boolean {
  return isLive(alert) && severityWord(alert.severity) === 'critical';
}

/** It gets a card whatever else goes on in the channel. */
export function alwaysSpeaks(alert: Alert, account: Account | undefined, jewels: CrownJewels): boolean {
  return isCritical(alert) || (isLive(alert) && isCrownJewel(alert, account, jewels));
}

/**
 * What the thread says of an alert that goes into a known case, and whether the channel hears it too. Undefined where there is
 * nothing to say: an older version, or a mere higher count. `channel` is where the alert belongs.
 */
export function storyOf(
  alert: Alert,
  channel: string,
  before: CaseBefore,
  rules: { readonly noise: NoiseConfig; readonly jewel: boolean; readonly muted: boolean },
): Told | undefined {
  const { previous, members, case: held } = before;
  if (previous !== undefined && mergedAlert(previous, alert) === previous) return undefined;
  const highest = Math.max(...members.map((member) => severityRank(member.severity)), -1);
  const rose = severityRank(alert.severity) > highest;
  const known = new Set(members.flatMap((member) => [...member.resourceIds, resourceKeyOf(member)]));
  const mine = [...alert.resourceIds, resourceKeyOf(alert)].filter((id) => id !== undefined);
  const newResource = mine.some((id) => !known.has(id));
  const quiet = quietFor(previous, alert, before.lastAt) >= rules.noise.recurrenceHours * 3_600_000;
  // Whoever looked at it, or called it nothing, did not see a critical.
  const outgrown = rose && isCritical(alert) && (held.acknowledgedBy ?? held.falsePositiveBy) !== undefined;
  // A snooze mutes what its rule means for as long as it lasts, and nothing else that goes into a case that it muted.
  const unmuted = held.admission === 'snoozed' && !rules.muted && isLive(alert);
  const unseen = held.admission === 'snoozed' || held.admission === 'digest';
  const own = (reasons: readonly boolean[]): Pick<Told, 'ownChannel' | 'recurrence' | 'outgrown'> =>
    isLive(alert) && reasons.includes(true)
      ? { ownChannel: channel, ...(quiet || outgrown ? { recurrence: true } : {}), ...(outgrown ? { outgrown } : {}) }
      : {};
  if (previous !== undefined) {
    const said = updateWorthSaying(previous, alert) ?? (quiet ? quietLine : unmuted ? unmutedLine : undefined);
    // One that was put away when it came first may have no card.
    const loud = unseen && (isCritical(alert) || rules.jewel);
    // That it came back is what a snooze is there to mute; that it is worse is not.
    const isNews = own([rose, newResource, quiet && !rules.muted, unmuted, loud]);
    return said === undefined ? undefined : { said, ...isNews };
  }
  const newTactic = !members.some((member) => tacticOf(member) === tacticOf(alert));
  const isNews = own([rose, newResource, quiet && !rules.muted, newTactic, isCritical(alert), rules.jewel, unmuted]);
  return { said: joinedLine(alert, { newTactic, rose }), ...isNews };
}

const quietLine = line('This finding came again after a long time of quiet.');
const unmutedLine = line('This finding goes on, and nothing mutes it any more.');

/** From the last sight of it to this one; where the finding does not say, from its last version. Milliseconds. */
function quietFor(previous: Alert | undefined, alert: Alert, lastAt: string): number {
  const from = Date.parse(previous?.lastSeen ?? previous?.updatedAt ?? lastAt);
  const gap = Date.parse(alert.lastSeen ?? alert.updatedAt) - from;
  return Number.isNaN(gap) ? 0 : gap;
}

function joinedLine(alert: Alert, news: { readonly newTactic: boolean; readonly rose: boolean }): Line {
  const why = [
    news.newTactic ? `a new tactic here, ${inert(tacticOf(alert), 40)}` : undefined,
    news.rose ? 'more severe than what was known' : undefined,
  ].filter((word) => word !== undefined);
  return line(
    text(`Same actor and resource, ${severityLabel(alert.severity)} in `),
    code(inert(alert.region, 40)),
    text(`: ${sentenceOfAlert(alert)} (`),
    code(inert(alert.type, 120)),
    text(`)${why.length === 0 ? '' : `; ${why.join('; ')}`}.`),
  );
}

/** The rule behind the button: this kind of alert, about this resource or, where none is named, by this actor, here. */
export function ruleOf(alert: Alert): SnoozeRule {
  const resource = resourceKeyOf(alert);
  const actor = resource === undefined ? actorKeyOf(alert) : undefined;
  return {
    type: alert.type,
    accountId: alert.accountId,
    ...(resource === undefined ? {} : { resource }),
    ...(actor === undefined ? {} : { actor }),
    literal: true,
  };
}

/** The rule that mutes this alert, if any. Whether it speaks all the same is another question (`speaksThrough`). */
export function snoozeOf(alert: Alert, snoozes: readonly Snooze[]): Snooze | undefined {
  const resource = resourceKeyOf(alert);
  const names = [resource, alert.resource.id, alert.resource.name, ...alert.resourceIds].filter(
    (name) => name !== undefined,
  );
  return snoozes.find(({ rule }) => {
    const fits = rule.literal === true ? isSameName : globMatch;
    if (rule.type !== undefined && !fits(rule.type, alert.type)) return false;
    if (rule.accountId !== undefined && rule.accountId !== alert.accountId) return false;
    const { resource: wanted, actor } = rule;
    // Made of an alert, it means that one resource, and no other alert that names it besides its own.
    const meant = rule.literal === true ? [resource].filter((name) => name !== undefined) : names;
    if (wanted !== undefined && !meant.some((name) => fits(wanted, name))) return false;
    const actors = [actorKeyOf(alert), alert.actor.userName, alert.actor.principalArn, alert.actor.accessKeyId];
    return actor === undefined || actors.some((name) => name !== undefined && fits(actor, name));
  });
}

function isSameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** A muted alert speaks when it is more than what was muted. `known` is what the account had before. */
export function speaksThrough(
  snooze: Snooze,
  novelty: Novelty,
  known: { readonly resource: boolean; readonly tactic: boolean },
): boolean {
  const { rule, maxRank } = snooze;
  if (novelty.rank > maxRank) return true;
  const openResource = rule.resource === undefined && rule.actor === undefined;
  if (openResource && novelty.resource !== undefined && !known.resource) return true;
  const openTactic = rule.type === undefined || rule.type.startsWith('*');
  return openTactic && !known.tactic;
}

/** One line of a digest, at most 125 characters, without what JSON would make longer. The type is what gives way. */
export function digestLine(alert: Alert): string {
  const { userName, principalArn, accessKeyId } = alert.actor;
  const about = plain(resourceKeyOf(alert) ?? userName ?? principalArn ?? accessKeyId ?? '', 48);
  const head = [severityLabel(alert.severity), plain(alert.accountId, 14), plain(alert.region, 18)];
  const spent = [...head, about].join(' · ').length + 3;
  const words = [...head, plain(alert.type, Math.max(20, 125 - spent)), about];
  return plain(words.filter((word) => word !== '').join(' · '), 125);
}

/** What a digest counts together. */
export function digestGroup(alert: Alert, account: Account | undefined): string {
  const where = account?.name ?? alert.accountId;
  const sample = alert.sample ? ' (sample)' : '';
  return plain(`${severityWord(alert.severity)} ${alert.type}${sample} in ${where}`, 140);
}

function plain(words: string, max: number): string {
  const flat = inert(words, 400).replaceAll(/["\\]/g, "'");
  return flat.length <= max ? flat : `${flat.slice(0, max - 1).toWellFormed()}…`;
}
