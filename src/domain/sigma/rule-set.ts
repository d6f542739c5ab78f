/** Many rules against many records: rules are sorted out once per event name, so that most are never run. */
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { isInsight } from '../record.ts';
import { addFieldsOf } from './fields-read.ts';
import { type Json, type Matcher, matcherOf, specialised } from './matcher.ts';
import type { EventRule } from './tree.ts';

/** Event names come from outside: no more than this many are remembered. */
const maxNames = 5_000;
export const nameFields: ReadonlySet<string> = new Set(['eventName', 'eventSource']);

export interface RuleSet {
  readonly rules: readonly EventRule[];
  /**
   * The rules that match, in their own order. Takes records and anything like one; never throws. Events of CloudTrail Insights name a call and
   * are none: only rules that ask for their kind are asked about them.
   */
  match(record: CloudTrailRecord | Json): readonly EventRule[];
}

interface Ready {
  readonly rule: EventRule;
  readonly matches: Matcher;
  /** Reads what tells Insights from calls. */
  readonly tellsInsights: boolean;
}

const kindFields = ['eventType', 'eventCategory', 'insightDetails'];

function tellsInsights({ tree }: EventRule): boolean {
  const fields = new Set<string>();
  return addFieldsOf(tree, fields) || kindFields.some((field) => fields.has(field));
}

const always: Matcher = () => true;

const none: readonly EventRule[] = [];

export function ruleSet(rules: readonly EventRule[]): RuleSet {
  const ready = rules.map(
    (rule): Ready => ({ rule, matches: matcherOf(rule.tree), tellsInsights: tellsInsights(rule) }),
  );
  let byName = new Map<unknown, Map<unknown, readonly Ready[]>>();
  let names = 0;

  function candidates(record: Json): readonly Ready[] {
    const { eventName, eventSource } = record;
    const known = byName.get(eventName)?.get(eventSource);
    if (known) return known;
    const found = ready.flatMap(({ rule, matches, ...kept }): Ready[] => {
      const left = specialised(rule.tree, nameFields, record);
      if (typeof left === 'boolean') return left ? [{ rule, matches: always, ...kept }] : [];
      return [{ rule, matches: left === rule.tree ? matches : matcherOf(left), ...kept }];
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
      const isCall = !isInsight(record);
      for (const { rule, matches, tellsInsights } of candidates(record as Json)) {
        if ((isCall || tellsInsights) && matches(record as Json)) {
          matched ??= [];
          matched.push(rule);
        }
      }
      return matched ?? none;
    },
  };
}
