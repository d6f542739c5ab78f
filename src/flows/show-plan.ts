/** What becomes of a wish for containment in the eyes of whoever asked: the card, or why there is none. */
import type { Approval } from '../contracts/approval.ts';
import { UpstreamError, UserError } from '../contracts/errors.ts';
import type { ContainmentRequest } from '../contracts/store.ts';
import { moveTo } from '../domain/approval.ts';
import { awsErrorFacts } from '../domain/aws-errors.ts';
import { refusal } from '../domain/phrases.ts';
import { placesOf } from './approval-places.ts';
import { tellOne } from './deliver.ts';
import type { WorkerDeps } from './deps.ts';
import { showApproval } from './show-approval.ts';

/** Slack may be down for whoever asks on the host: the sweep posts the card when it is back, and the plan waits for votes meanwhile. */
export async function showPlan(request: ContainmentRequest, approval: Approval, deps: WorkerDeps): Promise<void> {
  try {
    await showApproval({ approvalId: approval.id }, deps);
    if (approval.undoOf !== undefined) await showApproval({ approvalId: approval.undoOf }, deps);
  } catch (error) {
    if (request.door !== 'host' || !(error instanceof UpstreamError) || error.service !== 'slack') throw error;
    deps.log.warn(
      { approvalId: approval.id, error },
      'the card of a plan that was asked on the host is not posted yet',
    );
  }
}

export async function isShown(requestId: string, { store }: WorkerDeps): Promise<boolean> {
  const approval = await store.approvals.ofRequest(requestId);
  return approval !== undefined && (await placesOf(approval, { store })).length > 0;
}

/** A plan whose card nobody can see must not wait for votes. */
export async function voidUnseen(requestId: string, error: unknown, deps: WorkerDeps): Promise<void> {
  const approval = await deps.store.approvals.ofRequest(requestId);
  if (approval === undefined) return;
  await deps.store.approvals.move(approval.id, (current) =>
    moveTo(current, 'stale', {
      event: 'stale',
      actor: 'firebreak',
      at: deps.clock.now().toISOString(),
      outcome: `Nothing was written: its card could not be posted (${whyOf(error)}).`,
    }),
  );
  await deps.store.approvals.markShown(approval.id, 'stale');
}

function whyOf(error: unknown): string {
  return error instanceof UpstreamError ? error.message : `AWS answered ${awsErrorFacts(error).code}`;
}

export async function sayThatItTakesLonger(
  request: ContainmentRequest,
  error: unknown,
  deps: WorkerDeps,
): Promise<void> {
  if (request.door === 'host') return;
  const { channel, userId, threadTs } = request;
  const message = refusal(
    `No plan yet: ${whyOf(error)}.`,
    'Nothing was changed. It is tried again for some minutes; then you are told how it ended.',
  );
  await tellOne({ channel, userId, threadTs, message }, deps);
}

/** Tells the one who asked why there is no plan, and writes the refusal into the audit (DOMAIN.md 9.8). */
export async function refuse(
  requestId: string,
  request: ContainmentRequest,
  error: unknown,
  deps: WorkerDeps,
): Promise<void> {
  const sentence =
    error instanceof UserError ? error.message : `The plan could not be made: ${whyOf(error)}. Nothing was changed.`;
  await deps.store.audit.append({
    event: 'ask.refused',
    actor: request.userId,
    at: deps.clock.now().toISOString(),
    caseId: request.caseId,
    payload: { action: request.action, words: request.words, undoOf: request.undoOf ?? null, because: sentence },
  });
  const hint = error instanceof UserError ? error.hint : undefined;
  if (request.door === 'host') {
    return deps.store.host.answer(requestId, [sentence, hint].join(' ').trim(), deps.clock.now().toISOString());
  }
  const { channel, userId, threadTs } = request;
  await tellOne({ channel, userId, threadTs, message: refusal(sentence, hint) }, deps);
}
