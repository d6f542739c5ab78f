import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import type { Alert } from '../../../src/contracts/alert.ts';
import { UpstreamError } from '../../../src/contracts/errors.ts';
import { registerWebhooks, type WebhooksDeps } from '../../../src/webhooks/server.ts';
import { finding } from './findings.ts';

const url = '/webhooks/eventbridge';
const token = 'a-long-random-token-0123456789';
const auth = { authorization: `Bearer ${token}` };
const open: FastifyInstance[] = [];

afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});

async function doors(changes: Partial<WebhooksDeps> = {}) {
  const received: { deliveryKey: string; alert: Alert; raw: unknown }[] = [];
  const logged: unknown[] = [];
  const log = (fields: unknown, message: string) => void logged.push({ fields, message });
  const app = Fastify();
  open.push(app);
  await registerWebhooks(app, {
    tokens: [token],
    receive: async (input) => {
      const repeat = received.some((one) => one.deliveryKey === input.deliveryKey);
      received.push(input);
      return { repeat };
    },
    ready: async () => ({ ok: true, parts: { database: { ok: true, required: true } } }),
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'up 1\n' }),
    log: { debug: log, info: log, warn: log, error: log },
    now: () => new Date('2026-11-20T21:05:00Z'),
    ...changes,
  });
  const post = (payload: unknown, headers: Record<string, string> = auth) =>
    app.inject({ method: 'POST', url, headers, payload: payload as string });
  return { app, post, received, logged };
}

