/** The day when Slack is down: plans, votes and records on the host, under the same rules as in Slack. */
import { TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configFor } from '../../demo/setting.ts';
import { demoIds } from '../../demo/slack/workspace.ts';
import { type Ran, run, sql } from '../support/doors.ts';
import { openScene, type Scene, wordsOf } from '../support/scene.ts';

const key = 'AKIAIOSFODNN7EXAMPLE';
const { alerts, rosa, omar } = demoIds;

let scene: Scene;
let isDown = false;
const secrets = new Map<string, string>();
const steps = new Map<string, number>();

beforeAll(async () => {
  scene = await openScene({ aws: { backgroundEvents: 0 }, start: false });
  const config = {
    ...configFor(scene.aws),
    regions: ['us-east-1'],
    approvers: { users: [omar, 'U0GHOST'], groups: [demoIds.onCall], required: 1 },
    policies: [{ actions: ['quarantine-user'], approve: { groups: [demoIds.onCall] } }],
  };
  await scene.start({ config });
  await scene.slack.onCall(() => (isDown ? 'drop' : undefined));
  for (const who of [rosa, omar, 'U0GHOST']) {
    const { stdout } = await command(['enroll', who]);
    secrets.set(who, /\n {2}([A-Z2-7]{32})\n/.exec(stdout)?.[1] ?? '');
  }
}, 120_000);
afterAll(() => scene?.close());

