/** What there is to keep of machines, and what they are in AWS's eyes: volumes, snapshots, profiles, agents. */
import { createHash } from 'node:crypto';
import type { Account, Instance, Role } from './state.ts';

export interface Volume {
  readonly id: string;
  readonly device: string;
}

export interface Association {
  readonly id: string;
  readonly profileArn: string;
}

/** Of one machine. Without it: one volume, optional tokens, one hop, no agent. */
export interface InstanceEvidence {
  readonly volumes?: readonly Volume[];
  readonly shutdown?: 'stop' | 'terminate';
  readonly metadata?: { readonly tokens: string; readonly hops: number };
  /** Systems Manager's agent, and how a command on it ends. */
  readonly agent?: {
    readonly ping: 'Online' | 'ConnectionLost' | 'Inactive';
    readonly platform: 'Linux' | 'Windows';
    readonly ends?: 'Success' | 'Failed' | 'InProgress';
  };
}

export interface SnapshotLock {
  readonly mode: 'governance' | 'compliance';
  readonly days: number;
  readonly at: Date;
}

export interface Snapshot {
  readonly id: string;
  readonly region: string;
  readonly volumeId: string;
  readonly description: string;
  readonly startedAt: Date;
  readonly tags: readonly { readonly Key: string; readonly Value: string }[];
  lock?: SnapshotLock;
  /** AWS could not copy its blocks. */
  hasFailed?: boolean;
}

export interface SentCommand {
  readonly id: string;
  readonly region: string;
  readonly instanceIds: readonly string[];
  readonly document: string;
  readonly comment: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly at: Date;
}

export interface Evidence {
  readonly snapshots: Snapshot[];
  readonly commands: SentCommand[];
}

export function newEvidence(): Evidence {
  return { snapshots: [], commands: [] };
}

/** Its volumes; a machine of a story has one, whose id is the same at each start. */
export function volumesOf(instance: Instance): readonly Volume[] {
  const hash = createHash('sha256').update(`volume of ${instance.id}`).digest('hex');
  return instance.evidence?.volumes ?? [{ id: `vol-0${hash.slice(0, 16)}`, device: '/dev/xvda' }];
}

/** The profile that it has now. What a story gives it is made into an association when first asked for. */
export function associationOf(instance: Instance): Association | undefined {
  if (!Object.hasOwn(instance, 'association') && instance.profileArn !== undefined) {
    const hash = createHash('sha256').update(`profile of ${instance.id}`).digest('hex');
    instance.association = { id: `iip-assoc-0${hash.slice(0, 16)}`, profileArn: instance.profileArn };
  }
  return instance.association;
}

/** The role of a profile that some machine was given: it has the profile's name, as the console makes them. */
export function roleOfProfile(account: Account, profileArn: string): Role | undefined {
  const isKnown = account.instances.some((instance) => instance.profileArn === profileArn);
  return isKnown ? account.roles.get(profileArn.split('/').at(-1) ?? '') : undefined;
}

export function instanceNamed(account: Account, region: string, id: string): Instance | undefined {
  return account.instances.find((one) => one.id === id && one.region === region);
}
