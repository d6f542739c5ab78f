/**
 * The executor: the whole approval checked again -> drift? -> intent -> apply -> read back -> result. The only flow that
 * writes to AWS, at one call site. A crash at any point is taken up again by the same job (safety rules 1 and 2).
 */
import type { ContainmentAction, Held } from '../contracts/action.ts';
import type { Approval, ApprovalState, Plan } from '../contracts/approval.ts';
import type { AwsResponder } from '../contracts/aws.ts';
import { NotFoundError, UpstreamError, UserError } from '../contracts/errors.ts';
import { audit, mayExecute, moveTo } from '../domain/approval.ts';
import { awsErrorFacts } from '../domain/aws-errors.ts';
import { drift, sameState } from '../domain/plan.ts';
import type { ExecutorDeps } from './deps.ts';
import { executionFacts } from './execution-facts.ts';
import { announce } from './record-vote.ts';

const actor = 'firebreak executor';
/** How long reading back may take until the result is called "not confirmed". IAM reads are consistent within seconds. */
const confirmWithinMs = 30_000;
/** After a crash: how long to look for our own change before sending it again. */
const lookForOwnChangeMs = 5_000;
const watchAfterMs = 60_000;

interface Run {
  readonly approval: Approval;
  readonly action: ContainmentAction;
  readonly responder: AwsResponder;
  readonly signal: AbortSignal;
}

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
  const responder = await prepare(approval, action, ctx, deps);
  if (responder === undefined) return;
  // Asked again: assuming the role and looking took time, in which somebody may have frozen all writes.
  if (!(await permitted(approval, action, 'stale', 'Nothing was written', deps))) return;
  const { approval: applying, moved } = await deps.store.approvals.move(approval.id, (current) =>
    moveTo(current, 'applying', {
      event: 'intent',
      actor,
      at: now(deps),
      payload: { calls: approval.plan.calls, role: approval.plan.responderRole, before: approval.plan.before },
    }),
  );
  if (moved) await applyAndConfirm({ approval: applying, action, responder, signal: ctx.signal }, deps);
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
  await settle(approval, otherwise === 'failed' ? 'failed' : verdict.state, `${said}: ${verdict.because}.`, deps);
  return false;
}

