/** AWS IAM: the reads. */
import { noSuchEntity, validationError } from './errors.ts';
import { credentialOperations } from './iam-credentials.ts';
import { otherCredentials } from './iam-other-credentials.ts';
import { policyReads } from './iam-policies.ts';
import { policyWrites } from './iam-policy-writes.ts';
import { reportOperations } from './iam-reports.ts';
import { targetUser } from './iam-target.ts';
import { iamWrites } from './iam-writes.ts';
import type { Value } from './protocols.ts';
import { type Call, type Operation, type Outcome, type Service, text } from './service.ts';
import { findKey, keyStatus, type User } from './state.ts';

/** One page by Marker and MaxItems (1 to 1000, 100 where absent). The marker is the place in the list. */
function page<T>(call: Call, all: readonly T[]): { items: readonly T[]; more: { [k: string]: Value } } {
  const size = Number(text(call.input, 'MaxItems') ?? '100');
  if (!Number.isInteger(size) || size < 1 || size > 1000) {
    throw validationError(
      `1 validation error detected: Value '${size}' at 'maxItems' failed to satisfy constraint: Member must have value between 1 and 1000`,
    );
  }
  const marker = text(call.input, 'Marker');
  const start = marker === undefined ? 0 : Number(Buffer.from(marker, 'base64url').toString());
  if (!Number.isInteger(start) || start < 0) throw validationError(`Invalid Marker.`);
  const end = start + size;
  const next = end < all.length ? { Marker: Buffer.from(String(end)).toString('base64url') } : {};
  return { items: all.slice(start, end), more: { IsTruncated: end < all.length, ...next } };
}

function describeUser(user: User) {
  return {
    Path: user.path,
    UserName: user.name,
    UserId: user.id,
    Arn: user.arn,
    CreateDate: user.createDate,
    PasswordLastUsed: user.passwordLastUsed,
  };
}

function getAccessKeyLastUsed(call: Call): Outcome {
  // The request names no user, so only a permission on `*` covers it.
  const id = text(call.input, 'AccessKeyId') ?? '';
  call.may('iam:GetAccessKeyLastUsed', '*', `access key ${id}`);
  const found = findKey(call.state, id);
  if (found === undefined || found.account.id !== call.principal.account.id) {
    throw noSuchEntity(`The Access Key with id ${id} cannot be found.`);
  }
  const { user, key } = found;
  const used = key.lastUsed;
  const AccessKeyLastUsed = {
    LastUsedDate: used?.date,
    ServiceName: used?.service ?? 'N/A',
    Region: used?.region ?? 'N/A',
  };
  return { output: { UserName: user.name, AccessKeyLastUsed } };
}

function getRole(call: Call): Outcome {
  const { account } = call.principal;
  const name = text(call.input, 'RoleName') ?? '';
  const role = account.roles.get(name);
  call.may('iam:GetRole', role?.arn ?? `arn:aws:iam::${account.id}:role/${name}`, `role ${name}`);
  if (role === undefined) throw noSuchEntity(`The role with name ${name} cannot be found.`);
  const lastUsed = role.lastUsed;
  return {
    output: {
      Role: {
        Path: role.path,
        RoleName: role.name,
        RoleId: role.id,
        Arn: role.arn,
        CreateDate: role.createDate,
        AssumeRolePolicyDocument: encodeURIComponent(JSON.stringify(role.trust)),
        Description: role.description,
        MaxSessionDuration: role.maxSessionDuration,
        RoleLastUsed: lastUsed === undefined ? {} : { LastUsedDate: lastUsed.date, Region: lastUsed.region },
      },
    },
  };
}

/** A read about one user. */
function ofUser(answer: (user: User, call: Call) => { readonly [k: string]: Value }): Operation {
  return { readOnly: true, run: (call) => ({ output: answer(targetUser(call), call) }) };
}

const reads: Readonly<Record<string, Operation>> = {
  GetUser: ofUser((user) => ({
    User: { ...describeUser(user), ...(user.tags.length > 0 ? { Tags: user.tags } : {}) },
  })),
  ListUsers: {
    readOnly: true,
    run(call) {
      const { account } = call.principal;
      const prefix = text(call.input, 'PathPrefix') ?? '/';
      call.may('iam:ListUsers', `arn:aws:iam::${account.id}:user${prefix}`);
      const users = [...account.users.values()].filter((user) => user.path.startsWith(prefix));
      const { items, more } = page(call, users);
      return { output: { Users: items.map(describeUser), ...more } };
    },
  },
  ListAccessKeys: ofUser((user, call) => {
    const { items, more } = page(call, user.keys);
    const AccessKeyMetadata = items.map((key) => ({
      UserName: user.name,
      AccessKeyId: key.id,
      Status: keyStatus(key),
      CreateDate: key.createDate,
    }));
    return { UserName: user.name, AccessKeyMetadata, ...more };
  }),
  GetAccessKeyLastUsed: { readOnly: true, run: getAccessKeyLastUsed },
  GetRole: { readOnly: true, run: getRole },
  ListAttachedUserPolicies: ofUser((user, call) => {
    const { items, more } = page(call, user.attachedPolicies);
    return { AttachedPolicies: items.map(({ name, arn }) => ({ PolicyName: name, PolicyArn: arn })), ...more };
  }),
  ListUserPolicies: ofUser((user, call) => {
    const { items, more } = page(call, user.inlinePolicies);
    return { PolicyNames: items.map(({ name }) => name), ...more };
  }),
  GetUserPolicy: ofUser((user, call) => {
    const name = text(call.input, 'PolicyName') ?? '';
    const policy = user.inlinePolicies.find((one) => one.name === name);
    if (policy === undefined) throw noSuchEntity(`The user policy with name ${name} cannot be found.`);
    const PolicyDocument = encodeURIComponent(JSON.stringify(policy.document));
    return { UserName: user.name, PolicyName: name, PolicyDocument };
  }),
  GetLoginProfile: ofUser((user) => {
    const profile = user.loginProfile;
    if (profile === undefined) throw noSuchEntity(`Login Profile for User ${user.name} cannot be found.`);
    const { createDate, resetRequired } = profile;
    return { LoginProfile: { UserName: user.name, CreateDate: createDate, PasswordResetRequired: resetRequired } };
  }),
  ListMFADevices: ofUser((user, call) => {
    const { items, more } = page(call, user.mfaDevices);
    const MFADevices = items.map(({ serial, enableDate }) => ({
      UserName: user.name,
      SerialNumber: serial,
      EnableDate: enableDate,
    }));
    return { MFADevices, ...more };
  }),
  ListGroupsForUser: ofUser((user, call) => {
    const { items, more } = page(call, user.groups);
    const Groups = items.map(({ name, id }) => ({
      Path: '/',
      GroupName: name,
      GroupId: id,
      Arn: `arn:aws:iam::${call.principal.account.id}:group/${name}`,
      CreateDate: user.createDate,
    }));
    return { Groups, ...more };
  }),
};

export const iam: Service = {
  name: 'iam',
  protocol: 'query',
  namespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
  apiVersion: '2010-05-08',
  eventSource: 'iam.amazonaws.com',
  global: true,
  operations: {
    ...otherCredentials,
    ...reads,
    ...policyReads(page),
    ...iamWrites,
    ...policyWrites,
    ...credentialOperations(page),
    ...reportOperations(page),
  },
};
