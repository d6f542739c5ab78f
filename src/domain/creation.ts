/** Who made a thing, and who made it again after that. */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { sameThing } from './acting.ts';
import { linksOf } from './links.ts';
import { nodeOfArn, principalOf } from './principal.ts';

export interface Creation {
  /** The principal's id. */
  readonly creator: string;
  readonly record: CloudTrailRecord;
  readonly eventName: string;
  /** The AWS service that made the call for the creator, or by itself. */
  readonly through: string;
}

const makes = new Set(['created', 'minted', 'assumed']);

/** Every creation of the thing in the records, oldest first. Sessions and temporary keys are "made" by being minted. */
export function creationsOf(id: string, records: readonly CloudTrailRecord[]): readonly Creation[] {
  return records.flatMap((record) => {
    const actor = principalOf(record)?.id ?? '';
    const { edges } = linksOf(record);
    const isIt = (to: string) =>
      sameThing(to, id) || edges.some((edge) => edge.kind === 'same-as' && edge.from === id && edge.to === to);
    const link = edges.find(
      (edge) =>
        makes.has(edge.kind) &&
        isIt(edge.to) &&
        // Taking a role makes a session; the role was there.
        !(edge.kind === 'assumed' && nodeOfArn(edge.to)?.kind === 'role') &&
        (edge.from === actor || actor === '' || edge.kind === 'created'),
    );
    if (!link) return [];
    return [
      {
        creator: link.from,
        record,
        eventName: record.eventName,
        through: record.userIdentity.invokedBy ?? '',
      },
    ];
  });
}

/** Deletions of the thing, oldest first. */
export function deletionsOf(id: string, records: readonly CloudTrailRecord[]): readonly CloudTrailRecord[] {
  return records.filter((record) =>
    linksOf(record).edges.some((edge) => edge.kind === 'deleted' && sameThing(edge.to, id)),
  );
}

/** Whether the call did something to the thing. Every call of a session leads to its role too, which it only took. */
export function isDoneTo(id: string, record: CloudTrailRecord): boolean {
  return linksOf(record).edges.some((edge) => edge.kind !== 'assumed' && sameThing(edge.to, id));
}
