/**
 * The calls of a plan, one after the other: intent stored, sent, answer stored. THE place where Firebreak writes to AWS. Taken up
 * again after a crash it looks for each call that may have been carried out before it sends anything twice.
 */
import type { Approval, Plan, Step } from '../contracts/approval.ts';
import type { ApiCall } from '../contracts/aws.ts';
import { UpstreamError } from '../contracts/errors.ts';
import { audit } from '../domain/approval.ts';
import { fill } from '../domain/blanks.ts';
import type { ExecutorDeps } from './deps.ts';
import { couldNotLook, factsOf, lookForOwnChangeMs, type Run, readUntil } from './read-back.ts';

const actor = 'firebreak executor';

export type Sent =
  | { readonly kind: 'answered'; readonly calls: readonly ApiCall[]; readonly requestIds: readonly string[] }
  /** The answer to the only call was lost, and the change is there. */
  | { readonly kind: 'found'; readonly code: string; readonly now: Plan['before'] }
  | { readonly kind: 'refused'; readonly done: number; readonly outcome: string };

export function stepsDone({ steps }: Pick<Approval, 'steps'>): readonly Step[] {
  return steps.filter(({ state }) => state === 'done');
}

/**
 * After a restart: a call that may have been carried out is looked for, and noted as done where it shows, before anything is decided.
 * Throws UpstreamError where nothing could be read.
 */
export async function lookedFor(run: Run, deps: ExecutorDeps): Promise<Run> {
  let { approval } = run;
  for (const step of approval.steps.filter(({ state }) => state === 'intent')) {
    const found = await foundDone({ ...run, approval }, step, deps);
    if (found !== undefined)
      approval = await note(run, { ...step, state: 'done', answer: found.answer }, 'call.found', deps);
  }
  return { ...run, approval };
}

/** Whether a call is left that AWS has neither answered nor refused, and no refusal stands before it. */
export function hasMoreToSend({ plan, steps }: Pick<Approval, 'plan' | 'steps'>): boolean {
  for (const [index, { goesOn }] of plan.calls.entries()) {
    const state = steps.find((step) => step.index === index)?.state;
    if (state === 'refused' && goesOn !== true) return false;
    if (state !== 'done' && state !== 'refused') return true;
  }
  return false;
}

/** What is told of a plan whose other calls may not be sent any more: all that was carried out, by name. */
export function cutShort(approval: Pick<Approval, 'plan' | 'steps'>, because: string): string {
  const done = stepsDone(approval);
  const names = done.map(({ call }) => `${call.operation}${subjectOf(call)}`).join(', ');
  return `${done.length} of ${approval.plan.calls.length} calls were carried out (${names}); the others were not sent after a restart: ${because}.`;
}

/**
 * From the first call that AWS has not answered; `lookedFor` has told which those are. Throws a retryable UpstreamError where a call may
 * have been carried out.
 */
export async function sendCalls(run: Run, deps: ExecutorDeps): Promise<Sent> {
  const { plan, id, caseId } = run.approval;
  let approval = run.approval;
  for (const [index, planned] of plan.calls.entries()) {
    const earlier = approval.steps.find((step) => step.index === index);
    if (earlier?.state === 'done') continue;
    if (earlier?.state === 'refused') {
      if (planned.goesOn === true) continue;
      break;
    }
    const call = fill(planned, { approvalId: id, caseId, now: deps.clock.now(), steps: approval.steps });
    const intent: Step = { index, state: 'intent', call, at: at(deps) };
    approval = await note(run, intent, 'call', deps);
    try {
      const { requestId, answer } = await run.responder.write(call);
      approval = await note(run, { ...intent, state: 'done', requestId, answer, at: at(deps) }, undefined, deps);
    } catch (error) {
      const facts = factsOf(error);
      const failed = { code: facts.code, sent: stepsDone(approval).length };
      if (facts.ambiguous || facts.retryable) {
        await deps.store.audit.append(audit(approval, 'call.failed', actor, at(deps), failed));
        const found = await foundDone({ ...run, approval }, intent, deps);
        if (found === undefined) {
          throw new UpstreamError('aws', facts.code, 'the write was not confirmed, it will be looked at again', {
            retryable: true,
            cause: error,
          });
        }
        approval = await note(run, { ...intent, state: 'done', answer: found.answer }, 'call.found', deps);
        if (plan.calls.length === 1) return { kind: 'found', code: facts.code, now: found.now };
        continue;
      }
      approval = await note(run, { ...intent, state: 'refused', code: facts.code }, 'call.failed', deps);
      if (planned.goesOn !== true) break;
    }
  }
  return endOf(approval);
}

function endOf({ plan, steps }: Approval): Sent {
  const done = steps.filter(({ state }) => state === 'done');
  const refused = steps.filter(({ state }) => state === 'refused');
  if (refused.length === 0) {
    return {
      kind: 'answered',
      calls: done.map(({ call }) => call),
      requestIds: done.map((step) => step.requestId ?? ''),
    };
  }
  const [first] = refused;
  const named = refused.map(({ call, code }) => `${call.operation}${subjectOf(call)}: ${code}`).join('; ');
  const outcome =
    done.length === 0
      ? `Nothing was written: AWS refused ${first?.call.operation} with ${first?.code}.`
      : `${done.length} of ${plan.calls.length} calls were carried out; AWS refused ${named}.`;
  return { kind: 'refused', done: done.length, outcome };
}

/** What the call is about, where its input says: the id of an interface, a volume, an instance. */
function subjectOf({ input }: ApiCall): string {
  const id = Object.entries(input).find(([name, value]) => /(Id|Name)$/.test(name) && typeof value === 'string')?.[1];
  return id === undefined ? '' : ` of ${String(id)}`;
}

/** Whether a call that may have been sent shows in what can be read. Throws UpstreamError where nothing could be read. */
async function foundDone(
  run: Run,
  { call }: Step,
  deps: ExecutorDeps,
): Promise<{ answer: Readonly<Record<string, unknown>>; now: Plan['before'] } | undefined> {
  const { action, approval } = run;
  const { direction, before } = approval.plan;
  let answer: Readonly<Record<string, unknown>> = {};
  const seen = await readUntil(
    run,
    lookForOwnChangeMs,
    (now) => {
      if (action.seen === undefined) return action.verify(direction, before as never, now as never, [{ call, answer }]);
      const found = action.seen(call, now as never);
      if (found !== undefined) answer = found;
      return found === undefined ? { held: false, because: 'the call does not show' } : { held: true };
    },
    deps,
  );
  if (seen.held) return { answer, now: seen.now };
  if (seen.now === undefined) throw couldNotLook();
  return undefined;
}

/** Stores where a call stands, with its audit entry, in one transaction. */
async function note(run: Run, step: Step, event: string | undefined, deps: ExecutorDeps): Promise<Approval> {
  const { approval } = await deps.store.approvals.move(run.approval.id, (current) => ({
    step,
    audit: audit(current, event ?? 'call.answered', actor, at(deps), {
      index: step.index,
      call: step.call,
      ...(step.code !== undefined && { code: step.code, sent: stepsDone(current).length }),
      ...(step.requestId !== undefined && { requestId: step.requestId }),
    }),
  }));
  return approval;
}

function at({ clock }: Pick<ExecutorDeps, 'clock'>): string {
  return clock.now().toISOString();
}
