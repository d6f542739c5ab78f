/** The body of a pivot's report, and its pictures as data. */
import type { GraphPicture, PictureRequest } from '../contracts/investigation.ts';
import type { Line, Part } from '../contracts/message.ts';
import type { CreatedThing, PivotNode } from '../contracts/pivot.ts';
import { bold, code, count, line, span, text, utc } from './phrases.ts';
import { type Actor, labelOf } from './pivot-actors.ts';
import { sortOf, sortRank } from './pivot-created.ts';
import { accountsLetIn, sharedAddresses, sharedIdentities } from './pivot-shared.ts';
import { coreThings, deedsOf, mainThings, type Story, summary } from './pivot-story.ts';
import { timelineOf } from './pivot-timeline.ts';

const maxActors = 8;
const maxDeeds = 10;
const maxMade = 12;
const maxReasons = 8;

/** An access key of the identities and whether it can still be used, in words. */
export interface KeyState {
  readonly id: string;
  readonly user: string;
  readonly state: string;
}

/** The story, most important first. Headline and coverage are not in it. */
export function partsOf(story: Story, keys: readonly KeyState[]): readonly Part[] {
  const { graph, actors } = story;
  if (graph.records.length === 0) return [];
  const parts: Part[] = [];
  if (actors.length > 0) parts.push(actorTable(actors));
  const shared = [...sharedAddresses(story), ...sharedIdentities(story)];
  if (shared.length > 0)
    parts.push({ kind: 'lines', lines: shared.map((sentence) => line(bold('Shared: '), sentence)) });
  const letIn = accountsLetIn(story);
  if (letIn.length > 0) parts.push({ kind: 'lines', lines: letIn.map((sentence) => line(bold('Let in: '), sentence)) });
  const remade = graph.nodes.filter((node) => node.uniqueIds !== undefined);
  if (remade.length > 0) parts.push({ kind: 'lines', lines: remade.slice(0, 5).map(remadeLine) });
  parts.push(
    ...deedParts(story),
    ...madeParts(story),
    ...keyParts(keys),
    ...frontierParts(graph.nodes, graph.cutShort),
  );
  if (actors.length === 0) parts.push({ kind: 'lines', lines: [mentions(story)] });
  return parts;
}

/** A name that was deleted and made again is not one identity. */
function remadeLine({ id, uniqueIds = [] }: PivotNode): Line {
  const who = `${uniqueIds.length} different identities had this name one after the other: `;
  return line(bold(`${labelOf(id)}: `), who, code(uniqueIds.join(', ')));
}

function actorTable(actors: readonly Actor[]): Part {
  const rows = actors
    .slice(0, maxActors)
    .map((actor) => [
      `${actor.label}${actor.aside}`,
      few(actor.ips),
      few(actor.keys),
      actor.events.toLocaleString('en-US'),
      actor.firstSeen === '' ? '' : span(actor.firstSeen, actor.lastSeen),
    ]);
  if (actors.length > maxActors) rows.push([`and ${actors.length - maxActors} more`, '', '', '', '']);
  return { kind: 'table', columns: ['Who', 'From', 'With key', 'Calls', 'When'], rows };
}

function few(items: readonly string[]): string {
  if (items.length <= 2) return items.join(', ');
  return `${items[0]} and ${items.length - 1} more`;
}

function deedParts(story: Story): readonly Part[] {
  const deeds = deedsOf(story).filter(
    (deed) => (deed.weight > 1 || deed.isCore) && !isServiceName(deed.sighting.principal),
  );
  if (deeds.length === 0) return [];
  const items = deeds.slice(0, maxDeeds).map(({ sighting, times, who, aside }): Line => {
    const outcome =
      sighting.outcome === 'success'
        ? ''
        : ` (${sighting.outcome}${sighting.errorCode ? `: ${sighting.errorCode}` : ''})`;
    return line(
      bold(sighting.technique.join(', ')),
      ` ${who} ${sighting.outcome === 'success' ? '' : 'tried: '}${sighting.says}: `,
      code(sighting.eventName),
      `${times > 1 ? ` ×${times.toLocaleString('en-US')}` : ''}${outcome}, ${sighting.region}, ${utc(sighting.eventTime)}`,
      aside,
    );
  });
  const rest = deeds.slice(maxDeeds).reduce((sum, deed) => sum + deed.times, 0);
  if (rest > 0) items.push(line(`and ${count(rest, 'more known call')}`));
  return [
    { kind: 'header', text: 'What was done' },
    { kind: 'list', items },
  ];
}

