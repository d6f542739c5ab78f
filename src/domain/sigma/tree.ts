/** What a Sigma rule is once it is read: one tree, as data, from which matchers are made. */

import type { Node } from '../../contracts/condition.ts';

export type { Node, Pattern, Piece, Test } from '../../contracts/condition.ts';

export const levels = ['informational', 'low', 'medium', 'high', 'critical'] as const;
export type Level = (typeof levels)[number];

export interface RuleHead {
  /** The Sigma `name`; without one the file's name, with `#2` for the second document of a file. */
  readonly name: string;
  /** The rule's UUID, "" where it has none. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly author: string;
  readonly level: Level;
  /** ATT&CK ids (`T1098.001`) and tactics in their own names (`Defense Evasion`), from the tags. */
  readonly technique: readonly string[];
  readonly tactic: readonly string[];
  readonly falsepositives: readonly string[];
  /** All tags as written, in lower case. */
  readonly tags: readonly string[];
  /** Path of the file, relative to the folder of rules. */
  readonly file: string;
}

export interface EventRule extends RuleHead {
  readonly kind: 'event';
  readonly tree: Node;
}

/** The stream counts so many events of one group; a rule that asks for more is found by hunts only. */
export const mostCounted = 10_000;

export interface CorrelationRule extends RuleHead {
  readonly kind: 'correlation';
  readonly type: 'event_count' | 'value_count' | 'temporal' | 'temporal_ordered';
  /** Names or ids of event rules. */
  readonly rules: readonly string[];
  readonly groupBy: readonly string[];
  /** Alias -> rule -> field, for grouping by fields that are called differently. */
  readonly aliases: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly timespanMs: number;
  /** Fires at this many events, or distinct values. */
  readonly atLeast: number;
  /** Of value_count. */
  readonly field: string | undefined;
  /** Whether the rules that it rests on report matches of their own. */
  readonly generate: boolean;
}

/** A rule over a principal's own past (domain/baseline): code, not Sigma, but picked and told like the others. */
export interface BaselineRule extends RuleHead {
  readonly kind: 'baseline';
}

export type SigmaRule = EventRule | CorrelationRule | BaselineRule;

/** A rule that is not evaluated, and why. Reported with every answer, never silently passed. */
export interface UnsupportedRule {
  readonly rule: string;
  readonly reason: string;
}

/** Why one rule cannot be used. Caught where rules are read: it breaks only its own rule. */
export class RuleProblem extends Error {
  override readonly name = 'RuleProblem';
}
