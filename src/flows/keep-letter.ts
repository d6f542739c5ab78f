/** What was received and could not be taken is kept where somebody can see it, and tried again when somebody says so. */
import { asError, SetupError, UpstreamError, UserError } from '../contracts/errors.ts';
import type { DeadLetter, DeadLetterDoor, ReadBody } from '../contracts/intake.ts';
import type { JobContext } from '../contracts/job.ts';
import { withAgeNote } from '../domain/alert-age.ts';
import { letterWithoutSecrets } from '../domain/letter.ts';
import { type ReceiveDeps, receiveAlert } from './receive-alert.ts';

type Needs = ReceiveDeps;

/** Keeps a message, without the secrets in it. Durable when it returns. */
export async function keepLetter(
  letter: { key: string; door: DeadLetterDoor; from: string; reason: string; body: string },
  { store, clock, log }: Pick<Needs, 'store' | 'clock' | 'log'>,
): Promise<string> {
  const { key, door, from, reason } = letter;
  const id = await store.deadLetters.keep({
    ...{ key, door, from, reason },
    body: letterWithoutSecrets(letter.body),
    at: clock.now().toISOString(),
  });
  log.warn({ deadLetter: id, door, from, reason }, 'a message was not taken and is kept as a dead letter');
  return id;
}

/** True where the same thing would fail in the same way again. */
export function isHopeless(error: unknown): boolean {
  if (error instanceof UserError || error instanceof SetupError) return true;
  return error instanceof UpstreamError ? !error.retryable : true;
}

/** Firebreak's own words on an error: its code, never its text, which may repeat what came. */
export function codeOf(error: unknown): string {
  return error instanceof UpstreamError ? `${error.service}: ${error.code}` : asError(error).name;
}

/** Runs the handling of an alert; where it is given up, the alert becomes a dead letter. Throws what the handling throws. */
export async function orDeadLetter(
  alertId: string,
  ctx: JobContext,
  handling: () => Promise<void>,
  { store, clock, log }: Pick<Needs, 'store' | 'clock' | 'log'>,
): Promise<void> {
  try {
    await handling();
  } catch (error) {
    if (!ctx.last && !(isHopeless(error) && !ctx.signal.aborted)) throw error;
    try {
      await store.deadLetters.keep({
        key: `alert-${alertId}`,
        door: 'alert',
        from: 'handling',
        reason: `the alert is stored, but its card could not be made (${codeOf(error)})`,
        alertId,
        at: clock.now().toISOString(),
      });
    } catch (second) {
      log.error({ alertId, error: asError(second) }, 'a failed alert could not be noted as a dead letter');
    }
    throw error;
  }
}

/** Takes a dead letter once more, as if it came now. Never throws for what is wrong with the letter itself. */
export async function replayLetter(
  letter: DeadLetter,
  deps: Needs & { readonly readBody: ReadBody },
): Promise<{ readonly taken: boolean; readonly says: string }> {
  const { store, queue, clock } = deps;
  const now = clock.now();
  if (letter.alertId !== undefined) {
    await queue.add('alert.received', { alertId: letter.alertId }, { id: `alert-${letter.alertId}` });
    return { taken: true, says: 'queued again; it is settled when its card is there' };
  }
  const read = deps.readBody(letter.body ?? '');
  if (!read.ok && read.status === 'malformed') {
    await store.deadLetters.failedAgain(letter.id, read.reason);
    return { taken: false, says: `still not understood: ${read.reason}` };
  }
  if (!read.ok) {
    const says = `understood, and not for Firebreak: ${read.reason}`;
    await store.deadLetters.settle(letter.id, says, now.toISOString());
    return { taken: true, says };
  }
  for (const { alert, deliveryKey, raw = read.raw } of read.alerts) {
    await receiveAlert({ deliveryKey, alert: withAgeNote(alert, now), raw }, deps);
  }
  if (read.unread) {
    await store.deadLetters.failedAgain(letter.id, read.unread);
    return { taken: false, says: `still not understood: ${read.unread}` };
  }
  await store.deadLetters.settle(letter.id, 'replayed', now.toISOString());
  return { taken: true, says: 'stored and queued' };
}
