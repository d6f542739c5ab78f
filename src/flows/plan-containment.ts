/** wish -> who asks -> where is it -> inspect -> plan, hashed -> approval card. Reads only; nothing is written to AWS. */
import type { ContainmentAction } from '../contracts/action.ts';
import type { Applied, Approval, Plan, PlanContext } from '../contracts/approval.ts';
import { UserError } from '../contracts/errors.ts';
import type { JobContext } from '../contracts/job.ts';
import type { ContainmentRequest } from '../contracts/store.ts';
import { closedTo } from '../domain/access.ts';
import { isOver, isUndoable } from '../domain/approval.ts';
import { sentCalls } from '../domain/blanks.ts';
import { bindsOf, cliCommand, drift, planHash, sameState, targetWords, wishOf } from '../domain/plan.ts';
import { blastRadius } from './blast-radius.ts';
import { channelRefusal } from './channel-refusal.ts';
import { completed } from './complete-target.ts';
import type { WorkerDeps } from './deps.ts';
import { callsFor, inspectTarget, sessionPolicyOf } from './inspect-target.ts';
import { cautionOf, checkContainable, locate } from './locate-target.ts';
import { factsOf } from './read-back.ts';
import { rightsOf, touchedBy } from './rights-of.ts';
import { isShown, refuse, sayThatItTakesLonger, showPlan, voidUnseen } from './show-plan.ts';
import { askingRefusalOf, lookedOnHost, toldOrAgain } from './standing.ts';

interface Drawn {
  readonly plan: Plan;
  readonly context: PlanContext;
  readonly required: number;
}

/** Job `containment.plan`. The same request gives the same approval, however often it runs. */
export async function planContainment(
  { requestId }: { readonly requestId: string },
  ctx: JobContext,
  deps: WorkerDeps,
): Promise<void> {
  const request = await deps.store.approvals.request(requestId);
  if (request === undefined) return;
  try {
    // After a crash the plan may be stored but not shown. It is not drawn again: its own undo would be "there already".
    const approval =
      (await deps.store.approvals.ofRequest(requestId)) ?? (await propose(requestId, request, ctx, deps));
    await showPlan(request, approval, deps);
    if (request.door === 'host') await deps.store.host.answer(requestId, 'The plan is made.', approval.createdAt);
  } catch (error) {
    const hopeless = error instanceof UserError || !factsOf(error).retryable;
    if (!hopeless && !ctx.last) {
      // A stumble is over by the second try; who waits for longer must know that nothing has happened yet.
      if (ctx.attempt === 2) await sayThatItTakesLonger(request, error, deps);
      throw error;
    }
    // A card that is there speaks for itself; what went wrong after it is the sweep's to mend.
    if (!(await isShown(requestId, deps))) {
      await voidUnseen(requestId, error, deps);
      await refuse(requestId, request, error, deps);
    }
  }
  await deps.store.approvals.requestHandled(requestId, deps.clock.now().toISOString());
  const strikeId = await deps.store.strikes.ofRequest(requestId);
  if (strikeId !== undefined) await deps.queue.add('strike.changed', { strikeId }, { id: strikeId });
}

async function propose(
  requestId: string,
  request: ContainmentRequest,
  ctx: Pick<JobContext, 'attempt' | 'signal'>,
  deps: WorkerDeps,
): Promise<Approval> {
  if (deps.settings.mode === 'observe') throw new UserError('Firebreak runs in the mode observe: it proposes nothing.');
  const onHost = request.door === 'host';
  const looked = await (onHost
    ? lookedOnHost(request.userId, 'requester', deps)
    : askingRefusalOf(request.userId, deps).then((found) => toldOrAgain(found, ctx)));
  if (looked.refusal !== undefined) throw new UserError(`You cannot ask for containment: ${looked.refusal}.`);
  const about = request.caseId === undefined ? undefined : await deps.store.cases.get(request.caseId);
  const closed = closedTo(about, request.userId);
  if (closed !== undefined) throw new UserError(`You cannot ask for containment: ${closed}.`);
  const shared = onHost ? undefined : await channelRefusal(request.channel, deps);
  if (shared !== undefined) throw new UserError(`You cannot ask for containment: ${shared}.`);
  const { plan, context, required } =
    request.undoOf === undefined
      ? await drawApply(request, ctx.signal, deps)
      : await drawUndo(request.undoOf, ctx.signal, deps);
  await mayAskForIt(request, plan, ctx, deps);
  // A double click is two wishes at once: one of them at a time looks whether the other waits already, and whether it is itself.
  return deps.store.turn(`wish:${wishOf(plan)}`, async () => {
    const mine = await deps.store.approvals.ofRequest(requestId);
    if (mine !== undefined) return mine;
    await refuseTwin(plan, request.door, deps);
    const at = deps.clock.now();
    return deps.store.approvals.propose({
      requestId,
      caseId: await caseOf(request, plan, at, deps),
      plan,
      planHash: planHash(plan),
      context,
      requester: { userId: request.userId, person: looked.person },
      required,
      createdAt: at.toISOString(),
      expiresAt: new Date(at.getTime() + expiryMinutes(plan, deps) * 60_000).toISOString(),
      undoOf: request.undoOf,
      channel: request.channel,
    });
  });
}

