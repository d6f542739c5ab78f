/** The questions beside the pivot, through their doors: the shell against LookupEvents and folders, and Slack. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { minerInstances } from '../../demo/aws/stories/s3.ts';
import { configFor, environmentFor } from '../../demo/setting.ts';
import { demoIds } from '../../demo/slack/workspace.ts';
import { root as repository } from '../fakes/folder.ts';
import { launcher, run } from '../support/doors.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const key = 'AKIAIOSFODNN7EXAMPLE';
const pipeline = 'arn:aws:iam::999999999999:user/pipeline';
const account = '999999999999';
const { alerts, rosa } = demoIds;

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Json = any;

describe('the questions', () => {
  let scene: Scene;
  let folder: string;
  beforeAll(async () => {
    scene = await openScene();
    folder = mkdtempSync(join(tmpdir(), 'firebreak-commands-'));
    writeFileSync(join(folder, 'firebreak.yml'), stringify(configFor(scene.aws)));
  });
  afterAll(async () => {
    await scene?.close();
    if (folder) rmSync(folder, { recursive: true });
  });

  const ask = (...words: string[]) =>
    run(['ir', ...words], {
      env: { ...environmentFor(scene.aws, scene.slack), FIREBREAK_CONFIG: join(folder, 'firebreak.yml') },
      cwd: folder,
    });
  async function answer(...words: string[]): Promise<{ code: number | null; json: Json }> {
    const { code, stdout, stderr } = await ask(...words, '--json');
    expect(stderr).toBe('');
    return { code, json: JSON.parse(stdout) };
  }

  describe('typed in a shell, against LookupEvents', () => {
    it('tells who created a machine, and that nobody is known to have made a stranger', async () => {
      const [made, stranger] = await Promise.all([
        answer('who-created', minerInstances[0]),
        answer('who-created', 'i-0aaaaaaaaaaaaaaaa'),
      ]);

      expect(made.json).toMatchObject({
        resource: minerInstances[0],
        creator: pipeline,
        eventName: 'RunInstances',
        sourceIp: '203.0.113.99',
        accessKey: key,
      });
      expect(made.json.eventId).toMatch(/^[0-9a-f-]{36}$/);
      expect(made.code).toBe(made.json.coverage.complete ? 0 : 3);
      expect(stranger.json).toMatchObject({ creator: null, eventId: null, sourceIp: null });
      expect((await ask('who-created', 'i-0aaaaaaaaaaaaaaaa')).stdout).toContain('not found in what was looked at');
    });

    it('lists a timeline in order of time, as JSON and in every other form', async () => {
      const { json } = await answer('timeline', key);
      const times = json.events.map((event: Json) => event.eventTime);

      expect(times).toEqual([...times].sort());
      expect(json.events.filter((event: Json) => event.eventName === 'RunInstances')).toHaveLength(7);
      expect(json.events.find((event: Json) => event.eventName === 'RunInstances')).toMatchObject({
        eventSource: 'ec2.amazonaws.com',
        principal: pipeline,
        sourceIp: '203.0.113.99',
        outcome: 'success',
        technique: expect.arrayContaining(['T1578.002']),
      });
      const [csv, lines, dot, mermaid] = await Promise.all(
        ['csv', 'timesketch', 'dot', 'mermaid'].map(
          async (format) => (await ask('timeline', key, '--format', format)).stdout,
        ),
      );
      expect(csv?.trim().split('\r\n')).toHaveLength(json.events.length + 1);
      for (const line of (lines ?? '').trim().split('\n')) {
        expect(JSON.parse(line)).toMatchObject({
          message: expect.stringContaining('called'),
          datetime: expect.stringMatching(/^\d{4}-.*\+00:00$/),
          timestamp_desc: 'Event Time',
          eventID: expect.any(String),
          requestParameters: expect.any(String),
        });
      }
      expect(dot).toMatch(/^digraph /);
      expect(mermaid).toMatch(/^flowchart LR\n/);
    });

    it('gives a pivot in every form', async () => {
      const forms = await Promise.all(
        ['json', 'csv', 'timesketch', 'dot', 'mermaid'].map((format) => ask('pivot', key, '--format', format)),
      );
      const [json, csv, lines, dot, mermaid] = forms.map(({ stdout }) => stdout);

      expect(JSON.parse(json ?? '')).toMatchObject({ seed: { kind: 'accessKey', id: key } });
      expect(csv).toContain('RunInstances');
      expect(lines).toContain('"timestamp_desc":"Event Time"');
      expect(dot).toContain(minerInstances[9]);
      expect(mermaid).toContain(minerInstances[9]);
    });

    it('says what cannot be told of a bucket, and never that nobody read it', async () => {
      const { code, json } = await answer('data-access', 's3://payroll-exports');
      const words = (await ask('data-access', 'payroll-exports')).stdout;

      expect(code).toBe(3);
      expect(json).toMatchObject({ verdict: 'cannot-be-told', coverage: { complete: false } });
      expect(words).toContain('can be neither proved nor excluded');
      expect(words).not.toMatch(/no access|nobody read|clean/i);
    });

    it('answers the others with evidence and coverage', async () => {
      const [sessions, entry, secrets, errors, coverage] = await Promise.all([
        answer('sessions', key),
        answer('entry', key),
        answer('secrets-read', key),
        answer('errors', account),
        answer('coverage'),
      ]);

      for (const { code, json } of [sessions, entry, secrets, errors, coverage]) {
        expect(json.coverage.accounts).toContain(account);
        expect(code).toBe(json.coverage.complete ? 0 : 3);
      }
      expect(sessions.json).toMatchObject({ sessions: [], loops: [] });
      expect(entry.json.history).toContainEqual(expect.objectContaining({ credential: key, calls: 15 }));
      expect(entry.json.ways).toMatchObject([{ kind: 'first-use', sure: 'weak', sourceIp: '203.0.113.99' }]);
      expect(secrets.json).toMatchObject({ secrets: [], calls: 15 });
      expect(errors.json.events).toBeGreaterThan(100);
      expect(coverage.json).toMatchObject({ accounts: [account], accountsNotReached: [] });
      expect(coverage.json.regions.length).toBeGreaterThan(10);
    });

    it('refuses what it cannot do with the way out', async () => {
      const forms = await Promise.all([
        ask('coverage', '--format', 'dot'),
        ask('timeline', key, '--format', 'docx'),
        ask('timeline', key, '--json', '--format', 'csv'),
        ask('data-access', 'arn:aws:iam::999999999999:user/pipeline'),
      ]);

      for (const { code, stdout, stderr } of forms) {
        expect([code, stdout]).toEqual([2, '']);
        expect(stderr).toMatch(/^firebreak: /);
      }
    });
  });

  describe('typed in Slack', () => {
    const roots = () => scene.slack.messages(alerts);
    const threadOf = (ts: string) => scene.slack.thread(alerts, ts).map(wordsOf).join('\n');

    it('answers a timeline in a thread with its coverage, a picture and the table', async () => {
      expect((await scene.slack.slash(rosa, alerts, `timeline ${key}`)).ms).toBeLessThan(3_000);

      const csv = await scene.slack.waitFor(
        () => scene.slack.files().find((file) => file.file.name === 'timeline.csv' && file.shares.length > 0),
        60_000,
      );
      const root = roots().find((message) => message.text.includes('Looked at'));

      expect(csv.file.alt_txt.length).toBeGreaterThan(40);
      expect(threadOf(root?.ts ?? '')).toContain('What was looked at');
      expect(threadOf(root?.ts ?? '')).toContain('RunInstances');
    });

    it('ranks the users of a hub and follows one by a click', async () => {
      await scene.slack.slash(rosa, alerts, `pivot ${key} --hub-limit 1`);

      const root = await scene.slack.waitFor(() => roots().find((message) => hasButton(message, 'expand')), 60_000);
      await scene.slack.waitFor(() => threadOf(root.ts).includes('most like the actor first'), 30_000);
      expect(threadOf(root.ts)).toContain('role DevOps: likeness');
      expect(threadOf(root.ts)).toContain('not followed');
      await scene.slack.waitFor(() => scene.slack.files().some(({ file }) => file.name === 'pivot.json'), 30_000);

      await scene.slack.click(rosa, alerts, root.ts, 'expand');

      await scene.slack.waitFor(() => /role DevOps: likeness.*?, followed/.test(threadOf(root.ts)), 60_000);
    });

    it('pivots further by a click, and widens any window that was typed', async () => {
      const before = roots().length;
      await scene.slack.slash(rosa, alerts, `who-created ${minerInstances[0]} --since 24h`);
      const root = await scene.slack.waitFor(
        () =>
          roots()
            .slice(before)
            .find((message) => hasButton(message, 'pivot')),
        60_000,
      );
      expect(wordsOf(root)).toContain('Pivot user …line');
      expect(wordsOf(root)).toContain('Widen to 7 days');

      await scene.slack.click(rosa, alerts, root.ts, 'pivot');

      await scene.slack.waitFor(() => threadOf(root.ts).includes('User pipeline made'), 60_000);
    });
  });
});

const data = `${repository}/../shared/data/cloudtrail`;
const present = existsSync(data);

describe.skipIf(!present)(
  `third-party logs in a folder${present ? '' : ' (skipped: ../shared/data is not there)'}`,
  () => {
    const fromFolder = async (words: string[], logs: string): Promise<{ code: number | null; json: Json }> => {
      const { code, stdout } = await run(['ir', ...words, '--json', '--logs', join(data, logs)], { cwd: tmpdir() });
      return { code, json: JSON.parse(stdout) };
    };
    const waf =
      'arn:aws:sts::123456789123:assumed-role/MordorNginxStack-BankingWAFRole-9S3E0UAE1MM0/i-0317f6c6b66ae9c40';

    it('finds the object that the WAF role read in OTRF', async () => {
      const { json } = await fromFolder(['data-access', 'mordors3stack-s3bucket-llp2yingx64a'], 'otrf');

      expect(json.verdict).toBe('reads-seen');
      expect(json.accesses[0]).toMatchObject({ principal: waf, access: 'read', times: 2, objectNames: ['ring.txt'] });
    });

    it('suspects the metadata service in OTRF, and says how little it rests on', async () => {
      const { json } = await fromFolder(['entry', waf], 'otrf');

      expect(json.ways.map((way: Json) => way.kind)).toEqual(['imds-v1', 'instance-credentials-outside']);
      expect(json.history).toEqual([expect.objectContaining({ credential: waf, calls: 11 })]);
    });

    it('makes a rotation list of the secrets that stratus retrieved', async () => {
      const logs = 'stratus-red-team/aws.credential-access.secretsmanager-retrieve-secrets.json';
      const { code, json } = await fromFolder(['secrets-read', 'arn:aws:iam::903144391865:user/christophe'], logs);

      expect([code, json.rotate.length]).toEqual([0, 20]);
      expect(json.secrets.every((secret: Json) => secret.reads === 1 && secret.eventIds.length === 1)).toBe(true);
    });

    it('shows who was denied the passwords of instances, and the roles that it tried first', async () => {
      const logs = 'stratus-red-team/aws.credential-access.ec2-get-password-data.json';
      const { json } = await fromFolder(['errors'], logs);

      expect(json.errors.map((error: Json) => [error.eventName, error.times])).toEqual([
        ['AssumeRole', 2],
        ['GetPasswordData', 30],
      ]);
    });

    it('ends quietly when the reader of its output has enough', () => {
      const command = `"$0" "$1" ir timeline 1.2.3.4 --format timesketch --logs "$2" | head -c 1; exit \${PIPESTATUS[0]}`;

      const { status, stderr } = spawnSync('bash', ['-c', command, process.execPath, launcher, join(data, 'otrf')], {
        encoding: 'utf8',
      });

      expect([status, stderr]).toEqual([0, '']);
    });
  },
);
