/** The dossier of an address: what it is, whose, and who used it; and its words. */
import type { AddressFacts } from '../../contracts/address.ts';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import type { Coverage } from '../../contracts/evidence.ts';
import type { Brief, Deed } from '../../contracts/investigation.ts';
import type { Fact, Line, Part } from '../../contracts/message.ts';
import { isPrivateIp } from '../address.ts';
import { few, unfinished } from '../answers.ts';
import { addressLine } from '../finding-addresses.ts';
import { code, count, line, span, utc } from '../phrases.ts';
import { labelOf } from '../pivot-actors.ts';
import { principalGroup, principalOf, succeeded } from '../principal.ts';
import { agentFamily } from '../use.ts';
import type { Gap } from './gaps.ts';
import { gapsPart } from './words.ts';

export interface IpUser {
  readonly principal: string;
  readonly events: number;
  readonly failed: number;
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly agents: readonly string[];
}

/** A network interface of ours that has the address. */
export interface OwnInterface {
  readonly accountId: string;
  readonly region: string;
  readonly interfaceId: string;
  readonly instanceId: string | null;
  /** `interface`, `nat_gateway`, `network_load_balancer`, ... */
  readonly type: string;
  readonly description: string;
  readonly vpcId: string | null;
}

/** The operator's own word for the network that holds it. */
export interface KnownNetwork {
  readonly name: string;
  readonly kind: string;
  readonly range: string;
}

export interface IpAnswer {
  readonly ip: string;
  readonly facts: AddressFacts | null;
  readonly networks: readonly KnownNetwork[];
  readonly own: readonly OwnInterface[];
  /** False where no Region could be asked. */
  readonly ownLookedAt: boolean;
  readonly principals: readonly IpUser[];
  readonly events: number;
  readonly firstSeen: string | null;
  readonly lastSeen: string | null;
  readonly did: Deed;
  /** Pages to open by choice; nothing is fetched. */
  readonly reputation: readonly string[];
  readonly notAnswered: readonly Gap[];
  readonly coverage: Coverage;
}

/** Who used it; the sessions of a role together, the busiest first. */
export function usersOf(records: readonly CloudTrailRecord[]): readonly IpUser[] {
  const groups = Map.groupBy(records, (record) => {
    const principal = principalOf(record);
    return principal === undefined ? '' : principalGroup(principal);
  });
  return [...groups]
    .map(([principal, list]) => ({
      principal,
      events: list.length,
      failed: list.filter((record) => !succeeded(record)).length,
      firstSeen: list[0]?.eventTime ?? '',
      lastSeen: list.at(-1)?.eventTime ?? '',
      agents: [...new Set(list.map(({ userAgent }) => agentFamily(userAgent)))].slice(0, 6),
    }))
    .toSorted((a, b) => b.events - a.events || (a.principal < b.principal ? -1 : 1));
}

/** Public pages on an address. Opening one tells its operator that somebody looks at the address. */
export function reputationPages(ip: string, facts: AddressFacts | null, lastSeen: string | null): readonly string[] {
  if (isPrivateIp(ip) || facts?.range !== 'public') return [];
  const day = (lastSeen ?? '').slice(0, 10);
  const address = encodeURIComponent(ip);
  return [
    `https://www.abuseipdb.com/check/${address}`,
    `https://viz.greynoise.io/ip/${address}`,
    `https://www.shodan.io/host/${address}`,
    `https://www.virustotal.com/gui/ip-address/${address}`,
    ...(day === '' ? [] : [`https://metrics.torproject.org/exonerator.html?ip=${address}&timestamp=${day}`]),
  ];
}

function kindWords({ facts, networks, own }: IpAnswer): string {
  const words = [
    ...networks.map(({ name, kind }) => `${kind === 'other' ? 'your network' : `your ${kind}`} ${name}`),
    ...own
      .slice(0, 1)
      .map((one) =>
        one.instanceId === null ? `your own ${one.type.replaceAll('_', ' ')}` : `your own instance ${one.instanceId}`,
      ),
    facts?.torExit === true ? 'a TOR EXIT' : undefined,
    facts?.awsRange ? `an address of AWS (${few(facts.awsRange.services, 2)}, ${facts.awsRange.region})` : undefined,
    facts?.range !== undefined && facts.range !== 'public' ? `a ${facts.range} address` : undefined,
  ].filter((word) => word !== undefined);
  return words.length > 0
    ? words.join(', ')
    : (facts?.country ?? '') === ''
      ? 'a public address of which little is known'
      : `a public address in ${facts?.country}`;
}

