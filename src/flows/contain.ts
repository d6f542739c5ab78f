/**
 * The executor: the whole approval checked again -> drift? -> intent -> apply -> read back -> result. The only flow that
 * writes to AWS, at one call site. A crash at any point is taken up again by the same job (safety rules 1 and 2).
 */
import type { ContainmentAction } from '../contracts/action.ts';
import type { Approval, ApprovalState, Plan } from '../contracts/approval.ts';
import type { AwsResponder } from '../contracts/aws.ts';
import { NotFoundError, UpstreamError, UserError } from '../contracts/errors.ts';
import { audit, mayExecute, moveTo } from '../domain/approval.ts';
import { bindsOf, compared, turnOf } from '../domain/plan.ts';
import { refusalAdvice } from '../domain/refusal-wording.ts';
import type { ExecutorDeps } from './deps.ts';
import { executionFacts } from './execution-facts.ts';
import { callsFor } from './inspect-target.ts';
import { confirm, confirmWithin, factsOf, inspectRun, type Run, readOnce } from './read-back.ts';
import { announce } from './record-vote.ts';
import { foundDone, noteFound, sendCalls, stepsDone } from './send-calls.ts';

const actor = 'firebreak executor';
const watchAfterMs = 60_000;
/** IAM reads are right at once; who did what else is asked again later. */
const aliveAfterMs = 10_000;

/**
 * Job `containment.run`. One at a time for a target: a stalled job that is run again must not write beside the first, and of
 * two equal plans the later must see what the earlier has changed.
 */
export async function contain(
  { approvalId }: { readonly approvalId: string },
  ctx: { readonly signal: AbortSignal; readonly last: boolean },
  deps: ExecutorDeps,
): Promise<void> {
  const wanted = await deps.store.approvals.get(approvalId);
  if (wanted === undefined) return;
  let waits = false;
  try {
    waits = await deps.store.turn(`run:${turnOf(wanted.plan)}`, () => carryOn(approvalId, ctx, deps));
  } finally {
    // However it went, the card must say where it stands; a crash before this is caught by the sweep. Of one that waits nothing is new.
    const now = waits ? undefined : await deps.store.approvals.get(approvalId);
    if (now !== undefined) await announce(now, deps);
  }
}

/** From wherever the approval stands. True where it waits for an earlier step. */
async function carryOn(
  approvalId: string,
  ctx: { readonly signal: AbortSignal; readonly last: boolean },
  deps: ExecutorDeps,
): Promise<boolean> {
  const approval = await deps.store.approvals.get(approvalId);
  if (approval === undefined) return false;
  const action = deps.actions.find((candidate) => candidate.name === approval.plan.action);
  // Steps of one strike run in its order: evidence is kept before what destroys it. The sweep comes back for this one.
  if (approval.state === 'approved' && (await waitsForEarlier(approval, deps))) return true;
  if (approval.state === 'approved') await begin(approval, action, ctx, deps);
  else if (approval.state === 'applying') await resume(approval, action, ctx, deps);
  return false;
}

/** Only for what is approved and not over: nobody waits for a step that nobody has said yes to. The next one looks each second. */
async function waitsForEarlier({ id }: Approval, { store, queue }: ExecutorDeps): Promise<boolean> {
  const before = await store.strikes.earlier(id);
  for (const [index, earlier] of before.entries()) {
    const state = (await store.approvals.get(earlier))?.state;
    if (state !== 'approved' && state !== 'applying') continue;
    const delayMs = Math.min(before.length - index, 10) * 1_000;
    await queue.add('containment.run', { approvalId: id }, { id: `run-${id}-after-${earlier}`, delayMs });
    return true;
  }
  return false;
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
  // Asked again: assuming the role and looking took time, in which somebody may have frozen all writes, and showed what is there.
  if (!(await permitted(approval, action, 'stale', 'Nothing was written', deps, prepared.found))) return;
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
    // A freeze in this very moment is not overtaken; undo is allowed under one.
    return begun && { ...begun, ...(current.plan.direction === 'apply' && { unlessFrozen: true }) };
  });
  if (moved) await applyAndConfirm({ ...prepared, approval: applying, action, signal: ctx.signal }, deps);
}

/** The whole approval, checked where the write happens. False when it was settled, or when Slack is asked first. */
async function permitted(
  approval: Approval,
  action: ContainmentAction,
  otherwise: 'stale' | 'failed',
  said: string,
  deps: ExecutorDeps,
  found?: Plan['before'],
): Promise<boolean> {
  const verdict = mayExecute(approval, await executionFacts(approval, action, deps, found));
  if (verdict.kind === 'yes') return true;
  if (verdict.kind === 'ask-standing') {
    await deps.queue.add('approval.admit', { approvalId: approval.id }, { id: `admit-${approval.id}`, delayMs: 1_000 });
    return false;
  }
  await settle(approval, otherwise === 'failed' ? 'failed' : verdict.state, `${said}: ${verdict.because}.`, deps);
  return false;
}

