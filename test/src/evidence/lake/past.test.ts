/** The kept past: the same whatever the order, the splits and the crashes; what is spoilt is made again and said. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { PastAnswer } from '../../../../src/contracts/baseline.ts';
import type { Evidence } from '../../../../src/contracts/evidence.ts';
import type { Log } from '../../../../src/contracts/log.ts';
import { Baseline } from '../../../../src/domain/baseline/baseline.ts';
import { parseRecord } from '../../../../src/domain/record.ts';
import { addPiece, piecesOf, readBucket, writeBucket } from '../../../../src/evidence/lake/baseline-files.ts';
import { openPast } from '../../../../src/evidence/lake/past.ts';
import { planEvidence } from '../../../../src/evidence/plan.ts';
import { hunt } from '../../../../workflows/investigation/hunt.ts';
import { triage } from '../../../../workflows/investigation/triage.ts';
import { importFolder, tempDir } from './lakes.ts';
import { places, placesOf } from './places.ts';

const day = 86_400_000;
const start = Date.UTC(2026, 6, 1, 9);
let numbers = 0;

type Raw = Readonly<Record<string, unknown>>;

function raw(at: number, user: string, more: Raw = {}): Raw {
  numbers += 1;
  return {
    eventVersion: '1.11',
    eventTime: new Date(at).toISOString().replace('.000Z', 'Z'),
    eventName: 'GetBucketAcl',
    eventSource: 's3.amazonaws.com',
    eventID: `00000000-0000-4000-8000-${String(numbers).padStart(12, '0')}`,
    awsRegion: 'eu-west-1',
    sourceIPAddress: '203.0.113.7',
    userAgent: 'aws-cli/2.1',
    readOnly: true,
    recipientAccountId: '111122223333',
    userIdentity: {
      type: 'IAMUser',
      arn: `arn:aws:iam::111122223333:user/${user}`,
      accountId: '111122223333',
      accessKeyId: `AKIA${user.toUpperCase().padEnd(16, '7')}`,
      userName: user,
    },
    ...more,
  };
}

const users = ['ada', 'bob', 'carol', 'dave'];

/** Habits, then oddities: places, Regions, bursts, a key that awakes, two countries within an hour. */
function story(): readonly Raw[] {
  const habits = users.flatMap((user) =>
    Array.from({ length: 60 }, (_, i) => raw(start + Math.floor(i / 3) * day + (i % 3) * 3_600_000, user)),
  );
  const later = start + 20 * day;
  const abroad = { sourceIPAddress: '198.51.100.9' };
  return [
    ...habits,
    raw(later, 'ada', { ...abroad, readOnly: false, eventName: 'PutBucketPolicy' }),
    raw(later + 20 * 60_000, 'ada'),
    ...['a', 'b', 'c', 'd', 'e'].map((name, i) =>
      raw(later + i * 1_000, 'bob', { awsRegion: `x-${name}-1`, readOnly: false, eventName: 'RunInstances' }),
    ),
    ...Array.from({ length: 22 }, (_, i) => raw(later + i * 1_000, 'carol', { eventName: `List${i}s` })),
    raw(start + 150 * day, 'dave'),
    ...Array.from({ length: 6 }, (_, i) =>
      raw(later + i * 2_000, 'dave', {
        eventName: `Get${i}`,
        errorCode: 'AccessDenied',
        sourceIPAddress: '203.0.113.99',
      }),
    ),
  ];
}

function logTo(lines: string[]): Log {
  const note = (_fields: object, text: string) => lines.push(text);
  return { debug: () => undefined, info: () => undefined, warn: note, error: note };
}

function pastOf(dataDir: string, lines: string[] = [], book: typeof places | undefined = places, flushAt?: number) {
  const log = logTo(lines);
  return openPast({ dataDir, addresses: async () => book, log, ...(flushAt === undefined ? {} : { flushAt }) });
}

const signal = new AbortController().signal;
const asked = { signal, progress: () => undefined };

function told({ found }: Pick<PastAnswer, 'found'>): string[] {
  return found
    .map(({ rule, group, sighting, rests }) => [rule, group, sighting.eventId, rests?.days, rests?.events].join(' '))
    .sort();
}

