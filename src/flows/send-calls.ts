/**
 * The calls of a plan, one after the other: intent stored, sent, answer stored. THE place where Firebreak writes to AWS. Taken up
 * again after a crash it looks for each call that may have been carried out before it sends anything twice.
 */
import type { Approval, Plan, Step } from '../contracts/approval.ts';
import type { ApiCall } from '../contracts/aws.ts';
import { UpstreamError } from '../contracts/errors.ts';
import { audit } from '../domain/approval.ts';
import { type Filling, fill } from '../domain/blanks.ts';
import { sameState } from '../domain/plan.ts';
import { refusalAdvice } from '../domain/refusal-wording.ts';
import type { ExecutorDeps } from './deps.ts';
import { factsOf, lookForOwnChangeMs, type Run, readUntil, unreadable } from './read-back.ts';

const actor = 'firebreak executor';

/** Sent again they make a second thing, and AWS refuses nothing: they are looked for until AWS must show what the first has made. */
const makesAnother = /^(CreateSnapshots|SendCommand)$/;
const showsWithinMs = 60_000;

export type Sent =
  | { readonly kind: 'answered'; readonly calls: readonly ApiCall[]; readonly requestIds: readonly string[] }
  | { readonly kind: 'refused'; readonly done: number; readonly outcome: string };

export function stepsDone({ steps }: Pick<Approval, 'steps'>): readonly Step[] {
  return steps.filter(({ state }) => state === 'done');
}

/** From the first call that AWS has not answered. Throws a retryable UpstreamError where a call may have been carried out. */
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
    const call = filled(planned, { approvalId: id, caseId, now: deps.clock.now(), steps: approval.steps });
    if (call === undefined) {
      const refused = { index, state: 'refused', call: planned, code: 'NeedsAnEarlierAnswer', at: at(deps) } as const;
      approval = await note(run, refused, 'call.failed', deps);
      if (planned.goesOn !== true) break;
      continue;
    }
    const intent: Step = { index, state: 'intent', call, at: at(deps), ...foundBefore(run, index) };
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
        if (found.answer === undefined) {
          throw new UpstreamError('aws', facts.code, 'the write was not confirmed, it will be looked at again', {
            retryable: true,
            cause: error,
          });
        }
        approval = await noteFound(run, intent, found.answer, deps);
        continue;
      }
      // What was there already shows as done: when it was sent again (a policy deleted before the answer was lost), and where
      // somebody else took away in between what it was to take away.
      const mayBeDone = earlier !== undefined || facts.code.startsWith('NoSuchEntity');
      const gone = mayBeDone ? await foundDone({ ...run, approval }, intent, deps) : undefined;
      if (gone?.answer !== undefined) {
        approval = await noteFound(run, intent, gone.answer, deps);
        continue;
      }
      approval = await note(run, { ...intent, state: 'refused', code: facts.code }, 'call.failed', deps);
      if (planned.goesOn !== true) break;
    }
  }
  return endOf(approval);
}

/** What undo has to give back where somebody has changed it since the plan. */
function foundBefore({ approval, found }: Run, index: number): Pick<Step, 'found'> {
  return index > 0 || found === undefined || sameState(found, approval.plan.before) ? {} : { found };
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
  const named = [...Map.groupBy(refused, ({ call }) => call.operation)]
    .map(([operation, steps]) => {
      const all = plan.calls.filter((call) => call.operation === operation).length;
      const carried = done.filter(({ call }) => call.operation === operation).length;
      const which = steps.map(({ call, code }) => `${subjectOf(call)}: ${code}`).join(', ');
      return `${operation}${all > 1 ? ` (${carried} of ${all} carried out)` : ''}${which}`;
    })
    .join('; ');
  const outcome =
    done.length === 0
      ? `Nothing was written: AWS refused ${first?.call.operation} with ${first?.code}.`
      : `${done.length} of ${plan.calls.length} calls were carried out; AWS refused ${named}.`;
  const advice = refusalAdvice(refused.map(({ code }) => code));
  return { kind: 'refused', done: done.length, outcome: `${outcome}${advice}` };
}

/** What the call is about, where its input says: the id of an interface, a key, an instance; else the last thing that it names. */
function subjectOf({ input }: ApiCall): string {
  const texts = Object.entries(input).filter(([, value]) => typeof value === 'string');
  const byId = texts.find(([name]) => /(Id|Arn|SerialNumber)$/.test(name));
  const id = (byId ?? texts.findLast(([name]) => name.endsWith('Name')))?.[1];
  return id === undefined ? '' : ` of ${String(id)}`;
}

/** The call with its blanks filled, or undefined where an earlier call was refused whose answer it needs. */
function filled(planned: ApiCall, filling: Filling): ApiCall | undefined {
  try {
    return fill(planned, filling);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/**
 * Whether a call that may have been sent shows in what can be read: then what AWS would have answered. Throws UpstreamError where
 * nothing could be read.
 */
export async function foundDone(
  run: Run,
  { call, at: sentAt }: Step,
  deps: ExecutorDeps,
): Promise<{ answer: Readonly<Record<string, unknown>> | undefined; now: Plan['before'] }> {
  const { action, approval } = run;
  const { direction, before } = approval.plan;
  let answer: Readonly<Record<string, unknown>> | undefined;
  const shownBy = makesAnother.test(call.operation) ? Date.parse(sentAt) + showsWithinMs : 0;
  const seen = await readUntil(
    run,
    Math.max(lookForOwnChangeMs, shownBy - deps.clock.now().getTime()),
    (now) => {
      if (action.seen === undefined) {
        const held = action.verify(direction, before as never, now as never, [{ call, answer: {} }]);
        if (held.held) answer = {};
        return held;
      }
      answer = action.seen(call, now as never);
      return answer === undefined ? { held: false, because: 'the call does not show' } : { held: true };
    },
    deps,
  );
  if (seen.held || seen.now !== undefined)
    return { answer: seen.held ? answer : undefined, now: seen.now as Plan['before'] };
  throw unreadable(seen.error);
}

/** The answer was lost, the change was read back. */
export function noteFound(
  run: Run,
  step: Step,
  answer: Readonly<Record<string, unknown>>,
  deps: ExecutorDeps,
): Promise<Approval> {
  return note(run, { ...step, state: 'done', answer }, 'call.found', deps);
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
