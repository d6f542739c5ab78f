/** What every backend of the queue must do; run against a real PostgreSQL and a real Redis. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { UpstreamError, UserError } from '../../src/contracts/errors.ts';
import type { JobContext, Queue } from '../../src/contracts/job.ts';
import type { BackendChoice } from '../../src/queue/backends.ts';
import { openQueue } from '../../src/queue/queue.ts';
import {
  redisMissing,
  runSql,
  silentLog,
  startTestDatabase,
  startTestRedis,
  type TestRedis,
  until,
} from '../support/databases.ts';
import { openDoor } from '../support/door.ts';

interface Server {
  readonly backend: BackendChoice;
  stop(): Promise<void>;
}

const backends = [
  {
    name: 'PostgreSQL',
    missing: undefined,
    start: async (): Promise<Server> => {
      const database = await startTestDatabase();
      return {
        backend: { kind: 'postgres', connectionString: database.connectionString },
        stop: () => database.stop(),
      };
    },
  },
  {
    name: 'Redis',
    missing: redisMissing(),
    start: async (): Promise<Server> => {
      const redis = await startTestRedis();
      return { backend: { kind: 'redis', url: redis.url }, stop: () => redis.stop() };
    },
  },
] as const;

describe.each(backends)('the queue on $name', ({ name, missing, start }) => {
  if (missing !== undefined) {
    it.skip(`cannot be tested here: ${missing}`, () => undefined);
    return;
  }

  let server: Server;
  let runs = 0;
  const opened: Queue[] = [];

  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.stop());
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((queue) => queue.close(1_000)));
  });

  /** A queue of its own per test, so that one test's leftovers are not another's jobs. */
  async function open(prefix: string): Promise<Queue> {
    const timing = { lockDurationMs: 1_000, stalledCheckMs: 500 };
    const queue = await openQueue({ backend: server.backend, log: silentLog, prefix, ...timing });
    opened.push(queue);
    return queue;
  }
  const fresh = (): string => {
    runs += 1;
    return `t${runs}`;
  };

  /** Answers investigations with `handle` and counts the tries. */
  async function investigate(
    queue: Queue,
    handle: (id: string, ctx: JobContext) => Promise<void> | void,
    concurrency = 1,
  ): Promise<string[]> {
    const seen: string[] = [];
    const run = async ({ investigationId }: { investigationId: string }, ctx: JobContext) => {
      seen.push(investigationId);
      await handle(investigationId, ctx);
    };
    await queue.work('investigations', { 'investigation.run': run }, { concurrency });
    return seen;
  }

  it('runs a job that was added before there was a worker, with any text as its id', async () => {
    const queue = await open(fresh());

    await queue.add('investigation.run', { investigationId: 'i1' }, { id: 'arn:aws:iam::123456789012:user/é' });
    await queue.add('investigation.run', { investigationId: 'i2' }, { id: '42' });
    const seen = await investigate(queue, () => undefined);

    await until('both jobs ran', () => seen.length === 2);
    expect(seen).toEqual(['i1', 'i2']);
  });

  it('takes two jobs of one id for one while it waits, and runs the id again after it has run', async () => {
    const queue = await open(fresh());
    await queue.add('investigation.run', { investigationId: 'once' }, { id: 'same' });
    await queue.add('investigation.run', { investigationId: 'once' }, { id: 'same' });
    const seen = await investigate(queue, () => undefined);
    await until(
      'it ran and is gone',
      async () => seen.length > 0 && (await queue.counts()).investigations.active === 0,
    );
    expect(seen).toEqual(['once']);

    await queue.add('investigation.run', { investigationId: 'again' }, { id: 'same' });

    await until('it ran again', () => seen.length === 2);
    expect(seen).toEqual(['once', 'again']);
  });

  it('runs once more after a job that was running when its id was added again, with the newest payload', async () => {
    const queue = await open(fresh());
    let finish: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const seen = await investigate(queue, (id) => (id === 'first' ? held : undefined), 5);
    await queue.add('investigation.run', { investigationId: 'first' }, { id: 'busy' });
    await until('the first runs', () => seen.length === 1);

    await queue.add('investigation.run', { investigationId: 'second' }, { id: 'busy' });
    await queue.add('investigation.run', { investigationId: 'third' }, { id: 'busy' });
    await queue.add('investigation.run', { investigationId: 'other' }, { id: 'free' });
    await until('the other id ran beside it', () => seen.includes('other'));
    expect(seen).toEqual(['first', 'other']);
    finish();

    await until('the newest ran', () => seen.length === 3);
    expect(seen).toEqual(['first', 'other', 'third']);
  });

  it('waits as long as it was told, and runs at once when the same id is added without a delay', async () => {
    const queue = await open(fresh());
    const seen = await investigate(queue, () => undefined);
    const from = Date.now();
    await queue.add('investigation.run', { investigationId: 'later' }, { id: 'a', delayMs: 400 });
    await queue.add('investigation.run', { investigationId: 'much later' }, { id: 'b', delayMs: 600_000 });
    expect((await queue.counts()).investigations.delayed).toBe(2);

    await until('the first delay is over', () => seen.length === 1);
    expect(Date.now() - from).toBeGreaterThanOrEqual(390);
    await queue.add('investigation.run', { investigationId: 'much later' }, { id: 'b' });

    await until('the second was brought forward', () => seen.length === 2);
    expect(seen).toEqual(['later', 'much later']);
  });

  it('tries again after a failure and counts the attempts', async () => {
    const queue = await open(fresh());
    const attempts: number[] = [];
    await investigate(queue, (_id, ctx) => {
      attempts.push(ctx.attempt);
      expect(ctx.last).toBe(false);
      if (ctx.attempt < 2) throw new UpstreamError('slack', 'fatal_error', 'no', { retryable: true });
    });

    await queue.add('investigation.run', { investigationId: 'shaky' }, { id: 'shaky' });

    await until('the second attempt came', () => attempts.length === 2);
    expect(attempts).toEqual([1, 2]);
    await until('nothing is left', async () => {
      const { waiting, delayed, active, failed } = (await queue.counts()).investigations;
      return waiting + delayed + active + failed === 0;
    });
  });

  it('does not try again what cannot succeed, keeps it for inspection, and takes the id again', async () => {
    const queue = await open(fresh());
    const seen = await investigate(queue, (id) => {
      if (id === 'user') throw new UserError('no such key');
      if (id === 'denied') throw new UpstreamError('iam', 'AccessDenied', 'no', { retryable: false });
    });

    await queue.add('investigation.run', { investigationId: 'user' }, { id: 'u' });
    await queue.add('investigation.run', { investigationId: 'denied' }, { id: 'd' });

    await until('both failed', async () => (await queue.counts()).investigations.failed === 2);
    expect(seen).toEqual(['user', 'denied']);
    await queue.add('investigation.run', { investigationId: 'fine' }, { id: 'u' });
    await until('the id ran again', () => seen.includes('fine'));
  });

  it('waits as long as a service asks for, without using up an attempt', async () => {
    const queue = await open(fresh());
    const tries: { at: number; attempt: number }[] = [];
    await investigate(queue, (_id, { attempt }) => {
      tries.push({ at: Date.now(), attempt });
      if (tries.length < 3) {
        throw new UpstreamError('slack', 'ratelimited', 'no', { retryable: true, retryAfterMs: 200 });
      }
    });

    await queue.add('investigation.run', { investigationId: 'polite' }, { id: 'polite' });

    await until('the third try came', () => tries.length === 3);
    expect(tries.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
    expect((tries[2]?.at ?? 0) - (tries[0]?.at ?? 0)).toBeGreaterThanOrEqual(390);
  });

  it('counts waiting jobs in the lane of their name', async () => {
    const queue = await open(fresh());

    await queue.add('alert.received', { alertId: 'a' }, { id: 'a' });
    await queue.add('approval.changed', { approvalId: 'p' }, { id: 'p' });
    await queue.add('approval.admit', { approvalId: 'p' }, { id: 'p' });
    await queue.check();

    const counts = await queue.counts();
    expect(counts.alerts).toEqual({ waiting: 1, delayed: 0, active: 0, failed: 0 });
    expect(counts.approvals.waiting).toBe(1);
    expect(counts.cards.waiting).toBe(1);
    expect(counts.executor.waiting).toBe(0);
  });

  it('waits for the running job when it closes, and takes no other', async () => {
    const prefix = fresh();
    const queue = await open(prefix);
    let ended = false;
    const seen = await investigate(queue, async () => {
      await sleep(300);
      ended = true;
    });
    await queue.add('investigation.run', { investigationId: 'long' }, { id: 'long' });
    await until('it runs', () => seen.length === 1);
    await queue.add('investigation.run', { investigationId: 'next' }, { id: 'next' });

    await queue.close(5_000);
    await queue.close(5_000);

    expect(ended).toBe(true);
    const again = await open(prefix);
    expect((await again.counts()).investigations).toEqual({ waiting: 1, delayed: 0, active: 0, failed: 0 });
  });

  it('leaves nothing behind when it has closed that would keep the process', async () => {
    const kept = () => process.getActiveResourcesInfo().filter((what) => /Timeout|Socket/.test(what)).length;
    // Connections of the test's own server are older; those that the test before has closed go in these moments.
    let before = -1;
    const isSettled = () => {
      const earlier = before;
      before = kept();
      return before === earlier;
    };
    await expect.poll(isSettled, { interval: 200 }).toBe(true);
    const queue = await open(fresh());
    await queue.work('alerts', { 'alert.received': async () => undefined }, { concurrency: 1 });
    expect(kept()).toBeGreaterThan(before);
    await queue.close(1_000);
    // Less than a timer that was forgotten would run.
    await expect.poll(kept, { timeout: 1_500 }).toBeLessThanOrEqual(before);
  });

  it('runs no lane that was still being opened when it closed', { timeout: 30_000 }, async () => {
    const queue = await open(fresh());
    const opening = Promise.allSettled(
      (['alerts', 'urgent', 'cards'] as const).map((lane) => queue.work(lane, {} as never, { concurrency: 1 })),
    );

    await queue.close(1_000);

    const ends = await opening;
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    // A worker that asks what has ended never lets a timer fire.
    await sleep(300);
  });

  it('interrupts a job that outlives the time to close, and another worker takes it', async () => {
    const prefix = fresh();
    const queue = await open(prefix);
    const seen = await investigate(queue, (_id, { signal }) => sleep(60_000, undefined, { signal }));
    await queue.add('investigation.run', { investigationId: 'endless' }, { id: 'endless' });
    await until('it runs', () => seen.length === 1);

    await queue.close(200);
    const other = await investigate(await open(prefix), () => undefined);

    await until('the other has it', () => other.length === 1);
  });

  it('gives the job of a killed worker to another one', async () => {
    const queue = await open('firebreak');
    const worker = new URL('queue-worker.ts', import.meta.url);
    const child = fork(worker, [JSON.stringify(server.backend)], { stdio: 'inherit' });
    await queue.add('investigation.run', { investigationId: 'orphan' }, { id: 'orphan' });
    const [taken] = await once(child, 'message');
    expect(taken).toBe('orphan');

    child.kill('SIGKILL');
    await once(child, 'exit');
    const seen = await investigate(queue, () => undefined);

    await until('it ran again', () => seen.length === 1);
    expect(seen).toEqual(['orphan']);
  });

  it(`says so when ${name} cannot be reached`, async () => {
    const nowhere: BackendChoice =
      server.backend.kind === 'redis'
        ? { kind: 'redis', url: 'redis://127.0.0.1:1' }
        : { kind: 'postgres', connectionString: 'postgresql://nobody@127.0.0.1:1/none' };

    const opening = openQueue({ backend: nowhere, log: silentLog });

    await expect(opening).rejects.toMatchObject({ service: 'queue', code: 'ECONNREFUSED', retryable: true });
  });
});

