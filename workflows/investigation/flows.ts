/** Who talked to whom: VPC flow logs of an instance, an interface or an address. */
import { DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import { z } from 'zod';
import { UpstreamError, UserError } from '#src/contracts/errors.ts';
import type { Coverage } from '#src/contracts/evidence.ts';
import { defineInvestigation, type InvestigationContext } from '#src/contracts/investigation.ts';
import type { Part } from '#src/contracts/message.ts';
import type { FlowGroup, FlowQuestion } from '#src/contracts/network.ts';
import { isPrivateIp, parseIp } from '#src/domain/address.ts';
import { csvFile, cutTable, few, unfinished, withGaps } from '#src/domain/answers.ts';
import { awsErrorFacts } from '#src/domain/aws-errors.ts';
import { bytesText, type Conversation, conversationsOf, outflowsOf, ownAddresses } from '#src/domain/conversations.ts';
import { bothCoverages } from '#src/domain/coverage-join.ts';
import { type OfSubject, ofSubject, unlogged } from '#src/domain/flow-subject.ts';
import { placesInRecords, take } from '#src/domain/instance-places.ts';
import { type NetworkSubject, networkWord } from '#src/domain/network-word.ts';
import { everyPage } from '#src/domain/pages.ts';
import { peopleBetween, peopleParts } from '#src/domain/people-words.ts';
import { bold, code, count, line, span } from '#src/domain/phrases.ts';

const shown = 20;
const columns = [
  'local',
  'peer',
  'port',
  'portOf',
  'protocol',
  'bytesOut',
  'bytesIn',
  'accepted',
  'rejected',
  'firstSeen',
  'lastSeen',
  'interfaces',
  'instances',
  'accountId',
  'region',
  'vpcId',
] as const;

export const flows = defineInvestigation({
  name: 'flows',
  title: 'Network flows',
  target: z.object({ artifact: z.string().min(1) }),
  permissions: ['cloudtrail:LookupEvents', 'ec2:DescribeInstances'],

  async run({ artifact: word }, ctx) {
    const subject = networkWord(word, ['instance', 'interface', 'address']);
    const asked = subject.kind === 'instance' ? await placesOf(subject.id, ctx) : noPlaces;
    const question = {
      addresses: subject.kind === 'address' ? [subject.id] : asked.addresses,
      interfaces: subject.kind === 'interface' ? [subject.id] : asked.interfaces,
      instances: subject.kind === 'instance' ? [subject.id] : [],
    };
    ctx.progress(`Reading the flow logs of ${subject.id}`);
    const found = await ctx.other?.network.flows(question);
    const { groups, leftOut } = ofSubject(found?.groups ?? [], question, asked.places);
    const coverage = coverageOf(ctx, subject.kind, question, { groups, leftOut }, found?.coverage, asked);
    const talks = conversationsOf(groups, [...question.addresses, ...ownAddresses(groups, question)]);
    const outflows = outflowsOf(talks);
    const peers = new Set(talks.map(({ peer }) => peer));
    const people = (await ctx.other?.people.at([...peers, ...question.addresses])) ?? [];
    const known = [...new Set(people.map(({ address }) => address))].flatMap((address) => {
      const times = talks.filter(({ peer, local }) => peer === address || local === address);
      const from = times.map((one) => one.firstSeen).sort()[0] ?? coverage.from;
      return peopleBetween(
        people,
        address,
        from,
        times
          .map((one) => one.lastSeen)
          .sort()
          .at(-1) ?? coverage.to,
      );
    });
    const out = sum(talks, 'bytesOut');
    const first = outflows[0];
    const headline =
      found === undefined
        ? `Nothing is known of the traffic of ${subject.id}: no flow logs can be asked here.`
        : talks.length === 0
          ? `No flow of ${subject.id} was found in what was looked at${unfinished(coverage)}.`
          : `${subject.id} talked to ${count(peers.size, 'address', 'addresses')}, ${movedText(subject, { bytesOut: out, bytesIn: sum(talks, 'bytesIn') })}${rejects(talks)}${severalNetworks(subject, talks)}${first ? `; unusual: ${bytesText(first.bytesOut)} to ${first.peer}` : ''}${unfinished(coverage)}.`;
    return {
      headline,
      parts: [...partsOf(subject, talks, outflows), ...leftOutParts(leftOut), ...peopleParts(known)],
      coverage: withGaps(coverage, (await ctx.other?.people.gaps()) ?? []),
      answer: {
        subject,
        addresses: question.addresses,
        interfaces: question.interfaces,
        conversations: talks,
        outflows,
        people: known,
        bytesOut: out,
        bytesIn: sum(talks, 'bytesIn'),
        flows: groups.reduce((total, group) => total + group.flows, 0),
        leftOut: leftOutOf(leftOut),
        coverage: withGaps(coverage, (await ctx.other?.people.gaps()) ?? []),
      },
      pictures: [],
      next: [
        ...new Set([...(first ? [first.peer] : []), ...talks.filter((one) => one.peerIsPublic).map((one) => one.peer)]),
      ]
        .slice(0, 2)
        .map((peer) => `/ir pivot ${peer}`),
      proposals: [],
      files: [
        csvFile(
          'flows',
          `Who talked to whom, as a table: ${count(talks.length, 'row')} by address and port.`,
          columns,
          talks.map((talk) => columns.map((column) => talk[column])),
          talks.length > shown,
        ),
      ],
    };
  },
});

interface Asked {
  readonly addresses: readonly string[];
  readonly interfaces: readonly string[];
  /** Account and Region where the instance was seen. */
  readonly places: readonly { readonly accountId: string; readonly region: string }[];
  readonly gaps: readonly string[];
}
const noPlaces: Asked = { addresses: [], interfaces: [], places: [], gaps: [] };

/** Addresses and interfaces of an instance: from CloudTrail, and from EC2 while it still knows the instance. */
async function placesOf(id: string, ctx: InvestigationContext): Promise<Asked> {
  ctx.progress(`Looking for the addresses of ${id}`);
  const told = placesInRecords(id, await ctx.evidence.recordsOf({ kind: 'resource', id }));
  const found = { addresses: new Set(told.addresses), interfaces: new Set(told.interfaces) };
  const gaps: string[] = [];
  for (const { accountId, region } of ctx.aws ? told.places : []) {
    try {
      const reader = await ctx.aws?.reader(accountId);
      const reservations = await everyPage(async (NextToken) => {
        const input = { Filters: [{ Name: 'instance-id', Values: [id] }], NextToken };
        const page = await reader?.ec2(region).send(new DescribeInstancesCommand(input), { abortSignal: ctx.signal });
        return { items: page?.Reservations, next: page?.NextToken };
      });
      for (const instance of reservations.flatMap((one) => one.Instances ?? [])) take(instance, found);
    } catch (error) {
      ctx.signal.throwIfAborted();
      if (error instanceof UserError) gaps.push(`addresses that EC2 knows of ${id}: ${error.message}`);
      else {
        const reason = error instanceof UpstreamError ? error.code : awsErrorFacts(error).code;
        gaps.push(`addresses that EC2 knows of ${id} in ${accountId} ${region}: it could not be asked (${reason})`);
      }
    }
  }
  return { addresses: [...found.addresses], interfaces: [...found.interfaces], places: told.places, gaps };
}

/**
 * CloudTrail counts where it was needed: to find an instance's addresses. Flow logs that name the instance do not make up for it: another of its
 * interfaces may be in logs that do not, or in none.
 */
function coverageOf(
  { evidence }: InvestigationContext,
  kind: string,
  question: FlowQuestion,
  { groups, leftOut }: OfSubject,
  network: Coverage | undefined,
  asked: Asked,
): Coverage {
  if (network === undefined) return withGaps(evidence.coverage(), ['VPC flow logs: no source of them is set up here']);
  if (kind === 'interface') return withGaps(network, unlogged(question, [], groups, network));
  if (kind !== 'instance') return network;
  const gaps =
    asked.addresses.length + asked.interfaces.length === 0
      ? [
          'the addresses and interfaces of the instance: neither CloudTrail nor EC2 told them, so only flow logs with instance-id could be searched',
        ]
      : [];
  return withGaps(bothCoverages(evidence.coverage(), network), [
    ...asked.gaps,
    ...gaps,
    ...unlogged(question, asked.places, groups, network),
    // Its own flow log may have begun later, or hold rejects alone.
    ...(leftOut.length === 0
      ? []
      : ['flows with its private address that only other interfaces logged: they may be its own or another machine’s']),
  ]);
}

/** Of an address that is none of ours "out" would be what came in. */
function movedText(
  { kind, id }: NetworkSubject,
  { bytesOut, bytesIn }: Pick<Conversation, 'bytesOut' | 'bytesIn'>,
): string {
  if (kind !== 'address' || isPrivateIp(id)) return `${bytesText(bytesOut)} out, ${bytesText(bytesIn)} in`;
  return `${bytesText(bytesIn)} to it, ${bytesText(bytesOut)} from it`;
}

/** "" where all of it is in one, or may be. */
function networkOf({ local, peer, accountId, region, vpcId }: Conversation): string {
  return isPrivateIp(local) && isPrivateIp(peer) ? '' : [accountId, region, vpcId].filter(Boolean).join(' ');
}

function networksOf(talks: readonly Conversation[]): ReadonlySet<string> {
  return new Set(talks.map(networkOf).filter(Boolean));
}

/** A private address is that of another machine in every network that has it. */
function severalNetworks({ kind, id }: NetworkSubject, talks: readonly Conversation[]): string {
  const { size } = networksOf(talks);
  return kind === 'address' && isPrivateIp(id) && size > 1
    ? `, in ${size} networks that may each have a machine of that address`
    : '';
}

function sum(talks: readonly Conversation[], field: 'bytesOut' | 'bytesIn'): number {
  return talks.reduce((total, talk) => total + talk[field], 0);
}

function rejects(talks: readonly Conversation[]): string {
  const rejected = talks.reduce((total, talk) => total + talk.rejected, 0);
  return rejected === 0 ? '' : `, ${count(rejected, 'flow')} rejected`;
}

function leftOutOf(groups: readonly FlowGroup[]) {
  return {
    flows: groups.reduce((total, { flows }) => total + flows, 0),
    bytes: groups.reduce((total, { bytes, action }) => total + (action === 'REJECT' ? 0 : bytes), 0),
    interfaces: [...new Set(groups.map(({ interfaceId }) => interfaceId).filter(Boolean))].sort(),
  };
}

function leftOutParts(groups: readonly FlowGroup[]): readonly Part[] {
  const { flows, bytes, interfaces } = leftOutOf(groups);
  if (flows === 0) return [];
  const which = `${count(flows, 'flow')} with its private address, ${bytesText(bytes)}, logged by ${few(interfaces)}`;
  return [
    {
      kind: 'lines',
      lines: [
        line(
          bold('Left out: '),
          `${which}, not by its own interfaces: the address may have been another machine's there or then.`,
        ),
      ],
    },
  ];
}

function partsOf(
  subject: NetworkSubject,
  talks: readonly Conversation[],
  outflows: ReturnType<typeof outflowsOf>,
): readonly Part[] {
  const parts: Part[] = [];
  if (outflows.length > 0) {
    parts.push(
      { kind: 'header', text: 'Unusual outflow' },
      {
        kind: 'list',
        items: outflows
          .slice(0, 5)
          .map(({ local, peer, bytesOut, because }) =>
            line(bold(bytesText(bytesOut)), ' from ', code(local), ' to ', code(peer), `: ${because}`),
          ),
      },
    );
  }
  if (talks.length > 0) {
    const isOne = networksOf(talks).size < 2;
    const rows = talks.map((talk) => [
      `${talk.local} and ${talk.peer}${parseIp(talk.peer) !== undefined && !talk.peerIsPublic ? ' (private)' : ''}${isOne || networkOf(talk) === '' ? '' : ` in ${networkOf(talk)}`}`,
      `${talk.protocol}${talk.port === 0 ? '' : ` ${talk.port} of ${talk.portOf === 'peer' ? 'the peer' : 'its own'}`}`,
      movedText(subject, talk),
      `${talk.accepted.toLocaleString('en-US')} accepted, ${talk.rejected.toLocaleString('en-US')} rejected`,
      span(talk.firstSeen, talk.lastSeen),
    ]);
    parts.push(
      { kind: 'header', text: 'Who talked to whom' },
      cutTable(['Between', 'Port', 'Bytes', 'Flows', 'When'], rows, shown),
    );
  }
  parts.push({
    kind: 'context',
    lines: [
      line(
        'Flow logs do not see queries to the VPC resolver (see /ir dns), instance metadata, DHCP, Windows activation and mirrored traffic.',
      ),
    ],
  });
  return parts;
}