describe('POST /webhooks/eventbridge', () => {
  it('answers 202 once the finding is stored, and for a repeat too', async () => {
    const { post, received } = await doors();

    const first = await post(finding());
    const again = await post(finding());

    expect([first.statusCode, again.statusCode]).toEqual([202, 202]);
    expect(first.json()).toEqual({ status: 'stored', repeat: false });
    expect(again.json()).toEqual({ status: 'stored', repeat: true });
    expect(received[0]?.alert.actor.accessKeyId).toBe('AKIAIOSFODNN7EXAMPLE');
  });

  it('does not answer before the finding is durable', async () => {
    let store = (): void => undefined;
    const stored = new Promise<void>((resolve) => {
      store = resolve;
    });
    const { post } = await doors({ receive: () => stored.then(() => ({ repeat: false })) });
    const order: string[] = [];

    const answer = post(finding()).then((response) => {
      order.push('answered');
      return response;
    });
    setImmediate(() => {
      order.push('stored');
      store();
    });

    expect((await answer).statusCode).toBe(202);
    expect(order).toEqual(['stored', 'answered']);
  });

  it('takes the token as x-api-key, and both tokens while they rotate', async () => {
    const { post } = await doors({ tokens: ['old-token', token] });
    expect((await post(finding(), { 'x-api-key': token })).statusCode).toBe(202);
    expect((await post(finding(), { authorization: 'bearer old-token' })).statusCode).toBe(202);
  });

  it.each([
    ['no token', {}],
    ['a wrong token', { authorization: 'Bearer wrong' }],
    ['an empty token', { authorization: 'Bearer ', 'x-api-key': '' }],
    ['the token in another scheme', { authorization: `Basic ${token}` }],
  ])('answers 401 for %s, before it looks at the body', async (_what, headers) => {
    const { post, received } = await doors();
    const response = await post('x'.repeat(2_000_000), headers as Record<string, string>);
    expect(response.statusCode).toBe(401);
    expect(response.json()).toEqual({ error: 'a valid token is needed' });
    expect(received).toEqual([]);
  });

  it('answers 401 to everybody where no token is configured', async () => {
    const { post } = await doors({ tokens: [] });
    expect((await post(finding())).statusCode).toBe(401);
    expect((await post(finding(), { 'x-api-key': '' })).statusCode).toBe(401);
  });

  it.each([
    ['empty', '', 'the body is empty'],
    ['not JSON', '{"a":', 'the body is not JSON in UTF-8'],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]), 'the body is not JSON in UTF-8'],
    ['a million brackets deep', '['.repeat(500_000) + ']'.repeat(500_000), 'the body is nested deeper than 64'],
    ['no event', '{"hello":1}', 'not an EventBridge event: `source` is missing'],
    [
      'a finding without detail',
      JSON.stringify({ ...finding(), detail: undefined }),
      '`detail` is missing or not an object',
    ],
  ])('answers 400 and says what is wrong when the body is %s', async (_what, payload, error) => {
    const { post } = await doors();
    const response = await post(payload);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toEqual({ error });
  });

  it('answers 200 for an event that is not for it, so that EventBridge does not send it again', async () => {
    const { post, received } = await doors();
    const response = await post({ ...finding(), source: 'aws.ec2' });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({ status: 'ignored' });
    expect(received).toEqual([]);
  });

  it('answers 413 for more than a megabyte', async () => {
    const { post } = await doors();
    const response = await post(JSON.stringify(finding({ title: 'x'.repeat(1024 * 1024) })));
    expect(response.statusCode).toBe(413);
  });

  it.each([['text/plain'], ['application/x-amz-json-1.1'], ['application/json; charset=utf-8'], ['nonsense']])(
    'takes JSON whatever its content type says: %s',
    async (type) => {
      const { post } = await doors();
      const response = await post(JSON.stringify(finding()), { ...auth, 'content-type': type });
      expect(response.statusCode).toBe(202);
    },
  );

  it('answers 429 with Retry-After above its rate, and takes more when time has passed', async () => {
    let now = Date.parse('2026-11-20T21:05:00Z');
    const { post } = await doors({ rateLimit: { perSecond: 1, burst: 2 }, now: () => new Date(now) });

    const statuses = [await post(finding()), await post(finding()), await post(finding())].map(
      (response) => response.statusCode,
    );
    const refused = await post(finding());
    now += 1_000;
    const later = await post(finding());

    expect(statuses).toEqual([202, 202, 429]);
    expect(refused.headers['retry-after']).toBe('1');
    expect(later.statusCode).toBe(202);
  });

  it('answers 503 with Retry-After when it cannot store, whatever the reason', async () => {
    const busy = new UpstreamError('database', 'down', 'secret detail', { retryable: true, retryAfterMs: 2_500 });
    const { post: first } = await doors({ receive: () => Promise.reject(busy) });
    const { post: second, logged } = await doors({ receive: () => Promise.reject(new Error('a bug')) });

    const known = await first(finding());
    const unknown = await second(finding());

    expect([known.statusCode, known.headers['retry-after']]).toEqual([503, '3']);
    expect([unknown.statusCode, unknown.headers['retry-after']]).toEqual([503, '10']);
    expect(known.body + unknown.body).not.toMatch(/secret|bug|at /);
    expect(logged).toContainEqual(expect.objectContaining({ message: 'finding could not be stored' }));
  });

  it('answers 503 when storing hangs, before EventBridge gives up', async () => {
    const { post } = await doors({ receive: () => new Promise(() => undefined), storeWithinMs: 20 });
    expect((await post(finding())).statusCode).toBe(503);
  });

  it('notes a finding that comes late or from the future, and stores it all the same', async () => {
    const { post, received } = await doors();
    await post(finding({ updatedAt: '2026-11-01T00:00:00Z' }));
    await post(finding({ updatedAt: '2027-11-01T00:00:00Z' }));
    expect(received.map(({ alert }) => alert.notes)).toEqual([
      ['it came in more than 24 hours after its last update'],
      ['it is dated in the future'],
    ]);
  });

  it('repeats nothing of a body in an answer', async () => {
    const { post } = await doors();
    const mark = 'MARK-8471';
    const bodies = [
      `{"${mark}":`,
      `{"source":"${mark}","detail-type":"${mark}"}`,
      JSON.stringify(finding({ id: undefined, type: mark })),
    ];
    for (const body of bodies) expect((await post(body)).body).not.toContain(mark);
  });

  it('answers 405 to other methods and 415 to a compressed body', async () => {
    const { app, post } = await doors();
    const got = await app.inject({ method: 'GET', url, headers: auth });
    expect([got.statusCode, got.headers.allow]).toEqual([405, 'POST']);
    expect((await app.inject({ method: 'DELETE', url: '/healthz' })).statusCode).toBe(405);
    expect((await post('x', { ...auth, 'content-encoding': 'gzip' })).statusCode).toBe(415);
    expect((await app.inject({ method: 'GET', url: '/nowhere' })).statusCode).toBe(404);
  });
});

