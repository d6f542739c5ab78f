/** What to do where AWS refused a call that was approved: by its error code, and never by its text. */

const advice: readonly (readonly [RegExp, string])[] = [
  [
    /^(AccessDenied|UnauthorizedOperation|ExplicitDeny)/,
    'An organisation policy (SCP), a boundary or a changed responder role may be why: firebreak doctor compares the role, and a break-glass role can do it by hand.',
  ],
  [
    /LimitExceeded/,
    'The target holds as much of this as AWS allows, which an attacker can bring about: ask for another action on it, or take something off it first.',
  ],
  [
    /^(DeleteConflict|OperationNotPermitted)/,
    'Somebody has changed the target since the plan was made: ask again, and the new plan is for what is there now.',
  ],
  [
    /^(NoSuchEntity|.*\.NotFound$|.*NotFoundException$)/,
    'What the call names is not there any more: look at the target again before anything else.',
  ],
  [
    /^(RequestTimeTooSkewed|RequestExpired|RequestInTheFuture|SignatureDoesNotMatch|InvalidSignature)/,
    "Compare the clock of the executor's machine with the true time, then ask again.",
  ],
  [
    /^(ExpiredToken|InvalidClientTokenId|UnrecognizedClient|AuthFailure)/,
    'The session of the responder role was not accepted any more: ask again, and look whether somebody has changed that role.',
  ],
];

/** One sentence, with a space before it; empty where the code tells nothing. */
export function refusalAdvice(codes: readonly (string | undefined)[]): string {
  const found = advice.find(([pattern]) => codes.some((code) => code !== undefined && pattern.test(code)));
  return found === undefined ? '' : ` ${found[1]}`;
}
