/** Break-glass through Slack's door: who may not, and one person in the night who may. */
import { TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configFor } from '../../demo/setting.ts';
import { demoIds, type Message } from '../../demo/slack/workspace.ts';
import { run, sql } from '../support/doors.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const key = 'AKIAIOSFODNN7EXAMPLE';
const reason = 'the attacker mints keys and nobody answers';
const { alerts, critical, rosa, omar } = demoIds;

let scene: Scene;
let card: Message;
let id = '';
let totp: TOTP;
beforeAll(async () => {
  scene = await openScene({ aws: { backgroundEvents: 0 }, start: false });
  const base = configFor(scene.aws);
  const config = {
    ...base,
    regions: ['us-east-1'],
    channels: { default: alerts, critical },
    approvers: { users: [rosa, omar], required: 2 },
    policies: [{ breakGlass: { users: [rosa] } }, { actions: ['quarantine-user'], breakGlass: false }],
  };
  await scene.start({ config });
});
afterAll(() => scene?.close());

const cards = () => scene.slack.messages(alerts);
const cardAt = (ts: string) => cards().find((message) => message.ts === ts);
const writes = () =>
  scene.aws.calls.filter(({ service, operation }) => service === 'iam' && /^(Update|Put|Delete)/.test(operation));

async function ask(words: string, who: string = rosa): Promise<{ card: Message; id: string }> {
  const known = new Set(cards().map((message) => message.ts));
  await scene.slack.slash(who, alerts, `contain ${words}`);
  const found = await scene.slack.waitFor(
    () => cards().find((message) => !known.has(message.ts) && hasButton(message, 'approve')),
    30_000,
  );
  const rows = await sql<{ id: string }>(scene, 'select id from approvals order by number desc limit 1');
  return { card: found, id: rows[0]?.id ?? '' };
}

async function isRefused(who: string, words: string, says: RegExp): Promise<void> {
  const before = scene.slack.ephemerals(who).length;
  await scene.slack.slash(who, alerts, `break-glass ${words}`);
  await scene.slack.waitFor(
    () =>
      scene.slack
        .ephemerals(who)
        .slice(before)
        .find((message) => says.test(message.text)),
    15_000,
  );
}

/** As if it had been proposed an hour ago. */
const wait = (approvalId: string) =>
  sql(scene, "update approvals set created_at = now() - interval '1 hour' where id = $1", [approvalId]);

function directTo(who: string): readonly string[] {
  const sent = scene.slack.calls.find(({ method, args }) => method === 'chat.postMessage' && args.channel === who);
  const channel = sent?.reply?.channel;
  return typeof channel === 'string' ? scene.slack.messages(channel).map(wordsOf) : [];
}

