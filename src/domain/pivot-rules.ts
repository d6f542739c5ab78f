/** Which links a pivot follows, and what it shows without following (DESIGN.md 5; reasons end up in the answer). */
import type { EdgeKind, NodeKind } from '../contracts/artifact.ts';
import { isPrivateIp, rangeHolding } from './address.ts';
import { globMatch } from './glob.ts';
import { isIdentity, principalGroup } from './principal.ts';

export interface PivotLimits {
  /** Hops from the seed. */
  readonly maxDepth: number;
  /** An address used by more principals than this is shared infrastructure. 0: no hub rule at all. */
  readonly hubLimit: number;
  readonly maxNodes: number;
  /** Distinct records kept in the graph. */
  readonly maxEvents: number;
}

export interface Hubs {
  /** CIDR ranges or addresses that many people leave through: office, VPN, NAT. */
  readonly egress: readonly string[];
  /** ARNs of principals that touch everything by their trade, `*` for any characters: CI, deployment roles. */
  readonly principals: readonly string[];
}

interface Link {
  readonly from: string;
  readonly to: string;
  readonly kind: EdgeKind;
}

/** Undefined: follow the link from `id` to its other end. Else the reason why the other end is shown only. */
export function whyNotFollow(link: Link, id: string, kindOf: (id: string) => NodeKind): string | undefined {
  const thing = kindOf(link.to);
  if (link.kind === 'assumed' && thing === 'role' && link.from === id) {
    return 'it is only the role of a session here: its other sessions may be anybody';
  }
  if (link.kind !== 'changed' && link.kind !== 'deleted') return undefined;
  if (isIdentity(thing) || thing === 'accessKey') return undefined;
  if (thing === 'account' && link.from === id) return 'an account that was let in: pivot on it by itself';
  return link.from === id
    ? 'it was only changed or deleted, not made, by what is followed here'
    : `it did not make ${link.to}, but only ${link.kind} it`;
}

/** What is not expanded whoever leads to it. The seed and what a person asks for are never held back. */
export function whyNotExpand(
  node: { readonly kind: NodeKind; readonly id: string },
  limits: PivotLimits,
  hubs: Hubs,
): string | undefined {
  if (node.kind === 'service') return 'AWS service: it acts for everybody';
  if (node.kind === 'account') return 'an account holds many principals: pivot on it by itself';
  if (limits.hubLimit === 0) return undefined;
  if (node.kind === 'ip') {
    const range = rangeHolding(node.id, hubs.egress);
    if (range) return `known egress address (${range})`;
    if (isPrivateIp(node.id)) return 'private address: it means something only inside one network';
  }
  const names = [node.id, principalGroup(node)];
  if (hubs.principals.some((pattern) => names.some((name) => globMatch(pattern, name)))) {
    return 'listed as a hub in the configuration';
  }
  return undefined;
}

/** Why an address is shared by too many, given the principals seen on it. Sessions of one role count as one. */
export function whyHub(groups: ReadonlySet<string>, limits: PivotLimits): string | undefined {
  if (limits.hubLimit === 0 || groups.size <= limits.hubLimit) return undefined;
  return `shared address: used by ${groups.size} principals (limit ${limits.hubLimit})`;
}
