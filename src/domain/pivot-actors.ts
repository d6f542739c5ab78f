/**
 * Who in the graph acts together. Sharing an address or a role ties nobody to anybody: identities that only these lead to are
 * neighbours, which may be innocent, and are never called the attacker's (DOMAIN.md 3.4, shared IP trap).
 */
import type { PivotNode } from '../contracts/pivot.ts';
import { parseIp } from './address.ts';
import { createdId, uniqueIdIn } from './likely-links.ts';
import { sourceIdentityMark } from './links-behind.ts';
import { bearersOf } from './pivot-bearers.ts';
import { type CoreLink, coreOf } from './pivot-core.ts';
import type { PivotGraph } from './pivot-engine.ts';
import {
  type GraphNode,
  isPrincipal,
  nameKeyOfArn,
  nodeOfArn,
  parseArn,
  principalGroup,
  principalOf,
  sessionOf,
} from './principal.ts';

export interface Actor {
  /** Unique among the actors of a story. */
  readonly id: string;
  /** User, root or federated user by ARN; all sessions of a role together by the role's ARN. */
  readonly group: string;
  readonly label: string;
  readonly nodes: readonly PivotNode[];
  /** Set where the name stood for more than one identity: which of them. */
  readonly uniqueId?: string;
  /** Tied to the seed by keys, sessions or what was made, not by an address or a role alone. */
  readonly isCore: boolean;
  /** The link that ties it to the seed; absent for the seed itself and where nothing does. */
  readonly via?: CoreLink;
  /** Why it is not told as part of the story, for behind its name: ` (same address only)`, ` (same role only)`, ` (not followed)`; else "". */
  readonly aside: string;
  /** Calls that it made itself. */
  readonly events: number;
  readonly ips: readonly string[];
  readonly keys: readonly string[];
  readonly firstSeen: string;
  readonly lastSeen: string;
}

export const sameRole = ' (same role only)';

interface Part {
  /** All parts of one identity: a user by account and name, a role by its ARN. */
  readonly of: string;
  readonly isCore: boolean;
  readonly uniqueId: string | undefined;
  /** Another bearer of a name that was made again: not the one that is tied to the seeds. */
  readonly other: 'an earlier' | 'a later' | undefined;
  via: CoreLink | undefined;
  readonly nodes: Map<string, PivotNode>;
  readonly times: string[];
  readonly ips: Set<string>;
  readonly keys: Set<string>;
}

/**
 * The acting identities of the graph, core first, busiest first. One identity is told in parts where only some sessions of a role
 * are tied to the seeds, and where a name was deleted and made again: what the one part did is not the doing of the other.
 */
