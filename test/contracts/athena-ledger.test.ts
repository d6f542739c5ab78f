/** The ledger of Athena's bytes: the store's, shared by all processes, and the command line's in the data folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AthenaLedger } from '../../src/contracts/athena.ts';
import type { Store } from '../../src/contracts/store.ts';
import { fileLedger } from '../../src/evidence/athena/ledger.ts';
import { openStore } from '../../src/store/store.ts';
import { silentLog, startTestDatabase, type TestDatabase } from '../support/databases.ts';

let database: TestDatabase;
let stores: readonly Store[] = [];
let folder: string;

beforeAll(async () => {
  database = await startTestDatabase();
  const options = { connectionString: database.connectionString, log: silentLog, applicationName: 'ledger test' };
  stores = [await openStore(options), await openStore(options)];
  folder = mkdtempSync(join(tmpdir(), 'firebreak-ledger-'));
});
afterAll(async () => {
  for (const store of stores) await store.close();
  await database?.stop();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

function ask(ledger: AthenaLedger, id: string, bytes: number, at: string, caseId?: string) {
  return ledger.reserve({ id, caseId, bytes, title: 'a question', maxPerDay: 1000, maxPerCase: 600, at });
}

describe.each(['the store', 'the data folder'])('%s', (where) => {
  const ledger = () => (where === 'the store' ? (stores[0]?.athena as AthenaLedger) : fileLedger(folder));

  it('grants until the day is full, counts what was really read, and begins anew at midnight UTC', async () => {
    const first = await ask(ledger(), `${where}-1`, 900, '2026-01-10T23:00:00.000Z');
    const second = await ask(ledger(), `${where}-2`, 200, '2026-01-10T23:30:00.000Z');
    await ledger().settle(`${where}-1`, 300);
    const third = await ask(ledger(), `${where}-3`, 700, '2026-01-10T23:59:59.000Z');
    const next = await ask(ledger(), `${where}-4`, 1000, '2026-01-11T00:00:00.000Z');

    expect([first.granted, second, third.granted, next.granted]).toEqual([
      true,
      { granted: false, left: 100, limit: 'day' },
      true,
      true,
    ]);
  });
});

describe('the store', () => {
  it('limits a case over all days', async () => {
    const ledger = stores[0]?.athena as AthenaLedger;
    expect((await ask(ledger, 'case-1', 500, '2026-02-01T00:00:00.000Z', 'c1')).granted).toBe(true);
    expect(await ask(ledger, 'case-2', 200, '2026-02-02T00:00:00.000Z', 'c1')).toEqual({
      ...{ granted: false, left: 100, limit: 'case' },
    });
    expect((await ask(ledger, 'case-3', 200, '2026-02-02T00:00:00.000Z', 'c2')).granted).toBe(true);
  });

  it('gives the last bytes to one of many who ask at once, in any process', async () => {
    const asked = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        ask(stores[n % 2]?.athena as AthenaLedger, `race-${n}`, 300, '2026-03-01T12:00:00.000Z'),
      ),
    );

    expect(asked.filter(({ granted }) => granted)).toHaveLength(3);
  });
});
