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

/** The clients that few processes need: each is loaded when it is first used. */
export const lateClients = {
  async ec2(region: string, options: ClientOptions) {
    const { EC2Client } = await import('@aws-sdk/client-ec2');
    return new EC2Client(common(region, options));
  },
  async guardduty(region: string, options: ClientOptions) {
    const { GuardDutyClient } = await import('@aws-sdk/client-guardduty');
    return new GuardDutyClient(common(region, options));
  },
  async ssm(region: string, options: ClientOptions) {
    const { SSMClient } = await import('@aws-sdk/client-ssm');
    return new SSMClient(common(region, options));
  },
  async autoScaling(region: string, options: ClientOptions) {
    const { AutoScalingClient } = await import('@aws-sdk/client-auto-scaling');
    return new AutoScalingClient(common(region, options));
  },
  async elb(region: string, options: ClientOptions) {
    const { ElasticLoadBalancingClient } = await import('@aws-sdk/client-elastic-load-balancing');
    return new ElasticLoadBalancingClient(common(region, options));
  },
  async elbv2(region: string, options: ClientOptions) {
    const { ElasticLoadBalancingV2Client } = await import('@aws-sdk/client-elastic-load-balancing-v2');
    return new ElasticLoadBalancingV2Client(common(region, options));
  },
  async athena(region: string, options: ClientOptions) {
    const { AthenaClient } = await import('@aws-sdk/client-athena');
    return new AthenaClient(common(region, options));
  },
  async awsConfig(region: string, options: ClientOptions) {
    const { ConfigServiceClient } = await import('@aws-sdk/client-config-service');
    return new ConfigServiceClient(common(region, options));
  },
  async organizations(region: string, options: ClientOptions) {
    const { OrganizationsClient } = await import('@aws-sdk/client-organizations');
    return new OrganizationsClient(common(region, options));
  },
  async ecs(region: string, options: ClientOptions) {
    const { ECSClient } = await import('@aws-sdk/client-ecs');
    return new ECSClient(common(region, options));
  },
  async lambda(region: string, options: ClientOptions) {
    const { LambdaClient } = await import('@aws-sdk/client-lambda');
    return new LambdaClient(common(region, options));
  },
  async lightsail(region: string, options: ClientOptions) {
    const { LightsailClient } = await import('@aws-sdk/client-lightsail');
    return new LightsailClient(common(region, options));
  },
  async route53resolver(region: string, options: ClientOptions) {
    const { Route53ResolverClient } = await import('@aws-sdk/client-route53resolver');
    return new Route53ResolverClient(common(region, options));
  },
  async sagemaker(region: string, options: ClientOptions) {
    const { SageMakerClient } = await import('@aws-sdk/client-sagemaker');
    return new SageMakerClient(common(region, options));
  },
  async serviceQuotas(region: string, options: ClientOptions) {
    const { ServiceQuotasClient } = await import('@aws-sdk/client-service-quotas');
    return new ServiceQuotasClient(common(region, options));
  },
  async sesv2(region: string, options: ClientOptions) {
    const { SESv2Client } = await import('@aws-sdk/client-sesv2');
    return new SESv2Client(common(region, options));
  },
  async support(region: string, options: ClientOptions) {
    const { SupportClient } = await import('@aws-sdk/client-support');
    return new SupportClient(common(region, options));
  },
  account: accountClient,
} as const;

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
