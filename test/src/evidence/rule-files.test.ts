import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readRuleFiles } from '../../../src/evidence/rule-files.ts';

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-rules-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

describe('a folder of rules', () => {
  it('gives the text of every rule file below it, by path', async () => {
    const dir = await folder();
    await mkdir(join(dir, 'b', 'c'), { recursive: true });
    await writeFile(join(dir, 'b', 'c', 'two.yaml'), 'two');
    await writeFile(join(dir, 'one.yml'), 'one');
    await writeFile(join(dir, 'README.md'), 'no');

    expect(await readRuleFiles(dir)).toEqual([
      { path: 'b/c/two.yaml', text: 'two' },
      { path: 'one.yml', text: 'one' },
    ]);
    expect(await readRuleFiles(join(dir, 'one.yml'))).toEqual([{ path: 'one.yml', text: 'one' }]);
  });

  it('does not follow links', async () => {
    const dir = await folder();
    const outside = await folder();
    await writeFile(join(outside, 'secret.yml'), 'secret');
    await writeFile(join(dir, 'one.yml'), 'one');
    await symlink(join(outside, 'secret.yml'), join(dir, 'link.yml'));
    await symlink(outside, join(dir, 'more'));

    expect((await readRuleFiles(dir)).map(({ path }) => path)).toEqual(['one.yml']);
  });

  it('says so where it is not there, or holds no rules or too large ones', async () => {
    const dir = await folder();

    await expect(readRuleFiles(join(dir, 'gone'))).rejects.toThrow('does not exist');
    await expect(readRuleFiles(dir)).rejects.toThrow('no rule files');
    await writeFile(join(dir, 'large.yml'), 'x'.repeat(2_000_001));
    await expect(readRuleFiles(dir)).rejects.toThrow('larger');
  });
});
