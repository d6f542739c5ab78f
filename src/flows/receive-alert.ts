/** finding -> stored -> queued. The webhook answers 202 only after this has returned. */
import type { Alert } from '../contracts/alert.ts';
import { asError } from '../contracts/errors.ts';
import { notAhead } from '../domain/alert-age.ts';
import { callKeyOf } from '../domain/detection/detector.ts';
import { isCritical } from '../domain/noise.ts';
import { isWatchedCall } from '../domain/watched-calls.ts';
import type { Deps, WebDeps } from './deps.ts';
import { heardRecord, recordIn } from './detect.ts';

/** Doors that bring no records of CloudTrail need no detector; without one a record is an alert like any other. */
export type ReceiveDeps = Pick<Deps, 'store' | 'queue' | 'clock' | 'log'> &
  Partial<Pick<WebDeps, 'detectors' | 'settings'>>;

/**
 * Stores an alert and queues it. Durable when it returns; throws when it could not be stored. When only the queue is in
 * trouble the alert is safe all the same: the sweep queues what was stored and not handled. A record of CloudTrail goes
 * through detection; where that will speak of it, or where it only reads and nobody watches for it, it opens no case itself.
 */
export async function receiveAlert(
  input: { readonly deliveryKey: string; readonly alert: Alert; readonly raw: unknown },
  deps: ReceiveDeps,
): Promise<{ repeat: boolean }> {
  const { store, queue, clock, log } = deps;
  const record = input.alert.source === 'cloudtrail' ? recordIn(input.raw) : undefined;
  const { detectors, settings } = deps;
  if (record !== undefined && detectors !== undefined && settings !== undefined) {
    const { loud, isNew } = await heardRecord(record, { store, clock, detectors, settings });
    if (loud || (record.readOnly === true && !isWatchedCall(record.eventName))) return { repeat: !isNew };
  }
  const now = clock.now();
  const given = record === undefined ? input.alert : { ...input.alert, dedupeKey: callKeyOf(record) };
  const alert = notAhead(given, now);
  const { alertId, repeat } = await store.alerts.receive({ ...input, alert, at: now.toISOString() });
  if (repeat) return { repeat };
  try {
    const job = isCritical(input.alert) ? 'alert.urgent' : 'alert.received';
    await queue.add(job, { alertId }, { id: `alert-${alertId}` });
  } catch (error) {
    log.warn({ alertId, error: asError(error) }, 'alert stored but not queued, the sweep will queue it');
  }
  return { repeat };
}
