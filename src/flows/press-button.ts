/** click (opaque id only) -> what it stands for, from the store -> queued. Nothing is decided here but what was meant. */

import type { ButtonMeaning } from '../contracts/buttons.ts';
import { UserError } from '../contracts/errors.ts';
import type { ButtonAction } from '../contracts/message.ts';
import type { WebDeps } from './deps.ts';
import { queueStored } from './queue-stored.ts';
import { askForSnooze } from './snooze-dialog.ts';
import { askForStrike, voteOnSteps } from './strike.ts';
import { askForCode } from './vote-with-code.ts';

export interface Click {
  readonly action: ButtonAction;
  readonly value: string;
  readonly userId: string;
  readonly channelId: string;
  readonly messageTs?: string | undefined;
  readonly threadTs?: string | undefined;
  readonly triggerId?: string | undefined;
}

type Needs = Pick<WebDeps, 'store' | 'queue' | 'clock' | 'chat' | 'settings' | 'actions' | 'log'>;

const votes = { approve: 'approve', reject: 'reject', withdraw: 'withdraw' } as const;

/** Stores and queues what was meant. Throws UserError for a button that stands for nothing (any more). */
export async function pressButton(click: Click, deps: Needs): Promise<void> {
  if (!(await isPaced(click.userId, deps))) return;
  const meaning = await deps.store.buttons.meaning(click.value);
  if (meaning === undefined) throw unknown();
  const handled = await carryOut(click, meaning, deps);
  if (!handled) throw unknown();
}

/** More in a minute is no person, or a stuck one. */
const mostClicks = 120;

/** False: too many, and told already. Throws UserError the first time. */
async function isPaced(userId: string, { store, log }: Pick<Needs, 'store' | 'log'>): Promise<boolean> {
  const clicks = await store.host.countClick(userId);
  if (clicks <= mostClicks) return true;
  if (clicks > mostClicks + 1) return false;
  log.warn({ userId, clicks }, 'somebody clicks too often, further clicks of this minute are ignored');
  throw new UserError(
    `That was more than ${mostClicks} clicks in a minute: nothing was done.`,
    'Further clicks do nothing until the next minute. If it was not you, `/ir freeze`.',
  );
}

function unknown(): UserError {
  return new UserError('This button stands for nothing that I know.', 'Use the newest message, or type the command.');
}

async function carryOut(click: Click, meaning: ButtonMeaning, deps: Needs): Promise<boolean> {
  const at = deps.clock.now().toISOString();
  // Work that starts from a card goes on in the card's thread.
  const threadTs = click.threadTs ?? click.messageTs;
  const { userId, channelId: channel } = click;
  if (click.action === 'acknowledge' && meaning.kind === 'case') {
    await deps.queue.add(
      'alert.acknowledged',
      { caseId: meaning.caseId, userId, channel },
      { id: `ack-${meaning.caseId}-${userId}` },
    );
    return true;
  }
  if (click.action === 'snooze' && meaning.kind === 'case') {
    const { caseId } = meaning;
    await askForSnooze({ caseId, userId, button: click.value, channelId: channel, triggerId: click.triggerId }, deps);
    return true;
  }
  if (click.action === 'false-positive' && meaning.kind === 'case') {
    const { caseId } = meaning;
    const { action: mark } = click;
    await deps.queue.add('case.mark', { caseId, userId, channel, mark }, { id: `${mark}-${caseId}-${userId}` });
    return true;
  }
  if (click.action === 'pivot' && meaning.kind === 'pivot') {
    const { artifact, also = [] } = meaning;
    await investigate(
      { artifact, ...(also.length > 0 && { also }) },
      { caseId: meaning.caseId, channel, threadTs, userId, at },
      deps,
    );
    return true;
  }
  if (/^(widen|expand|pivot)$/.test(click.action) && meaning.kind === 'investigation') {
    const before = await deps.store.investigations.get(meaning.investigationId);
    const id = await deps.store.investigations.create({
      name: click.action === 'pivot' ? 'pivot' : (before?.name ?? 'pivot'),
      request: meaning.request,
      channel,
      threadTs,
      requestedBy: userId,
      createdAt: at,
      caseId: before?.caseId,
    });
    await queueStored('investigation.run', { investigationId: id }, `investigation-${id}`, deps);
    return true;
  }
  if (click.action === 'contain' && meaning.kind === 'contain') {
    const requestId = await deps.store.approvals.saveRequest({
      action: meaning.action,
      words: meaning.words,
      userId,
      channel,
      threadTs,
      caseId: meaning.caseId,
      at,
    });
    await queueStored('containment.plan', { requestId }, `plan-${requestId}`, deps);
    return true;
  }
  if (click.action === 'contain' && meaning.kind === 'strike') {
    await askForStrike({ caseId: meaning.caseId, userId, channelId: channel, threadTs }, deps);
    return true;
  }
  if (click.action === 'approve' && meaning.kind === 'steps') {
    await voteOnSteps(click, meaning.approvalIds, deps);
    return true;
  }
  if (click.action === 'undo' && meaning.kind === 'approval') {
    const requestId = await deps.store.approvals.saveRequest({
      action: '',
      words: [],
      userId,
      channel,
      threadTs: click.threadTs,
      undoOf: meaning.approvalId,
      at,
    });
    await queueStored('containment.plan', { requestId }, `plan-${requestId}`, deps);
    return true;
  }
  if (Object.hasOwn(votes, click.action) && meaning.kind === 'approval') {
    const vote = votes[click.action as keyof typeof votes];
    const { approvalId } = meaning;
    const asked = { ...click, approvalId, button: click.value };
    if (vote === 'approve' && (await askForCode(asked, deps))) return true;
    const voteId = await deps.store.approvals.saveVote({
      approvalId,
      userId,
      vote,
      channel,
      threadTs: click.threadTs,
      at,
    });
    await queueStored('approval.vote', { voteId }, `vote-${voteId}`, deps);
    return true;
  }
  return false;
}

async function investigate(
  target: { readonly artifact: string; readonly also?: readonly string[] },
  where: { caseId?: string | undefined; channel: string; threadTs?: string | undefined; userId: string; at: string },
  deps: Pick<WebDeps, 'store' | 'queue' | 'log'>,
): Promise<void> {
  const investigationId = await deps.store.investigations.create({
    name: 'pivot',
    request: { target },
    channel: where.channel,
    threadTs: where.threadTs,
    requestedBy: where.userId,
    createdAt: where.at,
    caseId: where.caseId,
  });
  await queueStored('investigation.run', { investigationId }, `investigation-${investigationId}`, deps);
}