function command(words: readonly string[]): Promise<Ran> {
  return run(words, {
    env: {
      FIREBREAK_DATA_DIR: scene.dataDir,
      FIREBREAK_CONFIG: scene.firebreak.configFile,
      AWS_ENDPOINT_URL: scene.aws.url,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    withinMs: 170_000,
  });
}

/** A code that was not used: the one of before where that still counts when the command has started, the one of now or the next one. */
async function freshCode(who: string): Promise<string> {
  const rows = await sql<{ last: string }>(
    scene,
    'select last_step::text as last from enrollments where user_id = $1',
    [who],
  );
  const used = Math.max(Number(rows[0]?.last ?? 0), steps.get(who) ?? 0);
  for (;;) {
    const now = Math.floor(Date.now() / 30_000);
    const oldest = Date.now() % 30_000 < 15_000 ? now - 1 : now;
    const next = Math.max(oldest, used + 1);
    if (next <= now + 1) {
      steps.set(who, next);
      return new TOTP({ secret: secrets.get(who) ?? '' }).generate({ timestamp: next * 30_000 });
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function host(words: readonly string[], who: string, code?: string): Promise<Ran> {
  return command(['ir', ...words, '--as', who, '--code', code ?? (await freshCode(who))]);
}

const writes = () =>
  scene.aws.calls.filter((call) => call.service === 'iam' && /^(Update|Put|Attach)/.test(call.operation));
const approvalIn = ({ stdout }: Ran) => /Approval:\s+(\w{26})/.exec(stdout)?.[1] ?? '';
const stateOf = async (id: string) =>
  (await sql<{ state: string }>(scene, 'select state from approvals where id = $1', [id]))[0]?.state;

describe('while Slack is down', () => {
  let id = '';

  it('a plan is asked for on the host, shown whole, and not voided for want of a card', async () => {
    isDown = true;

    const asked = await host(['contain', 'disable-access-key', key], rosa);

    expect(asked, asked.stderr).toMatchObject({ code: 0 });
    id = approvalIn(asked);
    expect(id).toMatch(/^\w{26}$/);
    expect(asked.stdout).toContain('aws iam update-access-key');
    expect(asked.stdout).toMatch(/Plan hash: [0-9a-f]{64}/);
    expect(asked.stdout).toContain('"Version": "2012-10-17"');
    expect(await stateOf(id)).toBe('proposed');
  }, 180_000);

  it('nobody whom the config does not name has a say, and no code counts twice or wrongly', async () => {
    expect(await host(['approve', id], 'U0STRANGER', '123456')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('neither as responder nor as approver'),
    });
    const own = await host(['approve', id], rosa);
    expect(own.code).toBe(1);
    expect(own.stdout).toContain('You cannot approve this');
    const wrong = await host(['approve', id], omar, '000000');
    expect(wrong.stdout).toContain('the one-time code is wrong');
    expect(writes()).toEqual([]);
  }, 180_000);

  it('the same asked again names the plan that waits, as there is no card to look for', async () => {
    const again = await host(['contain', 'disable-access-key', key], rosa);

    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining(`firebreak ir approve ${id}`) });
  }, 180_000);

  it('a second person approves it, and it runs', async () => {
    const approved = await host(['approve', id], omar);

    expect(approved.stdout).toContain('Counted; it is');
    expect(await stateOf(id)).toBe('verified');
    expect((await host(['approve', id], omar, '000000')).stdout).toContain('Counted before; it is verified');
    expect(approved.code).toBe(0);
    expect(writes()).toHaveLength(1);
    const entries = await sql<{ event: string; payload: { door?: string; hostUser?: string } }>(
      scene,
      "select event, payload from audit where approval_id = $1 and event = 'vote' order by seq",
      [id],
    );
    expect(entries).toEqual([
      { event: 'vote', payload: expect.objectContaining({ door: 'host', hostUser: expect.any(String) }) },
    ]);
  }, 180_000);

  it('what was run by hand is recorded, and changes no state', async () => {
    const recorded = await host(['record', id, 'aws iam list-access-keys'], rosa);

    expect(recorded).toMatchObject({ code: 0 });
    const [row] = await sql<{ payload: { what: string } }>(scene, "select payload from audit where event = 'record'");
    expect(row?.payload.what).toBe('aws iam list-access-keys');
    expect(await stateOf(id)).toBe('verified');
    expect(await command(['audit', 'verify'])).toMatchObject({ code: 0 });
  }, 180_000);

  it('whom only a user group makes an approver is refused with the reason', async () => {
    const asked = await host(['contain', 'quarantine-user', 'arn:aws:iam::999999999999:user/pipeline'], rosa);
    const refused = await host(['approve', approvalIn(asked)], omar);

    expect(refused.stdout).toContain('a user group cannot be read');
    expect(await stateOf(approvalIn(asked))).toBe('proposed');
    expect(await host(['withdraw', approvalIn(asked)], rosa)).toMatchObject({
      stdout: expect.stringContaining('Counted'),
    });
    expect(await stateOf(approvalIn(asked))).toBe('withdrawn');
  }, 240_000);
});

describe('when Slack is back', () => {
  it('the cards come, and a vote on the host is judged as strictly as one in Slack', async () => {
    isDown = false;
    await scene.slack.waitFor(
      () => scene.slack.messages(alerts).find((message) => wordsOf(message).includes('Done and verified')),
      60_000,
    );

    const undo = await host(['undo', await verified()], rosa);
    expect(undo).toMatchObject({ code: 0 });
    // Named in the config, but Slack knows no such member.
    const refused = await host(['approve', approvalIn(undo)], 'U0GHOST');
    expect(refused.stdout).toContain('You cannot approve this');
    expect(await stateOf(approvalIn(undo))).toBe('proposed');
  }, 240_000);

  it('a freeze is announced, lets the undo run, and is lifted by two approvers only', async () => {
    await scene.slack.slash(rosa, alerts, 'freeze somebody holds a session');
    await scene.slack.waitFor(() => announced(/All writes to AWS are frozen/), 30_000);

    const [row] = await sql<{ id: string }>(scene, "select id from approvals where state = 'proposed'");
    await host(['approve', row?.id ?? ''], omar);
    expect(await stateOf(row?.id ?? '')).toBe('verified');

    await scene.slack.slash(omar, alerts, 'freeze --lift it was a drill');
    await scene.slack.slash(omar, alerts, 'freeze --lift once more, by the same person');
    await scene.slack.slash(rosa, alerts, 'freeze --lift by somebody who may not approve');
    const [still] = await sql<{ value: { frozen: boolean } }>(scene, "select value from settings where key = 'freeze'");
    expect(still?.value.frozen).toBe(true);
  }, 240_000);
});

describe('in the mode propose', () => {
  it('an approval on the host says that nothing is run', async () => {
    await scene.firebreak.stop();
    const approvers = { users: [omar], required: 1 };
    await scene.start({ config: { ...configFor(scene.aws), mode: 'propose', regions: ['us-east-1'], approvers } });

    const asked = await host(['contain', 'disable-access-key', key], rosa);
    const approved = await host(['approve', approvalIn(asked)], omar);

    expect(approved.stdout).toMatch(/Counted; it is approved\. The mode is propose: Firebreak runs nothing/);
    expect(await stateOf(approvalIn(asked))).toBe('approved');
  }, 240_000);
});

async function verified(): Promise<string> {
  const [row] = await sql<{ id: string }>(scene, "select id from approvals where state = 'verified'");
  return row?.id ?? '';
}

const announced = (words: RegExp) => scene.slack.messages(alerts).find((message) => words.test(wordsOf(message)));
