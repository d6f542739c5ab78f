/**
 * How fast the doors answer: webhook to stored, webhook to card, slash command to acknowledgement under 50 webhooks/s, start-up
 * and memory at rest. The baseline of the ratios is a bare node:http server that checks the same signature and does nothing.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { storyFindings } from '../demo/aws/findings.ts';
import { startDemoAws } from '../demo/aws/server.ts';
import { startFirebreak } from '../demo/firebreak.ts';
import { botToken, configFor, environmentFor, signingSecret, webhookToken } from '../demo/setting.ts';
import { startDemoSlack } from '../demo/slack/server.ts';
import { demoIds } from '../demo/slack/workspace.ts';

const seconds = 20;
const webhooksPerSecond = 50;

const aws = await startDemoAws({ story: 's3', backgroundEvents: 40, lookupRatePerSecond: 50 });
const slack = await startDemoSlack({ signingSecret, botToken });
const began = performance.now();
const firebreak = await startFirebreak({
  // Every webhook gets a card here: the figure is about cards, not about digests.
  config: { ...configFor(aws), noise: { cardsPerMinute: 10_000 } },
  env: environmentFor(aws, slack),
});
await firebreak.ready();
const firstStartMs = performance.now() - began;
slack.setAppEventsUrl(`${firebreak.url}/slack/events`);
const finding = storyFindings(new Date()).accessKey;

await sleep(3_000);
console.log(
  `start-up, new data folder: ${firstStartMs.toFixed(0)} ms (with the process and the database's own making)`,
);
console.log(`memory at rest: ${residentMb(firebreak.pid)} MB`);

const bare = await startBare();
const bareAck = await measure(200, () => slash(`http://127.0.0.1:${portOf(bare)}/`));
const idleAck = await measure(200, () => slash(`${firebreak.url}/slack/events`));
const single = await measure(30, firstCard);

const acks: number[] = [];
const stored: number[] = [];
const until = Date.now() + seconds * 1_000;
const load = (async () => {
  while (Date.now() < until) {
    const next = Date.now() + 1_000;
    for (let n = 0; n < webhooksPerSecond; n += 1) {
      void timed(() => webhook(fresh())).then((ms) => stored.push(ms));
      await sleep(1_000 / webhooksPerSecond);
    }
    await sleep(Math.max(0, next - Date.now()));
  }
})();
while (Date.now() < until) acks.push(await timed(() => slash(`${firebreak.url}/slack/events`)));
await load;

report('slash to acknowledgement, bare node:http + HMAC (baseline)', bareAck);
report('slash to acknowledgement, idle', idleAck, bareAck);
report(`slash to acknowledgement, under ${webhooksPerSecond} webhooks/s`, acks, bareAck);
report(`webhook to 202 at ${webhooksPerSecond}/s`, stored, bareAck);
report('webhook to card in the channel, one at a time', single, bareAck);

bare.close();
await firebreak.stop();
await slack.close();
await aws.close();

function fresh(): unknown {
  return { ...finding, id: randomUUID(), detail: { ...finding.detail, id: randomUUID().replaceAll('-', '') } };
}

async function webhook(body: unknown): Promise<void> {
  const answer = await fetch(`${firebreak.url}/webhooks/eventbridge`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${webhookToken}` },
    body: JSON.stringify(body),
  });
  await answer.arrayBuffer();
  if (answer.status !== 202) throw new Error(`the webhook answered ${answer.status}`);
}

/** Slack allows one message a second in a channel, with a burst of three: the pause keeps that out of the figure. */
async function firstCard(): Promise<void> {
  const before = slack.calls.filter((call) => call.method === 'chat.postMessage' && call.status === 200).length;
  await webhook(fresh());
  await slack.waitFor(
    () => slack.calls.filter((call) => call.method === 'chat.postMessage' && call.status === 200).length > before,
    30_000,
  );
}

async function slash(url: string): Promise<void> {
  const body = new URLSearchParams({
    command: '/ir',
    text: 'help',
    user_id: demoIds.rosa,
    user_name: 'rosa',
    team_id: demoIds.team,
    channel_id: demoIds.alerts,
    trigger_id: randomUUID(),
    response_url: 'https://hooks.slack.com/commands/none',
  }).toString();
  const at = Math.floor(Date.now() / 1_000);
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': String(at),
      'x-slack-signature': `v0=${createHmac('sha256', signingSecret).update(`v0:${at}:${body}`).digest('hex')}`,
    },
    body,
  });
  await answer.arrayBuffer();
  if (answer.status !== 200) throw new Error(`the slash command was answered with ${answer.status}`);
}

async function startBare(): Promise<Server> {
  const server = createServer((request, response) => {
    const hmac = createHmac('sha256', signingSecret);
    request.on('data', (chunk: Buffer) => hmac.update(chunk)).on('end', () => response.end(hmac.digest('hex')));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function measure(times: number, work: () => Promise<void>): Promise<number[]> {
  const all: number[] = [];
  for (let n = 0; n < times; n += 1) {
    all.push(await timed(work));
    if (work === firstCard) await sleep(1_100);
  }
  return all;
}

function report(what: string, times: number[], baseline?: number[]): void {
  const p50 = percentile(times, 0.5);
  const ratio =
    baseline === undefined ? '' : `, ${(p50 / percentile(baseline, 0.5)).toFixed(1)} times the baseline's p50`;
  console.log(
    `${what}: p50 ${p50.toFixed(1)} ms, p99 ${percentile(times, 0.99).toFixed(1)} ms (n=${times.length}${ratio})`,
  );
}

function percentile(times: number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function residentMb(pid: number): string {
  const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return kb === undefined ? '?' : (Number(kb) / 1_024).toFixed(0);
}
