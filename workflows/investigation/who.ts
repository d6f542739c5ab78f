/** Who is this: the dossier of a user, role, session or root user. */
import { z } from 'zod';
import { defineInvestigation, type InvestigationContext } from '#src/contracts/investigation.ts';
import { rangeHolding } from '#src/domain/address.ts';
import { withGaps } from '#src/domain/answers.ts';
import { classify } from '#src/domain/artifact.ts';
import { creationsOf } from '#src/domain/creation.ts';
import { openAsking } from '#src/domain/dossier/gaps.ts';
import { answersOf } from '#src/domain/dossier/habit-questions.ts';
import { habitsOf } from '#src/domain/dossier/habits.ts';
import type { RoleFacts, UserFacts } from '#src/domain/dossier/identity-facts.ts';
import { quarantinesOf, rightsOf } from '#src/domain/dossier/rights.ts';
import { toldTags } from '#src/domain/dossier/tags.ts';
import { trustedBy } from '#src/domain/dossier/trust.ts';
import {
  callsOf,
  deedOf,
  mintedBy,
  notConsidered,
  personOf,
  rightChangesOf,
  type Subject,
  subjectOf,
  type WhoAnswer,
} from '#src/domain/dossier/who.ts';
import { whoBrief, whoHeadline, whoParts } from '#src/domain/dossier/who-wording.ts';
import { daysBetween } from '#src/domain/dossier/words.ts';
import { principalOf } from '#src/domain/principal.ts';
import { compareRecords } from '#src/domain/record.ts';
import { useRecordsOf } from '#src/domain/role-use.ts';
import { sightingsOf } from '#src/domain/sightings.ts';
import { techniques } from '../../detections/techniques.ts';
import { readRole, readUser } from '../reading/identity.ts';

export const who = defineInvestigation({
  name: 'who',
  title: 'Who is this',
  target: z.object({ artifact: z.string().min(1), thisTime: z.string().optional() }),
  permissions: [
    'cloudtrail:LookupEvents',
    'iam:GetAccessKeyLastUsed',
    'iam:GetGroupPolicy',
    'iam:GetLoginProfile',
    'iam:GetPolicy',
    'iam:GetPolicyVersion',
    'iam:GetRole',
    'iam:GetRolePolicy',
    'iam:GetUser',
    'iam:GetUserPolicy',
    'iam:ListAccessKeys',
    'iam:ListAttachedGroupPolicies',
    'iam:ListAttachedRolePolicies',
    'iam:ListAttachedUserPolicies',
    'iam:ListGroupPolicies',
    'iam:ListGroupsForUser',
    'iam:ListMFADevices',
    'iam:ListRolePolicies',
    'iam:ListUserPolicies',
  ],

  async run({ artifact: word, thisTime }, ctx) {
    const subject = subjectOf(classify(word).artifact);
    const asking = openAsking(ctx.signal);
    ctx.progress(`Asking IAM and reading the records of ${subject.artifact.id}`);
    const [facts, used, ofRole, look] = await Promise.all([
      factsOf(subject, ctx, asking),
      useRecordsOf(subject.artifact, ctx.evidence),
      subject.session === undefined ? [] : ctx.evidence.recordsOf({ kind: 'role', id: subject.identityArn }),
      ctx.surroundings?.accounts.find(subject.accountId),
    ]);
    for (const missing of look?.missing ?? []) asking.note('the inventory', missing);
    const own = used.records;
    const records = [...new Set([...own, ...ofRole])].toSorted(compareRecords);
    const logs = withGaps(ctx.evidence.coverage(), used.left === undefined ? [] : [used.left]);
    const account = look?.account ?? null;
    const calls = callsOf(subject.artifact, own);
    const changes = rightChangesOf(subject.identityArn, records);
    const addresses = ctx.surroundings?.addresses;
    const input = {
      calls,
      changes,
      thisTime,
      complete: logs.complete,
      countryOf: (ip: string) => addresses?.lookUp(ip)?.country,
      expectedCountries: account?.expectedCountries,
      networkOf: (ip: string) => addresses?.lookUp(ip)?.network?.name ?? rangeHolding(ip, account?.egress ?? []),
    };
    const habits = habitsOf(input);
    const made = creationsOf(facts?.arn || subject.identityArn, records)
      .filter(({ eventName }) => /^(Create|Acquire)/.test(eventName))
      .at(-1);
    const rights = facts ? rightsOf(facts.policies, facts.boundaryStatements) : undefined;
    const coverage = withGaps(logs, asking.sentences());
    const answer: WhoAnswer = {
      subject: {
        kind: subject.kind,
        id: subject.artifact.id,
        name: subject.name,
        accountId: subject.accountId,
        uniqueId: facts?.uniqueId || null,
        ...(subject.session === undefined ? {} : { session: subject.session }),
      },
      account,
      state: facts === null ? 'gone' : facts === undefined ? 'unknown' : 'exists',
      created: {
        at: facts?.createdAt ?? made?.record.eventTime ?? null,
        by: made?.creator ?? null,
        eventId: made?.record.eventID ?? null,
        sourceIp: made?.record.sourceIPAddress ?? null,
      },
      rights:
        rootRights(subject) ??
        (facts && rights
          ? {
              ...rights,
              policies: facts.policies.map(({ name, arn, via }) => ({ name, arn: arn ?? null, via })),
              boundary: facts.boundary ?? null,
              notConsidered,
            }
          : null),
      ...credentialsOf(facts, ctx.now()),
      trust: facts?.kind === 'role' && facts.trust ? trustedBy(facts.trust, subject.accountId) : null,
      lastUsed: facts?.kind === 'role' ? (facts.lastUsed ?? null) : null,
      sessions: mintedBy(subject, records).map((minting) => ({
        eventId: minting.eventId,
        by: minting.by,
        identity: minting.identity ?? null,
        accessKey: minting.accessKey ?? null,
        aliveUntil: minting.aliveUntil,
        mayBeAlive: minting.aliveUntil > ctx.now().toISOString(),
      })),
      person: personOf(subject, calls),
      quarantine: facts ? quarantinesOf(facts.policies) : [],
      tags: facts ? toldTags(facts.arn, facts.tags, records, made?.creator) : [],
      questions: answersOf(input, habits),
      usual: habits.before,
      thisTime: { ...habits.now, from: habits.thisTime },
      changes: changes.map((record) => ({
        eventId: record.eventID,
        eventTime: record.eventTime,
        eventName: record.eventName,
        by: principalOf(record)?.id ?? '',
      })),
      did: deedOf(
        sightingsOf(
          calls.filter(({ eventTime }) => eventTime >= habits.thisTime),
          techniques,
        ),
        logs.complete,
      ),
      calls: calls.length,
      notAnswered: asking.gaps,
      coverage,
    };
    return {
      headline: whoHeadline(answer),
      parts: whoParts(answer, ctx.now()),
      coverage,
      answer,
      brief: whoBrief(answer, ctx.now()),
      pictures: [],
      next: [
        `/ir pivot ${word}`,
        `/ir sessions ${word}`,
        ...(answer.questions.some(({ state }) => state === 'not-looked-at') ? [`/ir who ${word} --since 90d`] : []),
      ],
      proposals: [],
    };
  },
});

