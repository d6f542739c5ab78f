/**
 * Matches become stories: what one principal does in one account is one case, however many events and rules it has. A story
 * is told again when there is something new in it, not for every event.
 */
import type { Alert } from '../../contracts/alert.ts';
import type { StreamChapter, StreamDeed, StreamStory } from '../../contracts/stream.ts';
import { partitionOfRegion } from '../partition.ts';
import { parseArn } from '../principal.ts';
import { type Level, levels, type RuleHead } from '../sigma/tree.ts';

export type RuleFacts = Pick<
  RuleHead,
  'name' | 'title' | 'description' | 'level' | 'technique' | 'tactic' | 'falsepositives'
>;

/** After so long a silence, or at such a length, a new story begins. */
const silenceMs = 24 * 3_600_000;
const longestMs = 7 * 24 * 3_600_000;
const keptIds = 5;
const keptIps = 50;
const shownRules = 6;

/** GuardDuty's scale. */
const severities: Readonly<Record<Level, number>> = { informational: 1, low: 2, medium: 5, high: 8, critical: 9.5 };

interface Telling {
  readonly facts: ReadonlyMap<string, RuleFacts>;
  storiesOf(accountId: string, principal: string): Promise<readonly StreamStory[]>;
  newId(): string;
  readonly now: string;
}

export interface Told {
  readonly stories: readonly StreamStory[];
  readonly alerts: readonly { readonly deliveryKey: string; readonly alert: Alert; readonly raw: unknown }[];
}

/** Adds the deeds to their stories, and tells those that have something new. */
export async function tell(deeds: readonly StreamDeed[], telling: Telling): Promise<Told> {
  const stories: StreamStory[] = [];
  const alerts: Told['alerts'][number][] = [];
  const known = deeds.filter((deed) => telling.facts.has(deed.rule));
  for (const own of Map.groupBy(known, whose).values()) {
    const [first] = own;
    if (!first) continue;
    const open = [...(await telling.storiesOf(first.accountId, first.principal))];
    const changed = new Set<string>();
    for (const deed of own.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at))) {
      const at = open.findIndex((story) => belongs(story, Date.parse(deed.at)));
      const story = grown(open[at] ?? begun(deed, telling.newId()), deed);
      if (at < 0) open.push(story);
      else open[at] = story;
      changed.add(story.id);
    }
    for (const story of open.filter(({ id }) => changed.has(id))) {
      const state = stateOf(story, telling.facts);
      const { told } = story;
      const isNews =
        state.level > told.level ||
        state.chapters > told.chapters ||
        state.matches >= told.matches * 2 ||
        hasNewBurst(story, own);
      stories.push(isNews ? { ...story, told: state } : story);
      if (isNews) alerts.push(alertOf(story, state.matches, telling));
    }
  }
  return { stories, alerts };
}

function whose({ accountId, principal }: StreamDeed): string {
  return JSON.stringify([accountId, principal]);
}

function belongs({ first, last }: StreamStory, at: number): boolean {
  return at >= first - silenceMs && at <= last + silenceMs && Math.max(last, at) - Math.min(first, at) <= longestMs;
}

function begun({ accountId, principal, at }: StreamDeed, id: string): StreamStory {
  const time = Date.parse(at);
  const told = { matches: 0, chapters: 0, level: -1 };
  return { id, accountId, principal, first: time, last: time, chapters: [], ips: [], told };
}

function grown(story: StreamStory, deed: StreamDeed): StreamStory {
  const time = Date.parse(deed.at);
  const known = story.chapters.find((chapter) => chapter.rule === deed.rule);
  const chapter = withDeed(known, deed);
  return {
    ...story,
    first: Math.min(story.first, time),
    last: Math.max(story.last, time),
    chapters: known ? story.chapters.map((one) => (one === known ? chapter : one)) : [...story.chapters, chapter],
    ips: deed.ip === '' || story.ips.includes(deed.ip) ? story.ips : [...story.ips, deed.ip].slice(0, keptIps),
  };
}

function withDeed(known: StreamChapter | undefined, deed: StreamDeed): StreamChapter {
  const bursts = { ...known?.bursts, ...(deed.burst ? { [deed.burst.id]: deed.burst.count } : {}) };
  // A burst that grows is the same match.
  const isSame = deed.burst !== undefined && known?.bursts[deed.burst.id] !== undefined;
  const isEarlier = known === undefined || deed.at < known.first;
  const isLater = known === undefined || deed.at > known.last;
  return {
    rule: deed.rule,
    matches: (known?.matches ?? 0) + (isSame ? 0 : 1),
    first: isEarlier ? deed.at : known.first,
    last: isLater ? deed.at : known.last,
    eventIds: [...(known?.eventIds ?? []), deed.eventId].slice(0, keptIds),
    deed: isLater || isSame ? deed : (known?.deed ?? deed),
    bursts,
  };
}