export function ipHeadline(answer: IpAnswer): string {
  const named = answer.principals.filter(({ principal }) => principal !== '');
  const users =
    named.length === 0
      ? 'no principal was seen using it'
      : named.length === 1
        ? `it was seen in use by ${labelOf(named[0]?.principal ?? '')} alone`
        : `${named.length} principals used it, so blocking it would hit others too`;
  return `${answer.ip} is ${kindWords(answer)}; ${users}${unfinished(answer.coverage)}.`;
}

export function ipParts(answer: IpAnswer): readonly Part[] {
  const { facts, networks, own, principals, reputation } = answer;
  const list: Fact[] = [
    { label: 'Address', value: facts === null ? line(code(answer.ip)) : addressLine(facts) },
    ...(facts?.city === undefined ? [] : [{ label: 'City', value: line(facts.city) }]),
    ...(facts?.awsRange === undefined
      ? []
      : [
          {
            label: 'AWS range',
            value: line(code(facts.awsRange.prefix), ` ${few(facts.awsRange.services, 4)}, ${facts.awsRange.region}`),
          },
        ]),
    ...(facts === null || (facts.range !== 'public' && facts.torExit === undefined && facts.torExit === undefined)
      ? []
      : [
          {
            label: 'Tor exit',
            value: line(
              facts.torExit === undefined
                ? 'not known'
                : facts.torExit
                  ? 'YES, by the configured list'
                  : 'not on the configured list',
            ),
          },
        ]),
    ...networks.map((network) => ({
      label: 'Network',
      value: line(`${network.name} (${network.kind}), `, code(network.range)),
    })),
    { label: 'Ours', value: line(ownWords(answer)) },
    ...own.slice(0, 4).map((one) => ({
      label: 'Interface',
      value: line(
        code(one.interfaceId),
        `${one.instanceId === null ? ` ${one.type}` : ` of ${one.instanceId}`} in ${one.region}, account ${one.accountId}${one.description === '' ? '' : `: ${one.description}`}`,
      ),
    })),
    {
      label: 'Seen',
      value: line(
        answer.firstSeen === null
          ? 'in no event that was looked at'
          : `${count(answer.events, 'event')}, ${span(answer.firstSeen, answer.lastSeen ?? '')}`,
      ),
    },
    ...(facts && facts.from.length > 0 ? [{ label: 'Sources', value: line(facts.from.join(', ')) }] : []),
  ];
  const parts: Part[] = [{ kind: 'facts', facts: list }];
  if (principals.length > 0) {
    parts.push(
      { kind: 'header', text: 'Who used it' },
      {
        kind: 'table',
        columns: ['Principal', 'Events', 'Failed', 'First', 'Last', 'Programs'],
        rows: [
          ...principals
            .slice(0, 12)
            .map((one) => [
              one.principal === '' ? 'not named' : labelOf(one.principal),
              String(one.events),
              String(one.failed),
              utc(one.firstSeen),
              utc(one.lastSeen),
              few(one.agents, 2),
            ]),
          ...(principals.length > 12 ? [[`and ${principals.length - 12} more`, '', '', '', '', '']] : []),
        ],
      },
    );
  }
  if (reputation.length > 0) {
    const items: Line[] = reputation.map((page) => line(code(page)));
    parts.push(
      { kind: 'header', text: 'What others say of it' },
      { kind: 'list', items },
      {
        kind: 'context',
        lines: [line('Nothing was asked there. Opening a page tells its operator which address you look at.')],
      },
    );
  }
  return [...parts, ...gapsPart(answer.notAnswered)];
}

function ownWords({ own, ownLookedAt }: IpAnswer): string {
  if (own.length > 0) return `${count(own.length, 'network interface')} of ours has it now`;
  return ownLookedAt ? 'no network interface of the accounts has it now' : 'not looked at';
}

export function ipBrief(answer: IpAnswer): Brief {
  const named = answer.principals.filter(({ principal }) => principal !== '');
  const used =
    named.length === 0
      ? ''
      : named.length === 1
        ? `; seen in use by ${labelOf(named[0]?.principal ?? '')}${answer.coverage.complete ? ' alone' : ', though not everything was looked at'}`
        : `; ${named.length} principals used it`;
  return {
    facts: [{ label: 'Address', value: line(code(answer.ip), ` ${kindWords(answer)}${used}`) }],
    // What no list or database was configured for stands in /ir ip, not on each card.
    missing: answer.notAnswered.filter(({ failed }) => failed).map(({ part, because }) => `${part}: ${because}`),
    mayComeLater: answer.notAnswered.some(({ retryable }) => retryable),
  };
}