/**
 * Throws UserError where the same is waiting for a decision, or on its way: two that run side by side would undo each other's calls.
 * Where Firebreak runs nothing, what is approved lies on its card for ever and holds nobody up.
 */
async function refuseTwin(plan: Plan, door: ContainmentRequest['door'], deps: WorkerDeps): Promise<void> {
  const { store, settings } = deps;
  const isOnItsWay = ({ state }: Approval) => state === 'proposed' || settings.mode === 'execute';
  const twin = (await store.approvals.open()).find((other) => isOnItsWay(other) && wishOf(other.plan) === wishOf(plan));
  if (twin === undefined) return;
  // Whoever asks again may not find its card: where somebody deleted it, it is posted anew.
  const id = `twin-${twin.id}-${deps.clock.now().getTime()}`;
  await deps.queue.add('approval.changed', { approvalId: twin.id }, { id });
  const where =
    twin.state === 'proposed' ? 'waits for a decision already' : 'is approved already and being carried out';
  throw new UserError(
    `The same plan ${where} (case ${twin.caseId}).`,
    door === 'host'
      ? `It is ${twin.id}: \`firebreak ir approve ${twin.id}\` shows it.`
      : 'Its card is in the channel; `/ir approvals` lists it.',
  );
}

/** An alert of this age is still what a typed wish is about. */
const caseDays = 7;

async function caseOf(request: ContainmentRequest, plan: Plan, at: Date, deps: WorkerDeps): Promise<string> {
  const { store } = deps;
  const undone = request.undoOf === undefined ? undefined : await store.approvals.get(request.undoOf);
  const known = request.caseId ?? undone?.caseId;
  if (known !== undefined) return known;
  const action = deps.actions.find((candidate) => candidate.name === plan.action);
  const about = action?.artifact(plan.target as never, plan.before as never);
  const since = new Date(at.getTime() - caseDays * 86_400_000).toISOString();
  const alerted = about && (await store.cases.naming(about.id, plan.accountId, since));
  if (alerted !== undefined) return alerted;
  return store.cases.openByHand({
    title: `${plan.action} ${targetWords(plan.target)}`,
    channel: request.channel,
    accountId: plan.accountId,
    at: at.toISOString(),
  });
}

/** Who may ask at all was looked at before; here it is known what for. */
async function mayAskForIt(
  request: ContainmentRequest,
  plan: Plan,
  ctx: Pick<JobContext, 'attempt'>,
  deps: WorkerDeps,
): Promise<void> {
  const action = deps.actions.find((candidate) => candidate.name === plan.action);
  if (action === undefined) return;
  const concerning = { crowds: rightsOf(action, plan.accountId, deps).ask, touched: touchedBy(action, plan) };
  const { refusal: refused } = await (request.door === 'host'
    ? lookedOnHost(request.userId, 'requester', deps, concerning)
    : askingRefusalOf(request.userId, deps, concerning).then((found) => toldOrAgain(found, ctx)));
  if (refused !== undefined) throw new UserError(`You cannot ask for this: ${refused}.`);
}

function expiryMinutes(plan: Plan, deps: WorkerDeps): number {
  const action = deps.actions.find((candidate) => candidate.name === plan.action);
  const ordinary = deps.settings.approvals.expiryMinutes;
  return Math.min(ordinary, (action && rightsOf(action, plan.accountId, deps).expiryMinutes) ?? ordinary);
}

async function drawApply(request: ContainmentRequest, signal: AbortSignal, deps: WorkerDeps): Promise<Drawn> {
  const action = deps.actions.find((candidate) => candidate.name === request.action);
  if (action === undefined) throw new UserError(`There is no action "${request.action.slice(0, 40)}".`);
  const target = action.parse(request.words) as Plan['target'];
  const opened = request.caseId === undefined ? undefined : await deps.store.cases.get(request.caseId);
  const { aws, before } = await locate(action, target, opened?.alert.accountId, signal, deps);
  const complete = await completed(action, target, before, aws, signal, deps);
  // As if the calls had been sent already: a document that is there, word for word, needs no plan.
  const sent = action.apply(complete as never, before as never).map((call) => ({ call, answer: {} }));
  if (sent.length === 0 || action.verify('apply', before as never, before as never, sent).held) {
    throw new UserError(`Nothing to do: ${action.describe(target as never, before as never)} already.`);
  }
  return drawn({ action, direction: 'apply', target: complete, before, aws, signal }, deps);
}

