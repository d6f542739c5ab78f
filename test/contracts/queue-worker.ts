/** A worker process for the queue's contract tests: takes the job, says so, and never ends it. */
import type { BackendChoice } from '../../src/queue/backends.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { silentLog } from '../support/databases.ts';

const backend = JSON.parse(process.argv[2] ?? '{}') as BackendChoice;
const queue = await openQueue({ backend, log: silentLog, lockDurationMs: 1_000, stalledCheckMs: 500 });
await queue.work(
  'investigations',
  {
    'investigation.run': async ({ investigationId }) => {
      process.send?.(investigationId);
      await new Promise(() => undefined);
    },
  },
  { concurrency: 1 },
);
