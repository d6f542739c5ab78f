/** The sweep and a queue that is away: real store, real Redis, and a clock that goes faster. */
import { describe, expect, it } from 'vitest';
import type { Alert } from '../../../src/contracts/alert.ts';
import { UpstreamError } from '../../../src/contracts/errors.ts';
import { NoiseConfig } from '../../../src/domain/noise.ts';
import { openSweep } from '../../../src/flows/sweep.ts';
import { openQueue } from '../../../src/queue/queue.ts';
import { openStore } from '../../../src/store/store.ts';
import { quietLog } from '../../fakes/quiet-log.ts';
import { redisMissing, startTestDatabase, startTestRedis, until } from '../../support/databases.ts';

const sweepEveryMs = 5_000;
const hourMs = 60 * 60_000;

describe.skipIf(redisMissing() !== undefined)(`the sweep (${redisMissing() ?? 'Redis is here'})`, () => {
  it('queues at once what was stored while the queue was away for an hour', { timeout: 60_000 }, async () => {
    const database = await startTestDatabase();
    const redis = await startTestRedis();
    const { connectionString } = database;
    const store = await openStore({ connectionString, log: quietLog, applicationName: 'test' });
    const queue = await openQueue({ backend: { kind: 'redis', url: redis.url }, log: quietLog });
    let time = Date.now();
    const clock = { now: () => new Date(time), sleep: () => Promise.resolve() };
    const settings = { mode: 'propose', accounts: [], noise: NoiseConfig.parse({ report: { enabled: false } }) };
    const sweep = openSweep({ store, queue, clock, settings, log: quietLog } as unknown as Parameters<
      typeof openSweep
    >[0]);
    const alert = { dedupeKey: 'an alert', severity: 'high' } as unknown as Alert;
    await store.alerts.receive({ deliveryKey: 'one', alert, raw: {}, at: clock.now().toISOString() });
    await redis.kill();

    for (const back = time + hourMs; time < back; time += sweepEveryMs) {
      await sweep().catch((error: unknown) => expect(error).toBeInstanceOf(UpstreamError));
    }
    await redis.restart();
    await until('the queue answers', () =>
      queue.check().then(
        () => true,
        () => false,
      ),
    );
    await sweep();

    expect((await queue.counts()).alerts.waiting).toBe(1);
    await queue.close(500);
    await store.close();
    await redis.stop();
    await database.stop();
  });
});
