/** The dossier of an access key: owner and account from the id alone, age, last use, what it did, what it minted. */
import { GetAccessKeyInfoCommand } from '@aws-sdk/client-sts';
import { z } from 'zod';
import { UserError } from '#src/contracts/errors.ts';
import { defineInvestigation, type InvestigationContext } from '#src/contracts/investigation.ts';
import { accountOfKeyId } from '#src/domain/access-key.ts';
import { sourceOf } from '#src/domain/address.ts';
import { withGaps } from '#src/domain/answers.ts';
import { classify } from '#src/domain/artifact.ts';
import { creationsOf } from '#src/domain/creation.ts';
import { type Asking, openAsking } from '#src/domain/dossier/gaps.ts';
import { type KeyAnswer, keyBrief, keyDeeds, keyHeadline, keyParts, keyType } from '#src/domain/dossier/key.ts';
import { deedOf } from '#src/domain/dossier/who.ts';
import { daysBetween } from '#src/domain/dossier/words.ts';
import { principalOf } from '#src/domain/principal.ts';
import { sightingsOf } from '#src/domain/sightings.ts';
import { techniques } from '../../detections/techniques.ts';
import { keysOf, lastUse } from '../reading/identity.ts';

export const key = defineInvestigation({
  name: 'key',
  title: 'Access key',
  target: z.object({ artifact: z.string().min(1) }),
  permissions: ['cloudtrail:LookupEvents', 'iam:GetAccessKeyLastUsed', 'iam:ListAccessKeys', 'sts:GetAccessKeyInfo'],

  async run({ artifact: word }, ctx) {
    const { artifact } = classify(word);
    if (artifact.kind !== 'accessKey')
      throw new UserError(`${artifact.id} is no access key id.`, 'Give a key id: AKIA... or ASIA...');
    const asking = openAsking(ctx.signal);
    ctx.progress(`Looking for the owner of ${artifact.id}`);
    const [records, found] = await Promise.all([
      ctx.evidence.recordsOf(artifact),
      findAccount(artifact.id, ctx, asking),
    ]);
    const deeds = keyDeeds(artifact, records);
    const owner = deeds.calls.map((record) => principalOf(record)).find((node) => node !== undefined);
    // Who called is CloudTrail's word; the id only tells what it was made with.
    const logged = deeds.calls.map(({ userIdentity }) => userIdentity.accountId).find((id) => id !== undefined);
    const likely = logged ?? found?.id ?? null;
    const live =
      keyType(artifact.id) === 'long-term' && likely !== null
        ? await liveState(artifact.id, likely, logged !== undefined, ctx, asking)
        : undefined;
    const accountId = live?.accountId ?? likely;
    const look = accountId === null ? undefined : await ctx.surroundings?.accounts.find(accountId);
    for (const missing of look?.missing ?? []) asking.note('the inventory', missing);
    const made = creationsOf(artifact.id, records).at(-1);
    const logs = ctx.evidence.coverage();
    const coverage = withGaps(logs, asking.sentences());
    const createdAt = live?.createdAt ?? made?.record.eventTime ?? null;
    const answer: KeyAnswer = {
      key: artifact.id,
      type: keyType(artifact.id),
      accountId,
      accountFrom:
        found !== undefined && found.id === accountId
          ? found.from
          : accountId === null
            ? null
            : accountId === logged
              ? 'the logs'
              : 'IAM, which has the key',
      account: look?.account ?? null,
      owner: owner?.id ?? live?.userArn ?? null,
      ownerFrom: owner ? 'the logs' : live?.userArn ? 'IAM' : null,
      status: live?.status ?? null,
      created: {
        at: createdAt,
        by: made?.creator ?? null,
        eventId: made?.record.eventID ?? null,
        ageDays: daysBetween(createdAt, ctx.now()),
      },
      lastUsed: live?.lastUsed ?? null,
      neverUsed: live?.neverUsed === true,
      otherKeys: live?.others ?? null,
      calls: deeds.calls.length,
      firstCall: deeds.calls[0]?.eventTime ?? null,
      lastCall: deeds.calls.at(-1)?.eventTime ?? null,
      addresses: [...new Set(deeds.calls.map(sourceOf).filter((ip) => ip !== ''))],
      did: deedOf(sightingsOf(deeds.calls, techniques), logs.complete),
      made: deeds.made,
      minted: deeds.minted,
      mintedBy: deeds.mintedBy,
      notAnswered: asking.gaps,
      coverage,
    };
    return {
      headline: keyHeadline(answer),
      parts: keyParts(answer, deeds.calls),
      coverage,
      answer,
      brief: keyBrief(answer),
      pictures: [],
      next: [`/ir pivot ${artifact.id}`, ...(answer.owner?.startsWith('arn:') ? [`/ir who ${answer.owner}`] : [])],
      proposals: [],
    };
  },
});

/** From the id itself; ids of before 2019 do not hold the account, so AWS is asked. */
async function findAccount(
  id: string,
  { aws, signal }: InvestigationContext,
  asking: Asking,
): Promise<{ id: string; from: string } | undefined> {
  const own = accountOfKeyId(id);
  if (own !== undefined) return { id: own, from: 'the key id itself' };
  if (aws === undefined) {
    asking.note('the account of the key', 'the id is of an old form that does not hold it, and no AWS was asked');
    return undefined;
  }
  const told = await asking.ask('the account of the key', 'sts:GetAccessKeyInfo', async () => {
    const [first = ''] = await aws.accounts();
    const reader = await aws.reader(first);
    return (await reader.sts.send(new GetAccessKeyInfoCommand({ AccessKeyId: id }), { abortSignal: signal })).Account;
  });
  return told ? { id: told, from: 'AWS STS' } : undefined;
}

async function liveState(
  id: string,
  accountId: string,
  isCertain: boolean,
  { aws, signal }: InvestigationContext,
  asking: Asking,
) {
  if (aws === undefined) {
    asking.note('state, age and last use', 'no AWS was asked: this answer comes from log files alone');
    return undefined;
  }
  // Ids that AWS did not make decode to an account that nobody has: then the one account that is there is asked.
  const accounts = (await asking.ask('the accounts', 'sts:GetCallerIdentity', () => aws.accounts())) ?? [];
  const [only] = accounts;
  const asked =
    isCertain || accounts.includes(accountId) || accounts.length !== 1 || only === undefined ? accountId : only;
  const reader = await asking.ask(`account ${asked}`, 'sts:AssumeRole', () => aws.reader(asked));
  if (!reader) return undefined;
  const look = { reader, asking, signal };
  const last = await lastUse(id, look);
  if (last === undefined) return undefined;
  if (last === null) return asked === accountId ? { status: 'gone', accountId } : undefined;
  const keys = last.userName === '' ? undefined : await keysOf(last.userName, look);
  const own = keys?.find((one) => one.id === id);
  return {
    accountId: asked,
    status: own?.status,
    createdAt: own?.createdAt,
    userArn: last.userName === '' ? undefined : `arn:${reader.partition}:iam::${asked}:user/${last.userName}`,
    lastUsed: last.used ?? undefined,
    neverUsed: last.used === null,
    others: keys?.filter((one) => one.id !== id).map(({ id: other, status }) => ({ id: other, status })),
  };
}
