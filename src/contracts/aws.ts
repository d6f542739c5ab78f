/** AWS as the units see it. Clients are the SDK's own; constructing them is src/aws's and src/wire.ts's business. */
import type { AccountClient } from '@aws-sdk/client-account';
import type { AthenaClient } from '@aws-sdk/client-athena';
import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import type { ConfigServiceClient } from '@aws-sdk/client-config-service';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { ECSClient } from '@aws-sdk/client-ecs';
import type { ElasticLoadBalancingClient } from '@aws-sdk/client-elastic-load-balancing';
import type { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { GuardDutyClient } from '@aws-sdk/client-guardduty';
import type { IAMClient } from '@aws-sdk/client-iam';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { LightsailClient } from '@aws-sdk/client-lightsail';
import type { OrganizationsClient } from '@aws-sdk/client-organizations';
import type { Route53ResolverClient } from '@aws-sdk/client-route53resolver';
import type { SageMakerClient } from '@aws-sdk/client-sagemaker';
import type { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import type { SESv2Client } from '@aws-sdk/client-sesv2';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { STSClient } from '@aws-sdk/client-sts';
import type { SupportClient } from '@aws-sdk/client-support';

/** Read-only access to one account (audit role, or the base credentials where the account has none). */
export interface AwsReader {
  readonly accountId: string;
  /** aws, aws-cn or aws-us-gov. */
  readonly partition: string;
  readonly iam: Pick<IAMClient, 'send'>;
  ec2(region: string): Pick<EC2Client, 'send'>;
  cloudtrail(region: string): Pick<CloudTrailClient, 'send'>;
  guardduty(region: string): Pick<GuardDutyClient, 'send'>;
  ssm(region: string): Pick<SSMClient, 'send'>;
  autoScaling(region: string): Pick<AutoScalingClient, 'send'>;
  elb(region: string): Pick<ElasticLoadBalancingClient, 'send'>;
  elbv2(region: string): Pick<ElasticLoadBalancingV2Client, 'send'>;
  athena(region: string): Pick<AthenaClient, 'send'>;
  awsConfig(region: string): Pick<ConfigServiceClient, 'send'>;
  ecs(region: string): Pick<ECSClient, 'send'>;
  lambda(region: string): Pick<LambdaClient, 'send'>;
  lightsail(region: string): Pick<LightsailClient, 'send'>;
  route53resolver(region: string): Pick<Route53ResolverClient, 'send'>;
  sagemaker(region: string): Pick<SageMakerClient, 'send'>;
  serviceQuotas(region: string): Pick<ServiceQuotasClient, 'send'>;
  sesv2(region: string): Pick<SESv2Client, 'send'>;
  readonly organizations: Pick<OrganizationsClient, 'send'>;
  readonly sts: Pick<STSClient, 'send'>;
  /** AWS Account Management: contacts. */
  readonly account: Pick<AccountClient, 'send'>;
  /** AWS Support: its one endpoint of the partition. */
  readonly support: Pick<SupportClient, 'send'>;
}

/** Services that Firebreak can write to, by the name that the AWS CLI has for them. */
export const writtenServices = ['iam', 'ec2', 'ssm', 'autoscaling', 'elb', 'elbv2'] as const;
export type WrittenService = (typeof writtenServices)[number];

/**
 * An API call as data: what the approval shows, hashes and runs. `input` is the SDK's input, plain JSON, in which a `Blank`
 * may stand for what is known only when the call is made. A policy document may stand as an object; it is sent as JSON text.
 */
export interface ApiCall {
  readonly service: WrittenService;
  readonly operation: string;
  readonly region: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Set: when AWS refuses this call the next ones are made all the same, and the plan ends as partial. */
  readonly goesOn?: true;
}

/**
 * Stands in a call for a value that is known only when it runs. The hash covers the blank, so what may be filled in is
 * approved too. Only objects are blanks: text from outside can never become one.
 */
export type Blank =
  /** The time of sending and so many seconds, ISO 8601 UTC without fractions, as IAM conditions take it. */
  | { readonly $fill: 'time'; readonly plusSeconds: number }
  /** The approval's or the case's id, for tags and names. */
  | { readonly $fill: 'approvalId' | 'caseId' }
  /** A field of what AWS answered to an earlier call of the plan (index from 0). */
  | { readonly $fill: 'answer'; readonly call: number; readonly field: string }
  /** The same where AWS answered a list: `take` of the only entry whose `where` is `is`. */
  | {
      readonly $fill: 'answer';
      readonly call: number;
      readonly field: string;
      readonly entry: { readonly where: string; readonly is: string; readonly take: string };
    };

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly {
    readonly Sid?: string;
    readonly Effect: 'Allow' | 'Deny';
    readonly Action: readonly string[];
    readonly Resource: string | readonly string[];
    readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
  }[];
}

/** Write access for one approved plan: the responder role under a session policy of that plan only, 15 minutes. */
export interface AwsResponder extends AwsReader {
  /**
   * Sends one call of the plan, its blanks filled. Returns AWS's request id, which joins the audit with CloudTrail, and the
   * fields of the answer that later calls or the card need. Throws the SDK's errors, and Error for a call that is not listed.
   */
  write(call: ApiCall): Promise<{ requestId: string; answer: Readonly<Record<string, unknown>> }>;
}

export interface ResponderRequest {
  readonly accountId: string;
  readonly policy: PolicyDocument;
  readonly caseId: string;
  readonly approvalId: string;
  readonly planHash: string;
  readonly requester: string;
  readonly approver: string;
}

export interface AwsReach {
  /** Accounts that can be read: those of the config, else the base credentials' own. Throws UpstreamError. */
  accounts(): Promise<readonly string[]>;
  /** Enabled Regions of an account: config, else account:ListRegions, else ec2:DescribeRegions. */
  regions(accountId: string): Promise<readonly string[]>;
  reader(accountId: string): Promise<AwsReader>;
  /** Who this process itself is: its ARN and access key id, which are never contained. Throws UpstreamError. */
  self(): Promise<readonly string[]>;
  /** The executor's only way to write. Throws UserError where the account has no responder role. */
  responder(request: ResponderRequest): Promise<AwsResponder>;
}
