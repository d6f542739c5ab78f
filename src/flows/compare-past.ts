/** record -> the past of who made it -> what stands out -> stream. The lake and EventBridge end in the same rows of the store. */
import type { Past, PastFinding } from '../contracts/baseline.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { asError } from '../contracts/errors.ts';
import { findingEntry, isFinding } from '../domain/baseline/stream.ts';
import type { Detector } from '../domain/detection/detector.ts';
import type { Detectors, WorkerDeps } from './deps.ts';

type Needs = Pick<WorkerDeps, 'store' | 'clock' | 'log'>;

const batchSize = 500;

/** For the judge of the stream: compares the records of a batch before they are judged. What comes of it waits as records do. */
export function prepareOf(past: Past, detector: Detector, deps: Needs) {
  return async (
    waiting: readonly { readonly eventKey: string; readonly record: CloudTrailRecord }[],
  ): Promise<void> => {
    const records = waiting.flatMap(({ eventKey, record }) => (isFinding(eventKey) ? [] : [record]));
    if (records.length === 0 || detector.pastRules.size === 0) return;
    let found: readonly PastFinding[];
    try {
      found = await past.compare(records);
    } catch (error) {
      // Other rules go on; the lake brings these records again.
      deps.log.warn({ error: asError(error) }, 'records could not be compared with the past');
      return;
    }
    await raise(found, detector, deps);
  };
}

/** Stores those that may open a case. The same finding is one row, however often it is found. */
async function raise(found: readonly PastFinding[], { pastRules }: Detector, { store, clock }: Needs): Promise<void> {
  const entries = new Map(
    found.filter(({ rule }) => pastRules.has(rule)).map((one) => [findingEntry(one).eventKey, findingEntry(one)]),
  );
  const rows = [...entries.values()];
  for (let at = 0; at < rows.length; at += batchSize)
    await store.stream.receive(rows.slice(at, at + batchSize), clock.now().toISOString());
}

/** What is new in the lake waits for so long, so that a busy queue does not have the files written all day. */
const everyMs = 60_000;

/** Keeps the past up to date until aborted; several processes may be at it. What fails is logged and tried again. */
export async function keepPast(past: Past, deps: Parameters<typeof watchPast>[1], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await watchPast(past, deps, signal);
    } catch (error) {
      if (signal.aborted) return;
      deps.log.warn({ error: asError(error) }, 'the baselines could not be brought up to date, it is tried again');
    }
    await deps.clock.sleep(everyMs, signal).catch(() => undefined);
  }
}

/**
 * Adds what is new in the lake to what is kept, then raises what stands out in it, as far back as the stream looks. A crash in between
 * raises it after the restart.
 */
export async function watchPast(
  past: Past,
  deps: Needs & Pick<WorkerDeps, 'settings'> & { readonly detectors: Detectors },
  signal: AbortSignal,
): Promise<void> {
  const detector = await deps.detectors.current();
  if (!(await past.update(signal))) deps.log.info({}, 'another process brings the baselines up to date');
  const since = deps.clock.now().getTime() - deps.settings.detections.maxAgeHours * 3_600_000;
  await past.recent(since, (found) => raise(found, detector, deps));
}