function hasNewBurst(story: StreamStory, deeds: readonly StreamDeed[]): boolean {
  return deeds.some(({ burst, rule }) => {
    return (
      burst !== undefined && story.chapters.some((one) => one.rule === rule && one.bursts[burst.id] === burst.count)
    );
  });
}

function stateOf(story: StreamStory, facts: Telling['facts']): StreamStory['told'] {
  return {
    matches: story.chapters.reduce((sum, { matches }) => sum + matches, 0),
    chapters: story.chapters.length,
    level: Math.max(...story.chapters.map(({ rule }) => levels.indexOf(facts.get(rule)?.level ?? 'informational'))),
  };
}

function alertOf(story: StreamStory, matches: number, { facts, now, newId }: Telling): Told['alerts'][number] {
  const ranked = story.chapters
    .flatMap((chapter) => {
      const rule = facts.get(chapter.rule);
      return rule ? [{ chapter, rule }] : [];
    })
    .sort(
      (a, b) =>
        levels.indexOf(b.rule.level) - levels.indexOf(a.rule.level) || (a.chapter.first < b.chapter.first ? -1 : 1),
    );
  const [gravest] = ranked;
  if (!gravest) throw new Error('a story without chapters was told');
  const { rule, chapter } = gravest;
  const { deed } = chapter;
  const tactics = [...new Set(ranked.flatMap((one) => one.rule.tactic))];
  const techniques = [...new Set(ranked.flatMap((one) => one.rule.technique))];
  // The deed of a burst is its last event. Deeds of earlier versions do not say when theirs began.
  const bursts = ranked.flatMap((one) => one.chapter.deed.burst?.first ?? []);
  const keys = [...new Set(ranked.flatMap((one) => one.chapter.deed.actor.accessKeyId ?? []))];
  const alert: Alert = {
    source: 'detection',
    dedupeKey: `detection-${story.id}`,
    // The last event's time would not tell a late event's news from what was told before.
    updatedAt: now,
    count: matches,
    findingId: deed.eventId,
    type: rule.name,
    severity: severities[rule.level],
    title: rule.title,
    description: rule.description,
    partition: parseArn(story.principal)?.partition ?? partitionOfRegion(deed.region),
    accountId: story.accountId,
    region: deed.region,
    resource: { type: '' },
    resourceIds: [],
    actor: deed.actor,
    ...(keys.length > 0 ? { accessKeys: keys } : {}),
    remote: story.ips.map((ip) => ({ ip })),
    api: deed.api,
    ...(Object.keys(chapter.bursts).length === 0 ? { actionType: 'AWS_API_CALL' } : {}),
    facts: [
      ...ranked.slice(0, shownRules).map((one) => ({ label: 'Rule', value: ruleWords(one.rule, one.chapter) })),
      ...restsOf(ranked.map((one) => one.chapter)),
      ...(ranked.length > shownRules ? [{ label: 'More rules', value: String(ranked.length - shownRules) }] : []),
      ...(tactics.length > 0 ? [{ label: 'Tactic', value: tactics.join(', ') }] : []),
      ...(techniques.length > 0 ? [{ label: 'Technique', value: techniques.slice(0, 8).join(', ') }] : []),
      { label: 'Events', value: chapter.eventIds.join(', ') },
      ...(rule.falsepositives.length > 0 ? [{ label: 'Harmless if', value: rule.falsepositives.join(' ') }] : []),
    ],
    firstSeen: new Date(Math.min(story.first, ...bursts)).toISOString(),
    lastSeen: new Date(story.last).toISOString(),
    sample: false,
    archived: false,
    notes: [],
  };
  return { deliveryKey: `detection-${newId()}`, alert, raw: { story } };
}

/** How much of the past the rules about it rest on. */
function restsOf(chapters: readonly StreamChapter[]): NonNullable<Alert['facts']> {
  const notes = [...new Set(chapters.flatMap(({ deed }) => deed.note ?? []))];
  return notes.slice(0, shownRules).map((value) => ({ label: 'Rests on', value }));
}

function ruleWords({ name, level, title }: RuleFacts, { matches, bursts }: StreamChapter): string {
  const most = Math.max(0, ...Object.values(bursts));
  const times = most > 0 ? `, ${most} counted` : matches > 1 ? `, ${matches.toLocaleString('en-US')} times` : '';
  return `${level}: ${title} (${name})${times}`;
}
