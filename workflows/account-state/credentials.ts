/** What IAM says of the credentials of a user or role now. A refusal is never an empty answer. */
import {
  GetAccessKeyLastUsedCommand,
  GetLoginProfileCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  GetUserCommand,
  GetUserPolicyCommand,
  ListAccessKeysCommand,
  ListAttachedRolePoliciesCommand,
  ListAttachedUserPoliciesCommand,
  ListInstanceProfilesForRoleCommand,
  ListMFADevicesCommand,
  ListRolePoliciesCommand,
  ListServiceSpecificCredentialsCommand,
  ListSigningCertificatesCommand,
  ListSSHPublicKeysCommand,
  ListUserPoliciesCommand,
} from '@aws-sdk/client-iam';
import type { AwsReach, AwsReader } from '#src/contracts/aws.ts';
import { type Denial, denialsIn } from '#src/domain/alive.ts';
import { isAwsError } from '#src/domain/aws-errors.ts';
import type { Looked } from '#src/domain/looked.ts';
import { iamNext } from '#src/domain/pages.ts';
import { policyText } from '#src/domain/policy-text.ts';
import { listed, look, paged } from './look.ts';

/** IAM actions that the functions here call. */
export const credentialReads = [
  'iam:GetAccessKeyLastUsed',
  'iam:GetLoginProfile',
  'iam:GetRole',
  'iam:GetRolePolicy',
  'iam:GetUser',
  'iam:GetUserPolicy',
  'iam:ListAccessKeys',
  'iam:ListAttachedRolePolicies',
  'iam:ListAttachedUserPolicies',
  'iam:ListInstanceProfilesForRole',
  'iam:ListMFADevices',
  'iam:ListRolePolicies',
  'iam:ListSSHPublicKeys',
  'iam:ListServiceSpecificCredentials',
  'iam:ListSigningCertificates',
  'iam:ListUserPolicies',
] as const;

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** `undefined` as a value: IAM says that it does not exist. */
export interface UserCredentials {
  readonly user: Looked<{ readonly arn: string; readonly tags: readonly Tag[] } | undefined>;
  readonly denials: Looked<readonly Denial[]>;
  readonly keys: Looked<readonly { readonly id: string; readonly status: string }[]>;
  readonly password: Looked<boolean>;
  readonly devices: Looked<readonly { readonly serial: string; readonly since: string }[]>;
  /** Service-specific credentials, SSH keys and signing certificates, with what each is. */
  readonly others: Looked<readonly { readonly id: string; readonly what: string; readonly status: string }[]>;
}

export interface RoleCredentials {
  /** `trust`: the trust policy, JSON. */
  readonly role: Looked<{ readonly arn: string; readonly tags: readonly Tag[]; readonly trust: string } | undefined>;
  readonly denials: Looked<readonly Denial[]>;
  readonly profiles: Looked<readonly string[]>;
}

/** The owner of a long-term key, asked of every account; undefined where all that could be asked say that it is none of theirs. */
export async function ownerOfKey(
  id: string,
  reach: AwsReach,
  signal: AbortSignal,
): Promise<Looked<string | undefined>> {
  let failed: string | undefined;
  const accounts = await look(() => reach.accounts(), signal);
  if (!accounts.ok) return accounts;
  for (const accountId of accounts.value) {
    const found = await look(async () => {
      const aws = await reach.reader(accountId);
      const name = await absentAs(undefined, async () => {
        const answer = await aws.iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: id }), {
          abortSignal: signal,
        });
        return answer.UserName;
      });
      return name === undefined || name === '' ? undefined : `arn:${aws.partition}:iam::${accountId}:user/${name}`;
    }, signal);
    if (!found.ok) failed = `account ${accountId}: ${found.reason}`;
    else if (found.value !== undefined) return found;
  }
  return failed === undefined ? { ok: true, value: undefined } : { ok: false, reason: failed };
}

