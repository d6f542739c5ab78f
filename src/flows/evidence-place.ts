/** Where the evidence of a case goes, and what is left out of an answer: the config's `channels.evidence` and `access`. */
import { UserError } from '../contracts/errors.ts';
import type { StoredInvestigation } from '../contracts/store.ts';
import { line, say } from '../domain/phrases.ts';
import { postOnce } from './deliver.ts';
import type { WorkerDeps } from './deps.ts';

/** The question without the accounts that are closed to the asker. Throws UserError where nothing is left of it. */
export async function without(
  stored: StoredInvestigation,
  closed: readonly string[],
  { reach }: Pick<WorkerDeps, 'reach'>,
): Promise<StoredInvestigation> {
  if (closed.length === 0) return stored;
  const asked = stored.request.accounts ?? (await reach.accounts());
  const accounts = asked.filter((account) => !closed.includes(account));
  if (accounts.length === 0) throw new UserError('The config closes all of these accounts to you, or to this channel.');
  return { ...stored, request: { ...stored.request, accounts } };
}

/** An answer to a button on a card goes to the evidence channel, where there is one; typed questions are answered where they were typed. */
export async function elsewhere(
  stored: StoredInvestigation,
  { settings, store }: Pick<WorkerDeps, 'settings' | 'store'>,
): Promise<StoredInvestigation> {
  if (stored.caseId === undefined) return stored;
  const { threadTs: _, ...rest } = stored;
  const few = (await store.cases.get(stored.caseId))?.restrictedTo;
  if (few !== undefined) return { ...rest, channel: stored.requestedBy };
  const { evidence } = settings.channels;
  return evidence === undefined || evidence === stored.channel ? stored : { ...rest, channel: evidence };
}

/** A line in the card's thread, where the answer itself went to the evidence channel. */
export async function summarise(
  asked: StoredInvestigation,
  told: StoredInvestigation,
  headline: string,
  deps: WorkerDeps,
): Promise<void> {
  const isElsewhere = told.channel !== asked.channel && told.channel !== asked.requestedBy;
  if (!isElsewhere || asked.threadTs === undefined) return;
  const message = say(headline, line('The evidence is in the evidence channel.'));
  const key = `investigation:${asked.id}:summary`;
  await postOnce({ key, channel: asked.channel, threadTs: asked.threadTs, message }, deps);
}
