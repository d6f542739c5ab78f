/**
 * What ties alerts to one activity: the same actor and the same resource, in any Region and from any product (DOMAIN.md 2.6),
 * and the findings of one attack sequence (DOMAIN.md 2.5). Pure functions over the Alert.
 */
import { createHash } from 'node:crypto';
import type { Alert } from '../contracts/alert.ts';
import type { AlertLinks, Novelty } from '../contracts/noise.ts';
import { severityRank } from './severity.ts';

/** `Persistence` of `Persistence:IAMUser/AnomalousBehavior`; the source's own word where the type has no such form. */
export function tacticOf(alert: Pick<Alert, 'type' | 'source'>): string {
  const [purpose = '', rest] = alert.type.split(':', 2);
  return rest === undefined || purpose === '' ? alert.source : purpose;
}

/** The resource as one word, the same whether a product names it by ARN or by name. Undefined where none is named. */
export function resourceKeyOf(alert: Alert): string | undefined {
  if (alert.resource.type === 'AccessKey') return undefined;
  const named = alert.resource.id ?? alert.resource.name ?? alert.resourceIds[0];
  return named === undefined ? undefined : lastOf(named).toLowerCase();
}

/** Whose doing it is: the principal by name, else the key, else the address or domain of the other side. */
export function actorKeyOf(alert: Alert): string | undefined {
  const { userName, principalArn, principalId, accessKeyId } = alert.actor;
  if (userName !== undefined) return `name:${userName.toLowerCase()}`;
  // The role, not the session: the sessions of one role are one actor here.
  const role = /:assumed-role\/([^/]+)/.exec(principalArn ?? '')?.[1];
  const byArn = role ?? (principalArn === undefined ? undefined : lastOf(principalArn));
  if (byArn !== undefined) return `name:${byArn.toLowerCase()}`;
  if (accessKeyId !== undefined) return `key:${accessKeyId}`;
  if (principalId !== undefined) return `id:${principalId.split(':')[0] ?? ''}`;
  const ip = alert.remote.map((remote) => remote.ip).sort()[0];
  if (ip !== undefined) return `ip:${ip}`;
  return alert.domain === undefined ? undefined : `domain:${alert.domain.toLowerCase()}`;
}

/** Real, and open: neither a sample, nor put away or over where it comes from. */
export function isLive(alert: Alert): boolean {
  return !alert.sample && !alert.archived && alert.suppressed !== true && alert.resolved !== true;
}

/**
 * Links of an alert. An alert without an actor, a sample, or one without an account is tied to nothing: a wrong join hides an
 * alert, a missed one only costs a card.
 */
export function linksOf(alert: Alert): AlertLinks {
  if (alert.sample) return { keys: [], absorbs: [] };
  const parts = alert.signals ?? [];
  const absorbs = parts.flatMap(({ type, id }) => (type === 'FINDING' && id !== undefined ? [findingKey(id)] : []));
  const own = alert.findingArn === undefined ? [] : [findingKey(alert.findingArn)];
  // A sequence has many actors and resources: single findings come to it by its signals, not by its first actor.
  // One that is put away speaks to nobody and calls nobody: what it took in would fall silent with it.
  if (parts.length > 0) return isLive(alert) ? { keys: [...own, ...absorbs], absorbs } : { keys: own, absorbs: [] };
  const actor = actorKeyOf(alert);
  const resource = resourceKeyOf(alert);
  const isIdentity = alert.resource.type === 'AccessKey';
  if (actor === undefined || alert.accountId === '' || (resource === undefined && !isIdentity)) {
    return { keys: own, absorbs: [] };
  }
  const activity = JSON.stringify(['activity', alert.partition, alert.accountId, actor, resource ?? '']);
  return { keys: [hash(activity), ...own], absorbs: [] };
}

/**
 * Whether an alert may go into the case of another one that it is linked with. A product that gives two findings of one type in one
 * Region two ids says itself that they are two things; what it says of another type, Region or product is the same activity.
 */
export function mayJoin(alert: Alert, members: readonly Alert[]): boolean {
  const contains = (one: Alert, other: Alert) =>
    other.findingArn !== undefined && (one.signals ?? []).some(({ id }) => id === other.findingArn);
  if (members.some((member) => contains(member, alert))) return true;
  if ((alert.signals ?? []).length > 0) return false;
  return !members.some(
    (member) =>
      member.sample || (member.source === alert.source && member.region === alert.region && member.type === alert.type),
  );
}

export function noveltyOf(alert: Alert): Novelty {
  const { accountId, sample } = alert;
  const rank = severityRank(alert.severity);
  return { accountId, tactic: tacticOf(alert), rank, resource: resourceKeyOf(alert), sample };
}

function findingKey(arn: string): string {
  return hash(JSON.stringify(['finding', arn]));
}

/** Of an object in S3 the bucket too: many buckets have an `index.html`. */
function lastOf(name: string): string {
  const inS3 = /^arn:[^:]+:s3:::(.+)$/s.exec(name)?.[1];
  if (inS3 !== undefined) return inS3;
  return name.startsWith('arn:') ? (name.split(/[:/]/).at(-1) ?? name) : name;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
