/** Eradication: deletes a user with all he holds (DOMAIN.md 5.2, 5.5). For the end of a case. */
import { defineAction } from '#src/contracts/action.ts';
import type { ApiCall, PolicyDocument } from '#src/contracts/aws.ts';
import { literalArn } from '#src/domain/session-policy.ts';
import { accountOfPrincipal, PrincipalTarget, principalIn } from './identity/principal.ts';
import { credentialIn, families, iamCall } from './identity/user-credentials.ts';
import { virtualDeviceRead, WholeUser, wholeUser, wholeUserReads } from './identity/whole-user.ts';

const usage = 'delete-user <ARN of a user>';
const onUser = [
  'iam:DeactivateMFADevice',
  'iam:DeleteAccessKey',
  'iam:DeleteLoginProfile',
  'iam:DeleteSSHPublicKey',
  'iam:DeleteServiceSpecificCredential',
  'iam:DeleteSigningCertificate',
  'iam:DeleteUser',
  'iam:DeleteUserPolicy',
  'iam:DetachUserPolicy',
];
const deviceWrite = 'iam:DeleteVirtualMFADevice';
/** What refuses him goes last: what is left of him must not come to life between two calls. */
const refuses = /Deny|Revoke|Quarantine|OnlyKnown|^Firebreak/;

export const deleteUser = defineAction({
  name: 'delete-user',
  title:
    'Delete the user for good, with his keys, password, MFA devices, certificates, group memberships and policies.',
  impact: 'Everything that runs as this user never works again, and what names him in other policies points at nobody.',
  usage,
  examples: ['arn:aws:iam::999999999999:user/JaneDoe'],
  target: PrincipalTarget,
  before: WholeUser,
  permissions: {
    read: [...wholeUserReads, virtualDeviceRead].sort(),
    write: [...onUser, deviceWrite, 'iam:RemoveUserFromGroup'].sort(),
  },
  approvals: 2,
  kind: 'eradication',
  irreversible:
    'Final: a user made again under this name has another unique id and none of what he held; policies that name the old one do not fit him.',
  parse: (words) => principalIn(words, ['user'], usage),
  accountOf: accountOfPrincipal,
  artifact: (_target, { principalArn }) => ({ kind: 'user', id: principalArn }),
  inspect: wholeUser,
  background: (_target, { keys, inline, attached }) =>
    Promise.resolve([
      ...keys
        .filter(({ status }) => status === 'Active')
        .map(({ id }) => `Key ${id} is still Active: disable it first and see what breaks, which can be undone.`),
      `Lost with the user: ${inline.length} inline policies, whose text stays in the audit, and ${attached.length} attachments.`,
    ]),
  touches: ({ name }, { principalArn, principalId, keys, virtualDevices }) => [
    principalArn,
    principalId,
    name,
    ...keys.map(({ id }) => id),
    ...virtualDevices,
  ],
  apply: ({ name }, before) => (before.exists ? callsToDelete(name, before) : []),
  seen: (call, now) => (isGone(call, now) ? {} : undefined),
  verify(_direction, _before, now) {
    if (now.exists) return { held: false, because: 'IAM still shows the user' };
    const [left] = now.virtualDevices;
    return left === undefined ? { held: true } : { held: false, because: `IAM still shows the device ${left}` };
  },
  sessionPolicy: (_target, before, accountId, partition) => ({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: [...onUser, ...wholeUserReads], Resource: literalArn(before.principalArn) },
      ...(before.groups.length === 0
        ? []
        : [onGroups(before.groups.map((group) => `arn:${partition}:iam::${accountId}:group${group}`))]),
      ...(before.virtualDevices.length === 0 ? [] : [onDevices(before.virtualDevices)]),
      // Of a user who is gone IAM knows no path, and no right to the ARN that he had lets anybody see that he is.
      { ...lookAtDevices, Action: [...lookAtDevices.Action, 'iam:GetUser'] },
    ],
  }),
  roleStatements: (accountId, partition) => [
    { Effect: 'Allow', Action: [...onUser, ...wholeUserReads], Resource: `arn:${partition}:iam::${accountId}:user/*` },
    onGroups([`arn:${partition}:iam::${accountId}:group/*`]),
    onDevices([`arn:${partition}:iam::${accountId}:mfa/*`]),
    lookAtDevices,
  ],
  mintedLivesMs: () => 12 * 3_600_000,
  willNotStop: () => [
    'Roles that the user has already assumed live on until their session ends, up to 12 hours.',
    'Users, keys, roles and resources that the user made stay.',
  ],
  describe: ({ name }, state) =>
    state.exists
      ? `user ${name} (${state.principalId}) has ${state.keys.length} keys, ${state.passwordMade === '' ? 'no' : 'a'} password, ${state.devices.length} MFA devices, ${state.credentials.length} other credentials, ${state.groups.length} groups and ${state.attached.length + state.inline.length} policies`
      : `user ${name} (${state.principalId}) is deleted`,
});

