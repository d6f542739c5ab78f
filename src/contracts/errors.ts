/**
 * The error kinds of Firebreak. Units throw; the three edges (router, worker, hook) answer.
 * Errors are told apart by class and `code`, never by message text.
 */

/** Something the person can put right. `message` and `hint` are shown as they are: no secrets, no attacker text unescaped. */
export class UserError extends Error {
  readonly hint: string | undefined;
  constructor(message: string, hint?: string) {
    super(message);
    this.name = 'UserError';
    this.hint = hint;
  }
}

/** Somebody else is at it: nothing is wrong, and waiting helps. */
export class BusyError extends UserError {
  constructor(message: string, hint?: string) {
    super(message, hint);
    this.name = 'BusyError';
  }
}

/** The thing asked for is not there: looked at the right place and it is absent. */
export class NotFoundError extends UserError {
  constructor(message: string, hint?: string) {
    super(message, hint);
    this.name = 'NotFoundError';
  }
}

/** An outside service (AWS, Slack, database, queue) failed. `retryable` false means that asking again cannot help. */
export class UpstreamError extends Error {
  readonly service: string;
  readonly code: string;
  readonly retryable: boolean;
  /** How long the service asked us to wait, in ms, where it said. */
  readonly retryAfterMs: number | undefined;
  constructor(
    service: string,
    code: string,
    message: string,
    options: { retryable: boolean; retryAfterMs?: number; cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.name = 'UpstreamError';
    this.service = service;
    this.code = code;
    this.retryable = options.retryable;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Wrong use or configuration: every problem in one error. The command line prints them all and exits with 2. */
export class SetupError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'SetupError';
    this.problems = problems;
  }
}

/** Turns anything thrown into an Error, keeping the original as cause. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}
