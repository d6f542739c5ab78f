/** Addresses and interfaces of an instance, as CloudTrail and EC2 tell them. */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { parseIp } from './address.ts';
import { fieldsOf } from './links-fields.ts';
import { succeeded } from './principal.ts';

export interface InstancePlaces {
  readonly addresses: readonly string[];
  readonly interfaces: readonly string[];
  /** Account and Region where it was seen. */
  readonly places: readonly { readonly accountId: string; readonly region: string }[];
}

interface Grown {
  readonly addresses: Set<string>;
  readonly interfaces: Set<string>;
}

const addressKeys = new Set(['privateipaddress', 'publicip', 'ipaddress', 'ipv6address', 'publicipaddress']);
const maxDepth = 12;

/**
 * What the records' answers say of the instance: the parts of RunInstances and its kin that name it, and addresses that were
 * associated with it. A launch of many tells each instance's own. Its places are those where EC2 answered about it: who looks for it tries
 * all Regions, and it calls others itself. Where EC2 never did, any counts.
 */
export function placesInRecords(instanceId: string, records: readonly CloudTrailRecord[]): InstancePlaces {
  const found: Grown = { addresses: new Set(), interfaces: new Set() };
  const places = new Map<string, { accountId: string; region: string }>();
  const seen = new Map<string, { accountId: string; region: string }>();
  for (const record of records) {
    const accountId = record.recipientAccountId ?? record.userIdentity.accountId ?? '';
    const isPlace = /^\d{12}$/.test(accountId) && record.awsRegion !== '';
    const at = [`${accountId} ${record.awsRegion}`, { accountId, region: record.awsRegion }] as const;
    if (isPlace) seen.set(...at);
    if (record.eventSource !== 'ec2.amazonaws.com' || !succeeded(record)) continue;
    if (isPlace) places.set(...at);
    const request = record.requestParameters;
    if (record.eventName === 'AssociateAddress' && request?.instanceId === instanceId) take(request, found);
    if (record.eventName === 'AttachNetworkInterface' && request?.instanceId === instanceId) take(request, found);
    takeOwn(record.responseElements, instanceId, found, 0);
  }
  return {
    addresses: [...found.addresses],
    interfaces: [...found.interfaces],
    places: [...(places.size > 0 ? places : seen).values()],
  };
}

/** The objects that carry the instance's id, with all that they hold. */
function takeOwn(value: unknown, instanceId: string, found: Grown, depth: number): void {
  if (depth > maxDepth || typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value) && (value as { instanceId?: unknown }).instanceId === instanceId) {
    take(value, found);
    return;
  }
  for (const inner of Object.values(value)) takeOwn(inner, instanceId, found, depth + 1);
}

/** Every address and interface in the value, which is about one instance. */
export function take(value: unknown, found: Grown): void {
  for (const { key, value: text } of fieldsOf(value)) {
    if (key === 'networkinterfaceid' && /^eni-[0-9a-f]{8,32}$/.test(text)) found.interfaces.add(text);
    const address = addressKeys.has(key) ? parseIp(text) : undefined;
    if (address) found.addresses.add(address);
  }
}
