/** The Chat port over Slack's Web API. */

import type { Chat } from '../contracts/chat.ts';
import type { Clock } from '../contracts/clock.ts';
import { asError, UpstreamError } from '../contracts/errors.ts';
import type { Log } from '../contracts/log.ts';
import type { Message } from '../contracts/message.ts';
import { fallback, type SlackMessage, toSlack, withBlocks } from './blocks.ts';
import { codeView } from './code-dialog.ts';
import { uploadFiles } from './files.ts';
import { channelIdOf, eventType, findMessage } from './find-posted.ts';
import { openCache, openPace, systemClock } from './pacing.ts';
import { asObject, asText, openPeople } from './people.ts';
import { reportView } from './report-dialog.ts';
import { snoozeView } from './snooze-dialog.ts';
import { type CallKind, explain, openWebApi } from './web-api.ts';

interface ChatOptions {
  readonly token: string;
  /** Another Slack-compatible API, with its `/api/`. */
  readonly apiUrl?: string | undefined;
  readonly log: Log;
  /** For one call; default 10 s. */
  readonly timeoutMs?: number;
  /** For users.info, usergroups.users.list and auth.test, which a person waits for; default 2 s. */
  readonly lookupTimeoutMs?: number;
  readonly clock?: Clock;
}

/** Slack refused the blocks, not the message: a plainer form may pass (DOMAIN.md 1.9). */
const refusedBlocks = [
  'invalid_blocks',
  'invalid_blocks_format',
  'invalid_attachments',
  'invalid_arguments',
  'msg_blocks_too_long',
  'msg_too_long',
  'only_one_table_allowed',
];
/** An ephemeral message is impossible, but the person can still be told directly. */
const notThere = ['user_not_in_channel', 'not_in_channel', 'channel_not_found', 'is_archived'];

/** `text` must not grow links or mentions where a client shows it instead of the blocks. Only a new message can unfurl. */
const inertArguments = { parse: 'none', link_names: false };
const noUnfurling = { unfurl_links: false, unfurl_media: false };

/**
 * Opens the port. Succeeds when Slack is down: Slack trouble must not stop intake; each call then throws UpstreamError.
 * Errors carry Slack's own word as code; `ambiguous` means that nobody knows whether a post arrived.
 */
