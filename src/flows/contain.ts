/**
 * The executor: the whole approval checked again -> drift? -> intent -> apply -> read back -> result. The only flow that
 * writes to AWS, at one call site. A crash at any point is taken up again by the same job (safety rules 1 and 2).
 */
import type { ContainmentAction } from '../contracts/action.ts';
import type { Approval, ApprovalState, Plan } from '../contracts/approval.ts';
import type { AwsResponder } from '../contracts/aws.ts';
import { NotFoundError, UserError } from '../contracts/errors.ts';
import { audit, mayExecute, moveTo } from '../domain/approval.ts';
import { bindsOf, compared } from '../domain/plan.ts';
import type { ExecutorDeps } from './deps.ts';
import { executionFacts } from './execution-facts.ts';
import { callsFor } from './inspect-target.ts';
import {
  confirm,
  confirmWithinMs,
  couldNotLook,
  factsOf,
  inspectRun,
  lookForOwnChangeMs,
  type Run,
  readUntil,
} from './read-back.ts';
import { announce } from './record-vote.ts';
import { cutShort, hasMoreToSend, lookedFor, sendCalls, stepsDone } from './send-calls.ts';

const actor = 'firebreak executor';
const watchAfterMs = 60_000;

/** Job `containment.run`. One at a time for an approval: a stalled job that is run again must not write beside the first. */
export async function contain(
  { approvalId }: { readonly approvalId: string },
  ctx: { readonly signal: AbortSignal; readonly last: boolean },
  deps: ExecutorDeps,
): Promise<void> {
  try {
    await deps.store.turn(`run:${approvalId}`, () => carryOn(approvalId, ctx, deps));
  } finally {
    // However it went, the card must say where it stands; a crash before this is caught by the sweep.
    const now = await deps.store.approvals.get(approvalId);
    if (now !== undefined) await announce(now, deps);
  }
}

/** From wherever the approval stands. */
async function carryOn(
  approvalId: string,
  ctx: { readonly signal: AbortSignal; readonly last: boolean },
  deps: ExecutorDeps,
): Promise<void> {
  const approval = await deps.store.approvals.get(approvalId);
  if (approval === undefined) return;
  const action = deps.actions.find((candidate) => candidate.name === approval.plan.action);
  if (approval.state === 'approved') await begin(approval, action, ctx, deps);
  else if (approval.state === 'applying') await resume(approval, action, ctx, deps);
}

async function begin(
  approval: Approval,
  action: ContainmentAction | undefined,
  ctx: { readonly signal: AbortSignal; readonly last: boolean },
  deps: ExecutorDeps,
): Promise<void> {
  if (action === undefined) return settle(approval, 'stale', 'this version does not know the action', deps);
  if (!(await permitted(approval, action, 'stale', 'Nothing was written', deps))) return;
  const prepared = await prepare(approval, action, ctx, deps);
  if (prepared === undefined) return;
  // Asked again: assuming the role and looking took time, in which somebody may have frozen all writes.
  if (!(await permitted(approval, action, 'stale', 'Nothing was written', deps))) return;
  const { approval: applying, moved } = await deps.store.approvals.move(approval.id, (current) => {
    const begun = moveTo(current, 'applying', {
      event: 'intent',
      actor,
      at: at(deps),
      payload: {
        calls: approval.plan.calls,
        role: approval.plan.responderRole,
        before: approval.plan.before,
        ...(prepared.told.length > 0 && { changedSince: prepared.told }),
      },
    });
    return begun && { ...begun, unlessFrozen: true };
  });
  if (moved)
    await applyAndConfirm({ approval: applying, action, responder: prepared.responder, signal: ctx.signal }, deps);
}

/** The whole approval, checked where the write happens. False when it was settled, or when Slack is asked first. */
async function permitted(
  approval: Approval,
  action: ContainmentAction,
  otherwise: 'stale' | 'failed',
  said: string,
  deps: ExecutorDeps,
): Promise<boolean> {
  const verdict = mayExecute(approval, await executionFacts(approval, action, deps));
  if (verdict.kind === 'yes') return true;
  if (verdict.kind === 'ask-standing') {
    await deps.queue.add('approval.admit', { approvalId: approval.id }, { id: `admit-${approval.id}`, delayMs: 1_000 });
    return false;
  }
  const done = stepsDone(approval);
  if (done.length > 0) await settle(approval, 'partial', cutShort(approval, verdict.because), deps);
  else await settle(approval, otherwise === 'failed' ? 'failed' : verdict.state, `${said}: ${verdict.because}.`, deps);
  return false;
}

/** The responder session and the drift check. Undefined when the approval was settled instead. */
async function prepare(
  approval: Approval,
  action: ContainmentAction,
  ctx: { readonly signal: AbortSignal; readonly last: boolean },
  deps: ExecutorDeps,
): Promise<{ responder: AwsResponder; told: readonly string[] } | undefined> {
  try {
    const responder = await assume(approval, deps);
    const found = await inspectRun({ approval, action, responder, signal: ctx.signal }, deps);
    const { voids, told } = driftOf(approval, action, found);
    if (voids.length === 0) return { responder, told };
    await settle(approval, 'stale', changedSince(voids), deps);
  } catch (error) {
    const { code, retryable } = factsOf(error);
    if (retryable && !ctx.last) throw error;
    const because = error instanceof UserError ? error.message : `AWS answered ${code}`;
    await settle(
      approval,
      error instanceof NotFoundError ? 'stale' : 'failed',
      `Nothing was written: ${because}.`,
      deps,
    );
  }
  return undefined;
}

