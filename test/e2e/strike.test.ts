/** After the first key: what is still alive, a plan for the whole case, and nobody who waits unseen. Through the doors. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { configFor, environmentFor } from '../../demo/setting.ts';
import { demoIds, type Message } from '../../demo/slack/workspace.ts';
import { run, sql } from '../support/doors.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const key = 'AKIAIOSFODNN7EXAMPLE';
const account = '999999999999';
const { alerts, rosa, omar } = demoIds;

function user(scene: Scene, name: string) {
  const found = scene.aws.state.accounts.get(account)?.users.get(name);
  if (found === undefined) throw new RangeError(`there is no user ${name}`);
  return found;
}

const cardsOf = (scene: Scene) => scene.slack.messages(alerts);

/** What the bot wrote to one person directly. */
function direct(scene: Scene, who: string): readonly Message[] {
  const sent = scene.slack.calls.find((call) => call.method === 'chat.postMessage' && call.args.channel === who);
  const channel = sent?.reply?.channel;
  return typeof channel === 'string' ? scene.slack.messages(channel) : [];
}

/** What the attacker does with the stolen key: a user and a key to come back with. */
async function attack(scene: Scene, name = 'helpdesk'): Promise<string> {
  const { CreateAccessKeyCommand, CreateUserCommand, IAMClient } = await import('@aws-sdk/client-iam');
  const iam = new IAMClient({
    region: 'us-east-1',
    endpoint: scene.aws.url,
    credentials: scene.aws.credentials.attacker,
  });
  await iam.send(new CreateUserCommand({ UserName: name }));
  const made = await iam.send(new CreateAccessKeyCommand({ UserName: name }));
  iam.destroy();
  return made.AccessKey?.AccessKeyId ?? '';
}

/** The finding about the key comes in, and a plan is asked for the whole of its case. */
async function planAskedFor(scene: Scene): Promise<void> {
  await scene.send(scene.findings.accessKey);
  await scene.slack.waitFor(() => cardsOf(scene).find((card) => hasButton(card, 'acknowledge')), 20_000);
  const [{ id: caseId = '' } = {}] = await sql<{ id: string }>(scene, 'select id from cases');
  await scene.slack.slash(rosa, alerts, `contain ${caseId}`);
}

describe('a plan of many steps', () => {
  let scene: Scene;
  const users = 12;
  beforeAll(async () => {
    scene = await openScene({ aws: { backgroundEvents: 0 }, slack: { enforceRates: true }, start: false });
    const approvers = { groups: [demoIds.onCall] };
    await scene.start({ config: { ...configFor(scene.aws), regions: ['us-east-1'], approvers } });
    for (let number = 1; number <= users; number += 1) await attack(scene, `helpdesk${number}`);
  });
  afterAll(() => scene?.close());

  it('is carried out at one click within Slack’s rates, and no vote waits for cards or for what Slack was asked already', async () => {
    await planAskedFor(scene);
    const strike = await scene.slack.waitFor(
      () => cardsOf(scene).find((card) => wordsOf(card).includes(`Approve ${users + 1} steps`)),
      120_000,
    );
    const before = scene.slack.calls.length;

    await scene.slack.click(omar, alerts, strike.ts, 'approve');

    const states = () =>
      sql<{ state: string; count: number }>(
        scene,
        `select state, count(*)::int as count from approvals where state <> 'proposed' group by state`,
      );
    await vi.waitFor(async () => expect(await states()).toEqual([{ state: 'verified', count: users + 1 }]), {
      timeout: 60_000,
      interval: 500,
    });
    const asked = scene.slack.calls.slice(before).filter(({ method }) => method === 'usergroups.users.list');
    expect(asked.filter(({ reply }) => reply?.ok !== true)).toEqual([]);
    expect(asked.length).toBeLessThanOrEqual(users + 4);
    expect(scene.slack.ephemerals(omar)).toEqual([]);
  }, 240_000);
});

