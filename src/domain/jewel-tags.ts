/**
 * Crown jewels by tag. The tags of an account are the operator's. Those of a resource come with the finding and may be the
 * actor's own: one that the records show to be his does not count. Pure.
 */
import type { Alert, ResourceTag } from '../contracts/alert.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { creationsOf } from './creation.ts';
import { tagSetters } from './dossier/tags.ts';
import { globMatch } from './glob.ts';
import { principalGroup, principalOf } from './principal.ts';

/** A tag that is younger than this when the activity began may be part of it. */
const youngMs = 24 * 60 * 60 * 1_000;

/** `crown-jewel=yes`; `*` stands for any characters on either side. */
export function isJewelTag(
  { key, value }: { readonly key: string; readonly value: string },
  patterns: readonly string[],
): boolean {
  return patterns.some((pattern) => {
    const at = pattern.indexOf('=');
    return globMatch(pattern.slice(0, at), key) && globMatch(pattern.slice(at + 1), value);
  });
}

export function hasJewelTag(tags: Readonly<Record<string, string>> | undefined, patterns: readonly string[]): boolean {
  return Object.entries(tags ?? {}).some(([key, value]) => isJewelTag({ key, value }, patterns));
}

/** Tags of the alert's resources by which they would be crown jewels, if the actor did not set them. Nothing of a sample. */
export function claimedJewels(alert: Alert, patterns: readonly string[]): readonly ResourceTag[] {
  if (alert.sample || patterns.length === 0) return [];
  return (alert.resourceTags ?? []).filter((tag) => isJewelTag(tag, patterns));
}

/**
 * Whether the records of the resource show that the tag is the actor's: set by him, by his key, or by anybody within a day before
 * the activity began, or on a resource that was made within that day. A tag that no record tells of is older than the records, and
 * counts.
 */
export function isActorsTag(tag: ResourceTag, alert: Alert, records: readonly CloudTrailRecord[]): boolean {
  const began = Date.parse(alert.firstSeen ?? alert.updatedAt);
  const isYoung = ({ eventTime }: CloudTrailRecord) => !(Date.parse(eventTime) < began - youngMs);
  if (creationsOf(tag.resource, records).some(({ record }) => isYoung(record))) return true;
  // Security Hub's copy may have lost the case of the first letter.
  const key = tag.key.toLowerCase();
  const record = [...tagSetters(tag.resource, records)].find(([name]) => name.toLowerCase() === key)?.[1];
  if (record === undefined) return false;
  if (isYoung(record)) return true;
  const { accessKeyId, userName, principalArn } = alert.actor;
  if (accessKeyId !== undefined && record.userIdentity.accessKeyId === accessKeyId) return true;
  const principal = principalOf(record);
  if (principal === undefined) return false;
  const setBy = nameOf(principalGroup(principal));
  const actors = [userName, principalArn === undefined ? undefined : nameOf(roleOrName(principalArn))];
  return actors.some((name) => name !== undefined && name.toLowerCase() === setBy.toLowerCase());
}

function roleOrName(arn: string): string {
  return /:assumed-role\/([^/]+)/.exec(arn)?.[1] ?? arn;
}

function nameOf(arn: string): string {
  return arn.split(/[:/]/).at(-1) ?? arn;
}
