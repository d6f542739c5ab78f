/** The store as the flows see it. PostgreSQL behind it; every method is one statement or one transaction. Times are ISO 8601 UTC. */

import type { Alert } from './alert.ts';
import type { Approval, ApprovalState, Plan, PlanContext, Step, Vote, Watched } from './approval.ts';
import type { AthenaLedger } from './athena.ts';
import type { AuditEntry, AuditStore } from './audit.ts';
import type { AnchorsStore } from './audit-anchor.ts';
import type { ButtonsStore } from './buttons.ts';
import type { InvestigationRequest } from './command.ts';
import type { EnrichmentsStore } from './enrichment.ts';
import type { HostStore } from './host.ts';
import type { DeadLettersStore, IntakeStore, SubscriptionsStore } from './intake.ts';
import type { Admission, AlertLinks, CaseBefore, EscalationsStore, Joined, NoiseStore, Told } from './noise.ts';
import type { RulesStore } from './rules.ts';
import type { StepUpStore } from './step-up.ts';
import type { StreamStore } from './stream.ts';
import type { StrikeStores } from './strike.ts';

export type { AuditEntry, AuditRow, AuditStore } from './audit.ts';

export interface Case {
  readonly id: string;
  readonly dedupeKey: string;
  readonly alert: Alert;
  readonly channel: string;
  /** Undefined until the card is posted. */
  readonly messageTs?: string | undefined;
  readonly acknowledgedBy?: string | undefined;
  readonly acknowledgedAt?: string | undefined;
  readonly openedAt: string;
  /** How it is shown; undefined until that is decided. */
  readonly admission?: Admission | undefined;
  /** The case that it has become a part of. */
  readonly mergedInto?: string | undefined;
  /** Counts what changed in it; the card shows `shownVersion`. */
  readonly version: number;
  readonly shownVersion: number;
  /** Counts the recurrences after a time of quiet. */
  readonly round: number;
  /** Entries up to this number came before the card and are told in its thread only. */
  readonly cardFrom: number;
  readonly falsePositiveBy?: string | undefined;
  /** Slack ids of the few who may read it; absent: whoever reads its channel. */
  readonly restrictedTo?: readonly string[] | undefined;
}

export interface AlertsStore {
  /** Durable when it returns. `repeat`: this very delivery was stored before. */
  receive(input: {
    deliveryKey: string;
    alert: Alert;
    raw: unknown;
    at: string;
  }): Promise<{ alertId: string; repeat: boolean }>;
  get(alertId: string): Promise<{ alert: Alert; receivedAt: string; handledAt?: string | undefined } | undefined>;
  markHandled(alertId: string, at: string): Promise<void>;
  /** Stored but not handled, oldest first: what the sweep queues again. */
  unhandled(olderThan: string, limit: number): Promise<readonly string[]>;
}

export interface CasesStore {
  /** Opens the case of a finding, or merges a newer version of the finding into it, under a row lock. */
  openOrMerge(input: {
    alert: Alert;
    channel: string;
    at: string;
    /** With it, a second call for the same alert changes nothing. */
    alertId?: string | undefined;
    /** Where the finding is new: it goes into a case of the same links that had an alert since `since`. */
    join?: { readonly links: AlertLinks; readonly since: string } | undefined;
    /** What the thread shall say of it; pure. Not asked where the alert opens a case. */
    tell?: ((before: CaseBefore) => Told | undefined) | undefined;
  }): Promise<Joined>;
  /** Whether there is a case that holds the finding of this key. */
  isOpen(dedupeKey: string): Promise<boolean>;
  /** The case whose card this message is. */
  ofMessage(channel: string, ts: string): Promise<string | undefined>;
  get(caseId: string): Promise<Case | undefined>;
  /** As much of it as the executor may read. */
  brief(caseId: string): Promise<(Pick<Case, 'id' | 'restrictedTo'> & { readonly alertType: string }) | undefined>;
  /** The case that an alert's `dedupeKey` belongs to. */
  ofKey(dedupeKey: string): Promise<string | undefined>;
  /** The newest case since then, open to all, whose alert names this key, principal or resource as the one that it is about. */
  naming(id: string, accountId: string, since: string): Promise<string | undefined>;
  /** A case without a finding behind it: `/ir contain` typed by hand. */
  openByHand(input: { title: string; channel: string; accountId: string; at: string }): Promise<string>;
  setMessage(caseId: string, channel: string, ts: string): Promise<void>;
  /**
   * Closes the case to these people, with the one that it is part of, and audits it. Returns what was closed: none where there is no such
   * case, or it is closed to `by` already.
   */
  restrict(caseId: string, userIds: readonly string[], by: string, at: string): Promise<readonly string[]>;
  /** False when somebody else was first. */
  acknowledge(caseId: string, userId: string, at: string): Promise<boolean>;
}

