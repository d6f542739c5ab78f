/** Many rules against many records: rules are sorted out once per event name, so that most are never run. */
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { type Json, type Matcher, matcherOf, specialised } from './matcher.ts';
import type { EventRule } from './tree.ts';

/** Event names come from outside: no more than this many are remembered. */
const maxNames = 5_000;
export const nameFields: ReadonlySet<string> = new Set(['eventName', 'eventSource']);

export interface RuleSet {
  readonly rules: readonly EventRule[];
  /** The rules that match, in their own order. Takes records and anything like one; never throws. */
  match(record: CloudTrailRecord | Json): readonly EventRule[];
}

interface Ready {
  readonly rule: EventRule;
  readonly matches: Matcher;
}

const always: Matcher = () => true;

const none: readonly EventRule[] = [];

export function ruleSet(rules: readonly EventRule[]): RuleSet {
  const ready = rules.map((rule): Ready => ({ rule, matches: matcherOf(rule.tree) }));
  let byName = new Map<unknown, Map<unknown, readonly Ready[]>>();
  let names = 0;

  function candidates(record: Json): readonly Ready[] {
    const { eventName, eventSource } = record;
    const known = byName.get(eventName)?.get(eventSource);
    if (known) return known;
    const found = ready.flatMap(({ rule, matches }): Ready[] => {
      const left = specialised(rule.tree, nameFields, record);
      if (typeof left === 'boolean') return left ? [{ rule, matches: always }] : [];
      return [{ rule, matches: left === rule.tree ? matches : matcherOf(left) }];
    });
    // Only texts are remembered: objects are told apart by identity, not by what they say.
    if (typeof eventName !== 'string' || typeof eventSource !== 'string') return found;
    if (names >= maxNames) {
      byName = new Map();
      names = 0;
    }
    names += 1;
    const bySource = byName.get(eventName) ?? new Map<unknown, readonly Ready[]>();
    byName.set(eventName, bySource.set(eventSource, found));
    return found;
  }

  return {
    rules,
    match(record) {
      let matched: EventRule[] | undefined;
      for (const { rule, matches } of candidates(record as Json)) {
        if (matches(record as Json)) {
          matched ??= [];
          matched.push(rule);
        }
      }
      return matched ?? none;
    },
  };
}
