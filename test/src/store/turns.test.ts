import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../../src/contracts/store.ts';
import { openStore } from '../../../src/store/store.ts';
import { runSql, silentLog, startTestDatabase, type TestDatabase, until } from '../../support/databases.ts';

describe('turns', () => {
  let database: TestDatabase;
  let stores: readonly Store[];
  beforeAll(async () => {
    database = await startTestDatabase();
    const { connectionString } = database;
    const open = (applicationName: string) => openStore({ connectionString, log: silentLog, applicationName });
    stores = [await open('one'), await open('two')];
  });
  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await database?.stop();
  });
  const either = (index: number) => stores[index % 2] as Store;

  it('come one at a time for a key, over all processes', async () => {
    let inside = 0;
    let most = 0;
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await either(1).check();
      inside -= 1;
    };

    await Promise.all(Array.from({ length: 20 }, (_, index) => either(index).turn('card', work)));

    expect(most).toBe(1);
  });

  it('do not wait for those of another key', async () => {
    const second = Promise.withResolvers<void>();
    await either(0).turn('a', async () => {
      await either(1).turn('b', async () => second.resolve());
      await second.promise;
    });
  });

  it('give what the work gives, and throw what it throws, and go on to the next', async () => {
    expect(await either(0).turn('card', async () => 7)).toBe(7);
    const failing = either(0).turn('card', async () => {
      throw new TypeError('not mine');
    });
    await expect(failing).rejects.toThrow(TypeError);
    expect(await either(1).turn('card', async () => 8)).toBe(8);
  });

  it('end with the session of a process that dies', async () => {
    const ended = Promise.withResolvers<void>();
    let holds = false;
    const held = either(0).turn('card', async () => {
      holds = true;
      await ended.promise;
    });
    await until('the first has it', () => holds);
    const next = either(1).turn('card', async () => 'mine');
    await runSql(
      database.connectionString,
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'one turns'`,
    );

    expect(await next).toBe('mine');
    ended.resolve();
    await held;
  });
});
