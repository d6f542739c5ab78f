/** The queue on BullMQ: one BullMQ queue per lane, on PostgreSQL or on Redis. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, UnrecoverableError } from 'bullmq';
import { asError, UpstreamError } from '../contracts/errors.ts';
import { type JobContext, type JobName, type Jobs, type Lane, lanes, type Queue } from '../contracts/job.ts';
import type { Log } from '../contracts/log.ts';
import { backoffMs, contextOf, maxAttempts, settleFailure } from './attempts.ts';
import { type Backend, type BackendChoice, type Line, type LineWorker, openBackend } from './backends.ts';

const laneNames = Object.keys(lanes) as readonly Lane[];

/** For what is done once, at the start, where nobody waits for an answer. */
const startWithinMs = 30_000;

/**
 * Connects to the queue's server and makes its tables where they are missing. Throws UpstreamError `queue` where the
 * server cannot be reached. `prefix` keeps several installations on one server apart (letters, digits, hyphen).
 * A killed worker's job is taken over when its lock has run out and two stalled checks have passed.
 */
export async function openQueue(input: {
  readonly backend: BackendChoice;
  readonly log: Log;
  readonly prefix?: string;
  /** How long a job stays with a worker that says nothing; default 8 s. */
  readonly lockDurationMs?: number;
  /** How often jobs of dead workers are looked for; default 2 s. */
  readonly stalledCheckMs?: number;
}): Promise<Queue> {
  const { log } = input;
  const answerWithinMs = input.backend.kind === 'redis' ? 2_000 : 5_000;
  const ask = <T>(work: () => Promise<T>): Promise<T> => asking(work, answerWithinMs);
  // The first start makes tables, and several processes may wait for one another there.
  const backend = await asking(() => openBackend(input.backend, input.prefix ?? 'firebreak', log), startWithinMs);
  const lines = await openLines(backend, log);
  const workers: LineWorker[] = [];
  const shutdown = new AbortController();
  const told = new WeakSet<Error>();
  let closed: Promise<void> | undefined;

  async function run(job: Job, token: string | undefined, handlers: Handlers): Promise<void> {
    const handle = handlers[job.name as JobName];
    if (handle === undefined) throw new UnrecoverableError(`no handler for ${job.name}`);
    const ctx = contextOf(job, shutdown.signal);
    try {
      await handle(job.data, ctx);
    } catch (thrown) {
      const error = await settleFailure(job, token, thrown, ctx, log);
      told.add(error);
      throw error;
    }
  }

  return {
    add: (name, payload, { id, delayMs }) =>
      ask(async () => {
        await lines[laneOf(name)].add(name, payload, {
          attempts: maxAttempts,
          backoff: { type: 'custom' },
          delay: delayMs ?? 0,
          removeOnComplete: { age: 3_600, count: 200 },
          removeOnFail: { count: 1_000 },
          // One waiting and one running job per id: what is added while its job runs is run after it, once, with the
          // newest payload. Without a delay of its own it also brings a delayed job forward.
          deduplication: { id: lineId(name, id), keepLastIfActive: true, reschedule: delayMs === undefined },
        });
      }),

    work: async (lane, handlers, { concurrency, alone }) => {
      const start = { lane, log, isOver: () => closed !== undefined };
      if (alone === true) await patiently(() => asking(() => backend.orphan(lane), startWithinMs), start);
      const make = () => {
        const worker = backend.worker(lane, (job, token) => run(job, token, handlers as Handlers), {
          concurrency,
          lockDuration: input.lockDurationMs ?? 8_000,
          stalledInterval: input.stalledCheckMs ?? 2_000,
          // A killed process is no reason to give a job up; a job that kills its process every time is.
          maxStalledCount: 10,
          settings: { backoffStrategy: backoffMs },
          // With BullMQ's own 15 s a lane stands still that long after the server was away for a moment.
          runRetryDelay: 1_000,
          autorun: false,
        });
        worker.on('error', (error: Error) =>
          log.warn({ lane, error: error.message }, 'a worker had trouble with its queue'),
        );
        worker.on('stalled', (jobId: string) => log.warn({ lane, jobId }, 'the job of a dead worker is taken over'));
        // What never reached a handler: a job without one, or one that killed its worker too often.
        worker.on('failed', (job: Job | undefined, error: Error) => {
          if (!told.has(error))
            log.error({ lane, job: job?.name, payload: job?.data, error: error.message }, 'a job was given up');
        });
        return worker;
      };
      const worker = await readied(make, start);
      // Where another part of the start failed meanwhile: it would ask connections that have ended, without ever pausing for anything else.
      if (closed !== undefined) {
        await worker.close();
        throw new UpstreamError('queue', 'CLOSED', `The queue closed before its lane ${lane} was open.`, {
          retryable: true,
        });
      }
      workers.push(worker);
      worker.run().catch((thrown: unknown) => log.error({ lane, error: asError(thrown) }, 'a worker ended'));
    },

    check: () => ask(() => backend.check()),

    counts: () =>
      ask(async () => {
        const counts = await Promise.all(
          laneNames.map(async (lane) => {
            const found = await lines[lane].getJobCounts('waiting', 'delayed', 'active', 'failed');
            const { waiting = 0, delayed = 0, active = 0, failed = 0 } = found;
            return [lane, { waiting, delayed, active, failed }] as const;
          }),
        );
        return Object.fromEntries(counts) as Awaited<ReturnType<Queue['counts']>>;
      }),

    close: (timeoutMs) => {
      closed ??= closeAll(workers, Object.values(lines), backend, shutdown, timeoutMs, log);
      return closed;
    },
  };
}

