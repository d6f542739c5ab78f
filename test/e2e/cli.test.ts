/** The command line: the day when Slack is down. Exit codes, one JSON document on stdout, folders of logs, and the launcher under an old Node. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { storyFindings } from '../../demo/aws/findings.ts';
import { type DemoAws, startDemoAws } from '../../demo/aws/server.ts';
import { configFor, environmentFor } from '../../demo/setting.ts';
import type { PivotAnswer } from '../../src/contracts/pivot.ts';
import { sample, zipOf } from '../src/evidence/samples.ts';
import { launcher, type Ran, run } from '../support/doors.ts';
import { openScene, type Scene } from '../support/scene.ts';

const key = 'AKIAIOSFODNN7EXAMPLE';
const folder = mkdtempSync(join(tmpdir(), 'firebreak-cli-'));
/** Nothing is in it, and nothing may come into it. */
const empty = join(folder, 'empty');
mkdirSync(empty);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Without any setting at all. */
const bare = (words: readonly string[], more: Parameters<typeof run>[1] = {}) =>
  run(words, { cwd: empty, ...more, env: { HOME: empty, AWS_EC2_METADATA_DISABLED: 'true', ...more.env } });

function answerOf(ran: Ran): PivotAnswer {
  return JSON.parse(ran.stdout) as PivotAnswer;
}

describe('help and wrong use', () => {
  it('explains itself without any setting, and leaves nothing behind', async () => {
    const [help, one, nothing, json] = await Promise.all([
      bare(['ir', 'help']),
      bare(['ir', 'help', 'pivot']),
      bare(['ir']),
      bare(['ir', 'help', '--json']),
    ]);

    expect([help.code, help.stderr]).toEqual([0, '']);
    for (const word of ['/ir pivot', '/ir contain', 'disable-access-key']) expect(help.stdout).toContain(word);
    expect([one.code, one.stdout.includes('--since')]).toEqual([0, true]);
    expect([nothing.code, nothing.stdout]).toEqual([0, help.stdout]);
    expect([json.code, json.stderr]).toEqual([0, '']);
    expect(JSON.parse(json.stdout)).toMatchObject({ commands: expect.any(Array), actions: expect.any(Array) });
    expect(readdirSync(empty)).toEqual([]);
  });

  it('ends without a stack where whoever reads it has heard enough', () => {
    const piped = spawnSync(
      'bash',
      ['-c', `"${process.execPath}" "${launcher}" grants | true; exit "\${PIPESTATUS[0]}"`],
      {
        encoding: 'utf8',
        env: { PATH: process.env.PATH ?? '', HOME: empty },
      },
    );

    expect([piped.status, piped.stderr]).toEqual([0, '']);
  });

  it('ends with 2 on wrong use, says what and how, and prints nothing on stdout', async () => {
    const asked: readonly [readonly string[], RegExp][] = [
      [['explode'], /no subcommand "explode"[\s\S]*firebreak serve/],
      [['ir', 'pivto'], /Did you mean/],
      [['ir', 'pivot', 'rubbish'], /nothing that can be pivoted on/],
      [['ir', 'pivot', key, '--explode'], /--explode/],
      [['ir', 'pivot', key, '--since', 'soon', '--logs', empty], /not a/],
      [['ir', 'pivot', key, '--logs', join(empty, 'absent')], /does not exist/],
      [['ir', 'contain', 'disable-access-key', 'AKIA1'], /not an access key id/],
      [['serve', '--role', 'king'], /--role king/],
      [['serve', '--explode'], /--explode/],
      [['serve'], /SLACK_BOT_TOKEN is not set[\s\S]*no config file/],
      [['audit', 'explode'], /usage/],
      [['ir', 'help', '--json', '--logs', empty, '--bogus'], /--bogus/],
    ];

    for (let at = 0; at < asked.length; at += 4) {
      await Promise.all(
        asked.slice(at, at + 4).map(async ([words, says]) => {
          const ran = await bare(words);
          expect([words, ran.code, ran.stdout]).toEqual([words, 2, '']);
          expect(ran.stderr).toMatch(says);
          expect(ran.stderr).not.toMatch(/\.ts:\d+/);
        }),
      );
    }
    const usage = await bare([]);
    expect([usage.code, usage.stdout.includes('Exit codes')]).toEqual([2, true]);
    expect(readdirSync(empty)).toEqual([]);
  });

  it('lists every problem of a wrong config, also where no Slack is needed', async () => {
    const file = join(folder, 'wrong.yml');
    writeFileSync(file, stringify({ mode: 'yolo', regions: ['moon-1'], colour: 'red' }));

    const ran = await bare(['ir', 'help'], { env: { FIREBREAK_CONFIG: file, LOG_LEVEL: 'loud' } });

    expect(ran.code).toBe(2);
    for (const word of ['mode', 'regions.0', 'colour', 'LOG_LEVEL']) expect(ran.stderr).toContain(word);
  });
});

