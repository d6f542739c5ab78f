import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, it, onTestFinished } from 'vitest';
import type { CloudTrailRecord } from '../../../../src/contracts/cloudtrail.ts';
import { lakeFolder, makeLakeFolder, writePage } from '../../../../src/evidence/lake/pages.ts';
import { ShardMaker } from '../../../../src/evidence/lake/shard-maker.ts';
import { folderOf, sample } from '../samples.ts';
import { artifactsOf, contents, importFolder, openFolder, openLake, tempDir } from './lakes.ts';

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:');
  onTestFinished(() => instance.closeSync());
  const connection = await instance.connect();
  return (await connection.runAndReadAll(sql)).getRowObjectsJson();
}

function records(n: number, of: number) {
  return Array.from({ length: of }, (_, i) =>
    sample({
      user: `user-${(i * 7 + n) % 40}`,
      ip: i % 5 === 0 ? '2001:DB8::1' : `198.51.100.${i % 9}`,
      at: `2026-11-${String(10 + (i % 9)).padStart(2, '0')}T12:00:${String((i * 7) % 60).padStart(2, '0')}Z`,
      extra: {
        requestParameters: i % 3 === 0 ? null : { userName: `user-${i % 11}`, n: 'zoë "x" \\' },
        ...(i % 4 === 0 ? { apiVersion: '2010-05-08' } : {}),
      },
    }),
  );
}

