/** Calls to Slack's Web API, and what their failures mean (DOMAIN.md 1.1, 1.7). */
import {
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
  WebClient,
  type WebClientOptions,
} from '@slack/web-api';
import type { Clock } from '../contracts/clock.ts';
import { asError, UpstreamError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import { inert } from '../domain/inert.ts';
import { slackApiUrl } from './hosts.ts';
import { libraryLog } from './library-log.ts';

/**
 * read and replace may be sent twice (a replace writes the same content again); an append may not: when nobody knows
 * whether it arrived, it fails as `ambiguous` and the caller looks before it sends again.
 */
export type CallKind = 'read' | 'replace' | 'append';

export interface WebApi {
  /** Calls a method. Throws UpstreamError with service `slack` and Slack's own error word as code. */
  call(
    method: string,
    args: Readonly<Record<string, unknown>>,
    options: { readonly kind: CallKind; readonly timeoutMs?: number },
  ): Promise<Readonly<Record<string, unknown>>>;
}

const retryPauseMs = 250;
/** Where a 429 says no time. */
const defaultRetryAfterSeconds = 30;
/** The request never left this machine, so nothing can have been done. */
const neverSent = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT'];
/** Slack's words for trouble of its own; "some aspect of the operation may have succeeded" (Slack's method pages). */
const slackTrouble = ['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout', 'team_added_to_org'];
const tooMany = ['ratelimited', 'rate_limited', 'message_limit_exceeded'];

const meanings: Readonly<Record<string, string>> = {
  not_in_channel: 'Firebreak is not a member of the channel; invite it there',
  channel_not_found:
    'Slack knows no such channel, or Firebreak may not see it; check the id and invite Firebreak there',
  is_archived: 'the channel is archived; unarchive it or name another one in the config',
  invalid_auth: 'Slack does not accept the bot token; check SLACK_BOT_TOKEN',
  not_authed: 'the bot token is missing; check SLACK_BOT_TOKEN',
  token_revoked: 'the bot token was revoked; install the app again',
  token_expired: 'the bot token has expired; install the app again',
  account_inactive: 'the app was removed from the workspace, or the workspace was deleted',
  missing_scope: 'the app lacks a scope; install it again with the manifest in deploy/',
  restricted_action: 'a rule of the workspace does not let Firebreak post in this channel',
  messages_tab_disabled:
    'the app takes no direct messages; switch on App Home > Messages Tab, or install it again with the manifest in deploy/',
  user_not_in_channel: 'the person is not in the channel',
  user_not_found: 'Slack knows no such person',
};

/** Options that every client of Slack here shares: no retries and no sleeping inside the library, no foreign addresses. */
export function clientOptions(apiUrl: string | undefined, timeoutMs: number, log: Log): WebClientOptions {
  return {
    slackApiUrl: apiUrl ?? slackApiUrl,
    allowAbsoluteUrls: false,
    timeout: timeoutMs,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logger: libraryLog(log),
    fetch: async (url, init) => {
      const response = await fetch(url, init as RequestInit);
      if (response.status === 429 && !/^\d+$/u.test(response.headers.get('retry-after') ?? '')) {
        throw new WebAPIRateLimitedError(defaultRetryAfterSeconds);
      }
      return response;
    },
  };
}

function failure(
  method: string,
  code: string,
  retryable: boolean,
  cause?: unknown,
  retryAfterMs?: number,
): UpstreamError {
  const meaning = meanings[code];
  return new UpstreamError('slack', code, `Slack ${method}: ${code}${meaning === undefined ? '' : ` (${meaning})`}`, {
    retryable,
    ...(cause === undefined ? {} : { cause }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function causeCode(error: Error): string {
  const cause = error.cause;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}

/** What a failed call means. `append` decides whether an unclear end is `ambiguous`. */
export function explain(thrown: unknown, method: string, kind: CallKind): UpstreamError {
  if (thrown instanceof UpstreamError) return thrown;
  const unclear = (code: string, cause?: unknown) =>
    failure(method, kind === 'append' ? 'ambiguous' : code, true, cause);
  if (thrown instanceof WebAPIRateLimitedError)
    return failure(method, 'ratelimited', true, undefined, thrown.retryAfter * 1_000);
  if (thrown instanceof WebAPIPlatformError) {
    const word = String(thrown.data.error);
    // The library puts a page that is not JSON into `error` as it is.
    if (!/^[a-z][a-z0-9_.:-]{0,79}$/iu.test(word)) return unclear('not_slack');
    if (tooMany.includes(word))
      return failure(method, 'ratelimited', true, undefined, defaultRetryAfterSeconds * 1_000);
    return slackTrouble.includes(word) ? unclear(word) : failure(method, word, false);
  }
  if (thrown instanceof WebAPIHTTPError) {
    const code = `http_${thrown.statusCode}`;
    return thrown.statusCode >= 500 || thrown.statusCode === 408 ? unclear(code) : failure(method, code, true);
  }
  const error = thrown instanceof WebAPIRequestError ? thrown.original : asError(thrown);
  if (neverSent.includes(causeCode(error))) return failure(method, 'unreachable', true, error);
  return unclear(error.name === 'TimeoutError' ? 'timeout' : 'unreachable', error);
}

/** Opens the Web API. `token` is sent to `apiUrl` (default Slack's own) and nowhere else. */
export function openWebApi(options: {
  readonly token: string;
  readonly apiUrl: string | undefined;
  readonly timeoutMs: number;
  readonly log: Log;
  readonly clock: Clock;
}): WebApi {
  const { token, apiUrl, log, clock } = options;
  const clients = new Map<number, WebClient>();
  const blockedUntil = new Map<string, number>();

  function client(timeoutMs: number): WebClient {
    const known = clients.get(timeoutMs) ?? new WebClient(token, clientOptions(apiUrl, timeoutMs, log));
    clients.set(timeoutMs, known);
    return known;
  }

  async function once(method: string, args: Readonly<Record<string, unknown>>, kind: CallKind, timeoutMs: number) {
    // Slack counts postMessage per channel, other methods per workspace.
    const lane = method === 'chat.postMessage' ? `${method} ${inert(String(args.channel), 40)}` : method;
    const now = clock.now().getTime();
    const waitMs = (blockedUntil.get(lane) ?? 0) - now;
    if (waitMs > 0) throw failure(method, 'ratelimited', true, undefined, waitMs);
    blockedUntil.delete(lane);
    try {
      return await client(timeoutMs).apiCall(method, { ...args });
    } catch (thrown) {
      const error = explain(thrown, method, kind);
      if (error.code === 'ratelimited') blockedUntil.set(lane, now + (error.retryAfterMs ?? 0));
      throw error;
    }
  }

  return {
    async call(method, args, { kind, timeoutMs = options.timeoutMs }) {
      const started = clock.now().getTime();
      try {
        return { ...(await once(method, args, kind, timeoutMs)) };
      } catch (thrown) {
        const error = explain(thrown, method, kind);
        const spent = clock.now().getTime() - started;
        const again = kind !== 'append' && error.retryable && error.code !== 'ratelimited';
        // A call that used up its time is not doubled: callers reckon with the timeout.
        if (!again || spent + retryPauseMs > timeoutMs / 2) throw error;
        await clock.sleep(retryPauseMs);
        return { ...(await once(method, args, kind, timeoutMs / 2)) };
      }
    },
  };
}
