/** SDK clients: one shape of time-outs and retries, Regions always explicit, endpoints by the SDK's own AWS_ENDPOINT_URL variables. */
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { IAMClient } from '@aws-sdk/client-iam';
import { STSClient } from '@aws-sdk/client-sts';
import { UserError } from '../contracts/errors.ts';

/** Undefined: the SDK's default chain. */
export type Credentials = NonNullable<ConstructorParameters<typeof IAMClient>[0]>['credentials'] | undefined;

/** A read may be asked again; LookupEvents is paced by its caller. */
export const readAttempts = 4;

export interface ClientOptions {
  readonly credentials: Credentials;
  /** Retries of a read are safe; a write is sent once and judged by reading back. */
  readonly maxAttempts: number;
}

function common(region: string, options: ClientOptions) {
  return {
    region,
    maxAttempts: options.maxAttempts,
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
  };
}

export function stsClient(region: string, options: ClientOptions): STSClient {
  return new STSClient(common(region, options));
}

export function iamClient(region: string, options: ClientOptions): IAMClient {
  return new IAMClient(common(region, options));
}

export function cloudTrailClient(region: string, options: ClientOptions): CloudTrailClient {
  return new CloudTrailClient(common(region, options));
}

/** The EC2 client takes 130 ms and 70 MB to load, so it is loaded when the first instance is looked at. */
export async function ec2Client(region: string, options: ClientOptions) {
  const { EC2Client } = await import('@aws-sdk/client-ec2');
  return new EC2Client(common(region, options));
}

export async function accountClient(region: string, options: ClientOptions) {
  const { AccountClient } = await import('@aws-sdk/client-account');
  return new AccountClient(common(region, options));
}

/** Throws UserError when a role ARN of the config is none. */
export function partitionOfRole(roleArn: string): string {
  const partition = /^arn:(aws[a-z-]*):iam::\d{12}:role\/.+$/.exec(roleArn)?.[1];
  if (partition === undefined) throw new UserError(`${roleArn} is not the ARN of a role`);
  return partition;
}