export function actorsOf(graph: PivotGraph, seeds: readonly GraphNode[]): readonly Actor[] {
  const bearers = bearersOf(graph, seeds);
  const { links: core, sides } = coreOf(graph, seeds, bearers);
  const remade = remadeNames(graph, seeds, (name) => bearers.madeAmong(name, sides));
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const parts = new Map<string, Part>();
  const wholes = new Map<string, Part>();
  const partOf = (node: PivotNode, uniqueId?: string): Part => {
    const whole = wholes.get(node.id);
    if (whole !== undefined) return whole;
    const own = remade.get(nameKeyOfArn(principalGroup(node)) ?? '');
    const other = own && uniqueId !== undefined && !own.mine.has(uniqueId) ? whenOf(uniqueId, own) : undefined;
    const isCore = core.has(node.id) && other === undefined;
    const told = own && uniqueId !== undefined && own.all.has(uniqueId) ? uniqueId : undefined;
    const of = nameKeyOfArn(node.id) ?? principalGroup(node);
    const key = `${of}\n${isCore}\n${told ?? ''}`;
    const part: Part = parts.get(key) ?? {
      ...{ of, isCore, uniqueId: told, other, via: undefined },
      ...{ nodes: new Map(), times: [], ips: new Set(), keys: new Set() },
    };
    part.nodes.set(node.id, node);
    part.via ??= core.get(node.id);
    parts.set(key, part);
    if (own === undefined) wholes.set(node.id, part);
    return part;
  };
  for (const record of graph.records) {
    const node = nodes.get(principalOf(record)?.id ?? '');
    if (!node || !isPrincipal(node.kind)) continue;
    const part = partOf(node, remade.size === 0 ? undefined : uniqueIdIn(record));
    part.times.push(record.eventTime);
    const ip = parseIp(record.sourceIPAddress);
    if (ip !== undefined && nodes.has(ip)) part.ips.add(ip);
    const key = record.userIdentity.accessKeyId;
    if (key !== undefined && nodes.has(key)) part.keys.add(key);
  }
  // Those that made no call are told too; where one did under another spelling of its name, that is the same.
  const acting = Map.groupBy([...parts.values()], ({ of }) => of);
  for (const node of nodes.values()) {
    if (!isPrincipal(node.kind)) continue;
    const name = nameKeyOfArn(node.id) ?? '';
    const own = [...(remade.get(name)?.mine ?? [])].at(-1);
    const same = acting.get(name) ?? [];
    if (own !== undefined || same.length === 0) partOf(node, own);
    else (same.find(({ isCore }) => isCore) ?? same[0])?.nodes.set(node.id, node);
  }
  const byIdentity = Map.groupBy(parts.values(), ({ of }) => of);
  const coreIps = new Set([...parts.values()].flatMap(({ isCore, ips }) => (isCore ? [...ips] : [])));
  const coreRoles = new Set(
    [...core.keys()].flatMap((id) => nameKeyOfArn(principalGroup(nodes.get(id) ?? { kind: 'resource', id })) ?? []),
  );
  return [...parts.values()]
    .map((part) => actorOf(part, byIdentity.get(part.of) ?? [], coreIps, coreRoles, remade.size > 0))
    .sort((a, b) => Number(b.isCore) - Number(a.isCore) || b.events - a.events || (a.id < b.id ? -1 : 1));
}

interface Remade {
  /** In the order in which they acted or were made. */
  readonly all: ReadonlySet<string>;
  readonly mine: ReadonlySet<string>;
}

function whenOf(uniqueId: string, { all, mine }: Remade): 'an earlier' | 'a later' {
  const order = [...all];
  return order.indexOf(uniqueId) < order.findIndex((id) => mine.has(id)) ? 'an earlier' : 'a later';
}

/** The unique ids of names that stood for more than one identity, and those of them that are tied to the seeds. */
function remadeNames(
  { nodes, records }: PivotGraph,
  seeds: readonly GraphNode[],
  tied: (name: string) => readonly string[],
) {
  const asked = new Set(seeds.map(({ id }) => nameKeyOfArn(id) ?? id));
  const names = new Map<string, Remade>();
  for (const { id, uniqueIds } of nodes) {
    const name = nameKeyOfArn(id);
    if (name === undefined || uniqueIds === undefined) continue;
    const ofTied = tied(name);
    const made = new Set(ofTied.length > 0 ? ofTied : records.flatMap((record) => createdId(record, name) ?? []));
    const all = new Set(uniqueIds);
    // Who asks for the name asks for all who bore it; without a creation in the log nobody knows which is meant.
    names.set(name, { all, mine: asked.has(name) || made.size === 0 ? all : made });
  }
  return names;
}

