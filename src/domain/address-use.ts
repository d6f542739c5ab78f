/** Who used an address and how, summed up: enough to tell a hub and to compare its users, without keeping their records. */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import type { AddressUse, AddressUser } from '../contracts/evidence.ts';
import { parseIp } from './address.ts';
import { parseArn, principalGroup, principalOf } from './principal.ts';

/** Two calls are near each other when they lie in the same or in neighbouring slots of this length. */
export const slotMs = 10 * 60_000;

interface Gathered {
  readonly kind: AddressUser['kind'];
  readonly principal: string;
  events: number;
  readonly agents: Set<string>;
  readonly slots: Set<number>;
  readonly calls: Set<string>;
}

/** Calls of one principal from the address; `who` is any one record of them. */
export interface Calls {
  readonly who: CloudTrailRecord;
  readonly events: number;
  /** ISO 8601 UTC. */
  readonly first: string;
  readonly last: string;
  readonly agents: Iterable<string>;
  readonly slots: Iterable<number>;
  /** `ec2.amazonaws.com:RunInstances`. */
  readonly calls: Iterable<string>;
}

/** Adds calls up; the order in which they come does not matter. */
export class AddressBook {
  readonly #ip: string;
  readonly #users = new Map<string, Gathered>();
  #events = 0;
  #first: string | undefined;
  #last: string | undefined;

  constructor(ip: string) {
    this.#ip = ip;
  }

  add(calls: Calls): void {
    this.#count(calls.events, calls.first, calls.last);
    const node = principalOf(calls.who);
    if (!node || node.id === this.#ip) return;
    this.#addUser({ ...calls, kind: node.kind, principal: principalGroup(node) });
  }

  addUse({ events, firstSeen, lastSeen, users }: AddressUse): void {
    if (firstSeen !== undefined && lastSeen !== undefined) this.#count(events, firstSeen, lastSeen);
    for (const user of users) this.#addUser(user);
  }

  #count(events: number, first: string, last: string): void {
    this.#events += events;
    if (this.#first === undefined || isBefore(first, this.#first)) this.#first = first;
    if (this.#last === undefined || isBefore(this.#last, last)) this.#last = last;
  }

  #addUser(more: Pick<Calls, 'events' | 'agents' | 'slots' | 'calls'> & Pick<AddressUser, 'kind' | 'principal'>): void {
    const { kind, principal } = more;
    // A role that acts by itself and its sessions share an id, and are not the same kind of user.
    const key = `${kind} ${principal}`;
    const none = {
      kind,
      principal,
      events: 0,
      agents: new Set<string>(),
      slots: new Set<number>(),
      calls: new Set<string>(),
    };
    const user: Gathered = this.#users.get(key) ?? none;
    this.#users.set(key, user);
    user.events += more.events;
    for (const agent of more.agents) user.agents.add(agent);
    for (const slot of more.slots) user.slots.add(slot);
    for (const call of more.calls) user.calls.add(call);
  }

  addRecord(record: CloudTrailRecord): void {
    this.add({
      who: record,
      events: 1,
      first: record.eventTime,
      last: record.eventTime,
      agents: [record.userAgent],
      slots: [slotOf(record)],
      calls: [callOf(record)],
    });
  }

  use(): AddressUse {
    return {
      events: this.#events,
      ...(this.#first === undefined ? {} : { firstSeen: this.#first }),
      ...(this.#last === undefined ? {} : { lastSeen: this.#last }),
      users: [...this.#users.values()].sort((a, b) =>
        a.principal === b.principal ? (a.kind < b.kind ? -1 : 1) : a.principal < b.principal ? -1 : 1,
      ),
    };
  }
}

/** Of the records that come from the address; others are passed over. */
export function addressUseOf(ip: string, records: readonly CloudTrailRecord[]): AddressUse {
  const book = new AddressBook(ip);
  for (const record of records) if (parseIp(record.sourceIPAddress) === ip) book.addRecord(record);
  return book.use();
}

/** Of sources that have no call in common. */
export function joinedUse(ip: string, uses: readonly AddressUse[]): AddressUse {
  const book = new AddressBook(ip);
  for (const use of uses) book.addUse(use);
  return book.use();
}

/**
 * Events per principal. All sessions of a role count as one. A caller whom the record of another account knows by the number of his
 * account only is nobody by himself where his account's own records name who was there.
 */
export function eventsByUser({ users }: AddressUse): ReadonlyMap<string, number> {
  const events = new Map<string, number>();
  const named = new Set(users.flatMap(({ principal }) => parseArn(principal)?.accountId ?? []));
  for (const user of users)
    if (user.kind !== 'account' || !named.has(user.principal))
      events.set(user.principal, (events.get(user.principal) ?? 0) + user.events);
  return events;
}

export function slotOf({ eventTime }: CloudTrailRecord): number {
  return Math.floor(Date.parse(eventTime) / slotMs);
}

export function callOf({ eventSource, eventName }: CloudTrailRecord): string {
  return `${eventSource}:${eventName}`;
}

function isBefore(a: string, b: string): boolean {
  return Date.parse(a) < Date.parse(b);
}
