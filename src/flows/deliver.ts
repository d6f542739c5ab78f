/**
 * Posting once. A post that failed ambiguously may be there: Slack is asked for our delivery id before anything is
 * posted again (DOMAIN.md 1.1).
 */
import { UpstreamError } from '../contracts/errors.ts';
import type { Message } from '../contracts/message.ts';
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
      await store.posts.posted(key, found.ts, channel);
      return { channel, ts: found.ts, fresh: false };
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

/** Posts once, or brings the message that is there up to date. */
export async function postOrUpdate(
  delivery: Delivery,
  deps: Pick<ChatDeps, 'store' | 'chat' | 'clock'>,
): Promise<{ channel: string; ts: string }> {
  const place = await postOnce(delivery, deps);
  if (!place.fresh) await deps.chat.update({ channel: place.channel, ts: place.ts, message: delivery.message });
  return place;
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
