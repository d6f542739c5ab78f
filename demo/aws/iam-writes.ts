/** AWS IAM: the writes. */
import { AwsError, noSuchEntity, validationError } from './errors.ts';
import { targetUser } from './iam-target.ts';
import { newSecret, uniqueId } from './ids.ts';
import { type Call, type Operation, type Outcome, text } from './service.ts';
import { type AccessKey, type KeyStatus, keyStatus, type User } from './state.ts';
import { seconds } from './trail.ts';

const keysPerUser = 2;

function limitExceeded(message: string): AwsError {
  return new AwsError('LimitExceeded', 409, message, 'LimitExceededException');
}

function keyOf(user: User, call: Call): AccessKey {
  const id = text(call.input, 'AccessKeyId') ?? '';
  const key = user.keys.find((one) => one.id === id);
  if (key === undefined) throw noSuchEntity(`The Access Key with id ${id} cannot be found.`);
  return key;
}

/** No entry in the history where nothing changes. */
function setKeyStatus(key: AccessKey, status: KeyStatus, at: Date): void {
  if (keyStatus(key) !== status) key.history.push({ status, at });
}

function updateAccessKey(call: Call): Outcome {
  const user = targetUser(call);
  const status = text(call.input, 'Status') ?? '';
  if (status !== 'Active' && status !== 'Inactive') {
    throw validationError(
      `1 validation error detected: Value '${status}' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]`,
    );
  }
  setKeyStatus(keyOf(user, call), status, call.now);
  return { output: {} };
}

function createAccessKey(call: Call): Outcome {
  const user = targetUser(call);
  if (user.keys.length >= keysPerUser) {
    throw limitExceeded(`Cannot exceed quota for AccessKeysPerUser: ${keysPerUser}`);
  }
  const key: AccessKey = {
    id: uniqueId('AKIA', call.principal.account.id),
    secret: newSecret(),
    createDate: call.now,
    history: [{ status: 'Active', at: call.now }],
    sourceIp: call.principal.sourceIp,
  };
  user.keys.push(key);
  const shown = { UserName: user.name, AccessKeyId: key.id, Status: 'Active', CreateDate: call.now };
  return {
    output: { AccessKey: { ...shown, SecretAccessKey: key.secret } },
    responseElements: {
      accessKey: { userName: user.name, accessKeyId: key.id, status: 'Active', createDate: seconds(call.now) },
    },
  };
}

function deleteAccessKey(call: Call): Outcome {
  const user = targetUser(call);
  user.keys.splice(user.keys.indexOf(keyOf(user, call)), 1);
  return { output: {} };
}

function createUser(call: Call): Outcome {
  const { account } = call.principal;
  const name = text(call.input, 'UserName') ?? '';
  const path = text(call.input, 'Path') ?? '/';
  const arn = `arn:aws:iam::${account.id}:user${path}${name}`;
  call.may('iam:CreateUser', arn);
  if (!/^[\w+=,.@-]{1,64}$/.test(name)) {
    throw validationError(
      'The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-',
    );
  }
  if (account.users.has(name)) {
    const message = `User with name ${name} already exists.`;
    throw new AwsError('EntityAlreadyExists', 409, message, 'EntityAlreadyExistsException');
  }
  const user: User = {
    name,
    path,
    id: uniqueId('AIDA', account.id),
    arn,
    createDate: call.now,
    keys: [],
    inlinePolicies: [],
    attachedPolicies: [],
    groups: [],
    mfaDevices: [],
    otherCredentials: [],
    tags: [],
  };
  account.users.set(name, user);
  return {
    output: { User: { Path: path, UserName: name, UserId: user.id, Arn: arn, CreateDate: call.now } },
    responseElements: { user: { path, userName: name, userId: user.id, arn, createDate: seconds(call.now) } },
  };
}

export const iamWrites: Readonly<Record<string, Operation>> = {
  UpdateAccessKey: { readOnly: false, run: updateAccessKey },
  CreateAccessKey: { readOnly: false, run: createAccessKey },
  DeleteAccessKey: { readOnly: false, run: deleteAccessKey },
  CreateUser: { readOnly: false, run: createUser },
};
