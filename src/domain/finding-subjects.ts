/** What of a finding can be looked into, and what can be stopped. */
import type { Alert } from '../contracts/alert.ts';
import { UserError } from '../contracts/errors.ts';
import { accessKeyId as keyForm } from './access-key.ts';
import { isPrivateIp } from './address.ts';
import { classify } from './artifact.ts';

function isArtifact(text: string | undefined): text is string {
  if (text === undefined) return false;
  try {
    classify(text);
    return true;
  } catch (thrown) {
    if (thrown instanceof UserError) return false;
    throw thrown;
  }
}

/**
 * Where a pivot starts: key id, else the principal's ARN, else the instance, else the resource, else the remote address.
 * Only what the pivot command takes counts. Undefined where the finding names nothing of the kind.
 */
export function pivotSeedOf(alert: Alert): string | undefined {
  const { actor, resource, resourceIds, remote, source, accountId } = alert;
  const candidates = [
    actor.accessKeyId,
    actor.principalArn,
    ...resourceIds.filter((id) => id.startsWith('i-')),
    resource.id,
    ...resourceIds,
    ...remote.map(({ ip }) => ip),
    // All that a report may name is an account.
    source === 'report' || source === 'other' ? accountId : undefined,
  ];
  return candidates.find(isArtifact);
}

const mostSeeds = 20;

/**
 * What else belongs to the start of the story, where the alert is about several things at once: every key, identity, instance
 * and address of an attack sequence, a report or an exposure. Empty for a plain finding, whose one seed leads to the rest.
 */
export function furtherSeedsOf(alert: Alert): readonly string[] {
  const { actor, furtherActors = [], accessKeys = [], resourceIds, remote, signals = [], source } = alert;
  if (signals.length === 0 && furtherActors.length === 0 && source !== 'report' && source !== 'other') return [];
  const seed = pivotSeedOf(alert);
  const candidates = [
    ...[actor, ...furtherActors].flatMap((one) => [one.accessKeyId, one.principalArn]),
    ...accessKeys,
    ...resourceIds.filter((id) => id.startsWith('i-')),
    ...remote.map(({ ip }) => ip).filter((ip) => !isPrivateIp(ip)),
  ];
  return [...new Set(candidates)].filter((one) => one !== seed && isArtifact(one)).slice(0, mostSeeds) as string[];
}

/** Families of which the instance itself is the sign, whoever began the connection. */
const ownDoing = /^(?:Backdoor|CryptoCurrency|Trojan):/;

/**
 * Whether somebody attacks our resource from outside: a probed port, a connection from the other side. `resourceRole` alone does
 * not tell: GuardDuty writes TARGET also of instances that look up a miner's name or call a command server (its samples of
 * Trojan:EC2/DropPoint, BlackholeTraffic and UnauthorizedAccess:EC2/TorClient).
 */
export function isAttacked({ resourceRole, connectionDirection, actionType, type }: Alert): boolean {
  if (resourceRole !== 'TARGET' || ownDoing.test(type)) return false;
  return connectionDirection === 'INBOUND' || actionType === 'PORT_PROBE';
}

/** Whether our resource calls out, so that the other side is no source: it may be a victim or a command server. */
export function callsOut({ resourceRole, connectionDirection }: Alert): boolean {
  return resourceRole === 'ACTOR' || connectionDirection === 'OUTBOUND';
}

/** Why this finding offers no access key to disable, as a sentence; undefined where it does. */
export function whyNoKey(alert: Alert): string | undefined {
  const { accessKeyId, userType } = alert.actor;
  if (alert.sample) return 'This is a sample finding: its resources are not real.';
  if (accessKeyId === undefined && isAttacked(alert))
    return 'The finding names no access key, and tells of an attack on the resource, not of one by it.';
  if (accessKeyId === undefined) return 'The finding names no access key.';
  if (accessKeyId.startsWith('ASIA')) return 'The key is a temporary one, which AWS cannot disable.';
  if (userType === 'Root') return "Only the root user itself can disable the root user's key.";
  if (!keyForm.test(accessKeyId)) return 'The access key in the finding does not have the form of one.';
  return undefined;
}

/** The long-term access key (AKIA) that can be disabled. Never that of a sample, never the root user's. */
export function containableKeyOf(alert: Alert): string | undefined {
  return whyNoKey(alert) === undefined ? alert.actor.accessKeyId : undefined;
}

/** Whether anything may be contained in an account; `no` is a sentence that says why not. */
export type Containable = { readonly yes: true } | { readonly no: string };
