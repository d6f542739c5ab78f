/** What is in the store is queued; where that fails the sweep does it later. */
import { asError } from '../contracts/errors.ts';
import type { JobName, Jobs } from '../contracts/job.ts';
import type { Deps } from './deps.ts';

/**
 * For what the sweep finds by itself. It never throws for a queue in trouble: whoever asked would be told that nothing was
 * started, and a vote that was given up, or a plan that was asked for again, would still run when the queue is back.
 */
export async function queueStored<Name extends JobName>(
  name: Name,
  payload: Jobs[Name],
  id: string,
  { queue, log }: Pick<Deps, 'queue' | 'log'>,
): Promise<void> {
  try {
    await queue.add(name, payload, { id });
  } catch (error) {
    log.warn({ job: name, payload, error: asError(error) }, 'stored but not queued, the sweep will queue it');
  }
}
