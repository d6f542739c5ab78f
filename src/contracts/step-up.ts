/**
 * One-time codes on approval (RFC 6238). The secret is read by the executor and by the enrolling command on the host alone: a
 * stolen Slack session has none, and a taken-over web process can pass codes on, not make them. Times are ISO 8601 UTC.
 */

export interface Enrollment {
  readonly userId: string;
  /** Base32, as authenticator apps take it. */
  readonly secret: string;
  readonly enrolledAt: string;
  /** Codes count from here on: at once at the first enrollment, after a cool-down at every later one. */
  readonly activeAt: string;
  readonly enrolledBy: string;
}

/** What others than the executor may know of it. */
export type KnownEnrollment = Omit<Enrollment, 'secret'>;

/** A code that was right, for one plan. */
export interface Proof {
  readonly userId: string;
  readonly planHash: string;
  readonly at: string;
}

export interface StepUpStore {
  /**
   * Audits in the same transaction. Replaces the `earlier` enrollment of the same person; false, and nothing done, where the
   * person has another one by now, or one where none was expected.
   */
  enroll(enrollment: Enrollment, earlier: Pick<Enrollment, 'secret'> | undefined): Promise<boolean>;
  enrollment(userId: string): Promise<Enrollment | undefined>;
  /** Those since a time, oldest first. */
  enrolled(since: string): Promise<readonly KnownEnrollment[]>;
  /** Whether a code came with the vote that nobody has looked at yet. */
  hasCode(voteId: string): Promise<boolean>;
  /** Gives the code out once, and forgets it. */
  takeCode(voteId: string): Promise<string | undefined>;
  /** Wrong codes of a person since a time. */
  failures(userId: string, since: string): Promise<number>;
  failed(userId: string, at: string): Promise<void>;
  /**
   * Stores that the code of this time step proved the person for this plan. False when the person has used that time step or a
   * later one: a code counts once, for one plan. Audits in the same transaction.
   */
  prove(input: {
    readonly approvalId: string;
    readonly userId: string;
    readonly planHash: string;
    readonly timeStep: number;
    readonly at: string;
  }): Promise<boolean>;
  /** Uses up the code of a time step for something that is no plan. False when it was used. Audits in the same transaction. */
  spend(input: {
    readonly userId: string;
    readonly timeStep: number;
    readonly for: string;
    readonly at: string;
  }): Promise<boolean>;
  proofs(approvalId: string): Promise<readonly Proof[]>;
  /** Why the code of a vote was not taken; undefined: nothing is known, or it was taken. */
  refuse(voteId: string, because: string): Promise<void>;
  refusal(voteId: string): Promise<string | undefined>;
}