/** `all`: the parts of the same identity. */
function actorOf(
  part: Part,
  all: readonly Part[],
  coreIps: ReadonlySet<string>,
  coreRoles: ReadonlySet<string>,
  hasRemade: boolean,
): Actor {
  const { isCore, uniqueId, times } = part;
  const nodes = [...part.nodes.values()];
  const group = nodes.map(principalGroup).sort((a, b) => b.length - a.length)[0] ?? part.of;
  const isSplit = all.some((other) => other.isCore !== isCore);
  const sessions = nodes.filter(({ kind }) => kind === 'session');
  const name =
    !isSplit || sessions.length === 0 || uniqueId !== undefined
      ? labelOf(group)
      : sessions.length === 1 && sessions[0]
        ? labelOf(sessions[0].id)
        : `${sessions.length} sessions of ${labelOf(group)}`;
  const isNear = [...part.ips].some((ip) => coreIps.has(ip));
  return {
    id: isSplit && !isCore ? `${group} besides` : uniqueId === undefined ? group : `${group} ${uniqueId}`,
    group,
    label: uniqueId === undefined ? name : `${name} (${uniqueId})`,
    nodes,
    ...(uniqueId === undefined ? {} : { uniqueId }),
    ...(part.via === undefined ? {} : { via: part.via }),
    isCore,
    aside: isCore
      ? ''
      : part.other !== undefined
        ? ` (${part.other} identity of this name)`
        : !nodes.some((node) => node.expanded)
          ? ' (not followed)'
          : sessions.length > 0 && !isNear && coreRoles.has(nameKeyOfArn(group) ?? '')
            ? sameRole
            : !isNear && hasRemade
              ? ' (only of another identity of a name)'
              : ' (same address only)',
    events: times.length,
    ips: [...part.ips],
    keys: [...part.keys],
    firstSeen: times[0] ?? '',
    lastSeen: times.at(-1) ?? '',
  };
}

/** Tells who of the actors is meant by a principal at a time: a name that was made again stands for several. */
export function actorFinder(actors: readonly Actor[]): (principal: string, eventTime: string) => Actor | undefined {
  const byNode = new Map<string, Actor[]>();
  for (const actor of actors) {
    for (const { id } of actor.nodes) {
      const had = byNode.get(id);
      if (had) had.push(actor);
      else byNode.set(id, [actor]);
    }
  }
  return (principal, eventTime) => {
    const found = byNode.get(principal) ?? [];
    return found.find(({ firstSeen, lastSeen }) => firstSeen <= eventTime && eventTime <= lastSeen) ?? found[0];
  };
}

/** An Identity Center user's id, with or without the store's number before it; no other node has this form. */
const personId = /^([0-9a-f]{10}-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** `PROVIDER:AUDIENCE:SUBJECT` of a caller with a web identity. */
const webIdentity = /^oidc-provider\/([^:]+):[^:]*:(.+)$/s;

/** `user pipeline`, `role DevOps`, `session MaryMajor of role DevOps`, `root of 111122223333`; other ids as they are. */
export function labelOf(id: string): string {
  if (id.startsWith(sourceIdentityMark)) return `source identity ${id.slice(sourceIdentityMark.length)}`;
  // CloudTrail's word for the account of a request to S3 that nobody signed.
  if (id === 'ANONYMOUS_PRINCIPAL') return 'anybody, without credentials';
  if (personId.test(id)) return `Identity Center user ${id}`;
  const arn = parseArn(id);
  const node = nodeOfArn(id);
  const last = arn?.resource.split('/').at(-1) ?? id;
  switch (node?.kind) {
    case 'user':
      return `user ${last}`;
    case 'role':
      return `role ${last}`;
    case 'root':
      return `root of ${arn?.accountId}`;
    case 'federatedUser':
      return `federated user ${last}`;
    case 'session': {
      const session = sessionOf(id);
      return session ? `session ${session.session} of role ${session.role}` : id;
    }
    case 'resource': {
      const [, provider, subject] = (arn?.service === 'iam' && webIdentity.exec(arn.resource)) || [];
      if (provider && subject) return `federated user ${subject} of ${provider}`;
      if (arn?.service === 's3') return `s3 ${arn.resource}`;
      return arn ? `${arn.service} ${arn.resource.replace(/^[^:/]*[:/](?=.)/, '')}` : id;
    }
    default:
      return id;
  }
}
