/**
 * The pivot: breadth first from the seed over everything that the records link, until closed or out of budget (DOMAIN.md 4).
 * The result depends on the records alone, never on their order.
 */
import type { NodeKind } from '../contracts/artifact.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import type { Evidence } from '../contracts/evidence.ts';
import type { PivotEdge, PivotNode } from '../contracts/pivot.ts';
import { likelyMintings, uniqueIdsOf } from './likely-links.ts';
import { linksOf } from './links.ts';
import { type BookEdge, compare, RecordBook, sortRecords } from './pivot-book.ts';
import { type Hubs, type PivotLimits, whyHub, whyNotExpand, whyNotFollow } from './pivot-rules.ts';
import { type GraphNode, principalGroup, principalOf } from './principal.ts';

export interface PivotInput {
  /** Where to start; several only where an event id stands for several records. */
  readonly seeds: readonly GraphNode[];
  readonly evidence: Evidence;
  readonly limits: PivotLimits;
  readonly hubs: Hubs;
  /** Ids to expand although a rule would not: what a person asked for. */
  readonly expandAlso: readonly string[];
  progress(step: string): void;
  readonly signal: AbortSignal;
}

export interface PivotGraph {
  readonly nodes: readonly PivotNode[];
  readonly edges: readonly PivotEdge[];
  /** Distinct records that an expanded node takes part in, in order of time. */
  readonly records: readonly CloudTrailRecord[];
  /** For each address, how many records each principal (sessions of a role as one) has on it. */
  readonly users: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** All records of each address that was read, followed or not. */
  readonly onAddress: ReadonlyMap<string, readonly CloudTrailRecord[]>;
  /** Budgets that ended the search early, in words. Empty: the graph is closed. */
  readonly cutShort: readonly string[];
}

interface Reached {
  readonly kind: NodeKind;
  readonly depth: number;
  expanded: boolean;
  because?: string;
  hubRecords?: readonly CloudTrailRecord[];
}

/** Never throws for what records hold; throws what `evidence` throws, and the signal's reason when aborted. */
export async function runPivot(input: PivotInput): Promise<PivotGraph> {
  const search = new Search(input);
  await search.run();
  return search.result();
}

/** People and their credentials first: when a budget ends the search, they matter most. */
const order: readonly NodeKind[] = [
  'session',
  'user',
  'root',
  'federatedUser',
  'accessKey',
  'ip',
  'role',
  'resource',
  'service',
  'account',
];

const maxAccountActors = 50;

class Search {
  readonly #input: PivotInput;
  readonly #book = new RecordBook();
  readonly #followed = new Map<string, Reached>();
  readonly #shown = new Map<string, Reached>();
  readonly #users = new Map<string, Map<string, number>>();
  readonly #onAddress = new Map<string, readonly CloudTrailRecord[]>();
  /** Users of an address that is not followed whom a person asked for. */
  readonly #invited = new Map<string, Reached>();
  readonly #cutShort = new Set<string>();
  readonly #forced: ReadonlySet<string>;

  constructor(input: PivotInput) {
    this.#input = input;
    this.#forced = new Set([...input.seeds.map((seed) => seed.id), ...input.expandAlso]);
  }

  async run(): Promise<void> {
    let level = new Map<string, Reached>();
    for (const { kind, id } of this.#input.seeds) level.set(id, { kind, depth: 0, expanded: false });
    for (let depth = 0; level.size > 0; depth++) {
      for (const [id, reached] of level) {
        this.#followed.set(id, reached);
        this.#shown.delete(id);
      }
      const ids = [...level.keys()].sort((a, b) => this.#rank(a) - this.#rank(b) || compare(a, b));
      for (const id of ids) await this.#expand(id);
      level = this.#next(depth + 1);
    }
    for (const seed of this.#input.seeds) if (seed.kind === 'account') this.#showActors();
  }

  /** Following everybody in an account would be no answer: its busiest principals are shown instead. */
  #showActors(): void {
    const calls = new Map<string, { node: GraphNode; n: number }>();
    for (const record of this.#book.sorted()) {
      const node = principalOf(record);
      if (node && !this.#followed.has(node.id)) calls.set(node.id, { node, n: (calls.get(node.id)?.n ?? 0) + 1 });
    }
    const busiest = [...calls.values()].sort((a, b) => b.n - a.n || compare(a.node.id, b.node.id));
    for (const { node } of busiest.slice(0, maxAccountActors)) {
      this.#show(node.id, {
        kind: node.kind,
        depth: 1,
        expanded: false,
        because: 'it acts in the account: pivot on it by itself',
      });
    }
  }

  #rank(id: string): number {
    return order.indexOf(this.#kindOf(id));
  }

  #kindOf(id: string): NodeKind {
    return this.#followed.get(id)?.kind ?? this.#book.kinds.get(id) ?? 'resource';
  }

