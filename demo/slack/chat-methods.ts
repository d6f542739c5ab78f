/** chat.*: posting, updating, deleting, ephemerals, permalinks, with Slack's limits and errors (DOMAIN.md 1.8). */
import { checkBlocks } from './block-rules.ts';
import { isRecord, isTrue, structured, textArgument } from './body.ts';
import { withIds } from './state.ts';
import { type ApiCall, channelOf, type Method, missing, type Reply, refusal } from './web-api.ts';
import { demoIds, type LooseBlock, type Message, type Metadata } from './workspace.ts';

const maxStoredText = 40_000;
const maxUpdatedText = 4_000;
const maxMarkdownText = 12_000;
const maxMetadataCharacters = 16_000;

/** What a message says, after all checks. */
interface Content {
  readonly text: string;
  readonly blocks?: readonly LooseBlock[];
}

/** Fields that every message of the app carries. */
export const appAuthor = {
  type: 'message',
  user: demoIds.botUser,
  bot_id: demoIds.bot,
  app_id: demoIds.app,
  team: demoIds.team,
} as const;

/** Reads and checks text and blocks of a message. Also used for answers to commands and response URLs. */
export function readContent(call: Pick<ApiCall, 'state' | 'args'>): Content | { refused: Reply } {
  const { args } = call;
  const markdown = textArgument(args, 'markdown_text');
  if (markdown !== undefined && (args.text !== undefined || args.blocks !== undefined)) {
    return { refused: refusal('markdown_text_conflict') };
  }
  if (markdown !== undefined && markdown.length > maxMarkdownText) return { refused: refusal('msg_too_long') };
  const text = (markdown ?? textArgument(args, 'text') ?? '').slice(0, maxStoredText);
  const given = args.blocks;
  const list = given === undefined || given === '' ? [] : structured(given);
  if (!Array.isArray(list)) return { refused: refusal('invalid_blocks_format') };
  if (args.attachments !== undefined && !Array.isArray(structured(args.attachments))) {
    return { refused: refusal('invalid_attachments') };
  }
  if (list.length === 0) return text.trim() === '' ? { refused: refusal('no_text') } : { text };
  const verdict = checkBlocks(list, 'message');
  if (!verdict.ok) return { refused: refusal(verdict.error, verdict.messages) };
  const lost = unknownFiles(call, list);
  if (lost.length > 0) return { refused: refusal('invalid_blocks', lost) };
  return { text, blocks: withIds(list) };
}

/** Pictures by slack_file must name a file that was uploaded. */
function unknownFiles(call: Pick<ApiCall, 'state'>, blocks: readonly unknown[]): string[] {
  return blocks.flatMap((block, i) => {
    const source = isRecord(block) ? block.slack_file : undefined;
    if (!isRecord(source)) return [];
    const known = [...call.state.files.values()].some(
      ({ file, bytes }) => bytes && (file.id === source.id || file.url_private === source.url),
    );
    return known ? [] : [`[ERROR] invalid slack file [json-pointer:/blocks/${i}/slack_file]`];
  });
}

function readMetadata(given: unknown): { metadata?: Metadata } | { refused: Reply } {
  if (given === undefined || given === '') return {};
  const value = structured(given);
  if (!isRecord(value) || typeof value.event_type !== 'string' || value.event_type === '') {
    return { refused: refusal('invalid_metadata_format') };
  }
  const payload = value.event_payload;
  if (!isRecord(payload)) return { refused: refusal('invalid_metadata_format') };
  if (JSON.stringify(payload).length > maxMetadataCharacters) return { refused: refusal('metadata_too_large') };
  return { metadata: { event_type: value.event_type, event_payload: payload } };
}

/** The thread that a message goes to, or why it cannot. */
export function threadOf(call: ApiCall, channel: string): { threadTs?: string } | { refused: Reply } {
  const threadTs = textArgument(call.args, 'thread_ts');
  if (threadTs === undefined) return {};
  const parent = call.state.find(channel, threadTs);
  if (!parent) return { refused: refusal('thread_not_found') };
  if (parent.thread_ts !== undefined && parent.thread_ts !== parent.ts) {
    return { refused: refusal('cannot_reply_to_message') };
  }
  return { threadTs };
}

