/** A minute after the change was read back: does it still hold? An attacker may have undone it (DOMAIN.md 5.0). */
import { audit } from '../domain/approval.ts';
import { whatOf } from '../domain/approval-wording.ts';
import { awsErrorFacts } from '../domain/aws-errors.ts';
import { doneCalls } from '../domain/blanks.ts';
import { line, person, say } from '../domain/phrases.ts';
import { postOnce } from './deliver.ts';
import type { WorkerDeps } from './deps.ts';
import { inspectTarget } from './inspect-target.ts';

/** Job `containment.watch`. Reads with the audit role and says in the card's thread what it saw. */
export async function watch(
  { approvalId }: { readonly approvalId: string },
  ctx: { readonly signal: AbortSignal; readonly last: boolean },
  deps: WorkerDeps,
): Promise<void> {
  const approval = await deps.store.approvals.get(approvalId);
  const action = deps.actions.find((candidate) => candidate.name === approval?.plan.action);
  if (approval === undefined || action === undefined || approval.state !== 'verified') return;
  const undone = await deps.store.approvals.undoFor(approvalId);
  // Once an undo is applied the state is meant to differ.
  if (undone !== undefined && ['applying', 'verified', 'failed'].includes(undone.state)) return;
  const place = await deps.store.posts.get(`approval:${approvalId}`);
  if (place === undefined) return;
  const { plan } = approval;
  let seen: { held: boolean; says: string };
  try {
    const aws = await deps.reach.reader(plan.accountId);
    const now = await inspectTarget(action, plan.target, { aws, reach: deps.reach, signal: ctx.signal });
    const held = action.verify(plan.direction, plan.before as never, now as never, doneCalls(approval.steps));
    const state = action.describe(plan.target as never, now as never);
    seen = held.held
      ? { held: true, says: `A minute later: ${state}, as it should be.` }
      : {
          held: false,
          says: `IT NO LONGER HOLDS, a minute later: ${state}. Somebody changed it back; pivot on the target.`,
        };
  } catch (error) {
    const { code, retryable } = awsErrorFacts(error);
    if (retryable && !ctx.last) throw error;
    seen = {
      held: false,
      says: `A minute later it could not be read again (${code}): whether it still holds is not known.`,
    };
  }
  const at = deps.clock.now().toISOString();
  await deps.store.audit.append(audit(approval, 'watch', 'firebreak', at, { held: seen.held, says: seen.says }));
  const message = say(
    `${seen.says} (${whatOf(approval)})`,
    ...(seen.held ? [] : [line(person(approval.requester.userId))]),
  );
  await postOnce({ key: `watch:${approvalId}`, channel: place.channel, threadTs: place.ts, message }, deps);
}