describe('health and metrics', () => {
  it('/healthz answers 200 while the process lives', async () => {
    const { app } = await doors({ ready: () => Promise.reject(new Error('down')) });
    expect((await app.inject({ url: '/healthz' })).statusCode).toBe(200);
    expect((await app.inject({ method: 'HEAD', url: '/healthz' })).statusCode).toBe(200);
  });

  it('/readyz shows every part, and only the required ones decide', async () => {
    const parts = {
      database: { ok: true, required: true },
      slack: { ok: false, because: 'invalid_auth', required: false },
    };
    const { app } = await doors({ ready: async () => ({ ok: true, parts }) });
    const ready = await app.inject({ url: '/readyz' });
    expect(ready.statusCode).toBe(200);
    expect(ready.json()).toEqual({ status: 'ready', parts });

    const { app: broken } = await doors({ ready: async () => ({ ok: false, parts }) });
    expect((await broken.inject({ url: '/readyz' })).statusCode).toBe(503);
    const { app: worse } = await doors({ ready: () => Promise.reject(new Error('down')) });
    expect((await worse.inject({ url: '/readyz' })).statusCode).toBe(503);
  });

  it('/metrics asks for its token where one is set, and not for the token of the webhooks', async () => {
    const { app: free } = await doors();
    const { app } = await doors({ metricsToken: 'scrape' });

    expect((await free.inject({ url: '/metrics' })).body).toBe('up 1\n');
    expect((await app.inject({ url: '/metrics' })).statusCode).toBe(401);
    expect((await app.inject({ url: '/metrics', headers: auth })).statusCode).toBe(401);
    expect((await app.inject({ url: '/metrics', headers: { authorization: 'Bearer scrape' } })).statusCode).toBe(200);
  });

  it('shows no stack when something breaks', async () => {
    const { app } = await doors({ metrics: () => Promise.reject(new Error('very secret')) });
    const response = await app.inject({ url: '/metrics' });
    expect(response.statusCode).toBe(500);
    expect(response.json()).toEqual({ error: 'internal error' });
  });
});

describe('over a real connection', () => {
  it('takes findings, many at once, and refuses a stranger who sends a large body', async () => {
    const { app, received } = await doors();
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const address = `http://127.0.0.1:${port}${url}`;

    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        fetch(address, { method: 'POST', headers: auth, body: JSON.stringify(finding({ id: `finding-${index}` })) }),
      ),
    );
    const stranger = request(address, { method: 'POST', headers: { 'content-length': '5000000' } });
    stranger.on('error', () => stranger.destroy());
    stranger.write('x');
    const [response] = await once(stranger, 'response');
    stranger.destroy();

    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(202));
    expect(new Set(received.map(({ alert }) => alert.dedupeKey)).size).toBe(50);
    expect(response.statusCode).toBe(401);
  });

  it('leaves the routes of others alone', async () => {
    const { app } = await doors();
    app.post('/slack/events', async (incoming) => ({ got: incoming.body }));
    const response = await app.inject({ method: 'POST', url: '/slack/events', payload: { a: 1 } });
    expect(response.json()).toEqual({ got: { a: 1 } });
  });
});
