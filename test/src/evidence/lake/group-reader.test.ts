import { cp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { parquetMetadata } from 'hyparquet';
import { ByteWriter, parquetWrite } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import type { Artifact } from '../../../../src/contracts/artifact.ts';
import type { CloudTrailRecord } from '../../../../src/contracts/cloudtrail.ts';
import { parseRecord } from '../../../../src/domain/record.ts';
import { searchIn } from '../../../../src/domain/text-search.ts';
import { hybrid, hybridAt, packedColumn, Unpacked } from '../../../../src/evidence/lake/column-pages.ts';
import { ColumnValues } from '../../../../src/evidence/lake/column-values.ts';
import { chunksOf, type RowGroup } from '../../../../src/evidence/lake/words.ts';
import { folderOf, sample, sessionSample } from '../samples.ts';
import { artifactsOf, contents, importFolder, openFolder, openLake, tempDir } from './lakes.ts';
import { oddRecord } from './odd-records.ts';

interface Page {
  shard: { name: string; bytes: number };
  words: {
    name: string;
    kind: string;
    groups: [number, number, number][];
    rowGroups?: { columns: string[]; places: RowGroup[] };
  };
}

async function pagesOf(dataDir: string): Promise<{ path: string; page: Page }[]> {
  const shards = join(dataDir, 'lake', 'shards');
  const names = (await readdir(shards)).filter((name) => name.endsWith('.json'));
  return Promise.all(
    names.map(async (name) => ({
      path: join(shards, name),
      page: JSON.parse(await readFile(join(shards, name), 'utf8')),
    })),
  );
}

/** A copy of the lake as earlier versions wrote it: by DuckDB, and nobody has noted where the row groups lie. */
async function withoutPlaces(dataDir: string): Promise<string> {
  const copy = await tempDir();
  await cp(dataDir, copy, { recursive: true });
  const db = await (await DuckDBInstance.create(':memory:')).connect();
  for (const { path, page } of await pagesOf(copy)) {
    if (page.shard !== undefined) await writtenByDuckDb(db, join(path, '..', page.shard.name));
    if (page.shard !== undefined) page.shard.bytes = (await stat(join(path, '..', page.shard.name))).size;
    if (page.words !== undefined) delete page.words.rowGroups;
    await writeFile(path, JSON.stringify(page));
  }
  db.closeSync();
  return copy;
}

async function writtenByDuckDb(db: DuckDBConnection, file: string): Promise<void> {
  await db.run(`COPY (SELECT * FROM read_parquet('${file}')) TO '${file}.part'
    (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 2048)`);
  await rename(`${file}.part`, file);
}

/** A copy whose files have no footer, which DuckDB cannot read. */
async function withoutFooters(dataDir: string): Promise<string> {
  const copy = await tempDir();
  await cp(dataDir, copy, { recursive: true });
  for (const { path, page } of await pagesOf(copy)) {
    const file = join(path, '..', page.shard.name);
    const bytes = await readFile(file);
    await writeFile(file, bytes.fill(0, bytes.length - 64));
  }
  return copy;
}

/** A copy in the layout of the version before: columns of row groups in lists, and each filter as a whole behind the other. */
async function inEarlierLayout(dataDir: string): Promise<string> {
  const copy = await tempDir();
  await cp(dataDir, copy, { recursive: true });
  for (const { path, page } of await pagesOf(copy)) {
    const { kind, name, groups, rowGroups } = page.words;
    expect(kind).toBe('fnv1a-3');
    const lists = rowGroups?.places.map((place) => ({ ...place, chunks: chunksOf(place, rowGroups.columns) }));
    const words = { ...page.words, kind: 'fnv1a-2', rowGroups: { ...rowGroups, places: lists } };
    await writeFile(path, JSON.stringify({ ...page, words }));
    const strips = await readFile(join(path, '..', name));
    const whole = Buffer.alloc(strips.length);
    for (const [, from, to] of groups) {
      const alike = groups.filter((other) => other[2] - other[1] === to - from);
      const begin = Math.min(...alike.map((other) => other[1]));
      const place = alike.findIndex((other) => other[1] === from);
      for (let i = 0; i < to - from; i++)
        whole.writeUInt32LE(strips.readUInt32LE((begin + i * alike.length + place) * 4), (from + i) * 4);
    }
    await writeFile(join(path, '..', name), whole);
  }
  return copy;
}

const user = (name: string): Artifact => ({ kind: 'user', id: `arn:aws:iam::111122223333:user/${name}` });

/** Records of many principals, so that they fill several row groups. */
async function largeLake(): Promise<{ readonly dir: string; readonly dataDir: string }> {
  const records = Array.from({ length: 7000 }, (_, i) => {
    const name = `person-${String(i % 100).padStart(3, '0')}`;
    const ip = `198.51.100.${i % 250}`;
    const requestParameters = i % 3 === 0 ? { userName: `Person-${i % 97}`, note: 'ü'.repeat(i % 200) } : null;
    return i % 5 === 0
      ? sessionSample(`i-0${String(i % 40).padStart(16, '0')}`, { ip })
      : sample({ user: name, ip, at: `2026-11-${10 + (i % 10)}T00:00:00Z`, extra: { requestParameters } });
  });
  const dir = await folderOf({ 'a.json.gz': gzipSync(JSON.stringify({ Records: records })) });
  const dataDir = await tempDir();
  await importFolder(dir, dataDir);
  return { dir, dataDir };
}

describe('single row groups are read as DuckDB reads them', () => {
  it('for odd records, windows, accounts and Regions', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(oddRecord, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(
          {},
          { window: { from: '2026-11-20T12:00:00.200Z' } },
          { window: { to: '2026-11-20T12:00:00.500Z' } },
          { accounts: ['111122223333'] },
          { accounts: [] },
          { regions: ['eu-west-1'] },
          { regions: [] },
        ),
        async (records, limits) => {
          const dir = await folderOf({ 'a.json': JSON.stringify({ Records: records }) });
          const dataDir = await tempDir();
          await importFolder(dir, dataDir);
          const near = await openLake(dataDir, limits);
          const far = await openLake(await withoutPlaces(dataDir), limits);
          const parsed = records.flatMap((record) => {
            const one = parseRecord(record);
            return one.ok ? [one.record] : [];
          });
          for (const artifact of artifactsOf(parsed)) {
            expect(contents(await near.recordsOf(artifact)), `${artifact.kind} ${artifact.id}`).toEqual(
              contents(await far.recordsOf(artifact)),
            );
          }
          for (const text of ['alice', 'ops', '"userName"', 'zoë', '\u0000', 'a"b', 'Alice'])
            expect(contents((await searchIn(near, text)) ?? []), text).toEqual(
              contents((await searchIn(far, text)) ?? []),
            );
          expect(near.coverage()).toEqual({ ...far.coverage(), sources: near.coverage().sources });
        },
      ),
      { numRuns: 12 },
    );
  });

  it('for thousands of records in many row groups, names in any case, and without DuckDB', async () => {
    const { dir, dataDir } = await largeLake();
    expect((await pagesOf(dataDir)).flatMap(({ page }) => page.words.rowGroups?.places ?? []).length).toBeGreaterThan(
      2,
    );
    const [folder, near] = [await openFolder(dir), await openLake(await withoutFooters(dataDir))];
    const earlier = await openLake(await withoutFooters(await inEarlierLayout(dataDir)));
    const far = await openLake(await withoutPlaces(dataDir));
    const asked: Artifact[] = [
      ...['person-001', 'person-096', 'PERSON-050', 'person-0', 'nobody-here'].map(user),
      ...['198.51.100.7', '198.51.100.249', '192.0.2.1'].map((id) => ({ kind: 'ip' as const, id })),
      { kind: 'resource', id: 'i-00000000000000005' },
    ];
    for (const artifact of asked) {
      const told = contents(await near.recordsOf(artifact));
      expect(told, artifact.id).toEqual(contents(await folder.recordsOf(artifact)));
      expect(told, artifact.id).toEqual(contents(await earlier.recordsOf(artifact)));
      expect(told, artifact.id).toEqual(contents(await far.recordsOf(artifact)));
    }
    for (const text of ['Person-50', 'üüü', '"userName":"Person-1"', 'aws-cli', 'nowhere'])
      expect(contents((await searchIn(near, text)) ?? []), text).toEqual(
        contents((await searchIn(folder, text)) ?? []),
      );
    expect(contents((await searchIn(earlier, 'Person-50')) ?? [])).toEqual(
      contents((await searchIn(folder, 'Person-50')) ?? []),
    );
    expect([near.coverage().complete, earlier.coverage().complete]).toEqual([true, true]);
    // Proves that DuckDB could not have answered.
    await near.recordsOf({ kind: 'event', id: '3e1f1a52-1111-4222-8333-444455556666' });
    expect(near.coverage()).toMatchObject({ complete: false, sources: [{ failed: true }] });
  });

  it('beside shards of earlier versions, each in its own way', async () => {
    const dataDir = await tempDir();
    const first = await folderOf({ 'a.json': JSON.stringify({ Records: [sample({ user: 'alice', id: 'a' })] }) });
    await importFolder(first, dataDir);
    const second = await folderOf({ 'b.json': JSON.stringify({ Records: [sample({ user: 'alice', id: 'b' })] }) });
    await importFolder(second, dataDir);
    const third = await folderOf({ 'c.json': JSON.stringify({ Records: [sample({ user: 'alice', id: 'c' })] }) });
    await importFolder(third, dataDir);
    const [, one, other] = (await pagesOf(dataDir)).sort((a, b) => (a.path < b.path ? -1 : 1));
    if (one === undefined || other === undefined) throw new Error('there should be three shards');
    delete one.page.words.rowGroups;
    await writeFile(one.path, JSON.stringify(one.page));
    await rm(join(other.path, '..', other.page.words.name));
    const lake = await openLake(dataDir);
    const ids = (records: readonly CloudTrailRecord[]) => records.map(({ eventID }) => eventID).sort();
    expect(ids(await lake.recordsOf(user('alice')))).toEqual(['a', 'b', 'c']);
    expect(ids((await searchIn(lake, 'i-0123456789abcdef0')) ?? [])).toEqual(['a', 'b', 'c']);
    expect(lake.coverage().complete).toBe(true);
  });

  it('no further than to the cap, which is told', async () => {
    const { dataDir } = await largeLake();
    const capped = await openLake(dataDir, { maxEvents: 10 });
    expect(await capped.recordsOf(user('person-001'))).toHaveLength(10);
    expect(capped.coverage()).toMatchObject({ complete: false, sources: [{ truncated: true }] });
  });

  it('until the question is given up', async () => {
    const { dataDir } = await largeLake();
    const stop = new AbortController();
    const lake = await openLake(dataDir, { signal: stop.signal });
    const asked = lake.recordsOf(user('person-001'));
    stop.abort(new Error('given up'));
    await expect(asked).rejects.toThrow('given up');
  });
});

