/** A hunt: rules over every record of a window. Matches are kept small, since a window may hold millions of records. */
import type { AddressBook } from '../../contracts/address.ts';
import type { BaselineHistory, PastAnswer, Rests } from '../../contracts/baseline.ts';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import type { Told } from '../../contracts/condition.ts';
import { UserError } from '../../contracts/errors.ts';
import type { RuleException, RuleSummary } from '../../contracts/rules.ts';
import { Baseline } from '../baseline/baseline.ts';
import { allBaselineRules } from '../baseline/rules.ts';
import type { ExceptionBook } from '../exceptions.ts';
import { principalGroup, principalOf } from '../principal.ts';
import { outcomeOf } from '../sightings.ts';
import { type Correlator, type Counts, correlatorOf } from './correlate.ts';
import { matchKeeper, pastMatches } from './kept-matches.ts';
import { asksOfThePast, toldRules } from './narrowing.ts';
import { isCalled, type RuleBook } from './parse.ts';
import { ruleSet } from './rule-set.ts';
import { type EventRule, type Level, levels, type SigmaRule } from './tree.ts';

export interface Match {
  readonly rule: SigmaRule;
  readonly eventId: string;
  readonly eventTime: string;
  readonly eventName: string;
  /** As in the pivot; "" where nothing identifies the caller. */
  readonly principal: string;
  /** All sessions of a role as one. */
  readonly group: string;
  readonly sourceIp: string;
  readonly region: string;
  readonly outcome: 'success' | 'denied' | 'failed';
  /** Of a correlation: all its events, and what it counted. */
  readonly burst?: { readonly eventIds: readonly string[]; readonly count: number; readonly from: string };
  /** Of a rule about the past: how much of it. */
  readonly rests?: Rests;
}

/** A source that cannot be read whole has not been hunted in. */
export const cannotReadAll = 'the window as a whole: this source answers single questions only';

export interface HuntResult {
  /** Severe and rare rules first, then by time. */
  readonly matches: readonly Match[];
  /** Matches beyond what is listed, by rule: counted, so that nothing is lost unsaid. */
  readonly notListed: readonly { readonly rule: string; readonly matches: number }[];
  readonly recordsRead: number;
  /** What exceptions held back, by exception: counted, never silent. */
  readonly excepted: readonly Excepted[];
  /** Where rules about the past ran: how much past there was. */
  readonly history?: BaselineHistory;
  /** Parts of the past that could not be read, one sentence each. */
  readonly pastGaps?: readonly string[];
}

export interface Excepted {
  readonly exception: RuleException;
  /** Matches that are not told, and events that correlations did not count. */
  readonly matches: number;
}

/** Rules that report matches, and those that are run for their sake. */
export interface Picked {
  readonly reporting: ReadonlySet<SigmaRule>;
  readonly running: readonly EventRule[];
}

/**
 * The rules that a word stands for: `all`, a rule by name, id or title, a technique with its sub-techniques (`T1098`), a
 * tactic (`persistence`), or a level and all above it. Throws UserError, with near names, for what is none.
 */
