/** What was in Slack and is there no more, or cannot be reached: channels, cards, threads. Nothing waits unseen. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoIds, demoPeople, type Message } from '../../demo/slack/workspace.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const key = 'AKIAIOSFODNN7EXAMPLE';
const { alerts, critical, rosa, omar } = demoIds;
const stranger = 'U07N0R1GHTS';

let scene: Scene;
beforeAll(async () => {
  const people = [...demoPeople, { ...demoPeople[0], id: stranger, email: 'none@acme-cloud.example' } as never];
  scene = await openScene({
    aws: { backgroundEvents: 0 },
    slack: { people },
    config: { guardduty: { verify: false } },
  });
});
afterAll(() => scene?.close());

/** A finding of its own, told by the call that it names. */
function findingOf(name: string, severity = 5, count = 1): Record<string, unknown> {
  const base = scene.findings.accessKey;
  const action = { actionType: 'AWS_API_CALL', awsApiCallAction: { api: name, serviceName: 'ec2.amazonaws.com' } };
  const service = { ...(base.detail.service as Record<string, unknown>), action, count };
  const updatedAt = new Date(Date.now() + count * 1_000).toISOString();
  return { ...base, detail: { ...base.detail, id: `own-${name}`, arn: undefined, severity, service, updatedAt } };
}

function cardsOf(name: string, channel: string): readonly Message[] {
  return scene.slack.messages(channel).filter((message) => wordsOf(message).includes(name));
}

async function cardOf(name: string, channel: string): Promise<Message> {
  const [card] = await scene.slack.waitFor(() => {
    const cards = cardsOf(name, channel);
    return cards.length > 0 && cards;
  }, 60_000);
  if (card === undefined) throw new Error('no card');
  return card;
}

describe('a channel that takes nothing', () => {
  it.each([
    ['is archived', { isArchived: true }],
    ['has no Firebreak in it', { isMember: false }],
  ])('gives its card to the default channel where it %s, and the thread says why', async (how, patch) => {
    const name = how.replaceAll(' ', '');
    scene.slack.setChannel(critical, patch);

    expect((await scene.send(findingOf(name, 9.5))).status).toBe(202);
    const card = await cardOf(name, alerts);
    const [why] = await scene.slack.waitFor(() => {
      const said = scene.slack.thread(alerts, card.ts);
      return said.length > 0 && said;
    }, 20_000);

    expect(why?.text).toContain(`belongs into the channel ${critical}`);
    expect(wordsOf(why)).toContain('invite Firebreak there');
    scene.slack.setChannel(critical, { isArchived: false, isMember: true });
    expect(cardsOf(name, critical)).toEqual([]);
  });

  it('loses no card where the default channel takes nothing either', async () => {
    scene.slack.setChannel(critical, { isArchived: true });
    scene.slack.setChannel(alerts, { isArchived: true });
    const before = scene.slack.calls.length;
    expect((await scene.send(findingOf('Nowhere', 9.5))).status).toBe(202);
    await scene.slack.waitFor(
      () => scene.slack.calls.slice(before).filter(({ reply }) => reply?.error === 'is_archived').length > 1,
      20_000,
    );

    scene.slack.setChannel(alerts, { isArchived: false });
    scene.slack.setChannel(critical, { isArchived: false });

    await scene.slack.waitFor(() => [...cardsOf('Nowhere', critical), ...cardsOf('Nowhere', alerts)].length, 90_000);
  });
});

describe('a message that somebody deleted, or that can no longer be changed', () => {
  it.each(['message_not_found', 'edit_window_closed'])('is a new card when there is news (%s)', async (error) => {
    const name = `News${error.replaceAll('_', '')}`;
    await scene.send(findingOf(name));
    const card = await cardOf(name, alerts);
    scene.slack.fail({ method: 'chat.update', how: 'error', error, holding: card.ts, times: 1_000 });

    await scene.send(findingOf(name, 8.5, 4));

    const again = await scene.slack.waitFor(
      () => cardsOf(name, alerts).find(({ ts, text }) => ts !== card.ts && text.startsWith('High')),
      60_000,
    );
    // From now on the new one is the card.
    const before = scene.slack.calls.length;
    await scene.slack.click(omar, alerts, again.ts, 'acknowledge');
    await scene.slack.waitFor(
      () =>
        scene.slack.calls.slice(before).some(({ method, args }) => method === 'chat.update' && args.ts === again.ts),
      40_000,
    );
    expect(cardsOf(name, alerts)).toHaveLength(2);
  });

  it('comes back as an approval card when the same is asked again, and can be decided there', async () => {
    const approvals = () => scene.slack.messages(alerts).filter((message) => hasButton(message, 'approve'));
    await scene.slack.slash(rosa, alerts, `contain disable-access-key ${key}`);
    const card = await scene.slack.waitFor(() => approvals()[0], 40_000);
    scene.slack.fail({
      method: 'chat.update',
      how: 'error',
      error: 'message_not_found',
      holding: card.ts,
      times: 1_000,
    });

    await scene.slack.slash(rosa, alerts, `contain disable-access-key ${key}`);
    const again = await scene.slack.waitFor(() => approvals().find(({ ts }) => ts !== card.ts), 60_000);
    await scene.slack.click(omar, alerts, again.ts, 'approve');

    await scene.slack.waitFor(
      () =>
        scene.slack.messages(alerts).some(({ ts, text }) => ts === again.ts && /disabled|done|verified/i.test(text)),
      60_000,
    );
  });
});

describe('a refusal', () => {
  it('is seen by who pressed a card that nobody has replied to yet', async () => {
    await scene.send(findingOf('Untouched'));
    const card = await cardOf('Untouched', alerts);

    await scene.slack.click(stranger, alerts, card.ts, 'pivot');
    const told = await scene.slack.waitFor(() => scene.slack.ephemerals(stranger)[0], 40_000);

    expect(told.text).toContain('only responders');
    // Slack shows an ephemeral message in a thread only where the thread is there already.
    expect(told.thread_ts).toBeUndefined();
  });
});
