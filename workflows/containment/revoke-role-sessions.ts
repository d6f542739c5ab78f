/** Ends every session of a role that was issued before now (DOMAIN.md 5.4, P2). */
import { inlineAction } from './identity/define-inline.ts';
import { isFromBefore, longestSessionSeconds, revokeOlder, tooEarly } from './identity/revoke-older.ts';

/** The console's own revocation reaches 30 seconds ahead, which covers the time that IAM needs to spread it. */
const aheadSeconds = 30;

export const revokeRoleSessions = inlineAction({
  name: 'revoke-role-sessions',
  title: 'Refuse every session of the role that was issued before this runs; later sessions are not touched.',
  impact:
    'Everything that works with the role now is refused until it gets new credentials, which instances may take hours to do.',
  usage: 'revoke-role-sessions <ARN of a role or of one of its sessions>',
  examples: ['role/DevOps'],
  kinds: ['role'],
  // The name that the console uses, so that both show the same thing.
  policyName: 'AWSRevokeOlderSessions',
  document: () => revokeOlder(aheadSeconds),
  reversal:
    'Undo takes the policy away, or puts back the one that was there; sessions that have not ended yet work again then.',
  undoCaution: (_target, applied, now) => tooEarly(applied, now, longestSessionSeconds),
  mintedLivesMs: () => longestSessionSeconds * 1_000,
  concerns: (record, _target, done) => isFromBefore(record, done),
  inForce: 'refuses sessions issued before the last revocation',
  willNotStop: () => [
    'Whoever may assume the role can do so again at once: mend the way in first (trust policy, key, instance).',
    'Instances keep their old credentials until they rotate, so what runs there fails until then.',
    'Users, keys and resources that the sessions made go on working.',
  ],
});
