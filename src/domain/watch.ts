/**
 * What CloudTrail shows of a target after its containment, in words that are true (DOMAIN.md 5.0 e): a policy that reads back is
 * not yet enforced, and no event is not yet silence. "Contained" needs a refusal seen, or the time in which the last credential
 * minted before could have ended.
 */
import type { Watched } from '../contracts/approval.ts';
import type { Artifact } from '../contracts/artifact.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { actsIn } from './acting.ts';
import { denialReason } from './denial-reason.ts';
import { count, utc } from './phrases.ts';

const minuteMs = 60_000;
/** When the target is looked at again after the change; then every hour until the end. */
const looksAfterMs: readonly number[] = [minuteMs, 10 * minuteMs, 30 * minuteMs];
const hourMs = 60 * minuteMs;
const shortestMs = 30 * minuteMs;
/** CloudTrail delivers most events within 5 minutes and says 15 (DOMAIN.md 3.7): younger silence means nothing. */
const delayMs = 15 * minuteMs;
/** IAM needs some seconds until every service refuses (DOMAIN.md 5.0): a success in them was still under the old rights. */
const settlingMs = 60_000;

/** Until when the target is watched: the last credential minted before has ended then. */
export function watchUntil(sentAt: string, mintedLivesMs: number): string {
  return new Date(Date.parse(sentAt) + Math.max(shortestMs, mintedLivesMs)).toISOString();
}

/** When the next look is due, ms from now; undefined when the last one was. */
export function nextLook(sentAt: string, until: string, now: Date): number | undefined {
  const [start, end, at] = [Date.parse(sentAt), Date.parse(until), now.getTime()];
  // The last look waits for what CloudTrail delivers late.
  const last = end + delayMs;
  if (at >= last) return undefined;
  const planned = looksAfterMs.map((after) => start + after).find((time) => time > at + 1_000);
  return Math.min(planned ?? at + hourMs, last) - at;
}

/**
 * Counts what the target did since. Records that only name it (ours among them) are no use of it. `refuses`: whether AWS refuses it
 * anything because of the change.
 */
export function watched(
  records: readonly CloudTrailRecord[],
  artifact: Artifact,
  since: { readonly sentAt: string; readonly until: string },
  now: Date,
  {
    concerns = () => true,
    refuses = true,
  }: { readonly concerns?: (record: CloudTrailRecord) => boolean; readonly refuses?: boolean } = {},
): Omit<Watched, 'holds' | 'failed' | 'gone' | 'missing'> {
  const own = records.filter(
    (record) => record.eventTime >= since.sentAt.slice(0, 19) && actsIn(artifact, record) && concerns(record),
  );
  const refused = own.filter(isRefusal);
  const settled = new Date(Date.parse(since.sentAt) + settlingMs).toISOString();
  // CloudTrail knows whole seconds: what came in the last second of settling may have been within it.
  const isAfter = ({ eventTime }: CloudTrailRecord) => eventTime.slice(0, 19) > settled.slice(0, 19);
  const successes = own.filter((record) => !isRefusal(record) && isAfter(record));
  return {
    refused: refused.length,
    proofs: refuses ? refused.filter((record) => isProof(record, artifact, isAfter(record))).length : 0,
    since: since.sentAt,
    succeeded: successes.length,
    lastSuccess: successes
      .map(({ eventTime }) => eventTime)
      .sort()
      .at(-1),
    through: new Date(now.getTime() - delayMs).toISOString(),
    until: since.until,
    over: now.getTime() >= Date.parse(since.until) + delayMs,
  };
}

/** Refused for lack of rights or of a valid credential, as against a call that was wrong. */
function isRefusal({ errorCode = '' }: CloudTrailRecord): boolean {
  return /AccessDenied|Unauthorized|NotAuthorized|Forbidden/i.test(errorCode) || isCredentialRefusal(errorCode);
}

function isCredentialRefusal(errorCode: string): boolean {
  return isUnknownCredential(errorCode) || /ExpiredToken|AuthFailure/i.test(errorCode);
}

