/** Intake beside the webhooks: queues, the look at GuardDuty itself, and what could not be taken. Times are ISO 8601 UTC. */
import type { Alert } from './alert.ts';

/** What became of one message from outside. */
export type ReadMessage =
  | {
      readonly ok: true;
      /** `raw`: the event that the alert came in, where the body held several. */
      readonly alerts: readonly { readonly alert: Alert; readonly deliveryKey: string; readonly raw?: unknown }[];
      readonly raw: unknown;
      /** What could not be read of a list beside the alerts, in words. */
      readonly unread?: string;
    }
  | { readonly ok: false; readonly status: 'ignored' | 'malformed'; readonly reason: string };

/** Turns the text of a queue message (an event, or an SNS envelope round one) into alerts. Never throws. */
export type ReadBody = (body: string) => ReadMessage;

export interface QueueMessage {
  readonly id: string;
  readonly body: string;
  /** Gives the right to delete this delivery of it. */
  readonly receipt: string;
  /** How often it was delivered, this time included. */
  readonly deliveries: number;
}

/** One SQS queue. Throws UpstreamError `sqs`. */
export interface MessageQueue {
  readonly name: string;
  /** Waits so long (at most 20 s) for at most ten messages. Ends at once, with an error, when aborted. */
  receive(waitSeconds: number, signal: AbortSignal): Promise<readonly QueueMessage[]>;
  /** Returns the ids that SQS did not delete: they will come again. */
  remove(messages: readonly QueueMessage[]): Promise<readonly string[]>;
  close(): void;
}

/** A finding as GuardDuty's own API holds it. */
export interface FoundFinding {
  readonly id: string;
  readonly accountId: string;
  readonly region: string;
  readonly type: string;
  readonly severity: number;
  readonly updatedAt: string;
  /** The whole finding, in the API's spelling. */
  readonly raw: unknown;
}

/** GuardDuty of one account and Region. Throws UpstreamError `guardduty`, or UserError where the account cannot be read. */
export interface FindingSource {
  /** Empty where GuardDuty is not on. */
  detectors(accountId: string, region: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Ids of findings that are not archived and were updated at `since` or later, oldest first, a page at a time. */
  changed(
    place: { accountId: string; region: string; detectorId: string; since: string },
    signal: AbortSignal,
  ): AsyncIterable<readonly string[]>;
  /** Accounts whose findings this administrator's detector holds too (relationship status Enabled). */
  members(
    place: { accountId: string; region: string; detectorId: string },
    signal: AbortSignal,
  ): Promise<readonly string[]>;
  /** Those that are there, in any order; at most 50 ids. */
  read(
    place: { accountId: string; region: string; detectorId: string; ids: readonly string[] },
    signal: AbortSignal,
  ): Promise<readonly FoundFinding[]>;
}

/** Confirms SNS subscriptions with the SDK. Throws UpstreamError `sns`. */
export interface SubscriptionConfirmer {
  confirm(topicArn: string, token: string): Promise<{ readonly subscriptionArn: string }>;
}

/** unknown: looked, and it is not there. unread: could not look. */
export type VerificationState = 'verified' | 'unknown' | 'differs' | 'unread';

/** Whether a finding that came from outside was read again from AWS. */
export interface Verification {
  readonly state: VerificationState;
  /** Firebreak's own words; set unless verified. */
  readonly because?: string | undefined;
  readonly at: string;
  /** Of the alert that was looked at. */
  readonly updatedAt: string;
}

export type DeadLetterDoor = 'sqs' | 'sns' | 'guardduty' | 'alert';

export interface DeadLetter {
  readonly id: string;
  readonly door: DeadLetterDoor;
  /** Queue, topic or place that it came from. */
  readonly from: string;
  /** Firebreak's own words. */
  readonly reason: string;
  /** What came, as text; undefined where an alert is stored and its handling failed. */
  readonly body?: string | undefined;
  readonly alertId?: string | undefined;
  readonly at: string;
  /** How often it was refused or failed. */
  readonly times: number;
  /** Set when it was taken after all. */
  readonly settledAt?: string | undefined;
  readonly outcome?: string | undefined;
}

export interface DeadLettersStore {
  /** Once per key: a second call counts it again and keeps the newest reason. Durable when it returns. */
  keep(letter: {
    key: string;
    door: DeadLetterDoor;
    from: string;
    reason: string;
    body?: string | undefined;
    alertId?: string | undefined;
    at: string;
  }): Promise<string>;
  get(id: string): Promise<DeadLetter | undefined>;
  /** Open ones, oldest first, after the given id. An alert that was handled meanwhile is not open any more. */
  open(limit: number, after?: string): Promise<readonly DeadLetter[]>;
  settle(id: string, outcome: string, at: string): Promise<void>;
  /** Counts one more failed try. */
  failedAgain(id: string, reason: string): Promise<void>;
  /** Open ones by door. */
  counts(): Promise<Readonly<Record<string, number>>>;
}

export interface IntakeSource {
  /** `queue findings`, `guardduty 111122223333/eu-west-1`. */
  readonly name: string;
  readonly kind: 'queue' | 'guardduty';
  readonly ok: boolean;
  /** An error code; set where not ok. */
  readonly because?: string | undefined;
  readonly lookedAt: string;
  /** Since when it is as it is. */
  readonly since: string;
  readonly taken: number;
}

export interface IntakeStore {
  /** Notes how a look at a source ended; what it took is added up. Returns false where nothing changed but the time. */
  looked(look: {
    name: string;
    kind: IntakeSource['kind'];
    ok: boolean;
    because?: string | undefined;
    taken: number;
    at: string;
    cursor?: string | undefined;
  }): Promise<{ changed: boolean }>;
  cursor(name: string): Promise<string | undefined>;
  sources(): Promise<readonly IntakeSource[]>;
  /** Whether this finding, in this state or a newer one, was stored before, whatever door brought it. */
  knows(alert: Pick<Alert, 'dedupeKey' | 'updatedAt' | 'count'>): Promise<boolean>;
  setVerification(dedupeKey: string, verification: Verification): Promise<void>;
  verification(dedupeKey: string): Promise<Verification | undefined>;
}

export type SubscriptionWish = 'confirm' | 'ended';

export interface Subscription {
  readonly id: string;
  readonly topicArn: string;
  readonly wish: SubscriptionWish;
  /** Empty once it was used. */
  readonly token: string;
  readonly at: string;
  readonly handledAt?: string | undefined;
  readonly because?: string | undefined;
}

export interface SubscriptionsStore {
  /** Once per message of SNS: a repeat returns the same id. Durable when it returns. */
  save(input: {
    messageId: string;
    topicArn: string;
    wish: SubscriptionWish;
    token: string;
    at: string;
  }): Promise<string>;
  get(id: string): Promise<Subscription | undefined>;
  /** Forgets the token. `because` is set where it failed for good. */
  handled(id: string, at: string, because?: string): Promise<void>;
  unhandled(olderThan: string, limit: number): Promise<readonly string[]>;
  /** Topics whose last confirmation failed for good. */
  failed(): Promise<readonly { readonly topicArn: string; readonly because: string }[]>;
}
