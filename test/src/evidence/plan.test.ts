import { readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import type { Evidence } from '../../../src/contracts/evidence.ts';
import { parseRecord } from '../../../src/domain/record.ts';
import { planEvidence } from '../../../src/evidence/plan.ts';
import { importFolder, tempDir } from './lake/lakes.ts';
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
        return lookup;
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
    expect(times.sort()).toEqual(['2026-11-20T05:00:00Z', '2026-11-20T13:00:00Z']);
  });

  it('is LookupEvents where the lake is empty, or lacks the beginning of the window or an account', async () => {
    expect((await plan(await tempDir())).sources()).toEqual(['CloudTrail LookupEvents']);
    const dataDir = await lakeOf();
    const earlier = { from: '2026-11-19T00:00:00Z', to: inside.to };
    expect((await plan(dataDir, { window: earlier })).sources()).toEqual(['CloudTrail LookupEvents']);
    expect((await plan(dataDir, { accounts: ['999999999999'] })).sources()).toEqual(['CloudTrail LookupEvents']);
  });

  it('has what the lake holds beside a LookupEvents that could not look at everything, and stays incomplete', async () => {
    const dataDir = await lakeOf();
    const window = { from: '2026-11-19T00:00:00Z', to: inside.to };
    const refused = async () => ({ ...lookup, coverage: () => ({ ...lookup.coverage(), complete: false }) });
    const evidence = await planEvidence(
      {
        ...{ window, accounts: ['111122223333'], regions: undefined },
        ...{ maxEvents: 1000, signal: new AbortController().signal },
      },
      { dataDir, log: quiet, openLookup: refused },
    );
    const times = (await evidence.recordsOf(user)).map(({ eventTime }) => eventTime);

    expect(times).toContain('2026-11-20T05:00:00Z');
    expect(evidence.coverage()).toMatchObject({
      complete: false,
      sources: [{ name: 'CloudTrail lake' }, { name: 'CloudTrail LookupEvents' }],
      notLookedAt: [expect.stringContaining('account 111122223333')],
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
