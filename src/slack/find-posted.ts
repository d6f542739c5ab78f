/** Looking for a message of our own after a post whose end is unclear (DOMAIN.md 1.1). */
import { asObject, asText } from './people.ts';
import type { WebApi } from './web-api.ts';

type Json = Readonly<Record<string, unknown>>;

export const eventType = 'firebreak_message';
const maxPages = 10;

/** The pages of a listing, at most ten; `key` names the array in each answer. */
async function* pages(api: WebApi, method: string, args: Json, key: string): AsyncGenerator<readonly Json[]> {
  let cursor: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const answer = await api.call(method, { ...args, cursor }, { kind: 'read' });
    const list = answer[key];
    yield Array.isArray(list) ? list.map(asObject) : [];
    cursor = asText(asObject(answer.response_metadata).next_cursor);
    if (cursor === undefined) return;
  }
}

/** The id of a channel given by id or by name; undefined where Firebreak sees none of that name. Throws UpstreamError. */
export async function channelIdOf(api: WebApi, channel: string): Promise<string | undefined> {
  // Names are lower case, ids are not.
  if (/^[CDG][A-Z0-9]+$/u.test(channel)) return channel;
  // Direct messages are in no list that the app may read.
  if (/^[UW][A-Z0-9]+$/u.test(channel)) return undefined;
  const name = channel.replace(/^#/u, '');
  const args = { types: 'public_channel,private_channel', exclude_archived: true, limit: 1_000 };
  for await (const list of pages(api, 'conversations.list', args, 'channels')) {
    const id = asText(list.find((one) => one.name === name)?.id);
    if (id !== undefined) return id;
  }
  return undefined;
}

/**
 * The `ts` of our own message with this delivery id: among the newest 200 of a channel, or in the first 2,000 of a thread.
 * Messages of other apps are passed over where Slack says who wrote them, since anybody may copy metadata.
 */
export async function findMessage(
  api: WebApi,
  place: { readonly channel: string; readonly threadTs?: string | undefined; readonly deliveryId: string },
  botId: string | undefined,
): Promise<string | undefined> {
  const { channel, threadTs, deliveryId } = place;
  const args = { channel, ts: threadTs, limit: 200, include_all_metadata: true };
  const method = threadTs === undefined ? 'conversations.history' : 'conversations.replies';
  for await (const messages of pages(api, method, args, 'messages')) {
    for (const message of messages) {
      const metadata = asObject(message.metadata);
      const theirs = botId !== undefined && message.bot_id !== undefined && message.bot_id !== botId;
      if (theirs || metadata.event_type !== eventType) continue;
      if (asObject(metadata.event_payload).delivery_id === deliveryId) return asText(message.ts);
    }
    // A channel lists its newest first; a thread lists from its beginning, so there the newest may be pages away.
    if (threadTs === undefined) return undefined;
  }
  return undefined;
}
