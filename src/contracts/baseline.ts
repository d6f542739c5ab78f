/** What is kept of each principal's past, as its users see it. */
import type { CloudTrailRecord } from './cloudtrail.ts';

/** One record, as far as baselines ask. Times in milliseconds since the epoch. */
export interface Sighting {
  readonly at: number;
  readonly eventId: string;
  readonly eventName: string;
  readonly eventSource: string;
  readonly region: string;
  /** "" where the caller has none. */
  readonly ip: string;
  readonly account: string;
  /** As the pivot names it; sessions by themselves. */
  readonly principal: string;
  /** "" where the record names none. */
  readonly key: string;
  readonly isWrite: boolean;
  readonly isConsole: boolean;
  readonly isDenied: boolean;
}

/** How much of the principal's (or key's) past a finding was compared with. */
export interface Rests {
  /** Its first call, milliseconds since the epoch. */
  readonly since: number;
  /** Days (UTC) before the finding's on which it was active. */
  readonly days: number;
  readonly events: number;
  /** True: more than is counted. */
  readonly atLeast: boolean;
}

/** `rule` is the name of a rule: `baseline-new-country`. */
export interface PastFinding {
  readonly rule: string;
  readonly sighting: Sighting;
  /** All sessions of a role as one. */
  readonly group: string;
  /** Absent where the rule rests on no past (a key in two countries). */
  readonly rests?: Rests | undefined;
}

/** How much an answer rests on. */
export interface BaselineHistory {
  /** ISO 8601 UTC; "" where there was nothing. */
  readonly from: string;
  readonly to: string;
  readonly principals: number;
  /** With 14 days of history or more. */
  readonly judged: number;
  /** False: no address database, so that countries and networks were not looked at. */
  readonly countries: boolean;
  /** Principals with more of something than is kept; absent: none. What is beyond it is never called new. */
  readonly capped?: number | undefined;
  /** Principals that were dropped for want of room; absent: none. */
  readonly evicted?: number | undefined;
}

export interface PastAnswer {
  readonly found: readonly PastFinding[];
  readonly history: BaselineHistory;
  /** Parts of the lake that could not be read, one sentence each. */
  readonly gaps: readonly string[];
}

export interface PastQuestion {
  /** ISO 8601 UTC, half-open: when what is found happened. The past before it counts whatever its time. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly accounts?: readonly string[] | undefined;
  readonly regions?: readonly string[] | undefined;
  /** Records that the lake does not have yet. */
  readonly more?: AsyncIterable<CloudTrailRecord> | undefined;
  readonly signal: AbortSignal;
  progress(step: string): void;
}

/** The kept past of all principals in the lake of one data folder. */
export interface Past {
  /**
   * Adds what is new in the lake. False where another process is at it, or where only one with the databases of addresses may.
   * Rejects when the signal aborts, or where the folder cannot be written.
   */
  update(signal: AbortSignal): Promise<boolean>;
  /** Records of the lake that are not kept yet: so many have to be read before an answer. */
  lacks(): Promise<number>;
  /** What stands out in the window; what the lake has and is not kept yet is read first. */
  answer(question: PastQuestion): Promise<PastAnswer>;
  /**
   * Tells what stands out from `since` on (milliseconds since the epoch) in what has changed since it was told last. What `tell` rejects
   * is told again the next time.
   */
  recent(since: number, tell: (found: readonly PastFinding[]) => Promise<void>): Promise<void>;
  /** What stands out with these records that did not without them. Records of services count for nothing. */
  compare(records: readonly CloudTrailRecord[]): Promise<readonly PastFinding[]>;
}
