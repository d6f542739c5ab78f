/** Who may read what, through the doors: rules of the config, the evidence channel, and a case closed to a named few. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configFor } from '../../demo/setting.ts';
import { demoIds, type Message } from '../../demo/slack/workspace.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const { alerts, rosa, omar } = demoIds;

let scene: Scene;
beforeAll(async () => {
  scene = await openScene({ aws: { backgroundEvents: 0 }, start: false });
  const base = configFor(scene.aws) as { channels?: Record<string, unknown> };
  await scene.start({
    config: {
      ...base,
      channels: { ...base.channels, evidence: demoIds.general },
      regions: ['us-east-1'],
      access: [{ commands: ['triage'], allow: [omar] }],
    },
  });
});
afterAll(() => scene?.close());

const messages = (channel: string) => scene.slack.messages(channel);

async function card(): Promise<Message> {
  await scene.send(scene.findings.accessKey);
  return scene.slack.waitFor(() => messages(alerts).find((message) => hasButton(message, 'pivot')), 20_000);
}

describe('who may read', () => {
  it('is asked before a command is carried out', async () => {
    await scene.slack.slash(rosa, alerts, 'triage');

    const told = await scene.slack.waitFor(() => scene.slack.ephemerals(rosa)[0], 10_000);
    expect(told.text).toContain('the config lets only others ask this');
  });

  it('gets the evidence of a card in the evidence channel, and a line in the card’s thread', async () => {
    const found = await card();

    await scene.slack.click(omar, alerts, found.ts, 'pivot');

    const summary = await scene.slack.waitFor(
      () => scene.slack.thread(alerts, found.ts).find((message) => wordsOf(message).includes('evidence channel')),
      60_000,
    );
    expect(summary.thread_ts).toBe(found.ts);
    expect(messages(demoIds.general).length).toBeGreaterThan(0);
  });

  it('of a closed case are the named few: the card says nothing to others, and its buttons refuse them', async () => {
    const found = await card();
    const caseId = /IR-\d+/.exec(wordsOf(found))?.[0] ?? '';

    await scene.slack.slash(omar, alerts, `restrict ${caseId} <@${omar}>`);

    const closed = await scene.slack.waitFor(
      () => messages(alerts).find((message) => message.text.includes(`${caseId} is closed to`)),
      20_000,
    );
    expect(closed.ts).toBe(found.ts);
    expect(wordsOf(closed)).not.toContain('pipeline');
    await scene.slack.clickStale(rosa, found, 'acknowledge');
    await scene.slack.waitFor(
      () => scene.slack.ephemerals(rosa).find((message) => message.text.includes('closed to a named few')),
      15_000,
    );
  });
});
