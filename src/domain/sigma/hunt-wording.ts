/** A hunt in words: the stories that matter, then the noise in one line, then what could not be evaluated. */
import type { RuleInSource, RulesAsked } from '../../contracts/evidence.ts';
import type { TimelinePicture } from '../../contracts/investigation.ts';
import type { Line, Part } from '../../contracts/message.ts';
import { bold, code, count, line, utc } from '../phrases.ts';
import type { HuntResult, Match } from './hunt.ts';
import { type Deed, type HuntStory, nameOfStory } from './stories.ts';
import type { Level, UnsupportedRule } from './tree.ts';

const maxStories = 8;
const maxDeeds = 8;
const maxUnsupported = 8;

export function isLoud(level: Level): boolean {
  return level !== 'informational' && level !== 'low';
}

/** One sentence without its ending. */
export function huntHeadline(
  what: string,
  ran: number,
  matches: readonly Match[],
  stories: readonly HuntStory[],
): string {
  if (matches.length === 0) return `The hunt for ${what} (${count(ran, 'rule')}) found nothing in what was looked at`;
  const rules = new Set(matches.map((match) => match.rule)).size;
  const severe = stories.filter(({ level }) => level === 'high' || level === 'critical').length;
  const who = count(stories.length, 'principal');
  const grave =
    severe === 0 ? 'none of them more than medium' : `${count(severe, 'principal')} with high or critical ones`;
  return `The hunt for ${what} found ${count(matches.length, 'match', 'matches')} of ${count(rules, 'rule')} by ${who}, ${grave}`;
}

export function huntParts(
  stories: readonly HuntStory[],
  notListed: HuntResult['notListed'],
  unsupported: readonly UnsupportedRule[],
): readonly Part[] {
  const loud = stories.filter(({ level }) => isLoud(level));
  const quiet = stories.filter(({ level }) => !isLoud(level));
  const parts: Part[] = loud.slice(0, maxStories).flatMap(storyParts);
  const rest: Line[] = [];
  if (loud.length > maxStories)
    rest.push(line(`and ${loud.length - maxStories} more principals with medium or graver matches`));
  if (quiet.length > 0) rest.push(quietLine(quiet));
  for (const { rule, matches } of notListed.slice(0, maxUnsupported))
    rest.push(line(bold('Not listed: '), `${count(matches, 'further match', 'further matches')} of ${rule}.`));
  if (rest.length > 0) parts.push({ kind: 'lines', lines: rest });
  if (unsupported.length > 0) {
    parts.push({ kind: 'lines', lines: [line(bold(`${count(unsupported.length, 'rule')} not evaluated`))] });
    const items = unsupported.slice(0, maxUnsupported).map(({ rule, reason }) => line(code(rule), `: ${reason}`));
    if (unsupported.length > maxUnsupported) items.push(line(`and ${unsupported.length - maxUnsupported} more`));
    parts.push({ kind: 'list', items });
  }
  return parts;
}

function quietLine(quiet: readonly HuntStory[]): Line {
  const rules = new Set(quiet.flatMap(({ deeds }) => deeds.map(({ rule }) => rule)));
  const matches = quiet.reduce((sum, story) => sum + story.matches, 0);
  const names = [...rules].slice(0, 4).map((rule) => rule.title);
  return line(
    bold('Background: '),
    `${count(matches, 'low match', 'low matches')} by ${count(quiet.length, 'more principal')}: ${names.join('; ')}${rules.size > names.length ? ` and ${rules.size - names.length} more rules` : ''}.`,
  );
}

function storyParts(story: HuntStory): readonly Part[] {
  const [first, last] = [utc(story.first), utc(story.last)];
  const span = first === last ? first : `${first} to ${last}`;
  const from = story.ips.length === 0 ? '' : `, from ${few(story.ips)}`;
  const where = story.regions.length > 1 ? `, in ${count(story.regions.length, 'Region')}` : '';
  const items = story.deeds.slice(0, maxDeeds).map(deedLine);
  if (story.deeds.length > maxDeeds) items.push(line(`and ${count(story.deeds.length - maxDeeds, 'more rule')}`));
  return [
    {
      kind: 'lines',
      lines: [
        line(bold(`${story.level}: ${nameOfStory(story)}`)),
        line(`${span}${from}${where}${story.tactics.length > 0 ? `. ${story.tactics.join(', ')}` : ''}`),
      ],
    },
    { kind: 'list', items },
  ];
}

function deedLine({ rule, matches, failed, first, eventIds }: Deed): Line {
  const times = matches === 1 ? '' : ` ×${matches.toLocaleString('en-US')}`;
  const denied = failed === 0 ? '' : failed === matches ? ', all failed' : `, ${failed} failed`;
  const techniques = rule.technique.length > 0 ? ` (${rule.technique.join(', ')})` : '';
  return line(
    `${rule.level}: ${rule.title}${times}${denied}${techniques}, first ${utc(first)} `,
    code(eventIds[0] ?? ''),
  );
}

