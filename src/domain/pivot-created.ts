/** What the identities of a pivot made, and what the log alone tells of its end. */
import type { CreatedThing, PivotEdge } from '../contracts/pivot.ts';
import { linksOf } from './links.ts';
import { at } from './links-fields.ts';
import { compare } from './pivot-book.ts';
import type { PivotGraph } from './pivot-engine.ts';
import { accountOf, parseArn } from './principal.ts';

export interface Made extends CreatedThing {
  /** The user that an access key belongs to, where the record names it. */
  readonly owner?: string;
}

/** Everything with a `created` edge from a node of the graph, oldest first. State as the log has it. */
export function madeIn(graph: PivotGraph, noAwsBecause: string): readonly Made[] {
  const kinds = new Map(graph.nodes.map((node) => [node.id, node.kind]));
  const created = graph.edges.filter((edge) => edge.kind === 'created');
  const wanted = new Map(created.map((edge) => [keyOf(edge), edge]));
  const gone = endings(graph);
  const made = new Map<string, Made>();
  for (const record of graph.records) {
    for (const link of linksOf(record).edges) {
      if (link.kind !== 'created' || !wanted.has(keyOf(link))) continue;
      const end = gone.get(link.to);
      const isGone = end !== undefined && end.at >= record.eventTime;
      const owner = at(record.responseElements, 'accessKey', 'userName') ?? at(record.requestParameters, 'userName');
      // The latest creation counts: a name may be made, deleted and made again.
      made.set(link.to, {
        id: link.to,
        kind: kinds.get(link.to) ?? 'resource',
        createdBy: link.from,
        createdAt: record.eventTime,
        region: record.awsRegion,
        accountId: accountOf(record),
        state: isGone ? 'gone' : 'unknown',
        because: isGone ? `deleted by ${end.by} at ${end.at} in the log` : `${noAwsBecause}; no deletion in these logs`,
        ...(owner && kinds.get(link.to) === 'accessKey' ? { owner } : {}),
      });
    }
  }
  return [...made.values()].sort(
    (a, b) => compare(a.createdAt, b.createdAt) || sortRank(a) - sortRank(b) || compare(a.id, b.id),
  );
}

function keyOf(edge: Pick<PivotEdge, 'from' | 'to'>): string {
  return `${edge.from}\n${edge.to}`;
}

function endings(graph: PivotGraph): ReadonlyMap<string, { readonly at: string; readonly by: string }> {
  const ends = new Map<string, { at: string; by: string }>();
  for (const record of graph.records) {
    for (const { kind, from, to } of linksOf(record).edges) {
      if (kind === 'deleted') ends.set(to, { at: record.eventTime, by: from });
    }
  }
  return ends;
}

/** What it is, for counting and sorting: `instance`, `access key`, `user`, `function`, ... */
export function sortOf(thing: Pick<CreatedThing, 'id' | 'kind'>): string {
  if (thing.kind === 'accessKey') return 'access key';
  if (thing.kind !== 'resource') return thing.kind === 'federatedUser' ? 'federated user' : thing.kind;
  const arn = parseArn(thing.id);
  if (arn)
    return arn.resource.includes(':') || arn.resource.includes('/')
      ? (arn.resource.split(/[:/]/)[0] ?? arn.service)
      : arn.service;
  return idSorts[thing.id.split('-')[0] ?? ''] ?? 'resource';
}

const idSorts: Readonly<Record<string, string>> = {
  i: 'instance',
  eni: 'network interface',
  vol: 'volume',
  sg: 'security group',
  snap: 'snapshot',
  ami: 'image',
  vpc: 'VPC',
  subnet: 'subnet',
  lt: 'launch template',
};

/** Identities and credentials outlive everything else, then what runs; parts of instances come last. */
const sortOrder = [
  'user',
  'access key',
  'role',
  'federated user',
  'account',
  'instance',
  'function',
  'task',
  'notebook-instance',
];
const partsOfOthers = ['network interface', 'volume'];

/** Disks and network interfaces come and go with their instance. */
export function isPart(thing: Pick<CreatedThing, 'id' | 'kind'>): boolean {
  return partsOfOthers.includes(sortOf(thing));
}

export function sortRank(thing: Pick<CreatedThing, 'id' | 'kind'>): number {
  const sort = sortOf(thing);
  const place = sortOrder.indexOf(sort);
  if (place >= 0) return place;
  return isPart(thing) ? sortOrder.length + 1 : sortOrder.length;
}