export async function openChat(options: ChatOptions): Promise<Chat> {
  const { token, apiUrl, log, timeoutMs = 10_000, lookupTimeoutMs = 2_000, clock = systemClock } = options;
  const api = openWebApi({ token, apiUrl, timeoutMs, log, clock });
  const lookup = { kind: 'read', timeoutMs: Math.min(lookupTimeoutMs, timeoutMs) } as const;
  const people = openPeople(api, clock, lookup.timeoutMs);
  // chat.update has about 50 a minute for all messages together; chat.postMessage one a second per channel.
  const updates = openPace({ burst: 4, everyMs: 60_000 / 41, maxWaitMs: 5_000, clock });
  const posts = openPace({ burst: 3, everyMs: 1_000, maxWaitMs: 5_000, clock });
  /** Updates that wait for their turn: a newer state of the same message takes the place of the older one. */
  const waitingUpdates = new Map<string, { message: Message; sent: Promise<void> }>();
  const reach = openCache<{ ok: true } | { ok: false; because: string }>(15_000, clock);
  /** Ids of channels that the config names by name, as Slack told them. */
  const channelIds = new Map<string, string>();
  let saidMissingScope = false;
  people.home().then(
    ({ teamId }) => log.info({ teamId }, 'Slack accepts the bot token'),
    (error: unknown) => log.warn({ error: asError(error) }, 'Slack does not answer now; it is asked again when needed'),
  );

  /** Sends the full form, then a plainer one, then the sentence alone: an alert is never lost to a block. */
  async function send(method: string, message: Message, args: Readonly<Record<string, unknown>>, kind: CallKind) {
    const { text } = toSlack(message);
    const forms: readonly (() => SlackMessage)[] = [
      () => toSlack(message),
      () => fallback(message),
      () => ({ text, blocks: [] }),
    ];
    for (const [index, form] of forms.entries()) {
      try {
        const { text, blocks } = form();
        return await api.call(method, { ...args, text, ...withBlocks(blocks), ...inertArguments }, { kind });
      } catch (thrown) {
        const error = explain(thrown, method, kind);
        if (!refusedBlocks.includes(error.code) || index === forms.length - 1) throw error;
        log.warn({ method, code: error.code, form: index }, 'Slack refused the blocks, sending a plainer form');
      }
    }
    throw new Error('unreachable: the last form returns or throws');
  }

  async function post(channel: string, threadTs: string | undefined, message: Message, metadata?: object) {
    await posts(channel);
    const args = { channel, thread_ts: threadTs, metadata, mrkdwn: false, ...noUnfurling };
    const answer = await send('chat.postMessage', message, args, 'append');
    const ts = asText(answer.ts);
    // Slack answers with the id where `channel` was a name or a person; updates need the id.
    const id = asText(answer.channel) ?? channel;
    if (channelIds.size < 200) channelIds.set(channel, id);
    if (ts !== undefined) return { ts, channel: id };
    throw new UpstreamError('slack', 'ambiguous', 'Slack chat.postMessage: an answer without ts', { retryable: true });
  }

  /** Slack shows an ephemeral message in a thread only where somebody has replied there already; else nobody would see it. */
  async function isThread(channel: string, ts: string): Promise<boolean> {
    try {
      const { messages } = await api.call('conversations.replies', { channel, ts, limit: 2 }, lookup);
      return Array.isArray(messages) && messages.length > 1;
    } catch (error) {
      log.debug({ channel, error: asError(error) }, 'a thread could not be looked at, the channel is told instead');
      return false;
    }
  }

  return {
    post: ({ channel, threadTs, message, deliveryId }) =>
      post(channel, threadTs, message, { event_type: eventType, event_payload: { delivery_id: deliveryId } }),

    async findPosted({ channel, threadTs, deliveryId }) {
      try {
        const id = channelIds.get(channel) ?? (await channelIdOf(api, channel));
        if (id === undefined) {
          log.warn({ channel }, 'no channel of that name is visible, so a message may be posted twice');
          return undefined;
        }
        const ts = await findMessage(api, { channel: id, threadTs, deliveryId }, (await people.home()).botId);
        return ts === undefined ? undefined : { ts, channel: id };
      } catch (error) {
        if (!(error instanceof UpstreamError) || error.code !== 'missing_scope') throw error;
        if (!saidMissingScope) log.warn({}, 'the app may not read history, so a message may be posted twice');
        saidMissingScope = true;
        return undefined;
      }
    },

    update({ channel, ts, message }) {
      const key = `${channel} ${ts}`;
      const waiting = waitingUpdates.get(key);
      if (waiting !== undefined) {
        waiting.message = message;
        return waiting.sent;
      }
      const entry = { message, sent: Promise.resolve() };
      waitingUpdates.set(key, entry);
      entry.sent = (async () => {
        await updates('').finally(() => waitingUpdates.delete(key));
        await send('chat.update', entry.message, { channel, ts }, 'replace');
      })();
      return entry.sent;
    },

    async tell({ channel, userId, threadTs, message }) {
      try {
        const thread = threadTs !== undefined && (await isThread(channel, threadTs)) ? threadTs : undefined;
        await send('chat.postEphemeral', message, { channel, user: userId, thread_ts: thread }, 'append');
      } catch (error) {
        if (!(error instanceof UpstreamError) || !notThere.includes(error.code)) throw error;
        await post(userId, undefined, message);
      }
    },

    upload: async (input) => {
      if (input.attachments.length > 0) await posts(input.channel);
      await uploadFiles(api, input, { apiUrl, timeoutMs: timeoutMs * 3 });
    },

    async openCode(triggerId, asked) {
      await api.call(
        'views.open',
        { trigger_id: triggerId, view: codeView(asked) },
        { kind: 'append', timeoutMs: 2_000 },
      );
    },
    async openReport(triggerId) {
      await api.call('views.open', { trigger_id: triggerId, view: reportView() }, { kind: 'append', timeoutMs: 2_000 });
    },

    async openSnooze(triggerId, asked) {
      await api.call(
        'views.open',
        { trigger_id: triggerId, view: snoozeView(asked) },
        { kind: 'append', timeoutMs: 2_000 },
      );
    },

    person: people.person,
    groupMembers: people.groupMembers,

    async channel(channelId) {
      const answer = await api.call('conversations.info', { channel: channelId }, { kind: 'read' });
      const facts = asObject(answer.channel);
      const id = asText(facts.id);
      if (id === undefined) {
        throw new UpstreamError('slack', 'unexpected_answer', 'Slack conversations.info: no channel', {
          retryable: true,
        });
      }
      const shared = facts.is_shared === true && facts.is_org_shared !== true;
      return { id, externallyShared: facts.is_ext_shared === true || facts.is_pending_ext_shared === true || shared };
    },

    reachable: () =>
      reach('', async () => {
        try {
          await api.call('auth.test', {}, lookup);
          return { ok: true };
        } catch (error) {
          return { ok: false, because: asError(error).message };
        }
      }),
  };
}
