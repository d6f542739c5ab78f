/** What Slack sends to the app: signed HTTP requests (DOMAIN.md 1.2 to 1.5), or envelopes over Socket Mode. */
import { createHmac } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';

export type EnvelopeType = 'slash_commands' | 'interactive' | 'events_api';

/** How one delivery ended. `error` is Slack's word for it, as a person would see it. */
export interface Delivery {
  readonly at: string;
  readonly type: EnvelopeType;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly via: 'http' | 'socket' | 'nowhere';
  readonly ms: number;
  readonly outcome: 'ok' | 'failed';
  readonly error?: 'operation_timeout' | 'dispatch_failed' | 'http_client_error' | 'http_service_error';
  /** HTTP status; absent over Socket Mode and where there was no answer. */
  readonly status?: number;
  /** What the app answered: the HTTP body, or the payload of the acknowledgement as JSON. */
  readonly body: string;
  /** The signed request as it was sent, for replays. */
  readonly request?: { readonly headers: Readonly<Record<string, string>>; readonly body: string };
}

/** Slack waits this long for commands, buttons and dialogs. */
export const answerWithinMs = 3_000;

/** The two headers that prove a request comes from Slack. `timestamp`: epoch seconds. */
export function signatureHeaders(secret: string, body: string, timestamp: number): Record<string, string> {
  const mac = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
  return { 'x-slack-signature': `v0=${mac}`, 'x-slack-request-timestamp': String(timestamp) };
}

/** The body of a delivery in the form that Slack uses for its kind. */
function encodeDelivery(type: EnvelopeType, payload: Readonly<Record<string, unknown>>) {
  if (type === 'events_api') return { contentType: 'application/json', body: JSON.stringify(payload) };
  const contentType = 'application/x-www-form-urlencoded';
  if (type === 'interactive') {
    return { contentType, body: new URLSearchParams({ payload: JSON.stringify(payload) }).toString() };
  }
  const fields = Object.entries(payload).map(([key, value]): [string, string] => [key, String(value)]);
  return { contentType, body: new URLSearchParams(fields).toString() };
}

/** Sends one signed request and waits at most 3 s for the answer. Never throws for what the app does. */
export async function deliverByHttp(
  url: string,
  secret: string,
  type: EnvelopeType,
  payload: Readonly<Record<string, unknown>>,
): Promise<Delivery> {
  const { contentType, body } = encodeDelivery(type, payload);
  const headers = {
    'content-type': contentType,
    'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
    accept: 'application/json,*/*',
    // A kept connection would fail once after the app was killed and started again.
    connection: 'close',
    ...signatureHeaders(secret, body, Math.floor(Date.now() / 1000)),
  };
  return send(url, type, payload, { headers, body });
}

/** Sends the very same bytes and headers again, as an attacker who recorded them would. */
export async function replayByHttp(url: string, delivery: Delivery): Promise<Delivery> {
  if (!delivery.request) throw new Error('only a delivery over HTTP can be replayed');
  return send(url, delivery.type, delivery.payload, delivery.request);
}

async function send(
  url: string,
  type: EnvelopeType,
  payload: Readonly<Record<string, unknown>>,
  request: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
): Promise<Delivery> {
  const at = new Date();
  const base = { at: at.toISOString(), type, payload, via: 'http', request } as const;
  const took = () => Date.now() - at.getTime();
  const abort = new AbortController();
  const answer = fetch(url, { method: 'POST', redirect: 'manual', signal: abort.signal, ...request }).then(
    async (response) => ({ status: response.status, body: await response.text() }),
    // Refused, reset, not a URL: all are "could not dispatch" to the person who pressed the button.
    (error: unknown) => ({ status: 0, body: error instanceof Error ? error.message : String(error) }),
  );
  const timer = new AbortController();
  const late = wait(answerWithinMs, undefined, { signal: timer.signal }).catch(() => undefined);
  const first = await Promise.race([answer, late]);
  timer.abort();
  if (first === undefined) {
    abort.abort();
    return { ...base, ms: took(), outcome: 'failed', error: 'operation_timeout', body: '' };
  }
  if (first.status === 0) return { ...base, ms: took(), outcome: 'failed', error: 'dispatch_failed', body: first.body };
  if (first.status >= 200 && first.status < 300) return { ...base, ...first, ms: took(), outcome: 'ok' };
  const error = first.status >= 500 ? 'http_service_error' : 'http_client_error';
  return { ...base, ...first, ms: took(), outcome: 'failed', error };
}
