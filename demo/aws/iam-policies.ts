/** AWS IAM: the reads of policies: managed ones, and those of roles and groups. */
import { noSuchEntity } from './errors.ts';
import { awsPolicy } from './iam-policy-writes.ts';
import type { Value } from './protocols.ts';
import { type Call, type Operation, text } from './service.ts';
import type { Account, NamedPolicy, Role, User } from './state.ts';

type Output = { readonly [k: string]: Value };
type Page = <T>(call: Call, all: readonly T[]) => { items: readonly T[]; more: Output };
type Group = User['groups'][number];

function encoded(policy: NamedPolicy): string {
  return encodeURIComponent(JSON.stringify(policy.document));
}

function groupsOf(account: Account): readonly Group[] {
  return [...account.users.values()].flatMap((user) => user.groups);
}

/** Every managed policy that anything in the account has attached. */
function managedOf(account: Account): readonly NamedPolicy[] {
  return [
    ...[...account.users.values()].flatMap((user) => user.attachedPolicies),
    ...groupsOf(account).flatMap((group) => group.policies),
    ...[...account.roles.values()].flatMap((role) => role.policies),
  ].filter(({ arn }) => arn !== undefined);
}

function targetPolicy(call: Call): NamedPolicy {
  const arn = text(call.input, 'PolicyArn') ?? '';
  call.may(`iam:${call.operation}`, arn, `policy ${arn.split('/').slice(1).join('/')}`);
  const policy = managedOf(call.principal.account).find((one) => one.arn === arn) ?? awsPolicy(arn);
  if (policy === undefined) throw noSuchEntity(`Policy ${arn} does not exist or is not attachable.`);
  return policy;
}

function targetRole(call: Call): Role {
  const { account } = call.principal;
  const name = text(call.input, 'RoleName') ?? '';
  const role = account.roles.get(name);
  call.may(`iam:${call.operation}`, role?.arn ?? `arn:aws:iam::${account.id}:role/${name}`, `role ${name}`);
  if (role === undefined) throw noSuchEntity(`The role with name ${name} cannot be found.`);
  return role;
}

function targetGroup(call: Call): Group {
  const { account } = call.principal;
  const name = text(call.input, 'GroupName') ?? '';
  call.may(`iam:${call.operation}`, `arn:aws:iam::${account.id}:group/${name}`, `group ${name}`);
  const group = groupsOf(account).find((one) => one.name === name);
  if (group === undefined) throw noSuchEntity(`The group with name ${name} cannot be found.`);
  return group;
}

function attached(call: Call, policies: readonly NamedPolicy[], page: Page): Output {
  const { items, more } = page(
    call,
    policies.filter(({ arn }) => arn !== undefined),
  );
  return { AttachedPolicies: items.map(({ name, arn }) => ({ PolicyName: name, PolicyArn: arn })), ...more };
}

function inline(call: Call, policies: readonly NamedPolicy[], page: Page): Output {
  const { items, more } = page(
    call,
    policies.filter(({ arn }) => arn === undefined),
  );
  return { PolicyNames: items.map(({ name }) => name), ...more };
}

function inlineNamed(call: Call, policies: readonly NamedPolicy[], kind: string): NamedPolicy {
  const name = text(call.input, 'PolicyName') ?? '';
  const policy = policies.find((one) => one.arn === undefined && one.name === name);
  if (policy === undefined) throw noSuchEntity(`The ${kind} policy with name ${name} cannot be found.`);
  return policy;
}

function read(answer: (call: Call) => Output): Operation {
  return { readOnly: true, run: (call) => ({ output: answer(call) }) };
}

/** The operations; `page` is IAM's own way of paging. */
export function policyReads(page: Page): Readonly<Record<string, Operation>> {
  return {
    GetPolicy: read((call) => {
      const { name, arn = '' } = targetPolicy(call);
      return {
        Policy: {
          PolicyName: name,
          Arn: arn,
          Path: '/',
          DefaultVersionId: 'v1',
          AttachmentCount: 1,
          IsAttachable: true,
        },
      };
    }),
    GetPolicyVersion: read((call) => {
      const policy = targetPolicy(call);
      const version = text(call.input, 'VersionId') ?? '';
      if (version !== 'v1')
        throw noSuchEntity(`Policy ${policy.arn} version ${version} does not exist or is not attachable.`);
      return { PolicyVersion: { Document: encoded(policy), VersionId: 'v1', IsDefaultVersion: true } };
    }),
    GetInstanceProfile: read((call) => {
      const { account } = call.principal;
      const name = text(call.input, 'InstanceProfileName') ?? '';
      const arn = `arn:aws:iam::${account.id}:instance-profile/${name}`;
      call.may('iam:GetInstanceProfile', arn, `instance profile ${name}`);
      // As the console makes it: a profile is named after its role.
      const role = account.roles.get(name);
      const known = role !== undefined && account.instances.some((instance) => instance.profileArn === arn);
      if (!known) throw noSuchEntity(`Instance Profile ${name} cannot be found.`);
      const { createDate, path } = role;
      const Roles = [{ Path: path, RoleName: role.name, RoleId: role.id, Arn: role.arn, CreateDate: createDate }];
      return {
        InstanceProfile: {
          Path: path,
          InstanceProfileName: name,
          InstanceProfileId: `AIPA${role.id.slice(4)}`,
          Arn: arn,
          CreateDate: createDate,
          Roles,
        },
      };
    }),
    ListAttachedRolePolicies: read((call) => attached(call, targetRole(call).policies, page)),
    ListRolePolicies: read((call) => inline(call, targetRole(call).policies, page)),
    GetRolePolicy: read((call) => {
      const role = targetRole(call);
      const policy = inlineNamed(call, role.policies, 'role');
      return { RoleName: role.name, PolicyName: policy.name, PolicyDocument: encoded(policy) };
    }),
    ListAttachedGroupPolicies: read((call) => attached(call, targetGroup(call).policies, page)),
    ListGroupPolicies: read((call) => inline(call, targetGroup(call).policies, page)),
    GetGroupPolicy: read((call) => {
      const group = targetGroup(call);
      const policy = inlineNamed(call, group.policies, 'group');
      return { GroupName: group.name, PolicyName: policy.name, PolicyDocument: encoded(policy) };
    }),
  };
}
