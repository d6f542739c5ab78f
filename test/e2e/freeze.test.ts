/** Freeze and lift in Slack, and the pace of clicks. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configFor } from '../../demo/setting.ts';
import { demoIds } from '../../demo/slack/workspace.ts';
import { sql } from '../support/doors.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const { alerts, rosa, omar } = demoIds;

let scene: Scene;
beforeAll(async () => {
  scene = await openScene({ aws: { backgroundEvents: 0 }, start: false });
  await scene.start({
    config: { ...configFor(scene.aws), regions: ['us-east-1'], approvers: { users: [rosa, omar], required: 1 } },
  });
});
afterAll(() => scene?.close());

const announced = (words: RegExp) => scene.slack.messages(alerts).find((message) => words.test(wordsOf(message)));
const freeze = async () =>
  (await sql<{ value: { frozen: boolean; by: string } }>(scene, "select value from settings where key = 'freeze'"))[0]
    ?.value;

describe('a freeze', () => {
  it('is announced, and lifted by a second approver, which is announced as well', async () => {
    await scene.slack.slash(rosa, alerts, 'freeze a laptop was stolen');
    await scene.slack.waitFor(() => announced(/All writes to AWS are frozen/), 30_000);

    await scene.slack.slash(omar, alerts, 'freeze --lift the session was ended');
    expect(await freeze()).toMatchObject({ frozen: true });
    await scene.slack.slash(omar, alerts, 'freeze --lift said twice by one person');
    expect(await freeze()).toMatchObject({ frozen: true });

    await scene.slack.slash(rosa, alerts, 'freeze --lift I agree');
    expect(await freeze()).toMatchObject({ frozen: false });
    expect((await freeze())?.by).toContain(omar);
    expect((await freeze())?.by).toContain(rosa);
    await scene.slack.waitFor(() => announced(/The freeze is lifted/), 30_000);
  }, 90_000);

  it('that is new is not lifted by a wish from before it', async () => {
    await scene.slack.slash(rosa, alerts, 'freeze once more');

    await scene.slack.slash(rosa, alerts, 'freeze --lift only one of now');

    expect(await freeze()).toMatchObject({ frozen: true });
  });
});

describe('clicks', () => {
  it('of one person do nothing after thirty in a minute, which is told once', async () => {
    await scene.slack.slash(rosa, alerts, 'contain disable-access-key AKIAIOSFODNN7EXAMPLE');
    const card = await scene.slack.waitFor(
      () => scene.slack.messages(alerts).find((message) => hasButton(message, 'approve')),
      30_000,
    );
    // As many as it takes within one minute of the database's clock, whichever minute that is.
    await sql(
      scene,
      `insert into clicks (user_id, minute, clicks)
         select $1, date_trunc('minute', now()) + make_interval(mins => n), 120 from generate_series(0, 2) n`,
      [omar],
    );

    for (let click = 0; click < 3; click += 1) await scene.slack.click(omar, alerts, card.ts, 'approve');

    await scene.slack.waitFor(
      () => scene.slack.ephemerals(omar).find(({ text }) => /120 clicks in a minute/.test(text)),
      10_000,
    );
    expect(scene.slack.ephemerals(omar).filter(({ text }) => /120 clicks in a minute/.test(text)).length).toBeLessThan(
      3,
    );
    expect(await sql(scene, "select from approvals where state <> 'proposed'")).toEqual([]);
  }, 60_000);
});
