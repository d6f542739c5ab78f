/** AWS STS. */
import { randomBytes } from 'node:crypto';
import { type AwsError, accessDenied, validationError } from './errors.ts';
import { accountInId, newSecret, uniqueId } from './ids.ts';
import { type Context, evaluate, parsePolicy } from './policy.ts';
import { type Call, type Outcome, objects, type Service, text } from './service.ts';
import { findKey, type Role, type Session, type State } from './state.ts';

const nameForm = /^[\w+=,.@-]{2,64}$/;
const maxPolicyCharacters = 2048;

function constraint(value: string, field: string, rule: string): AwsError {
  return validationError(
    `1 validation error detected: Value '${value}' at '${field}' failed to satisfy constraint: Member must ${rule}`,
  );
}

function duration(call: Call, limits: { min: number; max: number; standard: number }): number {
  const wanted = text(call.input, 'DurationSeconds');
  if (wanted === undefined) return limits.standard;
  const value = Number(wanted);
  if (!Number.isInteger(value) || value < limits.min) {
    throw constraint(wanted, 'durationSeconds', `have value greater than or equal to ${limits.min}`);
  }
  if (value > limits.max) {
    throw validationError('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  }
  return value;
}

function findRole(state: State, arn: string): { accountId: string; role: Role } | undefined {
  const accountId = arn.split(':')[4] ?? '';
  const role = [...(state.accounts.get(accountId)?.roles.values() ?? [])].find((one) => one.arn === arn);
  return role === undefined ? undefined : { accountId, role };
}

interface AssumeRoleInput {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly externalId: string | undefined;
  readonly sourceIdentity: string | undefined;
  readonly tags: readonly { readonly Key: string; readonly Value: string }[];
  readonly policy: string | undefined;
}

function readAssumeRole(call: Call): AssumeRoleInput {
  const { input } = call;
  const roleArn = text(input, 'RoleArn') ?? '';
  if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/.+/.test(roleArn)) throw validationError(`${roleArn} is invalid`);
  const sessionName = text(input, 'RoleSessionName') ?? '';
  if (!nameForm.test(sessionName)) {
    throw constraint(sessionName, 'roleSessionName', 'satisfy regular expression pattern: [\\w+=,.@-]*');
  }
  const sourceIdentity = text(input, 'SourceIdentity');
  if (sourceIdentity !== undefined && !nameForm.test(sourceIdentity)) {
    throw constraint(sourceIdentity, 'sourceIdentity', 'satisfy regular expression pattern: [\\w+=,.@-]*');
  }
  const policy = text(input, 'Policy');
  if (policy !== undefined && policy.length > maxPolicyCharacters) {
    throw constraint(policy, 'policy', `have length less than or equal to ${maxPolicyCharacters}`);
  }
  const tags = objects(input, 'Tags').map((tag) => ({ Key: text(tag, 'Key') ?? '', Value: text(tag, 'Value') ?? '' }));
  if (tags.length > 50) throw constraint(String(tags.length), 'tags', 'have length less than or equal to 50');
  for (const { Key, Value } of tags) {
    if (Key.length < 1 || Key.length > 128) throw constraint(Key, 'tags.member.key', 'have length 1 to 128');
    if (Value.length > 256) throw constraint(Value, 'tags.member.value', 'have length less than or equal to 256');
    if (!/^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(Key + Value)) {
      throw constraint(
        Value,
        'tags.member.value',
        'satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*',
      );
    }
  }
  return { roleArn, sessionName, externalId: text(input, 'ExternalId'), sourceIdentity, tags, policy };
}

/** The role's trust policy and the caller's own policy must both allow each action (within one account AWS is content with less). */
function mayAssume(call: Call, wanted: AssumeRoleInput): { accountId: string; role: Role } {
  const { principal, state } = call;
  const found = findRole(state, wanted.roleArn);
  const context: Context = {
    ...principal.context,
    'sts:rolesessionname': [wanted.sessionName],
    ...(wanted.externalId === undefined ? {} : { 'sts:externalid': [wanted.externalId] }),
    ...(wanted.sourceIdentity === undefined ? {} : { 'sts:sourceidentity': [wanted.sourceIdentity] }),
    ...(wanted.tags.length === 0 ? {} : { 'aws:tagkeys': wanted.tags.map((tag) => tag.Key) }),
    ...Object.fromEntries(wanted.tags.map((tag) => [`aws:requesttag/${tag.Key.toLowerCase()}`, [tag.Value]])),
  };
  const actions = [
    'sts:AssumeRole',
    ...(wanted.sourceIdentity === undefined ? [] : ['sts:SetSourceIdentity']),
    ...(wanted.tags.length === 0 ? [] : ['sts:TagSession']),
  ];
  const { session } = principal;
  const roleArn = session !== undefined && 'role' in session.of ? session.of.role.arn : undefined;
  for (const action of actions) {
    const sentence = `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${wanted.roleArn}`;
    const caller = { arn: principal.arn, roleArn, accountId: principal.account.id };
    const access = { action, resource: wanted.roleArn, context };
    // AWS does not tell a role that is missing from one that does not trust the caller.
    const trust = found && evaluate([found.role.trust], { ...access, principal: caller });
    if (trust !== 'allowed') throw accessDenied('query', sentence);
    call.may(action, wanted.roleArn, wanted.roleArn, context);
  }
  if (found === undefined) throw accessDenied('query', wanted.roleArn);
  return found;
}

function openSession(call: Call, accountId: string, seconds: number, of: Session['of']): Session {
  return {
    accessKeyId: uniqueId('ASIA', accountId),
    secret: newSecret(),
    token: `IQoJb3JpZ2luX2Vj${randomBytes(180).toString('base64')}`,
    accountId,
    issuedAt: new Date(Math.floor(call.now.getTime() / 1000) * 1000),
    expiresAt: new Date(call.now.getTime() + seconds * 1000),
    sourceIp: call.principal.sourceIp,
    of,
    tags: [],
  };
}

function credentialsOf(session: Session) {
  return {
    AccessKeyId: session.accessKeyId,
    SecretAccessKey: session.secret,
    SessionToken: session.token,
    Expiration: session.expiresAt,
  };
}

/** What CloudTrail keeps: the token, not the secret. */
function recorded(session: Session) {
  const expiration = session.expiresAt.toLocaleString('en-US', {
    timeZone: 'UTC',
    dateStyle: 'medium',
    timeStyle: 'medium',
  });
  return { accessKeyId: session.accessKeyId, sessionToken: session.token, expiration };
}

function assumeRole(call: Call): Outcome {
  const wanted = readAssumeRole(call);
  const { accountId, role } = mayAssume(call, wanted);
  const chained = call.principal.session !== undefined && call.principal.user === undefined;
  const max = chained ? 3600 : role.maxSessionDuration;
  const seconds = duration(call, { min: 900, max, standard: 3600 });
  const plain = openSession(call, accountId, seconds, { role, sessionName: wanted.sessionName });
  const session: Session = {
    ...plain,
    tags: wanted.tags,
    ...(wanted.policy === undefined ? {} : { policy: parsePolicy(wanted.policy) }),
    ...(wanted.sourceIdentity === undefined ? {} : { sourceIdentity: wanted.sourceIdentity }),
  };
  call.state.sessions.set(session.accessKeyId, session);
  role.lastUsed = { date: call.now, region: call.region };
  const assumed = {
    AssumedRoleId: `${role.id}:${wanted.sessionName}`,
    Arn: `arn:aws:sts::${accountId}:assumed-role/${role.name}/${wanted.sessionName}`,
  };
  const size = Math.ceil((JSON.stringify(wanted.tags).length + (wanted.policy?.length ?? 0)) / 41);
  const packed = wanted.policy === undefined && wanted.tags.length === 0 ? undefined : Math.min(99, size);
  return {
    output: {
      AssumedRoleUser: assumed,
      Credentials: credentialsOf(session),
      PackedPolicySize: packed,
      SourceIdentity: wanted.sourceIdentity,
    },
    responseElements: {
      credentials: recorded(session),
      assumedRoleUser: { assumedRoleId: assumed.AssumedRoleId, arn: assumed.Arn },
      ...(packed === undefined ? {} : { packedPolicySize: packed }),
      ...(wanted.sourceIdentity === undefined ? {} : { sourceIdentity: wanted.sourceIdentity }),
    },
    resources: [{ accountId, type: 'AWS::IAM::Role', ARN: role.arn }],
    ...(accountId === call.principal.account.id ? {} : { alsoRecordIn: accountId }),
  };
}

function getSessionToken(call: Call): Outcome {
  const { user, account, session: caller } = call.principal;
  if (user === undefined || caller !== undefined) {
    throw accessDenied('query', 'Cannot call GetSessionToken with session credentials');
  }
  const seconds = duration(call, { min: 900, max: 129_600, standard: 43_200 });
  const session = openSession(call, account.id, seconds, { user });
  call.state.sessions.set(session.accessKeyId, session);
  return {
    output: { Credentials: credentialsOf(session) },
    responseElements: { credentials: recorded(session) },
  };
}

export const sts: Service = {
  name: 'sts',
  protocol: 'query',
  namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
  apiVersion: '2011-06-15',
  eventSource: 'sts.amazonaws.com',
  global: false,
  operations: {
    AssumeRole: { readOnly: true, run: assumeRole },
    GetSessionToken: { readOnly: true, run: getSessionToken },
    // Needs no permission, and cannot be denied.
    GetCallerIdentity: {
      readOnly: true,
      run: ({ principal }) => ({
        output: { Arn: principal.arn, UserId: principal.principalId, Account: principal.account.id },
      }),
    },
    GetAccessKeyInfo: {
      readOnly: true,
      run(call) {
        call.may('sts:GetAccessKeyInfo');
        const id = text(call.input, 'AccessKeyId') ?? '';
        if (!/^\w{16,128}$/.test(id)) throw constraint(id, 'accessKeyId', 'satisfy regular expression pattern: [\\w]*');
        const account = findKey(call.state, id)?.account.id ?? accountInId(id);
        if (account === undefined) throw validationError(`Invalid type for parameter AccessKeyId, value: ${id}`);
        return { output: { Account: account } };
      },
    },
  },
};