/** Posted messages by key: what makes a post happen once over crashes. */
export interface PostsStore {
  /** Claims the key. `state` new: nobody tried; unsure: somebody tried and did not say how it ended; posted: done. */
  claim(
    key: string,
    channel: string,
    at: string,
  ): Promise<{ state: 'new' | 'unsure' | 'posted'; ts?: string | undefined; deliveryId: string }>;
  /** Slack surely has not got it: the next try need not look for it first. Only for a claim that was `new`. */
  release(key: string): Promise<void>;
  /** `channel` is the id that Slack answered with, where the claim may have held a name. */
  posted(key: string, ts: string, channel?: string): Promise<void>;
  get(key: string): Promise<{ channel: string; ts: string } | undefined>;
  /** The message with this `ts` is gone from Slack: the next try posts it anew. Another one of the key stays. */
  gone(key: string, ts: string): Promise<void>;
}

export interface StoredInvestigation {
  readonly id: string;
  readonly name: string;
  readonly request: InvestigationRequest;
  readonly channel: string;
  readonly threadTs?: string | undefined;
  readonly requestedBy: string;
  readonly createdAt: string;
  readonly finishedAt?: string | undefined;
  readonly caseId?: string | undefined;
}

export interface InvestigationsStore {
  create(input: Omit<StoredInvestigation, 'id' | 'finishedAt'>): Promise<string>;
  get(id: string): Promise<StoredInvestigation | undefined>;
  finish(id: string, answer: unknown, at: string): Promise<void>;
  unfinished(olderThan: string, limit: number): Promise<readonly string[]>;
}

/** A wish for containment, before there is a plan. */
export interface ContainmentRequest {
  readonly action: string;
  readonly words: readonly string[];
  readonly userId: string;
  readonly channel: string;
  readonly threadTs?: string | undefined;
  readonly caseId?: string | undefined;
  /** Set where the wish is to undo this approval. */
  readonly undoOf?: string | undefined;
  readonly at: string;
  /** Typed on the host, by somebody whose one-time code was used up for it. */
  readonly door?: 'host' | undefined;
  readonly hostUser?: string | undefined;
}

export interface VoteRequest {
  readonly approvalId: string;
  readonly userId: string;
  readonly vote: 'approve' | 'reject' | 'withdraw';
  readonly channel: string;
  readonly threadTs?: string | undefined;
  readonly at: string;
  readonly door?: 'host' | undefined;
  readonly hostUser?: string | undefined;
  /** The reason for which the glass is to be broken. */
  readonly breakGlass?: string | undefined;
}

/** What Slack said of a person, and when it was asked; the executor, which has no Slack token, decides from it. */
export interface Standing {
  readonly userId: string;
  readonly person: string;
  /** Undefined: may vote. Else why not. */
  readonly refused?: string | undefined;
  readonly checkedAt: string;
  /** Slack did not answer, and the config alone was asked: counts for a proved vote on the host only. */
  readonly by?: 'config' | undefined;
}

