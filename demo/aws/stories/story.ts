/** What a story is, and how its records are made. */
import type { Random } from '../ids.ts';
import { uniqueId } from '../ids.ts';
import type { Role } from '../state.ts';
import { seconds, type TrailRecord, type TrailResource } from '../trail.ts';
import type { Cast } from '../world.ts';

export interface Stage {
  readonly cast: Cast;
  readonly now: Date;
  readonly random: Random;
  readonly backgroundEvents: number;
  /** Any order; the server sorts. */
  record(record: TrailRecord): void;
}

/** Fills the world: the same `now` and the same randomness give the same world, but for secrets. */
export interface Story {
  readonly name: string;
  load(stage: Stage): void;
}

/** The calling side of a record. */
export interface Actor {
  readonly accountId: string;
  readonly userIdentity: Readonly<Record<string, unknown>>;
  readonly sourceIp: string;
  readonly userAgent: string;
}

export interface Happening {
  readonly at: Date;
  readonly region: string;
  /** `ec2.amazonaws.com` */
  readonly source: string;
  readonly name: string;
  readonly readOnly: boolean;
  readonly request?: Readonly<Record<string, unknown>>;
  readonly response?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: string; readonly message: string };
  readonly resources?: readonly TrailResource[];
  readonly userAgent?: string;
  readonly eventType?: string;
  readonly more?: Readonly<Record<string, unknown>>;
}

export function recordOf(random: Random, actor: Actor, happening: Happening): TrailRecord {
  const { error, resources } = happening;
  const requestID = random.uuid();
  const eventID = random.uuid();
  return {
    eventVersion: '1.11',
    userIdentity: actor.userIdentity,
    eventTime: seconds(happening.at),
    eventSource: happening.source,
    eventName: happening.name,
    awsRegion: happening.region,
    sourceIPAddress: actor.sourceIp,
    userAgent: happening.userAgent ?? actor.userAgent,
    ...(error === undefined ? {} : { errorCode: error.code, errorMessage: error.message }),
    requestParameters: happening.request ?? null,
    responseElements: happening.response ?? null,
    requestID,
    eventID,
    readOnly: happening.readOnly,
    ...(resources === undefined ? {} : { resources }),
    eventType: happening.eventType ?? 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: actor.accountId,
    eventCategory: 'Management',
    ...happening.more,
  };
}

/** The userIdentity of a role session, with the key that its minting record shows. */
export function sessionIdentity(
  role: Pick<Role, 'id' | 'arn' | 'name'>,
  session: { accountId: string; name: string; accessKeyId: string; createdAt: Date },
): Readonly<Record<string, unknown>> {
  return {
    type: 'AssumedRole',
    principalId: `${role.id}:${session.name}`,
    arn: `arn:aws:sts::${session.accountId}:assumed-role/${role.name}/${session.name}`,
    accountId: session.accountId,
    accessKeyId: session.accessKeyId,
    sessionContext: {
      sessionIssuer: {
        type: 'Role',
        principalId: role.id,
        arn: role.arn,
        accountId: session.accountId,
        userName: role.name,
      },
      attributes: { creationDate: seconds(session.createdAt), mfaAuthenticated: 'false' },
    },
  };
}

/** A role of the story that nobody assumes through this server: it is in records only. */
export function paperRole(accountId: string, name: string, path = '/'): Pick<Role, 'id' | 'arn' | 'name'> {
  return { name, id: uniqueId('AROA', accountId, name), arn: `arn:aws:iam::${accountId}:role${path}${name}` };
}

export function later(at: Date, ms: number): Date {
  return new Date(at.getTime() + ms);
}
