/** Who is woken when Slack does not do it: the exact wire shape of every pager, repeats with one key, and the weekly report. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configFor } from '../../demo/setting.ts';
import { demoIds, type Message } from '../../demo/slack/workspace.ts';
import { sql } from '../support/doors.ts';
import { eventually, idle } from '../support/killing.ts';
import { hasButton, openScene, type Scene, wordsOf } from '../support/scene.ts';

const { alerts, critical, rosa, omar } = demoIds;
const longMs = 120_000;
const topicArn = 'arn:aws:sns:eu-west-1:888877776666:on-call.fifo';
const keys = { PD_KEY: 'R0UTINGKEY', GENIE_KEY: 'genie-key', HOOK_KEY: 'hook-key', BAD_KEY: 'revoked' };

interface Request {
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Readonly<Record<string, unknown>>;
}
type Answer = (response: ServerResponse, request: Request) => void;

const requests: Request[] = [];
const taken: Answer = (response) =>
  response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"success"}');
/** What the next requests to a path meet; then they are taken. */
const plans = new Map<string, Answer[]>();
const receiver = createServer((incoming, response) => {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Request['body'];
    const request = { path: incoming.url ?? '', method: incoming.method ?? '', headers: incoming.headers, body };
    requests.push(request);
    (plans.get(request.path)?.shift() ?? taken)(response, request);
  });
});
const hangUp: Answer = (response) => response.socket?.destroy();
const answer =
  (status: number): Answer =>
  (response) =>
    response.writeHead(status).end('{}');

let scene: Scene;
/** Of every start. */
let settings: Parameters<Scene['start']>[0];
let origin = '';
const to = (path: string) => requests.filter((request) => request.path === path);

async function sendCritical(id: string, user: string): Promise<void> {
  const base = scene.findings.accessKey as unknown as { detail: Record<string, unknown> };
  const resource = structuredClone(base.detail.resource) as { accessKeyDetails: Record<string, unknown> };
  resource.accessKeyDetails = { ...resource.accessKeyDetails, userName: user, accessKeyId: undefined };
  const detail = { ...base.detail, id, arn: undefined, severity: 9.6, resource };
  expect((await scene.send({ ...base, id, detail })).status).toBe(202);
}
const cardOf = (user: string): Message | undefined =>
  scene.slack.messages(critical).find((one) => wordsOf(one).includes(user) && hasButton(one, 'acknowledge'));
async function caseOf(user: string): Promise<string> {
  await eventually('the card is there', () => cardOf(user) !== undefined);
  return /IR-\d+/.exec(wordsOf(cardOf(user)))?.[0] ?? 'none';
}
const outcomes = (caseId: string) =>
  sql<{ level: number; outcome: string | null }>(
    scene,
    `select level, outcome from escalations where case_id = '${caseId}' and settled_at is not null order by level`,
  );

beforeAll(async () => {
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  origin = `http://127.0.0.1:${(receiver.address() as { port: number }).port}`;
  scene = await openScene({ aws: { story: 'empty' }, start: false });
  const hub = scene.aws.state.accounts.get(scene.aws.accounts.hub.id);
  const keyId = scene.aws.credentials.hub.accessKeyId;
  const user = [...(hub?.users.values() ?? [])].find((one) => one.keys.some(({ id }) => id === keyId));
  const allow = { Effect: 'Allow' as const, Action: ['sns:Publish'], Resource: topicArn };
  user?.inlinePolicies.push({ name: 'page', document: { Version: '2012-10-17', Statement: [allow] } });
  const now = new Date();
  const weekday = now.toLocaleDateString('en', { weekday: 'long', timeZone: 'UTC' }).toLowerCase();
  settings = {
    config: {
      ...configFor(scene.aws),
      noise: { report: { weekday, hour: now.getUTCHours(), enabled: true } },
      escalation: {
        levels: [
          { afterMinutes: 0.02, users: [omar] },
          { afterMinutes: 0.03, users: [rosa], pagers: ['bad'] },
          { afterMinutes: 0.05, pagers: ['duty', 'genie', 'hook', 'topic'] },
        ],
        pagers: [
          { name: 'duty', kind: 'pagerduty', keyEnv: 'PD_KEY', url: origin },
          { name: 'genie', kind: 'opsgenie', keyEnv: 'GENIE_KEY', url: origin },
          { name: 'hook', kind: 'webhook', keyEnv: 'HOOK_KEY', url: `${origin}/hook?team=ir` },
          { name: 'bad', kind: 'webhook', keyEnv: 'BAD_KEY', url: `${origin}/bad` },
          { name: 'topic', kind: 'sns', topicArn },
        ],
      },
    },
    env: keys,
  };
  await scene.start(settings);
}, longMs);
afterAll(async () => {
  await scene?.close();
  receiver.close();
});

