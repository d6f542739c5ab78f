/** The HTTP doors beside Slack's: findings in, health and metrics out (DESIGN.md 5, HTTP). */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Alert } from '../contracts/alert.ts';
import { asError, UpstreamError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import type { AlertMapping } from '../domain/alert-mapping.ts';
import { type AlertEventOptions, parseAlertEvent } from './alert-event.ts';
import type { Json } from './clean-json.ts';
import { type RateLimit, rateGate, tokenCheck } from './guard.ts';

export interface ReadyPart {
  readonly ok: boolean;
  readonly because?: string;
  /** Findings can be stored without it where false: Slack, for example. */
  readonly required: boolean;
  /** What is stored here and not there yet. */
  readonly waiting?: number;
}

export interface WebhooksDeps {
  /** WEBHOOK_TOKEN, two of them while rotating. None: every webhook answers 401. */
  readonly tokens: readonly string[];
  readonly metricsToken?: string | undefined;
  /** The config's `mappings`: how alerts of other tools are read. */
  readonly mappings?: readonly AlertMapping[] | undefined;
  /** Durable when it resolves; throws when the alert could not be stored. */
  receive(input: { deliveryKey: string; alert: Alert; raw: Json }): Promise<{ repeat: boolean }>;
  ready(): Promise<{ ok: boolean; parts: Readonly<Record<string, ReadyPart>> }>;
  metrics(): Promise<{ contentType: string; body: string }>;
  readonly log: Log;
  now(): Date;
  readonly rateLimit?: RateLimit;
  /** EventBridge gives up after 5 s; an answer of 503 before that makes it come again soon. */
  readonly storeWithinMs?: number;
}

const bodyLimit = 1024 * 1024;
const lateAfterMs = 24 * 60 * 60 * 1000;
const clockSkewMs = 5 * 60 * 1000;
const defaultRetrySeconds = 10;

function refuse(reply: FastifyReply, status: number, error: string): FastifyReply {
  return reply.code(status).send({ error });
}

/** JSON from bytes; undefined where they are not UTF-8 or not JSON. */
function parseJson(bytes: Buffer): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch (thrown) {
    // TypeError: not UTF-8. SyntaxError: not JSON. RangeError: nested beyond what the engine can take.
    if (thrown instanceof TypeError || thrown instanceof SyntaxError || thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}

/** Forgeries and long outages show in the finding's age; it is stored all the same. */
function withAgeNote(alert: Alert, now: Date): Alert {
  const ageMs = now.getTime() - Date.parse(alert.updatedAt);
  if (ageMs > lateAfterMs)
    return { ...alert, notes: [...alert.notes, 'it came in more than 24 hours after its last update'] };
  if (ageMs < -clockSkewMs) return { ...alert, notes: [...alert.notes, 'it is dated in the future'] };
  return alert;
}

async function within<Value>(ms: number, work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new UpstreamError('store', 'timeout', `not stored within ${ms} ms`, { retryable: true }));
    }, ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A door for JSON bodies. `webhook` names it in the log; `options` say what it takes. */
function alertHandler(webhook: string, options: AlertEventOptions, deps: WebhooksDeps) {
  const { log } = deps;
  return async function handle(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const bytes = request.body;
    if (!Buffer.isBuffer(bytes) || bytes.length === 0) return refuse(reply, 400, 'the body is empty');
    const json = parseJson(bytes);
    if (json === undefined) return refuse(reply, 400, 'the body is not JSON in UTF-8');
    const parsed = parseAlertEvent(json.value, { ...options, mappings: deps.mappings, at: deps.now().toISOString() });
    if (!parsed.ok) {
      log.info({ webhook, status: parsed.status, reason: parsed.reason }, 'event not taken');
      if (parsed.status === 'malformed') return refuse(reply, 400, parsed.reason);
      return reply.code(200).send({ status: 'ignored', reason: parsed.reason });
    }
    let repeat = true;
    try {
      for (const { alert, deliveryKey, raw = parsed.raw } of parsed.alerts) {
        const storing = deps.receive({ deliveryKey, alert: withAgeNote(alert, deps.now()), raw });
        const stored = await within(deps.storeWithinMs ?? 4_500, storing);
        repeat &&= stored.repeat;
        log.info({ webhook, dedupeKey: alert.dedupeKey, repeat: stored.repeat }, 'finding stored');
      }
    } catch (thrown) {
      // Whatever went wrong: the finding is not known to be stored, and only a 5xx makes EventBridge send it again.
      const waitMs = thrown instanceof UpstreamError ? thrown.retryAfterMs : undefined;
      log.error({ webhook, err: asError(thrown) }, 'finding could not be stored');
      reply.header(
        'retry-after',
        String(waitMs === undefined ? defaultRetrySeconds : Math.max(1, Math.ceil(waitMs / 1000))),
      );
      return refuse(reply, 503, 'it could not be stored: send it again');
    }
    return reply.code(202).send({ status: 'stored', repeat });
  };
}

/** Answers for what goes wrong before or inside a handler: fixed words, no stack, nothing of the request. */
function errorHandler(log: Log) {
  return function answer(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { code, statusCode = 500 } = error;
    if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return refuse(reply, 413, `the body is larger than ${bodyLimit} bytes`);
    if (statusCode >= 400 && statusCode < 500) return refuse(reply, statusCode, 'the request cannot be read');
    log.error({ err: error, method: request.method }, 'request failed');
    return refuse(reply, 500, 'internal error');
  };
}

function addAlertDoors(scope: FastifyInstance, deps: WebhooksDeps): void {
  const mayPost = tokenCheck(deps.tokens, { apiKey: true });
  const waitFor = rateGate(deps.rateLimit ?? { perSecond: 500, burst: 1_000 }, deps.now);
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, done) => done(null, body));
  // Before the body is read: a stranger's megabyte is not worth a buffer.
  scope.addHook('onRequest', async (request, reply) => {
    if (!mayPost(request.headers)) {
      return refuse(reply.header('www-authenticate', 'Bearer'), 401, 'a valid token is needed');
    }
    const seconds = waitFor();
    if (seconds > 0) return refuse(reply.header('retry-after', String(seconds)), 429, 'too many requests');
    // EventBridge connections let the operator set any header, so the content type says nothing. Fastify refuses odd ones.
    request.headers['content-type'] = 'application/json';
    const encoding = request.headers['content-encoding'] ?? 'identity';
    if (encoding.toLowerCase() !== 'identity') return refuse(reply, 415, 'send the body without content-encoding');
    return undefined;
  });
  scope.post('/webhooks/eventbridge', { bodyLimit }, alertHandler('eventbridge', { accept: 'eventbridge' }, deps));
  scope.post('/webhooks/alert', { bodyLimit }, alertHandler('alert', { accept: 'anything' }, deps));
}

