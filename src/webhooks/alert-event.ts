/**
 * The one entry for events from outside, whatever door they came by: EventBridge, SNS, SQS, a poll or `/webhooks/alert`.
 * Doors decode bytes and take off their own envelope (an SNS or SQS message); what an event means is decided here.
 */
import type { AlertMapping } from '../domain/alert-mapping.ts';
import { parseArnStrict } from '../domain/arn.ts';
import { withoutCommandSecrets } from '../domain/command-line.ts';
import { cleanJson as withoutSecrets } from '../domain/record-clean.ts';
import { redactText } from '../domain/redaction.ts';
import { cleanJson, deepestNesting, isRecord, type Json } from './clean-json.ts';
import { isBudgetText, readBudget } from './cost.ts';
import { readEnvelope } from './event-kinds.ts';
import { isBareFinding, type ParsedGuardDuty, parseBareFinding, parseGuardDuty } from './guardduty.ts';
import { isMeant, readMapped, readText } from './other-alert.ts';
import {
  ignored,
  type JsonObject,
  malformed,
  type ParsedAlert,
  type Reading,
  type ReceivedAlert,
} from './parsed-alert.ts';
import { readByShape } from './shapes.ts';

export type { ParsedAlert } from './parsed-alert.ts';

export interface AlertEventOptions {
  /**
   * `eventbridge`: an envelope and nothing else. `known` (the default): also the bodies that AWS sends without one.
   * `anything`: what is of no known kind is read by guesses, so that nothing is turned away (SNS, `/webhooks/alert`).
   */
  readonly accept?: 'eventbridge' | 'known' | 'anything' | undefined;
  /** The config's `mappings`; one that is meant goes before every guess, and before no known kind. */
  readonly mappings?: readonly AlertMapping[] | undefined;
  /** SNS `Subject`: the headline of messages that are plain text. */
  readonly subject?: string | undefined;
  /** SNS `TopicArn`: gives the Region where a message names none. */
  readonly topicArn?: string | undefined;
  /** When the event was sent or came in, ISO 8601 UTC: stands in where the event itself says nothing. */
  readonly at?: string | undefined;
}

/** More entries than AWS puts into one event. */
const longestList = 100;

/**
 * Reads one event: a parsed JSON value (an EventBridge envelope, a bare GuardDuty finding as GetFindings gives it, the
 * parsed `Message` of SNS, a list of these), or a string where a message is text. Pure; never throws.
 */
export function parseAlertEvent(value: unknown, options: AlertEventOptions = {}): ParsedAlert {
  const parsed = typeof value === 'string' ? parseText(value, options) : parseJson(value, options);
  return parsed.ok ? { ...parsed, alerts: parsed.alerts.map((one) => dated(one, options.at)) } : parsed;
}

/** An alert that says nothing of its time happened when it was sent: else no later version could ever count as newer. */
function dated(one: ReceivedAlert, at: string | undefined): ReceivedAlert {
  return at === undefined || one.alert.updatedAt !== new Date(0).toISOString()
    ? one
    : { ...one, alert: { ...one.alert, updatedAt: at } };
}

function parseText(message: string, options: AlertEventOptions): ParsedAlert {
  const { accept = 'known', subject, topicArn } = options;
  if (accept === 'eventbridge') return malformed('the body is not a JSON object');
  if (message.trim() === '') return malformed('the message is empty');
  const region = topicArn === undefined ? undefined : parseArnStrict(topicArn)?.region;
  const storable = String(cleanJson(message));
  const raw = redactText(storable);
  if (isBudgetText(storable)) {
    const reading = readBudget(storable, { region });
    if (reading.ok) return { ...reading, raw };
  }
  if (accept !== 'anything') return malformed('a text that is of no known kind');
  return { ok: true, alerts: [readText(storable, subject, region)], raw };
}

