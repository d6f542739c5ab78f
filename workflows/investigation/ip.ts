/** The dossier of an address: where it is, whose it is, who used it. */
import pLimit from 'p-limit';
import { z } from 'zod';
import { UserError } from '#src/contracts/errors.ts';
import { defineInvestigation, type InvestigationContext } from '#src/contracts/investigation.ts';
import { isPrivateIp, parseIp, rangeHolding } from '#src/domain/address.ts';
import { withGaps } from '#src/domain/answers.ts';
import { classify } from '#src/domain/artifact.ts';
import { type Asking, openAsking } from '#src/domain/dossier/gaps.ts';
import {
  type IpAnswer,
  ipBrief,
  ipHeadline,
  ipParts,
  type KnownNetwork,
  type OwnInterface,
  reputationPages,
  usersOf,
} from '#src/domain/dossier/ip.ts';
import { deedOf } from '#src/domain/dossier/who.ts';
import { sightingsOf } from '#src/domain/sightings.ts';
import { techniques } from '../../detections/techniques.ts';
import { interfacesWith } from '../reading/addresses.ts';

export const ip = defineInvestigation({
  name: 'ip',
  title: 'Address',
  target: z.object({
    artifact: z.string().min(1),
    /** On cards: only the accounts that the finding is about. */
    onlyAccounts: z.array(z.string()).optional(),
    hubs: z.object({ egress: z.array(z.string()).default([]) }).optional(),
  }),
  permissions: ['cloudtrail:LookupEvents', 'ec2:DescribeNetworkInterfaces'],

  async run({ artifact: word, hubs, onlyAccounts }, ctx) {
    const { artifact } = classify(word);
    if (artifact.kind !== 'ip')
      throw new UserError(`${artifact.id} is no IP address.`, 'Give an address: 198.51.100.7 or 2001:db8::1');
    const address = artifact.id;
    const asking = openAsking(ctx.signal);
    ctx.progress(`Reading the records of ${address}`);
    const facts = ctx.surroundings?.addresses.lookUp(address) ?? null;
    for (const missing of facts?.missing ?? []) asking.note('lists', missing);
    const [records, own] = await Promise.all([
      ctx.evidence.recordsOf(artifact),
      ownInterfaces(address, onlyAccounts, ctx, asking),
    ]);
    const used = records.filter((record) => parseIp(record.sourceIPAddress) === address);
    const logs = ctx.evidence.coverage();
    const coverage = withGaps(logs, asking.sentences());
    const lastSeen = used.at(-1)?.eventTime ?? null;
    const answer: IpAnswer = {
      ip: address,
      facts,
      networks: networksOf(address, ctx, hubs?.egress ?? [], facts?.network),
      own: own ?? [],
      ownLookedAt: own !== undefined,
      principals: usersOf(used),
      events: used.length,
      firstSeen: used[0]?.eventTime ?? null,
      lastSeen,
      did: deedOf(sightingsOf(used, techniques), logs.complete),
      reputation: reputationPages(address, facts, lastSeen),
      notAnswered: asking.gaps,
      coverage,
    };
    return {
      headline: ipHeadline(answer),
      parts: ipParts(answer),
      coverage,
      answer,
      brief: ipBrief(answer),
      pictures: [],
      next: [
        `/ir pivot ${address}`,
        ...answer.principals
          .filter(({ principal }) => principal.startsWith('arn:'))
          .slice(0, 2)
          .map(({ principal }) => `/ir who ${principal}`),
        ...answer.own
          .flatMap(({ instanceId }) => (instanceId === null ? [] : [`/ir instance ${instanceId}`]))
          .slice(0, 1),
      ],
      proposals: [],
    };
  },
});

/** By the lists of addresses, the inventory's egress ranges and the hubs of the config. */
function networksOf(
  address: string,
  { surroundings }: InvestigationContext,
  egress: readonly string[],
  network: KnownNetwork | undefined,
): readonly KnownNetwork[] {
  const hub = rangeHolding(address, egress);
  const accounts = (surroundings?.accounts.known() ?? []).flatMap((account) => {
    const range = rangeHolding(address, account.egress ?? []);
    return range === undefined ? [] : [{ name: `of ${account.name ?? account.id}`, kind: 'egress', range }];
  });
  return [
    ...(network ? [network] : []),
    ...accounts,
    ...(hub === undefined ? [] : [{ name: 'of the config (hubs)', kind: 'egress', range: hub }]),
  ];
}

/** Undefined where no Region answered. */
async function ownInterfaces(
  address: string,
  only: readonly string[] | undefined,
  { aws, signal }: InvestigationContext,
  asking: Asking,
): Promise<readonly OwnInterface[] | undefined> {
  if (aws === undefined) {
    asking.note('whether it is one of ours', 'no AWS was asked: this answer comes from log files alone');
    return undefined;
  }
  const limit = pLimit(12);
  const accounts = only ?? (await asking.ask('the accounts', 'sts:GetCallerIdentity', () => aws.accounts())) ?? [];
  const found = await Promise.all(
    accounts.map(async (accountId) => {
      const reader = await asking.ask(`account ${accountId}`, 'sts:AssumeRole', () => aws.reader(accountId));
      if (!reader) return [undefined];
      const regions =
        (await asking.ask(`the Regions of ${accountId}`, 'account:ListRegions', () => aws.regions(accountId))) ?? [];
      const look = { reader, asking, signal };
      return Promise.all(
        regions.map((region) => limit(() => interfacesWith(address, isPrivateIp(address), region, look))),
      );
    }),
  );
  const answered = found.flat().filter((list) => list !== undefined);
  return answered.length === 0 ? undefined : answered.flat();
}
