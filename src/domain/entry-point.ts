/**
 * Signs of the way in: how a credential came into the wrong hands. Each is what the log shows and how much it weighs; none
 * is a verdict. What is new is new against the history in the window only, so the history is part of the answer.
 */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { isPrivateIp, parseIp, sourceOf } from './address.ts';
import { at } from './links-fields.ts';
import { isInstanceId } from './links-naming.ts';
import { count, utc } from './phrases.ts';
import { labelOf } from './pivot-actors.ts';
import { principalOf, sessionOf, succeeded } from './principal.ts';
import { agentFamily } from './use.ts';

export interface EntrySign {
  readonly kind:
    | 'exposed-key'
    | 'key-handed-over'
    | 'password-set-by-another'
    | 'guessed-password'
    | 'login-without-mfa'
    | 'instance-credentials-outside'
    | 'imds-v1'
    | 'first-deviation'
    | 'first-use'
    | 'dormant-key-awake';
  /** A sentence without its full stop. */
  readonly says: string;
  readonly sure: 'strong' | 'fair' | 'weak';
  readonly eventTime: string;
  readonly sourceIp: string;
  readonly principal: string;
  readonly eventIds: readonly string[];
}

/** What the signs are looked for in. All lists in order of time. */
export interface Credential {
  /** The key, user, role, session or instance whose use is judged. */
  readonly id: string;
  /** Calls that it made. */
  readonly calls: readonly CloudTrailRecord[];
  /** Records in which it or its owner is named: how it was made, its sign-ins. */
  readonly about: readonly CloudTrailRecord[];
  /** Start of the time that was looked at in full, ISO 8601 UTC; "" where not all of it could be. */
  readonly watchedFrom: string;
}

const rank = { strong: 0, fair: 1, weak: 2 } as const;

/** Every sign, the surest first, then the earliest. */
export function entrySigns(credential: Credential): readonly EntrySign[] {
  return [
    ...exposed(credential),
    ...handedOver(credential),
    ...guessed(credential),
    ...withoutMfa(credential),
    ...outsideInstance(credential),
    ...deviations(credential),
    ...firstUse(credential),
  ].sort((a, b) => rank[a.sure] - rank[b.sure] || (a.eventTime < b.eventTime ? -1 : a.eventTime > b.eventTime ? 1 : 0));
}

type Found = Pick<EntrySign, 'kind' | 'says' | 'sure'>;

function sign(record: CloudTrailRecord, found: Found, more: readonly CloudTrailRecord[] = []): EntrySign {
  return {
    ...found,
    eventTime: record.eventTime,
    sourceIp: sourceOf(record),
    principal: principalOf(record)?.id ?? '',
    eventIds: [...new Set([record, ...more].map(({ eventID }) => eventID))].slice(0, 20),
  };
}

/** AWS attaches its quarantine policy to the user of a key that it finds in public. */
function exposed({ id, about }: Credential): readonly EntrySign[] {
  return about
    .filter((record) => record.eventName === 'AttachUserPolicy' && succeeded(record))
    .filter((record) => at(record.requestParameters, 'userName') === nameIn(id))
    .filter((record) => /policy\/AWSCompromisedKeyQuarantine/.test(at(record.requestParameters, 'policyArn') ?? ''))
    .map((record) =>
      sign(record, {
        kind: 'exposed-key',
        sure: 'strong',
        says: 'AWS put the user into quarantine: it found a key of it in public',
      }),
    );
}

/** The name at the end of a user's ARN; other ids as they are. */
function nameIn(id: string): string {
  return id.split('/').at(-1) ?? id;
}

const soonMs = 10 * 60_000;

