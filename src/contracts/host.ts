/** What the host's command line and the worker say to each other, a lift that waits for its second person, and clicks counted. */

/** One approver's wish to lift the freeze. */
export interface LiftWish {
  readonly userId: string;
  readonly person: string;
  readonly reason: string;
  /** ISO 8601 UTC. */
  readonly at: string;
}

export interface HostStore {
  /** How a wish or vote of the host ended: one sentence, which its command prints. Stays as first said. */
  answer(id: string, sentence: string, at: string): Promise<void>;
  answerTo(id: string): Promise<string | undefined>;
  /** Keeps the wish in the place of an earlier one. Audits in the same transaction. */
  wishLift(wish: LiftWish): Promise<void>;
  liftWish(): Promise<LiftWish | undefined>;
  /** Counts a click, and returns how many this person has made in this minute of the database's clock. */
  countClick(userId: string): Promise<number>;
}
