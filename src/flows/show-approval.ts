/** The approval's card in the channel, brought to what the store holds now; a word in its thread when it ended. */
import type { Approval } from '../contracts/approval.ts';
import { isOver } from '../domain/approval.ts';
import { approvalCard, milestone } from '../domain/approval-wording.ts';
import { isBeyondCard, planFile } from '../domain/plan-file.ts';
import { attachOnce, fewOf, showCards, tellThreads } from './approval-places.ts';
import type { WorkerDeps } from './deps.ts';
import { hideNotices } from './notify.ts';
import { shoutBreakGlass } from './shout.ts';

type Needs = Pick<WorkerDeps, 'store' | 'queue' | 'chat' | 'clock' | 'settings' | 'actions' | 'log'>;

/** Job `approval.changed`. Renders from the store, so that running it twice or late tells the truth all the same. */
export async function showApproval({ approvalId }: { readonly approvalId: string }, deps: Needs): Promise<void> {
  // One writer per card: of two at once, the one that read the store first could write last, or both could post.
  const shown = await deps.store.turn(`approval:${approvalId}`, () => bringUpToDate(approvalId, deps));
  // The card of what was undone loses its Undo button, or gets it back.
  if (shown?.undoOf !== undefined && isOver(shown.state)) await showApproval({ approvalId: shown.undoOf }, deps);
}

async function bringUpToDate(approvalId: string, deps: Needs): Promise<Approval | undefined> {
  const approval = await deps.store.approvals.get(approvalId);
  const action = deps.actions.find((candidate) => candidate.name === approval?.plan.action);
  if (approval === undefined) return undefined;
  await shoutBreakGlass(approval, deps);
  if (action === undefined) return undefined;
  const undo = await deps.store.approvals.undoFor(approvalId);
  const message = approvalCard({
    approval,
    action,
    account: deps.settings.accounts.find((account) => account.id === approval.plan.accountId),
    mode: deps.settings.mode,
    frozen: (await deps.store.settings.frozen()).frozen,
    button: await deps.store.buttons.mint(`approval:${approvalId}`, { kind: 'approval', approvalId }),
    undo: undo?.state === 'verified' ? 'done' : undo !== undefined && !isOver(undo.state) ? 'asked' : 'none',
  });
  const places = await showCards(approval, message, deps);
  const few = await fewOf(approval, deps);
  if (few !== undefined) await hideNotices(approval, few, deps);
  const note = milestone(approval, await deps.store.audit.head());
  if (note !== undefined) await tellThreads(`approval:${approvalId}:${approval.state}`, places, note, deps);
  await deps.store.approvals.markShown(approvalId, approval.state);
  if (approval.state === 'proposed' && isBeyondCard(message.parts)) {
    await attachOnce(`approval:${approvalId}:plan`, places, planFile(approval), deps);
  }
  const strikeId = await deps.store.strikes.ofApproval(approvalId);
  if (strikeId !== undefined) await deps.queue.add('strike.changed', { strikeId }, { id: strikeId });
  return approval;
}
