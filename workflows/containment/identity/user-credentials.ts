/** What a user holds beside access keys: password, MFA devices, service-specific credentials, SSH keys, certificates. Reads only. */
import {
  GetLoginProfileCommand,
  ListMFADevicesCommand,
  ListServiceSpecificCredentialsCommand,
  ListSigningCertificatesCommand,
  ListSSHPublicKeysCommand,
} from '@aws-sdk/client-iam';
import { z } from 'zod';
import type { ActionContext } from '#src/contracts/action.ts';
import type { ApiCall } from '#src/contracts/aws.ts';
import { UpstreamError } from '#src/contracts/errors.ts';
import { isAwsError } from '#src/domain/aws-errors.ts';
import { everyPage, iamNext } from '#src/domain/pages.ts';
import { globalRegion } from '#src/domain/partition.ts';

export type Looking = Pick<ActionContext, 'aws' | 'signal'>;

/** Every item of a paged list of IAM's. Throws UpstreamError for an answer that is not AWS's. */
export async function allOf<Item>(
  ask: (more: {
    readonly Marker: string | undefined;
  }) => Promise<Parameters<typeof iamNext>[0] & { readonly items: readonly Item[] | undefined }>,
): Promise<readonly Item[]> {
  return everyPage(async (Marker) => {
    const page = await ask({ Marker });
    return { items: page.items, next: iamNext(page) };
  });
}

/** When the console password was made, ISO 8601 UTC; empty where there is none. */
export async function passwordOf(name: string, { aws, signal }: Looking): Promise<string> {
  try {
    const { LoginProfile } = await aws.iam.send(new GetLoginProfileCommand({ UserName: name }), {
      abortSignal: signal,
    });
    if (LoginProfile === undefined) {
      throw new UpstreamError('aws', 'NotAws', "the answer to iam:GetLoginProfile was not AWS's", { retryable: true });
    }
    return LoginProfile.CreateDate?.toISOString() ?? 'unknown';
  } catch (error) {
    if (isAwsError(error, 'NoSuchEntityException', 'NoSuchEntity')) return '';
    throw error;
  }
}

/** Serial numbers of the devices that are enabled, in order. */
export async function devicesOf(name: string, { aws, signal }: Looking): Promise<string[]> {
  const devices = await allOf(async (more) => {
    const page = await aws.iam.send(new ListMFADevicesCommand({ UserName: name, ...more }), { abortSignal: signal });
    return { ...page, items: page.MFADevices };
  });
  return devices.map(({ SerialNumber = '' }) => SerialNumber).sort();
}

export const OtherCredential = z.strictObject({
  kind: z.enum(['serviceSpecific', 'sshKey', 'certificate']),
  id: z.string(),
  status: z.string(),
  /** The service, for service-specific credentials; else empty. */
  service: z.string(),
});
export type OtherCredential = z.output<typeof OtherCredential>;

export const families = {
  serviceSpecific: {
    idField: 'ServiceSpecificCredentialId',
    update: 'UpdateServiceSpecificCredential',
    remove: 'DeleteServiceSpecificCredential',
  },
  sshKey: { idField: 'SSHPublicKeyId', update: 'UpdateSSHPublicKey', remove: 'DeleteSSHPublicKey' },
  certificate: { idField: 'CertificateId', update: 'UpdateSigningCertificate', remove: 'DeleteSigningCertificate' },
} as const satisfies Readonly<Record<OtherCredential['kind'], object>>;

/** All of them, by kind and id. */
export async function otherCredentialsOf(name: string, { aws, signal }: Looking): Promise<OtherCredential[]> {
  const options = { abortSignal: signal };
  const specific = await allOf(async (more) => {
    const page = await aws.iam.send(new ListServiceSpecificCredentialsCommand({ UserName: name, ...more }), options);
    return { ...page, items: page.ServiceSpecificCredentials };
  });
  const keys = await allOf(async (more) => {
    const page = await aws.iam.send(new ListSSHPublicKeysCommand({ UserName: name, ...more }), options);
    return { ...page, items: page.SSHPublicKeys };
  });
  const certificates = await allOf(async (more) => {
    const page = await aws.iam.send(new ListSigningCertificatesCommand({ UserName: name, ...more }), options);
    return { ...page, items: page.Certificates };
  });
  const entry = (kind: OtherCredential['kind'], id = '', status: string = 'unknown', service = '') => ({
    ...{ kind, id, status, service },
  });
  return [
    ...specific.map((one) => entry('serviceSpecific', one.ServiceSpecificCredentialId, one.Status, one.ServiceName)),
    ...keys.map((one) => entry('sshKey', one.SSHPublicKeyId, one.Status)),
    ...certificates.map((one) => entry('certificate', one.CertificateId, one.Status)),
  ].sort((a, b) => a.kind.localeCompare(b.kind) || a.id.localeCompare(b.id));
}

export const otherCredentialReads = [
  'iam:ListSSHPublicKeys',
  'iam:ListServiceSpecificCredentials',
  'iam:ListSigningCertificates',
] as const;

export function iamCall(operation: string, input: ApiCall['input'], partition: string): ApiCall {
  return { service: 'iam', operation, region: globalRegion(partition), input };
}

/** The family that an operation belongs to, and the id in its input. */
export function credentialIn({ operation, input }: ApiCall): { kind: OtherCredential['kind']; id: string } | undefined {
  for (const [kind, family] of Object.entries(families)) {
    if (operation !== family.update && operation !== family.remove) continue;
    return { kind: kind as OtherCredential['kind'], id: String(input[family.idField]) };
  }
  return undefined;
}