describe('a critical that nobody acknowledges', () => {
  let caseId: string;

  it('calls person, next level and every pager, each in the shape that it asks for', { timeout: longMs }, async () => {
    plans.set('/bad', [answer(401)]);
    await sendCritical('shape-1', 'shelly');
    caseId = await caseOf('shelly');
    const account = scene.aws.accounts.workshop.id;
    await eventually('all levels are settled', async () => (await outcomes(caseId)).length === 3, 60_000);

    const key = `firebreak-${caseId}-0`;
    const summary = String((to('/v2/enqueue')[0]?.body.payload as { summary?: unknown } | undefined)?.summary);
    expect(summary).toMatch(new RegExp(`^${caseId} Critical 9\\.6 in workshop-prod \\(${account}\\), us-east-1: `));
    const details = {
      case: caseId,
      type: 'UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom',
      account,
      region: 'us-east-1',
      because: 'Nobody has acknowledged it in Slack.',
    };
    expect(to('/v2/enqueue').map(({ method, body }) => [method, body])).toEqual([
      [
        'POST',
        {
          routing_key: keys.PD_KEY,
          event_action: 'trigger',
          dedup_key: key,
          payload: { summary, severity: 'critical', source: account, custom_details: details },
        },
      ],
    ]);
    expect(to('/v2/enqueue')[0]?.headers).toMatchObject({ 'content-type': 'application/json' });
    expect(to('/v2/alerts').map(({ headers, body }) => [headers.authorization, body])).toEqual([
      [
        `GenieKey ${keys.GENIE_KEY}`,
        {
          alias: key,
          message: summary.slice(0, 130),
          description: summary,
          priority: 'P1',
          source: 'firebreak',
          details,
        },
      ],
    ]);
    const page = { key, summary, severity: 'critical', source: account, details };
    expect(
      to('/hook?team=ir').map(({ headers, body }) => [headers.authorization, headers['idempotency-key'], body]),
    ).toEqual([[`Bearer ${keys.HOOK_KEY}`, key, page]]);
    const published = scene.aws.state.intake.published.map((one) => ({
      ...one,
      id: '',
      message: JSON.parse(one.message) as unknown,
    }));
    expect(published).toEqual([
      { id: '', topicArn, message: page, subject: summary.slice(0, 100), group: 'firebreak', deduplicationId: key },
    ]);
    for (const person of [omar, rosa]) {
      const calls = scene.slack.calls.filter(
        (call) => call.method === 'chat.postMessage' && call.args.channel === person,
      );
      expect(calls.filter((call) => JSON.stringify(call.args).includes(caseId))).toHaveLength(1);
    }
  });

  it('says which pager refused, does not try that one again, and goes on to the next level', async () => {
    expect(to('/bad')).toHaveLength(1);
    const told = await outcomes(caseId);
    expect(told[0]?.outcome).toBe(`called ${omar}`);
    expect(told[1]?.outcome).toContain('The pager "bad" answered 401');
    expect(told[2]?.outcome).toBe('called pager duty, pager genie, pager hook, pager topic');
    const written = await sql<{ n: string }>(
      scene,
      `select count(*) as n from audit where case_id = '${caseId}' and event = 'escalated'`,
    );
    expect(Number(written[0]?.n)).toBe(3);
    for (const secret of Object.values(keys)) expect(scene.firebreak.log()).not.toContain(secret);
  });
});

