/** What the worker fetches by itself: the queues of the config, and what GuardDuty knows and nobody sent. */
import type { Config } from './config.ts';
import { asError } from './contracts/errors.ts';
import type { WorkerDeps } from './flows/deps.ts';
import { readQueue } from './flows/read-queue.ts';
import { lookAtFindings } from './flows/watch-findings.ts';
import { queueBodyReader } from './webhooks/message-body.ts';
import { connectMessageQueues } from './wire.ts';

/** How often it is looked whether a place is due; each place has its own time. */
const tickMs = 15_000;

/** Starts reading. The returned function ends it and waits for what is under way. */
export async function startIntake(config: Config, worker: WorkerDeps): Promise<() => Promise<void>> {
  const { clock, log } = worker;
  const deps = { ...worker, readBody: queueBodyReader({ mappings: config.mappings }), watch: config.guardduty };
  const ended = new AbortController();
  const { signal } = ended;
  const queues = await connectMessageQueues(config);
  const loops = queues.map((source) => readQueue(source, deps, signal));
  if (config.guardduty.pollMinutes > 0) loops.push(watchFindings());

  async function watchFindings(): Promise<void> {
    while (!signal.aborted) {
      try {
        await lookAtFindings(deps, signal);
      } catch (error) {
        if (!signal.aborted) log.warn({ error: asError(error) }, 'the look at GuardDuty failed, it is made again');
      }
      await clock.sleep(tickMs, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    }
  }

  return async () => {
    ended.abort(new Error('shutting down'));
    await Promise.all(loops);
    for (const source of queues) source.close();
  };
}
