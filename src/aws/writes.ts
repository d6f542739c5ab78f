/**
 * What may be written to a target account at all. An operation that is not listed here cannot be sent, whatever a plan says. Each line: the
 * operation, the module that has it, and the fields of its answer that a plan may use later (nothing else of it is kept).
 * Beside it Firebreak puts the heads of its own audit into its own bucket, with the worker's identity (audit-anchors.ts).
 */
import type { ApiCall, WrittenService } from '../contracts/aws.ts';
import { isAwsError } from '../domain/aws-errors.ts';
import { type ClientOptions, iamClient, lateClients } from './clients.ts';

type Input = ApiCall['input'];
type Answer = Record<string, unknown> & { $metadata?: { requestId?: string | undefined } };
interface Sender {
  send(command: unknown): Promise<unknown>;
}

/** A field of the answer, or an object or a list of objects of which some fields are kept. */
type Kept = string | { readonly of: string; readonly fields: readonly string[] };

/** Operations by service, with the fields of the answer that are kept. */
const operations: Readonly<Record<WrittenService, Readonly<Record<string, readonly Kept[]>>>> = {
  iam: {
    UpdateAccessKey: [],
    PutUserPolicy: [],
    DeleteUserPolicy: [],
    PutRolePolicy: [],
    DeleteRolePolicy: [],
    AttachUserPolicy: [],
    DetachUserPolicy: [],
    DeleteLoginProfile: [],
    DeactivateMFADevice: [],
    UpdateServiceSpecificCredential: [],
    UpdateSSHPublicKey: [],
    UpdateSigningCertificate: [],
    DeleteAccessKey: [],
    DeleteServiceSpecificCredential: [],
    DeleteSSHPublicKey: [],
    DeleteSigningCertificate: [],
    DeleteVirtualMFADevice: [],
    RemoveUserFromGroup: [],
    DeleteUser: [],
  },
  ec2: {
    AssociateIamInstanceProfile: [],
    CreateSnapshots: [{ of: 'Snapshots', fields: ['SnapshotId', 'VolumeId'] }],
    DisassociateIamInstanceProfile: [],
    LockSnapshot: [],
    ModifyInstanceMetadataOptions: [],
    CreateSecurityGroup: ['GroupId'],
    DeleteSecurityGroup: [],
    AuthorizeSecurityGroupEgress: [],
    RevokeSecurityGroupEgress: [],
    ModifyNetworkInterfaceAttribute: [],
    ModifyInstanceAttribute: [],
    StartInstances: [],
    StopInstances: [],
    TerminateInstances: [],
    CancelSpotInstanceRequests: [],
  },
  ssm: {
    // The command's own parameters come back with it; its id is all that is kept.
    SendCommand: [{ of: 'Command', fields: ['CommandId'] }],
  },
  autoscaling: { EnterStandby: [], ExitStandby: [], DetachInstances: [] },
  elb: { DeregisterInstancesFromLoadBalancer: [], RegisterInstancesWithLoadBalancer: [] },
  elbv2: { DeregisterTargets: [], RegisterTargets: [] },
};

const modules: Readonly<Record<WrittenService, () => Promise<unknown>>> = {
  iam: () => import('@aws-sdk/client-iam'),
  ec2: () => import('@aws-sdk/client-ec2'),
  ssm: () => import('@aws-sdk/client-ssm'),
  autoscaling: () => import('@aws-sdk/client-auto-scaling'),
  elb: () => import('@aws-sdk/client-elastic-load-balancing'),
  elbv2: () => import('@aws-sdk/client-elastic-load-balancing-v2'),
};

const refusedTimes = [
  ...['AuthFailure', 'InvalidSignatureException', 'RequestExpired', 'RequestInTheFuture', 'RequestTimeTooSkewed'],
  'SignatureDoesNotMatch',
];

/** Inputs that AWS takes as JSON text; a plan shows them as documents. */
const documents = ['PolicyDocument', 'AssumeRolePolicyDocument'];

/** The sender of one listed call. Throws Error for a call that is not listed. */
export function writeOf(call: ApiCall): {
  send(options: ClientOptions): Promise<{ requestId: string; answer: Readonly<Record<string, unknown>> }>;
} {
  const listed = Object.hasOwn(operations, call.service) ? operations[call.service] : {};
  const kept = Object.hasOwn(listed, call.operation) ? listed[call.operation] : undefined;
  if (kept === undefined) throw new Error(`${call.service}:${call.operation} is not a call that Firebreak can make`);
  return {
    async send(options) {
      const module = (await modules[call.service]()) as Record<string, new (input: Input) => unknown>;
      const Command = module[`${call.operation}Command`];
      if (Command === undefined) throw new Error(`the SDK of ${call.service} has no ${call.operation}`);
      const client = await clientOf(call, options);
      const send = () => client.send(new Command(asSent(call.input)));
      const answer = ((await send().catch((error: unknown) => {
        if (!isOfAnotherTime(error)) throw error;
        return send();
      })) ?? {}) as Answer;
      return { requestId: answer.$metadata?.requestId ?? '', answer: plain(only(answer, kept)) };
    },
  };
}

/** Refused for the time of its signature, which comes before all else, where the client has AWS's time from the refusal now. */
function isOfAnotherTime(error: unknown): boolean {
  const { $metadata } = error as { readonly $metadata?: { readonly clockSkewCorrected?: boolean } };
  return $metadata?.clockSkewCorrected === true && isAwsError(error, ...refusedTimes);
}

async function clientOf(call: ApiCall, options: ClientOptions): Promise<Sender> {
  switch (call.service) {
    case 'iam':
      return iamClient(call.region, options) as unknown as Sender;
    case 'ec2':
      return (await lateClients.ec2(call.region, options)) as unknown as Sender;
    case 'ssm':
      return (await lateClients.ssm(call.region, options)) as unknown as Sender;
    case 'autoscaling':
      return (await lateClients.autoScaling(call.region, options)) as unknown as Sender;
    case 'elb':
      return (await lateClients.elb(call.region, options)) as unknown as Sender;
    case 'elbv2':
      return (await lateClients.elbv2(call.region, options)) as unknown as Sender;
  }
}

function asSent(input: Input): Input {
  const entries = Object.entries(input).map(([name, value]) =>
    documents.includes(name) && typeof value === 'object' ? [name, JSON.stringify(value)] : [name, value],
  );
  return Object.fromEntries(entries);
}

/** What is kept of an answer, or of an object in it. */
function only(answer: Readonly<Record<string, unknown>>, kept: readonly Kept[]): Record<string, unknown> {
  const entries = kept.flatMap((field): (readonly [string, unknown])[] => {
    if (typeof field === 'string') return answer[field] === undefined ? [] : [[field, answer[field]]];
    const found = answer[field.of];
    const part = (one: unknown) => only(one as Readonly<Record<string, unknown>>, field.fields);
    if (typeof found !== 'object' || found === null) return [];
    return [[field.of, Array.isArray(found) ? found.map(part) : part(found)]];
  });
  return Object.fromEntries(entries);
}

/** Dates as text: what is kept goes into the store and into later calls as JSON. */
function plain(value: Record<string, unknown>): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(value)) as Readonly<Record<string, unknown>>;
}
