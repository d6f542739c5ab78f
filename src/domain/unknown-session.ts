/**
 * Sessions of the responder roles, as CloudTrail has them, against the plans in the store: one that no approved plan asked for means
 * that somebody else holds the executor's credentials, or that a role's trust was changed (DOMAIN.md 9.1).
 */
import type { Alert } from '../contracts/alert.ts';
import type { Approval } from '../contracts/approval.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { parseIp } from './address.ts';
import { accountOf, nameKeyOfArn, parseArn, succeeded, text } from './principal.ts';

/** RoleSessionName and SourceIdentity take 2 to 64 of `[\w+=,.@-]`. */
export function sessionName(words: string): string {
  return words.replace(/[^\w+=,.@-]/g, '-').slice(0, 64);
}

/** What a plan's session is called. */
export function responderSessionName({ caseId, id }: Pick<Approval, 'caseId' | 'id'>): string {
  return sessionName(`ir-${caseId}-${id}`);
}

export interface ResponderSession {
  readonly eventId: string;
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly accountId: string;
  readonly region: string;
  readonly roleArn: string;
  readonly name: string;
  /** The tag `ir-plan`, where the record has tags. */
  readonly planHash: string | undefined;
  readonly caller: string | undefined;
  readonly ip: string | undefined;
}

/** Sessions of these roles that AWS opened, among the records. */
export function sessionsOfRoles(
  records: readonly CloudTrailRecord[],
  roles: readonly string[],
): readonly ResponderSession[] {
  const known = new Set(roles.map(nameKeyOfArn));
  return records.flatMap((record) => {
    const { eventSource, eventName, requestParameters } = record;
    if (eventSource !== 'sts.amazonaws.com' || !eventName.startsWith('AssumeRole') || !succeeded(record)) return [];
    const roleArn = text(requestParameters?.roleArn) ?? '';
    if (!known.has(nameKeyOfArn(roleArn))) return [];
    return [
      {
        eventId: record.eventID,
        at: record.eventTime,
        accountId: parseArn(roleArn)?.accountId ?? accountOf(record),
        region: record.awsRegion,
        roleArn,
        name: text(requestParameters?.roleSessionName) ?? '',
        planHash: tagIn(requestParameters?.tags, 'ir-plan'),
        caller: text(record.userIdentity.arn),
        ip: parseIp(record.sourceIPAddress),
      },
    ];
  });
}

function tagIn(tags: unknown, key: string): string | undefined {
  if (!Array.isArray(tags)) return undefined;
  const found = tags.find((tag: unknown) => typeof tag === 'object' && tag !== null && 'key' in tag && tag.key === key);
  return text((found as { readonly value?: unknown } | undefined)?.value);
}

/** The id of the plan that a session says it is for; undefined where it says none. */
export function planIdIn(name: string): string | undefined {
  return /^ir-IR-\d+-(.+)$/.exec(name)?.[1];
}

/** A session is opened again after a restart, and CloudTrail's clock is not ours. */
const graceMs = 60 * 60_000;

/** Why the session is not this plan's, half a sentence; undefined where it is. */
export function notOfPlan(session: ResponderSession, approval: Approval | undefined): string | undefined {
  if (approval === undefined || responderSessionName(approval) !== session.name) return 'no plan of this name is known';
  if (nameKeyOfArn(approval.plan.responderRole) !== nameKeyOfArn(session.roleArn))
    return 'the plan is for another role';
  if (session.planHash !== undefined && session.planHash !== approval.planHash) return 'its tags name another plan';
  if (['proposed', 'rejected', 'withdrawn'].includes(approval.state)) return 'the plan was not approved';
  const votes = approval.votes.filter(({ vote }) => vote === 'approve');
  const [first] = votes.map(({ at }) => at).sort();
  if (first === undefined) return 'nobody has approved the plan';
  const at = Date.parse(session.at);
  if (at < Date.parse(first) - graceMs) return 'it was opened before anybody approved the plan';
  const last =
    [approval.expiresAt, approval.sentAt ?? '', ...approval.steps.map((step) => step.at)].sort().at(-1) ?? '';
  const isOver = approval.state !== 'approved' && approval.state !== 'applying';
  if (isOver && at > Date.parse(last) + graceMs) return 'it was opened after the plan was over';
  return undefined;
}

export function unknownSessionAlert(session: ResponderSession, because: string): Alert {
  const { roleArn, name, caller, ip } = session;
  return {
    source: 'detection',
    // The name is chosen by whoever opens it: the same name from elsewhere is another session.
    dedupeKey: `responder-session-${JSON.stringify([roleArn, name, caller, ip])}`,
    updatedAt: session.at,
    count: 1,
    findingId: session.eventId,
    type: 'firebreak-unknown-responder-session',
    severity: 9.5,
    title: 'A session of the responder role that no approved plan asked for',
    description: `${roleArn} was assumed as ${name}, and ${because}. Whoever holds it can write to the account as Firebreak can. Take away its trust, and the credentials of the executor, unless it was \`firebreak doctor\`.`,
    partition: parseArn(roleArn)?.partition ?? 'aws',
    accountId: session.accountId,
    region: session.region,
    resource: { type: 'role', id: roleArn },
    resourceIds: [roleArn],
    actor: caller === undefined ? {} : { principalArn: caller },
    remote: ip === undefined ? [] : [{ ip }],
    api: { name: 'AssumeRole', service: 'sts.amazonaws.com' },
    actionType: 'AWS_API_CALL',
    firstSeen: session.at,
    lastSeen: session.at,
    sample: false,
    archived: false,
    notes: [],
  };
}
