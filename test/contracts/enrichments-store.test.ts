/** What is looked up for cards, on a real database. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Alert } from '../../src/contracts/alert.ts';
import type { EnrichmentPart } from '../../src/contracts/enrichment.ts';
import type { Store } from '../../src/contracts/store.ts';
import { openStore } from '../../src/store/store.ts';
import { quietLog } from '../fakes/quiet-log.ts';
import { startTestDatabase, type TestDatabase } from '../support/databases.ts';

let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  database = await startTestDatabase();
  store = await openStore({ connectionString: database.connectionString, log: quietLog, applicationName: 'test' });
});
afterAll(async () => {
  await store?.close();
  await database?.stop();
});

const at = '2026-11-20T22:00:00.000Z';
const later = '2026-11-20T22:30:00.000Z';
const longAgo = '2026-11-20T20:00:00.000Z';
const part: EnrichmentPart = {
  key: 'who:1:a',
  investigation: 'who',
  at,
  brief: {
    facts: [{ label: 'Who', value: [{ kind: 'text', text: 'odd \u0000 name' }] }],
    missing: [],
    mayComeLater: false,
  },
};

it('wants a case once, again for other subjects, and again when the answer is old', async () => {
  const { enrichments } = store;

  expect(await enrichments.want('IR-1', 'a', at, longAgo)).toBe(true);
  expect(await enrichments.want('IR-1', 'a', at, longAgo)).toBe(false);
  const wanted = await enrichments.get('IR-1');
  if (wanted === undefined) throw new Error('it was not noted');
  await enrichments.save({ ...wanted, parts: [part], tries: 3, finishedAt: at });
  expect(await enrichments.want('IR-1', 'a', later, longAgo)).toBe(false);
  expect(await enrichments.want('IR-1', 'a', later, later)).toBe(true);
  expect(await enrichments.get('IR-1')).toMatchObject({ tries: 0, finishedAt: undefined, parts: [{ key: 'who:1:a' }] });
  expect(await enrichments.want('IR-1', 'b', later, longAgo)).toBe(true);

  // The older version's answer comes too late.
  await enrichments.save({ ...wanted, parts: [], tries: 9, finishedAt: later });
  expect(await enrichments.get('IR-1')).toMatchObject({ version: 'b', tries: 0, finishedAt: undefined });
});

it('names what is unfinished to the sweep', async () => {
  await store.enrichments.want('IR-2', 'a', at, longAgo);

  expect(await store.enrichments.unfinished(later, 10)).toContain('IR-2');
  expect(await store.enrichments.unfinished(longAgo, 10)).toEqual([]);
});

it('serves a fresh answer on the same subject to other cases', async () => {
  await store.enrichments.keep(part);

  expect(await store.enrichments.recall(['who:1:a', 'none'], longAgo)).toMatchObject([{ key: 'who:1:a' }]);
  expect(await store.enrichments.recall(['who:1:a'], later)).toEqual([]);
  expect(await store.enrichments.recall([], longAgo)).toEqual([]);
});

it('knows which resources a finding names', async () => {
  const alert: Alert = {
    ...{
      source: 'guardduty',
      dedupeKey: 'n1',
      updatedAt: at,
      count: 1,
      findingId: 'f',
      type: 't',
      severity: 8,
      title: '',
      description: '',
    },
    ...{
      partition: 'aws',
      accountId: '123456789012',
      region: 'eu-west-1',
      resource: { type: 'Instance' },
      actor: {},
      remote: [],
    },
    ...{ resourceIds: ['i-0123456789abcdef0', "x'); drop table cases; --"], sample: false, archived: false, notes: [] },
  };
  await store.cases.openOrMerge({ alert, channel: 'C1', at });

  expect(await store.enrichments.noticed(['i-0123456789abcdef0', 'i-0aaaaaaaaaaaaaaaa'])).toEqual([
    'i-0123456789abcdef0',
  ]);
  expect(await store.enrichments.noticed([])).toEqual([]);
});
