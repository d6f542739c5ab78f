/** The records that a pivot has read, each once, with the links that they prove. */

import type { EdgeKind, NodeKind } from '../contracts/artifact.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { sameThing } from './acting.ts';
import { linksOf } from './links.ts';
import { nameKeyOfArn, principalOf } from './principal.ts';
import { canonicalText, compareRecords } from './record.ts';
import { isBlind, sharedKeyOf } from './shared-events.ts';
import { nameArn } from './short-arn.ts';

export interface BookEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: EdgeKind;
  readonly records: CloudTrailRecord[];
}

export class RecordBook {
  readonly kinds = new Map<string, NodeKind>();
  readonly edges = new Map<string, BookEdge>();
  readonly #touching = new Map<string, Set<BookEdge>>();
  readonly #records = new Map<string, CloudTrailRecord[]>();
  readonly #seen = new Set<CloudTrailRecord>();
  readonly #names = new Map<string, Set<string>>();
  /** Copies of calls across accounts. */
  readonly #copies = new Map<string, CloudTrailRecord[]>();

  /** Distinct records. */
  get size(): number {
    return this.#seen.size;
  }

  /** Adds a record unless it, or an exact copy, is there already. Event ids repeat between different events, so they alone say nothing. */
  add(record: CloudTrailRecord): boolean {
    if (this.#seen.has(record)) return false;
    const key = [record.eventID, record.eventTime, record.eventName, record.awsRegion, record.sourceIPAddress].join(
      '\n',
    );
    const alike = this.#records.get(key) ?? [];
    if (alike.length > 0) {
      const text = canonicalText(record);
      if (alike.some((other) => canonicalText(other) === text)) return false;
    }
    this.#records.set(key, [...alike, record]);
    this.#seen.add(record);
    const { nodes, edges } = linksOf(record);
    for (const node of nodes) {
      const had = this.kinds.get(node.id);
      if (had === undefined || had === 'resource') this.kinds.set(node.id, node.kind);
      this.#noteName(node.id);
    }
    for (const edge of edges) this.#edge(edge.from, edge.to, edge.kind).records.push(record);
    this.#joinCopies(record);
    return true;
  }

  edgesOf(id: string): Iterable<BookEdge> {
    return this.#touching.get(id) ?? [];
  }

  /** All records, in order of time, whatever the order in which they were read. */
  sorted(): readonly CloudTrailRecord[] {
    return sortRecords([...this.#seen]);
  }

  /** What only the copy of another account tells (the key that was minted, say) is the doing of the caller whom his own copy names. */
  #joinCopies(record: CloudTrailRecord): void {
    const key = sharedKeyOf(record);
    if (key === undefined) return;
    const copies = this.#copies.get(key) ?? [];
    this.#copies.set(key, [...copies, record]);
    for (const other of copies) {
      const [named, blind] = isBlind(record) ? [other, record] : [record, other];
      const caller = principalOf(named);
      const account = principalOf(blind);
      if (!caller || !account || isBlind(named) || !isBlind(blind)) continue;
      for (const { from, to, kind } of linksOf(blind).edges) {
        if (from !== account.id) continue;
        const edge = this.#edge(caller.id, to, kind);
        // One call is one event, however many accounts recorded it.
        if (!edge.records.some((proof) => sharedKeyOf(proof) === key)) edge.records.push(blind);
      }
    }
  }

  #edge(from: string, to: string, kind: EdgeKind): BookEdge {
    const key = `${kind}\n${from}\n${to}`;
    const had = this.edges.get(key);
    if (had) return had;
    const edge: BookEdge = { from, to, kind, records: [] };
    this.edges.set(key, edge);
    for (const id of [from, to]) {
      const touching = this.#touching.get(id) ?? new Set();
      this.#touching.set(id, touching.add(edge));
    }
    return edge;
  }

  /** Calls name a user without its path and a stack without its id, others with it. */
  #noteName(id: string): void {
    const key = nameKeyOfArn(id) ?? nameArn(id);
    if (key === undefined) return;
    const names = this.#names.get(key) ?? new Set();
    if (names.has(id)) return;
    for (const other of names) {
      const [from, to] = [id, other].sort(byLength);
      if (from && to && sameThing(from, to)) this.#edge(from, to, 'same-as');
    }
    this.#names.set(key, names.add(id));
  }
}

function byLength(a: string, b: string): number {
  return a.length - b.length || compare(a, b);
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The same order whatever the order in which the records were read. */
export function sortRecords(records: readonly CloudTrailRecord[]): readonly CloudTrailRecord[] {
  return [...records].sort(compareRecords);
}
