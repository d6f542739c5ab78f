/** SDK clients: one shape of time-outs and retries, Regions always explicit, endpoints by the SDK's own AWS_ENDPOINT_URL variables. */
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { IAMClient } from '@aws-sdk/client-iam';
import { STSClient } from '@aws-sdk/client-sts';
import { UserError } from '../contracts/errors.ts';
import { withWholeAnswers } from './whole-answers.ts';

/** Undefined: the SDK's default chain. */
export type Credentials = NonNullable<ConstructorParameters<typeof IAMClient>[0]>['credentials'] | undefined;

/** A read may be asked again; LookupEvents is paced by its caller. */
export const readAttempts = 4;

export interface ClientOptions {
  readonly credentials: Credentials;
  /** Retries of a read are safe; a write is sent once and judged by reading back. */
  readonly maxAttempts: number;
}

/**
 * The handler's settings: how long an answer may take to begin, and how long it may then say nothing, ms. Without the second a body
 * that never ends is waited for for ever.
 */
export function patience(ms: number) {
  return { connectionTimeout: 3_000, requestTimeout: ms, socketTimeout: ms, throwOnRequestTimeout: true };
}

function common(region: string, options: ClientOptions) {
  return {
    region,
    maxAttempts: options.maxAttempts,
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    requestHandler: patience(10_000),
  };
}

export function stsClient(region: string, options: ClientOptions): STSClient {
  return withWholeAnswers(new STSClient(common(region, options)));
}

export function iamClient(region: string, options: ClientOptions): IAMClient {
  return withWholeAnswers(new IAMClient(common(region, options)));
}

export function cloudTrailClient(region: string, options: ClientOptions): CloudTrailClient {
  return withWholeAnswers(new CloudTrailClient(common(region, options)));
}

/** The clients that few processes need: each is loaded when it is first used. */
export const lateClients = {
  async ec2(region: string, options: ClientOptions) {
    const { EC2Client } = await import('@aws-sdk/client-ec2');
    return withWholeAnswers(new EC2Client(common(region, options)));
  },
  async guardduty(region: string, options: ClientOptions) {
    const { GuardDutyClient } = await import('@aws-sdk/client-guardduty');
    return withWholeAnswers(new GuardDutyClient(common(region, options)));
  },
  async ssm(region: string, options: ClientOptions) {
    const { SSMClient } = await import('@aws-sdk/client-ssm');
    return withWholeAnswers(new SSMClient(common(region, options)));
  },
  async autoScaling(region: string, options: ClientOptions) {
    const { AutoScalingClient } = await import('@aws-sdk/client-auto-scaling');
    return withWholeAnswers(new AutoScalingClient(common(region, options)));
  },
  async elb(region: string, options: ClientOptions) {
    const { ElasticLoadBalancingClient } = await import('@aws-sdk/client-elastic-load-balancing');
    return withWholeAnswers(new ElasticLoadBalancingClient(common(region, options)));
  },
  async elbv2(region: string, options: ClientOptions) {
    const { ElasticLoadBalancingV2Client } = await import('@aws-sdk/client-elastic-load-balancing-v2');
    return withWholeAnswers(new ElasticLoadBalancingV2Client(common(region, options)));
  },
  async athena(region: string, options: ClientOptions) {
    const { AthenaClient } = await import('@aws-sdk/client-athena');
    return withWholeAnswers(new AthenaClient(common(region, options)));
  },
  async awsConfig(region: string, options: ClientOptions) {
    const { ConfigServiceClient } = await import('@aws-sdk/client-config-service');
    return withWholeAnswers(new ConfigServiceClient(common(region, options)));
  },
  async organizations(region: string, options: ClientOptions) {
    const { OrganizationsClient } = await import('@aws-sdk/client-organizations');
    return withWholeAnswers(new OrganizationsClient(common(region, options)));
  },
  async ecs(region: string, options: ClientOptions) {
    const { ECSClient } = await import('@aws-sdk/client-ecs');
    return withWholeAnswers(new ECSClient(common(region, options)));
  },
  async lambda(region: string, options: ClientOptions) {
    const { LambdaClient } = await import('@aws-sdk/client-lambda');
    return withWholeAnswers(new LambdaClient(common(region, options)));
  },
  async lightsail(region: string, options: ClientOptions) {
    const { LightsailClient } = await import('@aws-sdk/client-lightsail');
    return withWholeAnswers(new LightsailClient(common(region, options)));
  },
  async route53resolver(region: string, options: ClientOptions) {
    const { Route53ResolverClient } = await import('@aws-sdk/client-route53resolver');
    return withWholeAnswers(new Route53ResolverClient(common(region, options)));
  },
  async sagemaker(region: string, options: ClientOptions) {
    const { SageMakerClient } = await import('@aws-sdk/client-sagemaker');
    return withWholeAnswers(new SageMakerClient(common(region, options)));
  },
  async serviceQuotas(region: string, options: ClientOptions) {
    const { ServiceQuotasClient } = await import('@aws-sdk/client-service-quotas');
    return withWholeAnswers(new ServiceQuotasClient(common(region, options)));
  },
  async sesv2(region: string, options: ClientOptions) {
    const { SESv2Client } = await import('@aws-sdk/client-sesv2');
    return withWholeAnswers(new SESv2Client(common(region, options)));
  },
  async support(region: string, options: ClientOptions) {
    const { SupportClient } = await import('@aws-sdk/client-support');
    return withWholeAnswers(new SupportClient(common(region, options)));
  },
  account: accountClient,
} as const;

export async function accountClient(region: string, options: ClientOptions) {
  const { AccountClient } = await import('@aws-sdk/client-account');
  return withWholeAnswers(new AccountClient(common(region, options)));
}

/** Throws UserError when a role ARN of the config is none. */
export function partitionOfRole(roleArn: string): string {
  const partition = /^arn:(aws[a-z-]*):iam::\d{12}:role\/.+$/.exec(roleArn)?.[1];
  if (partition === undefined) throw new UserError(`${roleArn} is not the ARN of a role`);
  return partition;
}
