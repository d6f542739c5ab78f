/** The dossier of an identity: what it rests on, and the rules that need no AWS. */
import type { Artifact } from '../../contracts/artifact.ts';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { UserError } from '../../contracts/errors.ts';
import type { Coverage } from '../../contracts/evidence.ts';
import type { Deed } from '../../contracts/investigation.ts';
import type { AccountFacts } from '../../contracts/surroundings.ts';
import { actsIn, sameThing } from '../acting.ts';
import { isDoneTo } from '../creation.ts';
import { at } from '../links-fields.ts';
import { distinctMintings, type Minting, mintingOf } from '../minting.ts';
import { nameOfArn, parseArn, principalOf, roleArnOfSession, sessionOf, succeeded, text } from '../principal.ts';
import type { Ranked } from '../sightings.ts';
import type { Gap } from './gaps.ts';
import type { Answered } from './habit-questions.ts';
import type { Habits } from './habits.ts';
import type { KeyFacts } from './identity-facts.ts';
import type { Path, Quarantine, Rights } from './rights.ts';
import type { ToldTag } from './tags.ts';
import type { Trusted } from './trust.ts';

export interface Subject {
  readonly artifact: Artifact;
  readonly kind: 'user' | 'role' | 'root' | 'federatedUser';
  readonly accountId: string;
  /** IAM's name; "" for root. */
  readonly name: string;
  /** ARN of the user or role, for sessions that of their role without its path. */
  readonly identityArn: string;
  /** Set where a session was asked for. */
  readonly session?: string;
}

/** Whom a dossier is about. Throws UserError for what is no identity. */
export function subjectOf(artifact: Artifact): Subject {
  const arn = parseArn(artifact.id);
  const session = sessionOf(artifact.id);
  const last = arn?.resource.split('/').at(-1) ?? '';
  if (arn !== undefined && session !== undefined) {
    return {
      artifact,
      kind: 'role',
      accountId: arn.accountId,
      name: session.role,
      identityArn: roleArnOfSession(artifact.id) ?? artifact.id,
      session: session.session,
    };
  }
  if (
    arn !== undefined &&
    (artifact.kind === 'user' || artifact.kind === 'role' || artifact.kind === 'federatedUser')
  ) {
    return { artifact, kind: artifact.kind, accountId: arn.accountId, name: last, identityArn: artifact.id };
  }
  if (arn !== undefined && artifact.kind === 'root')
    return { artifact, kind: 'root', accountId: arn.accountId, name: '', identityArn: artifact.id };
  const other: Readonly<Record<string, string>> = { accessKey: 'key', ip: 'ip', resource: 'instance' };
  const command = other[artifact.kind];
  throw new UserError(
    `${artifact.id} is no identity.`,
    command === undefined
      ? 'Give the ARN of a user, a role, a role session or a root user.'
      : `Ask /ir ${command} ${artifact.id}, or give the ARN of a user, role or role session.`,
  );
}

export interface WhoAnswer {
  readonly subject: {
    readonly kind: Subject['kind'];
    readonly id: string;
    readonly name: string;
    readonly accountId: string;
    readonly session?: string;
    readonly uniqueId: string | null;
  };
  readonly account: AccountFacts | null;
  /** `exists`, `gone`: AWS says so; `unknown`: not asked or no answer. */
  readonly state: 'exists' | 'gone' | 'unknown';
  readonly created: {
    readonly at: string | null;
    readonly by: string | null;
    readonly eventId: string | null;
    readonly sourceIp: string | null;
  };
  readonly rights:
    | (Omit<Rights, 'paths'> & {
        readonly paths: readonly Path[];
        readonly policies: readonly { readonly name: string; readonly arn: string | null; readonly via: string }[];
        readonly boundary: string | null;
        readonly notConsidered: readonly string[];
      })
    | null;
  readonly groups: readonly string[] | null;
  readonly mfa: readonly string[] | null;
  readonly console: {
    readonly password: boolean;
    readonly createdAt: string | null;
    readonly lastUsed: string | null;
    readonly resetRequired: boolean;
  } | null;
  readonly keys: readonly (KeyFacts & { readonly ageDays: number | null })[] | null;
  readonly trust: readonly Trusted[] | null;
  readonly lastUsed: { readonly at: string; readonly region: string } | null;
  readonly sessions: readonly {
    readonly eventId: string;
    readonly by: string;
    readonly identity: string | null;
    readonly accessKey: string | null;
    readonly aliveUntil: string;
    readonly mayBeAlive: boolean;
  }[];
  readonly person: { readonly says: string; readonly userId: string | null } | null;
  readonly quarantine: readonly Quarantine[];
  readonly tags: readonly ToldTag[];
  readonly questions: readonly Answered[];
  readonly usual: Habits['before'];
  readonly thisTime: Habits['now'] & { readonly from: string };
  readonly changes: readonly {
    readonly eventId: string;
    readonly eventTime: string;
    readonly eventName: string;
    readonly by: string;
  }[];
  readonly did: Deed;
  readonly calls: number;
  readonly notAnswered: readonly Gap[];
  readonly coverage: Coverage;
}

