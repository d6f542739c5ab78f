/** What SNS and SQS carry: JSON or plain text, in an envelope of SNS or without one (DOMAIN.md 2.7, 2.9). */
import type { ReadMessage } from '../contracts/intake.ts';
import { type AlertEventOptions, parseAlertEvent } from './alert-event.ts';

/** The value of a text that is JSON; the text itself where it is none (Budgets sends words). Never throws. */
export function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    // SyntaxError: no JSON. RangeError: nested beyond what the engine can take; the reader refuses it as text.
    if (thrown instanceof SyntaxError || thrown instanceof RangeError) return text;
    throw thrown;
  }
}

/** The alerts in the `Message` of a verified SNS message. */
export function readSnsMessage(message: string, options: AlertEventOptions): ReadMessage {
  return parseAlertEvent(jsonOrText(message), options);
}

interface Envelope {
  readonly Type: string;
  readonly Message: string;
  readonly TopicArn: string;
  readonly Subject?: unknown;
}

function isEnvelope(value: unknown): value is Envelope {
  if (typeof value !== 'object' || value === null) return false;
  const { Type, Message, TopicArn, MessageId } = value as Record<string, unknown>;
  return [Type, Message, TopicArn, MessageId].every((field) => typeof field === 'string');
}

/**
 * The alerts in the body of an SQS message: an event as EventBridge puts it there, an SNS envelope round one, or what SNS
 * delivers raw. The queue's policy says who may send, so the envelope's signature is not asked for.
 */
export function readQueueBody(body: string): ReadMessage {
  const value = jsonOrText(body);
  if (!isEnvelope(value)) return parseAlertEvent(value);
  if (value.Type !== 'Notification') {
    const reason = 'SNS asks to confirm a subscription of this queue: do it in SNS, Firebreak does not';
    return { ok: false, status: 'malformed', reason };
  }
  const subject = typeof value.Subject === 'string' ? value.Subject : undefined;
  return readSnsMessage(value.Message, { subject, topicArn: value.TopicArn });
}