describe('a pager that is in trouble', () => {
  it('is asked again with the same key after 429, 503 and a cut-off answer, and the others are not', {
    timeout: longMs,
  }, async () => {
    plans.set('/v2/enqueue', [hangUp, answer(503), answer(429)]);
    await sendCritical('trouble-1', 'tracy');
    const caseId = await caseOf('tracy');
    await eventually('all levels are settled', async () => (await outcomes(caseId)).length === 3, 90_000);

    const mine = to('/v2/enqueue').filter(({ body }) => body.dedup_key === `firebreak-${caseId}-0`);
    expect(mine).toHaveLength(4);
    expect(to('/v2/alerts').filter(({ body }) => body.alias === `firebreak-${caseId}-0`)).toHaveLength(1);
    expect(to('/hook?team=ir').filter(({ body }) => body.key === `firebreak-${caseId}-0`)).toHaveLength(1);
    const sent = scene.aws.state.intake.published.filter(
      ({ deduplicationId }) => deduplicationId === `firebreak-${caseId}-0`,
    );
    expect(sent).toHaveLength(1);
  });

  it('may hear of a page again when Firebreak is killed meanwhile, always with the same key', {
    timeout: longMs,
  }, async () => {
    let killed: Promise<void> | undefined;
    plans.set('/v2/enqueue', [
      (response, request) => {
        killed = scene.firebreak.kill();
        taken(response, request);
      },
    ]);
    await sendCritical('killed-1', 'kelly');
    const caseId = await caseOf('kelly');
    await eventually('it is killed while it calls', () => killed !== undefined);
    await killed;
    await scene.start(settings);
    await eventually('all levels are settled', async () => (await outcomes(caseId)).length === 3, 60_000);

    const pages = to('/v2/enqueue').filter(({ body }) => JSON.stringify(body).includes(caseId));
    expect(pages.length).toBeLessThanOrEqual(2);
    expect(new Set(pages.map(({ body }) => body.dedup_key)).size).toBe(1);
    expect(to('/v2/alerts').filter(({ body }) => body.alias === `firebreak-${caseId}-0`)).toHaveLength(1);
    const calls = scene.slack.calls.filter(
      (call) =>
        call.method === 'chat.postMessage' && call.args.channel === omar && JSON.stringify(call.args).includes(caseId),
    );
    expect(calls).toHaveLength(1);
  });
});

describe('while Slack is away', () => {
  it('calls every pager at once, once, and the people when it is back', { timeout: longMs }, async () => {
    requests.length = 0;
    const back = scene.slack.fail({ method: '*', how: 'close', times: 10_000 });
    const began = Date.now();
    await sendCritical('away-1', 'abby');
    const paged = () => ['/v2/enqueue', '/v2/alerts', '/hook?team=ir'].every((path) => to(path).length > 0);
    await eventually('all pagers were called', paged, 30_000);
    expect(Date.now() - began).toBeLessThan(5_000);

    back();
    const caseId = await caseOf('abby');
    await eventually('all levels are settled', async () => (await outcomes(caseId)).length === 3, 90_000);
    await idle(scene);
    for (const path of ['/v2/enqueue', '/v2/alerts', '/hook?team=ir'])
      expect([path, to(path).length]).toEqual([path, 1]);
    const calls = scene.slack.calls.filter(
      (call) => call.method === 'chat.postMessage' && call.status === 200 && call.args.channel === omar,
    );
    expect(calls.filter((call) => JSON.stringify(call.args).includes(caseId))).toHaveLength(1);
  });
});

describe('the weekly report of what made the noise', () => {
  const reports = () =>
    scene.slack.messages(alerts).filter((message) => message.text.startsWith('What made the noise'));

  it('comes once when it is due, counts what came in that week, and not again after a restart', {
    timeout: longMs,
  }, async () => {
    // All that came lies after the hour at which it is due: nothing to tell yet.
    expect(reports()).toEqual([]);
    await scene.slack.click(rosa, critical, cardOf('shelly')?.ts ?? '', 'false-positive');
    await eventually('it is marked', () => wordsOf(cardOf('shelly')).includes('Marked as a false positive'));
    const [{ count } = { count: '0' }] = await sql<{ count: string }>(scene, 'select count(*) from case_entries');

    await sql(scene, `update case_entries set at = at - interval '70 minutes'`);
    await eventually('it is there', () => reports().length > 0, 60_000);

    const words = wordsOf(reports()[0]);
    expect(words).toContain(
      `${count} alerts in ${count} cases: ${count} cards, 0 lines of digests, 0 snoozed, 1 false positive.`,
    );
    expect(words).toContain('UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom');
    expect(words).toContain('workshop-prod');
    await scene.firebreak.stop();
    await scene.start(settings);
    await eventually('the sweep has run', () => scene.firebreak.log().includes('firebreak is ready'));
    await idle(scene);
    expect(reports()).toHaveLength(1);
  });
});
