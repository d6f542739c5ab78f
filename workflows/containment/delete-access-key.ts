/** Eradication: deletes one access key for good (DOMAIN.md 5.1). For the end of a case; disabling is enough until then. */
import { defineAction } from '#src/contracts/action.ts';
import { accountOfKeyId } from '#src/domain/access-key.ts';
import {
  boundKey,
  KeyState,
  KeyTarget,
  keyBackground,
  keyCall,
  keyIn,
  keyReads,
  keyState,
  keyStatements,
  ownerResource,
} from './identity/access-key.ts';

export const deleteAccessKey = defineAction({
  name: 'delete-access-key',
  title: 'Delete the access key for good; the user and his other keys stay.',
  impact: 'Whatever signs with this key never works again, and IAM forgets when and for what it was last used.',
  usage: 'delete-access-key AKIA...',
  examples: ['AKIAIOSFODNN7EXAMPLE'],
  target: KeyTarget,
  before: KeyState,
  permissions: { read: keyReads, write: ['iam:DeleteAccessKey'] },
  approvals: 2,
  kind: 'eradication',
  irreversible: 'Final: AWS cannot bring a deleted key back; the user would need a new one.',
  parse: (words) => keyIn(words, 'delete-access-key'),
  accountOf: (target) => accountOfKeyId(target.accessKeyId),
  artifact: (target) => ({ kind: 'accessKey', id: target.accessKeyId }),
  inspect: keyState,
  binds: boundKey,
  async background(target, before, ctx) {
    const lines = await keyBackground(target, before, ctx);
    if (before.status === 'Inactive') return lines;
    return [`The key is ${before.status}: disable it first and see what breaks, which can be undone.`, ...lines];
  },
  touches: (target, before) => [target.accessKeyId, before.userArn, before.userName],
  apply: (target, { userName, partition }) => [
    keyCall('DeleteAccessKey', { UserName: userName, AccessKeyId: target.accessKeyId }, partition),
  ],
  verify: (_direction, _before, now) =>
    now.status === 'deleted' ? { held: true } : { held: false, because: `IAM still lists it as ${now.status}` },
  sessionPolicy: (_target, before) => ({
    Version: '2012-10-17',
    Statement: keyStatements('iam:DeleteAccessKey', ownerResource(before)),
  }),
  roleStatements: (accountId, partition) =>
    keyStatements('iam:DeleteAccessKey', `arn:${partition}:iam::${accountId}:user/*`),
  mintedLivesMs: () => 36 * 3_600_000,
  willNotStop: () => [
    'Sessions already minted with this key by GetSessionToken or GetFederationToken live on, up to 36 hours.',
    'Roles already assumed with it live on until their session ends, up to 12 hours.',
    "The user's console password, other keys, SSH keys and service-specific credentials go on working.",
  ],
  describe: (target, state) => `${target.accessKeyId} of user ${state.userName} is ${state.status}`,
});
