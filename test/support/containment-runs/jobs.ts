/** The queue of the runs: at least once, in any order, twice sometimes, lost now and then; kept over every crash. */
import type { JobName, Jobs, Queue } from '../../../src/contracts/job.ts';
import { backoffMs, maxAttempts } from '../../../src/queue/attempts.ts';

export interface RunsJob {
  readonly name: JobName;
  readonly payload: Jobs[JobName];
  readonly id: string;
  attempt: number;
  notBefore: number;
  running: boolean;
}

export interface RunsQueue {
  readonly port: Queue;
  readonly jobs: RunsJob[];
  ready(): readonly RunsJob[];
  /** `failed`: it threw; tried again unless hopeless. */
  settle(job: RunsJob, how: 'done' | 'failed' | 'hopeless' | 'crashed'): void;
}

/** They tell people and look for more; they decide nothing, and have tests of their own. */
const leftOut: readonly JobName[] = ['approval.notify', 'containment.alive', 'case.show'];

export function runsQueue(now: () => number, loses: () => boolean): RunsQueue {
  const jobs: RunsJob[] = [];
  const remove = (job: RunsJob) => {
    const at = jobs.indexOf(job);
    if (at >= 0) jobs.splice(at, 1);
  };
  const port = {
    async add(name: JobName, payload: Jobs[JobName], { id, delayMs = 0 }: { id: string; delayMs?: number }) {
      if (leftOut.includes(name) || jobs.some((job) => job.id === id) || loses()) return;
      jobs.push({ name, payload, id, attempt: 1, notBefore: now() + delayMs, running: false });
    },
  };
  return {
    port: port as unknown as Queue,
    jobs,
    ready: () => jobs.filter((job) => !job.running && job.notBefore <= now()),
    settle(job, how) {
      job.running = false;
      if (how === 'crashed') return;
      if (how === 'failed' && job.attempt < maxAttempts) {
        job.notBefore = now() + backoffMs(job.attempt);
        job.attempt += 1;
        return;
      }
      remove(job);
    },
  };
}