/** A key or password that somebody else made for the identity, and what was done with it right after. */
function handedOver({ id, about, calls }: Credential): readonly EntrySign[] {
  return about.flatMap((record) => {
    if (!succeeded(record) || !/^(CreateAccessKey|CreateLoginProfile|UpdateLoginProfile)$/.test(record.eventName))
      return [];
    const maker = principalOf(record)?.id ?? '';
    const owner = at(record.requestParameters, 'userName') ?? at(record.responseElements, 'accessKey', 'userName');
    const key = at(record.responseElements, 'accessKey', 'accessKeyId');
    // What the identity made for others is not how it was entered.
    if (key !== id && (owner ?? nameIn(maker)) !== nameIn(id)) return [];
    const isOwn = owner === undefined || (maker.includes(':user/') && nameIn(maker) === owner);
    const first = calls.find(
      (call) => call.eventTime >= record.eventTime && (key === undefined || call.userIdentity.accessKeyId === key),
    );
    const isSoon = first !== undefined && Date.parse(first.eventTime) - Date.parse(record.eventTime) <= soonMs;
    const isElsewhere = first !== undefined && isElsewhereThan(first, record);
    if (isOwn && !(isSoon && isElsewhere)) return [];
    const use = first
      ? `, first used ${isSoon ? 'within 10 minutes' : `at ${utc(first.eventTime)}`}${isElsewhere ? ` from another address, ${sourceOf(first)}` : ''}`
      : '';
    const what = key
      ? `the key ${key}`
      : record.eventName.startsWith('Create')
        ? 'a console password'
        : 'a new console password';
    return [
      sign(
        record,
        {
          kind: key ? 'key-handed-over' : 'password-set-by-another',
          sure: !isOwn && isSoon ? 'strong' : 'fair',
          says: `${labelOf(maker === '' ? 'an unnamed caller' : maker)} made ${what} for ${isOwn ? 'itself' : `user ${owner}`}${use}`,
        },
        first ? [first] : [],
      ),
    ];
  });
}

/** Two addresses: what a service calls for somebody says nothing of where he is. */
function isElsewhereThan(call: CloudTrailRecord, record: CloudTrailRecord): boolean {
  const [here, there] = [parseIp(call.sourceIPAddress), parseIp(record.sourceIPAddress)];
  return here !== undefined && there !== undefined && here !== there;
}

function isLogin(record: CloudTrailRecord): boolean {
  return record.eventSource === 'signin.amazonaws.com' && record.eventName === 'ConsoleLogin';
}

const leastFailures = 3;
const guessingMs = 24 * 3_600_000;

/** Sign-ins that failed until one did not. */
function guessed({ about }: Credential): readonly EntrySign[] {
  const logins = about.filter(isLogin);
  return logins.flatMap((login, index) => {
    if (!succeeded(login)) return [];
    const before = logins.slice(0, index);
    const since = before.findLastIndex(succeeded) + 1;
    const failures = before
      .slice(since)
      .filter((record) => Date.parse(login.eventTime) - Date.parse(record.eventTime) <= guessingMs);
    if (failures.length < leastFailures) return [];
    const isSame = failures.some((record) => sourceOf(record) === sourceOf(login));
    return [
      sign(
        login,
        {
          kind: 'guessed-password',
          sure: isSame ? 'strong' : 'fair',
          says: `${count(failures.length, 'sign-in')} failed before this one succeeded${isSame ? ' from the same address' : ''}`,
        },
        failures,
      ),
    ];
  });
}

/** Only of IAM users and root: sign-ins by SAML or Identity Center say "No" although the provider asked (DOMAIN.md 3.6). */
function withoutMfa({ about }: Credential): readonly EntrySign[] {
  const logins = about.filter(
    (record) =>
      isLogin(record) &&
      succeeded(record) &&
      /^(IAMUser|Root)$/.test(record.userIdentity.type ?? '') &&
      at(record.additionalEventData, 'MFAUsed') === 'No',
  );
  const [first] = logins;
  if (!first) return [];
  const says = `console sign-in without MFA, ${count(logins.length, 'time')}: a password alone was enough`;
  return [sign(first, { kind: 'login-without-mfa', sure: 'fair', says }, logins)];
}

