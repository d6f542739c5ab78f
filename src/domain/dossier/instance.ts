/** The dossier of an EC2 instance: what it rests on, and the rules that need no AWS. */
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import type { Coverage } from '../../contracts/evidence.ts';
import type { Deed } from '../../contracts/investigation.ts';
import type { AccountFacts } from '../../contracts/surroundings.ts';
import { linksOf } from '../links.ts';
import { principalOf, succeeded } from '../principal.ts';
import type { Gap } from './gaps.ts';
import type { Rights } from './rights.ts';
import type { ToldTag } from './tags.ts';
import type { UserData } from './user-data.ts';

export interface OpenDoor {
  readonly groupId: string;
  readonly groupName: string;
  readonly direction: 'in' | 'out';
  /** `tcp 22`, `all`. */
  readonly ports: string;
  readonly from: string;
}

export interface ImageFacts {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  /** `amazon`, `aws-marketplace`, `self`; "" where AWS does not say. */
  readonly ownerAlias: string;
  readonly public: boolean;
  readonly createdAt: string | null;
  readonly ageDays: number | null;
}

export interface InstanceFacts {
  readonly id: string;
  readonly accountId: string;
  readonly region: string;
  readonly state: string;
  readonly type: string;
  readonly launchedAt: string | null;
  readonly imageId: string;
  readonly keyName: string | null;
  readonly vpcId: string | null;
  readonly subnetId: string | null;
  readonly privateIp: string | null;
  readonly publicAddresses: readonly string[];
  readonly groups: readonly { readonly id: string; readonly name: string }[];
  readonly profileArn: string | null;
  readonly reservationId: string;
  readonly metadata: { readonly v1Allowed: boolean | null; readonly hopLimit: number | null };
  readonly tags: readonly { readonly key: string; readonly value: string }[];
}

export interface Sibling {
  readonly id: string;
  /** What it shares: `same launch`, `same key`, `same AMI`. */
  readonly because: readonly string[];
  /** undefined: nobody could tell. */
  readonly hasFinding: boolean | undefined;
}

export interface InstanceAnswer {
  readonly instance: string;
  readonly accountId: string | null;
  readonly account: AccountFacts | null;
  readonly region: string | null;
  /** AWS's word for its state, `gone`, or null: not known. */
  readonly state: string | null;
  readonly facts: Omit<InstanceFacts, 'tags'> | null;
  readonly tags: readonly ToldTag[];
  readonly image: ImageFacts | null;
  readonly launchedBy: {
    readonly by: string;
    readonly eventId: string;
    readonly eventTime: string;
    readonly eventName: string;
    readonly sourceIp: string;
    readonly accessKey: string | null;
    readonly through: string;
  } | null;
  readonly openDoors: readonly OpenDoor[] | null;
  readonly profile: { readonly arn: string; readonly role: string | null; readonly rights: Rights | null } | null;
  /** Without its text, which may hold secrets. */
  readonly userData: (Omit<UserData, 'text'> & { readonly sha256: string }) | null;
  /** False where the instance has none; null where it could not be read. */
  readonly hasUserData: boolean | null;
  readonly siblings: readonly Sibling[];
  /** Calls that its own role session made. */
  readonly calls: number;
  readonly did: Deed;
  readonly notAnswered: readonly Gap[];
  readonly coverage: Coverage;
}

export interface SecurityGroupRules {
  readonly id: string;
  readonly name: string;
  readonly inbound: readonly Rule[];
  readonly outbound: readonly Rule[];
}
export interface Rule {
  /** -1: all. */
  readonly protocol: string;
  readonly fromPort: number | undefined;
  readonly toPort: number | undefined;
  readonly ranges: readonly string[];
}

/** Rules that take in the whole internet. Outbound ones are the default and say little: only inbound counts as a door. */
export function openDoorsOf(groups: readonly SecurityGroupRules[]): readonly OpenDoor[] {
  return groups.flatMap((group) =>
    group.inbound.flatMap((rule) =>
      rule.ranges
        .filter((range) => range === '0.0.0.0/0' || range === '::/0' || wide(range))
        .map((from) => ({
          groupId: group.id,
          groupName: group.name,
          direction: 'in' as const,
          ports: portWords(rule),
          from,
        })),
    ),
  );
}

/** 0.0.0.0/1 and 128.0.0.0/1 together are the whole internet too. */
function wide(range: string): boolean {
  const bits = Number(/^[\d.]+\/(\d+)$/.exec(range)?.[1] ?? 32);
  return bits <= 4;
}

function portWords({ protocol, fromPort, toPort }: Rule): string {
  if (protocol === '-1') return 'every port';
  if (fromPort === undefined || toPort === undefined || (fromPort <= 0 && toPort >= 65_535))
    return `${protocol}, every port`;
  return fromPort === toPort ? `${protocol} ${fromPort}` : `${protocol} ${fromPort}-${toPort}`;
}

/** Instances that a launch made. */
function launchedIn(record: CloudTrailRecord): readonly string[] {
  if (!succeeded(record)) return [];
  return [
    ...new Set(
      linksOf(record)
        .edges.filter((edge) => edge.kind === 'created' && /^i-[0-9a-f]+$/.test(edge.to))
        .map((edge) => edge.to),
    ),
  ];
}

/** Where and whose an instance is, from the records that name it. */
export function placeOf(records: readonly CloudTrailRecord[]): {
  readonly accountId: string | undefined;
  readonly region: string | undefined;
} {
  const own = records.find((record) => record.eventSource === 'ec2.amazonaws.com');
  const accountId = own?.recipientAccountId ?? own?.userIdentity.accountId;
  return { accountId: /^\d{12}$/.test(accountId ?? '') ? accountId : undefined, region: own?.awsRegion };
}

/** Siblings by what they share with the instance. `launches` are the RunInstances of the same key; `sameImage` is what AWS lists. */
export function siblingsOf(input: {
  readonly id: string;
  readonly launch: CloudTrailRecord | undefined;
  readonly launches: readonly CloudTrailRecord[];
  readonly sameImage: readonly string[];
  readonly noticed: ReadonlySet<string> | undefined;
}): readonly Sibling[] {
  const because = new Map<string, string[]>();
  const add = (id: string, why: string) => {
    if (id === input.id) return;
    const known = because.get(id) ?? [];
    if (!known.includes(why)) because.set(id, [...known, why]);
  };
  for (const id of input.launch ? launchedIn(input.launch) : []) add(id, 'same launch');
  const key = input.launch?.userIdentity.accessKeyId;
  const actor = input.launch ? principalOf(input.launch)?.id : undefined;
  for (const record of input.launches) {
    const same = key !== undefined && record.userIdentity.accessKeyId === key;
    if (same || (actor !== undefined && principalOf(record)?.id === actor))
      for (const id of launchedIn(record)) add(id, same ? 'same key' : 'same maker');
  }
  for (const id of input.sameImage) add(id, 'same AMI');
  return [...because]
    .map(([id, why]) => ({ id, because: why, hasFinding: input.noticed?.has(id) }))
    .toSorted(
      (a, b) =>
        Number(a.hasFinding ?? false) - Number(b.hasFinding ?? false) ||
        b.because.length - a.because.length ||
        (a.id < b.id ? -1 : 1),
    );
}