type Handlers = { readonly [Name in JobName]?: (payload: Jobs[Name], ctx: JobContext) => Promise<void> };

/** Throws UpstreamError `queue`, and lets go of the backend. One after another: the first's connection serves them all. */
async function openLines(backend: Backend, log: Log): Promise<Readonly<Record<Lane, Line>>> {
  const opened: [Lane, Line][] = [];
  try {
    for (const lane of laneNames) {
      const make = () => {
        const line = backend.queue(lane);
        line.on('error', (error: Error) =>
          log.warn({ lane, error: error.message }, 'the queue had trouble with its server'),
        );
        return line;
      };
      opened.push([lane, await readied(make, { lane, log })]);
    }
  } catch (error) {
    await Promise.all(opened.map(([, line]) => line.close()));
    await backend.close();
    throw error;
  }
  return Object.fromEntries(opened) as Record<Lane, Line>;
}

interface Start {
  readonly lane: Lane;
  readonly log: Log;
  /** Nobody waits for it any more. */
  readonly isOver?: () => boolean;
}

/** Tries a step of the start again until it works: on a busy host, where many lanes connect at once, a connection may be late. */
async function patiently<T>(step: () => Promise<T>, { lane, log, isOver }: Start): Promise<T> {
  const giveUpAt = performance.now() + startWithinMs;
  for (;;) {
    try {
      return await step();
    } catch (thrown) {
      if (performance.now() > giveUpAt || isOver?.() === true) throw thrown;
      log.warn({ lane, error: asError(thrown).message }, 'the queue was not ready in time, it is opened again');
      await sleep(200);
    }
  }
}

/**
 * Makes a part of BullMQ that is ready. One whose first connection was late would answer with that failure for as long
 * as it lives, and nothing could be added to its lane, or no job taken: it is let go of, and another one is made.
 */
function readied<Part extends Line | LineWorker>(make: () => Part, start: Start): Promise<Part> {
  return patiently(async () => {
    const part = make();
    try {
      await asking(() => part.waitUntilReady(), startWithinMs);
      return part;
    } catch (thrown) {
      const { lane, log } = start;
      await part.close().catch((error: unknown) => log.warn({ lane, error: asError(error) }, 'it did not close'));
      throw thrown;
    }
  }, start);
}

function laneOf(name: JobName): Lane {
  const lane = laneNames.find((candidate) => (lanes[candidate] as readonly JobName[]).includes(name));
  if (lane === undefined) throw new TypeError(`no lane has the job ${name}`);
  return lane;
}

/** Any text may be an id; BullMQ's may not hold a colon, among others. */
function lineId(name: JobName, id: string): string {
  return createHash('sha256').update(`${name}\n${id}`).digest('base64url');
}

async function asking<T>(work: () => Promise<T>, withinMs: number): Promise<T> {
  const timer = new AbortController();
  const late = sleep(withinMs, undefined, { signal: timer.signal }).then(() => {
    throw new UpstreamError('queue', 'TIMEOUT', 'The queue did not answer in time.', { retryable: true });
  });
  try {
    return await Promise.race([work(), late]);
  } catch (thrown) {
    if (thrown instanceof UpstreamError || thrown instanceof TypeError) throw thrown;
    const error = asError(thrown);
    const code = 'code' in error && typeof error.code === 'string' ? error.code : 'CONNECTION';
    // A value that the database cannot hold (SQLSTATE class 22) is refused every time; all else may pass.
    const retryable = !/^22...$/.test(code);
    throw new UpstreamError('queue', code, `The queue did not take it: ${error.message}`, { retryable, cause: error });
  } finally {
    timer.abort();
    late.catch(() => undefined);
  }
}

/** Never throws: what cannot be closed is logged and left to the end of the process. */
async function closeAll(
  workers: readonly LineWorker[],
  lines: readonly Line[],
  backend: Backend,
  shutdown: AbortController,
  timeoutMs: number,
  log: Log,
): Promise<void> {
  const drained = Promise.all(workers.map((worker) => worker.close())).then(() => 'drained' as const);
  const timer = new AbortController();
  const within = (ms: number) =>
    Promise.race([drained, sleep(ms, 'late' as const, { signal: timer.signal, ref: true })]).catch(
      (thrown: unknown) => {
        log.warn({ error: String(thrown) }, 'a worker did not close');
        return 'late' as const;
      },
    );
  if ((await within(timeoutMs)) === 'late') {
    // Handlers that heed the signal give their job back now; the others' locks run out.
    shutdown.abort(new Error('shutting down'));
    if ((await within(1_000)) === 'late') log.warn({}, 'jobs were still running when the queue closed');
  }
  for (const step of [...lines.map((line) => () => line.close()), () => backend.close()]) {
    await Promise.race([step(), sleep(2_000, undefined, { signal: timer.signal })]).catch((thrown: unknown) => {
      log.warn({ error: String(thrown) }, 'the queue did not close cleanly');
    });
  }
  // A timer that is left over would keep the process for as long as it runs.
  timer.abort();
}
