/** One-time codes and the rules of approval, through the doors: dialog, host, executor. */
import { TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configFor } from '../../demo/setting.ts';
import { demoIds, type Message } from '../../demo/slack/workspace.ts';
import { run, sql } from '../support/doors.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const key = 'AKIAIOSFODNN7EXAMPLE';
const { alerts, rosa, omar } = demoIds;

let scene: Scene;
let secret = '';
beforeAll(async () => {
  scene = await openScene({ aws: { backgroundEvents: 0 }, start: false });
  const config = {
    ...configFor(scene.aws),
    regions: ['us-east-1'],
    approvers: { users: [rosa, omar], required: 1, stepUp: ['disable-*'] },
    policies: [
      { actions: ['deny-all'], forbidden: 'this workspace denies nothing' },
      { actions: ['quarantine-user'], approve: { users: ['U0NOBODY'] } },
      { actions: ['revoke-user-sessions'], alone: true },
    ],
  };
  await scene.start({ config });
});
afterAll(() => scene?.close());

const cards = () => scene.slack.messages(alerts);
const cardAt = (ts: string): Message => cards().find((message) => message.ts === ts) ?? ({} as Message);
const writes = () => scene.aws.calls.filter((call) => call.service === 'iam' && /^(Update|Put)/.test(call.operation));

async function ask(words: string): Promise<Message> {
  const known = new Set(cards().map((message) => message.ts));
  await scene.slack.slash(rosa, alerts, `contain ${words}`);
  return scene.slack.waitFor(
    () => cards().find((message) => !known.has(message.ts) && hasButton(message, 'approve')),
    20_000,
  );
}

/** The code that counts next: a code counts once, and never after a later one. */
async function freshCode(of = secret): Promise<string> {
  const totp = new TOTP({ secret: of });
  const rows = await sql<{ last: string }>(scene, 'select max(last_step)::text as last from enrollments');
  const used = Number(rows[0]?.last ?? 0);
  const now = Math.floor(Date.now() / 30_000);
  // The code after the one of now counts as well, as clocks differ.
  return totp.generate({ timestamp: Math.max(now, used + 1) * 30_000 });
}

async function approveWith(code: string, card: Message, who: string): Promise<void> {
  await scene.slack.click(who, alerts, card.ts, 'approve');
  await scene.slack.submitView(who, { 'code-text': code });
}

/** The channel of Firebreak's direct messages to somebody; empty before the first. */
function directTo(who: string): string {
  const sent = scene.slack.calls.find(({ method, args }) => method === 'chat.postMessage' && args.channel === who);
  return typeof sent?.reply?.channel === 'string' ? sent.reply.channel : '';
}

function told(who: string, says: RegExp): Promise<Message> {
  return scene.slack.waitFor(() => scene.slack.ephemerals(who).find((message) => says.test(message.text)), 15_000);
}

async function enroll(words: readonly string[]) {
  const ran = await run(['enroll', ...words], { env: { FIREBREAK_DATA_DIR: scene.dataDir } });
  return { ...ran, secret: /\n {2}([A-Z2-7]{32})\n/.exec(ran.stdout)?.[1] ?? '' };
}

