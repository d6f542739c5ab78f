/** Denies everything to one user or role by an inline policy (DOMAIN.md 5.3, P1). */
import { inlineAction } from './identity/define-inline.ts';

export const denyAll = inlineAction({
  name: 'deny-all',
  title:
    'Deny every action to the user or role by an inline policy; keys, passwords and other policies stay as they are.',
  impact: 'Everything that runs as this user or role is refused within seconds, attacker and workload alike.',
  usage: 'deny-all <ARN of a user or role>',
  examples: ['arn:aws:iam::999999999999:user/pipeline', 'role/DevOps'],
  kinds: ['user', 'role'],
  policyName: 'FirebreakDenyAll',
  document: () => ({
    Version: '2012-10-17',
    Statement: [{ Sid: 'FirebreakDenyAll', Effect: 'Deny', Action: '*', Resource: '*' }],
  }),
  reversal: 'Undo takes the inline policy away, or puts back the one of that name that was there before.',
  // Roles that a user has assumed are not his any more (DOMAIN.md 5.2).
  mintedLivesMs: () => 12 * 3_600_000,
  simulated: ['ec2:DescribeInstances', 'iam:ListUsers', 's3:ListAllMyBuckets'],
  inForce: 'is denied every action',
  willNotStop: ({ principalArn }) => [
    ...(principalArn.includes(':user/')
      ? ['Roles that the user has already assumed live on until their session ends, up to 12 hours.']
      : ['Whoever may assume the role can still do so; each call with it is then refused.']),
    'Shell sessions that are open (SSM, SSH) and whatever runs already (instances, queries) go on.',
    'Users, keys and roles that were made with these rights go on working.',
    'IAM needs some seconds until every service refuses; a fast attacker could use them.',
  ],
});
