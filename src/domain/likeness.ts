/**
 * Who else used an address, the most like the actor first: behind a hub there may be an accomplice or a second victim.
 * Likeness is no verdict; it says whom to look at first.
 */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import type { AddressUse, AddressUser } from '../contracts/evidence.ts';
import type { Part } from '../contracts/message.ts';
import type { Neighbour } from '../contracts/pivot.ts';
import { callOf, slotOf } from './address-use.ts';
import { count, line } from './phrases.ts';
import { labelOf } from './pivot-actors.ts';
import type { Story } from './pivot-story.ts';
import { isPrincipal, principalGroup, principalOf } from './principal.ts';
import { agentFamily } from './use.ts';

/** Agents tell most: the same tool in the same version; kinds of calls least: everybody lists instances. */
const weights = { agent: 0.4, minutes: 0.35, calls: 0.25 };

interface Habits {
  readonly agents: ReadonlySet<string>;
  readonly families: ReadonlySet<string>;
  readonly minutes: ReadonlySet<number>;
  readonly calls: ReadonlySet<string>;
}

/**
 * `use` is all that was done from the address; `actors` tells the groups of the story itself, whose own calls (from wherever)
 * are `own`. Other users, most alike first, then the busiest.
 */
function neighboursOf(
  ip: string,
  use: AddressUse,
  own: readonly CloudTrailRecord[],
  isActor: (group: string) => boolean,
  isFollowed: (group: string) => boolean,
): readonly Neighbour[] {
  const habits = habitsOf({
    agents: new Set(own.map(({ userAgent }) => userAgent)),
    slots: new Set(own.map(slotOf)),
    calls: new Set(own.map(callOf)),
  });
  const others = use.users.filter(({ kind, principal }) => isPrincipal(kind) && !isActor(principal));
  return [...Map.groupBy(others, ({ principal }) => principal)]
    .map(([principal, of]): Neighbour => {
      const events = of.reduce((sum, user) => sum + user.events, 0);
      const alike = compareHabits(habitsOf(together(of)), habits);
      return { ip, principal, events, followed: isFollowed(principal), ...alike };
    })
    .sort((a, b) => b.likeness - a.likeness || b.events - a.events || (a.principal < b.principal ? -1 : 1));
}

type Seen = Pick<AddressUser, 'agents' | 'slots' | 'calls'>;

function together(users: readonly Seen[]): Seen {
  return {
    agents: new Set(users.flatMap(({ agents }) => [...agents])),
    slots: new Set(users.flatMap(({ slots }) => [...slots])),
    calls: new Set(users.flatMap(({ calls }) => [...calls])),
  };
}

function habitsOf({ agents, slots, calls }: Seen): Habits {
  return {
    agents: new Set([...agents].filter(Boolean)),
    families: new Set([...agents].map(agentFamily)),
    minutes: slots,
    calls,
  };
}

function compareHabits(of: Habits, own: Habits): Pick<Neighbour, 'likeness' | 'because'> {
  const sameAgent = overlap(of.agents, own.agents) > 0;
  const agent = sameAgent ? 1 : overlap(of.families, own.families) > 0 ? 0.6 : 0;
  // A slot of ten minutes counts where one of the actor is next to it.
  const near = [...of.minutes].filter(
    (slot) => own.minutes.has(slot) || own.minutes.has(slot - 1) || own.minutes.has(slot + 1),
  );
  const minutes = own.minutes.size === 0 ? 0 : Math.min(1, near.length / own.minutes.size);
  const shared = overlap(of.calls, own.calls);
  const calls = own.calls.size === 0 ? 0 : shared / own.calls.size;
  const likeness = weights.agent * agent + weights.minutes * minutes + weights.calls * calls;
  const because = [
    agent === 1 ? 'same user agent' : agent > 0 ? 'same tool and version' : 'other user agent',
    near.length > 0 ? 'in the same minutes' : 'at other times',
    `${shared} of ${count(own.calls.size, 'kind')} of call`,
  ].join(', ');
  return { likeness: Math.round(likeness * 100) / 100, because };
}

function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0;
  for (const item of a) if (b.has(item)) shared += 1;
  return shared;
}

const maxNeighbours = 50;

/** Who else used the addresses of the story's own actors. */
export function neighboursIn({ graph, actors }: Story): readonly Neighbour[] {
  const core = new Map(actors.filter((actor) => actor.isCore).map((actor) => [actor.group, actor]));
  const own = graph.records.filter((record) => core.has(groupOf(record)));
  const addresses = new Set([...core.values()].flatMap(({ ips }) => ips));
  const followed = new Set(actors.filter(({ nodes }) => nodes.some((node) => node.expanded)).map(({ group }) => group));
  return [...addresses].flatMap((ip) =>
    neighboursOf(
      ip,
      graph.onAddress.get(ip) ?? { events: 0, users: [] },
      own,
      (group) => core.has(group),
      (group) => followed.has(group),
    ).slice(0, maxNeighbours),
  );
}

function groupOf(record: CloudTrailRecord): string {
  const principal = principalOf(record);
  return principal ? principalGroup(principal) : '';
}

const shownAddresses = 3;
const shownNeighbours = 5;

/** For each address its other users, numbered, so that a button can name one by its number. */
export function neighbourParts(neighbours: readonly Neighbour[]): readonly Part[] {
  const byAddress = Map.groupBy(neighbours, ({ ip }) => ip);
  return [...byAddress].slice(0, shownAddresses).flatMap(([ip, of]): Part[] => {
    const items = of
      .slice(0, shownNeighbours)
      .map(({ principal, likeness, because, events, followed }) =>
        line(
          `${labelOf(principal)}: likeness ${likeness.toFixed(2)} (${because}), ${count(events, 'event')}${followed ? ', followed' : ', not followed'}`,
        ),
      );
    const open = of.filter(({ followed }) => !followed).length;
    const lines = [
      ...(of.length > shownNeighbours
        ? [line(`And ${of.length - shownNeighbours} more; the JSON answer lists them.`)]
        : []),
      ...(open > 0
        ? [line(`${count(open, 'user')} of this address not followed: the scope stays open until each is judged.`)]
        : []),
    ];
    return [
      { kind: 'header', text: `Other users of ${ip}, most like the actor first` },
      { kind: 'list', ordered: true, items },
      ...(lines.length > 0 ? [{ kind: 'context', lines } satisfies Part] : []),
    ];
  });
}

/** What a click may follow, the most alike first. Labels hold numbers and addresses only, never a name from outside. */
export function expansionsOf(neighbours: readonly Neighbour[]): readonly { id: string; label: string }[] {
  const numbered = [...Map.groupBy(neighbours, ({ ip }) => ip)]
    .slice(0, shownAddresses)
    .flatMap(([ip, of]) =>
      of.slice(0, shownNeighbours).map((one, index) => ({ ...one, label: labelFor(index + 1, ip) })),
    );
  return numbered
    .filter(({ followed }) => !followed)
    .sort((a, b) => b.likeness - a.likeness)
    .map(({ principal, label }) => ({ id: principal, label }));
}

/** A button shows about 30 characters, fewer than an IPv6 address may take. */
function labelFor(number: number, ip: string): string {
  const label = `Follow no. ${number} of ${ip}`;
  return label.length <= 30 ? label : `Follow no. ${number}`;
}