export async function userCredentials(aws: AwsReader, name: string, signal: AbortSignal): Promise<UserCredentials> {
  const options = { abortSignal: signal };
  const who = { UserName: name };
  const user = await look(
    () =>
      absentAs(undefined, async () => {
        const { User } = await aws.iam.send(new GetUserCommand(who), options);
        return { arn: User?.Arn ?? '', tags: tagsOf(User?.Tags) };
      }),
    signal,
  );
  return {
    user,
    denials: await look(() => absentAs([], () => denialsOfUser(aws, name, signal)), signal),
    keys: await look(
      () =>
        absentAs([], async () => {
          const all = await paged(async (token) => {
            const page = await aws.iam.send(
              new ListAccessKeysCommand({ ...who, ...(token && { Marker: token }) }),
              options,
            );
            return { items: listed(page.AccessKeyMetadata, 'AccessKeyMetadata'), next: iamNext(page) };
          });
          return all.map((key) => ({ id: key.AccessKeyId ?? '', status: key.Status ?? 'unknown' }));
        }),
      signal,
    ),
    password: await look(
      () =>
        absentAs(false, async () => {
          await aws.iam.send(new GetLoginProfileCommand(who), options);
          return true;
        }),
      signal,
    ),
    devices: await look(
      () =>
        absentAs([], async () => {
          const all = await paged(async (token) => {
            const page = await aws.iam.send(
              new ListMFADevicesCommand({ ...who, ...(token && { Marker: token }) }),
              options,
            );
            return { items: listed(page.MFADevices, 'MFADevices'), next: iamNext(page) };
          });
          return all.map((device) => ({
            serial: device.SerialNumber ?? '',
            since: device.EnableDate?.toISOString() ?? '',
          }));
        }),
      signal,
    ),
    others: await look(() => absentAs([], () => othersOf(aws, name, signal)), signal),
  };
}

export async function roleCredentials(aws: AwsReader, name: string, signal: AbortSignal): Promise<RoleCredentials> {
  const options = { abortSignal: signal };
  let id = '';
  const role = await look(
    () =>
      absentAs(undefined, async () => {
        const { Role } = await aws.iam.send(new GetRoleCommand({ RoleName: name }), options);
        const trust = policyText(Role?.AssumeRolePolicyDocument ?? '');
        id = Role?.RoleId ?? '';
        return { arn: Role?.Arn ?? '', tags: tagsOf(Role?.Tags), trust };
      }),
    signal,
  );
  return {
    role,
    denials: await look(
      () =>
        absentAs([], async () => {
          const found = await denialsOfRole(aws, name, signal);
          // A session's user id begins with the role's own: one of another role, or of an earlier one of this name, denies nothing here.
          return found.filter((one) => one.kind !== 'session' || (id !== '' && one.userId.startsWith(`${id}:`)));
        }),
      signal,
    ),
    profiles: await look(
      () =>
        absentAs([], async () => {
          const found = await paged(async (Marker) => {
            const page = await aws.iam.send(
              new ListInstanceProfilesForRoleCommand({ RoleName: name, Marker }),
              options,
            );
            return { items: listed(page.InstanceProfiles, 'InstanceProfiles'), next: iamNext(page) };
          });
          return found.map((profile) => profile.Arn ?? '');
        }),
      signal,
    ),
  };
}

/** Inline policies that deny everything, and AWS's own policy of that kind. */
async function denialsOfUser(aws: AwsReader, name: string, signal: AbortSignal): Promise<readonly Denial[]> {
  const options = { abortSignal: signal };
  const who = { UserName: name };
  const attached = await paged(async (token) => {
    const page = await aws.iam.send(
      new ListAttachedUserPoliciesCommand({ ...who, ...(token && { Marker: token }) }),
      options,
    );
    return { items: listed(page.AttachedPolicies, 'AttachedPolicies'), next: iamNext(page) };
  });
  const names = await paged(async (token) => {
    const page = await aws.iam.send(new ListUserPoliciesCommand({ ...who, ...(token && { Marker: token }) }), options);
    return { items: listed(page.PolicyNames, 'PolicyNames'), next: iamNext(page) };
  });
  const inline: Denial[] = [];
  for (const PolicyName of names) {
    const { PolicyDocument } = await aws.iam.send(new GetUserPolicyCommand({ ...who, PolicyName }), options);
    inline.push(...denialsIn(PolicyName, policyText(PolicyDocument ?? '')));
  }
  return [...denyAllOf(attached), ...inline];
}

