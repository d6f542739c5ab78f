/** The world's state: accounts, their people and machines, keys, sessions. Plain mutable data; the services change it. */
import type { Association, Evidence, InstanceEvidence } from './evidence.ts';
import type { IntakeState } from './intake-state.ts';
import type { Network, NetworkInterface } from './network.ts';
import type { PolicyDocument } from './policy.ts';
import type { ServicesState } from './services-state.ts';

export type KeyStatus = 'Active' | 'Inactive';

export interface AccessKey {
  readonly id: string;
  readonly secret: string;
  readonly createDate: Date;
  /** Newest last. Reads see the newest; authorisation sees it `iamDelayMs` later (eventual consistency). */
  readonly history: { readonly status: KeyStatus; readonly at: Date }[];
  lastUsed?: { readonly date: Date; readonly service: string; readonly region: string };
  /** Where calls with this key seem to come from, unless the request says otherwise. */
  readonly sourceIp: string;
}

export interface NamedPolicy {
  readonly name: string;
  readonly document: PolicyDocument;
  /** Set for managed policies. */
  readonly arn?: string;
}

/** A long-term credential beside access keys and passwords. */
export interface OtherCredential {
  readonly id: string;
  readonly kind: 'serviceSpecific' | 'sshKey' | 'certificate';
  readonly createDate: Date;
  /** What the credential says beside its id: service, generated name, fingerprint, body. */
  readonly shown: Readonly<Record<string, string>>;
  status: KeyStatus;
}

export interface User {
  readonly name: string;
  readonly path: string;
  readonly id: string;
  readonly arn: string;
  readonly createDate: Date;
  readonly keys: AccessKey[];
  readonly inlinePolicies: NamedPolicy[];
  readonly attachedPolicies: NamedPolicy[];
  readonly groups: { readonly name: string; readonly id: string; readonly policies: readonly NamedPolicy[] }[];
  readonly mfaDevices: { readonly serial: string; readonly enableDate: Date }[];
  readonly otherCredentials: OtherCredential[];
  readonly tags: { readonly Key: string; readonly Value: string }[];
  loginProfile?: { readonly createDate: Date; readonly resetRequired: boolean; readonly password?: string };
  passwordLastUsed?: Date;
}

export interface Role {
  readonly name: string;
  readonly path: string;
  readonly id: string;
  readonly arn: string;
  readonly createDate: Date;
  readonly description: string;
  trust: PolicyDocument;
  readonly policies: NamedPolicy[];
  readonly maxSessionDuration: number;
  lastUsed?: { readonly date: Date; readonly region: string };
}

export interface Session {
  readonly accessKeyId: string;
  readonly secret: string;
  readonly token: string;
  readonly accountId: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  readonly sourceIp: string;
  readonly of: { readonly role: Role; readonly sessionName: string } | { readonly user: User };
  readonly policy?: PolicyDocument;
  readonly tags: readonly { readonly Key: string; readonly Value: string }[];
  readonly sourceIdentity?: string;
  /** Of credentials that an instance got from its metadata; a key of its conditions, wherever they are used. */
  readonly instanceArn?: string;
}

export type InstanceState = 'pending' | 'running' | 'stopping' | 'stopped' | 'shutting-down' | 'terminated';

export interface Instance {
  readonly id: string;
  readonly region: string;
  readonly reservationId: string;
  readonly imageId: string;
  readonly type: string;
  readonly launchTime: Date;
  readonly availabilityZone: string;
  readonly subnetId: string;
  readonly vpcId: string;
  readonly privateIp: string;
  readonly publicIp?: string;
  readonly securityGroup: { readonly id: string; readonly name: string };
  readonly networkInterfaceId: string;
  readonly macAddress: string;
  /** What a story gives it; the association says what it has now. */
  readonly profileArn?: string;
  readonly keyName?: string;
  readonly clientToken: string;
  readonly launchIndex: number;
  /** Base64, as RunInstances takes it. */
  readonly userData?: string;
  readonly tags: { readonly Key: string; readonly Value: string }[];
  state: InstanceState;
  /** Made from the fields above when first asked for (interfacesOf), unless a story gives several. */
  interfaces?: NetworkInterface[];
  association?: Association | undefined;
  readonly evidence?: InstanceEvidence;
  /** DisableApiStop and DisableApiTermination; neither where absent. */
  readonly protection?: { stop: boolean; termination: boolean };
  /** Set for spot instances. */
  readonly spot?: { readonly requestId: string; readonly type: 'one-time' | 'persistent'; requestState: string };
}