function few(items: readonly string[]): string {
  return items.length <= 2 ? items.join(' and ') : `${items[0]} and ${items.length - 1} more addresses`;
}

const maxLanes = 8;
const maxPerDeed = 20;
const maxDrawn = 400;
const leastMarginMs = 10 * 60_000;

/** The matches that matter, a lane per principal; undefined where there are none. */
export function huntTimeline(stories: readonly HuntStory[], matches: readonly Match[]): TimelinePicture | undefined {
  const lanes = stories.filter(({ level }) => isLoud(level)).slice(0, maxLanes);
  const shown = new Set(lanes.map(({ principal }) => principal));
  const drawn = new Map<string, number>();
  const loud = matches.filter((match) => shown.has(match.group) && isLoud(match.rule.level));
  const kept = loud
    .filter((match) => {
      const key = `${match.group}\n${match.rule.name}`;
      drawn.set(key, (drawn.get(key) ?? 0) + 1);
      return (drawn.get(key) ?? 0) <= maxPerDeed;
    })
    .slice(0, maxDrawn);
  const times = kept.map((match) => Date.parse(match.eventTime));
  if (times.length === 0) return undefined;
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const margin = Math.max(leastMarginMs, (last - first) / 10);
  return {
    lanes: lanes.map((story) => ({ id: story.principal, label: nameOfStory(story) })),
    events: kept
      .map((match) => ({
        at: match.eventTime,
        lane: match.group,
        label: match.eventName,
        ...(match.rule.tactic[0] === undefined ? {} : { tactic: match.rule.tactic[0] }),
        failed: match.outcome !== 'success',
      }))
      .sort((a, b) => (a.at < b.at ? -1 : 1)),
    from: new Date(first - margin).toISOString(),
    to: new Date(last + margin).toISOString(),
    footnote:
      loud.length === kept.length
        ? 'Matches of medium level and above.'
        : `${count(loud.length - kept.length, 'more match', 'more matches')} are not drawn.`,
  };
}

/** How much past the rules about it rest on. `isReady` false: there is one, and it would have to be made first. */
export function historyParts(history: HuntResult['history'], isReady?: boolean): readonly Part[] {
  if (!history && isReady === false) {
    const words = 'the past of principals was not asked, it is not made yet. The worker makes it, or ';
    return [{ kind: 'lines', lines: [line(bold('Baselines: '), words, code('/ir hunt baselines'), '.')] }];
  }
  if (!history) return [];
  const { from, to, principals, judged, capped = 0, evicted = 0 } = history;
  const days = Math.floor((Date.parse(to) - Date.parse(from)) / 86_400_000);
  const span = from === '' ? 'no records' : `${count(days, 'day')} of records (${utc(from)} to ${utc(to)})`;
  const words = `${span}. Of ${count(principals, 'principal')}, ${judged} have the 14 days of history from which a first time counts; the others were judged by bursts and credentials only.`;
  const limits = [
    ...(capped === 0
      ? []
      : [`${count(capped, 'principal')} did more kinds of something than are kept: at least what is listed was new.`]),
    ...(evicted === 0 ? [] : [`${count(evicted, 'principal')} had no room and are not judged, or learn anew.`]),
  ];
  return [{ kind: 'lines', lines: [line(bold('Rests on: '), [words, ...limits].join(' '))] }];
}

/** Which rules a source was asked for and could tell by itself, which not, and what that cost. No parts where none was asked. */
export function askedParts(asked: RulesAsked | undefined): readonly Part[] {
  if (asked === undefined) return [];
  const { source, statements, rules, cost } = asked;
  const [whole, part, none] = (['whole', 'part', 'none'] as const).map((how) => rules.filter((one) => one.how === how));
  const words = [
    `${count(whole?.length ?? 0, 'rule')} narrowed in full`,
    `${part?.length ?? 0} in part (the rest of each was judged here)`,
    ...(none?.length ? [`${none.length} not asked`] : []),
  ];
  const lines: Part = {
    kind: 'lines',
    lines: [
      line(bold(`Asked of ${source}: `), `${words.join(', ')}, in ${count(statements, 'query', 'queries')}.`),
      line(bold('Cost: '), `before: ${cost.before}; after: ${cost.after}.`),
    ],
  };
  const told = [...(none ?? []), ...(part ?? [])];
  if (told.length === 0) return [lines];
  const items = told.slice(0, maxUnsupported).map(ruleAsked);
  if (told.length > maxUnsupported) items.push(line(`and ${told.length - maxUnsupported} more`));
  return [lines, { kind: 'list', items }];
}

function ruleAsked({ rule, how, because }: RuleInSource): Line {
  return line(code(rule), ` ${how === 'none' ? 'not asked' : 'narrowed in part'}: ${because.join('; ')}`);
}
