/** The dossier of an EC2 instance: who made it, of what, with which doors and rights, what its script does, and its siblings. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { CloudTrailRecord } from '#src/contracts/cloudtrail.ts';
import { UserError } from '#src/contracts/errors.ts';
import { defineInvestigation, type InvestigationContext } from '#src/contracts/investigation.ts';
import { actsIn } from '#src/domain/acting.ts';
import { withGaps } from '#src/domain/answers.ts';
import { classify } from '#src/domain/artifact.ts';
import { creationsOf } from '#src/domain/creation.ts';
import { type Asking, openAsking } from '#src/domain/dossier/gaps.ts';
import {
  type InstanceAnswer,
  type InstanceFacts,
  openDoorsOf,
  placeOf,
  siblingsOf,
} from '#src/domain/dossier/instance.ts';
import { instanceBrief, instanceHeadline, instanceParts } from '#src/domain/dossier/instance-wording.ts';
import { toldTags } from '#src/domain/dossier/tags.ts';
import { readUserData } from '#src/domain/dossier/user-data.ts';
import { deedOf } from '#src/domain/dossier/who.ts';
import { sightingsOf } from '#src/domain/sightings.ts';
import { techniques } from '../../detections/techniques.ts';
import { instancesBy, readGroups, readImage, readInstance, readProfile, readScript } from '../reading/instance.ts';
import type { Look } from '../reading/policies.ts';

export const instance = defineInvestigation({
  name: 'instance',
  title: 'Instance',
  target: z.object({ artifact: z.string().min(1), accountId: z.string().optional(), region: z.string().optional() }),
  permissions: [
    'cloudtrail:LookupEvents',
    'ec2:DescribeImages',
    'ec2:DescribeInstanceAttribute',
    'ec2:DescribeInstances',
    'ec2:DescribeSecurityGroups',
    'iam:GetInstanceProfile',
    'iam:GetPolicy',
    'iam:GetPolicyVersion',
    'iam:GetRole',
    'iam:GetRolePolicy',
    'iam:ListAttachedRolePolicies',
    'iam:ListRolePolicies',
  ],

  async run({ artifact: word, accountId, region }, ctx) {
    const { artifact } = classify(word);
    const id = artifact.id;
    if (!/^i-[0-9a-f]{8,17}$/.test(id)) throw new UserError(`${id} is no instance.`, 'Give an instance id: i-...');
    const asking = openAsking(ctx.signal);
    ctx.progress(`Reading the records of ${id}`);
    const records = await ctx.evidence.recordsOf(artifact);
    const launch = creationsOf(id, records).at(-1);
    const place = placeOf(records);
    const live = await find(
      id,
      { accountId: accountId ?? place.accountId, region: region ?? place.region },
      ctx,
      asking,
    );
    const facts = live?.facts ?? null;
    const key = launch?.record.userIdentity.accessKeyId;
    const launches = key ? await ctx.evidence.recordsOf({ kind: 'accessKey', id: key }) : [];
    ctx.progress('Reading image, doors, script and rights');
    const parts = facts && live ? await hanging(facts, live.look, ctx) : undefined;
    const account = facts?.accountId ?? accountId ?? place.accountId ?? null;
    const book = account === null ? undefined : await ctx.surroundings?.accounts.find(account);
    for (const missing of book?.missing ?? []) asking.note('the inventory', missing);
    const unmarked = siblingsOf({
      id,
      launch: launch?.record,
      launches,
      sameImage: parts?.sameImage ?? [],
      noticed: undefined,
    });
    const noticed = await noticedOf(
      unmarked.map((one) => one.id),
      ctx,
      asking,
    );
    const siblings = siblingsOf({ id, launch: launch?.record, launches, sameImage: parts?.sameImage ?? [], noticed });
    const logs = ctx.evidence.coverage();
    const coverage = withGaps(logs, asking.sentences());
    const script = parts?.script ? readUserData(parts.script) : null;
    const answer: InstanceAnswer = {
      instance: id,
      accountId: account,
      account: book?.account ?? null,
      region: facts?.region ?? region ?? place.region ?? null,
      state: facts?.state ?? (live?.gone ? 'gone' : null),
      facts: facts === null ? null : withoutTags(facts),
      tags: facts === null ? [] : toldTags(id, facts.tags, records, launch?.creator),
      image: parts?.image ?? null,
      launchedBy:
        launch === undefined
          ? null
          : {
              by: launch.creator,
              eventId: launch.record.eventID,
              eventTime: launch.record.eventTime,
              eventName: launch.eventName,
              sourceIp: launch.record.sourceIPAddress,
              accessKey: key ?? null,
              through: launch.through,
            },
      openDoors: parts?.groups ? openDoorsOf(parts.groups) : null,
      profile: parts?.profile ?? null,
      userData: script === null ? null : withoutText(script, parts?.script ?? ''),
      hasUserData: parts?.script === undefined ? null : parts.script !== null,
      siblings,
      calls: records.filter((record) => actsIn(artifact, record)).length,
      did: deedOf(sightingsOf(acting(artifact, records), techniques), logs.complete),
      notAnswered: asking.gaps,
      coverage,
    };
    return {
      headline: instanceHeadline(answer),
      parts: instanceParts(answer),
      coverage,
      answer,
      brief: instanceBrief(answer),
      pictures: [],
      next: [
        `/ir pivot ${id}`,
        ...(answer.launchedBy?.accessKey ? [`/ir key ${answer.launchedBy.accessKey}`] : []),
        ...siblings
          .filter(({ hasFinding }) => hasFinding !== true)
          .slice(0, 2)
          .map((one) => `/ir instance ${one.id}`),
      ],
      proposals: [],
    };
  },
});

type Place = { readonly accountId: string | undefined; readonly region: string | undefined };
interface Live {
  readonly facts: InstanceFacts | null;
  readonly look: Look;
  readonly gone: boolean;
}

/** In the place that the records or the finding name; else in every Region of every account. Undefined where nobody could be asked. */
async function find(
  id: string,
  place: Place,
  { aws, signal, progress }: InvestigationContext,
  asking: Asking,
): Promise<Live | undefined> {
  if (aws === undefined) {
    asking.note(
      'live state, image, doors, script and rights',
      'no AWS was asked: this answer comes from log files alone',
    );
    return undefined;
  }
  const accounts = place.accountId ? [place.accountId] : await aws.accounts();
  let last: Live | undefined;
  let complete = true;
  for (const accountId of accounts) {
    const reader = await asking.ask(`account ${accountId}`, 'sts:AssumeRole', () => aws.reader(accountId));
    if (!reader) {
      complete = false;
      continue;
    }
    const look = { reader, asking, signal };
    const regions = place.region
      ? [place.region]
      : ((await asking.ask('the Regions', 'account:ListRegions', () => aws.regions(accountId))) ?? []);
    if (regions.length > 1) progress(`Looking for it in ${regions.length} Regions`);
    const found = await Promise.all(regions.map((region) => readInstance(id, region, look)));
    const facts = found.find((one) => one !== null && one !== undefined);
    if (facts) return { facts, look, gone: false };
    complete &&= found.length > 0 && found.every((one) => one === null);
    last = { facts: null, look, gone: false };
  }
  return last === undefined ? undefined : { ...last, gone: complete };
}

