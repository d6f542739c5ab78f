/** The sentences of a pivot: the headline, what was done. Plain text; rendering makes it inert. */
import type { Artifact } from '../contracts/artifact.ts';
import type { CreatedThing, PivotEdge, Sighting } from '../contracts/pivot.ts';
import { sameThing } from './acting.ts';
import { count, upperFirst } from './phrases.ts';
import { type Actor, actorFinder, labelOf } from './pivot-actors.ts';
import { isPart, sortOf, sortRank } from './pivot-created.ts';
import type { PivotGraph } from './pivot-engine.ts';
import type { Ranked } from './sightings.ts';

export interface Story {
  readonly seed: Artifact;
  readonly takenFor: string;
  readonly graph: PivotGraph;
  readonly actors: readonly Actor[];
  readonly made: readonly CreatedThing[];
  readonly sightings: readonly Ranked[];
  readonly complete: boolean;
}

/** One sentence: who did what from where, how much was made, what of it lives. Never says that anything is clean. */
export function headlineOf(story: Story): string {
  const { graph, seed } = story;
  const unfinished = story.complete ? '' : ', and not everything could be looked at';
  if (graph.records.length === 0) return `Nothing found for ${seed.id} in what was looked at${unfinished}.`;
  if (seed.kind === 'account') {
    const [busiest] = story.actors.toSorted((a, b) => b.events - a.events);
    const top = busiest ? `; the busiest is ${busiest.label} (${count(busiest.events, 'call')})` : '';
    return `${count(story.actors.length, 'identity', 'identities')} acted in account ${seed.id}${top}${unfinished}.`;
  }
  const core = story.actors.filter((actor) => actor.isCore && actor.events > 0);
  const main = mainActor(core, story);
  const changers = [...new Set(graph.edges.flatMap((edge) => (isChange(edge, seed.id) ? [edge.from] : [])))];
  if (!main && changers[0] !== undefined) {
    const more = changers.length > 1 ? ` and ${count(changers.length - 1, 'more identity', 'more identities')}` : '';
    return `${seed.id} was changed or deleted by ${labelOf(changers[0])}${more}; who made it is not in what was looked at${unfinished}.`;
  }
  if (!main)
    return `${seed.id} is in ${count(graph.records.length, 'record')}, but no identity is tied to it by more than a mention${unfinished}.`;
  const others = core.length - 1;
  const who =
    others === 0 ? main.label : `${main.label} and ${others === 1 ? '1 more identity' : `${others} more identities`}`;
  const ips = [...new Set([main, ...core].flatMap((actor) => actor.ips))];
  const where =
    ips.length === 0
      ? ''
      : ` from ${ips[0]}${ips.length > 1 ? ` and ${count(ips.length - 1, 'more address', 'more addresses')}` : ''}`;
  const calls = core.reduce((sum, actor) => sum + actor.events, 0);
  const isCoreThing = coreThings(story.actors);
  const made = mainThings(story.made.filter(isCoreThing));
  const makings = made.length === 0 ? '' : ` and created ${summary(made)}; ${aliveWords(made)}`;
  return `${upperFirst(who)} made ${count(calls, 'call')}${where}${makings}${unfinished}.`;
}

function isChange({ kind, to }: PivotEdge, id: string): boolean {
  return (kind === 'changed' || kind === 'deleted') && sameThing(to, id);
}

/** The seed itself where it acts, or whoever acted with it where it is a key; else the one that made most, then did the most telling things, then the busiest. */
function mainActor(core: readonly Actor[], story: Story): Actor | undefined {
  const scores = new Map<string, number>();
  for (const { createdBy } of story.made) scores.set(createdBy, (scores.get(createdBy) ?? 0) + 1_000);
  for (const { sighting, weight } of story.sightings) {
    const had = scores.get(sighting.principal) ?? 0;
    scores.set(sighting.principal, had - (had % 10) + Math.max(had % 10, weight));
  }
  const score = (actor: Actor) => {
    const isSeed = actor.nodes.some((node) => node.depth === 0) || actor.keys.includes(story.seed.id);
    return actor.nodes.reduce((sum, node) => sum + (scores.get(node.id) ?? 0), isSeed ? 1e12 : 0);
  };
  return core.toSorted((a, b) => score(b) - score(a) || b.events - a.events)[0];
}

