/** CloudTrail records that an EventBridge rule sends on, and bare ones (DOMAIN.md 2.8). */
import type { Alert, AlertActor } from '../contracts/alert.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { parseIp } from '../domain/address.ts';
import { artifactsIn } from '../domain/artifacts-in-text.ts';
import { parseRecord } from '../domain/record.ts';
import { severityOfCall } from '../domain/watched-calls.ts';
import { cleanJson, type Json } from './clean-json.ts';
import { readInsight } from './insight.ts';
import { instantOf } from './instant.ts';
import { type Envelope, given, type JsonObject, malformed, type Reading, received } from './parsed-alert.ts';

const mostResources = 100;

function actorOf(record: CloudTrailRecord): AlertActor {
  const { arn, userName, type, principalId, accessKeyId, sessionContext, invokedBy } = record.userIdentity;
  // The issuer's fields pass the record's door as they came.
  const named: unknown = sessionContext?.sessionIssuer?.userName;
  const issuer = typeof named === 'string' ? named : undefined;
  return given({
    principalArn: arn,
    userName: userName ?? issuer ?? (arn === undefined ? invokedBy : undefined),
    userType: type,
    principalId,
    accessKeyId,
  });
}

/** The ids in what was asked and answered, but not the actor's own and not the account. */
function resourcesOf(record: CloudTrailRecord): readonly string[] {
  const said = JSON.stringify([record.responseElements, record.resources, record.requestParameters]);
  const { arn, accessKeyId } = record.userIdentity;
  const ids = artifactsIn(said.replaceAll('\\"', ' '))
    .filter(({ kind, id }) => kind !== 'account' && kind !== 'ip' && id !== arn && id !== accessKeyId)
    .map(({ id }) => id)
    .slice(0, mostResources);
  // Of a launch's many ids, the instances are what it is about.
  return [...ids.filter((id) => id.startsWith('i-')), ...ids.filter((id) => !id.startsWith('i-'))];
}

/** Reads the record of an event; `envelope` fills in what an old record lacks. */
export function readCloudTrail(found: JsonObject, envelope?: Envelope): Reading & { record?: Json } {
  const parsed = parseRecord(found);
  if (!parsed.ok) return malformed(`the CloudTrail record is not readable: ${parsed.reason}`);
  const { record } = parsed;
  // Secrets are gone by now; what remains is made storable.
  const content = cleanJson(record) ?? null;
  const accountId = record.recipientAccountId ?? record.userIdentity.accountId ?? envelope?.account;
  const region = record.awsRegion || envelope?.region;
  const ip = parseIp(record.sourceIPAddress);
  const at = instantOf(record.eventTime);
  const insight = readInsight(record, content, { accountId, region, at });
  if (insight !== undefined) return { ok: true, alerts: [insight] };
  const resourceIds = resourcesOf(record);
  const failed = record.errorCode ?? (record.responseElements?.ConsoleLogin === 'Failure' ? 'Failure' : undefined);
  const api: Alert['api'] = {
    name: record.eventName,
    service: record.eventSource,
    ...given({ errorCode: failed, userAgent: record.userAgent || undefined }),
  };
  const alert = received(
    {
      source: 'cloudtrail',
      key: [record.eventID],
      findingId: record.eventID,
      type: record.eventName,
      title: `${record.eventName} on ${record.eventSource}`,
      severity: severityOfCall(record, failed !== undefined),
      updatedAt: at,
      ...given({ accountId, region, firstSeen: at, lastSeen: at }),
      resource: { type: '', ...given({ id: resourceIds[0] }) },
      resourceIds,
      actor: actorOf(record),
      remote: ip === undefined ? [] : [{ ip }],
      api,
      actionType: 'AWS_API_CALL',
      facts: [
        ...(record.userAgent === '' ? [] : [{ label: 'User agent', value: record.userAgent }]),
        ...(ip === undefined && record.sourceIPAddress !== ''
          ? [{ label: 'Called from', value: record.sourceIPAddress }]
          : []),
        ...(record.errorMessage === undefined ? [] : [{ label: 'Error', value: record.errorMessage }]),
      ],
    },
    content,
  );
  return { ok: true, alerts: [alert], record: content };
}
