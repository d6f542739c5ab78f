/** A person's words -> what is in them -> stored like every other alert -> case and card. */
import { createHash } from 'node:crypto';
import { asError, UserError } from '../contracts/errors.ts';
import { say } from '../domain/phrases.ts';
import { redactText } from '../domain/redaction.ts';
import { alertOfReport, longestReport, type Urgency } from '../domain/report.ts';
import type { WebDeps } from './deps.ts';
import { receiveAlert } from './receive-alert.ts';
import { askingRefusalOf } from './standing.ts';

export interface Reported {
  readonly userId: string;
  readonly text: string;
  readonly urgency?: Urgency | undefined;
}

/**
 * Durable when it returns; gives a sentence for the person who reported. Throws UserError for who may not report, and for
 * words that are none. The same words again bring up the same case.
 */
export async function reportIncident({ userId, text, urgency }: Reported, deps: WebDeps): Promise<string> {
  if (text.trim() === '')
    throw new UserError('There is nothing in the report.', 'Say what you know, or paste the e-mail.');
  if (text.length > longestReport) throw new UserError(`A report takes ${longestReport} characters.`, 'Shorten it.');
  const looked = await askingRefusalOf(userId, deps);
  if (looked.refusal !== undefined) throw new UserError(`You cannot do this: ${looked.refusal}.`);
  const at = deps.clock.now().toISOString();
  const alert = alertOfReport({ text, urgency, reportedBy: userId, at });
  // Who presses twice gets one case; who reports the same words later, or another person who does, is noted in it.
  const sent = createHash('sha256')
    .update(JSON.stringify([alert.dedupeKey, userId, at.slice(0, 16)]))
    .digest('hex');
  const raw = { report: redactText(text), reportedBy: userId };
  await receiveAlert({ deliveryKey: `report-${sent}`, alert, raw }, deps);
  const found = alert.facts?.map(({ label }) => label.toLowerCase()) ?? [];
  return found.length === 0
    ? 'Reported. No ARN, key, address, resource id or account was found in it, so the card has nothing to pivot on.'
    : `Reported. Found in it: ${found.join(', ')}. The card comes into the alert channel.`;
}

/** From the dialog, which says nothing when it closes: the person is told in a message to him alone, as far as Slack allows. */
export async function reportFromDialog(reported: Reported, deps: WebDeps): Promise<void> {
  const sentence = await reportIncident(reported, deps);
  const { userId } = reported;
  // The dialog closes without waiting for it: the report is stored, and the card comes in any case.
  deps.chat
    .tell({ channel: deps.settings.channels.default, userId, message: say(sentence) })
    .catch((error: unknown) => deps.log.warn({ error: asError(error), userId }, 'a reporter could not be told'));
}
