/** Pagers over HTTPS (PagerDuty Events v2, Opsgenie, any webhook) and SNS. Each goes to the exact origin of the config, nowhere else. */

import { asError, UpstreamError, UserError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import type { Page, Pager } from '../contracts/pager.ts';
import type { Secret } from '../contracts/secret.ts';
import type { PagerEntry } from '../domain/escalation.ts';

export interface PagerOptions {
  readonly pagers: readonly PagerEntry[];
  /** By the name of the environment variable. */
  readonly secrets: ReadonlyMap<string, Secret>;
  readonly log: Log;
  /** For one call; default 5 s. */
  readonly timeoutMs?: number;
}

interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Opens the port. Nothing is connected before the first page. */
export function openPager({ pagers, secrets, log, timeoutMs = 5_000 }: PagerOptions): Pager {
  return {
    async page(name, page) {
      const entry = pagers.find((candidate) => candidate.name === name);
      if (entry === undefined) throw new UserError(`The config has no pager "${name}".`);
      if (entry.kind === 'sns') await publish(entry.topicArn, page, timeoutMs);
      else await send(postOf(entry, page, secretOf(entry, secrets)), name, timeoutMs);
      log.info({ pager: name, key: page.key }, 'a pager was called');
    },
  };
}

function secretOf(entry: Exclude<PagerEntry, { kind: 'sns' }>, secrets: PagerOptions['secrets']): string | undefined {
  if (entry.keyEnv === undefined) return undefined;
  const secret = secrets.get(entry.keyEnv);
  if (secret === undefined) throw new UserError(`The pager "${entry.name}" has no key: ${entry.keyEnv} is not set.`);
  return secret.reveal();
}

/** PagerDuty: Events API v2 `POST /v2/enqueue`; Opsgenie: Alert API `POST /v2/alerts`. Both know a repeat by its key. */
function postOf(entry: Exclude<PagerEntry, { kind: 'sns' }>, page: Page, secret: string | undefined): Post {
  const { key, summary, severity, source, details } = page;
  switch (entry.kind) {
    case 'pagerduty':
      return {
        url: new URL('/v2/enqueue', entry.url).href,
        headers: {},
        body: {
          routing_key: secret,
          event_action: 'trigger',
          dedup_key: key,
          payload: { summary: summary.slice(0, 1_024), severity, source, custom_details: details },
        },
      };
    case 'opsgenie':
      return {
        url: new URL('/v2/alerts', entry.url).href,
        headers: { authorization: `GenieKey ${secret ?? ''}` },
        body: {
          alias: key,
          message: summary.slice(0, 130),
          description: summary,
          priority: severity === 'critical' ? 'P1' : 'P2',
          source: 'firebreak',
          details,
        },
      };
    case 'webhook':
      return {
        url: entry.url,
        headers: {
          'idempotency-key': key,
          ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
        },
        body: { key, summary, severity, source, details },
      };
  }
}

async function send({ url, headers, body }: Post, name: string, timeoutMs: number): Promise<void> {
  let status: number;
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      // A redirect would carry the key to somebody else.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    await answer.body?.cancel();
    ({ status } = answer);
  } catch (error) {
    throw new UpstreamError('pager', 'unreachable', `The pager "${name}" does not answer.`, {
      retryable: true,
      cause: asError(error),
    });
  }
  if (status >= 200 && status < 300) return;
  const retryable = status === 429 || status >= 500;
  throw new UpstreamError('pager', `http_${status}`, `The pager "${name}" answered ${status}.`, { retryable });
}

async function publish(topicArn: string, page: Page, timeoutMs: number): Promise<void> {
  // Loaded when it is needed: most installations have no such pager.
  const { PublishCommand, SNSClient } = await import('@aws-sdk/client-sns');
  const client = new SNSClient({ region: topicArn.split(':')[3] ?? '', maxAttempts: 2 });
  const isFifo = topicArn.endsWith('.fifo');
  try {
    await client.send(
      new PublishCommand({
        TopicArn: topicArn,
        Subject: page.summary.replaceAll(/[^\x20-\x7e]/g, ' ').slice(0, 100),
        Message: JSON.stringify(page),
        ...(isFifo ? { MessageGroupId: 'firebreak', MessageDeduplicationId: page.key } : {}),
      }),
      { abortSignal: AbortSignal.timeout(timeoutMs) },
    );
  } catch (thrown) {
    const error = asError(thrown);
    throw new UpstreamError('pager', error.name, `SNS did not take the page: ${error.name}.`, {
      retryable: !/^(AuthorizationError|InvalidParameter|NotFound)/.test(error.name),
      cause: error,
    });
  } finally {
    client.destroy();
  }
}
