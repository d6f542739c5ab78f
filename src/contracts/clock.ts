/** Time, as an argument. */
export interface Clock {
  now(): Date;
  /** Resolves after `ms`, rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
