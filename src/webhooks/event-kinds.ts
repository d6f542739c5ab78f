/** EventBridge's events by source and detail-type (DOMAIN.md 2.7 to 2.10). */
import { readCompliance, readInstanceState } from './account-state.ts';
import { isRecord, type Json } from './clean-json.ts';
import { readCloudTrail } from './cloudtrail-event.ts';
import { readAlarmEvent } from './cloudwatch-alarm.ts';
import { readCostAnomaly } from './cost.ts';
import { readHealth } from './health.ts';
import { readMalwareScan } from './malware-scan.ts';
import { type Envelope, ignored, type JsonObject, malformed, type Reading } from './parsed-alert.ts';
import { readSecurityHub } from './security-hub.ts';
import { readOcsfFindings } from './security-hub-ocsf.ts';

type Reader = (envelope: Envelope) => Reading;

function words(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

const readers: Readonly<Record<string, Reader>> = {
  'aws.securityhub Security Hub Findings - Imported': ({ detail }) => readSecurityHub(detail.findings),
  'aws.securityhub Security Hub Findings - Custom Action': ({ detail }) =>
    readSecurityHub(detail.findings, words(detail.actionName)),
  'aws.securityhub Security Hub Findings': ({ detail }) => readSecurityHub(detail.findings),
  'aws.securityhub Findings Imported V2': ({ detail }) => readOcsfFindings(detail.findings),
  'aws.guardduty GuardDuty Malware Protection Object Scan Result': readMalwareScan,
  'aws.health AWS Health Event': readHealth,
  'aws.health AWS Health Abuse Event': readHealth,
  'aws.cloudwatch CloudWatch Alarm State Change': readAlarmEvent,
  'aws.ce Anomaly Detected': (envelope) => readCostAnomaly(envelope.detail, envelope),
  'aws.config Config Rules Compliance Change': (envelope) => readCompliance(envelope.detail, envelope),
  'aws.ec2 EC2 Instance State-change Notification': readInstanceState,
};

/** Understood, and no alert by themselves: the answer says why. */
const notAlerts: Readonly<Record<string, string>> = {
  'aws.securityhub Security Hub Insight Results':
    'the results of a Security Hub insight are counts without findings; send the findings themselves',
  'aws.events Scheduled Event': 'a scheduled event is no alert',
  'aws.s3 Object Created': 'a notification about objects in S3 is no alert',
  'aws.s3 Object Deleted': 'a notification about objects in S3 is no alert',
  'aws.s3 Object Restore Completed': 'a notification about objects in S3 is no alert',
};

/** Undefined for an event that nothing here reads. */
export function readEnvelope(source: string, detailType: string, body: JsonObject): Reading | undefined {
  const name = `${source} ${detailType}`;
  // What CloudTrail records of a service comes with that service's source.
  const isCloudTrail = source.startsWith('aws.') && / via CloudTrail$/.test(detailType);
  const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
  const reason = Object.hasOwn(notAlerts, name) ? notAlerts[name] : undefined;
  if (reason !== undefined) return ignored(reason);
  if (reader === undefined && !isCloudTrail) return undefined;
  if (!isRecord(body.detail)) return malformed('`detail` is missing or not an object');
  const envelope: Envelope = {
    detailType,
    detail: body.detail,
    account: words(body.account),
    region: words(body.region),
    time: words(body.time),
    resources: Array.isArray(body.resources) ? body.resources.flatMap((one: Json) => words(one) ?? []) : [],
  };
  return reader === undefined ? readCloudTrail(body.detail, envelope) : reader(envelope);
}