/** Credentials of an instance used from an address that is not inside, or delivered by the old metadata service. */
function outsideInstance({ calls }: Credential): readonly EntrySign[] {
  const byInstance = Map.groupBy(calls, (record) => sessionOf(principalOf(record)?.id ?? '')?.session ?? '');
  return [...byInstance].flatMap(([instance, of]) => {
    if (!isInstanceId(instance)) return [];
    const outside = of.filter(({ sourceIPAddress, vpcEndpointId }) => {
      const ip = parseIp(sourceIPAddress);
      return ip !== undefined && !isPrivateIp(ip) && !vpcEndpointId;
    });
    const addresses = [...new Set(outside.map(sourceOf))];
    const [first] = outside;
    const signs: EntrySign[] = [];
    if (first) {
      // One public address may be the instance's own way out; a second one is somebody else's.
      const second = outside.find((record) => sourceOf(record) !== sourceOf(first));
      const says = second
        ? `credentials of instance ${instance} were used from ${count(addresses.length, 'public address', 'public addresses')}: ${addresses.slice(0, 3).join(', ')}`
        : `credentials of instance ${instance} were used from ${addresses[0]}: check that it is the instance's own way out`;
      signs.push(
        sign(
          second ?? first,
          { kind: 'instance-credentials-outside', sure: second ? 'strong' : 'weak', says },
          outside,
        ),
      );
    }
    const old = of.filter((record) => record.userIdentity.sessionContext?.ec2RoleDelivery === '1.0');
    if (old[0]) {
      const says = `instance ${instance} handed out its credentials by IMDSv1, which a request forged through its software can read`;
      signs.push(sign(old[0], { kind: 'imds-v1', sure: first ? 'fair' : 'weak', says }, old));
    }
    return signs;
  });
}

const quietMs = 86_400_000;

/** Nothing for a day or more, then a first call: somebody new, or a job that runs seldom. */
function firstUse({ calls, watchedFrom }: Credential): readonly EntrySign[] {
  const [first] = calls;
  const quiet = first ? Date.parse(first.eventTime) - Date.parse(watchedFrom) : Number.NaN;
  if (!first || !(quiet >= quietMs)) return [];
  const says = `no call in the ${count(Math.floor(quiet / quietMs), 'day')} before, then the first from ${sourceOf(first) || 'an unknown address'} with ${agentFamily(first.userAgent)}`;
  return [sign(first, { kind: 'first-use', sure: 'weak', says })];
}

const leastHistory = 5;
const dormantMs = 90 * 86_400_000;
/** One answer needs no more than the first few. */
const maxDeviations = 3;

/** Calls from where, with what and in which Region the credential had never been seen before. */
function deviations({ calls }: Credential): readonly EntrySign[] {
  const known = { address: new Set<string>(), agent: new Set<string>(), Region: new Set<string>() };
  const found: EntrySign[] = [];
  let last: CloudTrailRecord | undefined;
  calls.forEach((record, index) => {
    const ip = parseIp(record.sourceIPAddress);
    // Calls that AWS makes for the caller carry the service's name, and its agent.
    if (ip === undefined || record.userIdentity.invokedBy) return;
    const now = { address: ip, agent: agentFamily(record.userAgent), Region: record.awsRegion };
    const fresh = (Object.keys(now) as (keyof typeof now)[]).filter((what) => !known[what].has(now[what]));
    if (index >= leastHistory && fresh.length > 0 && (fresh.includes('address') || fresh.length > 1)) {
      found.push(
        sign(record, {
          kind: 'first-deviation',
          sure: fresh.length === 3 ? 'strong' : fresh.length === 2 ? 'fair' : 'weak',
          says: `first use with ${fresh.map((what) => `a new ${what} (${now[what]})`).join(', ')}, after ${count(index, 'earlier call')}`,
        }),
      );
    }
    if (last && Date.parse(record.eventTime) - Date.parse(last.eventTime) >= dormantMs) {
      found.push(
        sign(record, { kind: 'dormant-key-awake', sure: 'fair', says: `first use since ${utc(last.eventTime)}` }),
      );
    }
    for (const what of Object.keys(now) as (keyof typeof now)[]) known[what].add(now[what]);
    last = record;
  });
  return found.toSorted((a, b) => rank[a.sure] - rank[b.sure]).slice(0, maxDeviations);
}
