/**
 * What a contained identity may go on doing: learned from what it did before the incident, from places that are not the
 * suspect's. Never holds the floor, whoever asks for it: with those actions an attacker gets out of the containment.
 */
import ipaddr from 'ipaddr.js';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { iamActionsOf } from './iam-actions.ts';

/** Never kept: identities, sessions, the organisation; keys destroyed or handed out; what would blind the defenders. */
const floorServices: readonly string[] = [
  'iam',
  'sts',
  'organizations',
  'account',
  'sso',
  'sso-directory',
  'identitystore',
  'rolesanywhere',
];
/** Of these only what reads is kept. */
const readOnlyServices: readonly string[] = [
  'cloudtrail',
  'guardduty',
  'config',
  'securityhub',
  'access-analyzer',
  'detective',
  'inspector2',
  'macie2',
];
const reads = /^(Get|List|Describe|Lookup|BatchGet)/;
const floorActions: readonly string[] = [
  'kms:CreateGrant',
  'kms:DeleteAlias',
  'kms:DeleteCustomKeyStore',
  'kms:DeleteImportedKeyMaterial',
  'kms:DisableKey',
  'kms:DisableKeyRotation',
  'kms:DisconnectCustomKeyStore',
  'kms:PutKeyPolicy',
  'kms:ScheduleKeyDeletion',
  'kms:UpdateAlias',
  'kms:UpdatePrimaryRegion',
  'logs:AssociateKmsKey',
  'logs:DeleteDestination',
  'logs:DeleteLogGroup',
  'logs:DeleteLogStream',
  'logs:DeleteMetricFilter',
  'logs:DeleteResourcePolicy',
  'logs:DeleteRetentionPolicy',
  'logs:DeleteSubscriptionFilter',
  'logs:DisassociateKmsKey',
  'logs:PutDestination',
  'logs:PutDestinationPolicy',
  'logs:PutResourcePolicy',
  'logs:PutRetentionPolicy',
  'logs:PutSubscriptionFilter',
  'ec2:DeleteFlowLogs',
];

/** `svc:Action`, with `*` and `?` in the action only. */
export const keptAction = /^[a-z0-9-]{2,40}:[A-Za-z0-9*?]{1,100}$/;

/** Whether an entry, with its wildcards, would let through anything of the floor. */
export function isInFloor(entry: string): boolean {
  const [service = '', action = ''] = entry.split(':');
  const name = service.toLowerCase();
  if (floorServices.includes(name)) return true;
  // A wildcard before the verb is complete (`G*`) is no read either.
  if (readOnlyServices.includes(name)) return !reads.test(action);
  return floorActions.some((floor) => covers(entry, floor));
}

/** Whether an entry of the list, which may hold wildcards, lets this action through. IAM compares without case. */
export function covers(entry: string, action: string): boolean {
  const source = entry
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'i').test(action);
}

/** An address, a range, or a part of a user agent, as `without=` takes it. */
export function isSuspect(
  { sourceIPAddress, userAgent }: Pick<CloudTrailRecord, 'sourceIPAddress' | 'userAgent'>,
  suspects: readonly string[],
): boolean {
  return suspects.some((suspect) => inRange(suspect, sourceIPAddress) ?? holds(userAgent, suspect));
}

/** Undefined where the suspect is no address. */
function inRange(suspect: string, address: string): boolean | undefined {
  const text = suspect.includes('/') ? suspect : `${suspect}/${suspect.includes(':') ? 128 : 32}`;
  if (!ipaddr.isValidCIDR(text)) return undefined;
  if (!ipaddr.isValid(address)) return false;
  const [network, bits] = ipaddr.parseCIDR(text);
  const found = ipaddr.process(address);
  return found.kind() === network.kind() && found.match([network, bits] as never);
}

function holds(text: string, part: string): boolean {
  return text.toLowerCase().includes(part.toLowerCase());
}

/** One service in IAM's last-accessed report. Times are ISO 8601 UTC. */
export interface ServiceUse {
  readonly service: string;
  readonly lastUsed: string;
  readonly actions: readonly { readonly name: string; readonly lastUsed: string }[];
}

export interface Learned {
  /** Sorted, without what a wildcard of `keep` covers already. */
  readonly actions: readonly string[];
  /** Used before, and left out because the floor never is kept. */
  readonly floor: readonly string[];
  /** Events for which no IAM action can be named. */
  readonly unnamed: readonly string[];
  /** Services that IAM saw used (it tells the last time only), and of which the list holds nothing. */
  readonly unlisted: readonly string[];
}

/**
 * The list. `records` are the identity's own calls before the incident; `uses` is IAM's report. An action that the log knows from
 * the suspect only is not taken from the report: that says when, not from where.
 */
export function learn(
  records: readonly CloudTrailRecord[],
  uses: readonly ServiceUse[],
  asked: { readonly before: string; readonly without: readonly string[]; readonly keep: readonly string[] },
): Learned {
  const before = Date.parse(asked.before);
  const own = new Set<string>();
  const suspect = new Set<string>();
  const unnamed = new Set<string>();
  for (const record of records) {
    if (Date.parse(record.eventTime) >= before || (record.errorCode ?? '') !== '') continue;
    const needed = iamActionsOf(record);
    const isTheirs = isSuspect(record, asked.without);
    if ('unknown' in needed) {
      if (!isTheirs) unnamed.add(needed.unknown);
      continue;
    }
    for (const action of needed.actions) (isTheirs ? suspect : own).add(action);
  }
  for (const { service, actions } of uses) {
    for (const { name, lastUsed } of actions) {
      const action = `${service}:${name}`;
      if (keptAction.test(action) && Date.parse(lastUsed) < before && !suspect.has(action)) own.add(action);
    }
  }
  const floor = [...own].filter(isInFloor).sort();
  const learned = [...own].filter((action) => !isInFloor(action) && !asked.keep.some((entry) => covers(entry, action)));
  const actions = [...new Set([...asked.keep, ...learned])].sort();
  const unlisted = uses
    .filter(({ service }) => !floorServices.includes(service))
    .map(({ service }) => service)
    .filter((service) => !actions.some((action) => action.toLowerCase().startsWith(`${service}:`)));
  return { actions, floor, unnamed: [...unnamed].sort(), unlisted: [...new Set(unlisted)].sort() };
}