describe('a case after the first look', () => {
  let scene: Scene;
  let second = '';
  beforeAll(async () => {
    scene = await openScene({ aws: { backgroundEvents: 0 }, start: false });
    await scene.start({ config: { ...configFor(scene.aws), regions: ['us-east-1'] } });
    second = await attack(scene);
  });
  afterAll(() => scene?.close());

  it('tells on the command line what of the actor still works, and the step that would end it', async () => {
    const configPath = join(scene.dataDir, 'cli.yml');
    writeFileSync(configPath, JSON.stringify({ ...configFor(scene.aws), regions: ['us-east-1'] }));
    const ran = await run(['ir', 'alive', key, '--json'], {
      env: {
        ...environmentFor(scene.aws, scene.slack),
        FIREBREAK_CONFIG: configPath,
        FIREBREAK_DATA_DIR: scene.dataDir,
      },
    });

    const answer = JSON.parse(ran.stdout);
    const states = answer.items.map((item: { id: string; state: string }) => `${item.id} ${item.state}`);
    expect(states).toContain(`${key} alive`);
    expect(states).toContain(`${second} alive`);
    expect(states).toContain(`arn:aws:iam::${account}:user/helpdesk alive`);
    expect(answer.nothingLeft).toBe(false);
    const helpdesk = answer.items.find((item: { kind: string; of: string }) => item.kind === 'user');
    expect(helpdesk).toMatchObject({ step: { action: 'deny-all' }, madeBy: expect.stringContaining('pipeline') });
  });

  it('is planned as one strike, with reasons, and each step on a card of its own', async () => {
    await planAskedFor(scene);
    const strike = await scene.slack.waitFor(
      () => cardsOf(scene).find((card) => card.text.startsWith('Plan for case') && hasButton(card, 'approve')),
      60_000,
    );

    const words = await scene.slack.waitFor(() => {
      const now = wordsOf(cardsOf(scene).find((card) => card.ts === strike.ts));
      return now.includes('2 waiting') || now.includes('3 waiting') ? now : undefined;
    }, 30_000);
    expect(words).toContain('deny-all');
    expect(words).toContain('helpdesk');
    expect(words).toContain('it needs no owner');
    expect(words).toContain('Owner by the inventory: team-platform');
    expect(words).toContain('No source address is blocked');
    expect(scene.aws.calls.filter((call) => /^(Put|Update)/.test(call.operation))).toEqual([]);
  });

  it('is approved by one click, which is a vote on each step, and by nobody who may not', async () => {
    const card = () => cardsOf(scene).findLast((one) => one.text.startsWith('Plan for case')) as Message;
    await scene.slack.click(rosa, alerts, card().ts, 'approve');
    await scene.slack.waitFor(
      () => scene.slack.ephemerals(rosa).find((told) => /You cannot approve this/.test(told.text)),
      20_000,
    );

    await scene.slack.click(omar, alerts, card().ts, 'approve');

    await scene.slack.waitFor(
      () => wordsOf(card()).includes('none waits') && !/: (approved|applying)\./.test(wordsOf(card())),
      60_000,
    );
    expect(wordsOf(card())).toContain('verified');
    expect(user(scene, 'helpdesk').inlinePolicies.map(({ name }) => name)).toContain('FirebreakDenyAll');
    expect(
      user(scene, 'pipeline')
        .keys.find(({ id }) => id === key)
        ?.history.at(-1)?.status,
    ).toBe('Inactive');
    const votes = await sql<{ vote: { userId: string } }>(scene, 'select vote from approval_votes');
    expect(votes.length).toBeGreaterThanOrEqual(2);
    expect(votes.every(({ vote }) => vote.userId === omar)).toBe(true);
  });

  it('goes on looking by itself, and says in the thread what is left, never more than was looked at', async () => {
    const done = await scene.slack.waitFor(
      () => cardsOf(scene).find((card) => card.text.startsWith('Done and read back') && wordsOf(card).includes(key)),
      20_000,
    );

    const told = await scene.slack.waitFor(
      () => scene.slack.thread(alerts, done.ts).find((message) => wordsOf(message).includes('What is still alive')),
      60_000,
    );

    expect(wordsOf(told)).toContain('Dead by policy');
    expect(wordsOf(told)).toContain('IAM reads Inactive');
    expect(wordsOf(told)).toContain('What was looked at');
  });
});

describe('a plan that waits', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene({ aws: { backgroundEvents: 0 }, start: false });
    const approvers = { users: [rosa, omar], required: 1, expiryMinutes: 1 };
    const policies = [{ actions: ['revoke-user-sessions'], alone: true }];
    await scene.start({ config: { ...configFor(scene.aws), regions: ['us-east-1'], approvers, policies } });
  });
  afterAll(() => scene?.close());

  it('is told to the approvers, reminded, taken to the channel, and its expiry is told to all', async () => {
    await scene.slack.slash(rosa, alerts, `contain disable-access-key ${key}`);

    const first = await scene.slack.waitFor(
      () => direct(scene, omar).find((message) => message.text.startsWith('A plan waits')),
      25_000,
    );
    expect(wordsOf(first)).toContain(key);
    expect(hasButton(first, 'approve')).toBe(false);
    expect(direct(scene, rosa)).toEqual([]);
    await scene.slack.waitFor(
      () => direct(scene, omar).find((message) => message.text.startsWith('A plan still waits')),
      50_000,
    );
    const called = await scene.slack.waitFor(
      () => cardsOf(scene).find((message) => message.text.startsWith('Nobody has decided yet')),
      40_000,
    );
    expect(wordsOf(called)).toContain(omar);
    const expired = (who: string) => direct(scene, who).filter((message) => message.text.startsWith('Expired'));
    await scene.slack.waitFor(() => expired(omar).length === 3 && expired(rosa).length === 1, 60_000);
  });

  it('that was approved alone is reviewed by another approver afterwards, and the audit knows', async () => {
    const enrolled = await run(['enroll', rosa], { env: { FIREBREAK_DATA_DIR: scene.dataDir } });
    const secret = /\n {2}([A-Z2-7]{32})\n/.exec(enrolled.stdout)?.[1] ?? '';
    await scene.slack.slash(rosa, alerts, `contain revoke-user-sessions arn:aws:iam::${account}:user/pipeline`);
    const card = await scene.slack.waitFor(
      () => cardsOf(scene).find((message) => hasButton(message, 'approve')),
      30_000,
    );

    await scene.slack.click(rosa, alerts, card.ts, 'approve');
    await scene.slack.submitView(rosa, { 'code-text': new TOTP({ secret }).generate() });

    const review = await scene.slack.waitFor(
      () => direct(scene, omar).find((message) => message.text.startsWith('Please review')),
      60_000,
    );
    expect(wordsOf(review)).toContain(rosa);
    // The audit follows the message.
    await vi.waitFor(
      async () => {
        const audited = await sql<{ payload: unknown }>(
          scene,
          "select payload from audit where event = 'review.asked'",
        );
        expect(audited.map(({ payload }) => payload)).toEqual([expect.objectContaining({ of: rosa, asked: [omar] })]);
      },
      { timeout: 20_000, interval: 500 },
    );
  });
});