describe('against AWS', () => {
  let aws: DemoAws;
  let env: Record<string, string>;
  beforeAll(async () => {
    aws = await startDemoAws({ story: 's3', backgroundEvents: 10, lookupRatePerSecond: 50 });
    const file = join(folder, 'firebreak.yml');
    writeFileSync(file, stringify({ ...configFor(aws), regions: ['us-east-1', 'eu-west-1'] }));
    const { SLACK_BOT_TOKEN, SLACK_SIGNING_SECRET, SLACK_API_URL, WEBHOOK_TOKEN, ...own } = environmentFor(aws, {
      apiUrl: 'http://127.0.0.1:9/api/',
    });
    env = { ...own, FIREBREAK_CONFIG: file };
  });
  afterAll(async () => {
    await aws?.close();
    // What LookupEvents told is kept for the next question.
    rmSync(join(empty, 'data'), { recursive: true, force: true });
  });

  it('answers a pivot as one JSON document and nothing else, or in words, with 0 where everything was looked at', async () => {
    const [ran, words] = await Promise.all([
      bare(['ir', 'pivot', key, '--json'], { env }),
      bare(['ir', 'pivot', key, '--since', '2d'], { env }),
    ]);

    expect([ran.code, ran.stderr]).toEqual([0, '']);
    const answer = answerOf(ran);
    expect(answer.seed).toEqual({ kind: 'accessKey', id: key });
    expect(answer.coverage).toMatchObject({
      complete: true,
      accounts: ['999999999999'],
      regions: ['eu-west-1', 'us-east-1'],
      badFiles: [],
    });
    expect(answer.nodes.map((node) => node.id)).toEqual(
      expect.arrayContaining(['arn:aws:iam::999999999999:user/pipeline', '203.0.113.99', key]),
    );
    expect(answer.findings.length).toBeGreaterThan(0);
    expect(ran.stdout.endsWith('}\n')).toBe(true);

    expect([words.code, words.stderr]).toEqual([0, '']);
    for (const word of ['pipeline', 'RunInstances', 'What was looked at']) expect(words.stdout).toContain(word);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
    expect(words.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
    // What LookupEvents answered is kept, so that it is not asked again.
    expect(readdirSync(empty)).toEqual(['data']);
    expect(readdirSync(join(empty, 'data'))).toEqual(['lake']);
  });

  it('ends with 3 where one Region fails, and names it', async () => {
    const stop = aws.fail({ operation: 'LookupEvents', region: 'eu-west-1', how: 'accessDenied' });
    const ran = await bare(['ir', 'pivot', key, '--json', '--depth', '1'], { env });
    stop();

    expect(ran.code).toBe(3);
    const { coverage, nodes } = answerOf(ran);
    expect(coverage.complete).toBe(false);
    expect(coverage.sources.filter((source) => source.failed).map((source) => source.name)).toEqual([
      'CloudTrail LookupEvents eu-west-1 999999999999',
    ]);
    expect(coverage.notLookedAt.join('\n')).toContain('eu-west-1');
    expect(nodes.map((node) => node.id)).toContain('arn:aws:iam::999999999999:user/pipeline');
  });

  it.each<[string, () => () => void, Record<string, string>]>([
    ['denied', () => aws.fail({ operation: 'LookupEvents', how: 'accessDenied' }), {}],
    ['audit role denied', () => aws.fail({ operation: 'AssumeRole', how: 'accessDenied' }), {}],
    ['HTML', () => aws.fail({ service: 'cloudtrail', how: 'html' }), {}],
    ['HTML with 200', () => aws.fail({ service: 'cloudtrail', how: 'html', status: 200 }), {}],
    ['nobody', () => () => undefined, { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' }],
    ['wrong key', () => () => undefined, { AWS_SECRET_ACCESS_KEY: 'x'.repeat(40) }],
  ])('ends with 3 where nothing could be looked at: %s', async (_what, begin, more) => {
    const end = begin();
    const ran = await bare(['ir', 'pivot', key, '--json'], { env: { ...env, ...more } });
    end();
    expect(ran.code).toBe(3);
    const { coverage, headline } = answerOf(ran);
    expect([coverage.complete, coverage.sources.every((source) => source.failed)]).toEqual([false, true]);
    expect(headline).toMatch(/could not|not everything could/);
  });

  it('says in a triage what GuardDuty reports, before it says what the log does not show', async () => {
    const { mining, sample } = storyFindings(new Date());
    for (const finding of [...mining, sample]) aws.addFinding(finding);

    const ran = await bare(['ir', 'triage', '--json'], { env });

    const { verdict, plan, reported } = JSON.parse(ran.stdout) as {
      verdict: string;
      plan: string[];
      reported: { findings: { type: string; about?: string }[] };
    };
    expect(verdict).toMatch(/^GuardDuty reports \d findings, the gravest High 8\.0 CryptoCurrency:EC2\/BitcoinTool/);
    expect(verdict).not.toContain('Nothing');
    expect(plan.join()).toContain('Go through what GuardDuty reports');
    expect(reported.findings).toHaveLength(mining.length);
    expect(reported.findings[0]?.about).toMatch(/^i-/);
  });

  it('makes a plan without running it, and ends with 1 or 2 where there is none', async () => {
    const [plan, nowhere, silent] = [
      await bare(['ir', 'contain', 'disable-access-key', key, '--json'], { env }),
      await bare(['ir', 'contain', 'disable-access-key', 'AKIAQNZGKIQY56JQ7WML'], { env }),
      await bare(['ir', 'contain', 'disable-access-key', key], {
        env: { ...env, AWS_ENDPOINT_URL: 'http://127.0.0.1:9' },
      }),
    ];

    expect([plan.code, plan.stderr]).toEqual([0, '']);
    expect(JSON.parse(plan.stdout)).toMatchObject({
      cli: [
        `aws iam update-access-key --user-name pipeline --access-key-id ${key} --status Inactive --region us-east-1`,
      ],
      before: { status: 'Active', userName: 'pipeline' },
    });
    expect([nowhere.code, nowhere.stdout]).toEqual([2, '']);
    expect(nowhere.stderr).toContain('is in none of the 1 accounts');
    expect([silent.code, silent.stdout]).toEqual([1, '']);
    expect(silent.stderr).toContain('not every account could be looked at');
    expect(silent.stderr).not.toMatch(/\.ts:\d+/);
    expect(aws.calls.filter((call) => call.operation === 'UpdateAccessKey')).toEqual([]);
  });
});

describe('--logs', () => {
  /** Every form in which people have CloudTrail logs, one record each, told apart by the caller's address. */
  function writeForms(dir: string): void {
    const record = (n: number) => sample({ ip: `198.51.100.${n}`, name: `Call${n}` });
    const { eventTime, ...stamped } = record(8);
    const files: Record<string, string | Buffer> = {
      'records.json': JSON.stringify({ Records: [record(1)] }),
      'array.txt': JSON.stringify([record(2)]),
      'lines.log': `${JSON.stringify(record(3))}\n\n${JSON.stringify(record(4))}\n`,
      'page.json': JSON.stringify({
        Events: [{ EventId: 'x', CloudTrailEvent: JSON.stringify(record(5)) }],
        NextToken: 'more',
      }),
      'AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/20/file.json.gz': gzipSync(
        JSON.stringify({ Records: [record(6)] }),
      ),
      'deep/er/archive.bin': zipOf(
        { 'in/side.json': Buffer.from(JSON.stringify({ Records: [record(7)] })) },
        deflateRawSync,
        crc32,
      ),
      'export.ndjson': JSON.stringify({ ...stamped, '@timestamp': eventTime }),
      'no-name': gzipSync(`${JSON.stringify(record(9))}\n`),
      'one.json': JSON.stringify(record(10), undefined, 2),
    };
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(join(dir, name, '..'), { recursive: true });
      writeFileSync(join(dir, name), content);
    }
  }

  it('answers from every form of file, over all time, with no settings, no database and nothing written', async () => {
    const dir = join(folder, 'forms');
    writeForms(dir);

    // Settings of a machine on which nothing works: none of them may be used.
    const env = {
      DATABASE_URL: 'postgres://127.0.0.1:9/x',
      REDIS_URL: 'redis://127.0.0.1:9',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    };
    const ran = await bare(['ir', 'pivot', 'arn:aws:iam::111122223333:user/alice', '--logs', dir, '--json'], { env });

    expect([ran.code, ran.stderr]).toEqual([0, '']);
    const { nodes, coverage } = answerOf(ran);
    const seen = nodes.filter((node) => node.kind === 'ip').map((node) => node.id);
    expect(new Set(seen)).toEqual(new Set(Array.from({ length: 10 }, (_, index) => `198.51.100.${index + 1}`)));
    expect(coverage).toMatchObject({
      complete: true,
      badFiles: [],
      accounts: ['111122223333'],
      regions: ['eu-west-1'],
    });
    expect(readdirSync(empty)).toEqual([]);
  });

  it('ends with 3 and lists the bad files where a part could not be read', async () => {
    const dir = join(folder, 'partly-bad');
    writeForms(dir);
    writeFileSync(join(dir, 'cut.json.gz'), gzipSync(JSON.stringify({ Records: [sample()] })).subarray(0, 60));
    writeFileSync(join(dir, 'cut.json'), JSON.stringify({ Records: [sample(), sample()] }).slice(0, 1_000));
    writeFileSync(join(dir, 'readme.md'), '# not a log');

    const ran = await bare(['ir', 'pivot', '198.51.100.3', '--logs', dir, '--json']);

    expect(ran.code).toBe(3);
    const { coverage, nodes } = answerOf(ran);
    expect(coverage.complete).toBe(false);
    expect(coverage.badFiles.map((file) => file.path).sort()).toEqual(['cut.json', 'cut.json.gz']);
    expect(nodes.map((node) => node.id)).toContain('arn:aws:iam::111122223333:user/alice');
    const words = await bare(['ir', 'pivot', '198.51.100.3', '--logs', dir]);
    expect([words.code, words.stdout]).toEqual([3, expect.stringContaining('NOT COMPLETE')]);
    expect(words.stdout).toContain('cut.json.gz');
  });

  it('ends with 3 for a folder without logs: nothing there is not nothing found', async () => {
    const dir = join(folder, 'no-logs');
    mkdirSync(dir);

    const ran = await bare(['ir', 'pivot', '198.51.100.3', '--logs', dir, '--json']);

    expect([ran.code, answerOf(ran).coverage.complete]).toEqual([3, false]);
    expect(answerOf(ran).coverage.notLookedAt.join()).toContain('no CloudTrail records found');
  });

  it('narrows to a window only where one is given', async () => {
    const dir = join(folder, 'window');
    mkdirSync(dir);
    const at = (time: string, ip: string) => sample({ at: time, ip });
    writeFileSync(
      join(dir, 'a.json'),
      JSON.stringify([at('2019-01-01T00:00:00Z', '198.51.100.20'), at('2026-11-20T00:00:00Z', '198.51.100.21')]),
    );
    const ask = async (...flags: string[]) => {
      const ran = await bare(['ir', 'pivot', key, '--logs', dir, '--json', ...flags]);
      return answerOf(ran)
        .nodes.filter((node) => node.kind === 'ip')
        .map((node) => node.id);
    };

    expect((await ask()).sort()).toEqual(['198.51.100.20', '198.51.100.21']);
    expect(await ask('--since', '2026-11-01')).toEqual(['198.51.100.21']);
    expect(await ask('--since', '2018-01-01', '--until', '2020-01-01')).toEqual(['198.51.100.20']);
  });
});

describe('the launcher', () => {
  const old = '/usr/bin/node';
  const version = existsSync(old) ? spawnSync(old, ['--version'], { encoding: 'utf8' }).stdout.trim() : 'absent';
  const isOld = /^v(2[0-3])\./.test(version);
  const skipped = isOld ? '' : ` (${old} is ${version}: there is no older Node to start it with)`;
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene({ start: false, aws: { story: 'empty' } });
  });
  afterAll(() => scene?.close());

  function serve(dataDir: string): { launched: ChildProcess; log: () => string } {
    const file = join(folder, 'serve.yml');
    writeFileSync(file, stringify(configFor(scene.aws)));
    const launched = spawn(old, [launcher, 'serve'], {
      cwd: empty,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        PATH: process.env.PATH ?? '',
        HOME: empty,
        ...environmentFor(scene.aws, scene.slack),
        FIREBREAK_CONFIG: file,
        FIREBREAK_DATA_DIR: dataDir,
        PORT: '0',
      },
    });
    let text = '';
    launched.stderr?.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    return { launched, log: () => text };
  }

  async function until(holds: () => boolean, what: () => string, ms = 20_000): Promise<void> {
    for (const end = Date.now() + ms; !holds(); ) {
      if (Date.now() > end) throw new Error(`not seen within ${ms} ms: ${what()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  const isAlive = (pid: number): boolean => {
    // A zombie is dead: its parent just has not looked yet.
    const status = existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, 'utf8') : 'State:\tX';
    return !/State:\t[ZX]/.test(status);
  };
  const childOf = (pid: number): number =>
    Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);

  it.skipIf(!isOld)(`works under an older Node, with its arguments, output and exit codes${skipped}`, async () => {
    const dir = join(folder, 'old');
    mkdirSync(dir);
    writeFileSync(join(dir, 'a.json'), JSON.stringify([sample({ ip: '198.51.100.30' })]));

    const [help, pivot, wrong] = await Promise.all([
      bare(['ir', 'help', '--json'], { node: old }),
      bare(['ir', 'pivot', '198.51.100.30', '--logs', dir, '--json'], { node: old }),
      bare(['ir', 'explode'], { node: old }),
    ]);

    expect([help.code, help.stderr]).toEqual([0, '']);
    expect(JSON.parse(help.stdout)).toHaveProperty('commands');
    expect([pivot.code, answerOf(pivot).seed.id]).toEqual([0, '198.51.100.30']);
    expect([wrong.code, wrong.stdout]).toEqual([2, '']);
  });

  it.skipIf(!isOld)(
    `takes its child with it when it is killed, and the next start goes on${skipped}`,
    { timeout: 180_000 },
    async () => {
      const dataDir = join(folder, 'killed');
      const first = serve(dataDir);
      await until(() => first.log().includes('firebreak is ready'), first.log, 60_000);
      const child = childOf(first.launched.pid ?? 0);
      expect(isAlive(child)).toBe(true);

      first.launched.kill('SIGKILL');

      await until(
        () => !isAlive(child),
        () => `process ${child} lives on`,
        5_000,
      );
      const second = serve(dataDir);
      await until(() => second.log().includes('firebreak is ready'), second.log, 60_000);
      const secondChild = childOf(second.launched.pid ?? 0);

      // SIGTERM reaches the child, which drains and stops the database; its exit code comes through.
      second.launched.kill('SIGTERM');
      const [code] = (await once(second.launched, 'exit')) as [number | null];
      expect([code, second.log().includes('firebreak has stopped')]).toEqual([0, true]);
      expect(isAlive(secondChild)).toBe(false);
      expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
    },
  );
});
