/**
 * Posting once. A post that failed ambiguously may be there: Slack is asked for our delivery id before anything is
 * posted again (DOMAIN.md 1.1).
 */
import { UpstreamError } from '../contracts/errors.ts';
import type { Message } from '../contracts/message.ts';
import { refusal } from '../domain/phrases.ts';
import type { ChatDeps } from './deps.ts';

export interface Delivery {
  /** One message per key, whatever crashes in between. */
  readonly key: string;
  readonly channel: string;
  readonly threadTs?: string | undefined;
  readonly message: Message;
}

/** Posts the message unless a message of this key is there already; returns where it is. */
export async function postOnce(
  delivery: Delivery,
  { store, chat, clock }: Pick<ChatDeps, 'store' | 'chat' | 'clock'>,
): Promise<{ channel: string; ts: string; fresh: boolean }> {
  const { key, channel, threadTs, message } = delivery;
  const claim = await store.posts.claim(key, channel, clock.now().toISOString());
  if (claim.state === 'posted') {
    const known = await store.posts.get(key);
    if (known !== undefined) return { ...known, fresh: false };
  }
  if (claim.state === 'unsure') {
    const found = await chat.findPosted({ channel, threadTs, deliveryId: claim.deliveryId });
    if (found !== undefined) {
      // The config may name the channel; only its id takes updates.
      await store.posts.posted(key, found.ts, found.channel);
      return { ...found, fresh: false };
    }
  }
  const posted = await send();
  await store.posts.posted(key, posted.ts, posted.channel);
  return { channel: posted.channel, ts: posted.ts, fresh: true };

  async function send() {
    try {
      return await chat.post({ channel, threadTs, message, deliveryId: claim.deliveryId });
    } catch (error) {
      // Looking costs one of the few questions that Slack answers a minute: only where nobody knows how it ended.
      const refused = error instanceof UpstreamError && error.service === 'slack' && error.code !== 'ambiguous';
      if (refused && claim.state === 'new') await store.posts.release(key);
      throw error;
    }
  }
}

/** Somebody deleted the message, or the workspace lets nobody change it any more: what is new in it has to be a new message. */
const cannotChange = [
  ...['message_not_found', 'cant_update_message', 'edit_window_closed'],
  // Of a thread, when its first message is gone.
  ...['thread_not_found', 'invalid_thread_ts', 'cannot_reply_to_message'],
];

/** Whether Slack says that a message of ours cannot be brought up to date, ever. */
export function isBeyondChange(error: unknown): boolean {
  return error instanceof UpstreamError && error.service === 'slack' && cannotChange.includes(error.code);
}

/** The channel itself takes nothing from us: archived, deleted, without Firebreak, or closed by a rule of the workspace. */
export function isChannelClosed(error: unknown): error is UpstreamError {
  if (!(error instanceof UpstreamError) || error.service !== 'slack') return false;
  return /^(?:channel_not_found|is_archived|not_in_channel|restricted_action\w*)$/.test(error.code);
}

/**
 * Posts or updates; where the channel takes nothing, in the config's default one instead, with a word in the thread that says so:
 * an alert must not wait unseen until somebody looks after a channel. Throws UpstreamError where that takes nothing either.
 */
export async function showInChannel(
  delivery: Delivery,
  deps: Pick<ChatDeps, 'store' | 'chat' | 'clock' | 'settings' | 'log'>,
): Promise<{ channel: string; ts: string }> {
  try {
    return await postOrUpdate(delivery, deps);
  } catch (error) {
    const { key, channel } = delivery;
    const instead = deps.settings.channels.default;
    const before = await deps.store.posts.get(key);
    if (!isChannelClosed(error) || channel === instead || before?.channel === instead) throw error;
    deps.log.error({ key, channel, error }, 'a channel takes nothing, the default channel gets it instead');
    if (before !== undefined) await deps.store.posts.gone(key, before.ts);
    const place = await postOnce({ ...delivery, channel: instead }, deps);
    const message = refusal(
      `This belongs into the channel ${channel}, which takes nothing from Firebreak now (${error.code}).`,
      'Unarchive it, invite Firebreak there, or name another channel in the config.',
    );
    await postOnce({ key: `${key}:instead`, channel: place.channel, threadTs: place.ts, message }, deps);
    return place;
  }
}

/** Posts once, or brings the message that is there up to date; one that is gone or frozen is posted anew. */
export async function postOrUpdate(
  delivery: Delivery,
  deps: Pick<ChatDeps, 'store' | 'chat' | 'clock'>,
): Promise<{ channel: string; ts: string }> {
  const place = await postOnce(delivery, deps);
  if (place.fresh) return place;
  try {
    await deps.chat.update({ channel: place.channel, ts: place.ts, message: delivery.message });
    return place;
  } catch (error) {
    if (!isBeyondChange(error)) throw error;
    await deps.store.posts.gone(delivery.key, place.ts);
    return postOnce(delivery, deps);
  }
}

/**
 * Tells one person. When Slack refuses (the person left the channel), it is logged and not tried again: a refusal that
 * nobody can read must not hold up the work.
 */
export async function tellOne(
  input: {
    readonly channel: string;
    readonly userId: string;
    readonly threadTs?: string | undefined;
    readonly message: Message;
  },
  { chat, log }: Pick<ChatDeps, 'chat' | 'log'>,
): Promise<void> {
  try {
    await chat.tell(input);
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.retryable) throw error;
    log.warn({ channel: input.channel, userId: input.userId, code: error.code }, 'a person could not be told');
  }
}
