/** The world's CloudTrail: records as AWS writes them, kept per account and Region, found as LookupEvents finds them. */
import type { Principal } from './principal.ts';

export interface TrailResource {
  readonly ARN?: string;
  readonly accountId?: string;
  readonly type?: string;
}

/** A CloudTrail record; only the fields that this server itself reads are named. */
export interface TrailRecord {
  readonly eventVersion: string;
  readonly userIdentity: Readonly<Record<string, unknown>>;
  readonly eventTime: string;
  readonly eventSource: string;
  readonly eventName: string;
  readonly awsRegion: string;
  readonly sourceIPAddress: string;
  readonly userAgent: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly requestParameters: Readonly<Record<string, unknown>> | null;
  readonly responseElements: Readonly<Record<string, unknown>> | null;
  readonly requestID: string;
  readonly eventID: string;
  readonly readOnly: boolean;
  readonly resources?: readonly TrailResource[];
  readonly eventType: string;
  readonly managementEvent: boolean;
  readonly recipientAccountId: string;
  readonly eventCategory: string;
  readonly [field: string]: unknown;
}

/** A record in Event history, with what LookupEvents shows beside the JSON. */
export interface HistoryEvent {
  readonly record: TrailRecord;
  readonly timeMs: number;
  /** When LookupEvents begins to show it. */
  readonly visibleAtMs: number;
  /** Grows with every record; orders records of one second. */
  readonly sequence: number;
  readonly userName: string | undefined;
  readonly accessKeyId: string | undefined;
  readonly resources: readonly { readonly ResourceType: string; readonly ResourceName: string }[];
}

export interface Trail {
  readonly records: TrailRecord[];
  add(record: TrailRecord, visibleAtMs: number): void;
  /** Newest first. */
  history(accountId: string, region: string): readonly HistoryEvent[];
}

/** Names in records that Event history lists as resources, by the field that holds them. */
const resourceFields: Readonly<Record<string, string>> = {
  instanceId: 'AWS::EC2::Instance',
  imageId: 'AWS::EC2::Ami',
  subnetId: 'AWS::EC2::Subnet',
  vpcId: 'AWS::EC2::VPC',
  groupId: 'AWS::EC2::SecurityGroup',
  networkInterfaceId: 'AWS::EC2::NetworkInterface',
  userName: 'AWS::IAM::User',
  userId: 'AWS::IAM::User',
  roleName: 'AWS::IAM::Role',
  roleArn: 'AWS::IAM::Role',
  accessKeyId: 'AWS::IAM::AccessKey',
  bucketName: 'AWS::S3::Bucket',
  assumedRoleId: 'AWS::STS::AssumedRole',
};

function resourcesOf(record: TrailRecord): HistoryEvent['resources'] {
  const found = new Map<string, { ResourceType: string; ResourceName: string }>();
  function note(type: string, name: string): void {
    found.set(`${type} ${name}`, { ResourceType: type, ResourceName: name });
  }
  function walk(value: unknown, parent: string): void {
    if (Array.isArray(value)) {
      for (const one of value) walk(one, parent);
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    for (const [key, child] of Object.entries(value)) {
      const type = resourceFields[key];
      if (type !== undefined && typeof child === 'string') note(type, child);
      else if (key === 'arn' && typeof child === 'string') {
        if (parent === 'assumedRoleUser') note('AWS::STS::AssumedRole', child);
        if (parent === 'user') note('AWS::IAM::User', child);
      } else walk(child, key);
    }
  }
  walk(record.requestParameters, '');
  walk(record.responseElements, '');
  for (const resource of record.resources ?? []) {
    if (resource.ARN !== undefined) note(resource.type ?? 'AWS::Resource', resource.ARN);
  }
  return [...found.values()];
}

function userNameOf(identity: Readonly<Record<string, unknown>>): string | undefined {
  const { type, userName, principalId } = identity;
  if (type === 'Root') return 'root';
  if (typeof userName === 'string') return userName;
  // A role session is found by its session name.
  return type === 'AssumedRole' && typeof principalId === 'string' ? principalId.split(':')[1] : undefined;
}

function newestFirst(a: HistoryEvent, b: HistoryEvent): number {
  return b.timeMs - a.timeMs || b.sequence - a.sequence;
}

/** An empty trail. */
export function createTrail(): Trail {
  const records: TrailRecord[] = [];
  const lanes = new Map<string, HistoryEvent[]>();
  let sequence = 0;
  return {
    records,
    add(record, visibleAtMs) {
      const accessKeyId = record.userIdentity.accessKeyId;
      sequence += 1;
      const event: HistoryEvent = {
        record,
        timeMs: Date.parse(record.eventTime),
        visibleAtMs,
        sequence,
        userName: userNameOf(record.userIdentity),
        accessKeyId: typeof accessKeyId === 'string' ? accessKeyId : undefined,
        resources: resourcesOf(record),
      };
      const lane = `${record.recipientAccountId}/${record.awsRegion}`;
      const events = lanes.get(lane) ?? [];
      lanes.set(lane, events);
      const first = events[0];
      // Live records come in order; only a story's are sorted in.
      events.unshift(event);
      if (first !== undefined && newestFirst(event, first) > 0) events.sort(newestFirst);
      records.push(record);
    },
    history(accountId, region) {
      return lanes.get(`${accountId}/${region}`) ?? [];
    },
  };
}

/** The userIdentity of a caller, as its own account's record has it. */
export function identityOf(principal: Principal): Readonly<Record<string, unknown>> {
  const { account, arn, principalId, accessKeyId, session, user } = principal;
  const attributes = {
    creationDate: session === undefined ? undefined : seconds(session.issuedAt),
    mfaAuthenticated: 'false',
  };
  if (user !== undefined) {
    const base = { type: 'IAMUser', principalId, arn, accountId: account.id, accessKeyId, userName: user.name };
    return session === undefined ? base : { ...base, sessionContext: { attributes } };
  }
  const role = session !== undefined && 'role' in session.of ? session.of.role : undefined;
  return {
    type: 'AssumedRole',
    principalId,
    arn,
    accountId: account.id,
    accessKeyId,
    sessionContext: {
      sessionIssuer: {
        type: 'Role',
        principalId: role?.id,
        arn: role?.arn,
        accountId: account.id,
        userName: role?.name,
      },
      attributes,
      ...(session?.sourceIdentity === undefined ? {} : { sourceIdentity: session.sourceIdentity }),
    },
  };
}

/** Whole seconds, UTC: the form of eventTime. */
export function seconds(at: Date): string {
  return `${at.toISOString().slice(0, 19)}Z`;
}
