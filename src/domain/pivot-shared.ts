/**
 * What the actors of a story share with others: addresses, roles, names, users of somebody else. Said so that nobody blocks or
 * blames in haste: likely innocent use is never called the actors' (DOMAIN.md 3.4, shared IP trap).
 */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { parseIp } from './address.ts';
import { eventsByUser } from './address-use.ts';
import { linksOf } from './links.ts';
import { count, utc } from './phrases.ts';
import { type Actor, actorFinder, labelOf, sameRole } from './pivot-actors.ts';
import { circlesOf } from './pivot-core.ts';
import type { Story } from './pivot-story.ts';
import { principalOf } from './principal.ts';

/** For every address that unrelated principals share: who else is on it, so that nobody blocks it in haste. */
export function sharedAddresses({ graph, actors }: Pick<Story, 'graph' | 'actors'>): readonly string[] {
  const core = new Set(actors.filter((actor) => actor.isCore).map((actor) => actor.group));
  const circleOf = circlesOf(graph);
  const circles = new Map(
    actors.flatMap((actor) => actor.nodes.slice(0, 1).map(({ id }) => [actor.group, circleOf(id)])),
  );
  const coreIps = new Set(actors.flatMap(({ isCore, ips }) => (isCore ? ips : [])));
  return graph.nodes
    .filter((node) => node.kind === 'ip' && coreIps.has(node.id))
    .flatMap((node) => {
      const use = graph.onAddress.get(node.id);
      const users = [...(use ? eventsByUser(use) : [])].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
      // Sessions of an actor's role that are not the actor's: the sum of the address counts them with his.
      const others = actors
        .filter(({ isCore, group, ips }) => !isCore && core.has(group) && ips.includes(node.id))
        .map(({ label, events }) => [label, events] as const);
      if (users.length + others.length < 2) return [];
      const strangers = [...users.filter(([id]) => !core.has(id)), ...others];
      // Whoever came to the same address by the same chain of sessions shares it with himself.
      const isMixed = new Set(users.map(([id]) => circles.get(id) ?? id)).size > 1;
      if (strangers.length === 0 && !isMixed) return [];
      const told = strangers.length > 0 ? strangers : users;
      const also =
        strangers.length > 0 && strangers.length < users.length + others.length ? 'was also used by' : 'was used by';
      return [`${node.id} ${also} ${named(told)}: shared address, do not block it.`];
    });
}

function named(users: readonly (readonly [string, number])[]): string {
  const words = users.slice(0, 3).map(([id, n]) => `${labelOf(id)} (${count(n, 'event')})`);
  const more = users.length - words.length;
  return `${words.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

const maxLines = 5;

/** For every identity of the story that others use too, or that its owner used before: what of it is likely not the actors' doing. */
export function sharedIdentities(story: Story): readonly string[] {
  const lines = [...sharedRoles(story), ...usedBefore(story)];
  const more = lines.length - maxLines;
  return more > 0 ? [...lines.slice(0, maxLines), `and ${count(more, 'more identity', 'more identities')}.`] : lines;
}

/** Sessions of a role of the story that nothing but the role ties to it. */
function sharedRoles({ actors }: Story): readonly string[] {
  return actors
    .filter(({ aside, events }) => aside === sameRole && events > 0)
    .map(
      ({ group, nodes, events, ips }) =>
        `${labelOf(group)} was also used by ${few(nodes.map(({ id }) => labelOf(id)))} (${count(events, 'call')}${fromOf(ips)}): nothing but the role ties that use to this story.`,
    );
}

/** Users that somebody of the story changed, or that used the address asked for: what they did before that is likely their owner's. */
function usedBefore({ graph, actors, seed }: Story): readonly string[] {
  const find = actorFinder(actors);
  const records = Map.groupBy(graph.records, (record) => find(principalOf(record)?.id ?? '', record.eventTime));
  const touched = new Map<Actor, { at: string; how: string }>();
  const made = new Set(graph.edges.flatMap(({ kind, to }) => (kind === 'created' ? [to] : [])));
  for (const record of graph.records) {
    const by = find(principalOf(record)?.id ?? '', record.eventTime);
    if (!by?.isCore) continue;
    if (seed.kind === 'ip' && parseIp(record.sourceIPAddress) === seed.id && !touched.has(by)) {
      touched.set(by, { at: record.eventTime, how: `first used ${seed.id}` });
    }
    for (const { kind, to } of linksOf(record).edges) {
      const other = kind === 'changed' ? find(to, record.eventTime) : undefined;
      if (!other?.isCore || other === by || touched.has(other)) continue;
      touched.set(other, { at: record.eventTime, how: `was changed by ${by.label}` });
    }
  }
  return actors.flatMap((actor) => {
    const { at, how } = touched.get(actor) ?? {};
    const { kind, to } = actor.via ?? {};
    const isByOthers = kind === 'changed' || kind === 'used-ip' || (kind === 'used-key' && made.has(to ?? ''));
    const isOwn = actor.nodes.some((node) => node.kind !== 'user' || made.has(node.id));
    if (at === undefined || !isByOthers || isOwn) return [];
    const before = (records.get(actor) ?? []).filter(({ eventTime }) => Date.parse(eventTime) < Date.parse(at));
    if (before.length === 0) return [];
    return [
      `${actor.label} made ${count(before.length, 'call')}${fromOf(addressesOf(before))} before it ${how} (${utc(at)}): that may be its owner's own use.`,
    ];
  });
}

function addressesOf(records: readonly CloudTrailRecord[]): readonly string[] {
  return [...new Set(records.flatMap((record) => parseIp(record.sourceIPAddress) ?? []))];
}

function fromOf(ips: readonly string[]): string {
  return ips.length === 0 ? '' : ` from ${few(ips)}`;
}

function few(items: readonly string[]): string {
  return items.length <= 2 ? items.join(' and ') : `${items[0]} and ${items.length - 1} more`;
}

/** Other accounts that the identities of the story let in, or that anybody let into what was asked for, with what let them in. */
export function accountsLetIn({ graph, actors, seed }: Story): readonly string[] {
  const find = actorFinder(actors);
  const lines = new Set<string>();
  for (const record of graph.records) {
    const by = find(principalOf(record)?.id ?? '', record.eventTime);
    const { edges } = linksOf(record);
    if (!by || !(by.isCore || edges.some(({ kind, to }) => kind === 'changed' && to === seed.id))) continue;
    const accounts = edges.filter(({ kind, to }) => kind === 'changed' && /^\d{12}$/.test(to)).map(({ to }) => to);
    if (accounts.length === 0) continue;
    const [thing] = edges.filter(({ kind, to }) => /^(changed|created)$/.test(kind) && !accounts.includes(to));
    lines.add(
      `account ${few(accounts)} into ${thing ? labelOf(thing.to) : 'something'}, by ${by.label} (${record.eventName}).`,
    );
  }
  return [...lines].slice(0, maxLines);
}
