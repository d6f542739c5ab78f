/** Hunts over Athena by the user's doors: the shell and Slack, against a server of Athena's protocol that runs the queries. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DemoAws, startDemoAws } from '../../demo/aws/server.ts';
import { demoIds } from '../../demo/slack/workspace.ts';
import { type AthenaKeys, athenaSetting, launcher, type Ran, runWith } from '../support/athena-shell.ts';
import { openScene, type Scene, wordsOf } from '../support/scene.ts';

let aws: DemoAws;
let folder: string;

beforeAll(async () => {
  aws = await startDemoAws({ story: 's3', backgroundEvents: 40, lookupRatePerSecond: 50 });
  folder = mkdtempSync(join(tmpdir(), 'firebreak-athena-hunt-'));
});
afterAll(async () => {
  await aws?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

function setting(athena: AthenaKeys | undefined, data: string) {
  return athenaSetting(aws, folder, athena, data);
}

function firebreak(words: readonly string[], athena: AthenaKeys | undefined, data: string): Promise<Ran> {
  return runWith(setting(athena, data), folder, words);
}

interface Hunted {
  readonly matches: readonly { readonly rule: string; readonly eventId: string; readonly principal: string }[];
  readonly asked?: {
    readonly statements: number;
    readonly rules: readonly { readonly rule: string; readonly how: string }[];
    readonly cost: { readonly before: string; readonly after: string };
  };
  readonly coverage: {
    readonly complete: boolean;
    readonly sources: readonly { readonly name: string; readonly failed: boolean; readonly reason?: string }[];
  };
}

const answerOf = ({ stdout }: Ran): Hunted => JSON.parse(stdout || '{}');
/** Only Firebreak's own calls of these tests may differ from one hunt to the next. */
const found = (ran: Ran) =>
  answerOf(ran)
    .matches.filter(({ principal }) => !/IrAudit|888877776666/.test(principal))
    .map(({ rule, eventId }) => `${rule} ${eventId}`)
    .sort();
const started = () => aws.calls.filter(({ operation }) => operation === 'StartQueryExecution').length;
const words = ['ir', 'hunt', 'all', '--since', '7d', '--json'];

describe('a hunt over Athena', { timeout: 120_000 }, () => {
  let whole: readonly string[];
  beforeAll(async () => {
    whole = found(await firebreak(words, undefined, 'lookup'));
    expect(whole.length).toBeGreaterThan(10);
  }, 120_000);

  it('is one query for all rules, with the same matches as without Athena, and tells what it asked and what that cost', async () => {
    const before = started();
    const ran = await firebreak(words, {}, 'pass');
    const { asked, coverage } = answerOf(ran);

    expect(ran.stderr).toBe('');
    expect(started() - before).toBe(1);
    expect(found(ran)).toEqual(whole);
    expect(ran.code).toBe(0);
    expect(asked).toMatchObject({
      statements: 1,
      cost: {
        before: expect.stringMatching(/^(It reads about|What it reads)/),
        after: expect.stringMatching(/^Athena read .*\$0\.00/),
      },
    });
    expect(asked?.rules.filter(({ how }) => how === 'whole').length).toBeGreaterThan(250);
    expect(asked?.rules.filter(({ how }) => how === 'none')).toEqual([]);
    expect(coverage).toMatchObject({ complete: true });
    expect(coverage.sources.map(({ name }) => name)).toEqual([
      expect.stringMatching(/^CloudTrail in Athena \(firebreak\.cloudtrail\), what may fit \d+ rules$/),
    ]);
  });

  it('keeps in the lake what it fetched, and vouches for no time with it', async () => {
    const lake = join(folder, 'pass', 'lake');
    expect(readdirSync(join(lake, 'shards')).filter((name) => name.endsWith('.parquet')).length).toBeGreaterThan(0);
    const ran = await firebreak(
      ['ir', 'timeline', 'arn:aws:iam::999999999999:user/pipeline', '--since', '7d', '--json'],
      {},
      'pass',
    );

    expect(
      answerOf(ran)
        .coverage.sources.map(({ name }) => name)
        .join(),
    ).toContain('LookupEvents');
    expect(readdirSync(join(folder, 'pass')).filter((name) => /^athena-[0-9a-f]+$/.test(name))).toEqual([]);
  });

  it('is answered by LookupEvents where Athena refuses, and says so', async () => {
    const ran = await firebreak(words, { workgroup: 'nowhere' }, 'refused');

    expect(ran.code).toBe(3);
    expect(found(ran)).toEqual(whole);
    expect(answerOf(ran).coverage.sources[0]).toMatchObject({ failed: true, name: 'CloudTrail in Athena' });
    expect(answerOf(ran).asked).toBeUndefined();
  });

  it('asks nothing that the limits forbid, and says which', async () => {
    const before = started();
    const ran = await firebreak(words, { maxBytesPerQuery: '100MB', maxBytesPerDay: '10MB' }, 'poor');

    expect(started()).toBe(before);
    expect(ran.code).toBe(3);
    expect(answerOf(ran).coverage.sources[0]?.reason).toContain('The limit of Athena for this day');
    expect(found(ran)).toEqual(whole);
  });

  it('goes on after a kill in its midst: nothing is half imported, and the next one finds the same', async () => {
    const env = setting({}, 'killed');
    let child: ChildProcess | undefined;
    const remove = aws.onRequest((call) => {
      if (call.operation === 'GetQueryResults') child?.kill('SIGKILL');
    });
    child = spawn(process.execPath, [launcher, ...words], { cwd: folder, env, stdio: 'ignore' });
    const ended = await new Promise((resolve) => child?.once('exit', (code, signal) => resolve(signal ?? code)));
    remove();
    expect(ended).not.toBe(0);
    const lake = join(folder, 'killed', 'lake', 'shards');
    expect(existsSync(lake) ? readdirSync(lake) : []).toEqual([]);

    expect(found(await firebreak(words, {}, 'killed'))).toEqual(whole);
  });

  it('takes one rule by its name, and a window that LookupEvents cannot see', async () => {
    const ran = await firebreak(['ir', 'hunt', 'iam-access-key-created', '--since', '120d', '--json'], {}, 'one');

    expect(answerOf(ran).asked?.rules.map(({ rule }) => rule)).toContain('iam-access-key-created');
    expect(answerOf(ran).asked?.rules.length).toBeLessThan(5);
    expect(new Set(found(ran))).toEqual(new Set(whole.filter((one) => one.startsWith('iam-access-key-created '))));
  });
});

describe('a hunt over Athena in Slack', { timeout: 120_000 }, () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene();
  });
  afterAll(() => scene?.close());

  it('becomes a thread that tells which rules were narrowed and what it cost', async () => {
    const { alerts, rosa } = demoIds;
    const before = new Set(scene.slack.messages(alerts).map(({ ts }) => ts));
    expect((await scene.slack.slash(rosa, alerts, 'hunt all --since 7d')).ms).toBeLessThan(3_000);

    const said = await scene.slack.waitFor(() => {
      const root = scene.slack.messages(alerts).find(({ ts }) => !before.has(ts));
      const all = root === undefined ? '' : [root, ...scene.slack.thread(alerts, root.ts)].map(wordsOf).join('\n');
      return all.includes('What was looked at') ? all : undefined;
    }, 90_000);

    expect(said).toContain('Asked of Athena');
    expect(said).toContain('narrowed in full');
    expect(said).toMatch(/Cost: .*before: .*after: Athena read/s);
  });
});
