/** Turns a handled call into CloudTrail records: one in the caller's account, one in the role's where that is another. */
import { randomUUID } from 'node:crypto';
import type { AwsError } from './errors.ts';
import type { Principal } from './principal.ts';
import type { Input } from './protocols.ts';
import { lowerCamel, type Outcome, type Service } from './service.ts';
import { identityOf, seconds, type TrailRecord } from './trail.ts';

export interface Handled {
  readonly service: Service;
  readonly operation: string;
  readonly region: string;
  readonly input: Input;
  readonly principal: Principal;
  readonly requestId: string;
  readonly at: Date;
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly outcome: Outcome | AwsError;
}

/** The Region whose Event history holds the record. */
export function recordedRegion(service: Service, region: string): string {
  return service.global ? 'us-east-1' : region;
}

/** The records of one call. Failures have errorCode and errorMessage; reads have no responseElements. */
export function recordsOf(handled: Handled): readonly TrailRecord[] {
  const { service, operation, principal, outcome } = handled;
  const definition = service.operations[operation];
  const failed = outcome instanceof Error;
  const host = service.global ? `${service.name}.amazonaws.com` : `${service.name}.${handled.region}.amazonaws.com`;
  const alsoIn = failed ? undefined : outcome.alsoRecordIn;
  const common = {
    eventVersion: '1.11',
    eventTime: seconds(handled.at),
    eventSource: service.eventSource,
    eventName: operation,
    awsRegion: recordedRegion(service, handled.region),
    sourceIPAddress: handled.sourceIp,
    userAgent: handled.userAgent,
    ...(failed ? { errorCode: outcome.trailCode, errorMessage: outcome.message } : {}),
    requestParameters: definition?.parameters?.(handled.input) ?? lowerCamel(handled.input),
    responseElements: failed ? null : (outcome.responseElements ?? null),
    requestID: handled.requestId,
    readOnly: definition?.readOnly ?? false,
    ...(failed || outcome.resources === undefined ? {} : { resources: outcome.resources }),
    eventType: 'AwsApiCall',
    managementEvent: true,
    eventCategory: 'Management',
    ...(alsoIn === undefined ? {} : { sharedEventID: randomUUID() }),
    tlsDetails: {
      tlsVersion: 'TLSv1.3',
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      clientProvidedHostHeader: host,
    },
  };
  const own: TrailRecord = {
    ...common,
    userIdentity: identityOf(principal),
    eventID: randomUUID(),
    recipientAccountId: principal.account.id,
  };
  if (alsoIn === undefined) return [own];
  const stranger = { type: 'AWSAccount', principalId: principal.principalId, accountId: principal.account.id };
  return [own, { ...common, userIdentity: stranger, eventID: randomUUID(), recipientAccountId: alsoIn }];
}
