import { readdir, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Artifact } from '../../../src/contracts/artifact.ts';
import { type LookupOptions, openLookupEvidence } from '../../../src/evidence/lookup.ts';
import { openLookupMemory } from '../../../src/evidence/lookup-memory.ts';
import { uncovered } from '../../../src/evidence/spans.ts';
import { type EventHistory, eventHistory } from './event-history.ts';
import { contents, tempDir } from './lake/lakes.ts';
import { quiet, sample } from './samples.ts';

const account = '111122223333';
const alice: Artifact = { kind: 'user', id: `arn:aws:iam::${account}:user/alice` };
const bob: Artifact = { kind: 'user', id: `arn:aws:iam::${account}:user/bob` };
const address: Artifact = { kind: 'ip', id: '198.51.100.7' };

/** A session of a process of its own, on the same data folder. */
function open(history: EventHistory, dataDir: string, options: Partial<LookupOptions> = {}) {
  return openLookupEvidence({
    reach: history.reach,
    accounts: [account],
    regions: ['us-east-1'],
    window: { from: '2026-11-14T00:00:00Z', to: '2026-11-21T00:00:00Z' },
    budget: { maxRequests: 1000, maxEvents: 10_000 },
    reserveSlot: async () => 0,
    clock: { now: () => new Date('2026-11-21T00:00:00Z'), sleep: async () => undefined },
    signal: new AbortController().signal,
    log: quiet,
    memory: openLookupMemory(dataDir, quiet),
    ...options,
  });
}

const records = Array.from({ length: 130 }, (_, i) =>
  sample({
    user: i % 2 ? 'alice' : 'bob',
    region: 'us-east-1',
    at: new Date(Date.parse('2026-11-14T06:00:00Z') + i * 4_000_000).toISOString().replace('.000', ''),
  }),
);
const settled = Date.parse('2026-11-20T23:45:00Z') / 1000;

describe('what LookupEvents answered before', () => {
  it('is not fetched again but for the last minutes, and the answer is the same', async () => {
    const history = await eventHistory({ [account]: records });
    const dataDir = await tempDir();
    const first = await open(history, dataDir).recordsOf(alice);
    expect(first).toHaveLength(65);
    history.asks.length = 0;
    const evidence = open(history, dataDir);
    expect(contents(await evidence.recordsOf(alice))).toEqual(contents(first));
    expect(history.asks.length).toBeGreaterThan(0);
    expect(history.asks.every((ask) => ask.from === settled && ask.token === undefined)).toBe(true);
    expect(evidence.coverage()).toMatchObject({ complete: true });
  });

  it('widens by what is missing on both sides only', async () => {
    const history = await eventHistory({ [account]: records });
    const dataDir = await tempDir();
    const narrow = { from: '2026-11-16T00:00:00Z', to: '2026-11-18T00:00:00Z' };
    await open(history, dataDir, { window: narrow }).recordsOf(alice);
    history.asks.length = 0;
    expect(await open(history, dataDir).recordsOf(alice)).toHaveLength(65);
    const inside = history.asks.filter(
      ({ from, to }) => from < Date.parse(narrow.to) / 1000 && to > Date.parse(narrow.from) / 1000,
    );
    expect(inside).toEqual([]);
  });

  it('says nothing of any other question, where it was one attribute', async () => {
    const history = await eventHistory({ [account]: records });
    const dataDir = await tempDir();
    await open(history, dataDir).recordsOf(alice);
    history.asks.length = 0;
    expect(await open(history, dataDir).recordsOf(bob)).toHaveLength(65);
    expect(await open(history, dataDir).recordsOf(address)).toHaveLength(130);
    expect(history.asks.filter(({ from }) => from < settled).length).toBeGreaterThan(3);
  });

  it('answers every question, where it was a scan', async () => {
    const history = await eventHistory({ [account]: records });
    const dataDir = await tempDir();
    await open(history, dataDir).recordsOf(address);
    history.asks.length = 0;
    expect(await open(history, dataDir).recordsOf(alice)).toHaveLength(65);
    expect(await open(history, dataDir).recordsOf(address)).toHaveLength(130);
    expect(history.asks.every(({ from }) => from >= settled)).toBe(true);
  });

  it('is not kept where it was cut short or failed, and is fetched again where its file is damaged', async () => {
    const history = await eventHistory({ [account]: records });
    const dataDir = await tempDir();
    const capped = open(history, dataDir, { budget: { maxRequests: 3, maxEvents: 10_000 } });
    await capped.recordsOf(address);
    expect(capped.coverage().complete).toBe(false);
    expect(await open(history, dataDir).recordsOf(address)).toHaveLength(130);

    const lookups = join(dataDir, 'lake', 'lookups');
    const files = (await readdir(lookups, { recursive: true })).filter((name) => name.endsWith('.gz'));
    expect(files.length).toBeGreaterThan(0);
    for (const name of files) await truncate(join(lookups, name), 60);
    expect(await open(history, dataDir).recordsOf(address)).toHaveLength(130);
  });

  it('holds no secret, and no name from outside becomes a path', async () => {
    const token = `IQoJb3JpZ2luX2Vj${'Zm9vYmFy'.repeat(20)}`;
    const evil = sample({
      user: '../../evil',
      region: 'us-east-1',
      extra: { responseElements: { credentials: { sessionToken: token } } },
    });
    const history = await eventHistory({ [account]: [evil] });
    const dataDir = await tempDir();
    await open(history, dataDir).recordsOf(address);
    await open(history, dataDir).recordsOf({ kind: 'user', id: `arn:aws:iam::${account}:user/../../evil` });
    const lookups = join(dataDir, 'lake', 'lookups');
    const { gunzipSync } = await import('node:zlib');
    for (const name of await readdir(lookups, { recursive: true })) {
      expect(name).toMatch(/^[0-9a-f]{40}(\/\d+-\d+-[0-9a-f]{8}\.ndjson\.gz)?$/);
      if (name.endsWith('.gz'))
        expect(gunzipSync(await readFile(join(lookups, name))).toString()).not.toContain('Zm9v');
    }
  });
});

describe('spans', () => {
  it('and what they leave uncovered make up the whole, moment by moment', () => {
    const span = fc.tuple(fc.nat(40), fc.nat(40)).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
    fc.assert(
      fc.property(span, fc.array(span, { maxLength: 6 }), (whole, spans) => {
        const rest = uncovered(whole, spans);
        for (let at = whole.from; at < whole.to; at++) {
          const isIn = (some: readonly { from: number; to: number }[]) =>
            some.some(({ from, to }) => from <= at && at < to);
          expect(isIn(rest)).toBe(!isIn(spans));
        }
        expect(rest.every(({ from, to }) => from >= whole.from && to <= whole.to && from < to)).toBe(true);
      }),
    );
  });
});
