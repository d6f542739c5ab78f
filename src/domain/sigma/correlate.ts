/**
 * Sigma correlations over the matches of a hunt, by event time. One burst is one finding, however many events it has: a
 * window that goes on while it holds grows, it does not fire again.
 */
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { fieldPath, textsOf } from './fields.ts';
import type { Json } from './matcher.ts';
import { isCalled } from './parse.ts';
import type { CorrelationRule, EventRule } from './tree.ts';

export interface Correlated {
  readonly rule: CorrelationRule;
  /** Of the whole burst, in order of time. */
  readonly records: readonly CloudTrailRecord[];
  /** Values of `group-by`, in its order. */
  readonly group: readonly string[];
  /** Events, or distinct values for value_count, in the fullest window. */
  readonly count: number;
}

/** One event that a correlation may count, in one of its groups. */
export interface Counted {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly eventId: string;
  /** Number of its rule in the correlation's list. */
  readonly rule: number;
  readonly values: readonly string[];
}

export interface Burst<Entry extends Counted> {
  readonly entries: readonly Entry[];
  readonly count: number;
}

/** Whether a value counts: an instance that is not production does not. */
export type Counts = (field: string, value: string, record: CloudTrailRecord) => boolean;

/** Collects matches for one correlation rule; `found` evaluates what was collected. */
export interface Correlator {
  add(rule: EventRule, record: CloudTrailRecord): void;
  found(): readonly Correlated[];
}

export function correlatorOf(rule: CorrelationRule, counts?: Counts): Correlator {
  type Entry = Counted & { readonly record: CloudTrailRecord };
  const groups = new Map<string, { readonly group: readonly string[]; readonly entries: Entry[] }>();
  const read = counterOf(rule, counts);

  return {
    add(matched, record) {
      for (const { group, ...counted } of read(matched, record)) {
        const key = JSON.stringify(group);
        const known = groups.get(key) ?? { group, entries: [] };
        groups.set(key, known);
        known.entries.push({ ...counted, record });
      }
    },
    found: () =>
      [...groups.values()].flatMap(({ group, entries }) =>
        burstsIn(rule, entries).map(({ entries: own, count }) => {
          return { rule, records: [...new Set(own.map((entry) => entry.record))], group, count };
        }),
      ),
  };
}

/** Reads what a correlation counts of a match: one for every combination of the group's values, none where one is missing. */
export function counterOf(
  rule: CorrelationRule,
  counts: Counts = () => true,
): (matched: EventRule, record: CloudTrailRecord) => readonly (Counted & { readonly group: readonly string[] })[] {
  const { field: countedField } = rule;
  const counted = countedField === undefined ? undefined : fieldPath(countedField);
  const paths = rule.groupBy.map((field) => ({ field, path: fieldPath(field) }));

  function groupsOf(of: EventRule, name: string, record: Json): readonly (readonly string[])[] {
    let all: readonly (readonly string[])[] = [[]];
    for (const { field, path } of paths) {
      const alias = rule.aliases[field];
      const own = alias?.[name] ?? alias?.[of.name] ?? alias?.[of.id];
      const values = textsOf(record, own === undefined ? path : fieldPath(own));
      all = all.flatMap((group) => values.map((value) => [...group, value]));
    }
    return all;
  }

  return (matched, record) => {
    const number = rule.rules.findIndex((name) => isCalled(matched, name));
    if (number < 0) return [];
    const values = counted ? textsOf(record, counted).filter((value) => counts(counted.field, value, record)) : [];
    const at = Date.parse(record.eventTime);
    return groupsOf(matched, rule.rules[number] ?? '', record).map((group) => {
      return { group, at, eventId: record.eventID, rule: number, values };
    });
  };
}

/** The bursts among the entries of one group. */
export function burstsIn<Entry extends Counted>(
  rule: CorrelationRule,
  unsorted: readonly Entry[],
): readonly Burst<Entry>[] {
  const entries = [...unsorted].sort(byTime);
  const bursts: Burst<Entry>[] = [];
  const window = new Window(rule);
  let from = 0;
  let burst: { first: number; last: number; count: number } | undefined;
  const close = (): void => {
    if (burst) bursts.push({ entries: entries.slice(burst.first, burst.last + 1), count: burst.count });
    burst = undefined;
  };
  for (const [at, entry] of entries.entries()) {
    window.add(entry);
    for (let oldest = entries[from]; oldest && entry.at - oldest.at > rule.timespanMs; oldest = entries[from]) {
      window.remove(oldest);
      from += 1;
    }
    if (burst && from > burst.last) close();
    const count = window.holds(entry);
    if (count === undefined) continue;
    burst ??= { first: from, last: at, count };
    burst.last = at;
    burst.count = Math.max(burst.count, count);
  }
  close();
  return bursts;
}

/** CloudTrail tells whole seconds: what happened in one is taken in the order that the rule asks for. */
function byTime(a: Counted, b: Counted): number {
  const apart = a.at - b.at || a.rule - b.rule;
  return apart !== 0 ? apart : a.eventId < b.eventId ? -1 : 1;
}

/** What stands in the sliding window, counted as it slides. */
class Window {
  readonly #rule: CorrelationRule;
  readonly #values = new Map<string, number>();
  readonly #rules = new Map<number, number>();
  /** By place in the list of rules: the latest time at which a run of them in order, up to this one, began. */
  readonly #starts: (number | undefined)[] = [];
  #events = 0;

  constructor(rule: CorrelationRule) {
    this.#rule = rule;
  }

  add(entry: Counted): void {
    this.#events += 1;
    for (const value of entry.values) this.#values.set(value, (this.#values.get(value) ?? 0) + 1);
    this.#rules.set(entry.rule, (this.#rules.get(entry.rule) ?? 0) + 1);
    this.#starts[entry.rule] = entry.rule === 0 ? entry.at : (this.#starts[entry.rule - 1] ?? this.#starts[entry.rule]);
  }

  remove(entry: Counted): void {
    this.#events -= 1;
    for (const value of entry.values) lower(this.#values, value);
    lower(this.#rules, entry.rule);
  }

  /** The count where the correlation holds with this entry, undefined where it does not. */
  holds(entry: Counted): number | undefined {
    const { type, atLeast, rules, timespanMs } = this.#rule;
    if (type === 'event_count') return this.#events >= atLeast ? this.#events : undefined;
    if (type === 'value_count') return this.#values.size >= atLeast ? this.#values.size : undefined;
    if (type === 'temporal') return this.#rules.size >= new Set(rules).size ? this.#events : undefined;
    // What comes after the last step is not part of the story: it would be told as its end.
    if (entry.rule !== rules.length - 1) return undefined;
    const start = this.#starts[entry.rule];
    return start !== undefined && entry.at - start <= timespanMs ? this.#events : undefined;
  }
}

function lower<Key>(counts: Map<Key, number>, key: Key): void {
  const left = (counts.get(key) ?? 0) - 1;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
}
