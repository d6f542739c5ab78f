/** Temporary credentials as the log shows them: who got which session or key by which call, and until when it works (DOMAIN.md 4.1). */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { runnersOfHanded } from './links-behind.ts';
import { at, plainAt } from './links-fields.ts';
import { askedRole, handedOut, isOfSts } from './links-sts.ts';
import { partitionOf, principalOf, succeeded, text } from './principal.ts';
import { outcomeOf } from './sightings.ts';
import { isoOf } from './window.ts';

export interface Minting {
  readonly eventId: string;
  readonly eventTime: string;
  /** `AssumeRole`, `GetSessionToken`, ... */
  readonly eventName: string;
  readonly region: string;
  readonly sourceIp: string;
  /** Who asked: the principal's id, "" where the record does not say. */
  readonly by: string;
  /** The key that the call was made with. */
  readonly withKey?: string;
  /** The session, federated user or root that it gave; absent for GetSessionToken, whose holder stays who he is. */
  readonly identity?: string;
  /** The temporary key. Absent where the record hides it. */
  readonly accessKey?: string;
  /** The key is not in the record: it is one that the session used and that began within two seconds of it. */
  readonly accessKeyIsLikely?: true;
  /** The console took the role for a person who switched to it, and goes on with keys of its own that no record tells. */
  readonly isOfConsole?: true;
  /** The same in the copies of both accounts, where the call went across accounts. */
  readonly sharedEventId?: string;
  /** The role that was asked for, with its path. */
  readonly role?: string;
  /** ISO 8601 UTC: the credential works until then, whatever happens to the key or password that it came from. */
  readonly aliveUntil: string;
  /** `expiration` is AWS's own word; `durationSeconds` was asked for; `default` is the longest that the call gives unasked. */
  readonly aliveUntilFrom: 'expiration' | 'durationSeconds' | 'default';
}

export interface FailedMinting {
  readonly eventId: string;
  readonly eventTime: string;
  readonly eventName: string;
  readonly by: string;
  readonly role: string;
  readonly sourceIp: string;
  readonly outcome: 'denied' | 'failed';
  readonly errorCode: string;
}

/** Seconds that the calls give when nothing is asked for (STS API reference). */
const defaultSeconds: Readonly<Record<string, number>> = {
  AssumeRole: 3_600,
  AssumeRoleWithSAML: 3_600,
  AssumeRoleWithWebIdentity: 3_600,
  AssumeRoot: 900,
  GetSessionToken: 43_200,
  GetFederationToken: 43_200,
  // The console session that a sign-in token opens.
  GetSigninToken: 43_200,
};
const rootSeconds = 3_600;
const consoleSeconds = 43_200;
/** The longest that STS gives: GetSessionToken of a user. */
const mostSeconds = 129_600;

function isMintingCall(record: CloudTrailRecord): boolean {
  const { eventSource, eventName } = record;
  return (
    (isOfSts(record) && /^(Assume|Get(Session|Federation)Token$|CreateSession$)/.test(eventName)) ||
    (eventSource === 'signin.amazonaws.com' && eventName === 'GetSigninToken')
  );
}

/** What a record gave out; undefined for every other call and for those that failed. */
export function mintingOf(record: CloudTrailRecord): Minting | undefined {
  if (!isMintingCall(record) || !succeeded(record)) return undefined;
  const handed = handedOut(record, partitionOf(record)).map(({ node }) => node);
  const accessKey = handed.find((node) => node.kind === 'accessKey')?.id;
  const who = handed.find((node) => node.kind !== 'accessKey');
  const identity = who?.id;
  const role = askedRole(record)?.id;
  const withKey = text(record.userIdentity.accessKeyId);
  const sharedEventId = text(record.sharedEventID);
  return {
    eventId: record.eventID,
    eventTime: record.eventTime,
    eventName: record.eventName,
    region: record.awsRegion,
    sourceIp: record.sourceIPAddress,
    by: (principalOf(record) ?? (who && runnersOfHanded(record, who)[0]))?.id ?? '',
    ...(withKey ? { withKey } : {}),
    ...(identity ? { identity } : {}),
    ...(accessKey ? { accessKey } : {}),
    ...(sharedEventId ? { sharedEventId } : {}),
    ...(role ? { role } : {}),
    ...(identity && record.sourceIPAddress === 'AWS Internal'
      ? { isOfConsole: true, ...lifeInConsole(record) }
      : lifeOf(record)),
  };
}

