import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Queue } from '../../../src/contracts/job.ts';
import { openQueue } from '../../../src/queue/queue.ts';
import { silentLog, startTestDatabase, type TestDatabase, until } from '../../support/databases.ts';

describe('a lane that only one process works on', () => {
  let database: TestDatabase;
  const opened: Queue[] = [];
  beforeAll(async () => {
    database = await startTestDatabase();
  });
  afterAll(async () => {
    await Promise.all(opened.map((queue) => queue.close(0)));
    await database?.stop();
  });

  async function open(): Promise<Queue> {
    const { connectionString } = database;
    const queue = await openQueue({ backend: { kind: 'postgres', connectionString }, log: silentLog });
    opened.push(queue);
    return queue;
  }

  it('gives what a dead process left running to the next one at once, long before its lock runs out', async () => {
    const dead = await open();
    let taken = 0;
    const never = (_payload: unknown, { signal }: { readonly signal: AbortSignal }) =>
      new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    const hang = async (payload: unknown, ctx: { readonly signal: AbortSignal }) => {
      taken += 1;
      await never(payload, ctx);
    };
    await dead.work(
      'executor',
      { 'approval.prove': async () => undefined, 'containment.run': hang },
      { concurrency: 1 },
    );
    await dead.add('containment.run', { approvalId: 'one' }, { id: 'run-one' });
    await until('the first has it', () => taken === 1);

    const next = await open();
    const seen: string[] = [];
    const began = Date.now();
    await next.work(
      'executor',
      {
        'approval.prove': async () => undefined,
        'containment.run': async ({ approvalId }) => void seen.push(approvalId),
      },
      { concurrency: 1, alone: true },
    );
    await until('the next one has it', () => seen.length > 0);

    expect(seen).toEqual(['one']);
    expect(Date.now() - began).toBeLessThan(5_000);
  });
});
