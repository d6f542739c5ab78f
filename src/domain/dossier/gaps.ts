/** Asking for one part of a dossier after the other: what fails is named, and the rest goes on. */
import { UpstreamError, UserError } from '../../contracts/errors.ts';
import { awsErrorFacts, isAwsError } from '../aws-errors.ts';

export interface Gap {
  /** `MFA devices`. */
  readonly part: string;
  /** `no permission (iam:ListMFADevices)`, `AWS throttled the question`. */
  readonly because: string;
  /** True where asking again soon may help. */
  readonly retryable: boolean;
  /** True where it was asked and failed; false where nobody could have been asked. */
  readonly failed: boolean;
}

export interface Asking {
  readonly gaps: readonly Gap[];
  /**
   * The answer; null where AWS says that the thing does not exist; undefined where it could not be asked, which is noted as
   * a gap. Throws only when the signal is aborted.
   */
  ask<T>(part: string, action: string, work: () => Promise<T>): Promise<T | null | undefined>;
  /** Notes what cannot be asked here at all: told, but no failure of the looking. */
  note(part: string, because: string): void;
  /** What failed, one sentence each, for coverage. */
  sentences(): readonly string[];
}

const absent = [
  'NoSuchEntity',
  'NoSuchEntityException',
  'InvalidInstanceID.NotFound',
  'InvalidAMIID.NotFound',
  'InvalidGroup.NotFound',
  'ResourceNotFoundException',
];

export function openAsking(signal: AbortSignal): Asking {
  const gaps: Gap[] = [];
  const add = (gap: Gap): void => {
    if (!gaps.some((had) => had.part === gap.part && had.because === gap.because)) gaps.push(gap);
  };
  return {
    gaps,
    note: (part, because) => add({ part, because, retryable: false, failed: false }),
    sentences: () => gaps.filter(({ failed }) => failed).map(({ part, because }) => `${part}: ${because}`),
    async ask(part, action, work) {
      signal.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        signal.throwIfAborted();
        if (isAwsError(error, ...absent)) return null;
        add({ part, ...whyNot(error, action), failed: true });
        return undefined;
      }
    },
  };
}

function whyNot(error: unknown, action: string): Pick<Gap, 'because' | 'retryable'> {
  if (error instanceof UserError) return { because: error.message, retryable: false };
  const code = error instanceof UpstreamError ? error.code : awsErrorFacts(error).code;
  const retryable = error instanceof UpstreamError ? error.retryable : awsErrorFacts(error).retryable;
  if (/AccessDenied|UnauthorizedOperation|NotAuthorized/i.test(code))
    return { because: `no permission (${action})`, retryable: false };
  if (/Thrott|RequestLimitExceeded|TooManyRequests|SlowDown/i.test(code))
    return { because: `AWS throttled ${action}`, retryable: true };
  return { because: `${action} failed (${code})`, retryable };
}
