/** The approval's card in the channel, brought to what the store holds now; a word in its thread when it ended. */

import { isOver } from '../domain/approval.ts';
import { approvalCard, milestone } from '../domain/approval-wording.ts';
import { postOnce, postOrUpdate } from './deliver.ts';
import type { WorkerDeps } from './deps.ts';

type Needs = Pick<WorkerDeps, 'store' | 'chat' | 'clock' | 'settings' | 'actions' | 'log'>;

/** Job `approval.changed`. Renders from the store, so that running it twice or late tells the truth all the same. */
export async function showApproval({ approvalId }: { readonly approvalId: string }, deps: Needs): Promise<void> {
  const approval = await deps.store.approvals.get(approvalId);
  const action = deps.actions.find((candidate) => candidate.name === approval?.plan.action);
  if (approval === undefined || action === undefined) return;
  const undo = await deps.store.approvals.undoFor(approvalId);
  const message = approvalCard({
    approval,
    action,
    account: deps.settings.accounts.find((account) => account.id === approval.plan.accountId),
    mode: deps.settings.mode,
    frozen: (await deps.store.settings.frozen()).frozen,
    button: await deps.store.buttons.mint(`approval:${approvalId}`, { kind: 'approval', approvalId }),
    undoTaken: undo !== undefined && (!isOver(undo.state) || undo.state === 'verified'),
  });
  const place = await postOrUpdate({ key: `approval:${approvalId}`, channel: approval.channel, message }, deps);
  const note = milestone(approval);
  if (note !== undefined) {
    await postOnce(
      { key: `approval:${approvalId}:${approval.state}`, channel: place.channel, threadTs: place.ts, message: note },
      deps,
    );
  }
  // The card of what was undone loses its Undo button, or gets it back.
  if (approval.undoOf !== undefined && isOver(approval.state))
    await showApproval({ approvalId: approval.undoOf }, deps);
}
