/** AWS IAM: a user's credentials beside access keys: password, MFA devices, service-specific credentials, SSH keys, certificates. */
import { createHash } from 'node:crypto';
import { AwsError, noSuchEntity, validationError } from './errors.ts';
import { targetUser } from './iam-target.ts';
import { newSecret, uniqueId } from './ids.ts';
import type { Input, Value } from './protocols.ts';
import { type Call, lowerCamel, type Operation, type Outcome, text } from './service.ts';
import type { OtherCredential, User } from './state.ts';
import { seconds } from './trail.ts';

type Output = { readonly [k: string]: Value };
type Page = <T>(call: Call, all: readonly T[]) => { items: readonly T[]; more: Output };

interface Family {
  readonly kind: OtherCredential['kind'];
  /** The input and output field that holds the id. */
  readonly idField: string;
  readonly prefix: string;
  readonly noun: string;
  readonly list: string;
  readonly listField: string;
  readonly update: string;
  readonly remove: string;
  /** When it was made, as the family calls it. */
  readonly dateField: string;
}

const families: readonly Family[] = [
  {
    ...{ kind: 'serviceSpecific', idField: 'ServiceSpecificCredentialId', prefix: 'ACCA' },
    ...{ noun: 'service specific credential', dateField: 'CreateDate' },
    ...{ list: 'ListServiceSpecificCredentials', listField: 'ServiceSpecificCredentials' },
    ...{ update: 'UpdateServiceSpecificCredential', remove: 'DeleteServiceSpecificCredential' },
  },
  {
    ...{ kind: 'sshKey', idField: 'SSHPublicKeyId', prefix: 'APKA', noun: 'SSH public key', dateField: 'UploadDate' },
    ...{ list: 'ListSSHPublicKeys', listField: 'SSHPublicKeys' },
    ...{ update: 'UpdateSSHPublicKey', remove: 'DeleteSSHPublicKey' },
  },
  {
    ...{ kind: 'certificate', idField: 'CertificateId', prefix: 'ASCA', noun: 'certificate', dateField: 'UploadDate' },
    ...{ list: 'ListSigningCertificates', listField: 'Certificates' },
    ...{ update: 'UpdateSigningCertificate', remove: 'DeleteSigningCertificate' },
  },
];

function familyOf(kind: OtherCredential['kind']): Family {
  const family = families.find((one) => one.kind === kind);
  if (family === undefined) throw new RangeError(`no family of ${kind}`);
  return family;
}

function found(user: User, call: Call, family: Family): OtherCredential {
  const id = text(call.input, family.idField) ?? '';
  const credential = user.otherCredentials.find((one) => one.kind === family.kind && one.id === id);
  if (credential === undefined) throw noSuchEntity(`The ${family.noun} with id ${id} cannot be found.`);
  return credential;
}

function shown(user: User, credential: OtherCredential, family: Family): Output {
  return {
    UserName: user.name,
    [family.idField]: credential.id,
    Status: credential.status,
    [family.dateField]: credential.createDate,
    ...credential.shown,
  };
}

function write(run: (call: Call) => Outcome, parameters?: Operation['parameters']): Operation {
  return { readOnly: false, run, ...(parameters === undefined ? {} : { parameters }) };
}

function operationsOf(family: Family, page: Page): Readonly<Record<string, Operation>> {
  return {
    [family.list]: {
      readOnly: true,
      run(call) {
        const user = targetUser(call);
        const own = user.otherCredentials.filter(({ kind }) => kind === family.kind);
        const { items, more } = page(call, own);
        return { output: { [family.listField]: items.map((one) => shown(user, one, family)), ...more } };
      },
    },
    [family.update]: write((call) => {
      const credential = found(targetUser(call), call, family);
      const status = text(call.input, 'Status');
      if (status !== 'Active' && status !== 'Inactive') throw validationError(`Value '${status}' at 'status' failed`);
      credential.status = status;
      return { output: {} };
    }),
    [family.remove]: write((call) => {
      const user = targetUser(call);
      user.otherCredentials.splice(user.otherCredentials.indexOf(found(user, call, family)), 1);
      return { output: {} };
    }),
  };
}