describe('what was damaged since it was written', () => {
  it('is told, wherever the byte is, and the rest is answered', async () => {
    const { dir, dataDir } = await largeLake();
    const folder = await openFolder(dir);
    const all = contents(await folder.recordsOf(user('person-001')));
    const [first] = await pagesOf(dataDir);
    if (first?.page.words.rowGroups === undefined) throw new Error('there should be row groups');
    const file = join(first.path, '..', first.page.shard.name);
    const whole = await readFile(file);
    const { columns, places } = first.page.words.rowGroups;
    for (const place of places) {
      const { from } = place;
      const length = chunksOf(place, columns).reduce((sum, one) => sum + one, 0);
      for (const at of [from, from + Math.floor(length / 3), from + length - 1]) {
        const changed = Buffer.from(whole);
        changed[at] = (changed[at] ?? 0) ^ 0x10;
        await writeFile(file, changed);
        const lake = await openLake(dataDir);
        const told = contents(await lake.recordsOf(user('person-001')));
        expect(all).toEqual(expect.arrayContaining(told));
        const { complete, sources } = lake.coverage();
        expect({ isWhole: told.length === all.length, complete }).not.toEqual({ isWhole: false, complete: true });
        if (!complete)
          expect(sources[0]).toMatchObject({ failed: true, reason: expect.stringContaining('damaged at byte') });
      }
    }
    const changed = Buffer.from(whole);
    for (const { from } of first.page.words.rowGroups.places) changed[from] = (changed[from] ?? 0) ^ 1;
    await writeFile(file, changed);
    const lake = await openLake(dataDir);
    expect(await lake.recordsOf(user('person-001'))).toEqual([]);
    expect(lake.coverage().complete).toBe(false);
    const search = await openLake(dataDir);
    expect(await searchIn(search, 'aws-cli')).toEqual([]);
    expect(search.coverage().complete).toBe(false);
  });

  it('a file that went away during a session is a failure, not an empty answer', async () => {
    const { dataDir } = await largeLake();
    const lake = await openLake(dataDir);
    for (const { path, page } of await pagesOf(dataDir)) await rm(join(path, '..', page.shard.name));
    expect(await lake.recordsOf(user('person-001'))).toEqual([]);
    expect(lake.coverage()).toMatchObject({
      complete: false,
      sources: [{ failed: true, reason: expect.stringContaining('could not be read (ENOENT)') }],
    });
  });

  it('a page that is none, or whose row groups are described otherwise, counts as damaged', async () => {
    const { dataDir } = await largeLake();
    const [first] = await pagesOf(dataDir);
    if (first?.page.words.rowGroups === undefined) throw new Error('there should be row groups');
    const text = JSON.stringify(first.page);
    first.page.words.rowGroups.places = [{ from: 4, chunks: ['1'] } as unknown as RowGroup];
    for (const content of [JSON.stringify(first.page), '[]', 'null', '{"version":1}', text.slice(0, -9)]) {
      await writeFile(first.path, content);
      const lake = await openLake(dataDir);
      expect(lake.coverage(), content.slice(0, 40)).toMatchObject({ complete: false, sources: [{ failed: true }] });
    }
  });
});