function isUnknownCredential(errorCode: string): boolean {
  return /InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient/i.test(errorCode);
}

/**
 * Whether the containment explains the refusal. Who tries things out is refused all the time for rights that he never had, or
 * by other policies than those that containments write, which are inline ones of the identity, without an ARN; and a key that is told so is a key that
 * AWS still takes. A token runs out by itself, whatever was contained; and EC2 says AuthFailure also of a good key that asks for an
 * image of somebody else.
 */
function isProof({ errorCode = '', errorMessage }: CloudTrailRecord, artifact: Artifact, isSettled: boolean): boolean {
  if (isUnknownCredential(errorCode)) return true;
  const message = typeof errorMessage === 'string' ? errorMessage : '';
  if (isCredentialRefusal(errorCode)) return /able to validate the provided access credentials/i.test(message);
  if (artifact.kind === 'accessKey') return false;
  const reason = denialReason(message);
  if (reason !== '') return reason === 'explicit deny in an identity-based policy';
  return isSettled && !/because no [\w -]+ allows/i.test(message);
}

/** One or two sentences for the card and the thread. */
export function watchWords(seen: Watched): string {
  const lines: string[] = [];
  if (seen.failed !== undefined)
    lines.push(`IT DOES NOT HOLD: ${seen.failed}. Nobody changed it back: ask for it again.`);
  else if (seen.holds === false) lines.push('IT NO LONGER HOLDS: somebody changed it back. Pivot on the target.');
  if (seen.gone !== undefined) {
    lines.push(`What it held is not there any more: ${seen.gone}. If that was none of you, pivot on the target.`);
  } else if (seen.holds === undefined) lines.push('It could not be read again: whether it still holds is not known.');
  if (seen.succeeded > 0 && seen.isPartial === true) {
    lines.push(`Calls that it still may make: ${seen.succeeded}, the last at ${utc(seen.lastSuccess ?? '')}.`);
  } else if (seen.succeeded > 0) {
    lines.push(
      `STILL ACTIVE: ${count(seen.succeeded, 'call')} succeeded after it, the last at ${utc(seen.lastSuccess ?? '')}.`,
    );
  } else if (!isCaughtUp(seen)) {
    lines.push('CloudTrail is up to 15 minutes late: what it did after the change is not known yet.');
  } else if (seen.missing === undefined) {
    lines.push(`No management event of it succeeded through ${utc(seen.through)}; data events are not recorded.`);
  }
  if (seen.missing !== undefined) lines.push(`Not all of CloudTrail was looked at: ${seen.missing}.`);
  lines.push(`Refused attempts: ${seen.refused}.`);
  if (isContained(seen)) {
    lines.push(
      proofsIn(seen) > 0 ? 'Contained: AWS was seen to refuse it.' : 'Contained: whatever was minted before has ended.',
    );
  } else if (!seen.over) {
    lines.push(`Watched until ${utc(seen.until)}.`);
  }
  return lines.join(' ');
}

/**
 * Never without proof: refused and nothing succeeded, or all time passed in silence that was looked at. Of what may go on working
 * there is none: it may be silent today, and what data events would show nobody sees.
 */
export function isContained(seen: Watched): boolean {
  const { holds, succeeded, over, missing, isPartial } = seen;
  const isProved = isPartial !== true && (over || proofsIn(seen) > 0);
  return holds === true && succeeded === 0 && missing === undefined && isProved;
}

function proofsIn({ proofs, refused }: Watched): number {
  return proofs ?? refused;
}

/** Whether CloudTrail can have told of anything after the change. */
function isCaughtUp({ through, since }: Watched): boolean {
  return since === undefined || through > since;
}

/** Whether this look says something that people have not been told. */
export function isNews(seen: Watched, before: Watched | undefined): boolean {
  if (before === undefined || seen.holds !== before.holds || seen.gone !== before.gone || seen.failed !== before.failed)
    return true;
  if (seen.succeeded > before.succeeded || isCaughtUp(seen) !== isCaughtUp(before)) return true;
  return isContained(seen) !== isContained(before) || (seen.over && !before.over);
}
