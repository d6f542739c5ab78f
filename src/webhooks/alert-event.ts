/**
 * The one entry for events from outside, whatever door they came by: EventBridge, SNS, SQS, a poll or `/webhooks/alert`.
 * Doors decode bytes and take off their own envelope (an SNS or SQS message); what an event means is decided here.
 */
import type { Alert } from '../contracts/alert.ts';
import type { Json } from './clean-json.ts';
import { parseGuardDuty } from './guardduty.ts';

export interface AlertEventOptions {
  /** SNS `Subject`: the headline of messages that are plain text. */
  readonly subject?: string | undefined;
  /** SNS `TopicArn`: gives partition, Region and account where a message names none. */
  readonly topicArn?: string | undefined;
}

export interface ReceivedAlert {
  readonly alert: Alert;
  /** The same for the same finding in the same state, whatever door and envelope brought it. */
  readonly deliveryKey: string;
}

export type ParsedAlert =
  | {
      readonly ok: true;
      /** At least one. Each is stored on its own with `raw`. */
      readonly alerts: readonly ReceivedAlert[];
      /** What came, safe to store as JSON: dangerous keys and unstorable characters are gone. */
      readonly raw: Json;
    }
  /**
   * ignored: understood, and not for Firebreak (answer 200, delete the message). malformed: answer 400, or a dead letter.
   * `reason` is Firebreak's own words and repeats nothing of what came.
   */
  | { readonly ok: false; readonly status: 'ignored' | 'malformed'; readonly reason: string };

/**
 * Reads one event: a parsed JSON value (an EventBridge envelope, a bare GuardDuty finding as GetFindings gives it, the
 * parsed `Message` of SNS, any other object), or a string where a message is text. Pure; never throws.
 */
export function parseAlertEvent(value: unknown, _options: AlertEventOptions = {}): ParsedAlert {
  const parsed = parseGuardDuty(value);
  if (!parsed.ok) return parsed;
  const { alerts, deliveryKey, raw } = parsed;
  return { ok: true, alerts: alerts.map((alert) => ({ alert, deliveryKey })), raw };
}
