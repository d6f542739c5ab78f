import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../../src/contracts/errors.ts';
import { firstFileNumber } from '../../../../src/evidence/lake/columns.ts';
import { asFullDisk } from '../../../../src/evidence/lake/guard.ts';
import { lakeFolder, makeLakeFolder } from '../../../../src/evidence/lake/pages.ts';
import { linesInPlace } from '../../../../src/evidence/lake/prepare.ts';
import { openReader } from '../../../../src/evidence/lake/reader.ts';
import { buildFilters, Filters, wordsKind } from '../../../../src/evidence/lake/words.ts';
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

describe('lines in place', () => {
  const number = firstFileNumber + 7;

  it('are as long as the records that they came from', () => {
    const lines = linesInPlace(
      Buffer.from('{"Records":[{"eventVersion":"1.11","a":1},{"eventVersion":"1.09","a":2}]}'),
      number,
    );
    expect(lines?.records).toBe(2);
    expect(lines?.bytes.toString()).toBe('{"#":100007,"v":"1.11","a":1}\n{"#":100007,"v":"1.09","a":2}\n');
  });

  it.each([
    ['{"eventVersion":"1"}\n{"awsRegion":"x"}'],
    ['{"eventVersion":"1"}\n{"#":100003,"v":"1"}'],
    ['{"Records":[{"eventVersion":"1",\n"a":1}]}'],
    ['{"Records":[{"eventVersion":"1"}],"more":1}'],
    ['{"Records": [{"eventVersion":"1"}]}'],
    ['{"Records":[]}'],
    [''],
  ])('are refused for %j, which takes the careful way', (text) => {
    expect(linesInPlace(Buffer.from(text), number)).toBeUndefined();
  });
});

describe('filters of words', () => {
  it('never miss a word, and seldom name one that is not there', () => {
    const words = (from: number) =>
      Array.from({ length: 3000 }, (_, i) => Math.imul(i * 2 + from, 2_654_435_761) >>> 0);
    const groups = new Map([
      [11, words(0)],
      [12, words(1)],
    ]);
    const { bits, places } = buildFilters(groups);
    const filters = new Filters({ name: 'x', kind: wordsKind, bytes: bits.byteLength, groups: places }, bits);
    for (const [group, list] of groups) for (const word of list) expect(filters.groupsWith(word)).toContain(group);
    const wrong = words(0).filter((word) => filters.groupsWith(word).includes(12)).length;
    expect(wrong).toBeLessThan(3000 * 0.03);
  });
});
