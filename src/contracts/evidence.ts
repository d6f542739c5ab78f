/** Evidence: where records come from, and what was and was not looked at (safety rule 9). */
import type { Artifact, NodeKind } from './artifact.ts';
import type { PastAnswer } from './baseline.ts';
import type { CloudTrailRecord } from './cloudtrail.ts';
import type { Narrowing, Node, Told } from './condition.ts';

export interface CoverageSource {
  /** `CloudTrail LookupEvents eu-west-1 111122223333`, `CloudTrail files`, ... */
  readonly name: string;
  readonly events: number;
  readonly pages: number;
  readonly truncated: boolean;
  readonly failed: boolean;
  readonly reason?: string;
}

/** The external JSON form (DESIGN.md 5). `from` and `to` are ISO 8601 UTC. */
export interface Coverage {
  readonly complete: boolean;
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly sources: readonly CoverageSource[];
  readonly badFiles: readonly { readonly path: string; readonly reason: string }[];
  readonly notLookedAt: readonly string[];
}

/** Half-open: from <= eventTime < to. ISO 8601 UTC. `from` undefined: all time that the source holds. */
export interface Window {
  readonly from?: string;
  readonly to: string;
}

export interface EvidenceBudget {
  /** Requests to AWS (pages). */
  readonly maxRequests: number;
  /** Records kept in memory. */
  readonly maxEvents: number;
}

export interface EvidenceProgress {
  readonly regionsDone: number;
  readonly regions: number;
  readonly eventsRead: number;
  readonly requests: number;
}

/** What one principal did from an address. */
export interface AddressUser {
  readonly kind: NodeKind;
  /** All sessions of a role together, by the role's ARN. */
  readonly principal: string;
  readonly events: number;
  /** User agents, "" where a call named none. */
  readonly agents: ReadonlySet<string>;
  /** Times of calls in steps of ten minutes since the epoch. */
  readonly slots: ReadonlySet<number>;
  /** `ec2.amazonaws.com:RunInstances`. */
  readonly calls: ReadonlySet<string>;
}

export interface AddressUse {
  /** All calls from the address, also those that name no principal. */
  readonly events: number;
  /** ISO 8601 UTC; absent where there was no call. */
  readonly firstSeen?: string;
  readonly lastSeen?: string;
  /** By principal. */
  readonly users: readonly AddressUser[];
}

/** The condition of a rule, for a source that can be asked for what fits. */
export interface AskedRule {
  readonly name: string;
  readonly where: Node;
}

/** How far a source could tell by itself whether a rule holds. */
export interface RuleInSource {
  readonly rule: string;
  /** `whole`: all of its condition; `part`: it handed over more, for the matcher to judge; `none`: nothing, so that the rule was left out. */
  readonly how: 'whole' | 'part' | 'none';
  /** What it could not tell. */
  readonly because: readonly string[];
  /** What its records lack of what the rule reads: there the rule may hold, and not be seen to. */
  readonly lost: readonly string[];
}

/** What came of asking a source for what fits rules. */
export interface RulesAsked {
  readonly source: string;
  readonly statements: number;
  readonly rules: readonly RuleInSource[];
  /** In words, before and after. */
  readonly cost: { readonly before: string; readonly after: string };
}

export interface WantedByRules {
  readonly rules: readonly AskedRule[];
  /** The same, for the parts of the source that are read whole. */
  readonly narrowing: Narrowing;
  progress(step: string): void;
}

/**
 * One investigation's view of the logs: one window, one set of accounts and Regions. Answers are cached for the life of
 * the session, so asking twice costs nothing.
 */
export interface Evidence {
  /**
   * Every record in the window in which the artifact acts or is acted upon, in order of eventTime, exact duplicates
   * dropped. A failed Region, a cap or a spent budget never throws: it shows in `coverage()`.
   */
  recordsOf(artifact: Artifact): Promise<readonly CloudTrailRecord[]>;
  /**
   * Every record in the window, exact duplicates dropped, in no promised order. As with `recordsOf`, failures show in
   * `coverage()`. Absent where the source answers single questions only: then the window was not looked at as a whole.
   * `narrowing`: what of it will be read; fields and records that it does not want may be missing from what comes.
   * `told`: gets records whose answers the source knows; they do not come otherwise. A source may know none.
   */
  all?(narrowing?: Narrowing, told?: Told): AsyncIterable<CloudTrailRecord>;
  /**
   * Records among which are all that fit any of the rules, as with `all`, from a source that is asked for them and would be slow or dear to
   * read whole. Absent where `all` is the better way.
   */
  matching?(wanted: WantedByRules, told: Told): AsyncIterable<CloudTrailRecord>;
  /** What came of `matching`, once it has been read. */
  rulesAsked?(): RulesAsked | undefined;
  /**
   * Who used an address, where more than `moreThan` principals did and telling so is much cheaper than reading all their
   * records; undefined everywhere else. The same as `addressUseOf` of the records that `recordsOf` would give.
   */
  addressUse?(ip: string, moreThan: number): Promise<AddressUse | undefined>;
  /**
   * Every record in whose bodies a text stands (domain/text-search.ts says where), as with `all`, where the source finds them faster
   * than by reading everything.
   */
  holding?(text: string): Promise<readonly CloudTrailRecord[]>;
  /** What stands out in the window against all that is kept of the past. Absent where nothing is kept of it: then records tell. */
  past?(progress: (step: string) => void): Promise<PastAnswer>;
  /** True: `past` answers at once. Else it reads much of the lake first, which is for who asks for nothing else. */
  isPastReady?(): Promise<boolean>;
  /** What has been looked at up to now. `complete` is false as soon as anything was capped, failed or not looked at. */
  coverage(): Coverage;
  progress(): EvidenceProgress;
}