function made(call: Call, kind: OtherCredential['kind'], more: Readonly<Record<string, string>>) {
  const user = targetUser(call);
  const family = familyOf(kind);
  const credential: OtherCredential = {
    ...{ id: uniqueId(family.prefix, call.principal.account.id), kind, createDate: call.now, status: 'Active' },
    shown: more,
  };
  user.otherCredentials.push(credential);
  return shown(user, credential, family);
}

/** What CloudTrail keeps of a request that holds a password. */
function withoutPassword(input: Input): Readonly<Record<string, unknown>> | undefined {
  const { Password: _password, ...rest } = input;
  return lowerCamel(rest) ?? undefined;
}

function entityExists(message: string): AwsError {
  return new AwsError('EntityAlreadyExists', 409, message, 'EntityAlreadyExistsException');
}

const passwords: Readonly<Record<string, Operation>> = {
  CreateLoginProfile: write((call) => {
    const user = targetUser(call);
    if (user.loginProfile !== undefined) {
      throw entityExists(`Login Profile for user ${user.name} already exists.`);
    }
    const resetRequired = text(call.input, 'PasswordResetRequired') === 'true';
    user.loginProfile = { createDate: call.now, resetRequired, password: text(call.input, 'Password') ?? '' };
    const profile = { UserName: user.name, CreateDate: call.now, PasswordResetRequired: resetRequired };
    return {
      output: { LoginProfile: profile },
      responseElements: { loginProfile: { userName: user.name, createDate: seconds(call.now) } },
    };
  }, withoutPassword),
  DeleteLoginProfile: write((call) => {
    const user = targetUser(call);
    if (user.loginProfile === undefined) throw noSuchEntity(`Login Profile for User ${user.name} cannot be found.`);
    delete user.loginProfile;
    return { output: {} };
  }),
};

const devices: Readonly<Record<string, Operation>> = {
  CreateVirtualMFADevice: write((call) => {
    const { account } = call.principal;
    const serial = `arn:aws:iam::${account.id}:mfa/${text(call.input, 'VirtualMFADeviceName') ?? ''}`;
    call.may('iam:CreateVirtualMFADevice', serial);
    const inUse = [...account.users.values()].some((user) => user.mfaDevices.some((one) => one.serial === serial));
    if (inUse || account.unassignedMfa.has(serial)) throw entityExists('MFADevice entity already exists.');
    account.unassignedMfa.add(serial);
    return { output: { VirtualMFADevice: { SerialNumber: serial } } };
  }),
  EnableMFADevice: write((call) => {
    const user = targetUser(call);
    const serial = text(call.input, 'SerialNumber') ?? '';
    if (!call.principal.account.unassignedMfa.delete(serial)) {
      throw noSuchEntity(`VirtualMFADevice with serial number ${serial} does not exist.`);
    }
    user.mfaDevices.push({ serial, enableDate: call.now });
    return { output: {} };
  }),
  DeactivateMFADevice: write((call) => {
    const user = targetUser(call);
    const serial = text(call.input, 'SerialNumber') ?? '';
    const index = user.mfaDevices.findIndex((one) => one.serial === serial);
    if (index < 0) {
      throw noSuchEntity(`MFA Device invalid for user. Device ${serial} is not associated with ${user.name}.`);
    }
    user.mfaDevices.splice(index, 1);
    if (serial.includes(':mfa/')) call.principal.account.unassignedMfa.add(serial);
    return { output: {} };
  }),
  DeleteVirtualMFADevice: write((call) => {
    const { account } = call.principal;
    const serial = text(call.input, 'SerialNumber') ?? '';
    call.may('iam:DeleteVirtualMFADevice', serial);
    if ([...account.users.values()].some((user) => user.mfaDevices.some((one) => one.serial === serial))) {
      throw new AwsError('DeleteConflict', 409, 'VirtualMFADevice is still assigned.', 'DeleteConflictException');
    }
    if (!account.unassignedMfa.delete(serial)) {
      throw noSuchEntity(`VirtualMFADevice with serial number ${serial} does not exist.`);
    }
    return { output: {} };
  }),
};

