/** Ends a user's temporary sessions: GetSessionToken, federation, console (DOMAIN.md 5.5). Long-term keys go on working. */
import { inlineAction } from './identity/define-inline.ts';
import { isFromBefore, revokeOlder, tooEarly } from './identity/revoke-older.ts';

const longestSeconds = 36 * 3_600;

export const revokeUserSessions = inlineAction({
  name: 'revoke-user-sessions',
  title:
    "Refuse the user's temporary sessions (session tokens, federation, console) that were issued before this runs.",
  impact: 'Console sessions and session tokens of the user are refused within seconds; access keys are not touched.',
  usage: 'revoke-user-sessions <ARN of a user>',
  examples: ['arn:aws:iam::999999999999:user/pipeline'],
  kinds: ['user'],
  policyName: 'FirebreakRevokeOlderSessions',
  document: () => revokeOlder(30),
  reversal:
    'Undo takes the policy away, or puts back the one that was there; sessions that have not ended yet work again then.',
  undoCaution: (_target, applied, now) => tooEarly(applied, now, longestSeconds),
  mintedLivesMs: () => longestSeconds * 1_000,
  concerns: (record, _target, done) => isFromBefore(record, done),
  inForce: 'refuses sessions issued before the last revocation',
  willNotStop: () => [
    "The user's access keys and password go on working, and can mint new sessions.",
    'Roles that the user has already assumed live on until their session ends, up to 12 hours.',
    'Users, keys and resources that the sessions made go on working.',
  ],
});
