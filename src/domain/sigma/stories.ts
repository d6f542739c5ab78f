/** Matches as stories: one per principal, the most telling first, so that a flood of matches is one line. */
import { labelOf } from '../pivot-actors.ts';
import { parseArn } from '../principal.ts';
import type { Match } from './hunt.ts';
import { type Level, levels, type SigmaRule } from './tree.ts';

export interface Deed {
  readonly rule: SigmaRule;
  readonly matches: number;
  readonly failed: number;
  readonly first: string;
  readonly last: string;
  readonly eventIds: readonly string[];
}

export interface HuntStory {
  /** A principal, all sessions of a role as one; "" for callers that nothing identifies. */
  readonly principal: string;
  readonly deeds: readonly Deed[];
  readonly level: Level;
  readonly matches: number;
  readonly first: string;
  readonly last: string;
  readonly ips: readonly string[];
  readonly regions: readonly string[];
  /** In the order in which they were first seen. */
  readonly tactics: readonly string[];
  readonly score: number;
}

const weights: Readonly<Record<Level, number>> = { informational: 0.1, low: 1, medium: 5, high: 20, critical: 60 };

/**
 * Groups the matches by principal. A story counts by its distinct rules, weighted by level and divided by how many
 * principals do the same: what all do says little about one.
 */
export function storiesOf(matches: readonly Match[]): readonly HuntStory[] {
  const doers = new Map<SigmaRule, Set<string>>();
  for (const { rule, group } of matches) doers.set(rule, (doers.get(rule) ?? new Set()).add(group));
  const groups = Map.groupBy(matches, (match) => match.group);
  return [...groups]
    .map(([principal, own]) => storyOf(principal, own, doers))
    .sort(
      (a, b) =>
        levels.indexOf(b.level) - levels.indexOf(a.level) || b.score - a.score || (a.principal < b.principal ? -1 : 1),
    );
}

function storyOf(
  principal: string,
  matches: readonly Match[],
  doers: ReadonlyMap<SigmaRule, ReadonlySet<string>>,
): HuntStory {
  const byTime = matches.toSorted((a, b) => (a.eventTime < b.eventTime ? -1 : a.eventTime > b.eventTime ? 1 : 0));
  const rarity = (rule: SigmaRule): number => weights[rule.level] / Math.log2(1 + (doers.get(rule)?.size ?? 1));
  const deeds = [...Map.groupBy(byTime, (match) => match.rule)]
    .map(([rule, own]) => deedOf(rule, own))
    .sort((a, b) => rarity(b.rule) - rarity(a.rule) || a.matches - b.matches);
  return {
    principal,
    deeds,
    level: levels[Math.max(...deeds.map(({ rule }) => levels.indexOf(rule.level)))] ?? 'informational',
    matches: matches.length,
    first: byTime[0]?.burst?.from ?? byTime[0]?.eventTime ?? '',
    last: byTime.at(-1)?.eventTime ?? '',
    ips: [...new Set(byTime.map((match) => match.sourceIp).filter((ip) => ip !== ''))],
    regions: [...new Set(byTime.map((match) => match.region).filter((region) => region !== ''))],
    tactics: [...new Set(byTime.flatMap((match) => match.rule.tactic))],
    score: deeds.reduce((sum, { rule }) => sum + rarity(rule), 0),
  };
}

function deedOf(rule: SigmaRule, matches: readonly Match[]): Deed {
  return {
    rule,
    matches: matches.length,
    failed: matches.filter((match) => match.outcome !== 'success').length,
    first: matches[0]?.burst?.from ?? matches[0]?.eventTime ?? '',
    last: matches.at(-1)?.eventTime ?? '',
    eventIds: matches.slice(0, 20).map((match) => match.eventId),
  };
}

/** Who it is, in words, with the account: the same name in another account is somebody else. */
export function nameOfStory({ principal }: HuntStory): string {
  if (principal === '') return 'callers without a name';
  const account = parseArn(principal)?.accountId ?? '';
  const label = labelOf(principal);
  return account === '' || label.includes(account) ? label : `${label} in ${account}`;
}
