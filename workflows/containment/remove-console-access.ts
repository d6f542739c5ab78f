/** Takes a user's console password away (DOMAIN.md 5.5). Sessions that are open live on. */
import { GetUserCommand } from '@aws-sdk/client-iam';
import { z } from 'zod';
import { defineAction } from '#src/contracts/action.ts';
import type { PolicyDocument } from '#src/contracts/aws.ts';
import { literalArn } from '#src/domain/session-policy.ts';
import {
  accountOfPrincipal,
  PrincipalState,
  PrincipalTarget,
  principalIn,
  principalState,
} from './identity/principal.ts';
import { devicesOf, iamCall, passwordOf } from './identity/user-credentials.ts';

const usage = 'remove-console-access <ARN of a user>';
/** When the password was made; empty where there is none. */
const Before = PrincipalState.extend({ passwordMade: z.string() });

export const removeConsoleAccess = defineAction({
  name: 'remove-console-access',
  title: "Delete the user's console password; keys, MFA devices and policies stay as they are.",
  impact: 'Nobody can sign in to the console as this user until an administrator sets a new password.',
  usage,
  examples: ['arn:aws:iam::999999999999:user/JaneDoe'],
  target: PrincipalTarget,
  before: Before,
  permissions: {
    read: ['iam:GetLoginProfile', 'iam:GetUser', 'iam:ListMFADevices'],
    write: ['iam:DeleteLoginProfile'],
  },
  approvals: 1,
  irreversible:
    'The old password cannot be given back: AWS keeps no copy. An administrator sets a new one with iam:CreateLoginProfile; the rest of the user is as before.',
  parse: (words) => principalIn(words, ['user'], usage),
  accountOf: accountOfPrincipal,
  artifact: (_target, { principalArn }) => ({ kind: 'user', id: principalArn }),
  async inspect(target, ctx) {
    const principal = await principalState(target, ctx);
    return { ...principal, passwordMade: await passwordOf(target.name, ctx) };
  },
  async background({ name }, _before, ctx) {
    const { User } = await ctx.aws.iam.send(new GetUserCommand({ UserName: name }), { abortSignal: ctx.signal });
    const used = User?.PasswordLastUsed?.toISOString();
    const devices = await devicesOf(name, ctx);
    return [
      used === undefined ? 'IAM has no record of a use of the password.' : `The password was last used at ${used}.`,
      devices.length === 0
        ? 'The user has no MFA device.'
        : `MFA devices of the user, which stay: ${devices.join(', ')}.`,
    ];
  },
  binds: ({ principalArn, principalId, passwordMade }) => ({ principalArn, principalId, passwordMade }),
  touches: ({ name }, { principalArn, principalId }) => [principalArn, principalId, name],
  apply: ({ name }, { passwordMade, partition }) =>
    passwordMade === '' ? [] : [iamCall('DeleteLoginProfile', { UserName: name }, partition)],
  verify: (_direction, _before, now) =>
    now.passwordMade === '' ? { held: true } : { held: false, because: 'IAM still shows a login profile' },
  sessionPolicy: (_target, { principalArn }) => ({
    Version: '2012-10-17',
    Statement: statements(literalArn(principalArn)),
  }),
  roleStatements: (accountId, partition) => statements(`arn:${partition}:iam::${accountId}:user/*`),
  mintedLivesMs: () => 12 * 3_600_000,
  refusesNothing: true,
  willNotStop: () => [
    'Console sessions that are open live on, up to 12 hours: revoke-user-sessions ends them.',
    "The user's access keys, SSH keys and service-specific credentials go on working.",
    'Roles that the user has already assumed or switched to live on until their session ends, up to 12 hours.',
    'Whoever may call iam:CreateLoginProfile can give the user a password again.',
  ],
  describe: ({ name }, { passwordMade }) =>
    `user ${name} has ${passwordMade === '' ? 'no console password' : `a console password since ${passwordMade}`}`,
});

function statements(resource: string): PolicyDocument['Statement'] {
  const Action = ['iam:DeleteLoginProfile', 'iam:GetLoginProfile', 'iam:GetUser'];
  return [{ Effect: 'Allow', Action, Resource: resource }];
}
