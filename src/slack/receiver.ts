/** Bolt's receiver for HTTP mode: POST /slack/events on the shared server, with checks that Bolt's own lacks. */
import type { App, Receiver } from '@slack/bolt';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { asError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import { asObject, asText } from './people.ts';
import { isWellFormed } from './requests.ts';
import { deliveryKey, signatureProblem } from './signature.ts';

interface HttpReceiverOptions {
  readonly fastify: FastifyInstance;
  /** Several while rotating. */
  readonly signingSecrets: readonly string[];
  readonly now: () => Date;
  readonly log: Log;
}

/** Bolt's receiver, and how many requests were refused for their signature. */
interface HttpReceiver extends Receiver {
  readonly refused: () => number;
}

const bodyLimit = 1024 * 1024;
/** Slack waits 3 s. The app answers before; this is the net under it. */
const answerWithinMs = 2_950;
const refusalLogEveryMs = 10_000;

interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

type Json = Readonly<Record<string, unknown>>;

/** Parses a body by its content type; undefined where it is none of Slack's forms. */
function parse(raw: string, contentType: string): Json | undefined {
  try {
    if (contentType.startsWith('application/json')) return object(JSON.parse(raw));
    const form = new URLSearchParams(raw);
    const payload = form.get('payload');
    return payload === null ? Object.fromEntries(form) : object(JSON.parse(payload));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function object(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

/** Slack tests the certificate with a request that is not signed; it asks for nothing. */
function isCertificateCheck(raw: Buffer): boolean {
  if (raw.length > 2_000) return false;
  const form = new URLSearchParams(raw.toString());
  return form.get('ssl_check') === '1' && !form.has('payload') && !form.has('command');
}

/** Makes the receiver. `init` registers the route, so it must run before the server listens. */
export function httpReceiver({ fastify, signingSecrets, now, log }: HttpReceiverOptions): HttpReceiver {
  const running = new Set<Promise<void>>();
  let app: App | undefined;
  let stopped = false;
  let refused = 0;
  let loggedAt = Number.NEGATIVE_INFINITY;

  function refuse(problem: string, address: string): Answer {
    refused += 1;
    const at = now().getTime();
    // Anybody can send bad signatures; they must not fill the disk.
    if (Math.abs(at - loggedAt) >= refusalLogEveryMs) {
      loggedAt = at;
      log.warn({ problem, address, refused }, 'a request was not signed by Slack');
    }
    return { status: 401, body: { error: 'the signature is missing or wrong' } };
  }

  /** Hands the body to Bolt; the first ack is the answer, whatever Bolt does after it. */
  async function dispatch(body: Json, key: string, headers: FastifyRequest['headers']): Promise<Answer> {
    const bolt = app;
    if (bolt === undefined || stopped) return { status: 503, body: { error: 'shutting down' } };
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const timer = setTimeout(() => resolve({ status: 503, body: { error: 'no answer in time' } }), answerWithinMs);
    const retryNum = Number(headers['x-slack-retry-num']);
    const retryReason = asText(headers['x-slack-retry-reason']);
    const processing = bolt
      .processEvent({
        body,
        ack: async (response: unknown) => resolve({ status: 200, body: response }),
        customProperties: { deliveryKey: key },
        ...(Number.isSafeInteger(retryNum) ? { retryNum } : {}),
        ...(retryReason === undefined ? {} : { retryReason }),
      })
      .then(
        // Nobody acknowledged it: the person sees that it did not work.
        () => resolve({ status: 503, body: { error: 'not stored' } }),
        (error: unknown) => {
          log.error({ error: asError(error) }, 'a Slack request could not be handled');
          resolve({ status: 500, body: { error: 'could not be handled' } });
        },
      );
    running.add(processing);
    processing.finally(() => running.delete(processing));
    const answer = await promise;
    clearTimeout(timer);
    return answer;
  }

  async function answer(request: FastifyRequest): Promise<Answer> {
    const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const signature = request.headers['x-slack-signature'];
    const timestamp = request.headers['x-slack-request-timestamp'];
    if (signature === undefined && isCertificateCheck(raw)) return { status: 200 };
    const problem = signatureProblem({ signature, timestamp, body: raw }, signingSecrets, now());
    if (problem !== undefined) return refuse(problem, request.ip);
    const body = parse(raw.toString(), request.headers['content-type'] ?? '');
    if (body === undefined) return { status: 400, body: { error: 'the body is not what Slack sends' } };
    if (body.type === 'url_verification') return { status: 200, body: { challenge: String(body.challenge) } };
    if (body.ssl_check === '1' && !('command' in body)) return { status: 200 };
    if (!isWellFormed(body)) return { status: 400, body: { error: 'the body is not a request that Slack makes' } };
    const eventId = 'event' in body ? asText(body.event_id) : undefined;
    const key = eventId === undefined ? deliveryKey('signature', String(signature)) : deliveryKey('event', eventId);
    return dispatch(body, key, request.headers);
  }

  function send(reply: FastifyReply, { status, body }: Answer): FastifyReply {
    reply.code(status).header('cache-control', 'no-store');
    if (body === undefined || body === '' || body === null) return reply.send();
    return typeof body === 'string' ? reply.type('text/plain').send(body) : reply.send(body);
  }

  return {
    refused: () => refused,
    init(bolt) {
      app = bolt;
      // A scope of its own: only here a body stays raw bytes, which the signature is made over.
      fastify.register((scope, _options, done) => {
        scope.removeAllContentTypeParsers();
        scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, parsed) =>
          parsed(null, body),
        );
        scope.post('/slack/events', { bodyLimit }, async (request, reply) => send(reply, await answer(request)));
        scope.get('/slack/events', async (request, reply) => {
          const check = asObject(request.query).ssl_check === '1';
          return send(reply, check ? { status: 200 } : { status: 405, body: { error: 'use POST' } });
        });
        done();
      });
    },
    start: async () => undefined,
    async stop() {
      stopped = true;
      await Promise.allSettled([...running]);
    },
  };
}