export function pickRules(word: string, book: RuleBook): Picked {
  const wanted = word.trim().toLowerCase();
  const past = chosenOfThePast(wanted);
  const picked = past.length > 0 ? past : rulesCalled(word, book.rules);
  if (picked.length === 0) {
    const refused = book.unsupported.find(
      ({ rule }) => rule.toLowerCase().replace(/\.ya?ml$/, '') === wanted.replace(/\.ya?ml$/, ''),
    );
    if (refused) throw new UserError(`The rule ${refused.rule} cannot be evaluated: ${refused.reason}.`);
    const near = book.rules.filter((rule) => `${rule.name} ${rule.title}`.toLowerCase().includes(wanted)).slice(0, 5);
    throw new UserError(
      `There is no rule, technique, tactic or level "${word.slice(0, 80)}".`,
      near.length > 0
        ? `Near it: ${near.map((rule) => rule.name).join(', ')}.`
        : 'Type `/ir hunt all`, a technique such as T1098, a tactic such as persistence, or a level such as high.',
    );
  }
  const correlations = picked.filter((rule) => rule.kind === 'correlation');
  const events = book.rules.filter((rule): rule is EventRule => rule.kind === 'event');
  const needed = events.filter((rule) => correlations.some((one) => one.rules.some((name) => isCalled(rule, name))));
  const isNamed = picked.length === 1;
  // Rules that a correlation rests on speak through it (Sigma correlation specification, "generate").
  const silent = new Set(
    events.filter((rule) =>
      book.rules.some(
        (one) => one.kind === 'correlation' && !one.generate && one.rules.some((name) => isCalled(rule, name)),
      ),
    ),
  );
  const reporting = new Set(picked.filter((rule) => isNamed || rule.kind !== 'event' || !silent.has(rule)));
  return { reporting, running: events.filter((rule) => reporting.has(rule) || needed.includes(rule)) };
}

/** Rules about a principal's own past: `baselines`, or one by its name. Where nothing is kept of it they read every record, so `all` leaves them out. */
function chosenOfThePast(wanted: string): readonly SigmaRule[] {
  if (wanted === 'baselines' || wanted === 'baseline') return allBaselineRules;
  return allBaselineRules.filter(({ name, title }) => name === wanted || title.toLowerCase() === wanted);
}

/** The rules that a word stands for, as in `pickRules`; none where it stands for none. */
export function rulesCalled<Rule extends RuleSummary>(word: string, rules: readonly Rule[]): readonly Rule[] {
  const wanted = word.trim().toLowerCase();
  if (wanted === 'all' || wanted === '') return rules;
  if (/^baselines?$/.test(wanted)) return rules.filter(({ file }) => file === 'baselines');
  const bare = wanted.replace(/\.ya?ml$/, '');
  const named = rules.filter(
    (rule) =>
      [rule.name, rule.id, rule.title].some((name) => name.toLowerCase() === wanted) ||
      rule.name.toLowerCase().replace(/\.ya?ml$/, '') === bare,
  );
  if (named.length > 0) return named;
  if (/^t\d{4}(\.\d{3})?$/.test(wanted)) {
    const id = wanted.toUpperCase();
    return rules.filter((rule) => rule.technique.some((one) => one === id || one.startsWith(`${id}.`)));
  }
  const level = levels.indexOf(wanted as Level);
  if (level >= 0) return rules.filter((rule) => levels.indexOf(rule.level as Level) >= level);
  const tactic = wanted.replace(/[-_\s]+/g, ' ');
  return rules.filter((rule) => rule.tactic.some((name) => name.toLowerCase() === tactic));
}

const reportEvery = 20_000;
export interface HuntContext {
  readonly signal: AbortSignal;
  progress(step: string): void;
  readonly addresses?: AddressBook | undefined;
  readonly counts?: Counts | undefined;
  /** What is kept of the past; absent: rules about it rest on the records alone. */
  readonly past?: (() => Promise<PastAnswer>) | undefined;
}

/** Records, or where to get them from a source that may know the answers to what the rules ask (`narrowingOf`). */
export type HuntRecords = AsyncIterable<CloudTrailRecord> | ((told: Told) => AsyncIterable<CloudTrailRecord>);

