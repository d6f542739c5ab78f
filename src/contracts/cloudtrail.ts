/**
 * A CloudTrail record after the door. Field names are AWS's own
 * (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html).
 * Session tokens and secrets are gone (safety rule 8). Unknown fields are kept.
 */
export interface UserIdentity {
  readonly type?: string;
  readonly principalId?: string;
  readonly arn?: string;
  readonly accountId?: string;
  readonly accessKeyId?: string;
  readonly userName?: string;
  readonly invokedBy?: string;
  readonly identityProvider?: string;
  readonly credentialId?: string;
  readonly onBehalfOf?: { readonly userId?: string; readonly identityStoreArn?: string };
  readonly sessionContext?: {
    readonly attributes?: {
      readonly creationDate?: string;
      readonly mfaAuthenticated?: string;
      readonly assumedRoot?: string;
    };
    readonly sessionIssuer?: {
      readonly type?: string;
      readonly principalId?: string;
      readonly arn?: string;
      readonly accountId?: string;
      readonly userName?: string;
    };
    readonly sourceIdentity?: string;
    readonly ec2RoleDelivery?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

export interface CloudTrailRecord {
  /** May repeat between different events (test data, copies): never a key on its own. */
  readonly eventID: string;
  /** ISO 8601 UTC, `2026-11-20T22:00:00Z`. */
  readonly eventTime: string;
  readonly eventName: string;
  readonly eventSource: string;
  readonly awsRegion: string;
  /** As the record has it: an address, a service name, `AWS Internal`, or "" where missing. */
  readonly sourceIPAddress: string;
  readonly userAgent: string;
  readonly userIdentity: UserIdentity;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly requestParameters?: Readonly<Record<string, unknown>>;
  readonly responseElements?: Readonly<Record<string, unknown>>;
  readonly additionalEventData?: Readonly<Record<string, unknown>>;
  readonly serviceEventDetails?: Readonly<Record<string, unknown>>;
  readonly resources?: readonly { readonly ARN?: string; readonly accountId?: string; readonly type?: string }[];
  readonly recipientAccountId?: string;
  readonly sharedEventID?: string;
  readonly readOnly?: boolean;
  readonly eventType?: string;
  readonly vpcEndpointId?: string;
  readonly [field: string]: unknown;
}
