/** A strike: one plan for a whole case, each step an approval of its own; and who was told of what waits. Times are ISO 8601 UTC. */

/**
 * Why a step stands where it stands. `evidence` goes first: what follows would destroy it. `network` goes last: credentials
 * that were taken off the machine work without it.
 */
export type StrikePhase = 'evidence' | 'credentials' | 'network';

export interface StrikeStep {
  readonly phase: StrikePhase;
  readonly action: string;
  readonly words: readonly string[];
  /** One sentence, for the card. */
  readonly why: string;
}

export interface StrikeRequest {
  readonly caseId: string;
  readonly userId: string;
  readonly channel: string;
  readonly threadTs?: string | undefined;
  readonly at: string;
}

export interface Strike extends StrikeRequest {
  readonly id: string;
  /** Undefined until it is planned. In order. */
  readonly steps: readonly (StrikeStep & { readonly requestId: string; readonly isPlanned: boolean })[] | undefined;
  /** What the plan does not hold, and why; one sentence each. */
  readonly notes: readonly string[];
}

export interface StrikesStore {
  /** Audits in the same transaction. */
  ask(request: StrikeRequest): Promise<string>;
  get(id: string): Promise<Strike | undefined>;
  /** Stores the steps once, each with its wish for containment; false when they were there already. Audits in the same transaction. */
  plan(id: string, steps: readonly StrikeStep[], notes: readonly string[], at: string): Promise<boolean>;
  ofRequest(requestId: string): Promise<string | undefined>;
  /** The strike that the approval is a step of. */
  ofApproval(approvalId: string): Promise<string | undefined>;
  /** Approvals of the steps before this one in its strike, in order. */
  earlier(approvalId: string): Promise<readonly string[]>;
  /** What a case has cards of: its strikes and its plans, by id. */
  ofCase(caseId: string): Promise<{ readonly strikes: readonly string[]; readonly approvals: readonly string[] }>;
  /** Asked for but not planned, oldest first: what the sweep queues again. */
  unplanned(olderThan: string, limit: number): Promise<readonly string[]>;
}

/** `decided`: nobody needs to vote any more; `ended`: nothing more will happen to it. */
export type NoticeStage = 'asked' | 'reminded' | 'escalated' | 'decided' | 'review' | 'ended';

/** One message to one person, as Slack answered. */
export interface Told {
  readonly userId: string;
  readonly channel: string;
  readonly ts: string;
}

export interface Notice {
  readonly stage: NoticeStage;
  readonly told: readonly Told[];
  readonly at: string;
}

export interface NoticesStore {
  /** Approvals that have not ended for those who were told, newest first. */
  open(limit: number): Promise<readonly string[]>;
  of(approvalId: string): Promise<readonly Notice[]>;
  /** A stage is noted once; a second call is without effect. */
  note(approvalId: string, notice: Notice): Promise<void>;
}

export interface AliveLook {
  /** Of what was found, without times. */
  readonly digest: string;
  /** How many looks found something new. */
  readonly news: number;
  readonly over: boolean;
}

export interface AliveLooksStore {
  last(approvalId: string): Promise<AliveLook | undefined>;
  save(approvalId: string, look: AliveLook, at: string): Promise<void>;
  /** Verified containments, applied since a time, whose look is not over and was last made before `olderThan`. */
  waiting(since: string, olderThan: string, limit: number): Promise<readonly string[]>;
}

/** What the opaque id of a strike's button stands for. */
export type StrikeButton =
  /** Asks for a plan for the whole case. */
  | { readonly kind: 'strike'; readonly caseId: string }
  /** The steps of a strike that were on its card when it was shown. */
  | { readonly kind: 'steps'; readonly strikeId: string; readonly approvalIds: readonly string[] };

export interface StrikeStores {
  readonly strikes: StrikesStore;
  readonly notices: NoticesStore;
  readonly aliveLooks: AliveLooksStore;
}
