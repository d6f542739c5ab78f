/** What Firebreak itself reads is in CloudTrail like everybody's calls, and matches rules about looking around. */
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { type Level, levels } from '../sigma/tree.ts';

/** Severe rules, and those that compare with the past (a new address, say), speak of our roles too: somebody else may have them. */
const most: Level = 'medium';

/** Their calls count as reads in CloudTrail, and give credentials away. */
const minting: ReadonlySet<string> = new Set(['sts.amazonaws.com', 'signin.amazonaws.com']);

/**
 * Of the account roles in the config (ARNs): whether a rule of this level need not speak of the record, since it is a call that
 * only reads, of a session of one of them. Else each card of an instance would open a case about the look at its start script.
 * The role tells, never the name of the session, which its caller chooses.
 */
export function ownReadsOf(roles: readonly string[]): (level: Level, record: CloudTrailRecord) => boolean {
  const own = new Set(roles);
  return (level, { readOnly, userIdentity, eventSource }) =>
    readOnly === true &&
    !minting.has(eventSource) &&
    levels.indexOf(level) <= levels.indexOf(most) &&
    own.has(userIdentity.sessionContext?.sessionIssuer?.arn ?? '');
}
