/**
 * The write side. The only place that sends a changing call to AWS is `write` below, under a role session that one
 * approved plan has for itself (safety rules 1 and 4; DOMAIN.md 9.1).
 */
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import type { AwsResponder, ResponderRequest } from '../contracts/aws.ts';
import { UpstreamError } from '../contracts/errors.ts';
import { globalRegion, partitionOfRegion } from '../domain/partition.ts';
import { responderSessionName, sessionName } from '../domain/unknown-session.ts';
import { partitionOfRole, stsClient } from './clients.ts';
import { reader } from './reader.ts';
import { writeOf } from './writes.ts';

/** Assumes the responder role for one plan: 15 minutes, session policy, source identity and tags. Throws the SDK's errors. */
export async function assumeResponder(
  roleArn: string,
  externalId: string | undefined,
  request: ResponderRequest,
  region: string,
): Promise<AwsResponder> {
  const partition = partitionOfRole(roleArn);
  const stsRegion = partitionOfRegion(region) === partition ? region : globalRegion(partition);
  const answer = await stsClient(stsRegion, { credentials: undefined, maxAttempts: 3 }).send(
    new AssumeRoleCommand({
      RoleArn: roleArn,
      RoleSessionName: responderSessionName({ caseId: request.caseId, id: request.approvalId }),
      SourceIdentity: sessionName(`ir-${request.approver}`),
      DurationSeconds: 900,
      Policy: JSON.stringify(request.policy),
      Tags: [
        { Key: 'ir-case', Value: tagValue(request.caseId) },
        { Key: 'ir-plan', Value: tagValue(request.planHash) },
        { Key: 'ir-requester', Value: tagValue(request.requester) },
        { Key: 'ir-approver', Value: tagValue(request.approver) },
      ],
      ...(externalId === undefined ? {} : { ExternalId: externalId }),
    }),
  );
  const keys = answer.Credentials;
  if (!keys?.AccessKeyId || !keys.SecretAccessKey || !keys.SessionToken) {
    throw new UpstreamError('aws', 'NotAws', `assuming ${roleArn} gave no credentials`, { retryable: true });
  }
  const credentials = {
    accessKeyId: keys.AccessKeyId,
    secretAccessKey: keys.SecretAccessKey,
    sessionToken: keys.SessionToken,
  };
  return {
    ...reader(request.accountId, partition, credentials),
    // Sent once, and judged by reading back.
    write: async (call) => writeOf(call).send({ credentials, maxAttempts: 1 }),
  };
}

/** Tag values take up to 256 letters, digits, spaces and `_.:/=+-@`. */
function tagValue(text: string): string {
  return text.replace(/[^\p{L}\p{N}\s_.:/=+\-@]/gu, '-').slice(0, 256);
}
