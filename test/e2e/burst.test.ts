/**
 * 400 alerts at once (5,000 with FIREBREAK_BURST=5000) while the database restarts, Slack answers 429 and a worker is killed:
 * every distinct alert ends as exactly one card or one line of a digest.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoIds } from '../../demo/slack/workspace.ts';
import { sql } from '../support/doors.ts';
import { eventually, serverOf } from '../support/killing.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const total = Number(process.env.FIREBREAK_BURST ?? 400);
const { alerts, critical } = demoIds;
const types = [
  'Recon:IAMUser/MaliciousIPCaller',
  'UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B',
  'Discovery:IAMUser/AnomalousBehavior',
  'Persistence:IAMUser/AnomalousBehavior',
];
let scene: Scene;

interface Sent {
  readonly name: string;
  readonly severity: number;
}

/** Each names a user of its own, which is how it is found again in Slack: `burst-17-end`. */
function finding({ name, severity }: Sent, index: number): Record<string, unknown> {
  const base = scene.findings.accessKey as unknown as Record<string, unknown> & { detail: Record<string, unknown> };
  const resource = structuredClone(base.detail.resource) as { accessKeyDetails: Record<string, unknown> };
  resource.accessKeyDetails = { ...resource.accessKeyDetails, userName: name, accessKeyId: undefined };
  const detail = { ...base.detail, id: name, arn: undefined, severity, type: types[index % types.length], resource };
  return { ...base, id: name, detail };
}

/** As EventBridge does: the same event again until it is taken. */
async function sendUntilTaken(event: Record<string, unknown>): Promise<void> {
  for (const until = Date.now() + 90_000; ; ) {
    const status = await scene.send(event).then(
      async (answer) => {
        await answer.arrayBuffer();
        return answer.status;
      },
      () => 0,
    );
    if (status === 202) return;
    if (Date.now() > until) throw new Error(`not taken in 90 s: ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe('a storm of alerts through restarts, refusals and a kill -9', () => {
  beforeAll(async () => {
    // Slack takes a message a second in a channel: few cards leave the time to the storm itself.
    scene = await openScene({ aws: { story: 'empty' }, config: { noise: { cardsPerMinute: 5 } } });
  });
  afterAll(() => scene?.close());

  it('ends in exactly one card or one line of a digest for each of them', { timeout: 600_000 }, async () => {
    const sent: Sent[] = Array.from({ length: total }, (_, index) => ({
      name: `burst-${index}-end`,
      // Ten criticals, spread over the whole of it.
      severity: index % Math.floor(total / 10) === 7 ? 9.5 : 2 + (index % 4),
    }));
    const queue = sent.map((each, index) => finding(each, index));
    const began = Date.now();
    scene.slack.fail({ method: 'chat.postMessage', how: '429', times: 4, retryAfter: 1 });
    const trouble = (async () => {
      const at = (share: number) =>
        eventually(`${share} of it is sent`, () => total - queue.length >= total * share, 300_000);
      await at(0.2);
      process.kill(serverOf(scene).pid, 'SIGKILL');
      await at(0.5);
      scene.slack.fail({ method: 'chat.postMessage', how: 'afterThenClose', times: 2 });
      scene.slack.fail({ method: '*', how: '429', times: 6, retryAfter: 1 });
      await at(0.6);
      await scene.firebreak.kill();
      await scene.start();
      scene.slack.fail({ method: 'chat.postMessage', how: '500', times: 2 });
    })();
    const senders = Array.from({ length: 24 }, async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await sendUntilTaken(next);
    });
    await Promise.all([...senders, trouble]);
    const sentMs = Date.now() - began;

    await eventually(
      'every alert is in Slack',
      async () => {
        const [row] = await sql<{ waiting: number }>(
          scene,
          `select (select count(*) from alerts where handled_at is null)
            + (select coalesce(sum(total - shown), 0) from digests) as waiting`,
        );
        return Number(row?.waiting) === 0;
      },
      400_000,
    );
    const allMs = Date.now() - began;

    const messages = [...scene.slack.messages(alerts), ...scene.slack.messages(critical)];
    const cards = messages.filter((message) => hasButton(message, 'pivot') || hasButton(message, 'acknowledge'));
    const heads = messages.filter((message) => message.text.startsWith('Alert storm'));
    const pages = heads.flatMap((head) => scene.slack.thread(head.channel, head.ts));
    const seen = new Map<string, string[]>();
    const note = (where: string, words: string) => {
      for (const name of new Set(words.match(/burst-\d+-end/g))) seen.set(name, [...(seen.get(name) ?? []), where]);
    };
    for (const card of cards) note('card', wordsOf(card));
    for (const page of pages) {
      for (const line of wordsOf(page).matchAll(/IR-\d+ · [^\\"]*/g)) note('line', line[0]);
    }
    const not = sent.filter(({ name }) => seen.get(name)?.length !== 1).map(({ name }) => [name, seen.get(name) ?? []]);
    expect(not).toEqual([]);
    expect(seen.size).toBe(total);
    // Noise is no cover.
    for (const { name, severity } of sent) if (severity > 9) expect([name, seen.get(name)]).toEqual([name, ['card']]);
    for (const type of types) expect(cards.some((card) => wordsOf(card).includes(type))).toBe(true);
    const lines = [...seen.values()].filter(([where]) => where === 'line').length;
    expect(cards.length).toBeLessThan(total / 5);
    process.stdout.write(
      `${total} alerts: taken in ${sentMs} ms, all in Slack in ${allMs} ms; ${cards.length} cards, ${lines} lines, ${heads.length} digests, ${pages.length} pages\n`,
    );
  });

  it('opens the card of a line of the digest', async () => {
    const head = [...scene.slack.messages(alerts)].find((message) => message.text.startsWith('Alert storm'));
    const [page] = scene.slack.thread(alerts, head?.ts ?? '');
    const [, caseId = '', name = ''] = /(IR-\d+) · [^\\"]*?(burst-\d+-end)/.exec(wordsOf(page)) ?? [];
    expect(caseId).toMatch(/^IR-/);

    await scene.slack.slash(demoIds.rosa, alerts, `open ${caseId}`);

    await scene.slack.waitFor(
      () =>
        scene.slack
          .messages(alerts)
          .some((message) => wordsOf(message).includes(name) && hasButton(message, 'acknowledge')),
      20_000,
    );
  });
});
