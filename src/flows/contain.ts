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
import { protectedTarget } from './locate-target.ts';
import { announce } from './record-vote.ts';

const actor = 'firebreak executor';
/** How long reading back may take until the result is called "not confirmed". IAM reads are consistent within seconds. */
const confirmWithinMs = 30_000;
/** After a crash: how long to look for our own change before sending it again. */
const lookForOwnChangeMs = 5_000;
const standingMaxAgeMs = 5 * 60_000;

interface Run {
  readonly approval: Approval;
  readonly action: ContainmentAction;
  readonly responder: AwsResponder;
  readonly signal: AbortSignal;
}

/** Job `containment.run`. */
export async function contain(
  { approvalId }: { readonly approvalId: string },
  ctx: { readonly signal: AbortSignal; readonly last: boolean },
  deps: ExecutorDeps,
): Promise<void> {
  const approval = await deps.store.approvals.get(approvalId);
  if (approval === undefined) return;
  const action = deps.actions.find((candidate) => candidate.name === approval.plan.action);
  if (approval.state === 'approved') await begin(approval, action, ctx, deps);
  else if (approval.state === 'applying') await resume(approval, action, ctx, deps);
  // A crash between the last transition and the card leaves the card behind: the job says it again.
  const now = await deps.store.approvals.get(approvalId);
  if (now !== undefined) await announce(now, deps);
}

async function begin(
  approval: Approval,
  action: ContainmentAction | undefined,
  ctx: { readonly signal: AbortSignal; readonly last: boolean },
  deps: ExecutorDeps,
): Promise<void> {
  if (action === undefined) return settle(approval, 'stale', 'this version does not know the action', deps);
  const verdict = mayExecute(approval, await executionFacts(approval, action, deps));
  if (verdict.kind === 'ask-standing') {
    await deps.queue.add('approval.admit', { approvalId: approval.id }, { id: `admit-${approval.id}` });
    return;
  }
  if (verdict.kind === 'no') return settle(approval, verdict.state, `Nothing was written: ${verdict.because}.`, deps);
  const ready = await prepare(approval, action, ctx, deps);
  if (ready === undefined) return;
  const { approval: applying, moved } = await deps.store.approvals.move(approval.id, (current) =>
    moveTo(current, 'applying', {
      event: 'intent',
      actor,
      at: now(deps),
      payload: { calls: approval.plan.calls, role: approval.plan.responderRole, before: approval.plan.before },
    }),
  );
  if (moved) await applyAndConfirm({ approval: applying, action, responder: ready, signal: ctx.signal }, deps);
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

/** After a crash: our own change may have been carried out. It is looked for before anything is sent again. */
async function resume(
  approval: Approval,
  action: ContainmentAction | undefined,
  ctx: { readonly signal: AbortSignal },
  deps: ExecutorDeps,
): Promise<void> {
  if (action === undefined)
    return settle(approval, 'failed', 'Unknown state: this version does not know the action.', deps);
  const run: Run = { approval, action, responder: await assume(approval, deps), signal: ctx.signal };
  const seen = await confirm(run, lookForOwnChangeMs, deps);
  if (seen.held) return verified(run, seen.now, 'found done after a restart', deps);
  await applyAndConfirm(run, deps);
}

async function applyAndConfirm(run: Run, deps: ExecutorDeps): Promise<void> {
  const { approval, responder } = run;
  const requestIds: string[] = [];
  try {
    // THE one place where Firebreak writes to AWS.
    for (const call of approval.plan.calls) requestIds.push((await responder.write(call)).requestId);
  } catch (error) {
    const facts = factsOf(error);
    if (facts.ambiguous || facts.retryable) {
      const seen = await confirm(run, lookForOwnChangeMs, deps);
      if (seen.held)
        return verified(run, seen.now, `AWS's answer was lost (${facts.code}), the change was read back`, deps);
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
  await deps.store.audit.append(
    audit(approval, 'execute', actor, now(deps), { calls: approval.plan.calls, requestIds }),
  );
  const seen = await confirm(run, confirmWithinMs, deps);
  if (seen.held) return verified(run, seen.now, undefined, deps);
  await settle(
    approval,
    'failed',
    `NOT CONFIRMED: AWS accepted the call, but ${seen.because} after ${confirmWithinMs / 1000} s.`,
    deps,
  );
}

/** Reads back until the wanted state is seen or the time is over. Trouble in reading counts as not seen. */
async function confirm(
  run: Run,
  withinMs: number,
  { clock, log }: ExecutorDeps,
): Promise<{ held: true; now: Plan['before'] } | { held: false; because: string }> {
  const { approval, action } = run;
  const until = clock.now().getTime() + withinMs;
  let pauseMs = 200;
  for (;;) {
    let because: string;
    try {
      const found = await inspect(run);
      const held: Held = action.verify(approval.plan.direction, approval.plan.before as never, found as never);
      if (held.held) return { held: true, now: found };
      because = held.because;
    } catch (error) {
      because = `reading back failed with ${factsOf(error).code}`;
      log.warn({ approvalId: approval.id, code: factsOf(error).code }, 'reading back failed');
    }
    if (clock.now().getTime() + pauseMs > until) return { held: false, because };
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
  return (await action.inspect(approval.plan.target as never, { aws: responder, signal })) as Plan['before'];
}

async function executionFacts(approval: Approval, action: ContainmentAction, deps: ExecutorDeps) {
  const { settings, store } = deps;
  const { plan } = approval;
  return {
    now: now(deps),
    mode: settings.mode,
    frozen: (await store.settings.frozen()).frozen,
    standings: await store.approvals.standings(approval.id),
    standingMaxAgeMs,
    listedApprovers: settings.rules.approvers.users.length === 0 ? undefined : settings.rules.approvers.users,
    protectedBecause: protectedTarget(action, plan.target, plan.before, plan, settings) ?? roleDrift(plan, settings),
  };
}

/** The role of the plan must still be the config's, or the write would go where nobody approved. */
function roleDrift(plan: Plan, settings: ExecutorDeps['settings']): string | undefined {
  const role = settings.accounts.find((account) => account.id === plan.accountId)?.responderRole;
  return role === plan.responderRole ? undefined : 'the responder role in the config is not the one of the plan';
}

function factsOf(error: unknown): { code: string; retryable: boolean; ambiguous: boolean } {
  if (error instanceof UpstreamError) return { code: error.code, retryable: error.retryable, ambiguous: false };
  if (error instanceof UserError) return { code: error.name, retryable: false, ambiguous: false };
  return awsErrorFacts(error);
}

function now({ clock }: Pick<ExecutorDeps, 'clock'>): string {
  return clock.now().toISOString();
}