function madeParts(story: Story): readonly Part[] {
  if (story.made.length === 0) return [];
  const isCoreThing = coreThings(story.actors);
  const ordered = story.made.toSorted(
    (a, b) => Number(isCoreThing(b)) - Number(isCoreThing(a)) || sortRank(a) - sortRank(b),
  );
  const shown = mainThings(ordered).slice(0, maxMade);
  const rows = shown.map((thing) => [
    thing.kind === 'resource' ? thing.id : labelOf(thing.id),
    sortOf(thing),
    stateWords(thing),
    labelOf(thing.createdBy),
    `${thing.region}, ${utc(thing.createdAt)}`,
  ]);
  const isShown = new Set(shown);
  const rest = ordered.filter((thing) => !isShown.has(thing));
  const parts: Part[] = [
    { kind: 'header', text: 'What was made' },
    { kind: 'table', columns: ['Thing', 'Kind', 'State', 'Made by', 'Where and when'], rows },
  ];
  const notes = [...new Set(shown.filter((thing) => thing.state === 'unknown').map((thing) => thing.because))];
  const lines = notes.slice(0, 3).map((note) => line(`State unknown: ${note}.`));
  if (rest.length > 0) lines.unshift(line(`And ${summary(rest)}; the JSON answer lists all.`));
  if (lines.length > 0) parts.push({ kind: 'context', lines });
  return parts;
}

function stateWords(thing: CreatedThing): string {
  return thing.state === 'unknown' ? 'unknown' : `${thing.state}: ${thing.because}`;
}

function keyParts(keys: readonly KeyState[]): readonly Part[] {
  if (keys.length === 0) return [];
  const items = keys.map((key) => line(code(key.id), ` of ${labelOf(key.user)}: ${key.state}`));
  return [
    { kind: 'header', text: 'Long-term keys' },
    { kind: 'list', items },
  ];
}

/** What was seen but not followed, by reason: the frontier. */
function frontierParts(nodes: readonly PivotNode[], cutShort: readonly string[]): readonly Part[] {
  const reasons = new Map<string, string[]>();
  for (const node of nodes) {
    if (node.notExpandedBecause === undefined) continue;
    reasons.set(node.notExpandedBecause, [...(reasons.get(node.notExpandedBecause) ?? []), node.id]);
  }
  const items = [...reasons].slice(0, maxReasons).map(([reason, ids]) => line(`${few(ids.map(labelOf))}: ${reason}`));
  if (reasons.size > maxReasons)
    items.push(line(`and ${count(reasons.size - maxReasons, 'more reason')}; the JSON answer has them`));
  for (const budget of cutShort) items.push([text(budget)]);
  return items.length === 0
    ? []
    : [
        { kind: 'header', text: 'Not followed' },
        { kind: 'list', items },
      ];
}

/** AWS services take roles all day long: the session that they hand over is the story, not they. */
function isServiceName(principal: string): boolean {
  return /^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$/.test(principal);
}

/** For a thing that nobody is tied to: who named it. */
function mentions(story: Story): Line {
  const names = new Map<string, number>();
  for (const record of story.graph.records) names.set(record.eventName, (names.get(record.eventName) ?? 0) + 1);
  const top = [...names].sort((a, b) => b[1] - a[1]).slice(0, 5);
  return line(`Named by ${top.map(([name, n]) => `${name} (${n})`).join(', ')}.`);
}

/** Graph and timeline. Folding what does not fit on a picture is the drawer's part. */
export function picturesOf(story: Story): readonly PictureRequest[] {
  const { graph, seed } = story;
  if (graph.nodes.length < 2) return [];
  const alive = new Set(story.made.filter((thing) => thing.state === 'alive').map((thing) => thing.id));
  const nodes = graph.nodes.map((node): GraphPicture['nodes'][number] => {
    const mark =
      node.id === seed.id
        ? 'seed'
        : alive.has(node.id)
          ? 'alive'
          : node.notExpandedBecause
            ? 'not-followed'
            : undefined;
    return {
      id: node.id,
      kind: node.kind,
      label: labelOf(node.id),
      detail: count(node.events, 'event'),
      ...(mark ? { mark } : {}),
    } as const;
  });
  const edges = graph.edges.map((edge) => ({ from: edge.from, to: edge.to, label: edge.kind }));
  const pictures: PictureRequest[] = [
    {
      kind: 'graph',
      title: `Pivot from ${labelOf(seed.id)}`,
      graph: {
        nodes,
        edges,
        footnote: `${count(graph.nodes.length, 'node')}, ${count(graph.records.length, 'record')}`,
      },
    },
  ];
  const timeline = timelineOf(story);
  if (timeline !== undefined) pictures.push({ kind: 'timeline', title: `Timeline of ${labelOf(seed.id)}`, timeline });
  return pictures;
}
