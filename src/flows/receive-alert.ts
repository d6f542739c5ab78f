/** finding -> stored -> queued. The webhook answers 202 only after this has returned. */
import type { Alert } from '../contracts/alert.ts';
import { asError } from '../contracts/errors.ts';
import { isCritical } from '../domain/noise.ts';
import type { Deps } from './deps.ts';

/**
 * Stores an alert and queues it. Durable when it returns; throws when it could not be stored. When only the queue is in
 * trouble the alert is safe all the same: the sweep queues what was stored and not handled.
 */
export async function receiveAlert(
  input: { readonly deliveryKey: string; readonly alert: Alert; readonly raw: unknown },
  { store, queue, clock, log }: Pick<Deps, 'store' | 'queue' | 'clock' | 'log'>,
): Promise<{ repeat: boolean }> {
  const { alertId, repeat } = await store.alerts.receive({ ...input, at: clock.now().toISOString() });
  if (repeat) return { repeat };
  try {
    const job = isCritical(input.alert) ? 'alert.urgent' : 'alert.received';
    await queue.add(job, { alertId }, { id: `alert-${alertId}` });
  } catch (error) {
    log.warn({ alertId, error: asError(error) }, 'alert stored but not queued, the sweep will queue it');
  }
  return { repeat };
}
