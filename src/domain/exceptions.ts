/**
 * Exceptions: matches that are known and not to be told, each for a reason and until a day. `ExceptionEntry` is the schema of
 * one `exceptions[]` entry of the config; `exceptionBook` is the one rule by which hunts, triage and the stream hold back.
 */
import { z } from 'zod';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import type { RuleException } from '../contracts/rules.ts';
import { rangeHolding } from './address.ts';
import { globMatch } from './glob.ts';
import { plainEventName } from './links-resources.ts';
import { accountOf, principalGroup, principalOf } from './principal.ts';
import type { RuleHead } from './sigma/tree.ts';

const Word = z.string().trim().min(1).max(500);
const Words = z.union([Word.transform((word) => [word]), z.array(Word).min(1)]);
const AccountId = z
  .union([z.string(), z.number().int().nonnegative()])
  .transform((id) => (typeof id === 'number' ? String(id).padStart(12, '0') : id.trim()))
  .pipe(z.string().regex(/^\d{12}$/, 'is not a 12-digit account id'));
const Network = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], 'is neither an IP address nor a CIDR range');

/** A day counts to its end, UTC. Throws ZodError for what is no day and no instant. */
const ExceptionEnd = z
  .union(
    [z.iso.date(), z.iso.datetime({ offset: true })],
    'is no day (2026-12-31) and no instant (2026-12-31T12:00:00Z)',
  )
  .transform((text) => {
    const at = Date.parse(text.length === 10 ? `${text}T00:00:00Z` : text);
    return new Date(text.length === 10 ? at + 86_400_000 : at).toISOString();
  });

const criteria = ['rule', 'principal', 'ip', 'account', 'event', 'tag'] as const;

export const ExceptionEntry = z
  .strictObject({
    rule: Words.optional(),
    principal: Words.optional(),
    ip: z.union([Network.transform((one) => [one]), z.array(Network).min(1)]).optional(),
    account: z.union([AccountId.transform((one) => [one]), z.array(AccountId).min(1)]).optional(),
    event: Words.optional(),
    tag: Words.optional(),
    reason: z.string().trim().min(3, 'say why, in a few words').max(300),
    until: ExceptionEnd,
  })
  .refine((entry) => criteria.some((name) => entry[name] !== undefined), {
    error: `names nothing that is excepted: give at least one of ${criteria.join(', ')}`,
  })
  .refine(
    (entry) => !criteria.every((name) => entry[name] === undefined || entry[name].every((word) => word === '*')),
    {
      error: 'would hold back everything',
    },
  );

export interface ExceptionBook {
  /** Ended before `now`: they hold back nothing, and are told. */
  readonly expired: readonly RuleException[];
  readonly active: readonly RuleException[];
  /** The first exception that covers the record under the rule; undefined where none does. */
  heldBy(rule: RuleHead, record: CloudTrailRecord): RuleException | undefined;
  /** The same for a record alone: only by exceptions that name no rule and no tag. */
  heldByAny(record: CloudTrailRecord): RuleException | undefined;
}

const nobody: ExceptionBook = { expired: [], active: [], heldBy: () => undefined, heldByAny: () => undefined };

/** The exceptions as one question, at one time. Pure: the same for hunts, triage and the stream. */
export function exceptionBook(exceptions: readonly RuleException[], now: Date): ExceptionBook {
  if (exceptions.length === 0) return nobody;
  const isOver = ({ until }: RuleException): boolean => !(Date.parse(until) > now.getTime());
  const active = exceptions.filter((one) => !isOver(one));
  const byRule = new WeakMap<RuleHead, readonly RuleException[]>();
  const ofRule = (rule: RuleHead): readonly RuleException[] => {
    const known = byRule.get(rule) ?? active.filter((one) => namesRule(one, rule));
    byRule.set(rule, known);
    return known;
  };
  const unbound = active.filter(({ rule, tag }) => rule === undefined && tag === undefined);
  return {
    expired: exceptions.filter(isOver),
    active,
    heldBy: (rule, record) => ofRule(rule).find((one) => coversRecord(one, record)),
    heldByAny: (record) => unbound.find((one) => coversRecord(one, record)),
  };
}

function namesRule({ rule: names, tag: tags }: RuleException, rule: RuleHead): boolean {
  const named = names?.some((name) => isRuleNamed(rule, name)) ?? true;
  const own = [...rule.tags, ...rule.technique.map((id) => `attack.${id}`)];
  return named && (tags?.some((tag) => own.some((one) => globMatch(tag, one))) ?? true);
}

/** By name, by id, or by a pattern of names. */
export function isRuleNamed(rule: RuleHead, name: string): boolean {
  return globMatch(name, rule.name) || (rule.id !== '' && rule.id.toLowerCase() === name.toLowerCase());
}

function coversRecord(one: RuleException, record: CloudTrailRecord): boolean {
  return (
    (one.event?.some((pattern) => isCall(pattern, record)) ?? true) &&
    (one.account?.includes(accountOf(record)) ?? true) &&
    (one.ip === undefined || rangeHolding(record.sourceIPAddress, one.ip) !== undefined) &&
    (one.principal === undefined || isBy(one.principal, record))
  );
}

function isCall(pattern: string, record: CloudTrailRecord): boolean {
  const name = plainEventName(record.eventName);
  const service = record.eventSource.replace(/\.amazonaws\.com(\.cn)?$/, '');
  return [record.eventName, name, `${service}:${name}`, `${service}:${record.eventName}`].some((call) =>
    globMatch(pattern, call),
  );
}

/** The caller's own ARN, the role of a session, and, for words without a colon, the bare name. */
function isBy(patterns: readonly string[], record: CloudTrailRecord): boolean {
  const node = principalOf(record);
  if (node === undefined) return false;
  const issuer = record.userIdentity.sessionContext?.sessionIssuer?.arn;
  const arns = [node.id, principalGroup(node), ...(typeof issuer === 'string' ? [issuer] : [])];
  // Not the session's name: whoever assumes the role chooses it.
  const names = arns.slice(1).map((arn) => arn.split('/').at(-1) ?? arn);
  return patterns.some((pattern) => (pattern.includes(':') ? arns : names).some((name) => globMatch(pattern, name)));
}

/** `cloudtrail-logging-stopped for arn:..., until 2026-12-31 (migration)`: what it holds back, in words. */
export function exceptionWords(one: Omit<RuleException, 'by'>): string {
  const what = criteria.flatMap((name) => (one[name] === undefined ? [] : [`${name} ${one[name].join(', ')}`]));
  return `${what.join('; ')}, until ${one.until.slice(0, 16).replace('T', ' ')} UTC (${one.reason})`;
}
