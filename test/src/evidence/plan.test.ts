import { readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import { UpstreamError } from '../../../src/contracts/errors.ts';
import type { Evidence } from '../../../src/contracts/evidence.ts';
import { parseRecord } from '../../../src/domain/record.ts';
import { planEvidence } from '../../../src/evidence/plan.ts';
import { importFolder, openLake, tempDir } from './lake/lakes.ts';
import { folderOf, quiet, sample } from './samples.ts';

const user = { kind: 'user' as const, id: 'arn:aws:iam::111122223333:user/alice' };
const inside = { from: '2026-11-20T01:00:00Z', to: '2026-11-20T11:00:00Z' };

async function lakeOf(): Promise<string> {
  const dir = await folderOf({
    'a.json': JSON.stringify({
      Records: ['00', '05', '12'].map((hour) => sample({ at: `2026-11-20T${hour}:00:00Z` })),
    }),
  });
  const dataDir = await tempDir();
  await importFolder(dir, dataDir);
  return dataDir;
}

const asked: unknown[] = [];
/** What LookupEvents knows. */
const later: CloudTrailRecord[] = [];

function record(at: string): CloudTrailRecord {
  const parsed = parseRecord(sample({ at }));
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.record;
}

const lookup: Evidence = {
  recordsOf: async () => later,
  coverage: () => ({
    complete: true,
    accounts: [],
    regions: [],
    from: '',
    to: '2026-11-21T00:00:00Z',
    sources: [{ name: 'CloudTrail LookupEvents', events: 0, pages: 0, truncated: false, failed: false }],
    badFiles: [],
    notLookedAt: [],
  }),
  progress: () => ({ regionsDone: 0, regions: 0, eventsRead: 0, requests: 0 }),
};

async function plan(dataDir: string, more: { window?: typeof inside; accounts?: string[]; regions?: string[] } = {}) {
  const evidence = await planEvidence(
    {
      window: inside,
      accounts: undefined,
      regions: undefined,
      maxEvents: 1000,
      signal: new AbortController().signal,
      ...more,
    },
    {
      dataDir,
      log: quiet,
      openLookup: async (window) => {
        asked.push(window);
        return { ...lookup, coverage: () => ({ ...lookup.coverage(), ...window }) };
      },
    },
  );
  return { evidence, sources: () => evidence.coverage().sources.map((source) => source.name) };
}

describe('the source of an answer', () => {
  it('is the lake where it covers the window, accounts and Regions, and coverage says so', async () => {
    const dataDir = await lakeOf();
    const { evidence, sources } = await plan(dataDir, { accounts: ['111122223333'], regions: ['eu-west-1'] });
    expect(await evidence.recordsOf(user)).toHaveLength(1);
    expect(sources()).toEqual(['CloudTrail lake']);
    expect(evidence.coverage().complete).toBe(true);
  });

  it('is the lake with LookupEvents for the time since the last import', async () => {
    const dataDir = await lakeOf();
    asked.length = 0;
    const { evidence, sources } = await plan(dataDir, { window: { from: inside.from, to: '2026-11-21T00:00:00Z' } });
    expect(sources()).toEqual(['CloudTrail lake', 'CloudTrail LookupEvents']);
    expect(asked).toEqual([{ from: '2026-11-20T12:00:00Z', to: '2026-11-21T00:00:00Z' }]);
    later.push(record('2026-11-20T13:00:00Z'), record('2026-11-20T14:00:00Z'));
    expect((await evidence.recordsOf(user)).map(({ eventTime }) => eventTime.slice(11, 13))).toEqual([
      '05',
      // The last record of the import: LookupEvents need not have it.
      '12',
      '13',
      '14',
    ]);
    expect(evidence.coverage()).toMatchObject({ complete: true, from: inside.from, to: '2026-11-21T00:00:00Z' });
    // LookupEvents here cannot be read whole, so that the two together cannot either.
    expect(evidence.all).toBeUndefined();
    later.length = 0;
  });

  it('is read whole where both are', async () => {
    const dataDir = await lakeOf();
    const window = { from: inside.from, to: '2026-11-21T00:00:00Z' };
    const whole = async function* () {
      yield record('2026-11-20T13:00:00Z');
    };
    const evidence = await planEvidence(
      { window, accounts: undefined, regions: undefined, maxEvents: 1000, signal: new AbortController().signal },
      { dataDir, log: quiet, openLookup: async () => ({ ...lookup, all: whole }) },
    );
    const times: string[] = [];
    for await (const { eventTime } of evidence.all?.() ?? []) times.push(eventTime);
    expect(times.sort().map((time) => time.slice(11, 13))).toEqual(['05', '12', '13']);
  });

  it('is LookupEvents where the lake is empty, or has nothing of the window, the account or the Region', async () => {
    expect((await plan(await tempDir())).sources()).toEqual(['CloudTrail LookupEvents']);
    const dataDir = await lakeOf();
    const earlier = { from: '2026-11-18T00:00:00Z', to: '2026-11-19T00:00:00Z' };
    expect((await plan(dataDir, { window: earlier })).sources()).toEqual(['CloudTrail LookupEvents']);
    for (const more of [{ accounts: ['999999999999'] }, { regions: ['us-east-1'] }]) {
      const { evidence, sources } = await plan(dataDir, more);
      expect(await evidence.recordsOf(user)).toEqual([]);
      expect(sources()).toEqual(['CloudTrail LookupEvents']);
    }
  });

  it('is the lake with LookupEvents for the time before its first import', async () => {
    const dataDir = await lakeOf();
    asked.length = 0;
    later.push(record('2026-11-19T13:00:00Z'));
    const window = { from: '2026-11-19T00:00:00Z', to: '2026-11-21T00:00:00Z' };
    const { evidence, sources } = await plan(dataDir, { window });
    const times = (await evidence.recordsOf(user)).map(({ eventTime }) => eventTime.slice(8, 13));
    later.length = 0;
    expect(times).toEqual(['19T13', '20T00', '20T05', '20T12']);
    expect(asked).toEqual([
      { from: '2026-11-19T00:00:00Z', to: '2026-11-20T00:00:00Z' },
      { from: '2026-11-20T12:00:00Z', to: '2026-11-21T00:00:00Z' },
    ]);
    expect(new Set(sources())).toEqual(new Set(['CloudTrail lake', 'CloudTrail LookupEvents']));
    expect(evidence.coverage()).toMatchObject({ complete: true, ...window });
  });

  it('leaves out nothing that the lake has of one account because it lacks another, and says no event twice', async () => {
    const dataDir = await lakeOf();
    const [same] = [sample({ at: '2026-11-20T05:00:00Z', user: 'bob' })];
    const dir = await folderOf({
      'b.json': JSON.stringify({
        Records: [same, sample({ at: '2026-11-20T06:00:00Z', user: 'bob', name: 'GetObject' })],
      }),
    });
    await importFolder(dir, dataDir);
    // Two sources need not write an event alike.
    const parsed = parseRecord({ ...same, tlsDetails: { tlsVersion: 'TLSv1.3' } });
    if (parsed.ok) later.push(parsed.record);
    const { evidence } = await plan(dataDir, { accounts: ['111122223333', '999999999999'] });
    const bob = { kind: 'user' as const, id: 'arn:aws:iam::111122223333:user/bob' };
    const names = (await evidence.recordsOf(bob)).map(({ eventName }) => eventName);
    later.length = 0;
    expect(names).toEqual(['DescribeInstances', 'GetObject']);
    expect(evidence.coverage().sources.map(({ name, events }) => [name, events])).toContainEqual([
      'CloudTrail lake',
      2,
    ]);
  });

  it('is what the lake has where nobody else can be asked, and coverage says so', async () => {
    const dataDir = await lakeOf();
    const evidence = await planEvidence(
      {
        window: { from: '2026-11-19T00:00:00Z', to: '2026-11-21T00:00:00Z' },
        ...{ accounts: undefined, regions: undefined, maxEvents: 1000, signal: new AbortController().signal },
      },
      {
        dataDir,
        log: quiet,
        openLookup: async () => {
          throw new UpstreamError('aws', 'CredentialsProviderError', 'AWS does not say who we are', {
            retryable: false,
          });
        },
      },
    );
    expect(await evidence.recordsOf(user)).toHaveLength(3);
    expect(evidence.coverage()).toMatchObject({
      complete: false,
      sources: expect.arrayContaining([
        expect.objectContaining({
          name: 'CloudTrail LookupEvents',
          failed: true,
          reason: 'AWS does not say who we are',
        }),
      ]),
    });
  });

  it('is LookupEvents for the time since, whatever time a record claims', async () => {
    const dir = await folderOf({
      'a.json': JSON.stringify({ Records: [sample(), sample({ at: '2099-01-01T00:00:00Z' })] }),
    });
    const dataDir = await tempDir();
    // The import runs on 2026-11-21.
    await importFolder(dir, dataDir);
    asked.length = 0;
    await plan(dataDir, { window: { from: '2026-11-20T12:00:00Z', to: '2026-11-25T00:00:00Z' } });
    expect(asked).toEqual([{ from: '2026-11-21T00:00:00Z', to: '2026-11-25T00:00:00Z' }]);
  });

  it('is LookupEvents for the time since, also where an import was to reach further', async () => {
    const dir = await folderOf({ 'a.json': JSON.stringify({ Records: [sample()] }) });
    const dataDir = await tempDir();
    await importFolder(dir, dataDir, { selection: { to: '2026-11-21T09:00:00Z' } });
    asked.length = 0;
    await plan(dataDir, { window: { from: '2026-11-20T12:00:00Z', to: '2026-11-21T08:00:00Z' } });
    expect(asked).toEqual([{ from: '2026-11-21T00:00:00Z', to: '2026-11-21T08:00:00Z' }]);
  });

  it('is LookupEvents for days of which no log file was there', async () => {
    const path = (day: string) => `AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/${day}/a.json`;
    const at = (day: string) => JSON.stringify({ Records: [sample({ at: `2026-11-${day}T10:00:00Z` })] });
    const dataDir = await tempDir();
    await importFolder(await folderOf({ [path('10')]: at('10'), [path('19')]: at('19') }), dataDir);
    const window = (from: string, to: string) => ({ window: { from: `2026-11-${from}`, to: `2026-11-${to}` } });
    const hole = await plan(dataDir, window('12T00:00:00Z', '15T00:00:00Z'));
    expect(hole.sources()).toEqual(['CloudTrail LookupEvents']);
    const whole = await plan(dataDir, window('10T10:00:00Z', '15T00:00:00Z'));
    expect(whole.sources()).toEqual(['CloudTrail lake']);
    expect(whole.evidence.coverage()).toMatchObject({
      complete: true,
      notLookedAt: [
        'account 111122223333: no log file from 2026-11-11T00:00:00Z to 2026-11-19T00:00:00Z, as where nobody did anything or logging was off',
      ],
    });
    const lake = await openLake(dataDir, window('12T00:00:00Z', '15T00:00:00Z'));
    expect(lake.coverage()).toMatchObject({
      complete: false,
      notLookedAt: ['account 111122223333: no log file from 2026-11-11T00:00:00Z to 2026-11-19T00:00:00Z'],
    });
  });

  it('is LookupEvents where an import has not finished yet', async () => {
    const dataDir = await lakeOf();
    const runs = join(dataDir, 'lake', 'runs');
    for (const name of await readdir(runs)) await writeFile(join(runs, name), 'half a pa');
    expect((await plan(dataDir)).sources()).toEqual(['CloudTrail LookupEvents']);
  });

  it('falls back where the lake turns out damaged, and coverage tells both', async () => {
    const dataDir = await lakeOf();
    const shards = join(dataDir, 'lake', 'shards');
    const [parquet = ''] = (await readdir(shards)).filter((name) => name.endsWith('.parquet'));
    await truncate(join(shards, parquet), 100);
    const { evidence, sources } = await plan(dataDir);
    await evidence.recordsOf(user);
    expect(sources()).toEqual(['CloudTrail lake', 'CloudTrail LookupEvents']);
  });
});