async function factsOf(
  subject: Subject,
  ctx: InvestigationContext,
  asking: ReturnType<typeof openAsking>,
): Promise<UserFacts | RoleFacts | null | undefined> {
  if (subject.kind === 'root' || subject.kind === 'federatedUser') {
    const because =
      subject.kind === 'root'
        ? 'IAM tells nothing of root by a call that names it'
        : 'a federated user has what the user that made its session has; see /ir sessions';
    asking.note('rights and credentials', because);
    return undefined;
  }
  const { aws } = ctx;
  if (aws === undefined) {
    asking.note('rights and credentials', 'no AWS was asked: this answer comes from log files alone');
    return undefined;
  }
  const reader = await asking.ask(`account ${subject.accountId}`, 'sts:AssumeRole', () =>
    aws.reader(subject.accountId),
  );
  if (!reader) return undefined;
  const look = { reader, asking, signal: ctx.signal };
  return subject.kind === 'user' ? readUser(subject.name, look) : readRole(subject.name, look);
}

/** The root user may do everything that no SCP forbids. */
function rootRights(subject: Subject): WhoAnswer['rights'] | undefined {
  return subject.kind === 'root'
    ? { privilege: 'admin', paths: [], unread: [], policies: [], boundary: null, notConsidered }
    : undefined;
}

function credentialsOf(
  facts: UserFacts | RoleFacts | null | undefined,
  now: Date,
): Pick<WhoAnswer, 'groups' | 'mfa' | 'console' | 'keys'> {
  if (facts?.kind !== 'user') return { groups: null, mfa: null, console: null, keys: null };
  const profile = facts.console;
  return {
    groups: facts.groups ?? null,
    mfa: facts.mfa ?? null,
    console:
      profile === undefined
        ? null
        : {
            password: profile !== null,
            createdAt: profile?.createdAt ?? null,
            lastUsed: facts.passwordLastUsed ?? null,
            resetRequired: profile?.resetRequired === true,
          },
    keys: facts.keys?.map((key) => ({ ...key, ageDays: daysBetween(key.createdAt, now) })) ?? null,
  };
}
