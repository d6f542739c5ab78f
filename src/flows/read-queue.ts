/** SQS -> stored -> deleted. A message leaves the queue only when it is in the store: as an alert, or as a dead letter. */
import { asError } from '../contracts/errors.ts';
import type { MessageQueue, QueueMessage, ReadBody } from '../contracts/intake.ts';
import { withAgeNote } from '../domain/alert-age.ts';
import { codeOf, isHopeless, keepLetter } from './keep-letter.ts';
import { type ReceiveDeps, receiveAlert } from './receive-alert.ts';

type Needs = ReceiveDeps & { readonly readBody: ReadBody };

/** A message that fails so often is kept as a dead letter, before the queue's own limit drops it. */
const mostDeliveries = 4;
const longestPauseMs = 60_000;

function pauseMs(failures: number): number {
  return Math.min(1_000 * 2 ** Math.min(failures - 1, 10), longestPauseMs);
}

/** Reads one queue until it is told to stop; what goes wrong is noted, waited for and tried again. Never throws. */
export async function readQueue(source: MessageQueue, deps: Needs, signal: AbortSignal): Promise<void> {
  const { store, clock, log } = deps;
  let waitSeconds = 0;
  for (let failures = 0; !signal.aborted; ) {
    try {
      // What could not be stored is not fetched again and again meanwhile: each fetch counts against the message.
      if (failures > 0) await store.check();
      const taken = await oneRound(source, waitSeconds, deps, signal);
      failures = 0;
      waitSeconds = 20;
      await note(source, { ok: true, taken }, deps);
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      // The next answer comes at once, and says whether it can be read again.
      waitSeconds = 0;
      const because = codeOf(error);
      await note(source, { ok: false, because, taken: 0 }, deps).catch((second: unknown) => {
        log.error({ queue: source.name, error: asError(second) }, 'the state of a queue could not be noted');
      });
      await clock.sleep(pauseMs(failures), signal).catch((ended: unknown) => {
        if (!signal.aborted) throw ended;
      });
    }
  }
}

async function note(
  source: MessageQueue,
  look: { ok: boolean; because?: string; taken: number },
  { store, clock, log }: Needs,
): Promise<void> {
  const at = clock.now().toISOString();
  const { changed } = await store.intake.looked({ name: `queue ${source.name}`, kind: 'queue', ...look, at });
  if (!changed) return;
  if (look.ok) log.info({ queue: source.name }, 'the queue is read');
  else log.error({ queue: source.name, because: look.because }, 'the queue cannot be read now');
}

/** Returns how many new alerts were stored. Throws where a message could not be stored, after the others were deleted. */
async function oneRound(source: MessageQueue, waitSeconds: number, deps: Needs, signal: AbortSignal): Promise<number> {
  const messages = await source.receive(waitSeconds, signal);
  const results = await Promise.allSettled(messages.map((message) => take(source, message, deps)));
  const done = messages.filter((_, index) => results[index]?.status === 'fulfilled');
  if (done.length > 0) {
    const left = await source.remove(done);
    if (left.length > 0)
      deps.log.warn(
        { queue: source.name, left: left.length },
        'messages were stored, but not deleted: they will come again',
      );
  }
  let taken = 0;
  for (const result of results) {
    if (result.status === 'rejected') throw result.reason;
    taken += result.value;
  }
  return taken;
}

/** Resolves when the message may be deleted, with the number of new alerts. */
async function take(source: MessageQueue, message: QueueMessage, deps: Needs): Promise<number> {
  const { log, clock } = deps;
  const letter = {
    key: `sqs-${source.name}-${message.id}`,
    door: 'sqs',
    from: source.name,
    body: message.body,
  } as const;
  const read = deps.readBody(message.body);
  if (!read.ok) {
    if (read.status === 'malformed') await keepLetter({ ...letter, reason: read.reason }, deps);
    else log.info({ queue: source.name, reason: read.reason }, 'message not taken');
    return 0;
  }
  let fresh = 0;
  try {
    for (const { alert, deliveryKey, raw = read.raw } of read.alerts) {
      const input = { deliveryKey, alert: withAgeNote(alert, clock.now()), raw };
      const { repeat } = await receiveAlert(input, deps);
      if (!repeat) fresh += 1;
      log.info({ queue: source.name, dedupeKey: alert.dedupeKey, repeat }, 'finding stored');
    }
    if (read.unread) await keepLetter({ ...letter, reason: read.unread }, deps);
  } catch (error) {
    if (!isHopeless(error) && message.deliveries < mostDeliveries) throw error;
    await keepLetter({ ...letter, reason: `it could not be stored (${codeOf(error)})` }, deps);
  }
  return fresh;
}
