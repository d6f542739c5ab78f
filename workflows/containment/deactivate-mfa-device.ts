/** Takes one MFA device off a user: one that an attacker has added (DOMAIN.md 5.5). */
import { z } from 'zod';
import { defineAction } from '#src/contracts/action.ts';
import type { PolicyDocument } from '#src/contracts/aws.ts';
import { NotFoundError, UserError } from '#src/contracts/errors.ts';
import { literalArn } from '#src/domain/session-policy.ts';
import {
  accountOfPrincipal,
  PrincipalState,
  PrincipalTarget,
  principalIn,
  principalState,
} from './identity/principal.ts';
import { devicesOf, iamCall, passwordOf } from './identity/user-credentials.ts';

const usage = 'deactivate-mfa-device <ARN of a user> <serial number or ARN of the device>';
const Target = PrincipalTarget.extend({ serialNumber: z.string().regex(/^[\w+=/:,.@-]{9,256}$/) });
const Before = PrincipalState.extend({
  isEnabled: z.boolean(),
  otherDevices: z.number(),
  /** When the password was made; empty where there is none. */
  passwordMade: z.string(),
});

export const deactivateMfaDevice = defineAction({
  name: 'deactivate-mfa-device',
  title: 'Deactivate one MFA device of the user; other devices, the password and keys stay as they are.',
  impact: 'Codes of this device are no longer taken, and without another device the password alone opens the console.',
  usage,
  examples: ['arn:aws:iam::999999999999:user/JaneDoe arn:aws:iam::999999999999:mfa/JaneDoe'],
  target: Target,
  before: Before,
  permissions: {
    read: ['iam:GetLoginProfile', 'iam:GetUser', 'iam:ListMFADevices'],
    write: ['iam:DeactivateMFADevice'],
  },
  approvals: 1,
  irreversible:
    'Only whoever holds the device can enable it again, with two of its codes: AWS takes no device back without them.',
  parse(words) {
    const principal = principalIn(words.slice(0, 1), ['user'], usage);
    const read = Target.safeParse({ ...principal, serialNumber: words[1] ?? '' });
    if (words.length !== 2 || !read.success) {
      throw new UserError('Which device? Name its serial number after the user.', `Usage: contain ${usage}`);
    }
    return read.data;
  },
  accountOf: accountOfPrincipal,
  artifact: (_target, { principalArn }) => ({ kind: 'user', id: principalArn }),
  async inspect(target, ctx) {
    const principal = await principalState(target, ctx);
    const devices = await devicesOf(target.name, ctx);
    const isEnabled = devices.includes(target.serialNumber);
    if (!isEnabled && ctx.planned === undefined) {
      throw new NotFoundError(`user ${target.name} of account ${ctx.aws.accountId} has no such MFA device`);
    }
    const otherDevices = devices.filter((serial) => serial !== target.serialNumber).length;
    return { ...principal, isEnabled, otherDevices, passwordMade: await passwordOf(target.name, ctx) };
  },
  background: (_target, { passwordMade, otherDevices }) =>
    Promise.resolve([
      ...(passwordMade !== '' && otherDevices === 0
        ? [
            'WARNING: the user has a console password and no other device, so the password alone will be enough: run remove-console-access first.',
          ]
        : []),
      `Other MFA devices of the user, which stay: ${otherDevices}.`,
    ]),
  binds: ({ principalArn, principalId, isEnabled }) => ({ principalArn, principalId, isEnabled }),
  touches: ({ name, serialNumber }, { principalArn, principalId }) => [principalArn, principalId, name, serialNumber],
  apply: ({ name, serialNumber }, { isEnabled, partition }) =>
    isEnabled ? [iamCall('DeactivateMFADevice', { UserName: name, SerialNumber: serialNumber }, partition)] : [],
  verify: (_direction, _before, now) =>
    now.isEnabled ? { held: false, because: 'IAM still lists the device' } : { held: true },
  sessionPolicy: (_target, { principalArn }) => ({
    Version: '2012-10-17',
    Statement: statements(literalArn(principalArn)),
  }),
  roleStatements: (accountId, partition) => statements(`arn:${partition}:iam::${accountId}:user/*`),
  mintedLivesMs: () => 36 * 3_600_000,
  isPartial: true,
  willNotStop: ({ passwordMade }) => [
    ...(passwordMade === '' ? [] : ['The console password goes on working: remove-console-access takes it away.']),
    'Sessions that are open, with or without MFA, live on up to 36 hours: revoke-user-sessions ends them.',
    "The user's access keys go on working, and can enable another device where the user may.",
  ],
  describe: ({ name, serialNumber }, { isEnabled, otherDevices }) =>
    `device ${serialNumber} of user ${name} is ${isEnabled ? 'enabled' : 'not enabled'}, with ${otherDevices} others`,
});

function statements(resource: string): PolicyDocument['Statement'] {
  const Action = ['iam:DeactivateMFADevice', 'iam:GetLoginProfile', 'iam:GetUser', 'iam:ListMFADevices'];
  return [{ Effect: 'Allow', Action, Resource: resource }];
}
