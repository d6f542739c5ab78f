/**
 * The pivot: breadth first from the seed over everything that the records link, until closed or out of budget (DOMAIN.md 4).
 * The result depends on the records alone, never on their order.
 */
import type { NodeKind } from '../contracts/artifact.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import type { AddressUse, Evidence } from '../contracts/evidence.ts';
import type { PivotEdge, PivotNode } from '../contracts/pivot.ts';
import { parseIp } from './address.ts';
import { addressUseOf, eventsByUser } from './address-use.ts';
import { likelyFederations, likelyMintings, uniqueIdsOf } from './likely-links.ts';
import { linksOf } from './links.ts';
import { type BookEdge, compare, RecordBook, sortRecords } from './pivot-book.ts';
import { type Hubs, type PivotLimits, whyHub, whyNotExpand, whyNotFollow } from './pivot-rules.ts';
import { type GraphNode, nameKeyOfArn, nodeOfArn, principalGroup, principalOf } from './principal.ts';

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
  /** Who used each address that was looked at, followed or not. */
  readonly onAddress: ReadonlyMap<string, AddressUse>;
  /** Budgets that ended the search early, in words. Empty: the graph is closed. */
  readonly cutShort: readonly string[];
}

interface Reached {
  readonly kind: NodeKind;
  readonly depth: number;
  expanded: boolean;
  because?: string;
  hub?: AddressUse;
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
  readonly #onAddress = new Map<string, AddressUse>();
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
    if (node.kind === 'ip' && (await this.#isHub(reached, id, isForced))) return;
    const records = await evidence.recordsOf(node);
    reached.expanded = true;
    for (const record of sortRecords(records)) {
      if (this.#book.size >= limits.maxEvents) {
        this.#cutShort.add(`stopped after ${limits.maxEvents} records: more of ${id} was not followed`);
        break;
      }
      this.#book.add(record);
    }
  }

  /** Notes who used the address. True where they are too many to follow it. */
  async #isHub(reached: Reached, ip: string, isForced: boolean): Promise<boolean> {
    const { limits, evidence } = this.#input;
    const mayBeHub = !isForced && limits.hubLimit > 0;
    const address: GraphNode = { kind: 'ip', id: ip };
    const summed = mayBeHub ? await evidence.addressUse?.(ip, limits.hubLimit) : undefined;
    const use = summed ?? addressUseOf(ip, await evidence.recordsOf(address));
    this.#onAddress.set(ip, use);
    const because = isForced ? undefined : whyHub(new Set(eventsByUser(use).keys()), limits);
    if (because === undefined) return false;
    reached.because = because;
    reached.hub = use;
    // Where the address was only summed up, its records are best read by user.
    await this.#invite(ip, use, (user) => (summed ? user : address), reached.depth + 1);
    return true;
  }

  /** A hub is not followed, but for those of its users whom a person asked for, by their own id or their role's. */
  async #invite(ip: string, use: AddressUse, readBy: (user: GraphNode) => GraphNode, depth: number): Promise<void> {
    const kinds = new Map(use.users.map((user) => [user.principal, user.kind]));
    for (const id of this.#forced) {
      const group = principalGroup(nodeOfArn(id) ?? { kind: 'resource', id });
      const kind = kinds.get(group);
      if (kind === undefined) continue;
      for (const record of await this.#input.evidence.recordsOf(readBy({ kind, id }))) {
        const user = principalOf(record);
        if (!user || parseIp(record.sourceIPAddress) !== ip) continue;
        if (user.id !== id && principalGroup(user) !== id) continue;
        this.#book.add(record);
        if (!this.#followed.has(user.id)) this.#invited.set(user.id, { kind: user.kind, depth, expanded: false });
      }
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
    const named = recordsByName(seen);
    const nodes = [...all]
      .map(([id, reached]) => describe(id, reached, seen.get(id) ?? [], named.get(nameKeyOfArn(id) ?? '') ?? []))
      .sort((a, b) => a.depth - b.depth || order.indexOf(a.kind) - order.indexOf(b.kind) || compare(a.id, b.id));
    const edges = [...this.#book.edges.values()]
      .filter((edge) => all.has(edge.from) && all.has(edge.to))
      .map((edge) => describeEdge(edge, seen))
      .concat(likelyMintings(records, all), likelyFederations(records, all))
      .sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to) || compare(a.kind, b.kind));
    return { nodes, edges, records, onAddress: this.#onAddress, cutShort: [...this.#cutShort] };
  }
}

/** In order of time. Users and roles are told apart by name, whatever the path by which a record names them. */
function recordsByName(
  seen: ReadonlyMap<string, readonly CloudTrailRecord[]>,
): ReadonlyMap<string, readonly CloudTrailRecord[]> {
  const byName = new Map<string, readonly CloudTrailRecord[]>();
  for (const [id, records] of seen) {
    const name = nameKeyOfArn(id);
    if (name === undefined) continue;
    const had = byName.get(name);
    byName.set(name, had ? sortRecords([...new Set([...had, ...records])]) : records);
  }
  return byName;
}

function describe(
  id: string,
  reached: Reached,
  inGraph: readonly CloudTrailRecord[],
  ofName: readonly CloudTrailRecord[],
): PivotNode {
  const first = reached.hub ? reached.hub.firstSeen : inGraph[0]?.eventTime;
  const last = reached.hub ? reached.hub.lastSeen : inGraph.at(-1)?.eventTime;
  const uniqueIds = reached.kind === 'user' || reached.kind === 'role' ? uniqueIdsOf(id, ofName) : [];
  return {
    kind: reached.kind,
    id,
    depth: reached.depth,
    events: reached.hub ? reached.hub.events : inGraph.length,
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