it('makes shards of more than it keeps in memory, which DuckDB reads and questions find everything in', async () => {
  const dataDir = await tempDir();
  const folder = lakeFolder(dataDir);
  await makeLakeFolder(folder);
  // A tenth of what is added: rows are written out many times.
  const maker = new ShardMaker(folder, 500_000);
  const [plain, pretty] = [records(0, 5000), records(1, 300)];
  const dir = await folderOf({
    'a.json.gz': gzipSync(JSON.stringify({ Records: plain })),
    'b.json': JSON.stringify({ Records: pretty }, undefined, 1),
  });
  const first = maker.add(0, gzipSync(JSON.stringify({ Records: plain.slice(0, 2500) })), true);
  expect(first).toMatchObject({ records: 2500, plain: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(maker.add(0, gzipSync(JSON.stringify({ Records: plain.slice(2500) })), false)).toMatchObject({
    records: 2500,
    plain: undefined,
  });
  expect(maker.add(1, Buffer.from('{"Records": []}'), false).records).toBeUndefined();
  expect(await maker.addCarefully(1, join(dir, 'b.json'), 'b.json', 1000)).toMatchObject({
    records: 300,
    verdict: 'log',
  });
  const facts = await maker.finish('one');
  expect(facts).toMatchObject({
    shard: { rows: 5300 },
    accounts: ['111122223333'],
    first: '2026-11-10T12:00:00Z',
    columns: expect.arrayContaining(['apiVersion', 'event_uuid', 'ip', 'requestParameters']),
  });
  expect(facts.columns).not.toContain('extra');
  expect(await readdir(folder.temp)).toEqual([]);

  const table = `read_parquet('${join(folder.shards, 'one.parquet')}')`;
  expect(
    await query(`SELECT count(*)::INTEGER AS rows, count(DISTINCT event_uuid)::INTEGER AS ids,
      count(requestParameters)::INTEGER AS requests, count(DISTINCT grp)::INTEGER AS groups,
      count(DISTINCT file)::INTEGER AS files, min(event_time)::VARCHAR AS first FROM ${table}`),
  ).toEqual([
    {
      rows: 5300,
      ids: 5300,
      requests: [...plain, ...pretty].filter(({ requestParameters }) => requestParameters !== null).length,
      groups: facts.words?.groups.length,
      files: 2,
      first: '2026-11-10 12:00:00',
    },
  ]);
  // By what the footer says: a window leaves out row groups that lie outside.
  const [stats] = await query(
    `SELECT min(stats_min_value) AS first FROM parquet_metadata('${join(folder.shards, 'one.parquet')}') WHERE path_in_schema = 'event_time'`,
  );
  expect(String(stats?.first)).toContain('2026-11-10');

  const files = ['a.json.gz', 'b.json'].map((path, i) => ({
    ...{ path, size: 1, sha256: String(i), verdict: 'log' as const, records: i === 0 ? 5000 : 300 },
  }));
  await writePage(folder.shards, 'one.json', {
    version: 1,
    source: dir,
    importedAt: '2026-11-21T00:00:00Z',
    ...facts,
    files,
  });
  const [lake, source] = [await openLake(dataDir), await openFolder(dir)];
  for (const artifact of artifactsOf(records(0, 60) as unknown as CloudTrailRecord[]))
    expect(contents(await lake.recordsOf(artifact)), artifact.id).toEqual(contents(await source.recordsOf(artifact)));
});

it('begins anew after what was added was given up, and leaves nothing of it', async () => {
  const folder = lakeFolder(await tempDir());
  await makeLakeFolder(folder);
  const maker = new ShardMaker(folder, 1);
  maker.add(0, Buffer.from(JSON.stringify({ Records: records(0, 10) })), false);
  maker.add(1, Buffer.from(JSON.stringify({ Records: records(1, 10) })), false);
  maker.discard();
  expect(await readdir(folder.temp)).toEqual([]);
  expect(await maker.finish('none')).toEqual({ accounts: [], regions: [] });
  maker.add(0, Buffer.from(JSON.stringify({ Records: records(2, 10) })), false);
  expect((await maker.finish('next')).shard?.rows).toBe(10);
});

it('finds the address of each row, whichever way its record came', async () => {
  const dataDir = await tempDir();
  const many = (network: string, n: number) =>
    Array.from({ length: n }, (_, i) => sample({ ip: `${network}.${i >> 8}.${i & 255}` }));
  const dir = await folderOf({
    // The careful way first: it takes numbers of texts that the other way does not know.
    'a.json': JSON.stringify({ Records: many('10.1', 5000) }, undefined, 1),
    'b.json': JSON.stringify({ Records: many('10.2', 300) }),
  });
  await importFolder(dir, dataDir);
  const [{ n } = { n: 0 }] = await query(
    `SELECT count(*)::INTEGER AS n FROM read_parquet('${join(lakeFolder(dataDir).shards, '*.parquet')}') WHERE ip IS NULL`,
  );
  expect(n).toBe(0);
  const lake = await openLake(dataDir);
  for (const id of ['10.1.3.7', '10.2.0.0', '10.2.1.43'])
    expect(await lake.recordsOf({ kind: 'ip', id }), id).toHaveLength(1);
});

it('keeps ids that are nearly UUIDs as they are', async () => {
  const dataDir = await tempDir();
  const ids = [
    'aa-bb-cc-1111-1111-1111-111111111111',
    '11111111-1111-1111-1111-1111-1111111',
    'AAAAAAAA-1111-4111-8111-111111111111',
    'aaaaaaaa-1111-4111-8111-11111111111g',
    'aaaaaaaa-1111-4111-8111-111111111111',
  ];
  const dir = await folderOf({
    'a.json': JSON.stringify({ Records: ids.map((id) => sample({ id, extra: { requestID: id } })) }),
  });
  await importFolder(dir, dataDir);
  const lake = await openLake(dataDir);
  for (const id of ids)
    expect(await lake.recordsOf({ kind: 'event', id }), id).toMatchObject([{ eventID: id, requestID: id }]);
});

it('tells what it could not write while it read with care, and makes no shard of the rest', async () => {
  const dir = await folderOf({ 'a.json': JSON.stringify({ Records: records(0, 2000) }, undefined, 1) });
  const folder = lakeFolder(await tempDir());
  // Without its folder nothing can be written.
  const maker = new ShardMaker(folder, 1000);
  await expect(maker.addCarefully(0, join(dir, 'a.json'), 'a.json', 1000)).rejects.toMatchObject({ code: 'ENOENT' });
});
