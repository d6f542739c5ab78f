/** AWS IAM: lists that are empty in this account, and which roles an instance profile hands out. */
import { targetUser } from './iam-target.ts';
import type { Value } from './protocols.ts';
import { type Operation, text } from './service.ts';

function emptyList(name: string): Operation {
  return {
    readOnly: true,
    run(call) {
      targetUser(call);
      const output: { readonly [k: string]: Value } = { [name]: [], IsTruncated: false };
      return { output };
    },
  };
}

export const otherCredentials: Readonly<Record<string, Operation>> = {
  ListServiceSpecificCredentials: emptyList('ServiceSpecificCredentials'),
  ListSSHPublicKeys: emptyList('SSHPublicKeys'),
  ListSigningCertificates: emptyList('Certificates'),
  // A profile has the name of its role here, as the console makes them.
  ListInstanceProfilesForRole: {
    readOnly: true,
    run(call) {
      const { account } = call.principal;
      const name = text(call.input, 'RoleName') ?? '';
      const role = account.roles.get(name);
      call.may(`iam:${call.operation}`, role?.arn ?? `arn:aws:iam::${account.id}:role/${name}`, `role ${name}`);
      const isForInstances = JSON.stringify(role?.trust ?? {}).includes('ec2.amazonaws.com');
      const profile = {
        Path: '/',
        InstanceProfileName: name,
        InstanceProfileId: 'AIPADEMO000000000000',
        Arn: `arn:aws:iam::${account.id}:instance-profile/${name}`,
        CreateDate: role?.createDate,
        Roles: [],
      };
      return { output: { InstanceProfiles: isForInstances ? [profile] : [], IsTruncated: false } };
    },
  },
};