function addHealth(scope: FastifyInstance, deps: WebhooksDeps): void {
  scope.get('/healthz', async () => ({ status: 'ok' }));
  scope.get('/readyz', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    try {
      const { ok, parts } = await deps.ready();
      return reply.code(ok ? 200 : 503).send({ status: ok ? 'ready' : 'not ready', parts });
    } catch (thrown) {
      deps.log.error({ err: asError(thrown) }, 'readiness could not be told');
      return reply.code(503).send({ status: 'not ready', parts: {} });
    }
  });
  const { metricsToken } = deps;
  const mayRead = metricsToken ? tokenCheck([metricsToken], { apiKey: false }) : () => true;
  scope.get('/metrics', async (request, reply) => {
    if (!mayRead(request.headers)) {
      return refuse(reply.header('www-authenticate', 'Bearer'), 401, 'a valid token is needed');
    }
    const { contentType, body } = await deps.metrics();
    return reply.header('cache-control', 'no-store').type(contentType).send(body);
  });
}

function addMethodAnswers(scope: FastifyInstance): void {
  const routes = [
    ...['/webhooks/eventbridge', '/webhooks/alert'].map((url) => ({
      url,
      allow: 'POST',
      method: ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    })),
    ...['/healthz', '/readyz', '/metrics'].map((url) => ({
      url,
      allow: 'GET, HEAD',
      method: ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    })),
  ];
  for (const { url, allow, method } of routes) {
    scope.route({
      url,
      method,
      // Answered before the body is read.
      onRequest: async (_request, reply) => refuse(reply.header('allow', allow), 405, `use ${allow}`),
      handler: async () => undefined,
    });
  }
}

/**
 * Adds `POST /webhooks/eventbridge` and `/webhooks/alert`, `GET /healthz`, `/readyz` and `/metrics` to a Fastify server. Call it directly or
 * with `app.register(registerWebhooks, deps)`. Parsers, hooks and error answers stay inside; other routes are not touched.
 */
export async function registerWebhooks(app: FastifyInstance, deps: WebhooksDeps): Promise<void> {
  await app.register((health, _options, done) => {
    health.setErrorHandler(errorHandler(deps.log));
    addHealth(health, deps);
    addMethodAnswers(health);
    health.register((webhooks, _inner, ready) => {
      addAlertDoors(webhooks, deps);
      ready();
    });
    done();
  });
}
