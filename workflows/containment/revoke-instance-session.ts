/** Refuses the credentials of one instance, wherever they are used, and of no other that has the same role (DOMAIN.md 5.6, P3b). */
import { defineAction } from '#src/contracts/action.ts';
import { UserError } from '#src/contracts/errors.ts';
import { literalArn } from '#src/domain/session-policy.ts';
import { principalIn } from './identity/principal.ts';
import { tooEarly } from './identity/revoke-older.ts';
import { accountOfInstance, findInstance, instanceFacts, instanceIn } from './instance/instance-of.ts';
import {
  denyCall,
  holdsDeny,
  instanceCredentialsLiveMs,
  liftCalls,
  lookStatement,
  mayUse,
  roleOf,
  roleStatementsOf,
  SessionState,
  SessionTarget,
} from './instance/instance-session.ts';

const usage = 'revoke-instance-session <i-... or ARN of an instance> [role/NAME]';

export const revokeInstanceSession = defineAction({
  name: 'revoke-instance-session',
  title:
    'Refuse the credentials that this instance gets from its role, also where they are used elsewhere; other instances of the role go on.',
  impact: 'What runs on this instance with its role is refused within seconds, for as long as the policy stands.',
  usage,
  examples: ['i-0aa11bb22cc33dd44', 'arn:aws:ec2:us-east-1:999999999999:instance/i-0aa11bb22cc33dd44 role/shop-web'],
  target: SessionTarget,
  before: SessionState,
  permissions: {
    read: ['ec2:DescribeInstances', 'iam:GetInstanceProfile', 'iam:GetRole', 'iam:GetRolePolicy'],
    write: ['iam:DeleteRolePolicy', 'iam:PutRolePolicy'],
  },
  approvals: 1,
  unique: true,
  reversal: 'Undo takes the policy away, or puts back the one of that name that was there before.',

  parse([word, role, ...more]) {
    const instance = instanceIn(word, usage);
    if (more.length > 0) throw new UserError('Name one instance, and at most one role.', `Usage: contain ${usage}`);
    if (role === undefined) return { ...instance, roleName: '' };
    const { name: roleName, arn: roleArn } = principalIn([role], ['role'], usage);
    return { ...instance, roleName, ...(roleArn === undefined ? {} : { roleArn }) };
  },
  accountOf: accountOfInstance,
  artifact: ({ instanceId }, { principalArn, roleName }) => {
    const [, partition, , , accountId] = principalArn.split(':');
    return { kind: 'session', id: `arn:${partition}:sts::${accountId}:assumed-role/${roleName}/${instanceId}` };
  },

  async inspect(target, ctx) {
    const { region, instance } = await findInstance(target, ctx);
    const role = await roleOf(target, instance.IamInstanceProfile?.Arn ?? '', ctx);
    return { ...role, ...instanceFacts(region, instance, ctx.aws) };
  },
  background: () => Promise.resolve([]),
  complete: (target, { roleName, region }) => Promise.resolve({ ...target, roleName, region }),

  touches: ({ instanceId }, { instanceArn, principalArn, principalId, roleName }) => [
    instanceArn,
    instanceId,
    principalArn,
    principalId,
    roleName,
  ],
  binds: ({ instanceArn, principalArn, principalId, document }) => ({
    instanceArn,
    principalArn,
    principalId,
    document,
  }),

  apply: (target, before) => [denyCall(target, before)],
  undo: (target, now, applied) => liftCalls(target, now, applied),
  undoCaution: (_target, applied, now) => tooEarly(applied, now, instanceCredentialsLiveMs / 1_000),
  verify: holdsDeny,

  sessionPolicy: (_target, { principalArn }) => ({
    Version: '2012-10-17',
    Statement: [...roleStatementsOf(literalArn(principalArn)), lookStatement],
  }),
  roleStatements: (accountId, partition) => [
    ...roleStatementsOf(`arn:${partition}:iam::${accountId}:role/*`),
    lookStatement,
  ],
  mintedLivesMs: () => instanceCredentialsLiveMs,
  willNotStop: ({ roleName }) => [
    `Only credentials of the role ${roleName} are refused; those of a profile that the instance had before are not.`,
    'Keys, tokens and passwords that lie on the instance, and whatever was already made with its role, go on working.',
    'Roles that were assumed with these credentials live on until their session ends.',
    'The instance itself goes on running, with its network.',
  ],
  describe: (target, before) => `${target.instanceId} ${mayUse(target, before)} the role ${before.roleName}`,
});
