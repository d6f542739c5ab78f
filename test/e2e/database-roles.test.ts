/** Web and worker, and the executor, as separate processes with separate roles of an operator's own PostgreSQL. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Firebreak, startFirebreak } from '../../demo/firebreak.ts';
import { configFor, environmentFor } from '../../demo/setting.ts';
import { demoIds, type Message } from '../../demo/slack/workspace.ts';
import { rolesSql } from '../../src/store/roles.ts';
import {
  externalPostgresMissing,
  runSql,
  startExternalDatabase,
  startTestDatabase,
  type TestDatabase,
} from '../support/databases.ts';
import { run } from '../support/doors.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const key = 'AKIAIOSFODNN7EXAMPLE';
const { alerts, rosa, omar } = demoIds;
const missing = externalPostgresMissing();
const password = 'only-for-this-test';

let database: TestDatabase;
let scene: Scene;
let folder: string;
const processes: Firebreak[] = [];

function as(role: string): string {
  const url = new URL(database.connectionString);
  url.username = role;
  url.password = password;
  return url.href;
}

/** Runs one statement as a role; gives back SQLSTATE, or the rows. */
async function tried(role: string, statement: string): Promise<unknown> {
  try {
    return await runSql(as(role), statement);
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

beforeAll(async () => {
  // The embedded server speaks for itself where the system has none; the roles are the same.
  database = await (missing === undefined ? startExternalDatabase() : startTestDatabase());
  folder = mkdtempSync(join(tmpdir(), 'firebreak-roles-'));
  scene = await openScene({ aws: { backgroundEvents: 0 }, start: false });
  const config = {
    ...configFor(scene.aws),
    regions: ['us-east-1'],
    approvers: { users: [omar], required: 1, stepUp: ['disable-*'] },
    policies: [{ breakGlass: { users: [omar] } }],
  };
  writeFileSync(join(folder, 'firebreak.yml'), stringify(config));
  const refused = await run(['migrate'], { env: { DATABASE_URL: database.connectionString } });
  expect(refused.stdout).toContain('There are no roles');
  const migrated = await run(['migrate', '--roles'], { env: { DATABASE_URL: database.connectionString } });
  expect(migrated).toMatchObject({ code: 0 });
  for (const role of ['firebreak_app', 'firebreak_executor'])
    await runSql(database.connectionString, `alter role ${role} password '${password}'`);
  const env = environmentFor(scene.aws, scene.slack);
  const { SLACK_BOT_TOKEN: _, SLACK_SIGNING_SECRET: __, ...noSlack } = env;
  for (const role of ['executor', 'worker', 'web'] as const) {
    const DATABASE_URL = as(role === 'executor' ? 'firebreak_executor' : 'firebreak_app');
    processes.push(
      await startFirebreak({ config, role, env: { ...(role === 'executor' ? noSlack : env), DATABASE_URL } }),
    );
  }
  await Promise.all(processes.map((one) => one.ready(90_000)));
  const web = processes.at(-1);
  scene.slack.setAppEventsUrl(`${web?.url}/slack/events`);
}, 180_000);

afterAll(async () => {
  for (const one of processes) await one.stop();
  await scene?.close();
  await database?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** What the database refused the processes, so that a missing right is named by the failure. */
function denied(): readonly string[] {
  return processes.flatMap((one) =>
    one
      .log()
      .split('\n')
      .filter((line) => line.includes('permission denied')),
  );
}

const cards = () => scene.slack.messages(alerts);

describe('with roles of the database', () => {
  it('the whole story works: ask, code, run, read back, undo', async () => {
    const enrolled = await run(['enroll', omar], {
      env: { DATABASE_URL: database.connectionString, FIREBREAK_CONFIG: join(folder, 'firebreak.yml') },
    });
    const secret = /\n {2}([A-Z2-7]{32})\n/.exec(enrolled.stdout)?.[1] ?? '';
    await scene.slack.slash(rosa, alerts, `contain disable-access-key ${key}`);
    const card: Message = await scene.slack
      .waitFor(() => cards().find((one) => hasButton(one, 'approve')), 60_000)
      .catch((error: unknown) => {
        throw new Error(`no card: ${denied().join('\n')}`, { cause: error });
      });

    await scene.slack.click(omar, alerts, card.ts, 'approve');
    await scene.slack.submitView(omar, { 'code-text': new TOTP({ secret }).generate() });

    const done = () => cards().find((one) => one.ts === card.ts && wordsOf(one).includes('Done and verified'));
    await scene.slack.waitFor(done, 60_000);
    await scene.slack.click(rosa, alerts, card.ts, 'undo');
    const undo = await scene.slack.waitFor(
      () => cards().find((one) => one.ts !== card.ts && hasButton(one, 'approve')),
      60_000,
    );
    const next = new TOTP({ secret }).generate({ timestamp: Date.now() + 30_000 });
    await scene.slack.click(omar, alerts, undo.ts, 'approve');
    await scene.slack.submitView(omar, { 'code-text': next });
    await scene.slack.waitFor(
      () => wordsOf(cards().find((one) => one.ts === undo.ts)).includes('Done and verified'),
      60_000,
    );
    expect(denied()).toEqual([]);
  }, 240_000);

  it.each([
    ['firebreak_app', 'select secret from enrollments'],
    ['firebreak_app', "update enrollments set secret = 'x'"],
    ['firebreak_app', 'insert into proofs select approval_id, user_id, plan_hash, at from proofs'],
    ['firebreak_app', "update proofs set plan_hash = 'x'"],
    ['firebreak_app', 'insert into approval_steps select approval_id, index + 1, step from approval_steps'],
    ['firebreak_app', "update approval_steps set step = '{}'"],
    ['firebreak_app', "update approvals set plan = '{}'"],
    ['firebreak_app', "update approvals set state = 'applying'"],
    ['firebreak_app', "update approvals set state = 'approved'"],
    ['firebreak_app', 'delete from approval_votes'],
    ['firebreak_app', "update vote_requests set vote = '{}'"],
    ['firebreak_app', 'select code from vote_codes'],
    ['firebreak_app', 'delete from audit'],
    ['firebreak_app', "update audit set actor = 'x'"],
    ['firebreak_app', 'create table mine (id int)'],
    ['firebreak_app', 'alter table approvals disable trigger approval_state_guard'],
    ['firebreak_executor', 'select * from buttons'],
    ['firebreak_executor', 'select * from posts'],
    ['firebreak_executor', 'select * from alerts'],
    ['firebreak_executor', 'select * from cases'],
    ['firebreak_executor', "insert into approval_votes (approval_id, vote) select id, '{}' from approvals"],
    ['firebreak_executor', "insert into standings select id, 'U1', '{}' from approvals"],
    ['firebreak_executor', "update approvals set state = 'approved'"],
    ['firebreak_executor', "update settings set value = '{}'"],
    ['firebreak_executor', 'delete from audit'],
    ['firebreak_executor', "update enrollments set secret = 'x'"],
    ['firebreak_executor', 'create table mine (id int)'],
  ])('%s is refused: %s', async (role, statement) => {
    expect(await tried(role, statement)).toBe('42501');
  });

  it('a break-glass that the role of web and worker has written itself is not carried out', async () => {
    const known = new Set(cards().map(({ ts }) => ts));
    await scene.slack.slash(rosa, alerts, `contain disable-access-key ${key}`);
    await scene.slack.waitFor(() => cards().find((one) => !known.has(one.ts) && hasButton(one, 'approve')), 60_000);
    const before = scene.aws.calls.filter(({ operation }) => operation === 'UpdateAccessKey').length;
    const newest = '(select max(number) from approvals)';

    // A plan that is older than it is would not have to wait.
    const aged = `insert into approvals (id, request_id, case_id, state, plan, plan_hash, context, requester, required, created_at, expires_at, channel)
      select 'aged', 'aged', case_id, 'proposed', plan, plan_hash, context, requester, required, '2020-01-01', expires_at, channel
      from approvals where number = ${newest} returning created_at > now() - interval '2 minutes' as young`;
    expect(await tried('firebreak_app', aged)).toEqual([{ young: true }]);
    await runSql(database.connectionString, "delete from approvals where id = 'aged'");
    await runSql(
      database.connectionString,
      `update approvals set created_at = now() - interval '1 hour' where number = ${newest}`,
    );
    await tried(
      'firebreak_app',
      `insert into approval_votes (approval_id, vote) select id, json_build_object('userId', '${omar}', 'person', '${omar}',
        'vote', 'approve', 'at', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'planHash', plan_hash,
        'mode', 'execute', 'breakGlass', 'nobody answers and it burns') from approvals where number = ${newest}`,
    );
    await tried('firebreak_app', `update approvals set state = 'approved' where number = ${newest}`);

    const outcome = async () =>
      (await runSql(database.connectionString, `select state, outcome from approvals where number = ${newest}`)) as {
        state: string;
        outcome: string;
      }[];
    await expect.poll(async () => (await outcome())[0]?.state, { timeout: 60_000 }).toBe('stale');
    expect((await outcome())[0]?.outcome).toContain('its one-time code was not given for it');
    expect(scene.aws.calls.filter(({ operation }) => operation === 'UpdateAccessKey')).toHaveLength(before);
  }, 120_000);

  it('a process without rights on the schema says who must migrate', async () => {
    await runSql(database.connectionString, "delete from firebreak_migration where name = '0013-host-operations'");
    const asked = await run(['ir', 'approvals'], { env: { DATABASE_URL: as('firebreak_app') } });

    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('firebreak migrate') });
    await runSql(
      database.connectionString,
      "insert into firebreak_migration select '0013-host-operations', max(timestamp) from firebreak_migration",
    );
  }, 60_000);

  it('tables that the processes may not use are named by the doctor, and a refused command says whose role is needed', async () => {
    const doctor = async () => {
      const env = { ...environmentFor(scene.aws, scene.slack), FIREBREAK_CONFIG: join(folder, 'firebreak.yml') };
      const { stdout } = await run(['doctor'], { env: { ...env, DATABASE_URL: as('firebreak_app') } });
      return stdout.split('\n').filter((line) => line.includes('database'));
    };
    await runSql(database.connectionString, 'revoke update on cases, buttons from firebreak_app');
    const lacking = await doctor();
    const migrate = (url: string) => run(['migrate'], { env: { DATABASE_URL: url } });
    const refused = await migrate(as('firebreak_app'));
    const migrated = await migrate(database.connectionString);

    expect(lacking).toContainEqual(
      expect.stringMatching(/^FAIL {2}database role: .* buttons, cases .*firebreak migrate --roles/),
    );
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^firebreak: .*DATABASE_URL of the owner/),
    });
    expect(migrated).toMatchObject({ code: 0 });
    expect((await doctor()).filter((line) => !line.startsWith('open'))).toEqual(['ok    database and queue: external']);
  }, 90_000);

  it('the SQL is printed for those who give rights themselves', async () => {
    expect(await run(['grants'])).toMatchObject({ code: 0, stdout: rolesSql });
  });
});
