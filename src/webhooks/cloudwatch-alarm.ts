/** CloudWatch alarms: EventBridge's form, the SNS body, and what an alarm hands to a function (DOMAIN.md 2.10). */
import { z } from 'zod';
import { parseArnStrict } from '../domain/arn.ts';
import { isRecord } from './clean-json.ts';
import { instantOf } from './instant.ts';
import { type Envelope, factsOf, given, type JsonObject, malformed, type Reading, received } from './parsed-alert.ts';
import { block, list, text } from './tolerant.ts';

const Metric = z.looseObject({
  namespace: text,
  name: text,
  dimensions: z.record(z.string(), text).optional().catch(undefined),
});
const State = block({ value: text, reason: text, timestamp: text });
const EventDetail = z.looseObject({
  alarmName: text,
  state: State,
  previousState: State,
  configuration: block({
    description: text,
    metrics: list(z.looseObject({ metricStat: block({ metric: Metric.optional().catch(undefined) }) })),
    alarmRule: text,
  }),
});
const SnsBody = z.looseObject({
  AlarmName: text,
  AlarmDescription: text,
  AWSAccountId: text,
  NewStateValue: text,
  OldStateValue: text,
  NewStateReason: text,
  StateChangeTime: text,
  AlarmArn: text,
  AlarmRule: text,
  Trigger: block({
    Namespace: text,
    MetricName: text,
    Dimensions: list(z.looseObject({ name: text, value: text })),
  }),
});

/** CloudWatch gives none; an alarm that fires is worth a look, and no more is known. */
const severity = 5;

interface Alarm {
  readonly name: string | undefined;
  readonly arn: string | undefined;
  readonly account: string | undefined;
  readonly region: string | undefined;
  readonly state: string | undefined;
  readonly before: string | undefined;
  readonly reason: string | undefined;
  readonly at: string | undefined;
  readonly description: string | undefined;
  readonly metric: string | undefined;
  readonly rule: string | undefined;
  readonly dimensions: readonly (readonly [string, string | undefined])[];
}

function read(alarm: Alarm, content: JsonObject): Reading {
  const { name, arn, state, reason, at, dimensions } = alarm;
  if (name === undefined) return malformed('the name of the alarm is missing');
  if (state === undefined) return malformed('the state of the alarm is missing');
  const parts = arn === undefined ? undefined : parseArnStrict(arn);
  const accountId = alarm.account ?? parts?.accountId;
  // The SNS body names the Region in words, so the ARN's counts.
  const region = parts?.region || alarm.region;
  const resourceIds = dimensions.flatMap(([, value]) => value ?? []);
  const instance = dimensions.find(([key]) => key === 'InstanceId')?.[1];
  return {
    ok: true,
    alerts: [
      received(
        {
          source: 'cloudwatch',
          key: [arn ?? JSON.stringify([accountId, region, name])],
          findingId: arn ?? name,
          type: state,
          title: name,
          description: alarm.description ?? '',
          severity,
          updatedAt: at,
          ...given({ findingArn: arn, accountId, region, lastSeen: at, partition: parts?.partition }),
          resource: { type: 'Alarm', id: name },
          resourceIds: [...new Set(instance === undefined ? resourceIds : [instance, ...resourceIds])],
          resolved: state === 'OK',
          facts: factsOf({
            State: alarm.before === undefined ? state : `${state}, before ${alarm.before}`,
            Reason: reason,
            Metric: alarm.metric,
            'Measured at': dimensions.map(([key, value]) => `${key}=${value ?? ''}`).join(', '),
            Rule: alarm.rule,
            Meaning: alarm.description,
          }),
          notes: ['CloudWatch gives no severity: medium is assumed'],
        },
        content,
      ),
    ],
  };
}

function fromDetail(found: JsonObject, place: Pick<Alarm, 'arn' | 'account' | 'region' | 'at'>): Reading {
  const detail = EventDetail.parse(found);
  const metric = detail.configuration?.metrics.find((it) => it.metricStat?.metric !== undefined)?.metricStat?.metric;
  return read(
    {
      ...place,
      name: detail.alarmName,
      state: detail.state?.value,
      before: detail.previousState?.value,
      reason: detail.state?.reason,
      at: instantOf(detail.state?.timestamp) ?? place.at,
      description: detail.configuration?.description,
      metric: [metric?.namespace, metric?.name].filter((part) => part !== undefined).join(' ') || undefined,
      rule: detail.configuration?.alarmRule,
      dimensions: Object.entries(metric?.dimensions ?? {}),
    },
    found,
  );
}

/** `CloudWatch Alarm State Change`. */
export function readAlarmEvent({ detail, account, region, time, resources }: Envelope): Reading {
  const arn = resources.find((one) => parseArnStrict(one)?.service === 'cloudwatch');
  return fromDetail(detail, { arn, account, region, at: instantOf(time) });
}

/** `{alarmArn, accountId, alarmData: {...}}`: what an alarm gives to a Lambda function. */
export function readAlarmAction(body: JsonObject): Reading {
  const words = (value: unknown) => (typeof value === 'string' ? value : undefined);
  if (!isRecord(body.alarmData)) return malformed('`alarmData` is missing or not an object');
  return fromDetail(body.alarmData, {
    arn: words(body.alarmArn),
    account: words(body.accountId),
    region: words(body.region),
    at: instantOf(words(body.time)),
  });
}

/** The `Message` of an alarm that notifies an SNS topic. */
export function readAlarmMessage(body: JsonObject): Reading {
  const said = SnsBody.parse(body);
  const metric = [said.Trigger?.Namespace, said.Trigger?.MetricName].filter((part) => part !== undefined).join(' ');
  return read(
    {
      name: said.AlarmName,
      arn: said.AlarmArn,
      account: said.AWSAccountId,
      region: undefined,
      state: said.NewStateValue,
      before: said.OldStateValue,
      reason: said.NewStateReason,
      at: instantOf(said.StateChangeTime),
      description: said.AlarmDescription,
      metric: metric || undefined,
      rule: said.AlarmRule,
      dimensions: (said.Trigger?.Dimensions ?? []).map((it) => [it.name ?? '', it.value] as const),
    },
    body,
  );
}
