/** `firebreak rules sql`: what it prints is read by a Trino grammar, or runs in DuckDB over the lake. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { TrinoSQL } from 'dt-sql-parser';
import { describe, expect, it } from 'vitest';
import { importFolder, tempDir } from '../src/evidence/lake/lakes.ts';
import { folderOf, sample } from '../src/evidence/samples.ts';

const launcher = fileURLToPath(new URL('../../bin/firebreak.js', import.meta.url));

function rules(
  words: readonly string[],
  folder: string,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const { PATH = '' } = process.env;
  const env = { PATH, HOME: folder, FIREBREAK_DATA_DIR: folder };
  return new Promise((resolve) => {
    execFile(process.execPath, [launcher, 'rules', 'sql', ...words], { cwd: folder, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

const place = ['--accounts', '111122223333', '--regions', 'eu-west-1'];

describe('the SQL of a rule', { timeout: 60_000 }, () => {
  it('for Athena is a statement over the table of the DDL', async () => {
    const folder = await tempDir();
    const { code, stdout, stderr } = await rules(
      ['rds-master-password-changed', '--dialect', 'athena', '--since', '30d', ...place],
      folder,
    );

    expect([code, stderr]).toEqual([0, '']);
    expect(new TrinoSQL().validate(stdout)).toEqual([]);
    expect(stdout).toContain('FROM firebreak.cloudtrail WHERE account IN');
    expect(stdout).toMatch(/^-- Rules: rds-master-password-changed\n/);
    expect(stdout).toContain(
      '-- rds-master-password-changed: narrowed in part: requestParameters.masterUserPassword is a secret',
    );
  });

  it('for DuckDB runs over the files of the lake', async () => {
    const folder = await tempDir();
    const now = Date.now();
    const records = ['CreateUser', 'ListUsers'].map((name, at) =>
      sample({
        at: new Date(now - (at + 1) * 60_000).toISOString(),
        name,
        extra: { eventSource: 'iam.amazonaws.com' },
      }),
    );
    await importFolder(await folderOf({ 'a.json': JSON.stringify({ Records: records }) }), folder);
    const { code, stdout } = await rules(['iam-user-created', '--dialect', 'duckdb'], folder);
    const instance = await DuckDBInstance.create(':memory:');
    const db = await instance.connect();
    const answer = await db.runAndReadAll(stdout);
    const names = answer.getRowObjectsJson().map(({ eventName }) => eventName);
    db.closeSync();
    instance.closeSync();

    expect(code).toBe(0);
    expect(names).toEqual(['"CreateUser"']);
  });

  it('asks for what is missing, all at once, and knows no other rules', async () => {
    const folder = await tempDir();
    writeFileSync(join(folder, 'firebreak.yml'), '{}');
    const bare = await rules(['iam-user-created', '--dialect', 'athena'], folder);

    expect(bare.code).toBe(2);
    expect(bare.stderr).toContain('no accounts: give --accounts');
    expect(bare.stderr).toContain('no Regions: give --regions');
    expect((await rules(['iam-user-created'], folder)).stderr).toContain('say --dialect athena or --dialect duckdb');
    expect((await rules(['nonsense-rule', '--dialect', 'athena', ...place], folder)).stderr).toContain(
      'There is no rule',
    );
    expect(
      (await rules(['iam-user-created', '--dialect', 'athena', '--accounts', "1'2", '--regions', 'eu-west-1'], folder))
        .stderr,
    ).toContain('is no account id');
  });
});
