/**
 * Where the card of a plan is: in its channel. Of a case that is closed to a named few it is with each of them directly, and the
 * channel is told nothing of the target.
 */
import type { Approval } from '../contracts/approval.ts';
import { UpstreamError } from '../contracts/errors.ts';
import type { Attachment, Message } from '../contracts/message.ts';
import type { Case } from '../contracts/store.ts';
import { closedPlan } from '../domain/restricted-case.ts';
import { SlackUserId } from '../domain/slack-ids.ts';
import { postOnce, postOrUpdate } from './deliver.ts';
import type { ChatDeps } from './deps.ts';

type Needs = Pick<ChatDeps, 'store' | 'chat' | 'clock' | 'log'>;

export interface Place {
  readonly channel: string;
  readonly ts: string;
  /** Whose direct message it is in. */
  readonly of?: string;
}

/** A card and what takes its place where others than the few may read. */
interface Card {
  readonly key: string;
  readonly channel: string;
  readonly threadTs?: string | undefined;
  readonly message: Message;
  readonly closed: Message;
}

/** Slack ids of the few; undefined where the case is open. Somebody on the host may be among them, and has no Slack id. */
export function fewIn(found: Pick<Case, 'restrictedTo'> | undefined): readonly string[] | undefined {
  return found?.restrictedTo?.filter((id) => SlackUserId.safeParse(id).success);
}

export async function fewOf(
  { caseId }: Approval,
  { store }: Pick<Needs, 'store'>,
): Promise<readonly string[] | undefined> {
  return fewIn(await store.cases.get(caseId));
}

/** Brings every card of the plan up to date; returns where they are. Throws UpstreamError where nobody can be shown it. */
export async function showCards(approval: Approval, message: Message, deps: Needs): Promise<readonly Place[]> {
  const { id, channel } = approval;
  const card = { key: `approval:${id}`, channel, message, closed: closedPlan(approval) };
  return showToFew(card, await fewOf(approval, deps), deps);
}

/** `few` undefined: in its channel. Else to each of them, and what the channel has of it already is taken back. */
export async function showToFew(
  { closed, ...card }: Card,
  few: readonly string[] | undefined,
  deps: Needs,
): Promise<readonly Place[]> {
  if (few === undefined) return [await postOrUpdate(card, deps)];
  const before = await deps.store.posts.get(card.key);
  // What nobody can read any more, or nobody can change, must not keep the few from hearing.
  if (before !== undefined) {
    await unlessRefused(before.channel, deps, () => deps.chat.update({ ...before, message: closed }));
  }
  const places: Place[] = [];
  for (const of of few) {
    await unlessRefused(of, deps, async () => {
      const own = { key: keyFor(card.key, of), channel: of, message: card.message };
      places.push({ ...(await postOrUpdate(own, deps)), of });
    });
  }
  if (places.length > 0) return places;
  throw noneOfFew();
}

/** All of the few have left, say, or are known on the host only. */
export function noneOfFew(): UpstreamError {
  const sentence = 'none of the few that the case is closed to can be written to';
  return new UpstreamError('slack', 'nobody', sentence, { retryable: false });
}

/** Where the cards are that show the plan; empty while there is none. */
export async function placesOf(approval: Approval, deps: Pick<Needs, 'store'>): Promise<readonly Place[]> {
  const few = await fewOf(approval, deps);
  const key = `approval:${approval.id}`;
  const known = few?.map((of) => ({ of, key: keyFor(key, of) })) ?? [{ key }];
  const places: Place[] = [];
  for (const { key: own, ...whose } of known) {
    const place = await deps.store.posts.get(own);
    if (place !== undefined) places.push({ ...place, ...whose });
  }
  return places;
}

/** Says something in the thread of each card, once for each key. */
export async function tellThreads(key: string, places: readonly Place[], message: Message, deps: Needs): Promise<void> {
  for (const { channel, ts: threadTs, of } of places) {
    const post = async (own: string) => {
      await postOnce({ key: own, channel, threadTs, message }, deps);
    };
    await (of === undefined ? post(key) : unlessRefused(of, deps, () => post(`${key}:${of}`)));
  }
}

/** Puts a file into the thread of each card, once: whoever finds the card finds it there. */
export async function attachOnce(key: string, places: readonly Place[], file: Attachment, deps: Needs): Promise<void> {
  for (const { channel, ts: threadTs, of } of places) {
    // A card that was posted anew has another thread.
    const own = `${key}:${channel}:${threadTs}`;
    const claim = await deps.store.posts.claim(own, channel, deps.clock.now().toISOString());
    if (claim.state === 'posted') continue;
    await unlessRefused(of ?? channel, deps, async () => {
      await deps.chat.upload({ channel, threadTs, attachments: [file], comment: 'What the card has no room for.' });
      await deps.store.posts.posted(own, threadTs);
    });
  }
}

function keyFor(key: string, userId: string): string {
  return `${key}:for:${userId}`;
}

/** Who cannot be written to (somebody who left, a channel that is archived) must not keep the others from hearing. */
export async function unlessRefused(
  who: string,
  { log }: Pick<Needs, 'log'>,
  write: () => Promise<void>,
): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.retryable) throw error;
    log.warn({ who, code: error.code }, 'a person, or a channel, could not be told');
  }
}
