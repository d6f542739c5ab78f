/** A queue that tells of new log files. */

export interface FeedMessage {
  /** Opaque: what `done` takes. */
  readonly receipt: string;
  /** From outside. */
  readonly body: string;
}

export interface LogFeed {
  /** Waits some seconds for messages; none is an answer. Rejects where the queue cannot be read, and when aborted. */
  receive(signal: AbortSignal): Promise<readonly FeedMessage[]>;
  /** Takes messages off the queue for good. Those that could not be taken off come again, which does no harm. */
  done(receipts: readonly string[], signal: AbortSignal): Promise<void>;
}