/** Credentials first, then what allows him anything, then what refuses him, then the user. */
function callsToDelete(UserName: string, before: WholeUser): ApiCall[] {
  const call = (operation: string, more: ApiCall['input'] = {}) =>
    iamCall(operation, { UserName, ...more }, before.partition);
  const policies = [
    ...before.attached.map((arn) => ({ named: arn, call: call('DetachUserPolicy', { PolicyArn: arn }) })),
    ...before.inline.map(({ name }) => ({ named: name, call: call('DeleteUserPolicy', { PolicyName: name }) })),
  ];
  return [
    ...before.keys.map(({ id }) => call('DeleteAccessKey', { AccessKeyId: id })),
    ...(before.passwordMade === '' ? [] : [call('DeleteLoginProfile')]),
    ...before.credentials.map(({ kind, id }) => call(families[kind].remove, { [families[kind].idField]: id })),
    ...before.devices.map((serial) => call('DeactivateMFADevice', { SerialNumber: serial })),
    // What somebody else has taken away meanwhile must not keep the user alive.
    ...before.virtualDevices.map((SerialNumber) => ({
      ...iamCall('DeleteVirtualMFADevice', { SerialNumber }, before.partition),
      goesOn: true as const,
    })),
    ...before.groups.map((group) => call('RemoveUserFromGroup', { GroupName: nameOf(group) })),
    ...policies.filter(({ named }) => !refuses.test(nameOf(named))).map((policy) => policy.call),
    ...policies.filter(({ named }) => refuses.test(nameOf(named))).map((policy) => policy.call),
    call('DeleteUser'),
  ];
}

function isGone(call: ApiCall, now: WholeUser): boolean {
  const { operation, input } = call;
  if (operation === 'DeleteVirtualMFADevice') return !now.virtualDevices.includes(String(input.SerialNumber));
  if (!now.exists) return true;
  const other = credentialIn(call);
  if (other !== undefined) return !now.credentials.some(({ kind, id }) => kind === other.kind && id === other.id);
  switch (operation) {
    case 'DeleteAccessKey':
      return !now.keys.some(({ id }) => id === input.AccessKeyId);
    case 'DeleteLoginProfile':
      return now.passwordMade === '';
    case 'DeactivateMFADevice':
      return !now.devices.includes(String(input.SerialNumber));
    case 'RemoveUserFromGroup':
      return !now.groups.some((group) => nameOf(group) === input.GroupName);
    case 'DetachUserPolicy':
      return !now.attached.includes(String(input.PolicyArn));
    case 'DeleteUserPolicy':
      return !now.inline.some(({ name }) => name === input.PolicyName);
    default:
      return false;
  }
}

function nameOf(path: string): string {
  return path.split('/').at(-1) ?? '';
}

function onGroups(groups: readonly string[]): PolicyDocument['Statement'][number] {
  return { Effect: 'Allow', Action: ['iam:RemoveUserFromGroup'], Resource: groups };
}

function onDevices(serials: readonly string[]): PolicyDocument['Statement'][number] {
  return { Effect: 'Allow', Action: [deviceWrite], Resource: serials };
}

const lookAtDevices = { Effect: 'Allow', Action: [virtualDeviceRead], Resource: '*' } as const;
