/** Plans of a case that is closed to a named few: who sees the target, who may decide, what stays in the channel. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoIds, type Message } from '../../demo/slack/workspace.ts';
import { type Containment, openContainment } from '../containment/cast.ts';
import { hasButton, wordsOf } from '../support/scene.ts';

const { alerts, rosa, omar } = demoIds;
const una = 'U07UNA4ONCA';
const key = 'AKIAIOSFODNN7EXAMPLE';

let on: Containment;
beforeAll(async () => {
  on = await openContainment();
});
afterAll(() => on?.scene.close());

/** The channel of Firebreak's direct messages to somebody; empty before the first. */
function place(who: string): string {
  const sent = on.scene.slack.calls.find(({ method, args }) => method === 'chat.postMessage' && args.channel === who);
  return typeof sent?.reply?.channel === 'string' ? sent.reply.channel : '';
}

/** What Firebreak wrote to one person directly. */
function direct(who: string): readonly Message[] {
  return place(who) === '' ? [] : on.scene.slack.messages(place(who));
}

describe('a case that is closed while its plan waits', () => {
  let card: Message;
  let caseId: string;

  it('takes the target out of the channel and of the messages to other approvers, and gives the few the card', async () => {
    card = await on.ask(`disable-access-key ${key}`);
    caseId = /IR-\d+/.exec(wordsOf(card))?.[0] ?? '';
    await on.scene.slack.waitFor(() => direct(una).find((message) => wordsOf(message).includes(key)), 30_000);

    await on.scene.slack.slash(omar, alerts, `restrict ${caseId} <@${rosa}>`);

    for (const who of [rosa, omar]) {
      await on.scene.slack.waitFor(() => direct(who).find((message) => hasButton(message, 'approve')), 30_000);
    }
    await on.scene.slack.waitFor(() => !JSON.stringify(direct(una)).includes(key) || undefined, 30_000);
    expect(wordsOf(on.at(card.ts))).toContain('closed to a named few');
    expect(JSON.stringify(on.cards())).not.toContain(key);
    expect(hasButton(on.at(card.ts), 'approve')).toBe(false);
  }, 120_000);

  it('refuses the vote of an approver who is none of the few, and names no target in the list of plans', async () => {
    await on.scene.slack.clickStale(una, card, 'approve');
    await on.scene.slack.waitFor(
      () => on.scene.slack.ephemerals(una).find(({ text }) => text.includes('closed to a named few')),
      30_000,
    );

    await on.scene.slack.slash(una, alerts, 'approvals');
    const listed = await on.scene.slack.waitFor(
      () => on.scene.slack.ephemerals(una).find(({ text }) => /1 containment plan open/.test(text)),
      30_000,
    );
    expect(JSON.stringify(listed)).not.toContain(key);
    expect(on.writes()).toEqual([]);
  }, 90_000);

  it('runs when one of the few approves in his own messages, and the channel still reads no target', async () => {
    const own = direct(omar).find((message) => hasButton(message, 'approve'));

    await on.scene.slack.click(omar, place(omar), own?.ts ?? '', 'approve');

    for (const who of [rosa, omar]) {
      await on.scene.slack.waitFor(
        () => direct(who).find((message) => wordsOf(message).includes('Done and verified')),
        60_000,
      );
    }
    expect(on.writes()).toEqual(['UpdateAccessKey']);
    await on.scene.slack.waitFor(() => wordsOf(on.at(card.ts)).includes('is verified') || undefined, 30_000);
    expect(JSON.stringify(on.cards())).not.toContain(key);
    expect(JSON.stringify(on.scene.slack.thread(alerts, card.ts))).not.toContain(key);
  }, 120_000);
});

describe('a plan for a case that is closed already', () => {
  it('is shown to the few alone: the channel gets no card of it', async () => {
    const known = on.cards().length;
    const own = direct(rosa).find((message) => hasButton(message, 'undo'));
    await on.scene.slack.click(rosa, place(rosa), own?.ts ?? '', 'undo');

    const isAsked = (message: Message) => wordsOf(message).includes('Approval needed');
    for (const who of [rosa, omar]) await on.scene.slack.waitFor(() => direct(who).find(isAsked), 60_000);
    expect(on.cards()).toHaveLength(known);
    expect(JSON.stringify(direct(una))).not.toContain(key);
  }, 120_000);
});
