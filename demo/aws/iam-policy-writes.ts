/** AWS IAM: inline policies put, replaced and deleted on users and roles, and managed ones attached. */
import { AwsError, noSuchEntity, validationError } from './errors.ts';
import { targetUser } from './iam-target.ts';
import { type PolicyDocument, parsePolicy } from './policy.ts';
import { type Call, type Operation, type Outcome, text } from './service.ts';
import type { NamedPolicy, Role } from './state.ts';

/** Inline policies of one principal together, white space left out. */
const inlineLimit = { user: 2_048, role: 10_240 } as const;
const attachedLimit = 10;

/** AWS's own documents that responders attach. Abridged where AWS lists dozens of actions. */
const awsManaged: Readonly<Record<string, PolicyDocument>> = {
  AWSDenyAll: { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }] },
  AWSCompromisedKeyQuarantineV3: {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Deny',
        Action: [
          'cloudtrail:LookupEvents',
          'ec2:RequestSpotInstances',
          'ec2:RunInstances',
          'ec2:StartInstances',
          'iam:AddUserToGroup',
          'iam:Attach*',
          'iam:Create*',
          'iam:Detach*',
          'iam:ListUsers',
          'iam:PassRole',
          'iam:Put*',
          'iam:Update*',
          's3:GetObject',
          's3:ListAllMyBuckets',
          's3:ListBucket',
          'sts:GetFederationToken',
          'sts:GetSessionToken',
        ],
        Resource: '*',
      },
    ],
  },
};

function targetRole(call: Call): Role {
  const { account } = call.principal;
  const name = text(call.input, 'RoleName') ?? '';
  const role = account.roles.get(name);
  call.may(`iam:${call.operation}`, role?.arn ?? `arn:aws:iam::${account.id}:role/${name}`, `role ${name}`);
  if (role === undefined) throw noSuchEntity(`The role with name ${name} cannot be found.`);
  return role;
}

/** The list that a call changes: a user's inline or attached policies, or a role's, which are kept in one. */
function listOf(call: Call, kind: 'user' | 'role', attached: boolean): NamedPolicy[] {
  if (kind === 'role') return targetRole(call).policies;
  const user = targetUser(call);
  return attached ? user.attachedPolicies : user.inlinePolicies;
}

function put(kind: 'user' | 'role'): Operation {
  return {
    readOnly: false,
    run(call): Outcome {
      const list = listOf(call, kind, false);
      const name = text(call.input, 'PolicyName') ?? '';
      if (!/^[\w+=,.@-]{1,128}$/.test(name)) throw validationError('The specified value for policyName is invalid.');
      const document = parsePolicy(text(call.input, 'PolicyDocument') ?? '');
      const inline = list.filter((policy) => policy.arn === undefined && policy.name !== name);
      const size = [...inline.map((policy) => policy.document), document].reduce(
        (sum, one) => sum + JSON.stringify(one).length,
        0,
      );
      if (size > inlineLimit[kind]) {
        const message = `Maximum policy size of ${inlineLimit[kind]} bytes exceeded for ${kind} ${kind === 'user' ? text(call.input, 'UserName') : text(call.input, 'RoleName')}`;
        throw new AwsError('LimitExceeded', 409, message, 'LimitExceededException');
      }
      remove(list, (policy) => policy.arn === undefined && policy.name === name);
      list.push({ name, document });
      return { output: {} };
    },
  };
}

function deleted(kind: 'user' | 'role'): Operation {
  return {
    readOnly: false,
    run(call): Outcome {
      const list = listOf(call, kind, false);
      const name = text(call.input, 'PolicyName') ?? '';
      if (!remove(list, (policy) => policy.arn === undefined && policy.name === name)) {
        throw noSuchEntity(`The ${kind} policy with name ${name} cannot be found.`);
      }
      return { output: {} };
    },
  };
}

/** One that AWS itself keeps, attached or not. */
export function awsPolicy(arn: string): NamedPolicy | undefined {
  const name = /^arn:[a-z-]+:iam::aws:policy\/(.+)$/.exec(arn)?.[1] ?? '';
  const document = Object.hasOwn(awsManaged, name) ? awsManaged[name] : undefined;
  return document && { name, arn, document };
}

function attach(kind: 'user' | 'role'): Operation {
  return {
    readOnly: false,
    run(call): Outcome {
      const list = listOf(call, kind, true);
      const arn = text(call.input, 'PolicyArn') ?? '';
      const policy = awsPolicy(arn);
      if (policy === undefined) throw noSuchEntity(`Policy ${arn} does not exist or is not attachable.`);
      if (list.some((one) => one.arn === arn)) return { output: {} };
      if (list.filter((one) => one.arn !== undefined).length >= attachedLimit) {
        throw new AwsError(
          'LimitExceeded',
          409,
          `Cannot exceed quota for PoliciesPer${kind}: ${attachedLimit}`,
          'LimitExceededException',
        );
      }
      list.push(policy);
      return { output: {} };
    },
  };
}

function detach(kind: 'user' | 'role'): Operation {
  return {
    readOnly: false,
    run(call): Outcome {
      const arn = text(call.input, 'PolicyArn') ?? '';
      if (!remove(listOf(call, kind, true), (policy) => policy.arn === arn)) {
        throw noSuchEntity(`Policy ${arn} was not found.`);
      }
      return { output: {} };
    },
  };
}

function remove(list: NamedPolicy[], which: (policy: NamedPolicy) => boolean): boolean {
  const index = list.findIndex(which);
  if (index >= 0) list.splice(index, 1);
  return index >= 0;
}

export const policyWrites: Readonly<Record<string, Operation>> = {
  PutUserPolicy: put('user'),
  PutRolePolicy: put('role'),
  DeleteUserPolicy: deleted('user'),
  DeleteRolePolicy: deleted('role'),
  AttachUserPolicy: attach('user'),
  AttachRolePolicy: attach('role'),
  DetachUserPolicy: detach('user'),
  DetachRolePolicy: detach('role'),
};