function driftOf(approval: Approval, action: ContainmentAction, found: Plan['before']) {
  return compared(approval.plan, found, bindsOf(action), callsFor(action, approval.plan, found));
}

/**
 * After a crash: our own change may have been carried out, so it is looked for before anything is sent again. Sending again
 * is a write like any other: only what was surely not sent, on a target that is as it was approved, under every check. What
 * is half applied is finished.
 */
async function resume(
  approval: Approval,
  action: ContainmentAction | undefined,
  ctx: { readonly signal: AbortSignal },
  deps: ExecutorDeps,
): Promise<void> {
  const unknown = (because: string) =>
    settle(approval, 'failed', `NOT CONFIRMED, look at the target by hand: ${because}.`, deps);
  if (action === undefined) return unknown('this version does not know the action');
  let responder: AwsResponder;
  try {
    responder = await assume(approval, deps);
  } catch (error) {
    const { code, retryable } = factsOf(error);
    if (retryable) throw error;
    return unknown(`it could not be read back after a restart (${error instanceof UserError ? error.message : code})`);
  }
  const run = await lookedFor({ approval, action, responder, signal: ctx.signal }, deps);
  if (approval.sentAt !== undefined) {
    const seen = await confirm(run, confirmWithinMs, deps);
    if (seen.held) return verified(run, seen.now, 'found done after a restart', deps);
    if (seen.now === undefined) throw couldNotLook();
    return unknown(`AWS accepted the call at ${approval.sentAt}, but ${seen.because}`);
  }
  // A plan of which every call has its answer only has to be brought to its end, whatever is frozen or has expired since.
  if (!hasMoreToSend(run.approval)) return applyAndConfirm(run, deps);
  if (stepsDone(run.approval).length === 0) {
    const seen = await readUntil(run, lookForOwnChangeMs, () => ({ held: true }), deps);
    if (seen.now === undefined) throw couldNotLook();
    const { voids } = driftOf(approval, action, seen.now);
    const sent = approval.steps.length > 0;
    if (voids.length > 0 && sent) return unknown(`somebody else changed it (${voids.join('; ')})`);
    if (voids.length > 0) return settle(approval, 'failed', changedSince(voids), deps);
  }
  if (await permitted(run.approval, action, 'failed', 'Not sent again after a restart', deps))
    await applyAndConfirm(run, deps);
}

function changedSince(voids: readonly string[]): string {
  return `Nothing was written: the target changed after the plan was made (${voids.join('; ')}).`;
}

async function applyAndConfirm(run: Run, deps: ExecutorDeps): Promise<void> {
  const { approval } = run;
  const sent = await sendCalls(run, deps);
  if (sent.kind === 'found') {
    return verified(run, sent.now, `AWS's answer was lost (${sent.code}), the change was read back`, deps);
  }
  if (sent.kind === 'refused') {
    return settle(approval, sent.done === 0 ? 'failed' : 'partial', sent.outcome, deps);
  }
  deps.log.info({ approvalId: approval.id, requestIds: sent.requestIds }, 'AWS answered the calls of a plan');
  const { approval: now } = await deps.store.approvals.move(approval.id, (current) => ({
    sentAt: at(deps),
    audit: audit(current, 'execute', actor, at(deps), { calls: sent.calls, requestIds: sent.requestIds }),
  }));
  const seen = await confirm({ ...run, approval: now }, confirmWithinMs, deps);
  if (seen.held) return verified(run, seen.now, undefined, deps);
  await settle(
    approval,
    'failed',
    `NOT CONFIRMED: AWS accepted the call, but ${seen.because} after ${confirmWithinMs / 1000} s.`,
    deps,
  );
}

async function verified(run: Run, after: Plan['before'], note: string | undefined, deps: ExecutorDeps): Promise<void> {
  await deps.store.approvals.move(run.approval.id, (current) =>
    moveTo(current, 'verified', {
      event: current.plan.direction === 'undo' ? 'undo' : 'verify',
      actor,
      at: at(deps),
      after,
      ...(note === undefined ? {} : { payload: { note } }),
    }),
  );
  await lookAgain(run.approval.id, deps);
}

/** A second look follows in a minute: what holds now may be changed back by whoever holds other rights. */
async function lookAgain(approvalId: string, { queue }: ExecutorDeps): Promise<void> {
  await queue.add('containment.watch', { approvalId }, { id: `watch-${approvalId}`, delayMs: watchAfterMs });
}

async function settle(approval: Approval, state: ApprovalState, outcome: string, deps: ExecutorDeps): Promise<void> {
  await deps.store.approvals.move(approval.id, (current) =>
    moveTo(current, state, { event: state, actor, at: at(deps), outcome }),
  );
}

function assume(approval: Approval, { reach }: ExecutorDeps): Promise<AwsResponder> {
  return reach.responder({
    accountId: approval.plan.accountId,
    policy: approval.plan.sessionPolicy,
    caseId: approval.caseId,
    approvalId: approval.id,
    planHash: approval.planHash,
    requester: approval.requester.userId,
    approver: approval.votes
      .filter((vote) => vote.vote === 'approve')
      .map((vote) => vote.userId)
      .join('+'),
  });
}

function at({ clock }: Pick<ExecutorDeps, 'clock'>): string {
  return clock.now().toISOString();
}
