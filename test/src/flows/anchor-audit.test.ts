/** Anchoring against a real database from two processes' stores, and a real S3 client over HTTP. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openAnchorBucket } from '../../../src/aws/audit-anchors.ts';
import type { AnchorBucket } from '../../../src/contracts/audit-anchor.ts';
import type { Store } from '../../../src/contracts/store.ts';
import { AuditSection, anchorCheck, anchorProblem } from '../../../src/domain/audit-anchor.ts';
import { anchorAudit } from '../../../src/flows/anchor-audit.ts';
import { openStore } from '../../../src/store/store.ts';
import { quietLog } from '../../fakes/quiet-log.ts';
import { silentLog, startTestDatabase, type TestDatabase } from '../../support/databases.ts';
import { bucketName, type LockingBucket, startLockingBucket } from '../../support/locking-bucket.ts';

const minute = 60_000;
const { anchor } = AuditSection.parse({ anchor: { bucket: bucketName, prefix: 'ours', region: 'eu-west-1' } });
if (anchor === undefined) throw new RangeError('the schema lost the anchor');

let database: TestDatabase;
let stores: readonly [Store, Store];
let s3: LockingBucket;
let bucket: AnchorBucket;
let now: number;
const clock = { now: () => new Date(now), sleep: () => Promise.resolve() };

beforeEach(async () => {
  now = Date.parse('2026-11-21T12:00:00.000Z');
  database = await startTestDatabase();
  const open = () =>
    openStore({ connectionString: database.connectionString, log: silentLog, applicationName: 'test' });
  stores = [await open(), await open()];
  s3 = await startLockingBucket();
  vi.stubEnv('AWS_ENDPOINT_URL_S3', s3.url);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'x');
  bucket = openAnchorBucket(anchor, { pathStyle: true });
});
afterEach(async () => {
  bucket.close();
  vi.unstubAllEnvs();
  await s3.close();
  for (const store of stores) await store.close();
  await database.stop();
});
let keeper: TestDatabase;
beforeAll(async () => {
  // Keeps the server of this file between its tests.
  keeper = await startTestDatabase();
});
afterAll(() => keeper.stop());

const run = (store: Store = stores[0]) =>
  anchorAudit({ clock, log: quietLog, store, bucket, anchor, version: '1.2.3' });
const happen = (event: string) =>
  stores[0].audit.append({ event, actor: 'U1', at: clock.now().toISOString(), payload: {} });
const puts = () => s3.asked.filter((line) => line.startsWith('PUT')).length;

describe('anchoring', () => {
  it('puts a new head once, locked for its days, whatever the number of workers, and nothing where nothing changed', async () => {
    await run();
    expect(puts()).toBe(0);

    await happen('ask');
    await Promise.all([run(), run(stores[1]), run(), run(stores[1])]);
    now += 16 * minute;
    await Promise.all([run(), run(stores[1])]);

    const head = await stores[0].audit.head();
    expect(puts()).toBe(1);
    expect(s3.versions).toEqual([
      {
        id: expect.any(String),
        key: `ours/000000000001-${head?.hash}.json`,
        body: expect.any(String),
        mode: 'COMPLIANCE',
        until: expect.stringMatching(/^2027-11-21T12:00:00/),
      },
    ]);
    expect(JSON.parse(s3.versions[0]?.body ?? '')).toEqual({
      kind: 'firebreak-audit-head',
      seq: 1,
      hash: head?.hash,
      at: '2026-11-21T12:00:00.000Z',
      version: '1.2.3',
    });
  });

  it('waits for its interval, then puts the newest head', async () => {
    await happen('ask');
    await run();
    await happen('plan');
    await happen('vote');
    now += 14 * minute;
    await run(stores[1]);
    expect(puts()).toBe(1);

    now += minute;
    await run(stores[1]);

    expect(s3.versions.map(({ body }) => (JSON.parse(body) as { seq: number }).seq)).toEqual([1, 3]);
    expect(await stores[0].anchors.state()).toMatchObject({ ok: true, written: 2, failed: 0, last: { seq: 3 } });

    const never = '2099-01-01T00:00:00Z';
    await stores[0].anchors.note({ ok: true, triedAt: never, since: never, written: 2, failed: 0 });
    await happen('execute');
    await run();
    expect(s3.versions).toHaveLength(3);
  });

  it('finds what it wrote where the answer was lost, overwrites nothing, and says so where another thing stands there', async () => {
    await happen('ask');
    s3.mood = 'lost';
    await run();
    expect(s3.versions).toHaveLength(1);
    // The SDK asks again, and is told that it is there.
    expect(await stores[0].anchors.state()).toMatchObject({ ok: true, written: 1, last: { seq: 1 } });
    s3.mood = 'well';
    // As after a kill between the write and its note.
    await stores[0].anchors.note({ ok: true, triedAt: '2026-11-20T12:00:00Z', since: '', written: 0, failed: 0 });
    now += 2 * minute;
    await run();
    expect(s3.versions).toHaveLength(1);
    expect(await stores[0].anchors.state()).toMatchObject({ ok: true, written: 1, last: { seq: 1 } });

    await happen('plan');
    const head = await stores[0].audit.head();
    const key = `ours/000000000002-${head?.hash}.json`;
    s3.versions.push({ id: 'v', key, body: '{}' });
    now += 15 * minute;
    await run();
    expect(s3.versions).toHaveLength(2);
    expect(await stores[0].anchors.state()).toMatchObject({ ok: false, because: 'AnchorTaken', failed: 1 });
  }, 30_000);

  it.each([
    ['down', 'ServiceUnavailable'],
    ['denied', 'AccessDenied'],
    ['unlocked', 'InvalidRequest'],
  ] as const)(
    'notes that a bucket is %s, tries again after two minutes, and then is well',
    async (mood, because) => {
      await happen('ask');
      s3.mood = mood;
      await run();
      const since = clock.now().toISOString();
      expect(await stores[0].anchors.state()).toMatchObject({ ok: false, because, since, failed: 1, written: 0 });
      const before = puts();
      now += minute;
      await run();
      expect(puts()).toBe(before);
      now += minute;
      await run();
      const state = await stores[0].anchors.state();
      expect(state).toMatchObject({ ok: false, since, failed: 2 });
      expect(anchorProblem(state, await stores[0].audit.head(), 15, clock.now())).toContain(
        `(${because}) since ${since}`,
      );

      s3.mood = 'well';
      now += 2 * minute;
      await run();

      expect(s3.versions).toHaveLength(1);
      expect(await stores[0].anchors.state()).toMatchObject({ ok: true, failed: 2, written: 1 });
    },
    60_000,
  );

  it('reads all anchors, over pages, also what was hidden, and tells what is none', async () => {
    for (const event of ['ask', 'plan', 'vote']) {
      await happen(event);
      await run();
      now += 15 * minute;
    }
    s3.hide(s3.versions[0]?.key ?? '');
    s3.versions.push({ id: 'x', key: 'ours/readme.txt', body: 'not ours' });
    s3.versions.push({ id: 'y', key: 'theirs/1.json', body: 'not looked at' });

    const { found, hidden } = await bucket.read(AbortSignal.timeout(10_000));

    expect(found.map((one) => (one.ok ? one.anchor.seq : one.because))).toEqual([1, 2, 3, 'is not JSON']);
    expect(hidden).toEqual([s3.versions[0]?.key]);
    const check = anchorCheck(found);
    for (const row of await stores[0].audit.read(0, 2)) check.see(row);
    expect(check.result()).toMatchObject({ total: 3, newest: 2, missing: [{ seq: 3 }] });
  });

  it('says that it could not look where S3 refuses, and what a bucket without Object Lock lacks', async () => {
    s3.mood = 'denied';
    await expect(bucket.read(AbortSignal.timeout(10_000))).rejects.toMatchObject({ code: 'AccessDenied' });
    await expect(bucket.lacks(AbortSignal.timeout(10_000))).rejects.toMatchObject({ code: 'AccessDenied' });
    s3.mood = 'unlocked';
    expect(await bucket.lacks(AbortSignal.timeout(10_000))).toBe('Object Lock is not on');
  });
});

describe('what is said of anchoring', () => {
  const at = '2026-11-21T12:00:00.000Z';
  const last = { seq: 1, hash: 'a', at, version: '1' };
  const well = { ok: true, triedAt: at, since: at, written: 1, failed: 0, last };
  const later = (minutes: number) => new Date(Date.parse(at) + minutes * minute);

  it('is nothing while all is anchored or soon will be, and a sentence where no worker does it', () => {
    expect(anchorProblem(undefined, undefined, 15, later(0))).toBeUndefined();
    expect(anchorProblem(well, { hash: 'a' }, 15, later(9_999))).toBeUndefined();
    expect(anchorProblem(well, { hash: 'b' }, 15, later(35))).toBeUndefined();
    expect(anchorProblem(well, { hash: 'b' }, 15, later(36))).toBe(
      `no worker has anchored the head of the audit since ${at}`,
    );
    expect(anchorProblem(undefined, { hash: 'b' }, 15, later(0))).toContain('yet');
  });
});
