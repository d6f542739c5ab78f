/** A hunt: rules over every record of a window. Matches are kept small, since a window may hold millions of records. */
import type { AddressBook } from '../../contracts/address.ts';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { UserError } from '../../contracts/errors.ts';
import { type Baseline, type BaselineHistory, baselineOf } from '../baseline/baseline.ts';
import { allBaselineRules } from '../baseline/rules.ts';
import { nodeOfArn, principalGroup, principalOf } from '../principal.ts';
import { outcomeOf } from '../sightings.ts';
import { type Correlator, type Counts, correlatorOf } from './correlate.ts';
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
}

/** A source that cannot be read whole has not been hunted in. */
export const cannotReadAll = 'the window as a whole: this source answers single questions only';

export interface HuntResult {
  /** Severe and rare rules first, then by time. */
  readonly matches: readonly Match[];
  /** Matches beyond what is listed, by rule: counted, so that nothing is lost unsaid. */
  readonly notListed: readonly { readonly rule: string; readonly matches: number }[];
  readonly recordsRead: number;
  /** Where rules about the past ran: how much past there was. */
  readonly history?: BaselineHistory;
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
  const picked = past.length > 0 ? past : chosen(wanted, book.rules);
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

/** Rules about a principal's own past: `baselines`, or one by its name. They read every record, so `all` leaves them out. */
function chosenOfThePast(wanted: string): readonly SigmaRule[] {
  if (wanted === 'baselines' || wanted === 'baseline') return allBaselineRules;
  return allBaselineRules.filter(({ name, title }) => name === wanted || title.toLowerCase() === wanted);
}

function chosen(wanted: string, rules: readonly SigmaRule[]): readonly SigmaRule[] {
  if (wanted === 'all' || wanted === '') return rules;
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
  if (level >= 0) return rules.filter((rule) => levels.indexOf(rule.level) >= level);
  const tactic = wanted.replace(/[-_\s]+/g, ' ');
  return rules.filter((rule) => rule.tactic.some((name) => name.toLowerCase() === tactic));
}

const reportEvery = 20_000;
/** Rules for everyday calls match as often as there are events: a list of all of them would not fit into memory. */
const listedPerRule = 50_000;
const listedInAll = 500_000;

/** Runs the picked rules over the records. Rejects when the signal aborts, or with what the source throws. */
export async function runHunt(
  records: AsyncIterable<CloudTrailRecord>,
  picked: Picked,
  ctx: {
    readonly signal: AbortSignal;
    progress(step: string): void;
    readonly addresses?: AddressBook | undefined;
    readonly counts?: Counts | undefined;
  },
): Promise<HuntResult> {
  const past = [...picked.reporting].some(({ kind }) => kind === 'baseline') ? baselineOf(ctx.addresses) : undefined;
  const set = ruleSet(picked.running);
  const correlators = [...picked.reporting].flatMap((rule) =>
    rule.kind === 'correlation' ? [{ rule, correlator: correlatorOf(rule, ctx.counts) }] : [],
  );
  const heeding = new Map(
    picked.running.map((one) => [
      one,
      correlators
        .filter(({ rule }) => rule.rules.some((name) => isCalled(one, name)))
        .map(({ correlator }) => correlator),
    ]),
  );
  const whoIn = callerBook();
  const kept = matchKeeper();
  let read = 0;
  for await (const record of records) {
    read += 1;
    if (read % reportEvery === 0) {
      ctx.signal.throwIfAborted();
      ctx.progress(`${read.toLocaleString('en-US')} events checked, ${kept.count().toLocaleString('en-US')} matches`);
    }
    past?.observe(record);
    for (const rule of set.match(record)) {
      for (const correlator of heeding.get(rule) ?? []) correlator.add(rule, record);
      if (picked.reporting.has(rule)) kept.add(matchOf(rule, record, whoIn(record)));
    }
  }
  for (const { correlator } of correlators) for (const match of burstMatches(correlator, whoIn)) kept.add(match);
  for (const match of pastMatches(past, picked)) kept.add(match);
  return { ...kept.end(), recordsRead: read, ...(past ? { history: past.history() } : {}) };
}

function pastMatches(past: Baseline | undefined, { reporting }: Picked): readonly Match[] {
  return (past?.found() ?? []).flatMap(({ rule, sighting }) => {
    if (!reporting.has(rule)) return [];
    const { eventId, at, eventName, region, ip, principal, isDenied } = sighting;
    const node = nodeOfArn(principal);
    return {
      rule,
      eventId,
      eventTime: new Date(at).toISOString().replace('.000Z', 'Z'),
      eventName,
      principal,
      group: node ? principalGroup(node) : principal,
      sourceIp: ip,
      region,
      outcome: isDenied ? 'denied' : 'success',
    };
  });
}

interface MatchKeeper {
  add(match: Match): void;
  count(): number;
  end(): Pick<HuntResult, 'matches' | 'notListed'>;
}

/** Keeps the earliest matches of each rule, in whatever order they come: the same list from every source. */
function matchKeeper(): MatchKeeper {
  const lists = new Map<SigmaRule, Match[]>();
  const more = new Map<SigmaRule, number>();
  let counted = 0;
  const drop = (rule: SigmaRule, dropped: number): void => {
    if (dropped > 0) more.set(rule, (more.get(rule) ?? 0) + dropped);
  };
  const shorten = (rule: SigmaRule, list: Match[]): void => {
    drop(rule, list.length - listedPerRule);
    list.sort(byTime).splice(listedPerRule);
  };
  return {
    add(match) {
      counted += 1;
      const list = lists.get(match.rule) ?? [];
      if (list.length === 0) lists.set(match.rule, list);
      if (list.push(match) >= listedPerRule * 1.25) shorten(match.rule, list);
    },
    count: () => counted,
    end() {
      for (const [rule, list] of lists) if (list.length > listedPerRule) shorten(rule, list);
      const matches = ranked([...lists.values()].flat());
      for (const match of matches.slice(listedInAll)) drop(match.rule, 1);
      const notListed = [...more].map(([rule, count]) => ({ rule: rule.name, matches: count }));
      return { matches: matches.slice(0, listedInAll), notListed };
    },
  };
}

function byTime(a: Match, b: Match): number {
  return compareText(a.eventTime, b.eventTime) || compareText(a.eventId, b.eventId);
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

/** Severe before mild, rare before frequent: what the console does all day comes last. */
function ranked(matches: readonly Match[]): readonly Match[] {
  const counts = new Map<SigmaRule, number>();
  for (const { rule } of matches) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  const order = (a: Match, b: Match): number =>
    levels.indexOf(b.rule.level) - levels.indexOf(a.rule.level) ||
    (counts.get(a.rule) ?? 0) - (counts.get(b.rule) ?? 0) ||
    compareText(a.rule.name, b.rule.name) ||
    byTime(a, b);
  return [...matches].sort(order);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
