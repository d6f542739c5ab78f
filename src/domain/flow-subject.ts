/** Which flows are an instance's own, and of which of its places there are none. */
import type { Coverage } from '../contracts/evidence.ts';
import type { FlowGroup, FlowQuestion } from '../contracts/network.ts';
import { isPrivateIp } from './address.ts';
import type { InstancePlaces } from './instance-places.ts';

type Places = InstancePlaces['places'];

export interface OfSubject {
  readonly groups: readonly FlowGroup[];
  /** What other interfaces logged of a private address of its, and its own did not. */
  readonly leftOut: readonly FlowGroup[];
}

/**
 * A private address is another machine's in another account or Region, and may have been another's before or after: where the instance's own
 * interfaces tell of the address, only they do. All else stays, as far as nothing ties it to another.
 */
export function ofSubject(all: readonly FlowGroup[], question: FlowQuestion, places: Places): OfSubject {
  const isOwn = ({ interfaceId, instanceId }: FlowGroup) =>
    question.interfaces.includes(interfaceId) || question.instances.includes(instanceId);
  const own = all.filter(isOwn);
  const told = new Set(own.flatMap(({ srcaddr, dstaddr }) => [srcaddr, dstaddr]));
  const groups: FlowGroup[] = [];
  const leftOut: FlowGroup[] = [];
  for (const group of all) {
    const ends = [group.srcaddr, group.dstaddr];
    const asked = ends.filter((end) => question.addresses.includes(end));
    const isOthers =
      group.interfaceId !== '' && asked.length > 0 && asked.every((end) => isPrivateIp(end) && told.has(end));
    if (isOwn(group) || (!isOthers && isInPlace(group, asked, question, places))) groups.push(group);
    else if (ends.some((end) => !told.has(end))) leftOut.push(group);
  }
  return { groups, leftOut };
}

function isInPlace(group: FlowGroup, asked: readonly string[], { interfaces }: FlowQuestion, places: Places): boolean {
  if (places.length === 0 || interfaces.length === 0) return true;
  if (asked.some((address) => !isPrivateIp(address))) return true;
  return places.some(
    ({ accountId, region }) =>
      (group.accountId === '' || group.accountId === accountId) && (group.region === '' || group.region === region),
  );
}

/** What the flows of an instance or interface lack, in words: logs of the places where it was seen, or of its own interfaces. */
export function unlogged(
  question: FlowQuestion,
  places: Places,
  groups: readonly FlowGroup[],
  network: Coverage,
): readonly string[] {
  const bare = places
    .filter((place) => !isLogged(place, groups, network))
    .map(
      ({ accountId, region }) =>
        `VPC flow logs of ${accountId} ${region}, where the instance was seen: none were found`,
    );
  if (bare.length > 0) return bare;
  if (groups.length === 0)
    return ['flow logs of it: not one line is its own, and they are set up by VPC, subnet or interface'];
  const isOwn = groups.some(
    ({ interfaceId, instanceId }) =>
      interfaceId === '' || question.interfaces.includes(interfaceId) || question.instances.includes(instanceId),
  );
  return isOwn || question.interfaces.length === 0
    ? []
    : [
        'flow logs of its own interfaces: the lines are of others, with its address, which may have been another machine’s then',
      ];
}

/** Lines that name no account or Region may be of any. */
function isLogged({ accountId, region }: Places[number], groups: readonly FlowGroup[], network: Coverage): boolean {
  const has = (list: readonly string[], one: string) => list.length === 0 || list.includes(one);
  if (has(network.accounts, accountId) && has(network.regions, region)) return true;
  return groups.some(
    (group) => has([group.accountId].filter(Boolean), accountId) && has([group.region].filter(Boolean), region),
  );
}