export type RegionStatus = 'ENABLED_BY_DEFAULT' | 'ENABLED' | 'DISABLED';

/** How an account is set up, as far as readiness asks. */
export interface Posture {
  readonly trails: {
    readonly name: string;
    readonly homeRegion: string;
    readonly bucket: string;
    readonly multiRegion: boolean;
    readonly validation: boolean;
    logging: boolean;
    /** `AWS::S3::Object`, ... */
    readonly dataEvents: string[];
    /** Which calls it records: `All` where absent; without management events at all: `none`. */
    recordsOnly?: 'WriteOnly' | 'ReadOnly' | 'none' | undefined;
  }[];
  /** Of its GuardDuty detectors. */
  findingFrequency: 'FIFTEEN_MINUTES' | 'ONE_HOUR' | 'SIX_HOURS';
  /** Ids of VPCs whose flow logs run. */
  readonly flowLogs: Set<string>;
  /** What they keep: `ALL` where absent. */
  flowLogTraffic?: 'ACCEPT' | 'REJECT' | undefined;
  /** By Region; only those that are set. */
  readonly metadataTokens: Map<string, 'optional' | 'required'>;
  readonly contacts: Map<
    string,
    { readonly Name: string; readonly EmailAddress: string; readonly PhoneNumber: string; readonly Title: string }
  >;
  /** True for the account that may list the others. */
  readonly managesOrganization: boolean;
  readonly scalingGroups: {
    readonly name: string;
    readonly region: string;
    readonly wanted: number;
    readonly most: number;
    readonly madeAt: Date;
  }[];
}

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly orgId: string;
  readonly regions: ReadonlyMap<string, RegionStatus>;
  readonly users: Map<string, User>;
  readonly roles: Map<string, Role>;
  readonly instances: Instance[];
  readonly posture: Posture;
  /** Virtual MFA devices that belong to nobody at the moment, by serial. */
  readonly unassignedMfa: Set<string>;
  /** What IAM's last-accessed report says, by ARN of the user or role. */
  readonly lastAccessed: Map<string, readonly ServiceUse[]>;
  readonly evidence: Evidence;
  readonly network: Network;
  readonly services: ServicesState;
}

/** One service in IAM's last-accessed report. */
export interface ServiceUse {
  readonly namespace: string;
  readonly lastAuthenticated: Date;
  readonly actions: readonly { readonly name: string; readonly at: Date }[];
}

export interface State {
  readonly accounts: Map<string, Account>;
  readonly sessions: Map<string, Session>;
  readonly intake: IntakeState;
  /** How long authorisation lags behind a change of a key, in ms. */
  readonly iamDelayMs: number;
}

/** The account. Throws RangeError for an id that the story does not have: a fault of the caller's code. */
export function accountOf(state: State, id: string): Account {
  const account = state.accounts.get(id);
  if (account === undefined) throw new RangeError(`no account ${id} in this world`);
  return account;
}

/** Finds a long-term key and its owner in any account. */
export function findKey(
  state: State,
  accessKeyId: string,
): { account: Account; user: User; key: AccessKey } | undefined {
  for (const account of state.accounts.values()) {
    for (const user of account.users.values()) {
      const key = user.keys.find((one) => one.id === accessKeyId);
      if (key !== undefined) return { account, user, key };
    }
  }
  return undefined;
}

/** What reads show. */
export function keyStatus(key: AccessKey): KeyStatus {
  return key.history.at(-1)?.status ?? 'Active';
}

/** What authorisation goes by. */
export function enforcedStatus(key: AccessKey, now: Date, delayMs: number): KeyStatus {
  const settled = key.history.filter((change) => change.at.getTime() + delayMs <= now.getTime());
  return settled.at(-1)?.status ?? key.history[0]?.status ?? 'Active';
}
