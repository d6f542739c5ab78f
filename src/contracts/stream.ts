/**
 * Detection in the stream, as the store sees it: records that wait, what correlations have counted, bursts that were told, and
 * stories, which become cases. One batch is one transaction, so a killed process leaves either all of it or nothing.
 */
import type { Alert } from './alert.ts';
import type { CloudTrailRecord } from './cloudtrail.ts';

/** One event that a correlation counts in one of its groups. */
export interface StreamEntry {
  /** Name of the correlation rule. */
  readonly correlation: string;
  /** Values of `group-by`, as JSON. */
  readonly group: string;
  /** Of the record: the same however often and by whatever way it comes. */
  readonly eventKey: string;
  readonly eventId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Number of the event's rule in the correlation's list. */
  readonly rule: number;
  readonly values: readonly string[];
  /** Who did it: what the burst will be told of. */
  readonly deed: StreamDeed;
}

/** One match, as small as a story needs it. */
export interface StreamDeed {
  /** Name of the rule. */
  readonly rule: string;
  readonly eventId: string;
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly accountId: string;
  readonly region: string;
  /** All sessions of a role as one; "" where nothing identifies the caller. */
  readonly principal: string;
  readonly ip: string;
  readonly actor: Alert['actor'];
  readonly api: NonNullable<Alert['api']>;
  /** Of a burst: what was counted in its fullest window, how many events it has, and when it began (ms since the epoch). */
  readonly burst?: { readonly id: string; readonly count: number; readonly events: number; readonly first: number };
  /** Of a rule about the past: how much of it, in a sentence. */
  readonly note?: string;
}

export interface StreamBurst {
  readonly id: string;
  readonly correlation: string;
  readonly group: string;
  /** Milliseconds since the epoch. */
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

/** What one principal did in one account, as long as it goes on: one case. */
export interface StreamStory {
  readonly id: string;
  readonly accountId: string;
  readonly principal: string;
  /** Milliseconds since the epoch, of the events. */
  readonly first: number;
  readonly last: number;
  readonly chapters: readonly StreamChapter[];
  readonly ips: readonly string[];
  /** Matches when it was told last, and what was told then. */
  readonly told: { readonly matches: number; readonly chapters: number; readonly level: number };
}

/** One rule's part of a story. */
export interface StreamChapter {
  readonly rule: string;
  readonly matches: number;
  readonly first: string;
  readonly last: string;
  /** The first few. */
  readonly eventIds: readonly string[];
  readonly deed: StreamDeed;
  /** Bursts by id: what they counted. */
  readonly bursts: Readonly<Record<string, number>>;
}

/** What a batch is about, and then what comes of it. Pure; called inside the transaction. */
export interface StreamJudge {
  /**
   * Sees the waiting records of a batch before they are heeded. What it rejects with undoes the batch, which is tried again, so that what it
   * stores has to be the same the second time. Absent: nobody wants to see them.
   */
  prepare?(records: readonly { readonly eventKey: string; readonly record: CloudTrailRecord }[]): Promise<void>;
  /** What the record means by itself. */
  heed(
    record: CloudTrailRecord,
    eventKey: string,
  ): {
    readonly deeds: readonly StreamDeed[];
    readonly entries: readonly StreamEntry[];
  };
  /** What the batch means together with what is known. `now`: ISO 8601 UTC. */
  judge(batch: {
    readonly deeds: readonly StreamDeed[];
    readonly groups: readonly {
      readonly correlation: string;
      readonly group: string;
      readonly entries: readonly StreamEntry[];
      readonly bursts: readonly StreamBurst[];
    }[];
    /** Stories of an account and principal, the newest first. */
    storiesOf(accountId: string, principal: string): Promise<readonly StreamStory[]>;
    readonly now: string;
  }): Promise<{
    readonly bursts: readonly StreamBurst[];
    readonly stories: readonly StreamStory[];
    readonly alerts: readonly { readonly deliveryKey: string; readonly alert: Alert; readonly raw: unknown }[];
  }>;
  /** How far from a new entry of a correlation others are of use to it, in ms. */
  keepsMs(correlation: string): number;
  /** How many entries of a group a correlation is judged by at most. */
  readsAtMost(correlation: string): number;
  /** The longest `keepsMs`. */
  readonly longestMs: number;
  /** How old a record may be when it comes, in ms: so long at least its repeat has to be known. */
  readonly maxAgeMs: number;
}

export interface StreamStore {
  /** Durable when it returns; those that came before are left out. Returns how many are new. */
  receive(
    records: readonly { readonly eventKey: string; readonly record: CloudTrailRecord }[],
    at: string,
  ): Promise<number>;
  /** Judges at most `limit` waiting records, the oldest first, in one transaction. Returns the alerts that it stored. */
  work(
    judge: StreamJudge,
    limit: number,
    at: string,
  ): Promise<{
    readonly taken: number;
    readonly alerts: readonly { readonly alertId: string; readonly alert: Alert }[];
  }>;
  /** Names among `shards` of the lake that were not looked at yet. */
  newShards(shards: readonly string[]): Promise<readonly string[]>;
  markShard(shard: string, at: string): Promise<void>;
}
