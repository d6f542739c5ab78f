/** Approvals are neither asked nor given where strangers read (DOMAIN.md 1.14). */
import { UpstreamError } from '../contracts/errors.ts';
import type { ChatDeps } from './deps.ts';

/**
 * Half a sentence: why this channel is no place for an approval, or undefined. Slack trouble that may pass is thrown, so that the job is
 * tried again; an answer that will not change refuses.
 */
export async function channelRefusal(channel: string, { chat }: Pick<ChatDeps, 'chat'>): Promise<string | undefined> {
  try {
    const facts = await chat.channel(channel);
    return facts.externallyShared
      ? 'this channel is shared with another organisation, where containment is neither asked nor approved'
      : undefined;
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.retryable) throw error;
    // A Slack-compatible API that does not know the question has no shared channels either.
    if (error.code === 'unknown_method') return undefined;
    return `Slack does not tell whether this channel is shared (${error.code}), so the answer is no`;
  }
}