describe.skipIf(redisMissing() !== undefined)(
  `the queue when Redis dies (${redisMissing() ?? 'Redis is here'})`,
  () => {
    let redis: TestRedis;
    beforeAll(async () => {
      redis = await startTestRedis();
    });
    afterAll(() => redis.stop());

    it('refuses at once, loses nothing that it took, and goes on when Redis is back', async () => {
      const queue = await openQueue({ backend: { kind: 'redis', url: redis.url }, log: silentLog });
      const seen: string[] = [];
      const run = async ({ investigationId }: { investigationId: string }) => {
        seen.push(investigationId);
      };
      await queue.add('investigation.run', { investigationId: 'before' }, { id: 'before', delayMs: 1_500 });
      await queue.work('investigations', { 'investigation.run': run }, { concurrency: 1 });
      await sleep(1_100); // The append-only file is written once a second.
      await redis.kill();

      const from = Date.now();
      const refused = queue.add('investigation.run', { investigationId: 'during' }, { id: 'during' });
      await expect(refused).rejects.toMatchObject({ service: 'queue', retryable: true });
      await expect(queue.check()).rejects.toBeInstanceOf(UpstreamError);
      expect(Date.now() - from).toBeLessThan(4_100);

      await redis.restart();
      await until('adding works again', async () => {
        try {
          await queue.add('investigation.run', { investigationId: 'after' }, { id: 'after' });
          return true;
        } catch (thrown) {
          if (thrown instanceof UpstreamError) return false;
          throw thrown;
        }
      });
      await until('both ran', () => seen.length === 2);
      expect([...seen].sort()).toEqual(['after', 'before']);
      await redis.kill();
      await queue.close(500);
    });
  },
);

