/** Refuses one session of a role, by its unique id, and no other (DOMAIN.md 5.6, P3). */
import { z } from 'zod';
import { UserError } from '#src/contracts/errors.ts';
import { parseArnStrict } from '#src/domain/arn.ts';
import { sessionOf } from '#src/domain/principal.ts';
import { inlineAction } from './identity/define-inline.ts';
import { parsedJson } from './identity/inline-policy.ts';
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
  document: ({ principalId, document }, { sessionName }) => ({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'FirebreakRevokeSession',
        Effect: 'Deny',
        Action: '*',
        Resource: '*',
        Condition: { StringEquals: { 'aws:userid': together(`${principalId}:${sessionName}`, document) } },
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

/** The session beside those that our policy refuses already: revoking one must not give another back. */
function together(userId: string, document: string): string | readonly string[] {
  const held = Policy.safeParse(parsedJson(document)).data?.Statement.flatMap(
    ({ Condition }) => Condition.StringEquals['aws:userid'],
  );
  const all = [...new Set([...(held ?? []), userId])].sort();
  return all.length === 1 ? userId : all;
}

const Policy = z.object({
  Statement: z.array(
    z.object({
      Sid: z.literal('FirebreakRevokeSession'),
      Condition: z.object({ StringEquals: z.object({ 'aws:userid': z.union([z.string(), z.array(z.string())]) }) }),
    }),
  ),
});
