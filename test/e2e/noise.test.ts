/** What a channel hears and what it does not: joins, news of a case, snoozes, verdicts, and who is called when nobody looks. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configFor } from '../../demo/setting.ts';
import { demoIds, type Message } from '../../demo/slack/workspace.ts';
import { sql } from '../support/doors.ts';
import { eventually, idle } from '../support/killing.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const { alerts, critical, rosa, omar } = demoIds;
let scene: Scene;
const pages: { path: string; headers: Record<string, unknown>; body: Record<string, unknown> }[] = [];
const pager = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
    pages.push({ path: request.url ?? '', headers: request.headers, body });
    response.writeHead(202).end('{}');
  });
});

beforeAll(async () => {
  pager.listen(0, '127.0.0.1');
  await once(pager, 'listening');
  const { port } = pager.address() as { port: number };
  scene = await openScene({ aws: { story: 'empty' }, start: false });
  await scene.start({
    config: {
      ...configFor(scene.aws),
      crownJewels: { resources: ['crown-*'] },
      escalation: {
        levels: [
          { afterMinutes: 0.02, users: [omar] },
          { afterMinutes: 0.05, pagers: ['duty'] },
        ],
        pagers: [{ name: 'duty', kind: 'pagerduty', keyEnv: 'DUTY_KEY', url: `http://127.0.0.1:${port}` }],
      },
    },
    env: { DUTY_KEY: 'routing-key-1' },
  });
});
afterAll(async () => {
  await scene?.close();
  pager.close();
});

interface About {
  readonly id: string;
  readonly user: string;
  readonly type?: string;
  readonly region?: string;
  readonly severity?: number;
  readonly count?: number;
  readonly lastSeen?: string;
  readonly at?: number;
}

async function send({ id, user, type, region, severity, count, lastSeen, at }: About): Promise<void> {
  const base = scene.findings.accessKey as unknown as { detail: Record<string, unknown> };
  const resource = structuredClone(base.detail.resource) as { accessKeyDetails: Record<string, unknown> };
  resource.accessKeyDetails = { ...resource.accessKeyDetails, userName: user, accessKeyId: undefined };
  const service = { ...(base.detail.service as object), count: count ?? 1, eventLastSeen: lastSeen };
  const event = {
    ...base,
    id: `${id}-${count ?? 1}-${severity ?? 5}`,
    detail: {
      ...base.detail,
      id,
      arn: undefined,
      type: type ?? 'Recon:IAMUser/MaliciousIPCaller',
      region: region ?? 'us-east-1',
      severity: severity ?? 5,
      updatedAt: new Date(Date.now() + (at ?? 0)).toISOString(),
      resource,
      service,
    },
  };
  expect((await scene.send(event)).status).toBe(202);
}

const about = (user: string, channel: string = alerts): readonly Message[] =>
  scene.slack.messages(channel).filter((message) => wordsOf(message).includes(user));
const cardsOf = (user: string, channel: string = alerts) =>
  about(user, channel).filter((one) => hasButton(one, 'pivot'));
const news = (caseId: string, channel: string = alerts) =>
  scene.slack.messages(channel).filter((message) => message.text.startsWith(`News in case ${caseId},`));
const pagesOf = (caseId: string) => pages.filter(({ body }) => body.dedup_key === `firebreak-${caseId}-0`);
const caseIn = (message: Message | undefined): string => /IR-\d+/.exec(wordsOf(message))?.[0] ?? 'none';
const threadOf = (message: Message | undefined): string =>
  scene.slack
    .thread(message?.channel ?? '', message?.ts ?? '')
    .map(wordsOf)
    .join('\n');

describe('one alert once', () => {
  it('puts findings of one actor from two Regions into one case, and tells it in the thread', async () => {
    await Promise.all([send({ id: 'join-1', user: 'jo' }), send({ id: 'join-2', user: 'jo', region: 'eu-west-1' })]);
    await idle(scene);

    expect(cardsOf('jo')).toHaveLength(1);
    expect(threadOf(cardsOf('jo')[0])).toMatch(/Same actor and resource.*(eu-west-1|us-east-1)/s);
    expect(news(caseIn(cardsOf('jo')[0]))).toEqual([]);
  });

  it('says a new tactic, a higher severity and a return after quiet in the channel, a mere count in the card only', async () => {
    await send({ id: 'news-1', user: 'nell', lastSeen: '2026-11-01T00:00:00Z' });
    await idle(scene);
    const [card] = cardsOf('nell');
    const caseId = caseIn(card);

    await send({ id: 'news-1', user: 'nell', count: 2, at: 1_000, lastSeen: '2026-11-01T01:00:00Z' });
    await idle(scene);
    expect(news(caseId)).toHaveLength(0);
    expect(wordsOf(cardsOf('nell')[0])).toMatch(/2 times/);

    await send({ id: 'news-2', user: 'nell', type: 'Persistence:IAMUser/AnomalousBehavior' });
    await idle(scene);
    expect(news(caseId)).toHaveLength(1);
    expect(news(caseId)[0]?.text).toContain('a new tactic here, Persistence');

    await send({ id: 'news-1', user: 'nell', count: 3, severity: 8, at: 2_000, lastSeen: '2026-11-01T02:00:00Z' });
    await idle(scene);
    expect(news(caseId)).toHaveLength(2);

    await send({ id: 'news-1', user: 'nell', count: 4, severity: 8, at: 3_000, lastSeen: '2026-11-05T00:00:00Z' });
    await idle(scene);
    expect(news(caseId)).toHaveLength(3);
    expect(cardsOf('nell')).toHaveLength(1);
    const notes = scene.slack.thread(alerts, card?.ts ?? '').map((note) => note.text);
    expect(notes.map((note) => /tactic|rose|quiet/.exec(note)?.[0])).toEqual(['tactic', 'rose', 'quiet']);
  });

  it('leaves two findings of one type in one Region apart, as GuardDuty does', async () => {
    await send({ id: 'apart-1', user: 'ada' });
    await send({ id: 'apart-2', user: 'ada' });
    await idle(scene);

    expect(cardsOf('ada')).toHaveLength(2);
  });
});

describe('noise', () => {
  it('is snoozed by the button; what is critical speaks all the same', async () => {
    await send({ id: 'snooze-1', user: 'sam' });
    await idle(scene);
    await scene.slack.click(demoIds.gil, alerts, cardsOf('sam')[0]?.ts ?? '', 'snooze');
    const refused = () => scene.slack.ephemerals(demoIds.gil).at(-1)?.text ?? '';
    await expect.poll(refused, { timeout: 10_000 }).toMatch(/You cannot do this: .*guest/);
    expect(scene.slack.views(demoIds.gil)).toEqual([]);
    const errors = () => scene.slack.views(rosa).at(-1)?.errors ?? {};
    const fields = { 'snooze-reason': 'our own scanner', 'snooze-hours': '8' };
    expect((await scene.slack.click(rosa, alerts, cardsOf('sam')[0]?.ts ?? '', 'snooze')).outcome).toBe('ok');
    expect(JSON.stringify(scene.slack.views(rosa).at(-1)?.blocks)).toContain(
      'Mutes type Recon:IAMUser/MaliciousIPCaller',
    );
    // Slack itself asks for the reason; white space and a day that is over are refused by the app, each at its field.
    await scene.slack.submitView(rosa, { 'snooze-hours': '8' });
    expect(errors()).toHaveProperty('snooze-reason');
    await scene.slack.submitView(rosa, { ...fields, 'snooze-reason': '    ' });
    expect(errors()['snooze-reason']).toContain('Say why');
    await scene.slack.submitView(rosa, { ...fields, 'snooze-day': '2020-01-01' });
    expect(errors()['snooze-day']).toContain('past');
    await scene.slack.submitView(rosa, fields);
    expect(scene.slack.views(rosa)).toEqual([]);
    await eventually('it is said', () => threadOf(cardsOf('sam')[0]).includes('Snoozed until'));
    expect(threadOf(cardsOf('sam')[0])).toContain('Why: our own scanner');
    const [kept] = await sql<{ reason: string; hours: string }>(
      scene,
      `select reason, extract(epoch from until - at) / 3600 as hours from snoozes`,
    );
    expect(kept?.reason).toBe('our own scanner');
    expect(Math.round(Number(kept?.hours))).toBe(8);

    await send({ id: 'snooze-2', user: 'sam' });
    await idle(scene);
    expect(cardsOf('sam')).toHaveLength(1);
    expect(await sql(scene, `select 1 from cases where admission = 'snoozed'`)).toHaveLength(1);

    await send({ id: 'snooze-3', user: 'sam', severity: 9.5 });
    await eventually('the critical one speaks', () => cardsOf('sam', critical).length === 1);

    const list = await scene.slack.slash(rosa, alerts, 'snooze');
    const id = /S-\d+/.exec(list.body)?.[0] ?? '';
    expect((await scene.slack.slash(rosa, alerts, `snooze end ${id}`)).body).toContain('has ended');
    await send({ id: 'snooze-4', user: 'sam' });
    await eventually('it is heard again', () => cardsOf('sam').length === 2);
  });

  it('is snoozed by the button for the very name in the alert, where that holds a star', async () => {
    // Database and Kubernetes users are named so by whoever logs in: no letter of such a name may stand for others.
    await send({ id: 'star-1', user: 'w*' });
    await idle(scene);
    await scene.slack.click(rosa, alerts, cardsOf('w*')[0]?.ts ?? '', 'snooze');
    expect(JSON.stringify(scene.slack.views(rosa).at(-1)?.blocks)).toContain('actor w* (the star is a letter of it)');
    await scene.slack.submitView(rosa, { 'snooze-reason': 'known', 'snooze-hours': '8' });
    await eventually('it is said', () => threadOf(cardsOf('w*')[0]).includes('Snoozed until'));

    await send({ id: 'star-2', user: 'wanda' });
    await send({ id: 'star-3', user: 'w*' });
    await idle(scene);
    expect(cardsOf('wanda')).toHaveLength(1);
    expect(cardsOf('w*')).toHaveLength(1);
  });

  it('is snoozed by a typed rule with a reason and an end, never without', async () => {
    expect((await scene.slack.slash(rosa, alerts, 'snooze add --type Recon:* --until 7d')).body).toContain('Say why');
    expect((await scene.slack.slash(rosa, alerts, 'snooze add --type Recon:* our scanner')).body).toContain(
      'until when',
    );
    expect((await scene.slack.slash(rosa, alerts, 'snooze add --until 7d everything')).body).toContain('Say what');
    const made = await scene.slack.slash(rosa, alerts, 'snooze add --actor scanner-* --until 2h our own scanner');
    expect(made.body).toContain('Snoozed');

    await send({ id: 'rule-1', user: 'scanner-7' });
    await idle(scene);
    expect(about('scanner-7')).toEqual([]);

    const [row] = await sql<{ id: string }>(
      scene,
      `select case_id as id from case_findings where alert->'actor'->>'userName' = 'scanner-7'`,
    );
    await scene.slack.slash(rosa, alerts, `open ${row?.id}`);
    await eventually('it can be opened all the same', () => cardsOf('scanner-7').length === 1);
  });

  it('is marked as a false positive once, and the report counts it', async () => {
    await send({ id: 'false-1', user: 'finn' });
    await idle(scene);
    const ts = cardsOf('finn')[0]?.ts ?? '';
    await scene.slack.click(rosa, alerts, ts, 'false-positive');
    await eventually('the card says so', () => wordsOf(cardsOf('finn')[0]).includes('Marked as a false positive'));
    expect(hasButton(cardsOf('finn')[0] as Message, 'false-positive')).toBe(false);

    const report = await scene.slack.slash(rosa, alerts, 'noise');
    expect(report.body).toContain('1 false positive');
    expect(report.body).toContain('Recon:IAMUser/MaliciousIPCaller');
  });
});

describe('nobody looks at a critical', () => {
  it('calls the person on duty, then the pager, each once', { timeout: 120_000 }, async () => {
    await send({ id: 'wake-1', user: 'wanda', severity: 9.6 });
    await eventually('the card is there', () => cardsOf('wanda', critical).length === 1);
    const caseId = caseIn(cardsOf('wanda', critical)[0]);
    await eventually('the pager was called', () => pagesOf(caseId).length > 0, 60_000);
    await idle(scene);

    const calls = scene.slack.calls.filter((call) => call.method === 'chat.postMessage' && call.args.channel === omar);
    expect(calls.filter((call) => JSON.stringify(call.args).includes(caseId))).toHaveLength(1);
    const mine = pagesOf(caseId);
    expect(mine).toHaveLength(1);
    expect(mine[0]).toMatchObject({
      path: '/v2/enqueue',
      body: { routing_key: 'routing-key-1', event_action: 'trigger' },
    });
  });

  it('calls nobody once somebody has acknowledged it', { timeout: 120_000 }, async () => {
    await send({ id: 'calm-1', user: 'cara', severity: 9.6 });
    await eventually('the card is there', () => cardsOf('cara', critical).length === 1);
    const [card] = cardsOf('cara', critical);
    await scene.slack.click(rosa, critical, card?.ts ?? '', 'acknowledge');
    await eventually('it shows', () => wordsOf(cardsOf('cara', critical)[0]).includes('Acknowledged by'));
    const before = pagesOf(caseIn(card)).length;

    // Whoever is due first is called first: when this one is called, the other's time is over.
    await send({ id: 'calm-2', user: 'fenella', severity: 9.6 });
    await eventually('the card is there', () => cardsOf('fenella', critical).length === 1);
    await eventually('its pager is called', () => pagesOf(caseIn(cardsOf('fenella', critical)[0])).length > 0, 60_000);

    expect(pagesOf(caseIn(card))).toHaveLength(before);
  });

  it('calls the pager at once while Slack is away', { timeout: 120_000 }, async () => {
    pages.length = 0;
    const back = scene.slack.fail({ method: '*', how: 'close', times: 10_000 });
    const began = Date.now();
    await send({ id: 'away-1', user: 'wilma', severity: 9.6 });

    await eventually('the pager was called', () => pages.length > 0, 30_000);

    expect(Date.now() - began).toBeLessThan(5_000);
    await eventually('readyz says that Slack is away and what waits', async () => {
      const ready = (await (await fetch(`${scene.firebreak.url}/readyz`)).json()) as {
        parts: { slack: { ok: boolean; waiting: number } };
      };
      return !ready.parts.slack.ok && ready.parts.slack.waiting === 1;
    });
    const metrics = await (await fetch(`${scene.firebreak.url}/metrics`)).text();
    expect(metrics).toContain('firebreak_slack_up 0');
    expect(metrics).toContain('firebreak_waiting_for_slack{what="criticals"} 1');
    back();
    await eventually('the card comes when Slack is back', () => cardsOf('wilma', critical).length === 1);
    await idle(scene);
    expect(pages).toHaveLength(1);
  });
});
