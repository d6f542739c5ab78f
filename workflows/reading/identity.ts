/** Reads users and roles from IAM for dossiers. Each part that fails is named in `asking`; the rest goes on. */
import {
  GetAccessKeyLastUsedCommand,
  GetLoginProfileCommand,
  GetRoleCommand,
  GetUserCommand,
  ListAccessKeysCommand,
  ListGroupsForUserCommand,
  ListMFADevicesCommand,
} from '@aws-sdk/client-iam';
import type { IdentityBase, KeyFacts, RoleFacts, Tag, UserFacts } from '#src/domain/dossier/identity-facts.ts';
import { parseStatements } from '#src/domain/dossier/policy.ts';
import type { NamedPolicy } from '#src/domain/dossier/rights.ts';
import { isoOf } from '#src/domain/window.ts';
import { allPages, groupPolicies, type Look, managedStatements, rolePolicies, userPolicies } from './policies.ts';

/** Null where the account has no such user; undefined where IAM could not be asked. */
export async function readUser(name: string, look: Look): Promise<UserFacts | null | undefined> {
  const {
    reader: { iam },
    asking,
    signal,
  } = look;
  const options = { abortSignal: signal };
  const answer = await asking.ask(
    'the user',
    'iam:GetUser',
    async () => (await iam.send(new GetUserCommand({ UserName: name }), options)).User,
  );
  if (answer === null) return null;
  const [own, groups, mfa, profile, keys] = await Promise.all([
    userPolicies(name, look),
    asking.ask('groups', 'iam:ListGroupsForUser', () =>
      allPages(
        (Marker) => iam.send(new ListGroupsForUserCommand({ UserName: name, Marker }), options),
        (page) => page.Groups,
      ),
    ),
    asking.ask('MFA devices', 'iam:ListMFADevices', () =>
      allPages(
        (Marker) => iam.send(new ListMFADevicesCommand({ UserName: name, Marker }), options),
        (page) => page.MFADevices,
      ),
    ),
    asking.ask(
      'console password',
      'iam:GetLoginProfile',
      async () => (await iam.send(new GetLoginProfileCommand({ UserName: name }), options)).LoginProfile,
    ),
    keysOf(name, look),
  ]);
  const inherited = await Promise.all((groups ?? []).map((group) => groupPolicies(group.GroupName ?? '', look)));
  const noGroups: readonly NamedPolicy[] =
    groups === undefined ? [{ name: 'those of its groups', via: 'groups', statements: undefined }] : [];
  if (answer === undefined && own.every(({ statements }) => statements === undefined) && keys === undefined)
    return undefined;
  return {
    kind: 'user',
    arn: answer?.Arn ?? '',
    name: answer?.UserName ?? name,
    uniqueId: answer?.UserId ?? '',
    ...dated('createdAt', answer?.CreateDate),
    ...dated('passwordLastUsed', answer?.PasswordLastUsed),
    tags: tagsOf(answer?.Tags),
    policies: [...own, ...inherited.flat(), ...noGroups],
    ...(await boundaryOf(answer?.PermissionsBoundary?.PermissionsBoundaryArn, look)),
    groups: groups?.map((group) => group.GroupName ?? ''),
    mfa: mfa?.map((device) => device.SerialNumber ?? ''),
    console: profile
      ? { ...dated('createdAt', profile.CreateDate), resetRequired: profile.PasswordResetRequired === true }
      : profile,
    keys,
  };
}

/** The user's keys with their last use. Undefined where they could not be listed. */
export async function keysOf(name: string, look: Look): Promise<readonly KeyFacts[] | undefined> {
  const {
    reader: { iam },
    asking,
    signal,
  } = look;
  const keys = await asking.ask('access keys', 'iam:ListAccessKeys', () =>
    allPages(
      (Marker) => iam.send(new ListAccessKeysCommand({ UserName: name, Marker }), { abortSignal: signal }),
      (page) => page.AccessKeyMetadata,
    ),
  );
  if (!keys) return undefined;
  return Promise.all(
    keys.map(async (key): Promise<KeyFacts> => {
      const id = key.AccessKeyId ?? '';
      return {
        id,
        status: key.Status ?? 'unknown',
        ...dated('createdAt', key.CreateDate),
        lastUsed: (await lastUse(id, look))?.used,
      };
    }),
  );
}

/** Whose key it is and when it was last used. Null where the account has no such key; undefined where IAM could not be asked. */
export async function lastUse(id: string, { reader: { iam }, asking, signal }: Look) {
  const answer = await asking.ask('last use of the key', 'iam:GetAccessKeyLastUsed', () =>
    iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: id }), { abortSignal: signal }),
  );
  if (!answer) return answer;
  const used = answer.AccessKeyLastUsed;
  const at = used?.LastUsedDate;
  return {
    userName: answer.UserName ?? '',
    used:
      at === undefined
        ? null
        : { at: isoOf(at.getTime()), service: used?.ServiceName ?? '', region: used?.Region ?? '' },
  };
}

/** Null where the account has no such role; undefined where IAM could not be asked. */
export async function readRole(name: string, look: Look): Promise<RoleFacts | null | undefined> {
  const {
    reader: { iam },
    asking,
    signal,
  } = look;
  const role = await asking.ask(
    'the role',
    'iam:GetRole',
    async () => (await iam.send(new GetRoleCommand({ RoleName: name }), { abortSignal: signal })).Role,
  );
  if (!role) return role;
  const used = role.RoleLastUsed?.LastUsedDate;
  const trust = role.AssumeRolePolicyDocument;
  return {
    kind: 'role',
    arn: role.Arn ?? '',
    name: role.RoleName ?? name,
    uniqueId: role.RoleId ?? '',
    ...dated('createdAt', role.CreateDate),
    tags: tagsOf(role.Tags),
    policies: await rolePolicies(name, look),
    ...(await boundaryOf(role.PermissionsBoundary?.PermissionsBoundaryArn, look)),
    description: role.Description ?? '',
    ...(used === undefined ? {} : { lastUsed: { at: isoOf(used.getTime()), region: role.RoleLastUsed?.Region ?? '' } }),
    maxSessionSeconds: role.MaxSessionDuration ?? 3_600,
    trust: trust === undefined ? undefined : parseStatements(trust),
  };
}

async function boundaryOf(
  arn: string | undefined,
  look: Look,
): Promise<Pick<IdentityBase, 'boundary' | 'boundaryStatements'>> {
  if (arn === undefined) return { boundaryStatements: undefined };
  const statements = await managedStatements(arn, arn.split('/').at(-1) ?? arn, look);
  // A boundary that cannot be read narrows in ways that are not known: rights are then told as without it.
  return { boundary: arn, boundaryStatements: statements };
}

function tagsOf(
  tags: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined,
): readonly Tag[] {
  return (tags ?? []).map(({ Key = '', Value = '' }) => ({ key: Key, value: Value }));
}

function dated<Name extends string>(name: Name, at: Date | undefined): { readonly [key in Name]?: string } {
  return at === undefined ? {} : ({ [name]: isoOf(at.getTime()) } as { readonly [key in Name]?: string });
}