/** Answer from the records themselves. */
function expected(records: readonly Raw[]): string[] {
  const baseline = new Baseline(places);
  for (const one of records) {
    const parsed = parseRecord(one);
    if (!parsed.ok) throw new Error(parsed.reason);
    baseline.observe(parsed.record);
  }
  return told({ found: baseline.found() });
}

async function addTo(dataDir: string, parts: readonly (readonly Raw[])[]): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'past-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await Promise.all(
    parts.map((records, i) => writeFile(join(dir, `${numbers}-${i}.json`), JSON.stringify({ Records: records }))),
  );
  await importFolder(dir, dataDir);
}

async function filesIn(dataDir: string): Promise<string[]> {
  return (await readdir(join(dataDir, 'lake', 'baselines'))).sort();
}

/** LookupEvents for the time that the lake does not have. */
function restOf(records: readonly Raw[]): Evidence {
  const parsed = records.flatMap((one) => {
    const record = parseRecord(one);
    return record.ok ? [record.record] : [];
  });
  return {
    recordsOf: async () => [],
    async *all() {
      yield* parsed;
    },
    coverage: () => ({
      ...{ complete: true, accounts: ['111122223333'], regions: ['eu-west-1'], from: '', to: '' },
      ...{ sources: [{ name: 'rest', events: parsed.length, pages: 1, truncated: false, failed: false }] },
      ...{ badFiles: [], notLookedAt: [] },
    }),
    progress: () => ({ regionsDone: 1, regions: 1, eventsRead: 0, requests: 0 }),
  };
}

