import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../../src/contracts/errors.ts';
import { asFullDisk } from '../../../../src/evidence/lake/guard.ts';
import { lakeFolder, makeLakeFolder } from '../../../../src/evidence/lake/pages.ts';
import { openReader } from '../../../../src/evidence/lake/reader.ts';
import { filtersOf, hashOfWord, joinFilters, WordFilter, wordsKind } from '../../../../src/evidence/lake/words.ts';
import { tempDir } from './lakes.ts';

describe('a full disk', () => {
  it('is told in a sentence, whether the system or DuckDB met it', async () => {
    const folder = lakeFolder(await tempDir());
    await makeLakeFolder(folder);
    const fromSystem = Object.assign(new Error('write'), { code: 'ENOSPC' });
    for (const [error, free] of [
      [fromSystem, 1e12],
      [new Error('IO Error: could not write'), 1_000_000],
    ] as const) {
      const told = await asFullDisk(error, folder, free);
      expect(told).toBeInstanceOf(UserError);
      expect((told as UserError).message).toContain('is full');
    }
    const other = new Error('IO Error: something else');
    expect(await asFullDisk(other, folder, 1e12)).toBe(other);
  });
});

describe('the sandbox of readers', () => {
  it('reaches the shards and nothing else', async () => {
    const dataDir = await tempDir();
    const folder = lakeFolder(dataDir);
    await makeLakeFolder(folder);
    const secret = join(dataDir, 'secret.csv');
    await writeFile(secret, 'a\n1\n');
    await writeFile(join(folder.shards, 'inside.csv'), 'a\n1\n');
    const { connection, close } = await openReader(folder, [
      { path: join(folder.shards, 'x.parquet'), filters: undefined },
    ]);
    const run = (sql: string) => connection?.run(sql);
    await expect(run(`SELECT * FROM read_csv('${join(folder.shards, 'inside.csv')}')`)).resolves.toBeDefined();
    for (const sql of [
      `SELECT * FROM read_csv('${secret}')`,
      `SELECT * FROM read_csv('${folder.shards}/../../secret.csv')`,
      `SELECT * FROM read_text('/etc/passwd')`,
      `COPY (SELECT 1) TO '${join(dataDir, 'out.csv')}'`,
      'INSTALL httpfs',
      'SET enable_external_access = true',
      `ATTACH '${join(dataDir, 'x.db')}'`,
    ]) {
      await expect(run(sql), sql).rejects.toThrow();
    }
    close();
  });
});

describe('filters of words', () => {
  const text = (value: unknown) => Buffer.from(JSON.stringify({ Key1: value }));
  const written = async (made: ReadonlyMap<number, Uint32Array>) => {
    const { bits, places } = joinFilters(made);
    const path = join(await tempDir(), 'x.words');
    await writeFile(path, new Uint8Array(bits.buffer));
    const filters = filtersOf({ name: 'x', kind: wordsKind, bytes: bits.byteLength, groups: places }, path);
    if (filters === undefined) throw new Error('there should be filters');
    return { filters, path };
  };

  it('never miss a word, and seldom name one that is not there', async () => {
    const words = (seed: number) =>
      Array.from({ length: 6000 }, (_, i) => `i-${(Math.imul(i * 2 + seed, 2_654_435_761) >>> 0).toString(16)}`);
    const filter = new WordFilter();
    const made = new Map<number, Uint32Array>();
    for (const group of [11, 12]) {
      for (const word of words(group)) {
        const record = text([word]);
        filter.add(record, 0, record.length);
      }
      made.set(group, filter.take());
    }
    const { filters, path } = await written(made);
    for (const group of [11, 12])
      for (const word of words(group)) expect(filters.groupsWith(hashOfWord(word))).toContain(group);
    const wrong = words(11).filter((word) => filters.groupsWith(hashOfWord(word))?.includes(12)).length;
    expect(wrong).toBeLessThan(6000 * 0.04);
    // Cut or gone, they tell nothing.
    await truncate(path, 400);
    expect(filters.groupsWith(hashOfWord('alice'))).toBe(undefined);
    await rm(path);
    expect(filters.groupsWith(hashOfWord('alice'))).toBe(undefined);
    expect(filtersOf({ name: 'x', kind: 'other', bytes: 400, groups: [] }, path)).toBe(undefined);
  });

  it('of a few records take little room, know words in any case, and no keys or ids of records', async () => {
    const filter = new WordFilter();
    const id = '3e1f1a52-1111-4222-8333-444455556666';
    const record = Buffer.from(
      JSON.stringify({ Key1: ['Alice@Example.COM'], eventID: id, other: id.replace('3', '4') }),
    );
    filter.add(record, 0, record.length);
    const bits = filter.take();
    expect(bits.byteLength).toBeLessThan(1024);
    const { filters } = await written(new Map([[0, bits]]));
    const has = (word: string) => filters.groupsWith(hashOfWord(word))?.length === 1;
    expect(['alice@example.com', id.replace('3', '4')].map(has)).toEqual([true, true]);
    expect(['alice@example.co', 'key1', id].map(has)).toEqual([false, false, false]);
  });
});
