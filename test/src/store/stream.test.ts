/** The stream's state in a real database: whatever the order, the batches and the crashes, one burst is told once. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import type { Store } from '../../../src/contracts/store.ts';
import type { StreamJudge } from '../../../src/contracts/stream.ts';
import { type Detector, type DetectorOptions, detectorOf, eventKeyOf } from '../../../src/domain/detection/detector.ts';
import { parseRecord } from '../../../src/domain/record.ts';
import { runHunt } from '../../../src/domain/sigma/hunt.ts';
import { parseRules } from '../../../src/domain/sigma/parse.ts';
import { nothingSettled } from '../../../src/domain/sigma/settled.ts';
import { openStore } from '../../../src/store/store.ts';
import { silentLog, startTestDatabase, startTestStore, type TestStore } from '../../support/databases.ts';

const minute = 60_000;
const began = Date.UTC(2026, 10, 20, 12);
const now = '2026-11-20T13:00:00.000Z';

const base = (name: string, event: string): string =>
  `title: ${name}\nname: ${name}\nlevel: informational\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n  selection:\n    eventName: ${event}\n  condition: selection\n`;
const correlation = (name: string, body: string): string =>
  `title: ${name}\nname: ${name}\nlevel: high\ncorrelation:\n  group-by: [firebreak.principal]\n  timespan: 5m\n${body}`;

const book = parseRules([
  {
    path: 'rules.yml',
    text: [
      base('delete-base', 'Delete'),
      base('first-base', 'First'),
      base('then-base', 'Then'),
      correlation('many', '  type: event_count\n  rules: [delete-base]\n  condition: {gte: 4}\n'),
      correlation(
        'distinct',
        '  type: value_count\n  rules: [delete-base]\n  condition: {gte: 3, field: requestParameters.id}\n',
      ),
      correlation('very-many', '  type: event_count\n  rules: [flood-base]\n  condition: {gte: 6000}\n'),
      base('flood-base', 'Flood'),
      correlation('together', '  type: temporal\n  rules: [first-base, then-base]\n'),
      correlation('in-order', '  type: temporal_ordered\n  rules: [first-base, then-base]\n'),
    ].join('---\n'),
  },
]);

let ids = 0;
function detector(more: Partial<DetectorOptions> = {}): Detector {
  return detectorOf(book, {
    settings: nothingSettled,
    now: new Date(now),
    openFrom: 'medium',
    maxAgeHours: 24,
    counts: () => true,
    ownRoles: [],
    newId: () => {
      ids += 1;
      return `id-${ids}`;
    },
    ...more,
  });
}

let events = 0;
function call(user: string, eventName: string, at: number, id: string): CloudTrailRecord {
  events += 1;
  const parsed = parseRecord({
    eventID: `e-${events}`,
    eventTime: new Date(at).toISOString(),
    eventName,
    eventSource: 'x.amazonaws.com',
    awsRegion: 'eu-west-1',
    sourceIPAddress: '198.51.100.7',
    recipientAccountId: '111122223333',
    requestParameters: { id },
    userIdentity: { type: 'IAMUser', arn: `arn:aws:iam::111122223333:user/${user}`, accountId: '111122223333' },
  });
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.record;
}

describe('the stream in the database', () => {
  let opened: TestStore;
  let store: Store;
  beforeAll(async () => {
    opened = await startTestStore();
    store = opened.store;
  });
  afterAll(() => opened?.stop());

  async function receive(records: readonly CloudTrailRecord[]): Promise<number> {
    return store.stream.receive(
      records.map((record) => ({ eventKey: eventKeyOf(record), record })),
      now,
    );
  }

  async function workAll(judge: StreamJudge, limit: number): Promise<readonly string[]> {
    const told: string[] = [];
    for (;;) {
      const { taken, alerts } = await store.stream.work(judge, limit, now);
      for (const { alertId } of alerts) told.push(JSON.stringify((await store.alerts.get(alertId))?.alert));
      if (taken < limit) return told;
    }
  }

  it('finds the bursts that a hunt over the same records finds, in any order, in any batches, with failures in between', {
    timeout: 180_000,
  }, async () => {
    const plan = fc.array(
      fc.record({
        name: fc.constantFrom('Delete', 'Delete', 'First', 'Then'),
        at: fc.integer({ min: 0, max: 12 * 60 }),
        id: fc.constantFrom('a', 'b', 'c', 'd'),
      }),
      { minLength: 3, maxLength: 14 },
    );
    let users = 0;
    await fc.assert(
      fc.asyncProperty(
        plan,
        fc.integer({ min: 1, max: 5 }),
        fc.infiniteStream(fc.boolean()),
        async (calls, limit, fails) => {
          users += 1;
          const user = `u${users}`;
          const records = calls.map(({ name, at, id }) => call(user, name, began + at * 1_000, id));
          const judge = detector();
          const failing: StreamJudge = {
            ...judge,
            // As a crash in the middle of the transaction.
            judge: async (batch) => {
              const verdict = await judge.judge(batch);
              if (fails.next().value) throw new TypeError('killed');
              return verdict;
            },
          };
          for (const record of records) {
            await receive([record]);
            await store.stream
              .work(failing, limit, now)
              .catch((error: unknown) => expect(error).toBeInstanceOf(TypeError));
          }
          expect(await receive(records)).toBe(0);
          await workAll(judge, limit);

          const { matches } = await runHunt(stream(records), judge.picked, {
            signal: new AbortController().signal,
            progress: () => undefined,
          });
          const inHunt = new Set(matches.map(({ rule }) => rule.name));
          const told = await store.stream.work(judge, 10, now);
          expect(told.taken).toBe(0);
          const story = await storyOf(store, judge, user);
          expect(new Set(story.map(({ rule }) => rule))).toEqual(inHunt);
          for (const { rule, bursts } of story) {
            // Bursts within half an hour of each other are one, which counts its fullest window.
            const counts = matches.filter((match) => match.rule.name === rule).map((match) => match.burst?.count ?? 0);
            expect([rule, bursts]).toEqual([rule, [Math.max(...counts)]]);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('keeps what it counted over a restart, and takes events that are 20 minutes late', async () => {
    const [first, ...rest] = ['a', 'b', 'c'].map((id, i) => call('late', 'Delete', began + i * minute, id));
    await receive(rest);
    expect(await workAll(detector(), 100)).toEqual([]);
    await receive([call('late', 'Delete', began + 20 * minute, 'z')]);
    expect(await workAll(detector(), 100)).toEqual([]);
    await receive([first as CloudTrailRecord]);

    const told = await workAll(detector(), 100);

    expect(told).toHaveLength(1);
    expect(JSON.parse(told[0] ?? '')).toMatchObject({
      source: 'detection',
      type: 'distinct',
      severity: 8,
      count: 1,
      accountId: '111122223333',
    });
  });

  it('finds a burst in logs that come Region by Region, as an import of a day brings them', async () => {
    const [first, ...rest] = ['a', 'b', 'c'].map((id, i) => call('import', 'Delete', began + i * minute, id));
    const later = call('import', 'Delete', began + 10 * 60 * minute, 'z');
    const told: string[] = [];
    for (const file of [[first as CloudTrailRecord], [later], rest]) {
      await receive(file);
      told.push(...(await workAll(detector(), 100)));
    }

    expect(told.map((text) => JSON.parse(text))).toEqual([
      expect.objectContaining({
        type: 'distinct',
        firstSeen: new Date(began).toISOString(),
        lastSeen: new Date(began + 2 * minute).toISOString(),
      }),
    ]);
  });

  it('counts as many as a rule asks for', { timeout: 120_000 }, async () => {
    const records = Array.from({ length: 6_000 }, (_, i) => call('flood', 'Flood', began + (i % 250) * 1_000, 'x'));
    for (let at = 0; at < records.length; at += 2_000) await receive(records.slice(at, at + 2_000));

    const told = await workAll(detector(), 2_000);

    expect(told.map((text) => (JSON.parse(text) as { type: string }).type)).toEqual(['very-many']);
  });

  it('knows a record for as long as it may come again', async () => {
    const { connectionString, stop } = await startTestDatabase();
    const opening = { connectionString, log: silentLog, applicationName: 'test' };
    const [first, second] = [await openStore(opening), await openStore(opening)];
    try {
      const record = call('again', 'Delete', began, 'a');
      const rows = [{ eventKey: eventKeyOf(record), record }];
      const judge = detector({ maxAgeHours: 30 * 24 });
      expect(await first.stream.receive(rows, now)).toBe(1);
      await first.stream.work(judge, 10, new Date(Date.now() - 20 * 86_400_000).toISOString());
      // The first batch of a process cleans up.
      await second.stream.work(judge, 10, now);
      expect(await second.stream.receive(rows, now)).toBe(0);
    } finally {
      await first.close();
      await second.close();
      await stop();
    }
  });

  it('lets two workers share one queue of records without telling anything twice', async () => {
    const records = Array.from({ length: 60 }, (_, i) => call('shared', 'Delete', began + i * 1_000, `id-${i}`));
    await receive(records);

    const told = (await Promise.all([workAll(detector(), 7), workAll(detector(), 7)])).flat();

    const cases = new Set(told.map((text) => (JSON.parse(text) as { dedupeKey: string }).dedupeKey));
    expect(cases.size).toBe(1);
    expect((await storyOf(store, detector(), 'shared')).map(({ rule }) => rule).sort()).toEqual(['distinct', 'many']);
  });
});

/** The chapters of the principal's only story, read as a batch reads them. */
async function storyOf(store: Store, judge: StreamJudge, user: string) {
  let found: readonly { readonly rule: string; readonly bursts: readonly number[] }[] = [];
  const probe = call(user, 'Nothing', began, '');
  await store.stream.receive([{ eventKey: eventKeyOf(probe), record: probe }], now);
  await store.stream.work(
    {
      ...judge,
      judge: async (batch) => {
        const stories = await batch.storiesOf('111122223333', `arn:aws:iam::111122223333:user/${user}`);
        expect(stories.length).toBeLessThan(2);
        found = stories.flatMap(({ chapters }) =>
          chapters.map(({ rule, bursts }) => ({ rule, bursts: Object.values(bursts) })),
        );
        return judge.judge(batch);
      },
    },
    10,
    now,
  );
  return found;
}

async function* stream(records: readonly CloudTrailRecord[]): AsyncGenerator<CloudTrailRecord> {
  yield* records;
}
