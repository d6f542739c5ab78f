/** Refuses one session of a role, by its unique id, and no other (DOMAIN.md 5.6, P3). */
import { z } from 'zod';
import { UserError } from '#src/contracts/errors.ts';
import { parseArnStrict } from '#src/domain/arn.ts';
import { sessionOf } from '#src/domain/principal.ts';
import { inlineAction } from './identity/define-inline.ts';
import { PrincipalTarget } from './identity/principal.ts';
import { longestSessionSeconds, tooEarly } from './identity/revoke-older.ts';

const Target = PrincipalTarget.extend({
  /** As in the session's ARN; an instance's session has the instance's id. */
  sessionName: z.string().regex(/^[\w+=,.@-]{2,64}$/),
});
const usage = 'revoke-session <ARN of a role session>';

export const revokeSession = inlineAction<z.output<typeof Target>>({
  name: 'revoke-session',
  title: 'Refuse one session of the role, told apart by its name; every other session of the role goes on.',
  impact:
    'Whatever works under this session name is refused within seconds, also when it is opened again under the same name.',
  usage,
  examples: ['arn:aws:sts::999999999999:assumed-role/DevOps/mallory'],
  kinds: ['role'],
  // One for each session: plans for several sessions of a role, drawn and approved together, leave each other alone.
  policyName: ({ sessionName }) => `FirebreakRevokeSession-${sessionName}`,
  more: {
    schema: Target,
    parse(words) {
      const [word = ''] = words;
      const arn = parseArnStrict(word);
      const found = /^assumed-role\/([^/]+)\/(.+)$/.exec(arn?.resource ?? '');
      const target = { kind: 'role', name: found?.[1], accountId: arn?.accountId, sessionName: found?.[2] };
      const read = Target.safeParse(target);
      if (words.length !== 1 || arn?.service !== 'sts' || !read.success) {
        throw new UserError('Which session? Name one by its ARN.', `Usage: contain ${usage}`);
      }
      return read.data;
    },
  },
  document: ({ principalId }, { sessionName }) => ({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'FirebreakRevokeSession',
        Effect: 'Deny',
        Action: '*',
        Resource: '*',
        Condition: { StringEquals: { 'aws:userid': `${principalId}:${sessionName}` } },
      },
    ],
  }),
  alsoTouches: ({ sessionName }) => [sessionName],
  reversal: 'Undo takes the policy away, or puts back the one of that name that was there before.',
  undoCaution: (_target, applied, now) => tooEarly(applied, now, longestSessionSeconds),
  mintedLivesMs: () => longestSessionSeconds * 1_000,
  concerns: (record, { sessionName }) => sessionOf(record.userIdentity.arn ?? '')?.session === sessionName,
  inForce: 'refuses the one session',
  willNotStop: () => [
    'Whoever opened the session can open another one under another name at once.',
    'Users, keys and resources that the session made go on working.',
  ],
});
