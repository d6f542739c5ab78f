/** The main job through its doors: a finding becomes a card, a pivot tells the story, a button disables the key, undo brings it back. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { demoIds } from '../../demo/slack/workspace.ts';
import { externalPostgresMissing, redisMissing, startExternalDatabase, startTestRedis } from '../support/databases.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const key = 'AKIAIOSFODNN7EXAMPLE';
const { alerts, rosa, omar, gil } = demoIds;

const missing = [redisMissing(), externalPostgresMissing()].filter((reason) => reason !== undefined).join('; ');

/** Where the data lies: in the data folder, or on the servers of an operator. */
const backends = [
  { on: 'the embedded PostgreSQL alone', external: false },
  { on: `an external PostgreSQL and Redis${missing === '' ? '' : ` (skipped: ${missing})`}`, external: true },
] as const;

describe.each(backends)('the main job on $on', ({ external }) => {
  const skipped = external && missing !== '';
  let scene: Scene;
  let env: Record<string, string> = {};
  const stops: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    if (skipped) return;
    if (external) {
      const database = await startExternalDatabase();
      const redis = await startTestRedis();
      stops.push(database.stop, redis.stop);
      env = { DATABASE_URL: database.connectionString, REDIS_URL: redis.url };
    }
    scene = await openScene({ env });
  });
  afterAll(async () => {
    await scene?.close();
    for (const stop of stops) await stop();
  });
  beforeEach((context) => {
    if (skipped) context.skip(missing);
  });

  function keyStatus(): string | undefined {
    return [...scene.aws.state.accounts.values()]
      .flatMap((account) => [...account.users.values()])
      .flatMap((user) => [...user.keys])
      .find((entry) => entry.id === key)
      ?.history.at(-1)?.status;
  }
  const updates = () => scene.aws.calls.filter((call) => call.operation === 'UpdateAccessKey');
  const cards = () => scene.slack.messages(alerts);
  const approval = () => cards().findLast((message) => wordsOf(message).includes('disable access key'));

  it('turns a finding into a card that says what a responder needs', async () => {
    expect((await scene.send(scene.findings.accessKey)).status).toBe(202);

    const card = await scene.slack.waitFor(() => cards().find((message) => hasButton(message, 'pivot')), 15_000);

    for (const word of [
      'Medium',
      '5',
      'workshop-prod',
      '999999999999',
      'team-platform',
      'prod',
      'us-east-1',
      key,
      'pipeline',
      '203.0.113.99',
      'Germany',
      '64500',
    ]) {
      expect(wordsOf(card)).toContain(word);
    }
    for (const action of ['pivot', 'contain', 'acknowledge']) expect(hasButton(card, action)).toBe(true);
    expect(card.text).toMatch(/\.$/);
  });

  it('updates the same card when the finding comes again, and posts no second one', async () => {
    expect((await scene.send(scene.findings.accessKey)).status).toBe(202);
    expect((await scene.send(scene.findings.accessKeyUpdate)).status).toBe(202);

    await scene.slack.waitFor(
      () => wordsOf(cards()[0]).match(/2 times|count 2|seen 2|"2"/i) ?? wordsOf(cards()[0]).includes('2'),
      15_000,
    );

    expect(cards().filter((message) => hasButton(message, 'acknowledge'))).toHaveLength(1);
  });

  it('puts a name on the case when somebody acknowledges', async () => {
    await scene.slack.click(rosa, alerts, cards()[0]?.ts ?? '', 'acknowledge');

    await scene.slack.waitFor(() => wordsOf(cards()[0]).includes(rosa), 15_000);
    expect(hasButton(cards()[0] ?? ({} as never), 'acknowledge')).toBe(false);
  });

  it('answers a pivot in a thread with the story, the coverage and two pictures', async () => {
    const answered = await scene.slack.slash(rosa, alerts, `pivot ${key}`);
    expect(answered.ms).toBeLessThan(3_000);

    const files = await scene.slack.waitFor(() => {
      const shared = scene.slack.files().filter((file) => file.shares.length > 0);
      return shared.length >= 2 ? shared : undefined;
    }, 60_000);

    const root = cards().find((message) => message.text.includes('Looked at'));
    const thread = scene.slack
      .thread(alerts, root?.ts ?? '')
      .map(wordsOf)
      .join('\n');
    for (const word of ['pipeline', '203.0.113.99', 'RunInstances', 'DevOps', 'T1578.002', 'What was looked at']) {
      expect(thread).toContain(word);
    }
    expect(wordsOf(root)).toContain('10');
    expect(files.every((file) => file.file.alt_txt.length > 40)).toBe(true);
  });

  it('plans the containment and shows what will happen before anybody approves', async () => {
    await scene.slack.click(rosa, alerts, cards()[0]?.ts ?? '', 'contain');

    const card = await scene.slack.waitFor(() => cards().find((message) => hasButton(message, 'approve')), 60_000);

    for (const word of [
      'iam:UpdateAccessKey',
      'Inactive',
      key,
      'pipeline',
      'Active',
      rosa,
      'GetSessionToken',
      'Undo',
      'RunInstances',
    ]) {
      expect(wordsOf(card)).toContain(word);
    }
    expect(updates()).toHaveLength(0);
  });

  it('refuses the requester and a guest, and tells only them', async () => {
    const ts = approval()?.ts ?? '';
    await scene.slack.click(rosa, alerts, ts, 'approve');
    await scene.slack.click(gil, alerts, ts, 'approve');

    await scene.slack.waitFor(
      () => scene.slack.ephemerals(rosa).some((message) => message.text.includes('cannot approve')),
      15_000,
    );
    await scene.slack.waitFor(
      () => scene.slack.ephemerals(gil).some((message) => message.text.includes('guest')),
      15_000,
    );
    expect(updates()).toHaveLength(0);
    expect(keyStatus()).toBe('Active');
  });

  it('disables the key exactly once when somebody else approves twice at the same moment, and reads it back', async () => {
    const ts = approval()?.ts ?? '';
    await Promise.all([scene.slack.click(omar, alerts, ts, 'approve'), scene.slack.click(omar, alerts, ts, 'approve')]);

    const card = await scene.slack.waitFor(() => cards().find((message) => hasButton(message, 'undo')), 30_000);

    expect(wordsOf(card)).toContain('Inactive');
    expect(keyStatus()).toBe('Inactive');
    expect(updates()).toHaveLength(1);
  });

  it('writes under the responder role with a session that carries the case and the people', () => {
    const assumed = scene.aws.calls.findLast(
      (call) => call.operation === 'AssumeRole' && JSON.stringify(call.input).includes('IrResponder'),
    );
    const asked = JSON.stringify(assumed?.input);

    for (const word of ['ir-case', 'ir-plan', 'ir-requester', 'ir-approver', omar, rosa, 'SourceIdentity', '900']) {
      expect(asked).toContain(word);
    }
    expect(JSON.stringify(updates()[0])).toContain('assumed-role/IrResponder/');
  });

  it('undoes it by a plan of its own with an approval of its own', async () => {
    await scene.slack.click(rosa, alerts, approval()?.ts ?? '', 'undo');
    const undo = await scene.slack.waitFor(() => cards().find((message) => hasButton(message, 'approve')), 30_000);
    expect(keyStatus()).toBe('Inactive');

    await scene.slack.click(omar, alerts, undo.ts, 'approve');

    await scene.slack.waitFor(
      () => wordsOf(cards().find((message) => message.ts === undo.ts)).includes('Done and verified'),
      30_000,
    );
    expect(keyStatus()).toBe('Active');
    expect(updates()).toHaveLength(2);
  });

  it('leaves an audit whose chain verifies, with every step in it', async () => {
    const own = { ...process.env, ...env, FIREBREAK_DATA_DIR: scene.dataDir };
    const run = (...words: string[]) =>
      execFileSync(process.execPath, ['bin/firebreak.js', 'audit', ...words], { env: own, encoding: 'utf8' });

    expect(run('verify')).toContain('is whole');
    const events = run('export')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: string }).event);
    for (const event of ['plan', 'vote', 'vote.refused', 'intent', 'execute', 'verify', 'undo'])
      expect(events).toContain(event);
  });

  it('stops on SIGTERM with everything put away', async () => {
    expect(await scene.firebreak.stop()).toBe(0);
  });
});
