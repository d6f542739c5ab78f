/** What a hunt needs of the records that it looks at, so that a source can leave out the rest. */
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { type Ask, maxAsks, type Narrowing } from '../../contracts/condition.ts';
import type { Evidence } from '../../contracts/evidence.ts';
import { addFieldsOf, topOf } from './fields-read.ts';
import type { HuntRecords, Picked } from './hunt.ts';
import { specialised } from './matcher.ts';
import { isCalled } from './parse.ts';
import { nameFields } from './rule-set.ts';
import type { EventRule, Node } from './tree.ts';

/** What the rules of a hunt come to for the events of one name. */
interface Reading {
  readonly rule: EventRule;
  /** What is left to be asked; true: every event of the name matches. */
  readonly rest: Node | true;
  /** Fields that correlations read where it matches. */
  readonly counted: readonly string[];
}

/** Rules that may match events of a name, in their own order. */
function readingsOf({ reporting, running }: Picked): (eventSource: string, eventName: string) => readonly Reading[] {
  const rules = running.map((rule) => ({ rule, counted: countedBy(rule, reporting).map(topOf) }));
  return (eventSource, eventName) =>
    rules.flatMap(({ rule, counted }) => {
      const rest = specialised(rule.tree, nameFields, { eventSource, eventName });
      return rest === false ? [] : [{ rule, rest, counted }];
    });
}

/** Whether some rule compares with the past, for which every record is read where nothing is kept of it. */
export function asksOfThePast({ reporting }: Picked): boolean {
  return [...reporting].some(({ kind }) => kind === 'baseline');
}

/**
 * The narrowing for a hunt with these rules. `every`: records that no rule heeds are wanted too, for who counts them. `pastIsKept`: rules
 * about the past need no records.
 */
export function narrowingOf(picked: Picked, every = false, pastIsKept = false): Narrowing {
  const readings = readingsOf(picked);
  const past = !pastIsKept && asksOfThePast(picked);
  return (eventSource, eventName) => {
    const kept = new Set<string>(eventName === 'ConsoleLogin' ? ['responseElements'] : []);
    const read = new Set<string>();
    const asks: Ask[] = [];
    if (past) for (const field of ['userAgent', 'sessionCredentialFromConsole']) kept.add(field);
    if (past && eventName === 'CreateAccessKey') kept.add('responseElements');
    let isWhole = every || past;
    let isAll = false;
    for (const { rest, counted } of readings(eventSource, eventName)) {
      for (const field of rest === true ? counted : []) kept.add(field);
      for (const field of counted) read.add(field);
      if (rest === true) isWhole = true;
      else {
        asks.push({ where: rest, fields: counted });
        isAll = addFieldsOf(rest, read) || isAll;
      }
    }
    if (asks.length === 0 && !isWhole) return undefined;
    return {
      fields: isAll ? 'all' : [...new Set([...kept, ...read])].sort(),
      where: isWhole ? undefined : { kind: 'or', of: asks.map(({ where }) => where) },
      ...(every || past || asks.length > maxAsks ? {} : { asks, kept: [...kept].sort() }),
    };
  };
}

/**
 * The records of a source for a hunt with these rules, from a source that is asked for what fits them where that is better; undefined where
 * it can neither be asked so nor read whole. Rules about the past read everything where nothing is kept of it.
 */
export function recordsFor(
  picked: Picked,
  evidence: Evidence,
  progress: (step: string) => void = () => undefined,
): HuntRecords | undefined {
  const pastIsKept = evidence.past !== undefined;
  const narrowing = narrowingOf(picked, false, pastIsKept);
  const matching = evidence.matching?.bind(evidence);
  if (matching && (pastIsKept || !asksOfThePast(picked))) {
    const rules = picked.running.map(({ name, tree }) => ({ name, where: tree }));
    return (told) => matching({ rules, narrowing, progress }, told);
  }
  const all = evidence.all?.bind(evidence);
  return all && ((told) => all(narrowing, told));
}

interface Answers {
  readonly list: readonly Reading[];
  /** By the answers. */
  readonly matched: Map<number, readonly EventRule[]>;
}

/** The rules that match, from the answers to the asks of `narrowingOf` with the same rules. */
export function toldRules(picked: Picked): (record: CloudTrailRecord, yes: number) => readonly EventRule[] {
  const readings = readingsOf(picked);
  const byName = new Map<string, Map<string, Answers>>();
  return ({ eventSource, eventName }, yes) => {
    const bySource = byName.get(eventName) ?? new Map<string, Answers>();
    if (bySource.size === 0) byName.set(eventName, bySource);
    const known = bySource.get(eventSource) ?? { list: readings(eventSource, eventName), matched: new Map() };
    if (known.matched.size === 0) bySource.set(eventSource, known);
    const found = known.matched.get(yes);
    if (found) return found;
    let bit = 0;
    const matched = known.list.flatMap(({ rule, rest }) => {
      if (rest === true) return [rule];
      const isYes = (yes >>> bit) & 1;
      bit += 1;
      return isYes ? [rule] : [];
    });
    known.matched.set(yes, matched);
    return matched;
  };
}

/** Fields that correlations of the rule group by or count. */
function countedBy(rule: EventRule, reporting: Picked['reporting']): readonly string[] {
  return [...reporting].flatMap((one) => {
    if (one.kind !== 'correlation' || !one.rules.some((name) => isCalled(rule, name))) return [];
    const aliased = Object.values(one.aliases).flatMap((byRule) => Object.values(byRule));
    return [...one.groupBy, ...(one.field === undefined ? [] : [one.field]), ...aliased];
  });
}
