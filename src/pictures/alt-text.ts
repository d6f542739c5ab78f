/** What a picture shows, in sentences, for those who do not see it (DOMAIN.md 1.17). */
import type { GraphPicture, PictureRequest, TimelinePicture } from '../contracts/investigation.ts';
import { inert } from '../domain/inert.ts';
import { lookOf } from './kinds.ts';
import { counted } from './text.ts';
import { utcMinute } from './time-axis.ts';
import { lanesOf } from './timeline-groups.ts';

/** Slack takes at most 1,000 characters. */
const maxCharacters = 1000;
const maxName = 90;
const maxListed = 4;

export function altTextOf(request: PictureRequest): string {
  const words = request.kind === 'graph' ? graphWords(request.graph) : timelineWords(request.timeline);
  const text = [`${inert(request.title, 200)}.`, ...words].join(' ');
  return text.length <= maxCharacters ? text : `${text.slice(0, maxCharacters - 1).toWellFormed()}…`;
}

function graphWords(graph: GraphPicture): readonly string[] {
  if (graph.nodes.length === 0) return ['An empty graph: the answer has no nodes.'];
  const kinds = new Map<string, { one: string; many: string; count: number }>();
  for (const node of graph.nodes) {
    const look = lookOf(node.kind, node.id);
    const [one, many] = [midSentence(look.name), midSentence(look.many)];
    kinds.set(one, { one, many, count: (kinds.get(one)?.count ?? 0) + 1 });
  }
  const what = [...kinds.values()].map(({ one, many, count }) => counted(count, one, many));
  const marked = (mark: string): readonly string[] =>
    graph.nodes.filter((node) => node.mark === mark).map((node) => nameOf(node));
  const seeds = marked('seed');
  const alive = marked('alive');
  const left = marked('not-followed');
  return [
    `A graph of ${counted(graph.nodes.length, 'node')} and ${counted(graph.edges.length, 'link')}: ${what.join(', ')}.`,
    ...(seeds.length > 0 ? [`It starts at ${listed(seeds)}.`] : []),
    ...(alive.length > 0 ? [`Still alive: ${listed(alive)}.`] : []),
    ...(left.length > 0 ? [`Not followed further: ${listed(left)}.`] : []),
  ];
}

function nameOf(node: GraphPicture['nodes'][number]): string {
  return `${midSentence(lookOf(node.kind, node.id).name)} ${inert(node.label, maxName)}`;
}

/** "Role session" becomes "role session"; IAM, IP, EC2 and AWS stay. */
function midSentence(name: string): string {
  return /^[A-Z][a-z]/.test(name) ? name.charAt(0).toLowerCase() + name.slice(1) : name;
}

function timelineWords(timeline: TimelinePicture): readonly string[] {
  const { lanes, identities } = lanesOf(timeline);
  const events = lanes.flatMap((lane) => lane.events).toSorted((a, b) => a.time - b.time);
  const [first, last] = [events[0], events.at(-1)];
  if (first === undefined || last === undefined) return ['An empty timeline: no events.'];
  const failed = events.filter((event) => event.failed).length;
  const who = lanes.map((lane) => `${inert(lane.label, maxName)} (${counted(lane.events.length, 'event')})`);
  const tactics = new Map<string, number>();
  for (const { tactic } of events) tactics.set(tactic.name, (tactics.get(tactic.name) ?? 0) + 1);
  const told = [...tactics].toSorted((a, b) => b[1] - a[1]).map(([name, count]) => `${name} ${count}`);
  return [
    `A timeline of ${counted(events.length, 'event')} by ${counted(identities, 'identity', 'identities')}, from ${utcMinute(first.time)} to ${utcMinute(last.time)} UTC; ${failed === 0 ? 'no call' : counted(failed, 'call')} failed.`,
    `Who: ${listed(who)}.`,
    `Tactics by number of events: ${told.slice(0, 8).join(', ')}.`,
  ];
}

function listed(names: readonly string[]): string {
  const more = names.length - maxListed;
  return names.slice(0, maxListed).join(', ') + (more > 0 ? ` and ${more.toLocaleString('en-US')} more` : '');
}