describe('the kept past', () => {
  it('is the same as of all records at once, however they are split and in whatever order they come', {
    timeout: 180_000,
  }, async () => {
    const records = story();
    const whole = expected(records);
    expect(new Set(whole.map((line) => line.split(' ')[0])).size).toBeGreaterThan(7);
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([...records], { minLength: records.length }),
        fc.array(fc.integer({ min: 1, max: records.length - 1 }), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        async (shuffled, cuts, isEager) => {
          const dataDir = await mkdtemp(join(tmpdir(), 'past-'));
          try {
            const places = [0, ...cuts.toSorted((a, b) => a - b), records.length];
            const past = pastOf(dataDir, [], undefined, isEager ? 1 : undefined);
            for (let i = 1; i < places.length; i += 1) {
              const part = shuffled.slice(places[i - 1], places[i]);
              if (part.length > 0) await addTo(dataDir, [part]);
              if (isEager) expect(await past.update(signal)).toBe(true);
            }
            expect(told(await past.answer(asked))).toEqual(whole);
          } finally {
            await rm(dataDir, { recursive: true, force: true });
          }
        },
      ),
      { numRuns: 8 },
    );
  });

  it('tells of a window what stands out in it, against all of the past before it', async () => {
    const dataDir = await tempDir();
    await addTo(dataDir, [story()]);
    const past = pastOf(dataDir);

    const from = new Date(start + 20 * day).toISOString();
    const inWindow = await past.answer({ ...asked, from, to: new Date(start + 21 * day).toISOString() });
    const before = await past.answer({ ...asked, to: from });

    expect(told(inWindow).some((line) => line.startsWith('baseline-several-firsts-with-changes'))).toBe(true);
    expect(inWindow.history).toMatchObject({ principals: 4, judged: 4, countries: true });
    expect(before.found).toEqual([]);
    expect((await past.answer({ ...asked, regions: ['eu-west-1'] })).found.length).toBeLessThan(
      (await past.answer(asked)).found.length,
    );
  });

  it('counts nothing twice and loses nothing when an update is killed at any point', { timeout: 120_000 }, async () => {
    const records = story();
    const dataDir = await tempDir();
    for (let at = 0; at < records.length; at += 30) await addTo(dataDir, [records.slice(at, at + 30)]);
    const script = join(import.meta.dirname, 'past-process.ts');
    const dir = join(dataDir, 'lake', 'baselines');
    const written = async () => {
      const text = await readFile(join(dir, 'page.json'), 'utf8').catch(() => '{"shards":[]}');
      return (JSON.parse(text) as { shards: string[] }).shards.length;
    };
    const reached: number[] = [];
    for (const [shards, ms] of [
      [0, 0],
      [1, 0],
      [2, 5],
      [4, 9],
      [5, 2],
    ] as const) {
      // As if the five seconds were over after which the lock of a killed process is free.
      await rm(join(dir, 'lock'), { recursive: true, force: true });
      const child = spawn(process.execPath, [script, dataDir], { stdio: 'ignore' });
      const ended = once(child, 'close');
      while (child.exitCode === null && !(await readdir(dir).catch(() => [] as string[])).includes('lock'))
        await sleep(1);
      while (child.exitCode === null && (await written()) < shards) await sleep(1);
      await sleep(ms);
      child.kill('SIGKILL');
      await ended;
      reached.push(await written());
    }
    // They were killed in the middle, one after the other.
    expect(reached.filter((many) => many > 0 && many < 10).length, reached.join()).toBeGreaterThan(2);
    // The lock of a killed update is free after five seconds; until then hunts answer all the same.
    expect(told(await pastOf(dataDir).answer(asked))).toEqual(expected(records));
    const began = Date.now();
    while (!(await pastOf(dataDir).update(signal)) && Date.now() - began < 10_000) await sleep(200);

    expect(told(await pastOf(dataDir).answer(asked))).toEqual(expected(records));
    const page = JSON.parse(await readFile(join(dataDir, 'lake', 'baselines', 'page.json'), 'utf8')) as {
      shards: string[];
      buckets: Record<string, { file: string }>;
    };
    const shards = (await readdir(join(dataDir, 'lake', 'shards'))).filter((name) => name.endsWith('.parquet'));
    expect(page.shards).toEqual(shards.sort());
    const named = Object.values(page.buckets).map(({ file }) => file);
    expect(await filesIn(dataDir)).toEqual([...named, 'page.json'].sort());
  });

  it.each([
    ['a file that is cut', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2), false],
    ['a page that is garbage', () => Buffer.from('{"version":1,"sh'), true],
    [
      'a page of another version',
      (bytes: Buffer) => Buffer.from(String(bytes).replace('"version":1', '"version":0')),
      true,
    ],
  ])('makes again what is spoilt by %s, with a line in the log and the same answer', async (_what, spoil, isPage) => {
    const records = story();
    const dataDir = await tempDir();
    await addTo(dataDir, [records]);
    expect(await pastOf(dataDir).update(signal)).toBe(true);
    const names = await filesIn(dataDir);
    const name = isPage ? 'page.json' : (names.find((one) => one.endsWith('.gz')) ?? '');
    const path = join(dataDir, 'lake', 'baselines', name);
    await writeFile(path, spoil(await readFile(path)));

    const lines: string[] = [];
    expect(told(await pastOf(dataDir, lines).answer(asked))).toEqual(expected(records));
    expect(lines.join('\n')).toMatch(/baselines cannot be used/);

    // An update finds it too, and what it writes is whole.
    await addTo(dataDir, [[raw(start + 30 * day, 'ada')]]);
    expect(await pastOf(dataDir).update(signal)).toBe(true);
    const quiet: string[] = [];
    expect(told(await pastOf(dataDir, quiet).answer(asked))).toEqual(
      expected([...records, raw(start + 30 * day, 'ada')]),
    );
    expect(quiet).toEqual([]);
  });

  it('is made again where a part of the lake is gone, or where countries come from another database', async () => {
    const records = story();
    const dataDir = await tempDir();
    await addTo(dataDir, [records]);
    await addTo(dataDir, [[raw(start + 30 * day, 'eve')]]);
    await pastOf(dataDir).update(signal);
    const shards = join(dataDir, 'lake', 'shards');
    for (const name of await readdir(shards)) {
      if (!name.endsWith('.json')) continue;
      const page = JSON.parse(await readFile(join(shards, name), 'utf8')) as { shard: { name: string; rows: number } };
      if (page.shard.rows > 1) continue;
      await rm(join(shards, name));
      await rm(join(shards, page.shard.name));
    }

    const lines: string[] = [];
    const answer = await pastOf(dataDir, lines).answer(asked);
    expect(told(answer)).toEqual(expected(records));
    expect(answer.history.principals).toBe(4);
    expect(lines).toHaveLength(1);

    const again: string[] = [];
    await pastOf(dataDir, again, placesOf('country database (July 2026)')).answer(asked);
    expect(again).toHaveLength(1);
  });

  it('leaves what has countries to those who know countries', async () => {
    const dataDir = await tempDir();
    await addTo(dataDir, [story()]);
    const blind = openPast({ dataDir, addresses: async () => undefined, log: logTo([]) });
    await pastOf(dataDir).update(signal);
    const before = await filesIn(dataDir);
    await addTo(dataDir, [[raw(start + 30 * day, 'ada')]]);

    expect(await blind.update(signal)).toBe(false);
    expect(await filesIn(dataDir)).toEqual(before);
    expect((await blind.answer(asked)).found.length).toBeGreaterThan(0);
    expect(await pastOf(dataDir).update(signal)).toBe(true);
  });

  it('is written by one process at a time, and read by all', async () => {
    const records = story();
    const dataDir = await tempDir();
    await addTo(dataDir, [records]);
    const dir = join(dataDir, 'lake', 'baselines');
    await mkdir(dir, { recursive: true });
    const { lock } = await import('proper-lockfile');
    const release = await lock(dir, { lockfilePath: join(dir, 'lock'), realpath: false, update: 1_000, stale: 5_000 });

    expect(await pastOf(dataDir).update(signal)).toBe(false);
    expect(told(await pastOf(dataDir).answer(asked))).toEqual(expected(records));
    expect(await filesIn(dataDir)).toEqual(['lock']);
    await release();
    const [a, b] = [pastOf(dataDir), pastOf(dataDir)];
    const done = await Promise.all([a.update(signal), b.update(signal), a.update(signal)]);
    expect(done).toContain(true);
    expect(told(await b.answer(asked))).toEqual(expected(records));
  });

  it('tells what stands out of late once for each change, and again where telling failed', async () => {
    const dataDir = await tempDir();
    await addTo(dataDir, [story()]);
    const past = pastOf(dataDir);
    await past.update(signal);
    const since = start + 20 * day;
    const heard: string[] = [];
    const hear = async (found: PastAnswer['found']) => {
      heard.push(...told({ found }));
    };

    await expect(past.recent(since, () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    await past.recent(since, hear);
    const once = heard.length;
    await past.recent(since, hear);

    expect(once).toBeGreaterThan(5);
    expect(heard).toHaveLength(once);
  });

  it('compares what comes in with what is kept, each thing once, and knows what came before in the same hour', async () => {
    const dataDir = await tempDir();
    const habits = story().slice(0, 240);
    await addTo(dataDir, [habits]);
    const past = pastOf(dataDir);
    await past.update(signal);
    const at = start + 20 * day;
    const record = (more: Raw, user = 'ada') => {
      const parsed = parseRecord(raw(at, user, more));
      if (!parsed.ok) throw new Error(parsed.reason);
      return parsed.record;
    };
    const rules = async (...records: Parameters<typeof past.compare>[0]) =>
      (await past.compare(records)).map(({ rule }) => rule.replace('baseline-', '')).sort();

    expect(await rules(record({}), record({}, 'nobody'))).toEqual([]);
    expect(await rules(record({ sourceIPAddress: '198.51.100.9' }))).toEqual([
      ...['impossible-travel', 'new-country', 'new-network', 'several-firsts'],
    ]);
    expect(await rules(record({ sourceIPAddress: '198.51.100.9' }))).toEqual([]);
    const made = record(
      {
        eventName: 'CreateAccessKey',
        eventSource: 'iam.amazonaws.com',
        readOnly: false,
        responseElements: { accessKey: { accessKeyId: 'AKIAZOE7777777777777', userName: 'zoe' } },
      },
      'carol',
    );
    expect(await rules(made, record({ sourceIPAddress: '203.0.113.200' }, 'zoe'))).toEqual([
      'new-key-elsewhere',
      'new-service',
    ]);
    const regions = ['a', 'b', 'c', 'd', 'e'].map((name) => record({ awsRegion: `x-${name}-1` }, 'bob'));
    expect(await rules(...regions.slice(0, 3))).toEqual(['new-region', 'new-region', 'new-region']);
    await addTo(dataDir, [[raw(at, 'eve')]]);
    await past.update(signal);
    // What is kept was read anew, and the records on top are still there.
    expect(await rules(...regions.slice(3))).toEqual(['new-region', 'new-region', 'region-fan-out']);
  });

  it('serves hunts and triages of one day with all of the past, with what came after the last import on top', async () => {
    const dataDir = await tempDir();
    await addTo(dataDir, [story().slice(0, 240)]);
    const late = start + 19 * day + 5 * 3_600_000;
    const window = { from: new Date(late - day).toISOString(), to: new Date(late + day).toISOString() };
    const abroad = {
      sourceIPAddress: '198.51.100.9',
      userAgent: 'curl/8',
      readOnly: false,
      eventName: 'PutBucketTagging',
    };
    const lines: string[] = [];
    const evidence = await planEvidence(
      { window, accounts: ['111122223333'], regions: ['eu-west-1'], maxEvents: 10_000, signal },
      {
        dataDir,
        log: logTo(lines),
        past: pastOf(dataDir, lines),
        openLookup: async () => restOf([raw(late, 'ada', abroad), raw(late, 'eve', abroad)]),
      },
    );
    const ctx = { evidence, aws: undefined, signal, progress: () => undefined, now: () => new Date(late + day) };

    for (const pick of ['all', 'baselines', 'baseline-several-firsts-with-changes']) {
      const { answer, parts } = await hunt.run(hunt.target.parse({ pick }), ctx);
      const { matches, history } = answer as unknown as {
        matches: { rule: string; principal: string; restsOn?: { days: number; events: number } }[];
        history: { principals: number; from: string };
      };
      const told = matches.filter(({ rule }) => rule === 'baseline-several-firsts-with-changes');
      expect(told, pick).toMatchObject([
        { principal: 'arn:aws:iam::111122223333:user/ada', restsOn: { days: 19, events: 57 } },
      ]);
      expect(history).toMatchObject({ principals: 5, judged: 4, from: new Date(start).toISOString() });
      expect(JSON.stringify(parts)).toContain('19 days of records');
    }
    const off = [{ rule: 'baseline-*', reason: 'noisy', by: 'me' }];
    const settled = await hunt.run(hunt.target.parse({ pick: 'all' }), {
      ...ctx,
      ruleSettings: { disabled: off, exceptions: [], problems: [] },
    });
    expect(JSON.stringify((settled.answer as unknown as { matches: unknown }).matches)).not.toContain('baseline-');
    // What would have to be made first is told, and made only for who asks for it.
    const unready = { ...ctx, evidence: { ...evidence, isPastReady: async () => false } };
    const all = await hunt.run(hunt.target.parse({ pick: 'all' }), unready);
    expect(JSON.stringify(all.parts)).toContain('/ir hunt baselines');
    expect(JSON.stringify(all.answer)).not.toContain('baseline-');
    const alone = await hunt.run(hunt.target.parse({ pick: 'baselines' }), unready);
    expect(JSON.stringify(alone.answer)).toContain('baseline-several-firsts-with-changes');

    const { answer } = await triage.run(triage.target.parse({}), ctx);
    const { steps } = answer as unknown as { steps: { id: string; state: string; principals: string[] }[] };
    expect(steps.find(({ id }) => id === 'unusual')).toMatchObject({
      state: 'hits',
      principals: ['arn:aws:iam::111122223333:user/ada'],
    });
  });

  it('has a bound for each principal and for all, and says so', async () => {
    const dir = await tempDir();
    const baseline = new Baseline();
    const observe = (one: Raw) => {
      const parsed = parseRecord(one);
      if (parsed.ok) baseline.observe(parsed.record);
    };
    for (let i = 0; i < 400; i += 1)
      observe(raw(start + i * day, 'busy', { userAgent: `tool${i}/1`, accessKeyId: '' }));
    for (let i = 0; i < 1_600; i += 1) observe(raw(start + i * 60_000, `user${i}`));
    expect(baseline.history()).toMatchObject({ principals: 1_601, capped: 1 });
    const page = await writeBucket(dir, '00', baseline, undefined);
    expect(page).toMatchObject({ principals: 1_500, evicted: 101 });
    const kept = await readBucket(dir, page);
    expect(kept.profiles.size).toBe(1_500);

    // Whoever was dropped and comes back learns anew: nothing of it is called new.
    const again = new Baseline();
    for (let i = 0; i < 30; i += 1) {
      const parsed = parseRecord(
        raw(start - (40 - i) * day, 'user0', { awsRegion: i === 29 ? 'x-new-1' : 'eu-west-1' }),
      );
      if (parsed.ok) again.observe(parsed.record);
    }
    expect(again.found().map(({ rule }) => rule)).toContain('baseline-new-region');
    for (const piece of piecesOf(again).values()) addPiece(kept, piece, page);
    expect(kept.found().filter(({ group }) => group.endsWith('user0'))).toEqual([]);
  });
});
