/**
 * How long after the click: from the approver's click in Slack to the changing call at AWS, to AWS being read back, and to the card
 * saying so. Real doors (signed click, queue, executor, AWS's protocol over HTTP), demo servers: `node bench/containment.ts [--rounds N]`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { demoIds } from '../demo/slack/workspace.ts';
import { hasButton, openScene, wordsOf } from '../test/support/scene.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } });
const rounds = Number(values.rounds);
const { alerts, rosa, omar } = demoIds;
const key = 'AKIAIOSFODNN7EXAMPLE';

const scene = await openScene({ aws: { backgroundEvents: 0, lookupRatePerSecond: 10_000 } });
const toCall: number[] = [];
const toRead: number[] = [];
const toCard: number[] = [];
try {
  for (let round = 0; round < rounds; round += 1) {
    const known = new Set(cards().map(({ ts }) => ts));
    await scene.slack.slash(rosa, alerts, `contain disable-access-key ${key}`);
    const card = await waitingCard(known);
    await approve(card);
    const asked = new Set(cards().map(({ ts }) => ts));
    await scene.slack.click(rosa, alerts, card, 'undo');
    await approve(await waitingCard(asked));
  }
  report('click to the changing call at AWS', toCall);
  report('click to the first read of AWS after it', toRead);
  report('click to "Done and verified" on the card', toCard);
} finally {
  await scene.close();
}

function cards() {
  return scene.slack.messages(alerts);
}

async function waitingCard(known: ReadonlySet<string>): Promise<string> {
  const found = () => cards().find((one) => !known.has(one.ts) && hasButton(one, 'approve'));
  return (await scene.slack.waitFor(found, 60_000)).ts;
}

/** Times one approval. */
async function approve(card: string): Promise<void> {
  const begun = scene.aws.calls.length;
  const start = performance.now();
  const clicked = scene.slack.click(omar, alerts, card, 'approve');
  const write = await seen((call) => call.operation === 'UpdateAccessKey', begun);
  toCall.push(performance.now() - start);
  await seen((call) => call.operation === 'ListAccessKeys' && ofResponder(call.principalArn), write + 1);
  toRead.push(performance.now() - start);
  await clicked;
  await scene.slack.waitFor(
    () => cards().find(({ ts, ...rest }) => ts === card && wordsOf({ ts, ...rest }).includes('Done and verified')),
    60_000,
  );
  toCard.push(performance.now() - start);
  // Slack takes one message a second in a channel: the pause keeps the last round's out of the next one's figure.
  await sleep(2_000);
}

function ofResponder(arn: string | undefined): boolean {
  return arn?.includes(':assumed-role/IrResponder/') === true;
}

/** The index of the first such call from there on, looked for every 2 ms. */
async function seen(is: (call: (typeof scene.aws.calls)[number]) => boolean, from: number): Promise<number> {
  const until = performance.now() + 60_000;
  for (;;) {
    const index = scene.aws.calls.findIndex((call, at) => at >= from && is(call));
    if (index >= 0) return index;
    if (performance.now() > until) throw new Error('AWS saw no such call');
    await sleep(2);
  }
}

function report(what: string, times: readonly number[]): void {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]?.toFixed(0) ?? '?';
  console.log(`${what}: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms (n=${times.length})`);
}