function parseJson(value: unknown, options: AlertEventOptions): ParsedAlert {
  const { accept = 'known' } = options;
  const storable = cleanJson(value);
  if (storable === undefined) return malformed(`the body is nested deeper than ${deepestNesting}`);
  if (Array.isArray(storable) && accept !== 'eventbridge') return parseList(storable, options);
  if (!isRecord(storable)) return malformed('the body is not a JSON object');
  const records = accept === 'eventbridge' ? undefined : recordsIn(storable);
  if (records !== undefined) return parseList(records, options);
  // Secrets go before anything is read, so that they reach neither the alert nor the store.
  const raw = withoutCommandSecrets(withoutSecrets({ ...storable }) as JsonObject) as JsonObject;
  if (raw.source === 'aws.guardduty' && raw['detail-type'] === 'GuardDuty Finding')
    return fromGuardDuty(parseGuardDuty(raw));
  if (accept !== 'eventbridge' && isBareFinding(raw)) return fromGuardDuty(parseBareFinding(raw));
  const reading = readObject(raw, options);
  return reading.ok ? { ...reading, raw } : reading;
}

/** A file of CloudTrail, as it lies in the bucket: each record counts by itself. */
function recordsIn({ Records: records }: JsonObject): readonly Json[] | undefined {
  if (!Array.isArray(records) || records.length === 0) return undefined;
  const isRecordOfCall = (one: Json) =>
    isRecord(one) && typeof one.eventVersion === 'string' && typeof one.eventID === 'string' && 'eventTime' in one;
  return records.every(isRecordOfCall) && !records.some((one) => isRecord(one) && isOfAService(one))
    ? records
    : undefined;
}

/** S3 and SQS notifications look much like records. */
function isOfAService({ eventSource }: JsonObject): boolean {
  return typeof eventSource === 'string' && eventSource.startsWith('aws:');
}

function fromGuardDuty(parsed: ParsedGuardDuty): ParsedAlert {
  if (!parsed.ok) return parsed;
  const { alerts, deliveryKey, raw } = parsed;
  return { ok: true, alerts: alerts.map((alert) => ({ alert, deliveryKey })), raw };
}

/** Each entry by itself; refused only where no entry is an alert. */
function parseList(items: readonly Json[], options: AlertEventOptions): ParsedAlert {
  if (items.length === 0) return malformed('the list is empty');
  if (items.length > longestList) return malformed(`more than ${longestList} entries: send them one by one`);
  const parsed = items.map((item) => (typeof item === 'string' ? parseText(item, options) : parseJson(item, options)));
  const taken = parsed.flatMap((one) => (one.ok ? [one] : []));
  const refused = parsed.find((one) => !one.ok);
  if (taken.length === 0) return refused ?? malformed('the list holds no alert');
  const left = parsed.length - taken.length;
  const broken = parsed.flatMap((one) => (!one.ok && one.status === 'malformed' ? [one.reason] : []));
  const note = `${left} further entries of the same body were not taken`;
  // Each with the event that it came in: what is heard of one is not said of another.
  const alerts = taken.flatMap((one) => one.alerts.map((alert) => ({ raw: one.raw, ...alert })));
  return {
    ok: true,
    alerts:
      left === 0
        ? alerts
        : alerts.map((one) => ({ ...one, alert: { ...one.alert, notes: [...one.alert.notes, note] } })),
    raw: taken.map((one) => one.raw),
    ...(broken.length === 0 ? {} : { unread: `${broken.length} of ${parsed.length} entries: ${broken[0]}` }),
  };
}

function readObject(body: JsonObject, options: AlertEventOptions): Reading {
  const { accept = 'known', mappings = [] } = options;
  const { source, 'detail-type': detailType } = body;
  const hasEnvelope = typeof source === 'string' && typeof detailType === 'string';
  if (accept === 'eventbridge' && !hasEnvelope) {
    return malformed(
      `not an EventBridge event: \`${typeof source === 'string' ? 'detail-type' : 'source'}\` is missing`,
    );
  }
  const known = hasEnvelope ? readEnvelope(source, detailType, body) : readByShape(body);
  if (known !== undefined && (known.ok || known.status === 'malformed')) return known;
  const mapping = mappings.find((one) => one.when !== undefined && isMeant(one, body)) ?? undefined;
  if (mapping !== undefined) return { ok: true, alerts: [readMapped(body, mapping)] };
  if (known !== undefined) return known;
  if (hasEnvelope && accept !== 'anything') {
    // Anybody who may put events on a bus can forge everything but a source that begins with `aws.`.
    return ignored('an event of a source and detail-type that is not read here; a mapping in the config can say how');
  }
  const fallback = mappings.find((one) => one.when === undefined);
  if (accept === 'anything' || fallback !== undefined) return { ok: true, alerts: [readMapped(body, fallback)] };
  return malformed('a body of no known kind; a mapping in the config can say how to read it');
}
