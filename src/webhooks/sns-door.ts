/** `POST /webhooks/sns`: no token, but the signature of SNS on each message (DOMAIN.md 2.9, 9.4). */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Alert } from '../contracts/alert.ts';
import { asError, UpstreamError } from '../contracts/errors.ts';
import type { SubscriptionWish } from '../contracts/intake.ts';
import type { Log } from '../contracts/log.ts';
import { withAgeNote } from '../domain/alert-age.ts';
import type { AlertEventOptions } from './alert-event.ts';
import { type RateLimit, rateGate } from './guard.ts';
import { instantIn, jsonOrText, readSnsMessage } from './message-body.ts';
import { SnsMessage, whatIsWrong } from './sns-message.ts';
import { type SnsTrust, snsCheck } from './sns-signature.ts';

export interface SnsDoorDeps {
  readonly trust: SnsTrust;
  /** The config's, for messages of no known kind. */
  readonly mappings?: AlertEventOptions['mappings'];
  /** Durable when it resolves; throws when the alert could not be stored. */
  receive(input: { deliveryKey: string; alert: Alert; raw: unknown }): Promise<{ repeat: boolean }>;
  /** Durable when it resolves; another process speaks with SNS. */
  subscription(input: { messageId: string; topicArn: string; wish: SubscriptionWish; token: string }): Promise<void>;
  /** Keeps a genuine message that was not understood. Durable when it resolves. */
  keep(letter: { key: string; from: string; reason: string; body: string }): Promise<string>;
  readonly log: Log;
  readonly rateLimit?: RateLimit;
  /** SNS gives up after 15 s. */
  readonly storeWithinMs?: number;
}

const snsPath = '/webhooks/sns';
const bodyLimit = 1024 * 1024;

function refuse(reply: FastifyReply, status: number, error: string): FastifyReply {
  return reply.code(status).send({ error });
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Undefined where the bytes are not UTF-8. */
function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (thrown) {
    if (thrown instanceof TypeError) return undefined;
    throw thrown;
  }
}

const rawDelivery =
  'raw message delivery carries no signature: turn it off for this subscription, or deliver to an SQS queue';

/** The message in a request, or why there is none. */
function messageOf(request: FastifyRequest): SnsMessage | { readonly wrong: string } {
  if (header(request, 'x-amz-sns-rawdelivery')?.toLowerCase() === 'true') return { wrong: rawDelivery };
  const bytes = request.body;
  if (!Buffer.isBuffer(bytes) || bytes.length === 0) return { wrong: 'the body is empty' };
  const text = textOf(bytes);
  const value = text === undefined ? undefined : jsonOrText(text);
  if (typeof value !== 'object' || value === null) return { wrong: 'the body is not JSON in UTF-8' };
  const parsed = SnsMessage.safeParse(value);
  if (!parsed.success)
    return { wrong: 'Signature' in value ? whatIsWrong(parsed.error) : `not an SNS message; ${rawDelivery}` };
  const told = header(request, 'x-amz-sns-message-type');
  if (told !== undefined && told !== parsed.data.Type)
    return { wrong: 'the header x-amz-sns-message-type does not name the Type of the body' };
  return parsed.data;
}

async function within<Value>(ms: number, work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new UpstreamError('store', 'timeout', `not stored within ${ms} ms`, { retryable: true })),
      ms,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

type Answer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> };

