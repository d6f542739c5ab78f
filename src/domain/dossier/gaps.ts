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
}

export interface Asking {
  readonly gaps: readonly Gap[];
  /**
   * The answer; null where AWS says that the thing does not exist; undefined where it could not be asked, which is noted as
   * a gap. Throws only when the signal is aborted.
   */
  ask<T>(part: string, action: string, work: () => Promise<T>): Promise<T | null | undefined>;
  /** Notes a gap that is known beforehand. */
  note(part: string, because: string, retryable?: boolean): void;
  /** One sentence each, for coverage. */
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
  const note = (part: string, because: string, retryable = false): void => {
    if (!gaps.some((gap) => gap.part === part && gap.because === because)) gaps.push({ part, because, retryable });
  };
  return {
    gaps,
    note,
    sentences: () => gaps.map(({ part, because }) => `${part}: ${because}`),
    async ask(part, action, work) {
      signal.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        signal.throwIfAborted();
        if (isAwsError(error, ...absent)) return null;
        const { because, retryable } = whyNot(error, action);
        note(part, because, retryable);
        return undefined;
      }
    },
  };
}

function whyNot(error: unknown, action: string): Omit<Gap, 'part'> {
  if (error instanceof UserError) return { because: error.message, retryable: false };
  const code = error instanceof UpstreamError ? error.code : awsErrorFacts(error).code;
  const retryable = error instanceof UpstreamError ? error.retryable : awsErrorFacts(error).retryable;
  if (/AccessDenied|UnauthorizedOperation|NotAuthorized/i.test(code))
    return { because: `no permission (${action})`, retryable: false };
  if (/Thrott|RequestLimitExceeded|TooManyRequests|SlowDown/i.test(code))
    return { because: `AWS throttled ${action}`, retryable: true };
  return { because: `${action} failed (${code})`, retryable };
}
