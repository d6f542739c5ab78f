/** Bodies without an EventBridge envelope, told by their shape: SNS messages, bare findings and records (DOMAIN.md 2.10). */
import { readCompliance } from './account-state.ts';
import { isAsff } from './asff.ts';
import { isRecord } from './clean-json.ts';
import { readCloudTrail } from './cloudtrail-event.ts';
import { readAlarmAction, readAlarmMessage } from './cloudwatch-alarm.ts';
import { readCostAnomaly } from './cost.ts';
import { ignored, type JsonObject, malformed, type Reading } from './parsed-alert.ts';
import { readSecurityHub } from './security-hub.ts';
import { isOcsf, readOcsfFindings } from './security-hub-ocsf.ts';

function has(body: JsonObject, ...names: readonly string[]): boolean {
  return names.every((name) => typeof body[name] === 'string' && body[name] !== '');
}

/** What is sent to functions and is no alert; each answer says what came. */
function refusalOf(body: JsonObject): Reading | undefined {
  if (has(body, 'Type', 'MessageId', 'TopicArn')) return malformed('an SNS message: it goes to /webhooks/sns');
  const [first] = Array.isArray(body.Records) ? body.Records : [];
  if (isRecord(first)) {
    if (first.eventSource === 'aws:s3') return ignored('a notification about objects in S3 is no alert');
    if (isRecord(first.Sns)) return ignored("a function's SNS event: subscribe /webhooks/sns to the topic instead");
    if ('messageAttributes' in first) return ignored("a function's SQS event: name the queue in the config instead");
  }
  if (body.Event === 's3:TestEvent') return ignored('the test of a notification of S3 is no alert');
  if (isRecord(body.awslogs)) return ignored('a batch of CloudWatch log lines is no alert');
  if ('invokingEvent' in body) return ignored('an invocation of the function of a Config rule is no alert');
  if ('deliveryStreamArn' in body) return ignored('a batch of Firehose records is no alert');
  if ('widgetContext' in body) return ignored('the request of a CloudWatch dashboard is no alert');
  if (isRecord(body.getObjectContext)) return ignored('a request of S3 Object Lambda is no alert');
  return undefined;
}

/** Undefined for a body that is of no known shape. */
export function readByShape(body: JsonObject): Reading | undefined {
  const refusal = refusalOf(body);
  if (refusal !== undefined) return refusal;
  if (isAsff(body)) return readSecurityHub([body]);
  if (Array.isArray(body.Findings)) return readSecurityHub(body.Findings);
  if (isOcsf(body)) return readOcsfFindings([body]);
  if (has(body, 'AlarmName', 'NewStateValue')) return readAlarmMessage(body);
  if (isRecord(body.alarmData)) return readAlarmAction(body);
  if (has(body, 'anomalyId') && ('impact' in body || 'rootCauses' in body)) return readCostAnomaly(body);
  if (has(body, 'configRuleName') && 'newEvaluationResult' in body) return readCompliance(body);
  if (has(body, 'eventName', 'eventSource') && ('eventVersion' in body || 'userIdentity' in body)) {
    return readCloudTrail(body);
  }
  return undefined;
}
