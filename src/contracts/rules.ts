/** What the operator and the responders have settled about detection rules: switched off, excepted, and what could not be read. */

/** A match that is not to be told, for a reason and until a day. All criteria that are given must hold; in each list one suffices. */
export interface RuleException {
  /** Names, ids, or `*` patterns of rules. */
  readonly rule?: readonly string[] | undefined;
  /** ARNs as the log has them, `*` for any characters; or the bare name of a user or role. */
  readonly principal?: readonly string[] | undefined;
  /** Addresses and CIDR ranges. */
  readonly ip?: readonly string[] | undefined;
  /** 12-digit ids. */
  readonly account?: readonly string[] | undefined;
  /** `CreateUser` or `iam:CreateUser`, `*` for any characters. */
  readonly event?: readonly string[] | undefined;
  /** Tags of the rule: `attack.t1098`, `attack.persistence`, or its own. */
  readonly tag?: readonly string[] | undefined;
  readonly reason: string;
  /** ISO 8601 UTC, exclusive: from then on it holds back nothing. */
  readonly until: string;
  /** Of a stored one; those of the config have none. */
  readonly id?: string | undefined;
  /** Who made it: a person, or `config`. */
  readonly by: string;
}

export interface DisabledRule {
  /** Name, id or `*` pattern. */
  readonly rule: string;
  readonly reason: string;
  readonly by: string;
}

export interface RuleSettings {
  readonly disabled: readonly DisabledRule[];
  readonly exceptions: readonly RuleException[];
  /** Folders and files that could not be read, in the form of a rule that is not evaluated. */
  readonly problems: readonly { readonly rule: string; readonly reason: string }[];
}

/** One rule, as lists show it. */
export interface RuleSummary {
  readonly name: string;
  readonly id: string;
  readonly title: string;
  readonly level: string;
  readonly technique: readonly string[];
  readonly tactic: readonly string[];
  readonly description: string;
  readonly falsepositives: readonly string[];
  readonly file: string;
}

/** All rules as they stand now. */
export interface RuleView {
  readonly rules: readonly RuleSummary[];
  readonly settings: RuleSettings;
  /** Rules that cannot be evaluated, folders and files that cannot be read, ids that collide. */
  readonly faults: readonly { readonly rule: string; readonly reason: string }[];
}

/** A change that a person asks for. `rule` is a name or id that exists. */
export type RuleChange =
  | { readonly kind: 'disable'; readonly rule: string; readonly reason: string }
  | { readonly kind: 'enable'; readonly rule: string; readonly reason: string }
  | { readonly kind: 'except'; readonly exception: Omit<RuleException, 'id' | 'by'> }
  | { readonly kind: 'end-exception'; readonly id: string; readonly reason: string };

export interface RulesStore {
  /** What is switched off and excepted, expired exceptions among them, oldest first. */
  settled(): Promise<Pick<RuleSettings, 'disabled' | 'exceptions'>>;
  /**
   * Stores the change with its audit entry in one transaction. `done` false: it was so already, or there is no exception of
   * that id. `id` is that of a new exception.
   */
  change(change: RuleChange, by: string, at: string): Promise<{ readonly done: boolean; readonly id?: string }>;
}
