/** Tags, and who set them: an owner tag on a thing that the actor made is the actor's claim, not the owner's word. */
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { sameThing } from '../acting.ts';
import { isDoneTo } from '../creation.ts';
import { fieldsOf } from '../links-fields.ts';
import { labelOf } from '../pivot-actors.ts';
import { principalOf, succeeded } from '../principal.ts';
import type { Tag } from './identity-facts.ts';

export interface ToldTag extends Tag {
  /** The principal's id; undefined where no record in the window says. */
  readonly setBy?: string;
  readonly eventId?: string;
  /** True where the thing's maker set it himself while making it or after. */
  readonly claim: boolean;
}

const writesTags =
  /^(CreateTags|AddTags|Put(Bucket|Object)Tagging|Tag(User|Role|Resource|InstanceProfile|Policy)|Run|Create)/;

/** The tags with their setters. `records` are those of the thing, in order of time; `maker` is the principal that made it. */
export function toldTags(
  id: string,
  tags: readonly Tag[],
  records: readonly CloudTrailRecord[],
  maker: string | undefined,
): readonly ToldTag[] {
  const setters = tagSetters(id, records);
  return tags.map((tag) => {
    const record = setters.get(tag.key);
    const setBy = record && principalOf(record)?.id;
    if (record === undefined || setBy === undefined) return { ...tag, claim: false };
    return { ...tag, setBy, eventId: record.eventID, claim: maker !== undefined && sameThing(setBy, maker) };
  });
}

/** The record that set each tag of the thing last, by the tag's key. `records` are in order of time. */
export function tagSetters(id: string, records: readonly CloudTrailRecord[]): ReadonlyMap<string, CloudTrailRecord> {
  const setters = new Map<string, CloudTrailRecord>();
  for (const record of records) {
    if (!succeeded(record) || !writesTags.test(record.eventName) || !touches(record, id)) continue;
    for (const { key, value } of fieldsOf(record.requestParameters))
      if (key.toLowerCase() === 'key') setters.set(value, record);
  }
  return setters;
}

function touches(record: CloudTrailRecord, id: string): boolean {
  if (isDoneTo(id, record)) return true;
  return [record.requestParameters, record.responseElements].some((body) =>
    fieldsOf(body).some(({ value }) => sameThing(value, id)),
  );
}

/** `owner=build-team (set by user pipeline, who made it: a claim)`. */
export function tagWords(tag: ToldTag): string {
  const by =
    tag.setBy === undefined
      ? 'who set it is not in the window'
      : `set by ${labelOf(tag.setBy)}${tag.claim ? ', who made the thing: a CLAIM' : ''}`;
  return `${tag.key}=${tag.value} (${by})`;
}
