/** The document that refuses sessions from before a time, and when it may be lifted (DOMAIN.md 5.4 to 5.6). */
import type { Applied, DoneCall } from '#src/contracts/approval.ts';
import type { CloudTrailRecord } from '#src/contracts/cloudtrail.ts';

/**
 * The longest that a role session can live. Not the role's MaxSessionDuration of today: instance credentials heed none, and an
 * attacker can raise it, mint, and put it back.
 */
export const longestSessionSeconds = 12 * 3_600;

/** P2 of DOMAIN.md 5.6; the time is filled in when it is sent. */
export function revokeOlder(plusSeconds: number): object {
  const time = { $fill: 'time', plusSeconds };
  const Condition = { DateLessThan: { 'aws:TokenIssueTime': time } };
  return {
    Version: '2012-10-17',
    Statement: [{ Sid: 'FirebreakRevokeOlder', Effect: 'Deny', Action: '*', Resource: '*', Condition }],
  };
}

/** Lifting a revocation while the longest session can still be alive gives it back to whoever holds it. */
export function tooEarly(applied: Applied, now: Date, longestSeconds: number) {
  const until = new Date(Date.parse(applied.at) + longestSeconds * 1_000);
  if (now >= until) return undefined;
  return {
    approvals: 2 as const,
    because: `Sessions from before the revocation can live until ${until.toISOString()}: two people must approve.`,
  };
}

/** A call of a session from before the cut-off in the document that was sent; other sessions are meant to work. */
export function isFromBefore(record: CloudTrailRecord, done: readonly DoneCall[]): boolean {
  const document = JSON.stringify(done.at(-1)?.call.input.PolicyDocument ?? '');
  const cutOff = /"aws:TokenIssueTime\\?":\\?"([^"\\]+)/.exec(document)?.[1];
  const issued = record.userIdentity.sessionContext?.attributes?.creationDate;
  return cutOff !== undefined && issued !== undefined && issued < cutOff;
}
