/** The store of a database that goes away without a word, or that only reads for a while. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UpstreamError } from '../../../src/contracts/errors.ts';
import type { Store } from '../../../src/contracts/store.ts';
import { openStore } from '../../../src/store/store.ts';
import { runSql, silentLog, startTestDatabase, type TestDatabase, until } from '../../support/databases.ts';
import { openDoor } from '../../support/door.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database.stop());

function open(connectionString: string): Promise<Store> {
  return openStore({ connectionString, log: silentLog, applicationName: 'test' });
}

async function works(store: Store): Promise<boolean> {
  try {
    await store.check();
    return true;
  } catch (thrown) {
    if (thrown instanceof UpstreamError && thrown.retryable) return false;
    throw thrown;
  }
}

describe('a store whose connections all go silent', () => {
  it('works again with new ones, and leaves nobody waiting for a turn', { timeout: 60_000 }, async () => {
    const door = await openDoor(database.connectionString);
    const store = await open(door.connectionString);
    await Promise.all(Array.from({ length: 4 }, () => store.check()));
    await store.turn('before', () => store.check());
    door.silence();

    const turn = store.turn('after', async () => 'taken');
    const refused = expect(turn).rejects.toMatchObject({ service: 'database', retryable: true });
    // Asked all the time, as a running process does: no connection is idle for long enough to be dropped for that.
    await Promise.all(Array.from({ length: 4 }, () => until('it works', () => works(store), 30_000)));
    await refused;

    expect(await store.turn('after', async () => 'taken')).toBe('taken');
    await store.close();
    await door.close();
  });
});

describe('a store whose connections lead to a server that only reads', () => {
  it('works as soon as new ones lead to one that writes', async () => {
    const store = await open(database.connectionString);
    const name = new URL(database.connectionString).pathname.slice(1);
    await runSql(database.connectionString, `alter database ${name} set default_transaction_read_only = on`);
    await runSql(
      database.connectionString,
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    await until('it reads only', async () => !(await works(store)));
    await runSql(
      database.connectionString,
      `begin read write; alter database ${name} reset default_transaction_read_only; commit`,
    );

    await until('it works', () => works(store), 5_000);
    await store.close();
  });
});