/** A try that gave nothing. */
export function failedMintingOf(record: CloudTrailRecord): FailedMinting | undefined {
  const outcome = outcomeOf(record);
  if (!isMintingCall(record) || outcome === 'success') return undefined;
  return {
    eventId: record.eventID,
    eventTime: record.eventTime,
    eventName: record.eventName,
    by: principalOf(record)?.id ?? '',
    role: askedRole(record)?.id ?? '',
    sourceIp: record.sourceIPAddress,
    outcome,
    errorCode: record.errorCode ?? '',
  };
}

function lifeOf(record: CloudTrailRecord): Pick<Minting, 'aliveUntil' | 'aliveUntilFrom'> {
  const start = Date.parse(record.eventTime);
  const told = expirationOf(record);
  if (told !== undefined && told >= start && told <= start + mostSeconds * 1_000) {
    return { aliveUntil: isoOf(told), aliveUntilFrom: 'expiration' };
  }
  const asked = Number(plainAt(record.requestParameters, 'durationSeconds'));
  if (asked > 0 && asked <= mostSeconds) {
    return { aliveUntil: isoOf(start + asked * 1_000), aliveUntilFrom: 'durationSeconds' };
  }
  const isRoot = record.userIdentity.type === 'Root' && record.eventName.startsWith('Get');
  const seconds = isRoot ? rootSeconds : (defaultSeconds[record.eventName] ?? rootSeconds);
  return { aliveUntil: isoOf(start + seconds * 1_000), aliveUntilFrom: 'default' };
}

/** The record tells when the first key ends; the console renews it, for as long as the role and the person's session allow. */
function lifeInConsole({ eventTime }: CloudTrailRecord): Pick<Minting, 'aliveUntil' | 'aliveUntilFrom'> {
  return { aliveUntil: isoOf(Date.parse(eventTime) + consoleSeconds * 1_000), aliveUntilFrom: 'default' };
}

/** `Nov 20, 2026, 11:12:13 PM`, with any kind of space, in UTC; ISO 8601 and epoch seconds in exports. */
function expirationOf(record: CloudTrailRecord): number | undefined {
  const credentials = record.responseElements?.credentials as { readonly expiration?: unknown } | undefined;
  const value = typeof credentials === 'object' ? credentials?.expiration : undefined;
  if (typeof value === 'number') return value > 1e11 ? value : value * 1_000;
  const written = at(record.responseElements, 'credentials', 'expiration')?.replaceAll(/\s/gu, ' ');
  if (written === undefined || written.length > 60) return undefined;
  const time = Date.parse(/^\d{4}-/.test(written) ? written : `${written} UTC`);
  return Number.isNaN(time) ? undefined : time;
}

/**
 * One entry per credential. A call across accounts is recorded in both, and the copy of the role's owner knows the caller as
 * an account only: the copy that names him stays. Order of time.
 */
export function distinctMintings(mintings: readonly Minting[]): readonly Minting[] {
  const calls = joinedBy(mintings, ({ sharedEventId, eventName, eventTime }) =>
    sharedEventId ? `${sharedEventId}\n${eventName}\n${eventTime}` : undefined,
  );
  const credentials = joinedBy(
    calls,
    ({ accessKey, identity, eventTime, eventId }) => accessKey ?? `${identity ?? ''}\n${eventTime}\n${eventId}`,
  );
  return [...credentials].sort((a, b) =>
    a.eventTime < b.eventTime ? -1 : a.eventTime > b.eventTime ? 1 : a.eventId < b.eventId ? -1 : 1,
  );
}

function joinedBy(mintings: readonly Minting[], keyOf: (minting: Minting) => string | undefined): readonly Minting[] {
  const joined = new Map<unknown, Minting>();
  for (const minting of mintings) {
    const key = keyOf(minting) ?? minting;
    const had = joined.get(key);
    joined.set(key, had === undefined ? minting : join(had, minting));
  }
  return [...joined.values()];
}

const surest = ['default', 'durationSeconds', 'expiration'];

/** The named copy, with what only the other one tells: a copy may hide the key and when it ends. */
function join(a: Minting, b: Minting): Minting {
  const isNamed = (minting: Minting) => minting.by.startsWith('arn:');
  const [main, other] = isNamed(b) && !isNamed(a) ? [b, a] : [a, b];
  const life = surest.indexOf(other.aliveUntilFrom) > surest.indexOf(main.aliveUntilFrom) ? other : main;
  return { ...other, ...main, aliveUntil: life.aliveUntil, aliveUntilFrom: life.aliveUntilFrom };
}