/** Stores what a genuine message says. Throws where it could not be stored. */
async function take(message: SnsMessage, deps: SnsDoorDeps): Promise<Answer> {
  const { MessageId: messageId, TopicArn: topicArn } = message;
  if (message.Type !== 'Notification') {
    const wish = message.Type === 'SubscriptionConfirmation' ? 'confirm' : 'ended';
    // The token of an UnsubscribeConfirmation would subscribe again: nobody asked for that, so it is not kept.
    await deps.subscription({ messageId, topicArn, wish, token: wish === 'confirm' ? message.Token : '' });
    deps.log.info({ webhook: 'sns', topicArn, wish }, 'subscription message stored');
    return { status: 202, body: { status: 'stored', subscription: wish } };
  }
  const subject = message.Subject ?? undefined;
  const read = readSnsMessage(message.Message, {
    ...{ subject, topicArn, mappings: deps.mappings },
    at: instantIn(message.Timestamp),
  });
  const key = `sns-${topicArn}-${messageId}`;
  const letter = { key, from: topicArn, body: JSON.stringify(message) };
  if (!read.ok) {
    deps.log.info({ webhook: 'sns', topicArn, status: read.status, reason: read.reason }, 'message not taken');
    if (read.status === 'ignored') return { status: 200, body: { status: 'ignored', reason: read.reason } };
    // SNS does not repeat what was answered with 400, and by default has no queue for it.
    const deadLetter = await deps.keep({ ...letter, reason: read.reason });
    return { status: 400, body: { error: read.reason, deadLetter } };
  }
  let repeat = true;
  for (const { alert, deliveryKey, raw = read.raw } of read.alerts) {
    const stored = await deps.receive({ deliveryKey, alert: withAgeNote(alert, deps.trust.now()), raw });
    repeat &&= stored.repeat;
    deps.log.info({ webhook: 'sns', dedupeKey: alert.dedupeKey, repeat: stored.repeat }, 'finding stored');
  }
  if (read.unread) await deps.keep({ ...letter, reason: read.unread });
  return { status: 202, body: { status: 'stored', repeat } };
}

function handler(deps: SnsDoorDeps) {
  const isGenuine = snsCheck(deps.trust);
  const { log } = deps;
  const later = (reply: FastifyReply, words: string) => refuse(reply.header('retry-after', '10'), 503, words);
  return async function handle(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const message = messageOf(request);
    if ('wrong' in message) {
      log.info({ webhook: 'sns', reason: message.wrong }, 'message not taken');
      return refuse(reply, 400, message.wrong);
    }
    const genuine = await isGenuine(message);
    if (!genuine.yes) {
      log.warn({ webhook: 'sns', reason: genuine.because }, 'message refused');
      return genuine.later
        ? later(reply, 'the signature could not be checked: send it again')
        : refuse(reply, 401, genuine.because);
    }
    try {
      const { status, body } = await within(deps.storeWithinMs ?? 10_000, take(message, deps));
      return reply.code(status).send(body);
    } catch (thrown) {
      log.error({ webhook: 'sns', err: asError(thrown) }, 'message could not be stored');
      return later(reply, 'it could not be stored: send it again');
    }
  };
}

function answerError(log: Log) {
  return (error: FastifyError, _request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const { code, statusCode = 500 } = error;
    if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return refuse(reply, 413, `the body is larger than ${bodyLimit} bytes`);
    if (statusCode >= 400 && statusCode < 500) return refuse(reply, statusCode, 'the request cannot be read');
    log.error({ err: error }, 'request failed');
    return refuse(reply, 500, 'internal error');
  };
}

/** Adds the door to a Fastify server; parsers, hooks and error answers stay inside. Throws Error for a pinned certificate that is none. */
export async function registerSns(app: FastifyInstance, deps: SnsDoorDeps): Promise<void> {
  await app.register((scope, _options, done) => {
    scope.setErrorHandler(answerError(deps.log));
    const waitFor = rateGate(deps.rateLimit ?? { perSecond: 500, burst: 1_000 }, deps.trust.now);
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, ready) => ready(null, body));
    scope.addHook('onRequest', async (request, reply) => {
      if (request.method !== 'POST') return refuse(reply.header('allow', 'POST'), 405, 'use POST');
      const seconds = waitFor();
      if (seconds > 0) return refuse(reply.header('retry-after', String(seconds)), 429, 'too many requests');
      // SNS says text/plain and means JSON.
      request.headers['content-type'] = 'application/json';
      const encoding = request.headers['content-encoding'] ?? 'identity';
      if (encoding.toLowerCase() !== 'identity') return refuse(reply, 415, 'send the body without content-encoding');
      return undefined;
    });
    const handle = handler(deps);
    scope.route({
      url: snsPath,
      method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
      bodyLimit,
      handler: handle,
    });
    done();
  });
}
