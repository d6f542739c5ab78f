/** What becomes of a job whose handler threw. */
import { DelayedError, type Job, UnrecoverableError, WaitingError } from 'bullmq';
import { asError, SetupError, UpstreamError, UserError } from '../contracts/errors.ts';
import type { JobContext } from '../contracts/job.ts';
import type { Log } from '../contracts/log.ts';

/** With the backoff below: about six minutes. What must survive longer is queued again from the store. */
export const maxAttempts = 12;

/** A service that keeps asking us to wait does not use up attempts, but not for ever. */
const maxStarts = 60;

/** 1 s, 2 s, 4 s, ... at most 60 s. `attemptsMade` counts from 1. */
export function backoffMs(attemptsMade: number): number {
  return Math.min(1_000 * 2 ** Math.max(0, attemptsMade - 1), 60_000);
}

export function contextOf(job: Job, signal: AbortSignal): JobContext {
  const attempt = job.attemptsMade + 1;
  return { attempt, last: attempt >= (job.opts.attempts ?? 1), signal };
}

/** Moves the job where it has to go and returns the error that BullMQ must see. */
export async function settleFailure(
  job: Job,
  token: string | undefined,
  thrown: unknown,
  ctx: JobContext,
  log: Log,
): Promise<Error> {
  const error = asError(thrown);
  const fields = { job: job.name, payload: job.data, attempt: ctx.attempt, error: error.message };
  if (ctx.signal.aborted && !ctx.last) {
    log.info(fields, 'a job was interrupted by the shutdown and goes back to the queue');
    await job.moveToWait(token);
    return new WaitingError();
  }
  if (isHopeless(error)) {
    log.error(fields, 'a job failed and is not tried again');
    return Object.assign(new UnrecoverableError(error.message), { cause: error });
  }
  if (ctx.last) {
    log.error(fields, 'a job failed for the last time');
    return error;
  }
  const waitMs = error instanceof UpstreamError ? error.retryAfterMs : undefined;
  if (waitMs !== undefined && job.attemptsStarted < maxStarts) {
    log.info({ ...fields, waitMs }, 'a job waits as long as the service asked for');
    await job.moveToDelayed(Date.now() + waitMs, token);
    return new DelayedError();
  }
  log.warn(fields, 'a job failed and is tried again');
  return error;
}

function isHopeless(error: Error): boolean {
  if (error instanceof UserError || error instanceof SetupError) return true;
  return error instanceof UpstreamError && !error.retryable;
}