describe('break-glass', () => {
  it('is refused to whom the config does not name, without words, and too early', async () => {
    ({ card, id } = await ask(`disable-access-key ${key}`));

    await isRefused(omar, `${id} ${reason}`, /does not name you/);
    await isRefused(rosa, `${id} urgent`, /reason of at least 3 words/);
    await isRefused(rosa, `no-such-plan ${reason}`, /No plan waits/);
    await isRefused(rosa, `${id} ${reason}`, /only 10 minutes after/);
  });

  it('is refused without an enrollment, and while all writes are frozen', async () => {
    await wait(id);
    await isRefused(rosa, `${id} ${reason}`, /no one-time codes yet/);
    await sql(
      scene,
      `insert into settings (key, value) values ('freeze', '{"frozen":true,"by":"x","reason":"x","at":"2026-01-01T00:00:00.000Z"}') on conflict (key) do update set value = excluded.value`,
    );

    await isRefused(rosa, `${id} ${reason}`, /frozen/);

    await sql(scene, "delete from settings where key = 'freeze'");
    expect(writes()).toEqual([]);
  });

  it('is refused with a wrong code, and lets one person act with a right one', async () => {
    const enrolled = await run(['enroll', rosa], { env: { FIREBREAK_DATA_DIR: scene.dataDir } });
    totp = new TOTP({ secret: /\n {2}([A-Z2-7]{32})\n/.exec(enrolled.stdout)?.[1] ?? '' });
    await scene.slack.slash(rosa, alerts, `break-glass ${id} ${reason}`);
    await scene.slack.submitView(rosa, { 'code-text': totp.generate({ timestamp: 0 }) });
    await scene.slack.waitFor(
      () => scene.slack.ephemerals(rosa).find(({ text }) => text.includes('code is wrong')),
      15_000,
    );
    expect(writes()).toEqual([]);

    await scene.slack.slash(rosa, alerts, `break-glass ${id} ${reason}`);
    await scene.slack.submitView(rosa, { 'code-text': totp.generate() });

    await scene.slack.waitFor(() => wordsOf(cardAt(card.ts)).includes('Done and verified'), 30_000);
    expect(wordsOf(cardAt(card.ts))).toContain('BREAK-GLASS');
    expect(wordsOf(cardAt(card.ts))).toContain(reason);
    expect(writes()).toHaveLength(1);
  }, 60_000);

  it('is shouted in the channels and to the approvers, once', async () => {
    const shouted = (all: readonly string[]) =>
      all.filter(
        (words) => words.includes('BREAK-GLASS') && words.includes(reason) && words.includes('stops all writes'),
      );
    await scene.slack.waitFor(() => shouted(directTo(omar))[0], 15_000);
    for (const channel of [alerts, critical]) {
      const found = shouted(scene.slack.messages(channel).map(wordsOf));
      expect(found, channel).toHaveLength(1);
      expect(found[0]).toContain(rosa);
    }
    expect(shouted(directTo(omar))).toHaveLength(1);
  });

  it('is reviewed by another approver, and stands in the audit with its reason and every refusal', async () => {
    await scene.slack.waitFor(() => directTo(omar).find((words) => /Please review.*break-glass/s.test(words)), 30_000);
    const audited = () =>
      sql<{ event: string; actor: string; payload: string }>(
        scene,
        'select event, actor, payload::text as payload from audit where approval_id = $1 order by seq',
        [id],
      );
    // The message comes first, then the entry.
    await expect
      .poll(
        async () => (await audited()).some(({ event, payload }) => event === 'review.asked' && payload.includes(omar)),
        {
          timeout: 15_000,
        },
      )
      .toBe(true);
    const entries = await audited();
    const broke = entries.filter(({ event }) => event === 'break-glass');
    expect(broke).toEqual([expect.objectContaining({ actor: rosa, payload: expect.stringContaining(reason) })]);
    // Not named, too early, not enrolled, frozen, wrong code.
    expect(entries.filter(({ event }) => event === 'break-glass.refused')).toHaveLength(5);
  });

  it('is refused for what is final, and where a rule says no', async () => {
    const other = await ask('quarantine-user arn:aws:iam::999999999999:user/pipeline');
    await wait(other.id);
    await isRefused(rosa, `${other.id} ${reason}`, /allows no break-glass/);
    const final = await ask(`delete-access-key ${key}`);
    await wait(final.id);
    await isRefused(rosa, `${final.id} ${reason}`, /allows no break-glass/);
    expect(writes()).toHaveLength(1);
  });

  it('lets somebody act alone who had approved as one of two, and counts him as one person', async () => {
    const asked = await ask('deny-all arn:aws:iam::999999999999:user/pipeline', omar);
    await scene.slack.click(rosa, alerts, asked.card.ts, 'approve');
    await scene.slack.waitFor(() => wordsOf(cardAt(asked.card.ts)).includes('1 of 2'), 15_000);
    await wait(asked.id);

    await scene.slack.slash(rosa, alerts, `break-glass ${asked.id} ${reason}`);
    await scene.slack.submitView(rosa, { 'code-text': totp.generate({ timestamp: Date.now() + 30_000 }) });

    await scene.slack.waitFor(() => wordsOf(cardAt(asked.card.ts)).includes('Done and verified'), 30_000);
    expect(writes()).toHaveLength(2);
  }, 60_000);
});