/** Without the disks and network interfaces that come with instances, unless there is nothing else. */
export function mainThings(made: readonly CreatedThing[]): readonly CreatedThing[] {
  const main = made.filter((thing) => !isPart(thing));
  return main.length > 0 ? main : made;
}

/** Tells what the identities of the story made from what their neighbours made. */
export function coreThings(actors: readonly Actor[]): (thing: Pick<CreatedThing, 'createdBy'>) => boolean {
  const ids = new Set(actors.filter((actor) => actor.isCore).flatMap((actor) => actor.nodes.map((node) => node.id)));
  return (thing) => ids.has(thing.createdBy);
}

/** `10 instances, 1 access key and 3 other resources`. */
export function summary(things: readonly CreatedThing[]): string {
  const bySort = new Map<string, CreatedThing[]>();
  for (const thing of things) {
    const alike = bySort.get(sortOf(thing));
    if (alike) alike.push(thing);
    else bySort.set(sortOf(thing), [thing]);
  }
  const ordered = [...bySort].sort(
    ([, a], [, b]) => (a[0] && b[0] ? sortRank(a[0]) - sortRank(b[0]) : 0) || b.length - a.length,
  );
  const named = ordered.slice(0, 3).map(([sort, items]) => count(items.length, sort, plural(sort)));
  const rest = ordered.slice(3).reduce((sum, [, items]) => sum + items.length, 0);
  if (rest > 0) named.push(count(rest, 'other thing'));
  const last = named.pop() ?? '';
  return named.length === 0 ? last : `${named.join(', ')} and ${last}`;
}

function plural(sort: string): string {
  return sort.endsWith('y') && !sort.endsWith('key') ? `${sort.slice(0, -1)}ies` : `${sort}s`;
}

function aliveWords(made: readonly CreatedThing[]): string {
  const alive = made.filter((thing) => thing.state === 'alive').length;
  const gone = made.filter((thing) => thing.state === 'gone').length;
  const unknown = made.length - alive - gone;
  if (unknown === made.length) return `whether ${made.length === 1 ? 'it is' : 'they are'} still alive is unknown`;
  if (alive === made.length) return alive === 1 ? 'it is still alive' : `all ${alive} are still alive`;
  const words = [
    alive > 0 ? `${alive} still alive` : '',
    gone > 0 ? `${gone} gone` : '',
    unknown > 0 ? `${unknown} unknown` : '',
  ];
  return words.filter(Boolean).join(', ');
}

export interface Deed {
  readonly sighting: Sighting;
  readonly times: number;
  readonly isCore: boolean;
  readonly aside: string;
  readonly weight: number;
  readonly who: string;
}

/** Sightings of one kind by one identity as one line, most telling first. */
export function deedsOf(story: Story): readonly Deed[] {
  const find = actorFinder(story.actors);
  const deeds = new Map<string, Deed>();
  for (const { sighting, weight } of story.sightings) {
    const actor = find(sighting.principal, sighting.eventTime);
    const who = actor?.label ?? labelOf(sighting.principal || 'an unnamed caller');
    const key = [who, sighting.eventSource, sighting.eventName, sighting.outcome, sighting.says].join('\n');
    const had = deeds.get(key);
    deeds.set(
      key,
      had
        ? { ...had, times: had.times + 1 }
        : { sighting, times: 1, isCore: actor?.isCore ?? false, aside: actor?.aside ?? '', weight, who },
    );
  }
  const score = (deed: Deed) => deed.weight * (deed.sighting.outcome === 'success' ? 2 : 1);
  return [...deeds.values()].sort((a, b) => Number(b.isCore) - Number(a.isCore) || score(b) - score(a));
}