describe('the queue when PostgreSQL drops its connections', () => {
  it('connects again by itself and goes on', async () => {
    const database = await startTestDatabase();
    const { connectionString } = database;
    const queue = await openQueue({ backend: { kind: 'postgres', connectionString }, log: silentLog });
    const seen: string[] = [];
    const run = async ({ investigationId }: { investigationId: string }) => {
      seen.push(investigationId);
    };
    await queue.work('investigations', { 'investigation.run': run }, { concurrency: 1 });
    await queue.add('investigation.run', { investigationId: 'before' }, { id: 'before' });
    await until('the first ran', () => seen.length === 1);

    await runSql(
      connectionString,
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    await until('adding works again', async () => {
      try {
        await queue.add('investigation.run', { investigationId: 'after' }, { id: 'after' });
        return true;
      } catch (thrown) {
        if (thrown instanceof UpstreamError && thrown.retryable) return false;
        throw thrown;
      }
    });

    await until('the second ran', () => seen.includes('after'));
    await queue.close(1_000);
    await database.stop();
  });
});

describe('the queue of a database that is slow to take connections', () => {
  it('is open when every lane takes jobs, and works on all of them', { timeout: 60_000 }, async () => {
    const database = await startTestDatabase();
    const door = await openDoor(database.connectionString);
    // Longer than the queue waits for one connection.
    const slow = (async () => {
      await until('the first connection is there', () => door.taken() > 0);
      door.hold();
      await sleep(2_500);
      door.letIn();
    })();
    const queue = await openQueue({
      backend: { kind: 'postgres', connectionString: door.connectionString },
      log: silentLog,
    });
    await slow;
    door.hold();
    const seen: string[] = [];
    const note = async (payload: object) => {
      seen.push(Object.values(payload).join());
    };
    const working = Promise.all([
      queue.work('alerts', { 'alert.received': note }, { concurrency: 1 }),
      queue.work('investigations', { 'investigation.run': note }, { concurrency: 1 }),
      queue.work('enrichment', { 'case.enrich': note }, { concurrency: 1 }),
      queue.work('notices', { 'approval.notify': note }, { concurrency: 1 }),
    ]);
    await sleep(2_500);
    door.letIn();
    await working;

    await queue.add('alert.received', { alertId: 'a' }, { id: 'a' });
    await queue.add('investigation.run', { investigationId: 'b' }, { id: 'b' });
    await queue.add('case.enrich', { caseId: 'c' }, { id: 'c' });
    await queue.add('approval.notify', { approvalId: 'd' }, { id: 'd' });
    await queue.add('case.show', { caseId: 'e' }, { id: 'e' });
    await queue.add('containment.plan', { requestId: 'f' }, { id: 'f' });
    await queue.add('containment.run', { approvalId: 'g' }, { id: 'g' });

    await until('all that have a worker ran', () => seen.length === 4);
    expect([...seen].sort()).toEqual(['a', 'b', 'c', 'd']);
    const counts = await queue.counts();
    expect([counts.urgent.waiting, counts.plans.waiting, counts.executor.waiting]).toEqual([1, 1, 1]);
    await queue.close(1_000);
    await door.close();
    await database.stop();
  });
});

describe('the queue of a database that goes away without a word', () => {
  it('takes new jobs soon, although the connections that would tell of them are silent', {
    timeout: 60_000,
  }, async () => {
    const database = await startTestDatabase();
    const door = await openDoor(database.connectionString);
    const { queue, seen } = await noticesAtWork({ kind: 'postgres', connectionString: door.connectionString });
    // A worker that knows when the next job is due sleeps until then.
    await queue.add('approval.notify', { approvalId: 'in an hour' }, { id: 'late', delayMs: 3_600_000 });
    await sleep(6_000); // The worker waited for a job, found the delayed one, and waits for that.

    door.silence();
    const add = () => queue.add('approval.notify', { approvalId: 'after' }, { id: 'after' });
    await until('adding works again', () => succeeds(add), 25_000);

    await until('the second ran', () => seen.includes('after'), 15_000);
    await queue.close(1_000);
    await door.close();
    await database.stop();
  });
});

describe('the queue of a database that goes away when it is asked to tell of jobs', () => {
  it('asks another connection', { timeout: 90_000 }, async () => {
    const database = await startTestDatabase();
    const door = await openDoor(database.connectionString);
    const { queue, seen } = await noticesAtWork({ kind: 'postgres', connectionString: door.connectionString });

    const silent = door.silenceAt('LISTEN');
    await runSql(
      database.connectionString,
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    await silent;
    const add = () => queue.add('approval.notify', { approvalId: 'after' }, { id: 'after' });
    await until('adding works again', () => succeeds(add));

    // The driver waits 20 s for the answer to LISTEN.
    await until('the second ran', () => seen.includes('after'), 40_000);
    await queue.close(1_000);
    await door.close();
    await database.stop();
  });
});

describe.skipIf(redisMissing() !== undefined)(
  `the queue when Redis fails over (${redisMissing() ?? 'Redis is here'})`,
  () => {
    it.each([
      ['the old one answers that it only reads', (old: TestRedis, next: TestRedis) => follow(old, next)],
      ['the old one answers nothing any more', (_old: TestRedis, _next: TestRedis, silence: () => void) => silence()],
    ])('goes to the new one, although %s', { timeout: 60_000 }, async (_how, failOver) => {
      const [old, next] = await Promise.all([startTestRedis(), startTestRedis()]);
      const door = await openDoor(old.url);
      const { queue, seen } = await noticesAtWork({ kind: 'redis', url: door.connectionString });

      door.turnTo(next.url);
      await failOver(old, next, door.silence);
      const add = () => queue.add('approval.notify', { approvalId: 'after' }, { id: 'after' });
      await until('adding works again', () => succeeds(add), 25_000);

      await until('the second ran', () => seen.includes('after'), 25_000);
      await queue.close(1_000);
      await door.close();
      await Promise.all([old.stop(), next.stop()]);
    });
  },
);

async function follow(old: TestRedis, next: TestRedis): Promise<void> {
  const operator = new Redis(old.port, '127.0.0.1');
  await operator.replicaof('127.0.0.1', next.port);
  operator.disconnect();
}

/** A queue with a worker of notices that has done its first; `seen` are those that it did. */
async function noticesAtWork(backend: BackendChoice): Promise<{ queue: Queue; seen: readonly string[] }> {
  const queue = await openQueue({ backend, log: silentLog });
  const seen: string[] = [];
  const note = async ({ approvalId }: { approvalId: string }) => {
    seen.push(approvalId);
  };
  await queue.work('notices', { 'approval.notify': note }, { concurrency: 1 });
  await queue.add('approval.notify', { approvalId: 'before' }, { id: 'before' });
  await until('the first ran', () => seen.length === 1);
  return { queue, seen };
}

async function succeeds(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (thrown) {
    if (thrown instanceof UpstreamError) return false;
    throw thrown;
  }
}
