/** Words of the external contract: proposed -> approved -> applying -> verified | failed | partial; or rejected, withdrawn, expired, stale. */
import type { ApiCall, PolicyDocument } from './aws.ts';

export const approvalStates = [
  'proposed',
  'approved',
  'applying',
  'verified',
  'failed',
  'partial',
  'rejected',
  'withdrawn',
  'expired',
  'stale',
] as const;
export type ApprovalState = (typeof approvalStates)[number];

export type Direction = 'apply' | 'undo';

/** The plan that is shown, hashed, approved and run. Plain JSON; canonical form is RFC 8785. */
export interface Plan {
  readonly action: string;
  readonly direction: Direction;
  readonly accountId: string;
  readonly partition: string;
  readonly target: Readonly<Record<string, unknown>>;
  /** What the action declares as its pre-state: drift in it voids the approval. */
  readonly before: Readonly<Record<string, unknown>>;
  readonly calls: readonly ApiCall[];
  readonly sessionPolicy: PolicyDocument;
  readonly responderRole: string;
  /** Set in an undo: what was applied, whose pre-state it restores. */
  readonly restores?: Applied;
}

/** What an approval has done: all that an undo may go by. */
export interface Applied {
  readonly before: Readonly<Record<string, unknown>>;
  readonly done: readonly DoneCall[];
  /** When AWS answered the last call. */
  readonly at: string;
}

/** A call as it was sent, and what AWS answered (only the fields that later calls or undo need). */
export interface DoneCall {
  readonly call: ApiCall;
  readonly answer: Readonly<Record<string, unknown>>;
}

/** Where one call of a plan stands. `intent`: about to be sent, or sent and unanswered; never taken for either. */
export interface Step {
  /** Index of the call in the plan, from 0. */
  readonly index: number;
  readonly state: 'intent' | 'done' | 'refused';
  /** As it is sent: blanks filled. */
  readonly call: ApiCall;
  readonly at: string;
  readonly requestId?: string;
  readonly answer?: Readonly<Record<string, unknown>>;
  /** Why AWS refused it: AWS's error code. */
  readonly code?: string;
  /** Of the first call, where the state differed from the plan's in what does not void it: what was there just before. */
  readonly found?: Readonly<Record<string, unknown>>;
}

/** What the card shows beside the plan; not part of the hash, since it may be older than the click. */
export interface PlanContext {
  /** Who used it for what lately, one line per user of it. */
  readonly blastRadius: readonly string[];
  /** Where blastRadius comes from and what it cannot show. */
  readonly blastCoverage: string;
  readonly willNotStop: readonly string[];
  readonly reversal: string;
  readonly cli: readonly string[];
  /** Why two approvers are asked, where they are. */
  readonly approvalsBecause: string;
}

export interface Vote {
  readonly userId: string;
  /** The person behind the id: the e-mail in lower case, or the config's name for them, or the id that the config lists. */
  readonly person: string;
  readonly vote: 'approve' | 'reject' | 'withdraw';
  readonly at: string;
  /** What was on the card: the vote is for this plan, under this mode, and for nothing else. */
  readonly planHash: string;
  readonly mode: 'observe' | 'propose' | 'execute';
  /** Given on the host's command line, where Slack may be down; then the executor has proved its one-time code. */
  readonly door?: 'host';
  /** Set where it broke the glass: the reason. The executor then has proved its one-time code for exactly that. */
  readonly breakGlass?: string;
  /** Who typed it on the host, as the machine names them. */
  readonly hostUser?: string;
}

/** What the looks after the change have seen. Times are ISO 8601 UTC. */
export interface Watched {
  /** Calls of the target after the change that AWS refused. */
  readonly refused: number;
  /** Those of them that the containment explains: not a right that the target never had. Absent in looks of older versions. */
  readonly proofs?: number;
  /** When the change was made; absent in looks of older versions. */
  readonly since?: string;
  /** Calls that succeeded after IAM had settled. */
  readonly succeeded: number;
  readonly lastSuccess: string | undefined;
  /** Whether the last look still found what was written. */
  readonly holds: boolean | undefined;
  /** Set where it does not hold since AWS could not finish it, so that nobody changed it back: what AWS shows, no full stop. */
  readonly failed?: string;
  /** Set where the target was looked for and is not there, or is another one of its name: what was found, no full stop. */
  readonly gone?: string;
  /** Up to when CloudTrail can be expected to have delivered, ISO 8601 UTC. */
  readonly through: string;
  /** What could not be looked at, one sentence. */
  readonly missing: string | undefined;
  readonly until: string;
  readonly over: boolean;
  /** Other work of it is meant to go on, so that neither a refusal nor silence shows it contained. */
  readonly isPartial?: boolean;
}

export interface Approval {
  readonly id: string;
  readonly caseId: string;
  readonly state: ApprovalState;
  readonly plan: Plan;
  readonly planHash: string;
  readonly context: PlanContext;
  readonly requester: { readonly userId: string; readonly person: string };
  readonly required: number;
  readonly votes: readonly Vote[];
  /** In order of index; empty until something is sent. */
  readonly steps: readonly Step[];
  readonly createdAt: string;
  readonly expiresAt: string;
  /** The approval that this one undoes. */
  readonly undoOf?: string;
  readonly channel: string;
  readonly threadTs?: string;
  /** Read back from AWS; what the final card shows. */
  readonly after?: Readonly<Record<string, unknown>>;
  /** When AWS answered the last call of the plan without an error. It is never sent again after that. */
  readonly sentAt?: string;
  /** The last look after the change. */
  readonly watched?: Watched;
  /** Why it ended as it did, one sentence. */
  readonly outcome?: string;
}