function postMessage(call: ApiCall): Reply {
  const asked = String(call.args.channel ?? '');
  const person = call.state.people.get(asked);
  const direct = person && !person.deleted ? call.state.directMessage(person.id) : undefined;
  const place = direct ? { channel: direct } : channelOf(call);
  if ('refused' in place) return place.refused;
  const { channel } = place;
  if (channel.isArchived) return refusal('is_archived');
  if (!channel.isMember && !(call.scopes.includes('chat:write.public') && !channel.isPrivate)) {
    return refusal('not_in_channel');
  }
  const content = readContent(call);
  if ('refused' in content) return content.refused;
  const meta = readMetadata(call.args.metadata);
  if ('refused' in meta) return meta.refused;
  const thread = threadOf(call, channel.id);
  if ('refused' in thread) return thread.refused;
  const isBroadcast = thread.threadTs !== undefined && isTrue(call.args.reply_broadcast);
  const message = call.state.add({
    ...appAuthor,
    ts: call.state.nextTs(),
    channel: channel.id,
    ...content,
    ...meta,
    ...(thread.threadTs === undefined ? {} : { thread_ts: thread.threadTs }),
    ...(isBroadcast ? { subtype: 'thread_broadcast' } : {}),
  });
  return { ok: true, channel: channel.id, ts: message.ts, message: present(call.state, message, true) };
}

function update(call: ApiCall): Reply {
  const place = channelOf(call);
  if ('refused' in place) return place.refused;
  const ts = textArgument(call.args, 'ts');
  if (ts === undefined) return missing('ts');
  const old = call.state.find(place.channel.id, ts);
  if (!old) return refusal('message_not_found');
  if (old.user !== demoIds.botUser) return refusal('cant_update_message');
  if ((textArgument(call.args, 'text') ?? '').length > maxUpdatedText) return refusal('msg_too_long');
  const content = readContent(call);
  if ('refused' in content) return content.refused;
  const meta = readMetadata(call.args.metadata);
  if ('refused' in meta) return meta.refused;
  // Only text: the blocks are dropped. No metadata: what was there stays. (DOMAIN.md 1.8)
  const { blocks: _dropped, ...kept } = old;
  const message: Message = { ...kept, ...content, ...meta };
  call.state.replace(message);
  return {
    ok: true,
    channel: place.channel.id,
    ts,
    text: message.text,
    message: present(call.state, message, true),
  };
}

function postEphemeral(call: ApiCall): Reply {
  const place = channelOf(call);
  if ('refused' in place) return place.refused;
  const to = textArgument(call.args, 'user');
  if (to === undefined) return missing('user');
  const person = call.state.people.get(to);
  if (!person || person.deleted || !call.state.isIn(place.channel, to)) return refusal('user_not_in_channel');
  if (!place.channel.isMember) return refusal('not_in_channel');
  const content = readContent(call);
  if ('refused' in content) return content.refused;
  const threadTs = textArgument(call.args, 'thread_ts');
  const ts = call.state.nextTs();
  call.state.addEphemeral({
    ...appAuthor,
    is_ephemeral: true,
    ts,
    to,
    from: 'app',
    channel: place.channel.id,
    ...content,
    ...(threadTs === undefined ? {} : { thread_ts: threadTs }),
  });
  return { ok: true, message_ts: ts };
}

function remove(call: ApiCall): Reply {
  const place = channelOf(call);
  if ('refused' in place) return place.refused;
  const ts = textArgument(call.args, 'ts') ?? '';
  const old = call.state.find(place.channel.id, ts);
  if (!old) return refusal('message_not_found');
  if (old.user !== demoIds.botUser) return refusal('cant_delete_message');
  call.state.remove(place.channel.id, ts);
  return { ok: true, channel: place.channel.id, ts };
}

function getPermalink(call: ApiCall): Reply {
  const place = channelOf(call);
  if ('refused' in place) return place.refused;
  const ts = textArgument(call.args, 'message_ts') ?? '';
  if (!call.state.find(place.channel.id, ts)) return refusal('message_not_found');
  const permalink = `${call.url}/archives/${place.channel.id}/p${ts.replace('.', '')}`;
  return { ok: true, channel: place.channel.id, permalink };
}

/** A message as history, replies and answers show it. Metadata only where it was asked for. */
export function present(state: ApiCall['state'], message: Message, withMetadata: boolean): Record<string, unknown> {
  const { channel, metadata, pinned, ...shown } = message;
  const replies = state.in(channel).filter((each) => each.thread_ts === message.ts && each.ts !== message.ts);
  const thread = {
    thread_ts: message.ts,
    reply_count: replies.length,
    reply_users: [...new Set(replies.map((each) => each.user))],
    latest_reply: replies.at(-1)?.ts,
  };
  return {
    ...shown,
    ...(withMetadata && metadata ? { metadata } : {}),
    ...(pinned ? { pinned_to: [channel] } : {}),
    ...(replies.length > 0 ? thread : {}),
  };
}

export const chatMethods: Readonly<Record<string, Method>> = {
  'chat.postMessage': postMessage,
  'chat.update': update,
  'chat.postEphemeral': postEphemeral,
  'chat.delete': remove,
  'chat.getPermalink': getPermalink,
};
