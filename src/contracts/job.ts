/** Every queue in one map: job names and payloads cannot drift. Payloads carry ids; the truth is in the store. */
export interface Jobs {
  'alert.received': { readonly alertId: string };
  /** As `alert.received`, for a critical: it does not wait behind a storm. */
  'alert.urgent': { readonly alertId: string };
  'case.mark': {
    readonly caseId: string;
    readonly userId: string;
    readonly channel: string;
    readonly mark: 'snooze' | 'false-positive' | 'open';
    /** Of a snooze: why, and until when (ISO 8601 UTC). */
    readonly reason?: string | undefined;
    readonly until?: string | undefined;
  };
  /** A case without a card whose resource is tagged as a crown jewel: who set the tag? */
  'case.weigh': { readonly caseId: string; readonly alertId: string };
  /** Brings the card of a case up to date, and tells what was not told yet. */
  'case.show': { readonly caseId: string };
  'digest.show': { readonly digestId: string };
  'case.escalate': { readonly caseId: string; readonly round: number; readonly level: number };
  'noise.report': { readonly week: string };
  'alert.acknowledged': { readonly caseId: string; readonly userId: string; readonly channel: string };
  /** Looks up who, key, instance and address for a card. */
  'case.enrich': { readonly caseId: string };
  /** Reads a finding again from AWS. */
  'alert.verify': { readonly alertId: string };
  /** Confirms a subscription of SNS, or tells that one has ended. */
  'sns.subscription': { readonly subscriptionId: string };
  'investigation.run': { readonly investigationId: string };
  'containment.plan': { readonly requestId: string };
  /** The executor's look at the one-time code that came with a vote. */
  'approval.prove': { readonly voteId: string };
  'approval.vote': { readonly voteId: string };
  /** Looks at the voters' standing again, then hands over to the executor. `since` (ISO 8601): what Slack was asked for after that will do. */
  'approval.admit': { readonly approvalId: string; readonly since?: string };
  /** A second look, a minute after the change was read back. */
  'containment.watch': { readonly approvalId: string };
  /** The executor's: the only job that writes to AWS. */
  'containment.run': { readonly approvalId: string };
  'approval.changed': { readonly approvalId: string };
  /** Tells approvers what waits for them, or that it does not any more. */
  'approval.notify': { readonly approvalId: string };
  /** What of the credential family is still alive after a containment. */
  'containment.alive': { readonly approvalId: string };
  /** Plans a whole case. */
  'strike.plan': { readonly strikeId: string };
  'strike.changed': { readonly strikeId: string };
  /** One person's vote on the steps of a strike, one after the other. */
  'strike.vote': { readonly voteIds: readonly string[] };
}
export type JobName = keyof Jobs;

/** One BullMQ queue per lane, so that a long investigation never holds up a card. */
export const lanes = {
  alerts: ['alert.received'],
  // What must not wait behind thousands of alerts.
  urgent: [
    'alert.urgent',
    'alert.acknowledged',
    'case.mark',
    'case.show',
    'digest.show',
    'case.escalate',
    'noise.report',
  ],
  // Asks AWS and may wait for it: cards must not wait behind it.
  intake: ['alert.verify', 'case.weigh', 'sns.subscription'],
  investigations: ['investigation.run'],
  // Slow AWS answers must hold up neither cards nor people's questions.
  enrichment: ['case.enrich'],
  // Plans read logs for a while; votes and cards must not wait behind them.
  plans: ['containment.plan', 'containment.watch', 'containment.alive', 'strike.plan'],
  approvals: ['approval.vote', 'approval.admit', 'strike.vote'],
  // Slack takes some forty updates a minute: no vote must wait until cards are brought up to date.
  cards: ['approval.changed', 'strike.changed'],
  notices: ['approval.notify'],
  executor: ['containment.run', 'approval.prove'],
} as const satisfies Record<string, readonly JobName[]>;
export type Lane = keyof typeof lanes;

export type JobHandlers<Names extends JobName = JobName> = {
  readonly [Name in Names]: (payload: Jobs[Name], ctx: JobContext) => Promise<void>;
};

export interface JobContext {
  /** 1 on the first try. */
  readonly attempt: number;
  /** True when no further try will follow a throw. */
  readonly last: boolean;
  readonly signal: AbortSignal;
}

export interface Queue {
  /** Durable when it returns. The same `id` while a job of that id is waiting or running is one job. Throws UpstreamError('queue'). */
  add<Name extends JobName>(name: Name, payload: Jobs[Name], options: { id: string; delayMs?: number }): Promise<void>;
  /**
   * Starts taking jobs of a lane. UserError and non-retryable UpstreamError are not tried again. `alone`: no other process
   * works on this lane, so what is running in it was left by a dead one and is taken over at once.
   */
  work<L extends Lane>(
    lane: L,
    handlers: JobHandlers<(typeof lanes)[L][number]>,
    options: { concurrency: number; alone?: boolean },
  ): Promise<void>;
  /** Throws UpstreamError when jobs cannot be stored now. */
  check(): Promise<void>;
  /** Waiting, delayed and failed jobs per lane, for metrics. */
  counts(): Promise<Readonly<Record<Lane, { waiting: number; delayed: number; active: number; failed: number }>>>;
  /** Stops taking jobs, waits for the running ones (at most `timeoutMs`), closes. */
  close(timeoutMs: number): Promise<void>;
}
