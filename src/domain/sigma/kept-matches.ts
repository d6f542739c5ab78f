/** Keeps the matches of a hunt: bounded, ranked, and the same whatever the order of the records. */
import type { PastFinding } from '../../contracts/baseline.ts';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { recordOfSighting } from '../baseline/sighting.ts';
import { isoOf } from '../window.ts';
import type { HuntResult, Match, Picked } from './hunt.ts';
import { levels, type SigmaRule } from './tree.ts';

/** Rules for everyday calls match as often as there are events: a list of all of them would not fit into memory. */
const listedPerRule = 50_000;
const listedInAll = 500_000;

/** What rules about a principal's past have found, as matches. `isHeld`: whether an exception holds it back. */
export function pastMatches(
  found: readonly PastFinding[],
  { reporting }: Picked,
  isHeld: (rule: SigmaRule, record: CloudTrailRecord) => boolean,
): readonly Match[] {
  const byName = new Map([...reporting].map((rule) => [rule.name, rule]));
  return found.flatMap(({ rule: name, sighting, group, rests }) => {
    const rule = byName.get(name);
    if (rule?.kind !== 'baseline' || isHeld(rule, recordOfSighting(sighting))) return [];
    const { eventId, at, eventName, region, ip, principal, isDenied } = sighting;
    return {
      rule,
      eventId,
      eventTime: isoOf(at),
      eventName,
      principal,
      group,
      sourceIp: ip,
      region,
      outcome: isDenied ? 'denied' : 'success',
      ...(rests ? { rests } : {}),
    };
  });
}

interface MatchKeeper {
  add(match: Match): void;
  count(): number;
  end(): Pick<HuntResult, 'matches' | 'notListed'>;
}

/** Keeps the earliest matches of each rule, in whatever order they come: the same list from every source. */
export function matchKeeper(): MatchKeeper {
  const lists = new Map<SigmaRule, Match[]>();
  const more = new Map<SigmaRule, number>();
  let counted = 0;
  const drop = (rule: SigmaRule, dropped: number): void => {
    if (dropped > 0) more.set(rule, (more.get(rule) ?? 0) + dropped);
  };
  const shorten = (rule: SigmaRule, list: Match[]): void => {
    drop(rule, list.length - listedPerRule);
    list.sort(byTime).splice(listedPerRule);
  };
  return {
    add(match) {
      counted += 1;
      const list = lists.get(match.rule) ?? [];
      if (list.length === 0) lists.set(match.rule, list);
      if (list.push(match) >= listedPerRule * 1.25) shorten(match.rule, list);
    },
    count: () => counted,
    end() {
      for (const [rule, list] of lists) if (list.length > listedPerRule) shorten(rule, list);
      const matches = ranked([...lists.values()].flat());
      for (const match of matches.slice(listedInAll)) drop(match.rule, 1);
      const notListed = [...more].map(([rule, count]) => ({ rule: rule.name, matches: count }));
      return { matches: matches.slice(0, listedInAll), notListed };
    },
  };
}

function byTime(a: Match, b: Match): number {
  return compareText(a.eventTime, b.eventTime) || compareText(a.eventId, b.eventId);
}

/** Severe before mild, rare before frequent: what the console does all day comes last. */
function ranked(matches: readonly Match[]): readonly Match[] {
  const counts = new Map<SigmaRule, number>();
  for (const { rule } of matches) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  const order = (a: Match, b: Match): number =>
    levels.indexOf(b.rule.level) - levels.indexOf(a.rule.level) ||
    (counts.get(a.rule) ?? 0) - (counts.get(b.rule) ?? 0) ||
    compareText(a.rule.name, b.rule.name) ||
    byTime(a, b);
  return [...matches].sort(order);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