export const notConsidered = [
  'service and resource control policies of the organisation',
  'session policies',
  'policies on resources',
];

const changesRights =
  /Policy|AccessKey|LoginProfile|MFADevice|UserToGroup|UserFromGroup|Boundary|InstanceProfile|ServiceSpecificCredential|SSHPublicKey|SigningCertificate|^UpdateUser$|^UpdateRole$|^ChangePassword$/;
/** Calls that mean the caller's own where they name no user. */
const ownWhereUnnamed =
  /AccessKey|LoginProfile|^(Enable|Deactivate)MFADevice|ServiceSpecificCredential|SigningCertificate|^ChangePassword$/;

/** Changes of its rights and credentials, by whomever. */
export function rightChangesOf(identityArn: string, records: readonly CloudTrailRecord[]): readonly CloudTrailRecord[] {
  return records.filter(
    (record) =>
      record.eventSource === 'iam.amazonaws.com' &&
      changesRights.test(record.eventName) &&
      record.readOnly !== true &&
      !/^(Get|List|Simulate)/.test(record.eventName) &&
      succeeded(record) &&
      (isDoneTo(identityArn, record) || changesItself(record, identityArn)),
  );
}

/** What it did to itself is no edge of a graph, and is what whoever holds its key does first. */
function changesItself(record: CloudTrailRecord, identityArn: string): boolean {
  const principal = principalOf(record);
  if (principal === undefined || !sameThing(principal.id, identityArn)) return false;
  const named = at(record.requestParameters, 'userName');
  if (named === undefined) return ownWhereUnnamed.test(record.eventName);
  return principal.kind === 'user' && named.toLowerCase() === nameOfArn(identityArn).toLowerCase();
}

/** Its own calls: all of the role's sessions for a role, the one session for a session. */
export function callsOf(artifact: Artifact, records: readonly CloudTrailRecord[]): readonly CloudTrailRecord[] {
  return records.filter((record) => actsIn(artifact, record));
}

/** Sessions that it minted, or that were minted of it; order of time. */
export function mintedBy(subject: Subject, records: readonly CloudTrailRecord[]): readonly Minting[] {
  const minted = records.flatMap((record) => {
    const minting = mintingOf(record);
    if (minting === undefined) return [];
    const own = actsIn(subject.artifact, record);
    const ofIt =
      (minting.identity !== undefined && sameThing(minting.identity, subject.artifact.id)) ||
      (minting.role !== undefined && subject.session === undefined && sameThing(minting.role, subject.identityArn));
    return own || ofIt ? [minting] : [];
  });
  return distinctMintings(minted);
}

/** The person behind it, where the log tells: an Identity Center user id, or the session name that Identity Center sets. */
export function personOf(subject: Subject, calls: readonly CloudTrailRecord[]): WhoAnswer['person'] {
  const userId = calls.map((record) => text(record.userIdentity.onBehalfOf?.userId)).find((id) => id !== undefined);
  if (userId !== undefined)
    return { userId, says: `Identity Center user ${userId} stands behind it (the log says so).` };
  if (subject.name.startsWith('AWSReservedSSO_')) {
    return subject.session === undefined
      ? { userId: null, says: 'An Identity Center permission set: each session is named after its person.' }
      : { userId: null, says: `Identity Center names this session after its person: ${subject.session}.` };
  }
  const source = calls
    .map((record) => text(record.userIdentity.sessionContext?.sourceIdentity))
    .find((id) => id !== undefined);
  return source === undefined ? null : { userId: null, says: `Its sessions carry the source identity ${source}.` };
}

/** The weightiest thing that was done: a call that succeeded before one that did not. */
export function deedOf(ranked: readonly Ranked[], complete: boolean): Deed {
  const top = ranked.toSorted(
    (a, b) =>
      Number(b.sighting.outcome === 'success') - Number(a.sighting.outcome === 'success') || b.weight - a.weight,
  )[0];
  if (top === undefined) return { says: '', weight: 0, eventIds: [], complete };
  const same = ranked.filter(
    ({ sighting }) => sighting.eventName === top.sighting.eventName && sighting.outcome === top.sighting.outcome,
  );
  const failed = top.sighting.outcome === 'success' ? '' : ' (it failed)';
  return {
    says: `${top.sighting.says}${failed}`,
    weight: top.sighting.outcome === 'success' ? (top.weight as Deed['weight']) : 1,
    eventIds: same.slice(0, 20).map(({ sighting }) => sighting.eventId),
    complete,
  };
}
