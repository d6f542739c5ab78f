import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../../src/contracts/errors.ts';
import { cutRecords } from '../../../../src/evidence/lake/cut.ts';
import { asFullDisk } from '../../../../src/evidence/lake/guard.ts';
import { lakeFolder, makeLakeFolder } from '../../../../src/evidence/lake/pages.ts';
import { openReader } from '../../../../src/evidence/lake/reader.ts';
import { Filters, groupOf, hashOfWord, WordBook, wordsKind } from '../../../../src/evidence/lake/words.ts';
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

describe('a file as CloudTrail writes it', () => {
  it('is cut into lines with the number of the file, the tokens of STS left out', () => {
    const token = `FwoGZXIvYXdzE${'A'.repeat(200)}`;
    const cut = cutRecords(
      Buffer.from(
        `{"Records":[{"eventVersion":"1.11","a":1},{"eventVersion":"1.09","c":{"sessionToken":"${token}","b":2}}]}`,
      ),
      7,
      new WordBook(),
    );
    expect(cut).toMatchObject({ rows: 2, careful: [] });
    expect(cut?.lines.toString().replaceAll(/"g":\d+/g, '"g":0')).toBe(
      '{"#":7,"g":0,"v":"1.11","a":1}\n{"#":7,"g":0,"v":"1.09","c":{"sessionToken":"<removed by Firebreak>","b":2}}\n',
    );
  });

  it.each([
    ['{"eventVersion":"1"}\n{"awsRegion":"x"}'],
    ['{"eventVersion":"1"}\n{"#":3,"v":"1"}'],
    ['{"Records":[{"eventVersion":"1",\n"a":1}]}'],
    ['{"Records":[{"eventVersion":"1"}],"more":1}'],
    ['{"Records": [{"eventVersion":"1"}]}'],
    ['{"Records":[]}'],
    ['{"Records":[{"eventVersion":"1","password":"x"}]}'],
    ['{"Records":[{"eventVersion":"1","a":NaN}]}'],
    [''],
  ])('is not what %j is, which takes the careful way', (text) => {
    expect(cutRecords(Buffer.from(text), 7, new WordBook())).toBeUndefined();
  });
});

describe('filters of words', () => {
  const text = (words: readonly string[]) => Buffer.from(JSON.stringify({ Key1: words }));
  const filtersOf = (book: WordBook) => {
    const { bits, places } = book.filters();
    return new Filters({ name: 'x', kind: wordsKind, bytes: bits.byteLength, groups: places }, bits);
  };

  it('never miss a word, and seldom name one that is not there', () => {
    const words = (seed: number) =>
      Array.from({ length: 60_000 }, (_, i) => `i-${(Math.imul(i * 2 + seed, 2_654_435_761) >>> 0).toString(16)}`);
    const book = new WordBook();
    const names = Array.from({ length: 500 }, (_, i) => groupOf(Buffer.from(`arn:aws:iam::111122223333:user/u${i}`)));
    const list = words(0);
    for (let i = 0; i < list.length; i++) {
      const record = text([list[i] ?? '']);
      book.add(record, 0, record.length, names[i % 500] ?? 0);
    }
    const filters = filtersOf(book);
    const count = book.count();
    for (let i = 0; i < list.length; i++)
      expect(filters.groupsWith(hashOfWord(list[i] ?? ''))).toContain((names[i % 500] ?? 0) % count);
    const named = words(1).reduce((sum, word) => sum + filters.groupsWith(hashOfWord(word)).length, 0);
    expect(named / (60_000 * count)).toBeLessThan(0.05);
    expect(filters.groupsWith(hashOfWord('key1'))).toEqual([]);
  });

  it('of a few records take little room, and know words in any case', () => {
    const book = new WordBook();
    const record = text(['Alice@Example.COM', 'AKIAIOSFODNN7EXAMPLE']);
    book.add(record, 0, record.length, 21);
    expect(book.count()).toBe(1);
    const { bits } = book.filters();
    expect(bits.byteLength).toBeLessThan(1024);
    const filters = filtersOf(book);
    expect(filters.groupsWith(hashOfWord('alice@example.com'))).toEqual([0]);
    expect(filters.groupsWith(hashOfWord('alice@example.co'))).toEqual([]);
  });
});