describe('an approval that asks for a one-time code', () => {
  let card: Message;

  it('is not given without one, by somebody who is not enrolled, or with a wrong one', async () => {
    card = await ask(`disable-access-key ${key}`);

    await approveWith('123456', card, omar);
    await told(omar, /you have no one-time codes yet/);

    const enrolled = await enroll([omar]);
    expect(enrolled).toMatchObject({ code: 0 });
    secret = enrolled.secret;
    await approveWith(new TOTP({ secret, digits: 6 }).generate({ timestamp: 0 }), card, omar);
    await told(omar, /the one-time code is wrong/);
    expect(writes()).toEqual([]);
    expect(hasButton(cardAt(card.ts), 'approve')).toBe(true);
  });

  it('asks no code of whoever may not approve: the click is refused, as every other', async () => {
    await scene.slack.click(demoIds.gil, alerts, card.ts, 'approve');
    await told(demoIds.gil, /You cannot approve this: .*guest/);
    await scene.slack.click(rosa, alerts, card.ts, 'approve');
    await told(rosa, /You cannot approve this: the person who asked cannot approve/);

    expect([...scene.slack.views(demoIds.gil), ...scene.slack.views(rosa)]).toEqual([]);
  });

  it('is given with one, and the plan runs', async () => {
    await approveWith(await freshCode(), card, omar);

    await scene.slack.waitFor(() => wordsOf(cardAt(card.ts)).includes('Done and verified'), 30_000);
    expect(writes()).toHaveLength(1);
  });

  it('is not given with a code that was used for another plan', async () => {
    await scene.slack.click(rosa, alerts, card.ts, 'undo');
    const undo = await scene.slack.waitFor(
      () => cards().find((message) => message.ts !== card.ts && hasButton(message, 'approve')),
      20_000,
    );
    const rows = await sql<{ last: string }>(scene, 'select max(last_step)::text as last from enrollments');
    const used = new TOTP({ secret }).generate({ timestamp: Number(rows[0]?.last) * 30_000 });

    await approveWith(used, undo, omar);

    await told(omar, /was used before/);
    expect(writes()).toHaveLength(1);
  });

  it('leaves no code and no secret in the audit', async () => {
    const [row] = await sql<{ text: string }>(scene, "select string_agg(payload::text, ' ') as text from audit");

    expect(row?.text).toContain(omar);
    expect(row?.text).not.toContain(secret);
    expect(await sql(scene, 'select * from vote_codes')).toEqual([]);
  });
});

describe('an enrollment', () => {
  it('of somebody who is enrolled needs a second person, and counts only after a day', async () => {
    expect(await enroll([omar])).toMatchObject({ code: 2, stderr: expect.stringContaining('a second person') });
    expect(await enroll([omar, '--second', omar, '--code', '123456'])).toMatchObject({ code: 2 });

    const second = await enroll([rosa]);
    const code = new TOTP({ secret: second.secret }).generate();
    const again = await enroll([omar, '--second', rosa, '--code', code]);

    expect(again).toMatchObject({ code: 0 });
    const [row] = await sql<{ wait: number }>(
      scene,
      'select extract(epoch from active_at - enrolled_at)::int as wait from enrollments where user_id = $1',
      [omar],
    );
    expect(row?.wait).toBe(24 * 3_600);
    secret = second.secret;
  });

  it('is told to the person, to the approvers and in the channel, with who confirmed it', async () => {
    const heard = (channel: string) =>
      scene.slack
        .messages(channel)
        .map(wordsOf)
        .filter((words) => words.includes('enrolled for one-time codes'));
    for (const who of [omar, rosa]) {
      await scene.slack.waitFor(
        () =>
          heard(directTo(who)).find((words) => words.includes(`new one-time codes`) && words.includes(`confirmed by`)),
        30_000,
      );
    }
    expect(heard(directTo(omar)).some((words) => words.startsWith('You were enrolled'))).toBe(true);
    await scene.slack.waitFor(() => heard(alerts).find((words) => words.includes('confirmed by')), 30_000);
    expect(JSON.stringify(scene.slack.calls)).not.toContain(secret);
    // Each was told once: at the first enrollment, and at the new one.
    expect(new Set(heard(directTo(omar))).size).toBe(heard(directTo(omar)).length);
  }, 60_000);
});

describe('the rules of approval', () => {
  it('forbid, with the reason', async () => {
    await scene.slack.slash(rosa, alerts, 'contain deny-all arn:aws:iam::999999999999:user/pipeline');

    await told(rosa, /this workspace denies nothing/);
  });

  it('keep approvers away from what is not theirs', async () => {
    const card = await ask('quarantine-user arn:aws:iam::999999999999:user/pipeline');

    await scene.slack.click(omar, alerts, card.ts, 'approve');

    await told(omar, /policy of the config lets only others approve/);
    await scene.slack.click(rosa, alerts, card.ts, 'withdraw');
  });

  it('let a lone on-call approve his own wish, with a code', async () => {
    const card = await ask('revoke-user-sessions arn:aws:iam::999999999999:user/pipeline');
    const before = writes().length;

    await approveWith(await freshCode(), card, rosa);

    await scene.slack.waitFor(() => wordsOf(cardAt(card.ts)).includes('Done and verified'), 30_000);
    expect(writes()).toHaveLength(before + 1);
    const put = writes().at(-1);
    expect(put?.operation).toBe('PutUserPolicy');
    expect(String(put?.input.PolicyDocument)).toMatch(/"aws:TokenIssueTime":"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"/);
  });
});