describe('pages of Parquet', () => {
  const texts = fc.option(
    fc.oneof(fc.constantFrom('Alice', 'ALICE', 'bob', '', 'zoë'), fc.string({ maxLength: 300 })),
    {
      nil: null,
    },
  );

  it('with or without dictionaries, packed or not, give every value and find every row', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ text: texts, at: fc.option(fc.bigInt(-(2n ** 62n), 2n ** 62n), { nil: null }) }), {
          minLength: 1,
          maxLength: 400,
        }),
        fc.constantFrom(undefined, 'PLAIN' as const, 'RLE_DICTIONARY' as const),
        fc.constantFrom('PLAIN' as const, 'RLE_DICTIONARY' as const),
        fc.constantFrom(200, 1_000_000),
        async (rows, encoding, times, pageSize) => {
          const writer = new ByteWriter();
          await parquetWrite({
            writer,
            codec: 'ZSTD',
            compressors: { ZSTD: (bytes: Uint8Array) => zstdCompressSync(bytes) },
            pageSize,
            rowGroupSize: rows.length,
            statistics: false,
            columnData: [
              {
                name: 'text',
                data: rows.map(({ text }) => text),
                type: 'STRING',
                nullable: true,
                ...(encoding ? { encoding } : {}),
              },
              { name: 'none', data: rows.map(() => null), type: 'STRING', nullable: true },
              { name: 'at', data: rows.map(({ at }) => at), type: 'INT64', nullable: true, encoding: times },
            ],
          } as Parameters<typeof parquetWrite>[0]);
          const file = Buffer.from(writer.getBuffer());
          const chunks = parquetMetadata(new Uint8Array(file)).row_groups[0]?.columns ?? [];
          const values = (name: string) => {
            const chunk = chunks.find(({ meta_data: about }) => about?.path_in_schema[0] === name)?.meta_data;
            const from = Number(chunk?.dictionary_page_offset ?? chunk?.data_page_offset);
            return new ColumnValues(
              packedColumn(
                file.subarray(from, from + Number(chunk?.total_compressed_size)),
                rows.length,
                new Unpacked(),
              ),
            );
          };
          const [text, none, at] = [values('text'), values('none'), values('at')];
          for (const [row, expected] of rows.entries()) {
            expect(text.textAt(row)).toBe(expected.text ?? undefined);
            expect(none.textAt(row)).toBe(undefined);
            expect(at.numberAt(row)).toBe(expected.at ?? undefined);
          }
          expect(() => text.textAt(rows.length)).toThrow('no row');
          for (const [needle, isWhole, isCaseBlind] of [
            ['alice', false, true],
            ['Alice', true, false],
            ['li', false, false],
            ['b', false, true],
            ['zoë', true, false],
          ] as const) {
            const marks = new Uint8Array(rows.length);
            text.mark({ text: needle, isWhole, isCaseBlind }, marks);
            const wanted = rows.map(({ text: value }) => {
              if (value === null) return 0;
              const found = isCaseBlind ? value.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : value;
              return (isWhole ? found === needle : found.includes(needle)) ? 1 : 0;
            });
            expect([...marks], `${needle} ${isWhole} ${isCaseBlind}`).toEqual(wanted);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('one number of a run is what it is among all of them', () => {
    const run = fc.oneof(
      fc.record({ kind: fc.constant('same' as const), count: fc.integer({ min: 1, max: 40 }), value: fc.nat() }),
      fc.record({ kind: fc.constant('packed' as const), bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }) }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(run, { minLength: 1, maxLength: 6 }), (width, runs) => {
        const parts: Buffer[] = [];
        let count = 0;
        for (const one of runs) {
          if (one.kind === 'same') {
            const value = Buffer.alloc((width + 7) >>> 3);
            value.writeUIntLE(one.value % 2 ** width, 0, value.length);
            parts.push(Buffer.from([one.count * 2]), value);
            count += one.count;
          } else {
            const eights = one.bytes.length;
            const packed = Buffer.alloc(eights * width, Buffer.from(one.bytes));
            parts.push(Buffer.from([eights * 2 + 1]), packed);
            count += eights * 8;
          }
        }
        const bytes = Buffer.concat(parts);
        const all = hybrid(bytes, width, count);
        expect(Array.from({ length: count }, (_, i) => hybridAt(bytes, width, i))).toEqual([...all]);
        expect(hybridAt(bytes, width, count)).toBe(undefined);
      }),
    );
  });

  it('that are cut or of another kind are refused', () => {
    const columns = (bytes: Buffer) => () => packedColumn(bytes, 3, new Unpacked());
    expect(columns(Buffer.alloc(0))).toThrow();
    expect(columns(Buffer.from('no page at all'))).toThrow();
    expect(columns(Buffer.alloc(40))).toThrow();
  });
});
