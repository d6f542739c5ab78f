/** What an SDK error says, told by its name and status and never by its text. */

export interface AwsErrorFacts {
  /** AWS's error code (`AccessDenied`, `ThrottlingException`), or `NotAws` where the answer was not AWS's at all. */
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  /** True when the request may have been carried out although no answer came. */
  readonly ambiguous: boolean;
}

/**
 * Refused for now, and surely not carried out. LimitExceededException is none: in IAM it is a full quota, which no waiting empties, and
 * which an attacker can fill.
 */
const notNow =
  /^((ConcurrentModification|EntityTemporarilyUnmodifiable)(Exception)?|Throttling|ThrottlingException|ThrottledException|TooManyRequestsException|RequestLimitExceeded|SlowDown|RequestThrottled|PriorRequestNotComplete|BandwidthLimitExceeded)$/;
const network =
  /^(TimeoutError|AbortError|ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|NetworkingError|RequestTimeout|RequestTimeoutException)$/;

/** The request did not leave the machine. */
const neverSent = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;

/** Reads an error thrown by an SDK client's `send`. */
export function awsErrorFacts(error: unknown): AwsErrorFacts {
  if (!(error instanceof Error)) return { code: 'Unknown', message: String(error), retryable: false, ambiguous: true };
  const { code: errno, $metadata } = error as { code?: unknown; $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  const name = typeof errno === 'string' && (network.test(errno) || status === undefined) ? errno : error.name;
  if (network.test(name))
    return { code: name, message: error.message, retryable: true, ambiguous: !neverSent.test(name) };
  if (name === 'CredentialsProviderError') {
    return { code: name, message: 'no AWS credentials were found', retryable: false, ambiguous: false };
  }
  // A page that is not AWS's (a proxy's HTML) fails in the SDK's parser; it means "could not look", never an answer.
  if (isNotAws(error, status)) {
    return {
      code: 'NotAws',
      message: `the answer was not AWS's (HTTP ${status ?? '?'})`,
      retryable: true,
      ambiguous: true,
    };
  }
  // No status: no answer of AWS was understood. What was never sent is known; of all else nobody knows how it ended.
  if (status === undefined)
    return { code: name, message: error.message, retryable: true, ambiguous: !neverSent.test(name) };
  const serverSide = status >= 500;
  return {
    code: name,
    message: error.message,
    retryable: notNow.test(name) || serverSide || status === 429,
    ambiguous: serverSide && !notNow.test(name),
  };
}

function isNotAws(error: Error, status: number | undefined): boolean {
  if (error.name === 'SyntaxError' || /^(Deserialization|Parse)/i.test(error.name)) return true;
  return ['Error', 'Unknown', 'UnknownError', 'TypeError'].includes(error.name) && status !== undefined;
}

/** True when the SDK error has one of the given names. */
export function isAwsError(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof Error && names.includes(error.name);
}