/** The responder session and the drift check. Undefined when the approval was settled instead. */
async function prepare(
  approval: Approval,
  action: ContainmentAction,
  ctx: { readonly signal: AbortSignal; readonly last: boolean },
  deps: ExecutorDeps,
): Promise<AwsResponder | undefined> {
  try {
    const responder = await assume(approval, deps);
    const found = await inspect({ approval, action, responder, signal: ctx.signal });
    if (sameState(found, approval.plan.before)) return responder;
    const changes = drift(approval.plan.before, found).join('; ');
    await settle(
      approval,
      'stale',
      `Nothing was written: the target changed after the plan was made (${changes}).`,
      deps,
    );
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

/**
 * After a crash: our own change may have been carried out, so it is looked for before anything is sent again. Sending again
 * is a write like any other: only what was surely not sent, on a target that is as it was approved, under every check.
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
  const seen = await confirm(run, approval.sentAt === undefined ? lookForOwnChangeMs : confirmWithinMs, deps);
  if (seen.held) return verified(run, seen.now, 'found done after a restart', deps);
  if (seen.now === undefined) {
    throw new UpstreamError('aws', 'CouldNotLook', 'the target could not be read, so nothing is sent', {
      retryable: true,
    });
  }
  if (approval.sentAt !== undefined) return unknown(`AWS accepted the call at ${approval.sentAt}, but ${seen.because}`);
  if (!sameState(seen.now, approval.plan.before)) {
    return unknown(`somebody else changed it (${drift(approval.plan.before, seen.now).join('; ')})`);
  }
  if (await permitted(approval, action, 'failed', 'Not sent again after a restart', deps))
    await applyAndConfirm(run, deps);
}

async function applyAndConfirm(run: Run, deps: ExecutorDeps): Promise<void> {
  const { approval, responder } = run;
  const requestIds: string[] = [];
  try {
    for (const call of approval.plan.calls) {
      await deps.store.audit.append(audit(approval, 'call', actor, now(deps), { call }));
      // THE one place where Firebreak writes to AWS.
      requestIds.push((await responder.write(call)).requestId);
    }
  } catch (error) {
    const facts = factsOf(error);
    const failed = { code: facts.code, sent: requestIds.length, requestIds };
    await deps.store.audit.append(audit(approval, 'call.failed', actor, now(deps), failed));
    if (facts.ambiguous || facts.retryable) {
      const seen = await confirm(run, lookForOwnChangeMs, deps);
      if (seen.held) {
        return verified(run, seen.now, `AWS's answer was lost (${facts.code}), the change was read back`, deps);
      }
      throw new UpstreamError('aws', facts.code, 'the write was not confirmed, it will be looked at again', {
        retryable: true,
        cause: error,
      });
    }
    const done = requestIds.length;
    const outcome =
      done === 0
        ? `Nothing was written: AWS refused ${approval.plan.calls[0]?.operation} with ${facts.code}.`
        : `${done} of ${approval.plan.calls.length} calls were carried out, then AWS answered ${facts.code}.`;
    return settle(approval, done === 0 ? 'failed' : 'partial', outcome, deps);
  }
  deps.log.info({ approvalId: approval.id, requestIds }, 'AWS answered the calls of a plan');
  await deps.store.approvals.move(approval.id, (current) => ({
    sentAt: now(deps),
    audit: audit(current, 'execute', actor, now(deps), { calls: approval.plan.calls, requestIds }),
  }));
  const seen = await confirm(run, confirmWithinMs, deps);
  if (seen.held) return verified(run, seen.now, undefined, deps);
  await settle(
    approval,
    'failed',
    `NOT CONFIRMED: AWS accepted the call, but ${seen.because} after ${confirmWithinMs / 1000} s.`,
    deps,
  );
}

/**
 * Reads back until the wanted state is seen or the time is over. `now` is what was read last; undefined where nothing could be
 * read, which is not the same as another state.
 */
async function confirm(
  run: Run,
  withinMs: number,
  { clock, log }: ExecutorDeps,
): Promise<{ held: true; now: Plan['before'] } | { held: false; because: string; now: Plan['before'] | undefined }> {
  const { approval, action } = run;
  const until = clock.now().getTime() + withinMs;
  let pauseMs = 200;
  let last: Plan['before'] | undefined;
  for (;;) {
    let because: string;
    try {
      const found = await inspect(run);
      last = found;
      const held: Held = action.verify(approval.plan.direction, approval.plan.before as never, found as never);
      if (held.held) return { held: true, now: found };
      because = held.because;
    } catch (error) {
      because = `reading back failed with ${factsOf(error).code}`;
      log.warn({ approvalId: approval.id, code: factsOf(error).code }, 'reading back failed');
    }
    if (clock.now().getTime() + pauseMs > until) return { held: false, because, now: last };
    await clock.sleep(pauseMs, run.signal);
    pauseMs = Math.min(pauseMs * 2, 3_000);
  }
}

async function verified(run: Run, after: Plan['before'], note: string | undefined, deps: ExecutorDeps): Promise<void> {
  await deps.store.approvals.move(run.approval.id, (current) =>
    moveTo(current, 'verified', {
      event: current.plan.direction === 'undo' ? 'undo' : 'verify',
      actor,
      at: now(deps),
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
    moveTo(current, state, { event: state, actor, at: now(deps), outcome }),
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

async function inspect({ approval, action, responder, signal }: Run): Promise<Plan['before']> {
  const { target, before: planned } = approval.plan;
  return (await action.inspect(target as never, { aws: responder, signal, planned })) as Plan['before'];
}

function factsOf(error: unknown): { code: string; retryable: boolean; ambiguous: boolean } {
  if (error instanceof UpstreamError) return { code: error.code, retryable: error.retryable, ambiguous: false };
  if (error instanceof UserError) return { code: error.name, retryable: false, ambiguous: false };
  return awsErrorFacts(error);
}

function now({ clock }: Pick<ExecutorDeps, 'clock'>): string {
  return clock.now().toISOString();
}
