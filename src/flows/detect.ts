/** record -> stream -> rules -> story -> alert. What EventBridge sends and what newly lies in the lake go the same way. */
import type { Past } from '../contracts/baseline.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { asError } from '../contracts/errors.ts';
import type { LakeWatch } from '../contracts/lake-watch.ts';
import { eventKeyOf } from '../domain/detection/detector.ts';
import { isCritical } from '../domain/noise.ts';
import { isInsight, parseRecord } from '../domain/record.ts';
import { narrowingOf } from '../domain/sigma/narrowing.ts';
import { prepareOf } from './compare-past.ts';
import type { Detectors, WorkerDeps } from './deps.ts';

type Needs = Pick<WorkerDeps, 'store' | 'queue' | 'clock' | 'log' | 'settings'> & { readonly detectors: Detectors };

const hourMs = 3_600_000;
/** Records of one transaction. */
const batchSize = 500;

/** The record of an event as it came in: an EventBridge envelope, or bare. */
export function recordIn(raw: unknown): CloudTrailRecord | undefined {
  const outer = typeof raw === 'object' && raw !== null ? (raw as Readonly<Record<string, unknown>>) : {};
  const parsed = parseRecord('detail' in outer ? outer.detail : outer);
  // An Insights event counts calls and is none: no rule about a call shall speak of it.
  return parsed.ok && !isInsight(parsed.record) ? parsed.record : undefined;
}

/**
 * Stores the record for the stream where a rule heeds it. `loud`: a rule will speak of it, or an
 * exception holds it back, so that nobody else has to.
 * Durable when it returns; throws when it could not be stored.
 */
export async function heardRecord(
  record: CloudTrailRecord,
  { store, clock, detectors, settings }: Pick<Needs, 'store' | 'clock' | 'detectors' | 'settings'>,
): Promise<{ readonly loud: boolean; readonly isNew: boolean }> {
  const now = clock.now();
  const { loud, heeded, compared, excepted } = (await detectors.current()).look(record);
  if (!(heeded || compared) || isHistory(record, now, settings.detections.maxAgeHours))
    return { loud: excepted, isNew: true };
  const stored = await store.stream.receive([{ eventKey: eventKeyOf(record), record }], now.toISOString());
  return { loud: loud || excepted, isNew: stored > 0 };
}

function isHistory({ eventTime }: CloudTrailRecord, now: Date, maxAgeHours: number): boolean {
  return now.getTime() - Date.parse(eventTime) > maxAgeHours * hourMs;
}

/**
 * Judges all records that wait, in batches, and queues the alerts that come of it. Runs every second in the worker; several
 * at once take turns in the database. What is not queued the sweep finds.
 */
export async function detect(deps: Omit<Needs, 'settings'> & { readonly past?: Past }): Promise<void> {
  const { store, queue, clock, detectors, log, past } = deps;
  for (;;) {
    const detector = await detectors.current();
    const judge = past ? { ...detector, prepare: prepareOf(past, detector, deps) } : detector;
    const { taken, alerts } = await store.stream.work(judge, batchSize, clock.now().toISOString());
    for (const { alertId, alert } of alerts) {
      try {
        await queue.add(isCritical(alert) ? 'alert.urgent' : 'alert.received', { alertId }, { id: `alert-${alertId}` });
      } catch (error) {
        log.warn({ alertId, error: asError(error) }, 'alert stored but not queued, the sweep will queue it');
      }
    }
    if (taken < batchSize) return;
  }
}

/** Reads shards of the lake that were not looked at yet into the stream. A shard that was half read is read again. */
export async function watchLake(lake: LakeWatch, deps: Omit<Needs, 'queue'>): Promise<void> {
  const { store, clock, settings, log } = deps;
  const detector = await deps.detectors.current();
  const shards = await lake.shards();
  const fresh = await store.stream.newShards(shards.map(({ name }) => name));
  for (const { name, last } of shards.filter((shard) => fresh.includes(shard.name))) {
    const now = clock.now();
    const since = new Date(now.getTime() - settings.detections.maxAgeHours * hourMs).toISOString();
    let records = 0;
    if (Date.parse(last) >= Date.parse(since)) {
      let batch: { eventKey: string; record: CloudTrailRecord }[] = [];
      for await (const record of lake.records(name, since, narrowingOf(detector.picked))) {
        if (!detector.look(record).heeded) continue;
        records += 1;
        if (batch.push({ eventKey: eventKeyOf(record), record }) < batchSize) continue;
        await store.stream.receive(batch, now.toISOString());
        batch = [];
      }
      await store.stream.receive(batch, now.toISOString());
    }
    await store.stream.markShard(name, now.toISOString());
    log.info({ shard: name, records }, 'a new part of the lake was looked at');
  }
}
