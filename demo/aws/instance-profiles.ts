/** AWS IAM: instance profiles, and the credentials that machines get by them. */
import { noSuchEntity } from './errors.ts';
import { associationOf } from './evidence.ts';
import { newSecret, uniqueId } from './ids.ts';
import { type Operation, text } from './service.ts';
import type { State } from './state.ts';

const lifeMs = 6 * 3_600_000;

export const profileReads: Readonly<Record<string, Operation>> = {
  GetInstanceProfile: {
    readOnly: true,
    run(call) {
      const { account } = call.principal;
      const name = text(call.input, 'InstanceProfileName') ?? '';
      const found = [...account.evidence.profiles].find(([arn]) => arn.split('/').at(-1) === name);
      const arn = found?.[0] ?? `arn:aws:iam::${account.id}:instance-profile/${name}`;
      call.may('iam:GetInstanceProfile', arn, `instance profile ${name}`);
      const role = found === undefined ? undefined : account.roles.get(found[1]);
      if (role === undefined) throw noSuchEntity(`Instance Profile ${name} cannot be found.`);
      const { path, id, arn: roleArn, createDate } = role;
      const Role = { Path: path, RoleName: role.name, RoleId: id, Arn: roleArn, CreateDate: createDate };
      return {
        output: {
          InstanceProfile: {
            ...{ Path: '/', InstanceProfileName: name, InstanceProfileId: uniqueId('AIPA', account.id, name) },
            ...{ Arn: arn, CreateDate: createDate, Roles: [Role] },
          },
        },
      };
    },
  },
};

export interface InstanceCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** What 169.254.169.254 gives on this machine. Throws RangeError where it has no profile: there it answers 404. */
export function metadataCredentials(state: State, instanceId: string, now: Date = new Date()): InstanceCredentials {
  for (const account of state.accounts.values()) {
    const instance = account.instances.find(({ id }) => id === instanceId);
    const roleName = account.evidence.profiles.get((instance && associationOf(instance))?.profileArn ?? '');
    const role = account.roles.get(roleName ?? '');
    if (instance === undefined || role === undefined) continue;
    const session = {
      ...{ accessKeyId: uniqueId('ASIA', account.id), secret: newSecret(), accountId: account.id },
      token: `IQoJb3JpZ2luX2Vj${newSecret()}${newSecret()}`,
      issuedAt: new Date(Math.floor(now.getTime() / 1000) * 1000),
      expiresAt: new Date(now.getTime() + lifeMs),
      sourceIp: instance.publicIp ?? instance.privateIp,
      of: { role, sessionName: instanceId },
      tags: [],
      instanceArn: `arn:aws:ec2:${instance.region}:${account.id}:instance/${instanceId}`,
    };
    state.sessions.set(session.accessKeyId, session);
    return { accessKeyId: session.accessKeyId, secretAccessKey: session.secret, sessionToken: session.token };
  }
  throw new RangeError(`instance ${instanceId} has no profile`);
}