async function hanging(facts: InstanceFacts, look: Look, ctx: InvestigationContext) {
  const { id, region } = facts;
  const [image, groups, script, profile, sameImage] = await Promise.all([
    readImage(facts.imageId, region, ctx.now(), look),
    readGroups(
      facts.groups.map((group) => group.id),
      region,
      look,
    ),
    readScript(id, region, look),
    facts.profileArn === null ? null : readProfile(facts.profileArn, look),
    instancesBy({ Name: 'image-id', Values: [facts.imageId] }, region, look, 'instances of the same image'),
  ]);
  return { image, groups, script, profile, sameImage: (sameImage ?? []).map((one) => one.id) };
}

/** Which of them have a finding; undefined where nobody knows of findings here. */
async function noticedOf(
  ids: readonly string[],
  { surroundings }: InvestigationContext,
  asking: Asking,
): Promise<ReadonlySet<string> | undefined> {
  if (ids.length === 0) return undefined;
  if (surroundings?.noticed === undefined) return undefined;
  const { noticed } = surroundings;
  return (
    (await asking.ask('findings of the siblings', 'the store', async () => new Set(await noticed(ids)))) ?? undefined
  );
}

function acting(
  artifact: Parameters<typeof actsIn>[0],
  records: readonly CloudTrailRecord[],
): readonly CloudTrailRecord[] {
  return records.filter((record) => actsIn(artifact, record));
}

function withoutTags({ tags: _tags, ...rest }: InstanceFacts): Omit<InstanceFacts, 'tags'> {
  return rest;
}

/** The text may hold passwords: it stays where it is. Its hash tells siblings. */
function withoutText(
  { text: _text, ...rest }: ReturnType<typeof readUserData>,
  base64: string,
): InstanceAnswer['userData'] {
  return { ...rest, sha256: createHash('sha256').update(Buffer.from(base64, 'base64')).digest('hex') };
}