/** Of the account, assigned or not. */
function listVirtualDevices(page: Page): Operation {
  return {
    readOnly: true,
    run(call) {
      const { account } = call.principal;
      call.may('iam:ListVirtualMFADevices', '*');
      const assigned = [...account.users.values()].flatMap((user) => user.mfaDevices.map(({ serial }) => serial));
      const virtual = [...assigned, ...account.unassignedMfa].filter((serial) => serial.includes(':mfa/')).sort();
      const { items, more } = page(call, virtual);
      return { output: { VirtualMFADevices: items.map((SerialNumber) => ({ SerialNumber })), ...more } };
    },
  };
}

const makers: Readonly<Record<string, Operation>> = {
  CreateServiceSpecificCredential: write((call) => {
    const ServiceName = text(call.input, 'ServiceName') ?? '';
    const ServiceUserName = `${text(call.input, 'UserName') ?? 'me'}-at-${call.principal.account.id}`;
    const credential = made(call, 'serviceSpecific', { ServiceName, ServiceUserName });
    return { output: { ServiceSpecificCredential: { ...credential, ServicePassword: newSecret() } } };
  }),
  UploadSSHPublicKey: write((call) => {
    const body = text(call.input, 'SSHPublicKeyBody') ?? '';
    const Fingerprint = createHash('md5').update(body).digest('hex');
    return { output: { SSHPublicKey: made(call, 'sshKey', { Fingerprint }) } };
  }),
  UploadSigningCertificate: write((call) => ({
    output: { Certificate: made(call, 'certificate', { CertificateBody: text(call.input, 'CertificateBody') ?? '' }) },
  })),
};

const leaving: Readonly<Record<string, Operation>> = {
  RemoveUserFromGroup: write((call) => {
    const { account } = call.principal;
    const group = text(call.input, 'GroupName') ?? '';
    call.may('iam:RemoveUserFromGroup', `arn:aws:iam::${account.id}:group/${group}`, `group ${group}`);
    const name = text(call.input, 'UserName') ?? '';
    const user = account.users.get(name);
    if (user === undefined) throw noSuchEntity(`The user with name ${name} cannot be found.`);
    const index = user.groups.findIndex((one) => one.name === group);
    if (index < 0) throw noSuchEntity(`The group with name ${group} cannot be found.`);
    user.groups.splice(index, 1);
    return { output: {} };
  }),
  DeleteUser: write((call) => {
    const user = targetUser(call);
    const left = [
      [user.keys.length > 0, 'access keys'],
      [user.loginProfile !== undefined, 'login profile'],
      [user.otherCredentials.length > 0, 'signing certificates, SSH keys or service specific credentials'],
      [user.mfaDevices.length > 0, 'MFA device'],
      [user.inlinePolicies.length > 0, 'policies'],
      [user.attachedPolicies.length > 0, 'attached policies'],
      [user.groups.length > 0, 'group memberships'],
    ].find(([holds]) => holds);
    if (left !== undefined) {
      const message = `Cannot delete entity, must delete ${String(left[1])} first.`;
      throw new AwsError('DeleteConflict', 409, message, 'DeleteConflictException');
    }
    call.principal.account.users.delete(user.name);
    return { output: {} };
  }),
};

/** The operations; `page` is IAM's own way of paging. */
export function credentialOperations(page: Page): Readonly<Record<string, Operation>> {
  return {
    ListVirtualMFADevices: listVirtualDevices(page),
    ...Object.assign({}, ...families.map((family) => operationsOf(family, page))),
    ...passwords,
    ...devices,
    ...makers,
    ...leaving,
  };
}
