/** Whether a person may have an answer, where it was asked; what is left out of it. Fails closed. */
import { asError, UpstreamError } from '../contracts/errors.ts';
import { type Access, type AccessRule, type Asking, accessOf, closedTo, groupsNamed } from '../domain/access.ts';
import type { GroupMembers } from '../domain/people.ts';
import type { ChatDeps } from './deps.ts';

type Needs = Pick<ChatDeps, 'chat' | 'settings' | 'log' | 'store'>;

/** Throws a retryable UpstreamError while Slack does not tell who is in a group or whether strangers read the channel. */
export async function mayRead(asking: Asking & { readonly caseId?: string | undefined }, deps: Needs): Promise<Access> {
  const closed =
    asking.caseId === undefined ? undefined : closedTo(await deps.store.cases.get(asking.caseId), asking.userId);
  if (closed !== undefined) return { refused: closed };
  if (await strangersRead(asking.channel, deps)) {
    return { refused: 'this channel is shared with another organisation, where nothing is told' };
  }
  const { access } = deps.settings;
  return accessOf(access, asking, await members(access, deps));
}

async function strangersRead(channel: string, { chat }: Needs): Promise<boolean> {
  try {
    return (await chat.channel(channel)).externallyShared;
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.retryable) throw error;
    // Where the bot is no member it answers the person directly; an API that does not know the question has no shared channels.
    return !['not_in_channel', 'channel_not_found', 'unknown_method', 'missing_scope'].includes(error.code);
  }
}

async function members(rules: readonly AccessRule[], { chat, log }: Needs): Promise<GroupMembers> {
  const found = new Map<string, readonly string[]>();
  for (const id of groupsNamed(rules)) {
    try {
      found.set(id, await chat.groupMembers(id));
    } catch (error) {
      if (error instanceof UpstreamError && error.retryable) throw error;
      log.warn({ group: id, error: asError(error) }, 'a user group could not be read, nobody counts as its member');
    }
  }
  return found;
}