async function denialsOfRole(aws: AwsReader, name: string, signal: AbortSignal): Promise<readonly Denial[]> {
  const options = { abortSignal: signal };
  const who = { RoleName: name };
  const attached = await paged(async (token) => {
    const page = await aws.iam.send(
      new ListAttachedRolePoliciesCommand({ ...who, ...(token && { Marker: token }) }),
      options,
    );
    return { items: listed(page.AttachedPolicies, 'AttachedPolicies'), next: iamNext(page) };
  });
  const names = await paged(async (token) => {
    const page = await aws.iam.send(new ListRolePoliciesCommand({ ...who, ...(token && { Marker: token }) }), options);
    return { items: listed(page.PolicyNames, 'PolicyNames'), next: iamNext(page) };
  });
  const inline: Denial[] = [];
  for (const PolicyName of names) {
    const { PolicyDocument } = await aws.iam.send(new GetRolePolicyCommand({ ...who, PolicyName }), options);
    inline.push(...denialsIn(PolicyName, policyText(PolicyDocument ?? '')));
  }
  return [...denyAllOf(attached), ...inline];
}

function denyAllOf(attached: readonly { readonly PolicyArn?: string | undefined }[]): readonly Denial[] {
  const found = attached.some(({ PolicyArn }) => /^arn:aws[a-z-]*:iam::aws:policy\/AWSDenyAll$/.test(PolicyArn ?? ''));
  return found ? [{ kind: 'all', policy: 'AWSDenyAll' }] : [];
}

async function othersOf(aws: AwsReader, name: string, signal: AbortSignal) {
  const options = { abortSignal: signal };
  const who = { UserName: name };
  const services = await paged(async (Marker) => {
    const page = await aws.iam.send(new ListServiceSpecificCredentialsCommand({ ...who, Marker }), options);
    return { items: listed(page.ServiceSpecificCredentials, 'ServiceSpecificCredentials'), next: iamNext(page) };
  });
  const ssh = await paged(async (Marker) => {
    const page = await aws.iam.send(new ListSSHPublicKeysCommand({ ...who, Marker }), options);
    return { items: listed(page.SSHPublicKeys, 'SSHPublicKeys'), next: iamNext(page) };
  });
  const certificates = await paged(async (Marker) => {
    const page = await aws.iam.send(new ListSigningCertificatesCommand({ ...who, Marker }), options);
    return { items: listed(page.Certificates, 'Certificates'), next: iamNext(page) };
  });
  return [
    ...services.map((one) => ({
      id: one.ServiceSpecificCredentialId ?? '',
      what: `credential for ${one.ServiceName ?? 'a service'}`,
      status: one.Status ?? 'unknown',
    })),
    ...ssh.map((one) => ({
      id: one.SSHPublicKeyId ?? '',
      what: 'SSH key',
      status: one.Status ?? 'unknown',
    })),
    ...certificates.map((one) => ({
      id: one.CertificateId ?? '',
      what: 'signing certificate',
      status: one.Status ?? 'unknown',
    })),
  ];
}

function tagsOf(tags: readonly { Key?: string | undefined; Value?: string | undefined }[] | undefined): readonly Tag[] {
  return (tags ?? []).map(({ Key = '', Value = '' }) => ({ key: Key, value: Value }));
}

async function absentAs<T, Absent>(absent: Absent, ask: () => Promise<T>): Promise<T | Absent> {
  try {
    return await ask();
  } catch (error) {
    if (isAwsError(error, 'NoSuchEntityException', 'NoSuchEntity', 'ValidationError')) return absent;
    throw error;
  }
}
