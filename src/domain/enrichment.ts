/** What is looked up about an alert, and how the answers come together. Pure. */
import type { Alert } from '../contracts/alert.ts';
import type { Enrichment, EnrichmentPart, EnrichmentSubject } from '../contracts/enrichment.ts';
import type { Deed, Privilege } from '../contracts/investigation.ts';
import { accessKeyId } from './access-key.ts';
import { isPrivateIp, parseIp } from './address.ts';
import { parseArn, roleArnOfSession } from './principal.ts';

/** More instances and addresses than this wait for /ir. */
const mostInstances = 2;
const mostAddresses = 2;

/** The main actor, its key, the instances and the addresses of an alert. Nothing of a sample: its resources are not real. */
export function subjectsOf(alert: Alert): readonly EnrichmentSubject[] {
  if (alert.sample || alert.type === '' || !/^\d{12}$/.test(alert.accountId)) return [];
  const { accountId, region } = alert;
  const subjects: EnrichmentSubject[] = [];
  const add = (
    investigation: EnrichmentSubject['investigation'],
    artifact: string,
    more: Readonly<Record<string, unknown>> = {},
  ) => {
    subjects.push({
      key: `${investigation}:${accountId}:${artifact}`,
      investigation,
      accountId,
      target: { artifact, ...more },
    });
  };
  const actor = actorArn(alert);
  if (actor !== undefined) add('who', actor, alert.firstSeen === undefined ? {} : { thisTime: alert.firstSeen });
  const { accessKeyId: key } = alert.actor;
  if (key !== undefined && accessKeyId.test(key)) add('key', key);
  const instances = [alert.resource.id, ...alert.resourceIds].filter(
    (id): id is string => id !== undefined && /^i-[0-9a-f]{8,17}$/.test(id),
  );
  for (const id of [...new Set(instances)].slice(0, mostInstances))
    add('instance', id, { accountId, ...(region === '' ? {} : { region }) });
  const addresses = alert.remote.flatMap(({ ip }) => parseIp(ip) ?? []).filter((ip) => !isPrivateIp(ip));
  for (const ip of [...new Set(addresses)].slice(0, mostAddresses)) add('ip', ip, { onlyAccounts: [accountId] });
  return subjects;
}

/** The ARN of the acting identity, where the finding lets us know it. */
function actorArn({ actor, partition, accountId }: Alert): string | undefined {
  const { principalArn, userName, userType } = actor;
  const arn = principalArn === undefined ? undefined : parseArn(principalArn);
  if (
    arn !== undefined &&
    principalArn !== undefined &&
    /^(user|role)\/|^assumed-role\/[^/]+\/|^root$/.test(arn.resource)
  ) {
    return roleArnOfSession(principalArn) ?? principalArn;
  }
  const prefix = `arn:${partition || 'aws'}:iam::${accountId}`;
  if (userType === 'Root') return `${prefix}:root`;
  if (userName === undefined || !/^[\w+=,.@-]{1,128}$/.test(userName)) return undefined;
  if (userType === 'IAMUser') return `${prefix}:user/${userName}`;
  return userType === 'AssumedRole' || userType === 'Role' ? `${prefix}:role/${userName}` : undefined;
}

/** Changes where the subjects change. */
export function versionOf(subjects: readonly EnrichmentSubject[]): string {
  return subjects
    .map(({ key }) => key)
    .sort()
    .join('\n');
}

const strength: readonly Privilege[] = ['none', 'read', 'compute', 'data', 'escalation', 'admin'];

/** What the severity rests on: the widest rights and the weightiest deed that any part tells. */
export function gravestOf(parts: readonly EnrichmentPart[]): {
  readonly privilege: Privilege | undefined;
  readonly did: Deed | undefined;
} {
  const privilege = parts
    .flatMap(({ brief }) => brief.privilege ?? [])
    .toSorted((a, b) => strength.indexOf(b) - strength.indexOf(a))[0];
  const did = parts
    .flatMap(({ brief }) => brief.did ?? [])
    .toSorted((a, b) => b.weight - a.weight || Number(a.complete) - Number(b.complete))[0];
  return { privilege, did };
}

export type EnrichmentState = 'running' | 'waiting' | 'done';

/** `waiting`: something may come later. */
export function stateOf(enrichment: Enrichment): EnrichmentState {
  if (enrichment.finishedAt !== undefined) return 'done';
  return enrichment.tries > 0 ? 'waiting' : 'running';
}