export interface ApprovalsStore {
  /** Audits `ask` in the same transaction. */
  saveRequest(request: ContainmentRequest): Promise<string>;
  requestHandled(id: string, at: string): Promise<void>;
  request(id: string): Promise<ContainmentRequest | undefined>;
  /** With the one-time code that came with it, kept apart until the executor takes it. */
  saveVote(vote: VoteRequest, code?: string): Promise<string>;
  voteHandled(id: string, at: string): Promise<void>;
  /** Stored but not handled, oldest first: what the sweep queues again. */
  unhandled(olderThan: string, limit: number): Promise<{ requests: readonly string[]; votes: readonly string[] }>;
  /** Undefined once it was handled: a vote whose refusal was told must not count after that. */
  vote(id: string): Promise<VoteRequest | undefined>;
  /** Once per requestId: a second call returns the approval of the first. Audits `plan` in the same transaction. */
  propose(input: {
    requestId: string;
    caseId: string;
    plan: Plan;
    planHash: string;
    context: PlanContext;
    requester: { userId: string; person: string };
    required: number;
    createdAt: string;
    expiresAt: string;
    undoOf?: string | undefined;
    channel: string;
    threadTs?: string | undefined;
  }): Promise<Approval>;
  get(id: string): Promise<Approval | undefined>;
  /** The approval that this wish has led to, if any. */
  ofRequest(requestId: string): Promise<Approval | undefined>;
  /** Undo of it that is not over yet, or the newest one that has written something, or the newest one. */
  undoFor(approvalId: string): Promise<Approval | undefined>;
  open(): Promise<readonly Approval[]>;
  /**
   * Loads under a row lock, lets `decide` say what shall happen, and stores it with its audit entry in one transaction.
   * `decide` returns undefined to leave everything as it is.
   */
  move(
    id: string,
    decide: (approval: Approval) => Transition | undefined,
  ): Promise<{ approval: Approval; moved: boolean }>;
  /** Applied and verified, and not looked at since this time though its watch is not over; oldest first. */
  unwatched(since: string, limit: number): Promise<readonly Approval[]>;
  /** Notes which state the card in Slack shows. */
  markShown(id: string, shown: string): Promise<void>;
  /** Approvals whose card shows another state than theirs, oldest first. */
  notShown(limit: number): Promise<readonly Approval[]>;
  setStanding(approvalId: string, standings: readonly Standing[]): Promise<void>;
  standings(approvalId: string): Promise<readonly Standing[]>;
  /** Proposed past their expiry, and approved or applying that nobody is working on. */
  inState(states: readonly ApprovalState[], limit: number): Promise<readonly Approval[]>;
}

export interface Transition {
  readonly state?: ApprovalState;
  readonly addVote?: Vote;
  readonly after?: Readonly<Record<string, unknown>>;
  readonly outcome?: string;
  readonly sentAt?: string;
  readonly watched?: Watched;
  /** Written over what is stored of the same index. */
  readonly step?: Step;
  /** Nothing is stored while all writes are frozen; told in the same transaction, so that no freeze is overtaken. */
  readonly unlessFrozen?: true;
  readonly audit: AuditEntry;
}

export interface SettingsStore {
  frozen(): Promise<{ frozen: boolean; by?: string; reason?: string; at?: string }>;
  /** Audits in the same transaction. */
  setFrozen(frozen: boolean, by: string, reason: string, at: string): Promise<void>;
}

export interface Store extends StrikeStores {
  readonly stepUp: StepUpStore;
  readonly host: HostStore;
  readonly alerts: AlertsStore;
  readonly cases: CasesStore;
  readonly posts: PostsStore;
  readonly buttons: ButtonsStore;
  readonly investigations: InvestigationsStore;
  readonly approvals: ApprovalsStore;
  readonly enrichments: EnrichmentsStore;
  readonly audit: AuditStore;
  readonly anchors: AnchorsStore;
  readonly settings: SettingsStore;
  readonly athena: AthenaLedger;
  readonly stream: StreamStore;
  readonly rules: RulesStore;
  readonly noise: NoiseStore;
  readonly escalations: EscalationsStore;
  readonly intake: IntakeStore;
  readonly deadLetters: DeadLettersStore;
  readonly subscriptions: SubscriptionsStore;
  /** True the first time a key is seen; keys live for at least 10 minutes (Slack replays). */
  firstTime(key: string, at: string): Promise<boolean>;
  /** Reserves the next slot of a lane shared by all processes; returns how many ms to wait for it. */
  reserveSlot(lane: string, everyMs: number): Promise<number>;
  /**
   * Runs `work` while nobody else, in any process, works under the same key; ended by the database when the process dies.
   * Never take a turn inside another.
   */
  turn<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** Throws UpstreamError when nothing can be stored now (writes, not only reads). */
  check(): Promise<void>;
  /** Tables that this role of the database may not use as web and worker must. */
  lackingRights(): Promise<readonly string[]>;
  close(): Promise<void>;
}
