/** Route 53 Resolver query logs: one JSON object per query (https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-format.html). */
import { z } from 'zod';
import type { DnsRecord } from '../contracts/network.ts';
import { parseIp } from './address.ts';
import { isoOf } from './window.ts';

const Text = z.string().catch('');
const maxAnswers = 5;

const Line = z.object({
  query_timestamp: z.string().max(40),
  query_name: z.string().min(1).max(1024),
  query_type: Text,
  rcode: Text,
  account_id: Text,
  region: Text,
  vpc_id: Text,
  srcaddr: Text,
  answers: z.array(z.looseObject({ Rdata: Text })).catch([]),
  srcids: z.looseObject({ instance: Text }).catch({ instance: '' }),
  firewall_rule_action: Text,
});

/** True where the value claims to be a query log line, whole or not. */
export function looksLikeDns(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'query_name' in value && 'query_timestamp' in value;
}

/** `example.com` of `Example.COM.`. */
export function domainOf(name: string): string {
  return name.toLowerCase().replace(/(?<=.)\.$/s, '');
}

export function addressesFirst(answers: readonly string[]): readonly string[] {
  const isAddress = (answer: string) => parseIp(answer) !== undefined;
  return [...answers.filter(isAddress), ...answers.filter((answer) => !isAddress(answer))];
}

/** The record of a line; undefined where something that it must have is missing or wrong. */
export function parseDns(value: unknown): DnsRecord | undefined {
  const parsed = Line.safeParse(value);
  if (!parsed.success) return undefined;
  const line = parsed.data;
  // Written in UTC, whether it says so or not.
  const hasZone = /(?:Z|[+-]\d\d:?\d\d)$/i.test(line.query_timestamp);
  const at = Date.parse(hasZone ? line.query_timestamp : `${line.query_timestamp.replace(' ', 'T')}Z`);
  if (Number.isNaN(at)) return undefined;
  return {
    accountId: line.account_id,
    region: line.region,
    vpcId: line.vpc_id,
    queryTimestamp: isoOf(at),
    queryName: domainOf(line.query_name),
    queryType: line.query_type,
    rcode: line.rcode,
    // The addresses stand at the end, behind each name that the name stands for.
    answers: addressesFirst(line.answers.map(({ Rdata }) => Rdata)).slice(0, maxAnswers),
    srcaddr: parseIp(line.srcaddr) ?? '',
    instanceId: line.srcids.instance,
    firewallRuleAction: line.firewall_rule_action,
  };
}
