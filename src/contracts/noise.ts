/** What keeps a channel readable: which case gets a card, which a line of a digest, what is muted, who is called when nobody looks. */
import type { Alert } from './alert.ts';
import type { Line } from './message.ts';
import type { Case } from './store.ts';

/** What ties an alert to others. */
export interface AlertLinks {
  /** One per pair of actor and resource, the same in every Region and product; and the alert's own finding ARN. */
  readonly keys: readonly string[];
  /** Keys of findings that this one contains: their cases become part of its own. Only an attack sequence has any. */
  readonly absorbs: readonly string[];
}

/** What is known of a case before an alert goes into it. */
export interface CaseBefore {
  readonly case: Case;
  /** The version of this very finding that was known; undefined where the finding is new to the case. */
  readonly previous: Alert | undefined;
  /** The newest version of each finding in the case, at most 100. */
  readonly members: readonly Alert[];
  /** When an alert last went into the case, ISO 8601 UTC. */
  readonly lastAt: string;
}

/** What the thread says of an alert. */
export interface Told {
  readonly said: Line;
  /** Set where it comes to this channel as a message of its own as well. */
  readonly ownChannel?: string | undefined;
  /** It was quiet long enough to count as a new round, or is `outgrown`: who acknowledged before is asked again. */
  readonly recurrence?: boolean | undefined;
  /** It is critical, and what somebody acknowledged or called a false positive was not. */
  readonly outgrown?: boolean | undefined;
}

/** Where an alert went. */
export interface Joined {
  readonly case: Case;
  readonly previous: Alert | undefined;
  readonly told?: Told | undefined;
  /** An earlier call for this alert did it. */
  readonly again?: boolean | undefined;
}

/** One alert in a case, in the order in which they went in. */
export interface CaseEntry {
  readonly number: number;
  readonly alertId: string;
  readonly said: Line | undefined;
  readonly ownChannel: string | undefined;
}

export type Admission = 'card' | 'digest' | 'snoozed' | 'merged';

/** What decides whether an alert is news in a storm. */
export interface Novelty {
  readonly accountId: string;
  readonly tactic: string;
  /** 0 low to 3 critical. */
  readonly rank: number;
  /** Undefined where the alert names no resource. */
  readonly resource: string | undefined;
  /** Whoever is in an account can have GuardDuty make samples of every kind: they take no novelty from what is real. */
  readonly sample: boolean;
}

export interface DigestLine {
  readonly number: number;
  readonly caseId: string;
  readonly line: string;
}

export interface Digest {
  readonly id: string;
  readonly channel: string;
  readonly openedAt: string;
  readonly total: number;
  /** How many lines the thread in Slack shows. */
  readonly shown: number;
  /** Counted groups, the largest first. */
  readonly groups: readonly { readonly group: string; readonly count: number }[];
}

export interface SnoozeRule {
  /** `*` stands for any characters, unless `literal`; undefined: any. */
  readonly type?: string | undefined;
  readonly accountId?: string | undefined;
  readonly resource?: string | undefined;
  readonly actor?: string | undefined;
  /** The words were taken out of an alert: `*` in them is a letter of a name that an attacker may have chosen. */
  readonly literal?: boolean | undefined;
}

export interface Snooze {
  /** `S-1`, `S-2`, ... */
  readonly id: string;
  readonly rule: SnoozeRule;
  readonly reason: string;
  readonly by: string;
  readonly at: string;
  readonly until: string;
  /** What is more severe than this (0 low to 3 critical) speaks all the same. */
  readonly maxRank: number;
  readonly caseId?: string | undefined;
}

/** What made the noise, one row per account and type. */
export interface NoiseRow {
  readonly accountId: string;
  readonly type: string;
  readonly alerts: number;
  readonly cases: number;
  readonly cards: number;
  readonly lines: number;
  readonly snoozed: number;
  readonly falsePositives: number;
  readonly acknowledged: number;
}

export interface NoiseStore {
  /** Decides once how a case is shown; a second call returns what the first one decided. */
  admit(input: {
    caseId: string;
    channel: string;
    at: string;
    novelty: Novelty;
    /** It gets a card whatever the channel takes. */
    always: boolean;
    /** Muted by this rule, unless `always`. */
    snoozeId: string | undefined;
    limit: number;
    windowMs: number;
    line: string;
    group: string;
  }): Promise<{
    admission: Admission;
    digestId?: string | undefined;
    /** Decided by this call; of a line: and the first that its digest does not show yet. */
    fresh: boolean;
  }>;
  /** Whether a channel takes a further card now, as `admit` counts. */
  isCalm(channel: string, at: string, limit: number): Promise<boolean>;
  /**
   * Gives a case a card that had none, in this channel where one is named. What was said so far is in the card. False where it
   * had one.
   */
  promote(caseId: string, at: string, channel?: string): Promise<boolean>;
  /** Not posted yet, in order; `upTo` is the last entry of which this is all. */
  undelivered(caseId: string): Promise<{ upTo: number; entries: readonly CaseEntry[] }>;
  entryDelivered(caseId: string, number: number): Promise<void>;
  /** The card shows this version; all alerts up to this entry are handled. */
  shown(caseId: string, version: number, upToEntry: number, at: string): Promise<void>;
  /** Cases with a card that is behind, oldest first. */
  behind(olderThan: string, limit: number): Promise<readonly string[]>;
  /** Cases that became part of this one. */
  mergedInto(caseId: string): Promise<readonly string[]>;

  digest(id: string): Promise<Digest | undefined>;
  /** `from` counts from 1. */
  digestLines(id: string, from: number, limit: number): Promise<readonly DigestLine[]>;
  digestShown(id: string, shown: number): Promise<void>;
  digestsBehind(): Promise<readonly string[]>;

  addSnooze(input: Omit<Snooze, 'id'>): Promise<Snooze>;
  /** False where there is none of that id that still holds. */
  endSnooze(id: string, by: string, at: string): Promise<boolean>;
  snoozes(at: string): Promise<readonly Snooze[]>;
  /** Whether the account had this resource, and this tactic, in a finding (of a real alert: a real one) before this case was opened. */
  knownBefore(caseId: string, novelty: Novelty): Promise<{ resource: boolean; tactic: boolean }>;
  /** False when it was said before. */
  falsePositive(caseId: string, userId: string, at: string): Promise<boolean>;
  report(since: string, until: string, limit: number): Promise<readonly NoiseRow[]>;
  /** Alerts that are stored and not in Slack yet, and lines of digests that are not. */
  waiting(): Promise<{ alerts: number; criticals: number; lines: number }>;
}

export interface Escalation {
  readonly caseId: string;
  readonly round: number;
  readonly level: number;
  readonly dueAt: string;
}

export interface EscalationsStore {
  /** Once per case and round; a second call changes nothing. */
  arm(caseId: string, round: number, levels: readonly { level: number; dueAt: string }[]): Promise<void>;
  /** Makes these levels due now. Those that have fired are not touched. */
  hurry(caseId: string, levels: readonly number[], at: string): Promise<void>;
  /** Due, not settled, and of a case that nobody looks at; oldest first. */
  due(at: string, limit: number): Promise<readonly Escalation[]>;
  open(input: Omit<Escalation, 'dueAt'>): Promise<boolean>;
  /** Audits in the same transaction. */
  settle(input: Omit<Escalation, 'dueAt'> & { outcome: string; at: string }): Promise<void>;
}
