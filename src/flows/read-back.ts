/** Reading what was written: until it is seen or the time is over. "Not seen" is never "not there". */
import type { ContainmentAction, Held } from '../contracts/action.ts';
import type { Approval, Plan } from '../contracts/approval.ts';
import type { AwsResponder } from '../contracts/aws.ts';
import { NotFoundError, UpstreamError, UserError } from '../contracts/errors.ts';
import { awsErrorFacts } from '../domain/aws-errors.ts';
import { doneCalls } from '../domain/blanks.ts';
import type { ExecutorDeps } from './deps.ts';
import { inspectTarget } from './inspect-target.ts';

/** How long reading back may take until the result is called "not confirmed". IAM reads are consistent within seconds. */
const confirmWithinMs = 30_000;
/** After a crash or a lost answer: how long to look for our own change before it is sent again. */
export const lookForOwnChangeMs = 5_000;

export function confirmWithin({ action }: Pick<Run, 'action'>): number {
  return Math.max(confirmWithinMs, action.settlesWithinMs ?? 0);
}

/** One approved plan being carried out. */
export interface Run {
  readonly approval: Approval;
  readonly action: ContainmentAction;
  readonly responder: AwsResponder;
  readonly signal: AbortSignal;
  /** What was read just before the first call. */
  readonly found?: Plan['before'];
}

/**
 * Reads back until the wanted state is seen or the time is over. `now` is what was read last; undefined where nothing could be
 * read, which is not the same as another state.
 */
export function confirm(run: Run, withinMs: number, deps: ExecutorDeps): Promise<Read> {
  const { approval, action } = run;
  const { direction, before } = approval.plan;
  const done = doneCalls(approval.steps);
  return readUntil(run, withinMs, (now) => action.verify(direction, before as never, now as never, done), deps);
}

export type Read =
  | { readonly held: true; readonly now: Plan['before'] }
  | {
      readonly held: false;
      readonly because: string;
      /** Waiting cannot change it. */
      readonly final?: true;
      readonly now: Plan['before'] | undefined;
      /** Why the last reading failed, where it did. */
      readonly error: unknown;
    };

/** Reads once. Throws UpstreamError: retryable, or not where the target is gone or may not be read. */
export async function readOnce(run: Run, deps: ExecutorDeps): Promise<Plan['before']> {
  const seen = await readUntil(run, 1_000, () => ({ held: true }), deps);
  if (seen.held) return seen.now;
  throw unreadable(seen.error);
}

/** "Could not look" as an error of its own: no reason to send anything, and no reason to wait for ever. */
export function unreadable(error: unknown): UpstreamError {
  if (error instanceof NotFoundError) {
    return new UpstreamError('aws', 'Gone', 'the target is not there any more', { retryable: false });
  }
  const { code, retryable } = factsOf(error);
  const sentence = `the target could not be read (${code})`;
  return new UpstreamError('aws', 'CouldNotLook', sentence, { retryable: retryable || error === undefined });
}

/** Reads until `judge` is content or the time is over. */
export async function readUntil(
  run: Run,
  withinMs: number,
  judge: (now: Plan['before']) => Held,
  deps: ExecutorDeps,
): Promise<Read> {
  const { clock, log } = deps;
  const until = clock.now().getTime() + withinMs;
  let pauseMs = 200;
  let last: Plan['before'] | undefined;
  let failure: unknown;
  for (;;) {
    let because: string;
    try {
      const found = await inspectRun(run, deps);
      last = found;
      const held = judge(found);
      if (held.held) return { held: true, now: found };
      if (held.final === true) return { held: false, because: held.because, final: true, now: found, error: undefined };
      because = held.because;
    } catch (error) {
      failure = error;
      because = `reading back failed with ${factsOf(error).code}`;
      log.warn({ approvalId: run.approval.id, code: factsOf(error).code }, 'reading back failed');
    }
    if (clock.now().getTime() + pauseMs > until) return { held: false, because, now: last, error: failure };
    await clock.sleep(pauseMs, run.signal);
    pauseMs = Math.min(pauseMs * 2, 3_000);
  }
}

export function inspectRun(
  { approval, action, responder, signal }: Run,
  { reach, settings }: Pick<ExecutorDeps, 'reach' | 'settings'>,
): Promise<Plan['before']> {
  const { target, before: planned } = approval.plan;
  return inspectTarget(action, target, { aws: responder, reach, settings, signal, planned });
}

export function factsOf(error: unknown): { code: string; retryable: boolean; ambiguous: boolean } {
  if (error instanceof UpstreamError) return { code: error.code, retryable: error.retryable, ambiguous: false };
  if (error instanceof UserError) return { code: error.name, retryable: false, ambiguous: false };
  return awsErrorFacts(error);
}
