/** `firebreak doctor` on installations in which one thing outside of AWS's roles is wrong, and on what it cannot look at. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { botToken, configFor, environmentFor, signingSecret } from '../../demo/setting.ts';
import { startDemoSlack } from '../../demo/slack/server.ts';
import { demoIds } from '../../demo/slack/workspace.ts';
import { redisMissing, startTestRedis } from '../support/databases.ts';
import { run, sql } from '../support/doors.ts';
import { openScene, type Scene } from '../support/scene.ts';

let scene: Scene;
let folder: string;
beforeAll(async () => {
  scene = await openScene({ aws: { backgroundEvents: 0 }, start: false });
  folder = mkdtempSync(join(tmpdir(), 'firebreak-doctor-'));
}, 150_000);
afterAll(async () => {
  await scene?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Asked {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

async function doctor({ config = {}, env = {} }: Asked = {}) {
  const path = join(folder, 'firebreak.yml');
  writeFileSync(path, stringify({ ...configFor(scene.aws), ...config }));
  const ran = await run(['doctor'], {
    withinMs: 120_000,
    env: {
      ...environmentFor(scene.aws, scene.slack),
      FIREBREAK_CONFIG: path,
      FIREBREAK_DATA_DIR: scene.dataDir,
      ...env,
    },
  });
  const lines = ran.stdout.split('\n');
  return {
    ...ran,
    line: (words: string) => lines.find((line) => line.slice(6).startsWith(words)) ?? `no line: ${ran.stderr}`,
  };
}

describe('the doctor', () => {
  it('says ok of nothing in AWS that it did not ask, however much the config tells', async () => {
    const env = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLF', AWS_SECRET_ACCESS_KEY: 'wrong' };
    const { line, stdout, code } = await doctor({ config: { regions: ['us-east-1'] }, env });

    expect(line('AWS identity')).toMatch(/^FAIL .*InvalidClientTokenId/);
    expect(line('accounts')).toMatch(/^open /);
    expect(stdout).not.toMatch(/^ok {4}account/m);
    expect(code).toBe(1);
  }, 150_000);

  it('finds an account that cannot be read and a Region that is none, where the config names Regions', async () => {
    const regions = ['us-east-1', 'eu-wset-1'];
    const typed = await doctor({ config: { regions } });
    const foreign = await doctor({ config: { regions: ['us-east-1'], accounts: [{ id: '123412341234' }] } });

    expect(typed.line('account 999999999999: read')).toMatch(/^FAIL .*eu-wset-1/);
    expect(typed.line('AWS identity')).toMatch(/^ok .*arn:aws:iam::888877776666:user/);
    expect(foreign.line('account 123412341234: read')).toMatch(/^FAIL .*cannot be read/);
  }, 150_000);

  it('finds channels without the bot, people who may not decide, and groups that are not there', async () => {
    scene.slack.setChannel(demoIds.critical, { isMember: false });
    scene.slack.setPerson(demoIds.omar, { deleted: true });
    const approvers = { users: [demoIds.omar, demoIds.gil, 'U0NOBODY'], groups: ['S0NOSUCH'] };
    const { line } = await doctor({ config: { approvers } });
    scene.slack.setChannel(demoIds.critical, { isMember: true });
    scene.slack.setPerson(demoIds.omar, { deleted: false });

    expect(line(`channel ${demoIds.alerts}`)).toMatch(/^ok /);
    expect(line(`channel ${demoIds.critical}`)).toMatch(/^FAIL .*not a member: invite it/);
    expect(line(`person ${demoIds.omar}`)).toMatch(/^FAIL .*deactivated/);
    expect(line(`person ${demoIds.gil}`)).toMatch(/^FAIL .*guest/);
    expect(line('person U0NOBODY')).toMatch(/^FAIL .*user_not_found/);
    expect(line('user group S0NOSUCH')).toMatch(/^FAIL /);
  }, 150_000);

  it('finds rules by which nobody can approve, though each person and group is there', async () => {
    const apart = { users: [demoIds.rosa], groups: [demoIds.onCall], required: 1 };
    const nobody = await doctor({ config: { approvers: apart } });
    const few = await doctor({
      config: {
        approvers: { users: [demoIds.omar], required: 1 },
        policies: [
          { actions: ['deny-*'], approve: { users: [demoIds.rosa] } },
          { required: 2 },
          { breakGlass: { users: [demoIds.rosa] } },
          { required: 5, forbidden: 'never' },
        ],
      },
    });

    expect(nobody.line(`person ${demoIds.rosa}`)).toMatch(/^ok /);
    expect(nobody.line(`user group ${demoIds.onCall}`)).toMatch(/^ok /);
    expect(nobody.line('approvers')).toMatch(/^FAIL .*0 people .*an approver must be in both/);
    expect(few.line('approvers')).toMatch(/^ok /);
    expect(few.line('policies.0')).toMatch(/^FAIL .*0 people/);
    expect(few.line('policies.1')).toMatch(/^FAIL .*1 person .* 2 must/);
    expect(few.line('policies.2.breakGlass')).toMatch(/^FAIL /);
    expect(few.stdout).not.toContain('policies.3');
  }, 150_000);

  it('finds approvers without one-time codes, where the rules ask for one', async () => {
    const approvers = { users: [demoIds.omar], required: 1 };
    const asked = await doctor({ config: { approvers: { ...approvers, stepUp: ['delete-*'] } } });
    const onHost = await doctor({ config: { approvers } });
    await run(['enroll', demoIds.omar], { env: { FIREBREAK_DATA_DIR: scene.dataDir } });
    const given = await doctor({ config: { approvers, policies: [{ alone: true }] } });

    expect(asked.line('one-time codes')).toMatch(new RegExp(`^FAIL .*${demoIds.omar}.*firebreak enroll`));
    expect(onHost.line('one-time codes')).toMatch(/^open .*on the host while Slack is down/);
    expect(given.line('one-time codes')).toMatch(/^ok /);
  }, 150_000);

  it('names the scopes that the token lacks, and an app token that opens nothing', async () => {
    const scopes = ['commands', 'chat:write', 'users:read', 'channels:read', 'files:write', 'channels:history'];
    const slack = await startDemoSlack({ signingSecret, botToken, scopes });
    const { line } = await doctor({ env: { SLACK_API_URL: slack.apiUrl, SLACK_APP_TOKEN: 'xoxb-of-the-wrong-kind' } });
    await slack.close();

    expect(line('Slack: ')).toMatch(
      /^FAIL .*lacks users:read\.email, usergroups:read, groups:read, groups:history: install/,
    );
    expect(line('Slack app token')).toMatch(/^FAIL .*SLACK_APP_TOKEN/);
    expect(line('channels and people')).toMatch(/^open /);
  }, 150_000);

  it('leaves a database of an older version as it is', async () => {
    await doctor();
    const server = await import('../../src/store/embedded-postgres.ts');
    const held = await server.openEmbeddedPostgres({
      dataDir: scene.dataDir,
      roles: [],
      log: { debug() {}, info() {}, warn() {}, error() {} },
    });
    const [last] = await sql<{ name: string }>(
      scene,
      'select name from firebreak_migration order by name desc limit 1',
    );
    await sql(scene, 'delete from firebreak_migration where name = $1', [last?.name]);
    const { line } = await doctor();
    const left = await sql<{ name: string }>(scene, 'select name from firebreak_migration where name = $1', [
      last?.name,
    ]);
    await sql(scene, 'insert into firebreak_migration (name, timestamp) values ($1, $2)', [last?.name, '2026-01-01']);
    await held.release();

    expect(line('database and queue')).toMatch(/^FAIL .*older version\. Nothing was changed/);
    expect(line('alerts')).toMatch(/^open /);
    expect(left).toEqual([]);
  }, 150_000);

  it.skipIf(redisMissing() !== undefined)(
    'finds a Redis that may drop jobs',
    async () => {
      const redis = await startTestRedis();
      const { Redis } = await import('ioredis');
      const client = new Redis(redis.url);
      await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
      const wrong = await doctor({ env: { REDIS_URL: redis.url } });
      await client.config('SET', 'maxmemory-policy', 'noeviction');
      const right = await doctor({ env: { REDIS_URL: redis.url } });
      client.disconnect();
      await redis.stop();

      expect(wrong.line('Redis')).toMatch(/^FAIL .*allkeys-lru/);
      expect(right.line('Redis')).toMatch(/^ok /);
    },
    60_000,
  );

  it('says what it did not look at, and tells of queues and GuardDuty only what a worker noted', async () => {
    const queues = ['https://sqs.us-east-1.amazonaws.com/888877776666/findings'];
    const { line } = await doctor({ config: { queues }, env: { WEBHOOK_TOKEN: '' } });

    expect(line('queue findings')).toMatch(/^open .*no worker/);
    expect(line('GuardDuty')).toMatch(/^open /);
    for (const what of ['webhooks', 'Slack signing secret', 'executor', 'logs', 'athena']) {
      expect(line(what)).toMatch(/^open /);
    }
  }, 150_000);
});
