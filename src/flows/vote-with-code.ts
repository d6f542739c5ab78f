/** A click on Approve that needs a one-time code: the dialog, and what comes back from it. The code is looked at by the executor. */
import type { Approval } from '../contracts/approval.ts';
import { UserError } from '../contracts/errors.ts';
import { closedTo } from '../domain/access.ts';
import { isAlone } from '../domain/approval.ts';
import { whatOf } from '../domain/approval-wording.ts';
import type { WebDeps } from './deps.ts';
import { queueStored } from './queue-stored.ts';
import { concerning } from './record-vote.ts';
import { rightsOf } from './rights-of.ts';
import { anyTime, approvingRefusalOf } from './standing.ts';

type Needs = Pick<WebDeps, 'store' | 'queue' | 'clock' | 'chat' | 'settings' | 'actions' | 'log'>;

/** Whether this person's approval of this plan asks for a code. Of whoever may not approve it none is asked: his vote is refused. */
async function asksForCode(approval: Approval, userId: string, deps: Needs): Promise<boolean> {
  const action = deps.actions.find((candidate) => candidate.name === approval.plan.action);
  if (action === undefined || approval.state !== 'proposed') return false;
  const rights = rightsOf(action, approval.plan.accountId, deps);
  const asks = approval.requester.userId === userId ? isAlone(approval, rights) : rights.stepUp;
  if (!asks) return false;
  const looked = await approvingRefusalOf(userId, deps, { since: anyTime, ...concerning(approval, 'approve', deps) });
  return looked.refusal === undefined || looked.untold;
}

/** Opens the dialog; false where the click counts as it is. Throws UserError where Slack gives no way to open one. */
export async function askForCode(
  click: {
    readonly approvalId: string;
    readonly userId: string;
    readonly button: string;
    readonly channelId: string;
    readonly threadTs?: string | undefined;
    readonly triggerId?: string | undefined;
  },
  deps: Needs,
): Promise<boolean> {
  const approval = await deps.store.approvals.get(click.approvalId);
  if (approval === undefined || !(await asksForCode(approval, click.userId, deps))) return false;
  const closed = closedTo(await deps.store.cases.get(approval.caseId), click.userId);
  if (closed !== undefined) throw new UserError(`You cannot approve this: ${closed}.`);
  if (click.triggerId === undefined)
    throw new UserError('Slack gave no way to ask for your one-time code. Press again.');
  const { button, channelId, threadTs } = click;
  await deps.chat.openCode(click.triggerId, { button, channelId, threadTs, what: `Approve: ${whatOf(approval)}.` });
  return true;
}

/** Stores the vote with its code and has the executor look at it. Durable when it returns. Throws UserError. */
export async function voteWithCode(
  answer: {
    readonly button: string;
    readonly userId: string;
    readonly channelId: string;
    readonly threadTs?: string | undefined;
    readonly code: string;
  },
  { store, queue, clock, log }: Needs,
): Promise<void> {
  if (!/^\d{3}\s?\d{3}$/.test(answer.code.trim())) throw new UserError('A code has six digits.');
  const meaning = await store.buttons.meaning(answer.button);
  // A dialog of somebody else's reason is nobody's.
  const isOwn = meaning?.kind === 'break-glass' && meaning.userId === answer.userId;
  if (meaning?.kind !== 'approval' && !isOwn) throw new UserError('This dialog belongs to no plan that I know.');
  const { userId, channelId: channel, threadTs } = answer;
  const voteId = await store.approvals.saveVote(
    {
      ...{ approvalId: meaning.approvalId, userId, vote: 'approve', channel, threadTs },
      ...{ at: clock.now().toISOString(), ...(meaning.kind === 'break-glass' && { breakGlass: meaning.reason }) },
    },
    answer.code.trim(),
  );
  await queueStored('approval.prove', { voteId }, `prove-${voteId}`, { queue, log });
}