async function drawUndo(undoOf: string, signal: AbortSignal, deps: WorkerDeps): Promise<Drawn> {
  const done = await deps.store.approvals.get(undoOf);
  // What AWS accepted and nobody could confirm can be undone too, once it is seen to be there.
  const undoable = done !== undefined && isUndoable(done);
  if (done === undefined || !undoable || done.plan.direction !== 'apply') {
    throw new UserError('Only what was applied can be undone.');
  }
  const earlier = await deps.store.approvals.undoFor(undoOf);
  if (earlier !== undefined && (!isOver(earlier.state) || earlier.state === 'verified')) {
    throw new UserError(`An undo of it is there already; it is ${earlier.state}.`);
  }
  const action = deps.actions.find((candidate) => candidate.name === done.plan.action);
  if (action === undefined || !('undo' in action)) throw new UserError('This action cannot be undone.');
  const aws = await deps.reach.reader(done.plan.accountId);
  const before = await inspectTarget(action, done.plan.target, { ...deps, aws, signal });
  // What was sent and never answered may be there as well: it is undone where it is seen to be.
  const applied = sentCalls(done.steps);
  const isPartial = done.state === 'partial' || done.steps.some(({ state }) => state === 'refused');
  // What an undo has begun is brought to its end: the actions undo only what still shows as theirs.
  const isBegun = earlier?.steps.some(({ state }) => state === 'done') === true;
  const isThere =
    isPartial || isBegun || action.verify('apply', done.plan.before as never, before as never, applied).held;
  const at = done.sentAt ?? done.steps.at(-1)?.at ?? done.createdAt;
  const restores = { before: done.steps[0]?.found ?? done.plan.before, done: applied, at };
  // What could not be confirmed may be there in part, where an attacker has changed the rest of it back at once.
  const left = callsFor(action, { direction: 'undo', target: done.plan.target, restores }, before) ?? [];
  if (done.after === undefined && left.length === 0) {
    throw new UserError(`Nothing to undo: ${action.describe(done.plan.target as never, before as never)}.`);
  }
  const binds = bindsOf(action);
  if (done.after !== undefined && !isBegun && !(isThere && sameState(binds(before), binds(done.after)))) {
    throw new UserError(
      `Not undone: something else changed it since. ${drift(done.after, before).join('; ')}.`,
      'Look at who did that first: pivot on the target.',
    );
  }
  const alertType = (await deps.store.cases.brief(done.caseId))?.alertType;
  return drawn({ action, direction: 'undo', target: done.plan.target, before, restores, alertType, aws, signal }, deps);
}

async function drawn(
  input: {
    action: ContainmentAction;
    direction: Plan['direction'];
    target: Plan['target'];
    before: Plan['before'];
    restores?: Applied;
    alertType?: string | undefined;
    aws: Parameters<ContainmentAction['inspect']>[1]['aws'];
    signal: AbortSignal;
  },
  deps: WorkerDeps,
): Promise<Drawn> {
  const { action, direction, target, before, restores, aws, signal } = input;
  const checked = checkContainable(action, target, before, aws, deps, await deps.reach.self());
  const asked = { direction, target, before, ...(restores && { restores }) };
  const caution = cautionOf(action, asked, deps.clock.now(), input.alertType);
  const { responderRole } = checked;
  const more = caution !== undefined && caution.approvals > checked.required ? caution : undefined;
  const required = more?.approvals ?? checked.required;
  const because = more?.because ?? checked.because;
  const calls = callsFor(action, { direction, target, ...(restores && { restores }) }, before) ?? [];
  if (calls.length === 0) throw new UserError(`Nothing to do: ${action.describe(target as never, before as never)}.`);
  const bare = {
    action: action.name,
    direction,
    accountId: aws.accountId,
    partition: aws.partition,
    target,
    before,
    calls,
    responderRole,
    ...(restores && { restores }),
  };
  const plan: Plan = { ...bare, sessionPolicy: sessionPolicyOf(action, bare, calls) };
  const use = await blastRadius(action, target, before, aws, signal, deps);
  return {
    plan,
    required,
    context: {
      ...use,
      willNotStop: direction === 'apply' ? action.willNotStop(before as never) : [],
      reversal:
        direction === 'undo'
          ? 'Ask for the containment again.'
          : 'reversal' in action
            ? action.reversal
            : action.irreversible,
      cli: calls.map(cliCommand),
      approvalsBecause: because,
    },
  };
}
