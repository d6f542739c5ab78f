/** Sets a user's SSH keys, signing certificates and service-specific credentials to Inactive (DOMAIN.md 5.5). */
import { z } from 'zod';
import { defineAction } from '#src/contracts/action.ts';
import type { ApiCall, PolicyDocument } from '#src/contracts/aws.ts';
import { literalArn } from '#src/domain/session-policy.ts';
import {
  accountOfPrincipal,
  PrincipalState,
  PrincipalTarget,
  principalIn,
  principalState,
} from './identity/principal.ts';
import {
  credentialIn,
  families,
  iamCall,
  OtherCredential,
  otherCredentialReads,
  otherCredentialsOf,
} from './identity/user-credentials.ts';

const usage = 'disable-service-credentials <ARN of a user>';
/** Which ones, fixed when it is planned: what an attacker makes after that is told, and voids nothing. */
const Target = PrincipalTarget.extend({ credentials: z.array(OtherCredential.pick({ kind: true, id: true })).max(50) });
const Before = PrincipalState.extend({ credentials: z.array(OtherCredential) });
type Before = z.output<typeof Before>;

const writes = ['iam:UpdateSSHPublicKey', 'iam:UpdateServiceSpecificCredential', 'iam:UpdateSigningCertificate'];

export const disableServiceCredentials = defineAction({
  name: 'disable-service-credentials',
  title: "Set the user's SSH keys, signing certificates and service-specific credentials to Inactive; none is deleted.",
  impact: 'Git over CodeCommit, Keyspaces, Bedrock keys and SOAP calls of this user stop working, and nothing else.',
  usage,
  examples: ['arn:aws:iam::999999999999:user/JaneDoe'],
  target: Target,
  before: Before,
  permissions: { read: ['iam:GetUser', ...otherCredentialReads], write: writes },
  approvals: 1,
  reversal: 'Undo sets each of them that this plan switched off back to Active, and no other.',
  parse: (words) => ({ ...principalIn(words, ['user'], usage), credentials: [] }),
  accountOf: accountOfPrincipal,
  artifact: (_target, { principalArn }) => ({ kind: 'user', id: principalArn }),
  async inspect(target, ctx) {
    const principal = await principalState(target, ctx);
    return { ...principal, credentials: await otherCredentialsOf(target.name, ctx) };
  },
  complete: (target, { credentials }) =>
    Promise.resolve({
      ...target,
      credentials: credentials.filter(isOn).map(({ kind, id }) => ({ kind, id })),
    }),
  background: (_target, { credentials }) =>
    Promise.resolve(
      credentials.map(
        ({ kind, id, status, service }) => `${[words[kind], service, id].filter(Boolean).join(' ')} is ${status}.`,
      ),
    ),
  binds: ({ principalArn, principalId }) => ({ principalArn, principalId }),
  touches: ({ name }, { principalArn, principalId }) => [principalArn, principalId, name],
  apply: ({ name, credentials }, { partition }) =>
    credentials.map(({ kind, id }) => update(name, { kind, id }, 'Inactive', partition)),
  undo: ({ name }, now, applied) =>
    applied.done.flatMap(({ call }) => {
      const switched = credentialIn(call);
      const isStillOff = switched !== undefined && statusOf(now, switched) === 'Inactive';
      return isStillOff ? [update(name, switched, 'Active', now.partition)] : [];
    }),
  seen(call, now) {
    const switched = credentialIn(call);
    return switched !== undefined && statusOf(now, switched) === call.input.Status ? {} : undefined;
  },
  verify(direction, before, now, done) {
    const wanted = direction === 'apply' ? 'Inactive' : 'Active';
    const asked = done.flatMap(({ call }) => credentialIn(call) ?? []);
    const meant = asked.length > 0 || direction === 'undo' ? asked : before.credentials.filter(isOn);
    // One that is gone cannot be used: that is what was wanted.
    const other = meant.find((one) => {
      const status = statusOf(now, one);
      return direction === 'apply' ? status !== undefined && status === 'Active' : status !== wanted;
    });
    return other === undefined
      ? { held: true }
      : { held: false, because: `IAM does not read ${other.id} as ${wanted}` };
  },
  sessionPolicy: (_target, { principalArn }) => ({
    Version: '2012-10-17',
    Statement: statements(literalArn(principalArn)),
  }),
  roleStatements: (accountId, partition) => statements(`arn:${partition}:iam::${accountId}:user/*`),
  mintedLivesMs: () => 3_600_000,
  isPartial: true,
  willNotStop: () => [
    "The user's access keys, password and sessions go on working.",
    'What was read or pushed with these credentials before stays so.',
    'Git, SSH and SOAP uses leave few or no records in CloudTrail, so silence there proves little.',
  ],
  describe: ({ name }, { credentials }) =>
    `user ${name} has ${credentials.filter(isOn).length} of ${credentials.length} SSH keys, certificates and service-specific credentials active`,
});

const words = {
  serviceSpecific: 'Service-specific credential for',
  sshKey: 'SSH public key',
  certificate: 'Certificate',
};

function isOn({ status }: OtherCredential): boolean {
  return status === 'Active';
}

function statusOf({ credentials }: Before, wanted: Pick<OtherCredential, 'kind' | 'id'>): string | undefined {
  return credentials.find(({ kind, id }) => kind === wanted.kind && id === wanted.id)?.status;
}

function update(
  name: string,
  { kind, id }: Pick<OtherCredential, 'kind' | 'id'>,
  status: string,
  partition: string,
): ApiCall {
  const { update: operation, idField } = families[kind];
  return { ...iamCall(operation, { UserName: name, [idField]: id, Status: status }, partition), goesOn: true };
}

function statements(resource: string): PolicyDocument['Statement'] {
  return [{ Effect: 'Allow', Action: ['iam:GetUser', ...otherCredentialReads, ...writes], Resource: resource }];
}