  async #expand(id: string): Promise<void> {
    const { limits, hubs, evidence, signal } = this.#input;
    const reached = this.#followed.get(id);
    if (!reached) return;
    const node = { kind: reached.kind, id };
    const isForced = this.#forced.has(id);
    const because = (isForced ? undefined : whyNotExpand(node, limits, hubs)) ?? this.#spent(reached.depth, isForced);
    if (because) {
      reached.because = because;
      return;
    }
    signal.throwIfAborted();
    this.#input.progress(`Reading the records of ${id}`);
    const records = await evidence.recordsOf(node);
    if (node.kind === 'ip') {
      const users = usersOf(id, records);
      this.#users.set(id, users);
      this.#onAddress.set(id, sortRecords(records));
      const hub = isForced ? undefined : whyHub(new Set(users.keys()), limits);
      if (hub) {
        reached.because = hub;
        reached.hubRecords = records;
        this.#invite(records, reached.depth + 1);
        return;
      }
    }
    reached.expanded = true;
    for (const record of sortRecords(records)) {
      if (this.#book.size >= limits.maxEvents) {
        this.#cutShort.add(`stopped after ${limits.maxEvents} records: more of ${id} was not followed`);
        break;
      }
      this.#book.add(record);
    }
  }

  /** A hub is not followed, but for those of its users whom a person asked for, by their own id or their role's. */
  #invite(records: readonly CloudTrailRecord[], depth: number): void {
    for (const record of records) {
      const user = principalOf(record);
      if (!user || !(this.#forced.has(user.id) || this.#forced.has(principalGroup(user)))) continue;
      this.#book.add(record);
      if (!this.#followed.has(user.id)) this.#invited.set(user.id, { kind: user.kind, depth, expanded: false });
    }
  }

  /** A spent budget; each is noted once as what cut the search short. */
  #spent(depth: number, isForced: boolean): string | undefined {
    const { maxDepth, maxNodes, maxEvents } = this.#input.limits;
    let because: string | undefined;
    if (depth >= maxDepth && depth > 0 && !isForced) because = `depth limit of ${maxDepth} reached`;
    else if (depth > 0 && this.#followed.size + this.#shown.size > maxNodes)
      because = `limit of ${maxNodes} nodes reached`;
    else if (depth > 0 && this.#book.size >= maxEvents) because = `limit of ${maxEvents} records reached`;
    if (because) this.#cutShort.add(`${because}: the graph is not closed`);
    return because;
  }

  /** Everything that the expanded nodes lead to and that is not followed yet. */
  #next(depth: number): Map<string, Reached> {
    const level = new Map<string, Reached>([...this.#invited].filter(([id]) => !this.#followed.has(id)));
    this.#invited.clear();
    for (const [id, reached] of this.#followed) {
      if (!reached.expanded) continue;
      for (const edge of this.#book.edgesOf(id)) {
        const other = edge.from === id ? edge.to : edge.from;
        if (this.#followed.has(other)) continue;
        const because = this.#forced.has(other) ? undefined : whyNotFollow(edge, id, (node) => this.#kindOf(node));
        const kind = this.#kindOf(other);
        if (because === undefined) level.set(other, { kind, depth, expanded: false });
        else this.#show(other, { kind, depth, expanded: false, because });
      }
    }
    return level;
  }

  #show(id: string, reached: Reached): void {
    const had = this.#shown.get(id);
    const isBetter = !had || (reached.depth === had.depth && compare(reached.because ?? '', had.because ?? '') < 0);
    if (isBetter) this.#shown.set(id, reached);
  }

  result(): PivotGraph {
    const all = new Map([...this.#shown, ...this.#followed]);
    const records = this.#book.sorted();
    const seen = new Map<string, CloudTrailRecord[]>();
    for (const record of records) {
      for (const { id } of linksOf(record).nodes) {
        if (!all.has(id)) continue;
        const had = seen.get(id);
        if (had) had.push(record);
        else seen.set(id, [record]);
      }
    }
    const nodes = [...all]
      .map(([id, reached]) => describe(id, reached, seen.get(id) ?? []))
      .sort((a, b) => a.depth - b.depth || order.indexOf(a.kind) - order.indexOf(b.kind) || compare(a.id, b.id));
    const edges = [...this.#book.edges.values()]
      .filter((edge) => all.has(edge.from) && all.has(edge.to))
      .map((edge) => describeEdge(edge, seen))
      .concat(likelyMintings(records, all))
      .sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to) || compare(a.kind, b.kind));
    return { nodes, edges, records, users: this.#users, onAddress: this.#onAddress, cutShort: [...this.#cutShort] };
  }
}

/** Records per principal on an address. AWS services are not counted: they use no address of their own. */
function usersOf(ip: string, records: readonly CloudTrailRecord[]): Map<string, number> {
  const users = new Map<string, number>();
  for (const record of records) {
    const principal = principalOf(record);
    if (!principal || !linksOf(record).edges.some((edge) => edge.kind === 'used-ip' && edge.to === ip)) continue;
    const group = principalGroup(principal);
    users.set(group, (users.get(group) ?? 0) + 1);
  }
  return users;
}

function describe(id: string, reached: Reached, inGraph: readonly CloudTrailRecord[]): PivotNode {
  const records = reached.hubRecords ? sortRecords(reached.hubRecords) : inGraph;
  const [first, last] = [records[0]?.eventTime, records.at(-1)?.eventTime];
  const uniqueIds = reached.kind === 'user' || reached.kind === 'role' ? uniqueIdsOf(id, records) : [];
  return {
    kind: reached.kind,
    id,
    depth: reached.depth,
    events: records.length,
    ...(first === undefined ? {} : { firstSeen: first }),
    ...(last === undefined ? {} : { lastSeen: last }),
    expanded: reached.expanded,
    ...(reached.because === undefined ? {} : { notExpandedBecause: reached.because }),
    ...(uniqueIds.length > 1 ? { uniqueIds } : {}),
  };
}

const maxEventIds = 20;

function describeEdge(edge: BookEdge, seen: ReadonlyMap<string, readonly CloudTrailRecord[]>): PivotEdge {
  const proof = edge.records.length > 0 ? sortRecords(edge.records) : (seen.get(edge.from) ?? []);
  const eventIds = proof.slice(0, maxEventIds).map((record) => record.eventID);
  return { from: edge.from, to: edge.to, kind: edge.kind, events: proof.length, eventIds };
}
