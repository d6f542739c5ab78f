/** What a case holds when its alert comes again: a later version, a copy from another product, a further page. */
import type { Alert, RemoteAddress } from '../contracts/alert.ts';

const mostResources = 400;
const mostAddresses = 100;

/** Later `updatedAt`, then higher `count`. An update without a readable time is taken as newer: it is never dropped. */
function isNewer(alert: Alert, than: Alert): boolean {
  const [mine, theirs] = [Date.parse(alert.updatedAt), Date.parse(than.updatedAt)];
  if (Number.isNaN(mine) || Number.isNaN(theirs)) return alert.updatedAt !== than.updatedAt || alert.count > than.count;
  if (mine !== theirs) return mine > theirs;
  return alert.count === than.count ? saysOther(alert, than) : alert.count > than.count;
}

/**
 * Whether of two states of the same time the one that came last tells something else. Security Hub leaves `UpdatedAt` to the
 * product, so that what people and rules change there (severity, workflow, record state) comes with the time of before; of
 * other tools' times nothing is promised at all.
 */
function saysOther(alert: Alert, than: Alert): boolean {
  const stateOf = ({ severity, archived, suppressed = false, resolved = false, undecided = false, ...rest }: Alert) =>
    JSON.stringify([severity, archived, suppressed, resolved, undecided, rest.source === 'other' ? rest : undefined]);
  const silent = { notes: [] };
  return stateOf({ ...alert, ...silent }) !== stateOf({ ...than, ...silent });
}

function together<Value>(first: readonly Value[], then: readonly Value[], most: number): readonly Value[] {
  const all = new Set([...first, ...then]);
  return all.size === first.length ? first : [...all].slice(0, most);
}

function remotesTogether(first: readonly RemoteAddress[], then: readonly RemoteAddress[]): readonly RemoteAddress[] {
  const known = new Set(first.map(({ ip }) => ip));
  const more = then.filter(({ ip }) => !known.has(ip));
  return more.length === 0 ? first : [...first, ...more].slice(0, mostAddresses);
}

/** `kept` with every resource, key and address that the other one names besides. The same object where there is none. */
function withMore(kept: Alert, other: Alert): Alert {
  const resourceIds = together(kept.resourceIds, other.resourceIds, mostResources);
  const remote = remotesTogether(kept.remote, other.remote);
  const keysOf = (alert: Alert) => alert.accessKeys ?? (alert.actor.accessKeyId ? [alert.actor.accessKeyId] : []);
  const keys = together(keysOf(kept), keysOf(other), mostResources);
  const moreKeys = keys.length > keysOf(kept).length;
  if (resourceIds === kept.resourceIds && remote === kept.remote && !moreKeys) return kept;
  const actor =
    kept.actor.accessKeyId === undefined && keys[0] !== undefined
      ? { ...kept.actor, accessKeyId: keys[0] }
      : kept.actor;
  return { ...kept, resourceIds, remote, ...(moreKeys && { accessKeys: keys, actor }) };
}

/** A copy knows only whether it was suppressed or resolved where it lives; the rest the original tells better. */
function withCopy(original: Alert, copy: Alert): Alert {
  const { suppressed = false, resolved = false } = copy;
  const merged = withMore(original, copy);
  const { suppressed: wasSuppressed = false, resolved: wasResolved = false, ...rest } = merged;
  if (suppressed === wasSuppressed && resolved === wasResolved) return merged;
  // Taken back where it lives, it is taken back here.
  return { ...rest, ...(suppressed && { suppressed }), ...(resolved && { resolved }) };
}

/**
 * The alert that a case holds after `next` came in; `held` itself where nothing is new. A later version replaces an earlier
 * one, a copy (`copyOf`) never replaces the original, pages of one Health event add up.
 */
export function mergedAlert(held: Alert, next: Alert): Alert {
  if (next.copyOf !== undefined && held.copyOf === undefined) return withCopy(held, next);
  if (held.copyOf !== undefined && next.copyOf === undefined) return withCopy(next, held);
  const newer = isNewer(next, held);
  // The same call by the same principal on one day: an event each, told together.
  if (next.source === 'cloudtrail' && next.findingId !== held.findingId) {
    const [later, earlier] = newer ? [next, held] : [held, next];
    const firstSeen = earlier.firstSeen ?? later.firstSeen;
    return {
      ...withMore(later, earlier),
      count: held.count + next.count,
      ...(firstSeen !== undefined && { firstSeen }),
    };
  }
  // Health tells of many entities in pages; every other source repeats all that it knows.
  if (next.source === 'health') return newer ? withMore(next, held) : withMore(held, next);
  return newer ? next : held;
}
