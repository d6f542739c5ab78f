/** What SNS and SQS carry: JSON or plain text, in an envelope of SNS or without one (DOMAIN.md 2.7, 2.9). */
import type { ReadBody, ReadMessage } from '../contracts/intake.ts';
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

/** The alerts in the `Message` of a verified SNS message: what is of no known kind is read by guesses, and not lost. */
export function readSnsMessage(message: string, options: Omit<AlertEventOptions, 'accept'>): ReadMessage {
  return parseAlertEvent(jsonOrText(message), { ...options, accept: 'anything' });
}

interface Envelope {
  readonly Type: string;
  readonly Message: string;
  readonly TopicArn: string;
  readonly Subject?: unknown;
  readonly Timestamp?: unknown;
}

function isEnvelope(value: unknown): value is Envelope {
  if (typeof value !== 'object' || value === null) return false;
  const { Type, Message, TopicArn, MessageId } = value as Record<string, unknown>;
  return [Type, Message, TopicArn, MessageId].every((field) => typeof field === 'string');
}

/**
 * Returns the reader of SQS bodies: an event as EventBridge puts it there, an SNS envelope round one, or what SNS delivers
 * raw. The queue's policy says who may send, so the envelope's signature is not asked for.
 */
export function queueBodyReader(options: Pick<AlertEventOptions, 'mappings'>): ReadBody {
  return (body) => {
    const value = jsonOrText(body);
    if (!isEnvelope(value)) return parseAlertEvent(value, options);
    if (value.Type !== 'Notification') {
      const reason = 'SNS asks to confirm a subscription of this queue: do it in SNS, Firebreak does not';
      return { ok: false, status: 'malformed', reason };
    }
    const { Subject, Timestamp } = value;
    const subject = typeof Subject === 'string' ? Subject : undefined;
    return readSnsMessage(value.Message, { ...options, subject, topicArn: value.TopicArn, at: instantIn(Timestamp) });
  };
}

/** ISO 8601 UTC; undefined where it is no instant. */
export function instantIn(timestamp: unknown): string | undefined {
  const at = new Date(typeof timestamp === 'string' ? timestamp : Number.NaN);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}
