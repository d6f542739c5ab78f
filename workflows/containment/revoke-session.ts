/** Refuses one session of a role, by its unique id, and no other (DOMAIN.md 5.6, P3). */
import { z } from 'zod';
import { UserError } from '#src/contracts/errors.ts';
import { parseArnStrict } from '#src/domain/arn.ts';
import { inlineAction } from './identity/define-inline.ts';
import { PrincipalTarget } from './identity/principal.ts';
import { tooEarly } from './identity/revoke-older.ts';

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
  policyName: 'FirebreakRevokeSession',
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
  caution: (_target, applied, now) => tooEarly(applied, now, Number(applied.before.maxSessionSeconds ?? 0)),
  mintedLivesMs: ({ maxSessionSeconds }) => maxSessionSeconds * 1_000,
  inForce: 'refuses the one session',
  willNotStop: () => [
    'Whoever opened the session can open another one under another name at once.',
    'A session that was refused before by this policy works again, because the policy holds one session at a time.',
    'Users, keys and resources that the session made go on working.',
  ],
});