/** The responder session and the drift check. Undefined when the approval was settled instead. */
async function prepare(
  approval: Approval,
  action: ContainmentAction,
  ctx: { readonly signal: AbortSignal; readonly last: boolean },
  deps: ExecutorDeps,
): Promise<{ responder: AwsResponder; found: Plan['before']; told: readonly string[] } | undefined> {
  let doing = 'when its responder role was to be assumed';
  try {
    const responder = await assume(approval, deps);
    doing = 'when the target was to be read';
    const found = await inspectRun({ approval, action, responder, signal: ctx.signal }, deps);
    const { voids, told } = driftOf(approval, action, found);
    if (voids.length === 0) return { responder, found, told };
    const outcome = `Nothing was written: the target changed after the plan was made (${voids.join('; ')}).`;
    await settle(approval, 'stale', outcome, deps);
  } catch (error) {
    const { code, retryable } = factsOf(error);
    if (retryable && !ctx.last) throw error;
    const because = error instanceof UserError ? error.message : `AWS answered ${code} ${doing}`;
    const advice = error instanceof UserError ? '' : refusalAdvice([code]);
    const outcome = `Nothing was written: ${because}.${advice}`;
    await settle(approval, error instanceof NotFoundError ? 'stale' : 'failed', outcome, deps);
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
  const run: Run = { approval, action, responder, signal: ctx.signal };
  try {
    if (approval.sentAt !== undefined) return await confirmSent(run, 'found done after a restart', deps);
    const looked = await lookForOpenCall(run, deps);
    const isUntouched = looked.approval.steps.every(({ state }) => state === 'intent');
    if (isUntouched) {
      const { voids } = driftOf(looked.approval, action, looked.now);
      if (voids.length > 0) return await unknown(`somebody else changed it (${voids.join('; ')})`);
    }
    if (!(await mayGoOn(looked, deps))) return;
    await applyAndConfirm(isUntouched ? { ...looked, found: looked.now } : looked, deps);
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.retryable) throw error;
    return unknown(error.message);
  }
}

/**
 * A call that was about to be sent when the process died may have been carried out. Gives the approval with what was found, and
 * what was read. Throws UpstreamError where the target cannot be read.
 */
async function lookForOpenCall(run: Run, deps: ExecutorDeps): Promise<Run & { readonly now: Plan['before'] }> {
  const open = run.approval.steps.find(({ state }) => state === 'intent');
  if (open === undefined) return { ...run, now: await readOnce(run, deps) };
  const found = await foundDone(run, open, deps);
  return {
    ...run,
    approval: found.answer === undefined ? run.approval : await noteFound(run, open, found.answer, deps),
    now: found.now,
  };
}

/** What is left to send is sent under every check; what was half applied is told as that where it may not go on. */
async function mayGoOn(run: Run & { readonly now: Plan['before'] }, deps: ExecutorDeps): Promise<boolean> {
  const { approval, action, now } = run;
  if (approval.plan.calls.length === stepsDone(approval).length) return true;
  const done = stepsDone(approval).length;
  if (done === 0) return permitted(approval, action, 'failed', 'Not sent again after a restart', deps, now);
  const verdict = mayExecute(approval, await executionFacts(approval, action, deps));
  if (verdict.kind === 'yes') return true;
  const because = verdict.kind === 'no' ? verdict.because : 'who approved it could not be looked at again';
  const outcome = `${done} of ${approval.plan.calls.length} calls were carried out, the rest was not sent after a restart: ${because}.`;
  await settle(approval, 'partial', outcome, deps);
  return false;
}

async function applyAndConfirm(run: Run, deps: ExecutorDeps): Promise<void> {
  const sent = await sendCalls(run, deps);
  if (sent.kind === 'refused') {
    return settle(run.approval, sent.done === 0 ? 'failed' : 'partial', sent.outcome, deps);
  }
  deps.log.info({ approvalId: run.approval.id, requestIds: sent.requestIds }, 'AWS answered the calls of a plan');
  const { approval } = await deps.store.approvals.move(run.approval.id, (current) => ({
    sentAt: at(deps),
    audit: audit(current, 'execute', actor, at(deps), { calls: sent.calls, requestIds: sent.requestIds }),
  }));
  await confirmSent({ ...run, approval }, undefined, deps);
}

async function confirmSent(run: Run, note: string | undefined, deps: ExecutorDeps): Promise<void> {
  const withinMs = confirmWithin(run);
  const seen = await confirm(run, withinMs, deps);
  if (seen.held) return verified(run, seen.now, note, deps);
  const waited = seen.final === true ? '' : ` after ${withinMs / 1000} s`;
  await settle(run.approval, 'failed', `NOT CONFIRMED: AWS accepted the call, but ${seen.because}${waited}.`, deps);
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
  // What was undone is meant to work again.
  if (run.approval.plan.direction === 'apply') await lookAgain(run.approval.id, deps);
}

/** A second look follows in a minute: what holds now may be changed back by whoever holds other rights. */
async function lookAgain(approvalId: string, { queue }: ExecutorDeps): Promise<void> {
  await queue.add('containment.watch', { approvalId }, { id: `watch-${approvalId}`, delayMs: watchAfterMs });
  await queue.add('containment.alive', { approvalId }, { id: `alive-${approvalId}`, delayMs: aliveAfterMs });
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