/** Runs the picked rules over the records. Rejects when the signal aborts, or with what the source throws. */
export async function runHunt(
  records: HuntRecords,
  picked: Picked,
  ctx: HuntContext,
  exceptions?: ExceptionBook,
): Promise<HuntResult> {
  const asksPast = asksOfThePast(picked);
  const kept = asksPast ? await ctx.past?.() : undefined;
  const past = asksPast && kept === undefined ? new Baseline(ctx.addresses) : undefined;
  const set = ruleSet(picked.running);
  const correlators = [...picked.reporting].flatMap((rule) =>
    rule.kind === 'correlation' ? [{ rule, correlator: correlatorOf(rule, ctx.counts) }] : [],
  );
  const heeding = new Map(
    picked.running.map((one) => [
      one,
      correlators.filter(({ rule }) => rule.rules.some((name) => isCalled(one, name))),
    ]),
  );
  const whoIn = callerBook();
  const keeper = matchKeeper();
  const held = new Map<RuleException, number>();
  const isHeld = (rule: SigmaRule, record: CloudTrailRecord): boolean => {
    const exception = exceptions?.heldBy(rule, record);
    if (exception) held.set(exception, (held.get(exception) ?? 0) + 1);
    return exception !== undefined;
  };
  let read = 0;
  const take = (record: CloudTrailRecord, matched: readonly EventRule[]): void => {
    read += 1;
    if (read % reportEvery === 0) {
      ctx.signal.throwIfAborted();
      ctx.progress(`${read.toLocaleString('en-US')} events checked, ${keeper.count().toLocaleString('en-US')} matches`);
    }
    if (past && exceptions?.heldByAny(record) === undefined) past.observe(record);
    for (const rule of matched) {
      for (const one of heeding.get(rule) ?? []) if (!isHeld(one.rule, record)) one.correlator.add(rule, record);
      if (picked.reporting.has(rule) && !isHeld(rule, record)) keeper.add(matchOf(rule, record, whoIn(record)));
    }
  };
  const rulesOf = toldRules(picked);
  // What goes wrong here is not the source's failure, which may go on to tell.
  let failure: { readonly error: unknown } | undefined;
  const told: Told = (record, yes) => {
    if (failure) return;
    try {
      take(record, rulesOf(record, yes));
    } catch (error) {
      failure = { error };
    }
  };
  for await (const record of typeof records === 'function' ? records(told) : records) take(record, set.match(record));
  if (failure) throw failure.error;
  for (const { correlator } of correlators) for (const match of burstMatches(correlator, whoIn)) keeper.add(match);
  for (const match of pastMatches(kept?.found ?? past?.found() ?? [], picked, isHeld)) keeper.add(match);
  const excepted = [...held].map(([exception, count]) => ({ exception, matches: count }));
  const history = kept?.history ?? past?.history();
  return {
    ...keeper.end(),
    recordsRead: read,
    excepted,
    ...(history ? { history } : {}),
    ...(kept && kept.gaps.length > 0 ? { pastGaps: kept.gaps } : {}),
  };
}

function burstMatches(correlator: Correlator, whoIn: (record: CloudTrailRecord) => Who): readonly Match[] {
  return correlator.found().flatMap(({ rule, records, count }) => {
    const [first] = records;
    const last = records.at(-1);
    if (!first || !last) return [];
    const burst = { eventIds: records.map((record) => record.eventID), count, from: first.eventTime };
    return [{ ...matchOf(rule, last, whoIn(last)), burst }];
  });
}

interface Who {
  readonly principal: string;
  readonly group: string;
}

const maxCallers = 20_000;

/** Remembers who is who: the same callers come in record after record. Bounded, since they come from outside. */
function callerBook(): (record: CloudTrailRecord) => Who {
  const callers = new Map<string, Who>();
  return (record) => {
    const { arn, type } = record.userIdentity;
    const key = typeof arn === 'string' && type !== 'AWSService' ? `${type}\n${arn}` : undefined;
    const known = key === undefined ? undefined : callers.get(key);
    if (known) return known;
    const node = principalOf(record);
    const who = { principal: node?.id ?? '', group: node ? principalGroup(node) : '' };
    if (key !== undefined && callers.size < maxCallers) callers.set(key, who);
    return who;
  };
}

function matchOf(rule: SigmaRule, record: CloudTrailRecord, who: Who): Match {
  return {
    rule,
    eventId: record.eventID,
    eventTime: record.eventTime,
    eventName: record.eventName,
    ...who,
    sourceIp: record.sourceIPAddress,
    region: record.awsRegion,
    outcome: outcomeOf(record),
  };
}
