/** A plan for a case: asked -> what of the actor is alive -> one wish per step -> a card for all of them, and votes on all of them. */
import type { Approval } from '../contracts/approval.ts';
import { asError, UpstreamError, UserError } from '../contracts/errors.ts';
import type { JobContext } from '../contracts/job.ts';
import type { Strike } from '../contracts/strike.ts';
import type { AliveItem } from '../domain/alive.ts';
import { refusal } from '../domain/phrases.ts';
import { closedStrike } from '../domain/restricted-case.ts';
import { actingInstances, type StepState, strikeCard, strikeOf, strikeSeeds, votable } from '../domain/strike.ts';
import { familyReport } from './alive-look.ts';
import { fewIn, showToFew } from './approval-places.ts';
import { channelRefusal } from './channel-refusal.ts';
import { offersOf } from './contain-buttons.ts';
import { tellOne } from './deliver.ts';
import type { WebDeps, WorkerDeps } from './deps.ts';
import { queueStored } from './queue-stored.ts';
import { recordVote } from './record-vote.ts';
import { rightsOf } from './rights-of.ts';
import { askingRefusalOf, toldOrAgain } from './standing.ts';

type Asking = Pick<WebDeps, 'store' | 'queue' | 'clock' | 'settings' | 'log'>;

/** Stores the wish and queues it. Throws UserError where there is no such case, or nothing is proposed here. */
export async function askForStrike(
  input: {
    readonly caseId: string | undefined;
    readonly userId: string;
    readonly channelId: string;
    readonly threadTs?: string | undefined;
  },
  { store, queue, clock, settings, log }: Asking,
): Promise<string> {
  if (settings.mode === 'observe') throw new UserError('Firebreak runs in the mode observe: it proposes nothing.');
  const { channelId: channel, userId, threadTs } = input;
  const caseId = input.caseId ?? (threadTs === undefined ? undefined : await store.cases.ofMessage(channel, threadTs));
  if (caseId === undefined) {
    throw new UserError(
      'Contain what? Name an action and its target, or a case.',
      'A case: `/ir contain IR-12`. One action: `/ir contain disable-access-key AKIA...`; `/ir help contain` lists them.',
    );
  }
  const found = await store.cases.get(caseId);
  if (found === undefined) throw new UserError(`There is no case ${caseId}.`);
  if (found.restrictedTo?.includes(userId) === false) throw new UserError('This case is closed to a named few.');
  const at = clock.now().toISOString();
  const strikeId = await store.strikes.ask({ caseId, userId, channel, threadTs, at });
  await queueStored('strike.plan', { strikeId }, `strike-${strikeId}`, { queue, log });
  return caseId;
}

/** Job `strike.plan`. Reads only; the same strike gives the same steps, however often it runs. */
export async function planStrike(
  { strikeId }: { readonly strikeId: string },
  ctx: JobContext,
  deps: WorkerDeps,
): Promise<void> {
  const strike = await deps.store.strikes.get(strikeId);
  if (strike === undefined) return;
  try {
    if (strike.steps === undefined) await draw(strike, ctx, deps);
  } catch (error) {
    if (!(error instanceof UserError) && !ctx.last) throw error;
    deps.log.error({ strikeId, error: asError(error) }, 'a strike could not be planned');
    const because =
      error instanceof UserError || error instanceof UpstreamError ? error.message : 'it could not be looked up';
    await deps.store.strikes.plan(strikeId, [], [`Not planned: ${because}. Nothing was changed.`], now(deps));
    const { channel, userId, threadTs } = strike;
    await tellOne(
      { channel, userId, threadTs, message: refusal(`No plan for ${strike.caseId}: ${because}.`, undefined) },
      deps,
    );
  }
  const planned = await deps.store.strikes.get(strikeId);
  for (const { requestId } of planned?.steps ?? []) {
    await deps.queue.add('containment.plan', { requestId }, { id: `plan-${requestId}` });
  }
  await showStrike({ strikeId }, deps);
}

async function draw(strike: Strike, ctx: Pick<JobContext, 'attempt' | 'signal'>, deps: WorkerDeps): Promise<void> {
  const looked = toldOrAgain(await askingRefusalOf(strike.userId, deps), ctx);
  const refused = looked.refusal ?? (await channelRefusal(strike.channel, deps));
  if (refused !== undefined) throw new UserError(`you cannot ask for containment: ${refused}`);
  const found = await deps.store.cases.get(strike.caseId);
  if (found === undefined) throw new UserError(`there is no case ${strike.caseId}`);
  if (found.alert.sample) throw new UserError('the case is a sample: its resources are not real');
  const seeds = strikeSeeds(found.alert);
  if (seeds.length === 0) {
    throw new UserError(
      'the case names no key, identity, session or instance; a source address is never blocked, as it may be shared',
    );
  }
  const report = await familyReport(seeds, new Date(found.openedAt), ctx.signal, deps);
  const { items, tags } = report.answer as {
    items: readonly AliveItem[];
    tags: Parameters<typeof strikeOf>[0]['tags'];
  };
  const account = deps.settings.accounts.find(({ id }) => id === found.alert.accountId);
  const { steps, notes } = strikeOf({
    ...{ items, seeds, tags, offers: offersOf(deps.actions), owner: account?.owner },
    acting: actingInstances(found.alert),
  });
  const gap = report.coverage.complete
    ? []
    : ['Not everything could be looked at: he may hold more than this. `/ir alive` says what was left out.'];
  await deps.store.strikes.plan(strike.id, steps, [...gap, ...notes], now(deps));
}

/** Job `strike.changed`: the strike's card, brought to what the store holds now. */
export async function showStrike(
  { strikeId }: { readonly strikeId: string },
  deps: Pick<WorkerDeps, 'store' | 'chat' | 'clock' | 'settings' | 'actions' | 'log'>,
): Promise<void> {
  await deps.store.turn(`strike:${strikeId}`, async () => {
    const strike = await deps.store.strikes.get(strikeId);
    if (strike?.steps === undefined) return;
    const states: StepState[] = [];
    for (const step of strike.steps) {
      const approval = await deps.store.approvals.ofRequest(step.requestId);
      states.push({ step, approval, isPlanned: step.isPlanned });
    }
    // A code is given for one plan: the button of the whole cannot stand for it.
    const asksCode = ({ plan }: Approval) => {
      const action = deps.actions.find(({ name }) => name === plan.action);
      return action === undefined || rightsOf(action, plan.accountId, deps).stepUp;
    };
    const approvalIds = votable(states, asksCode).map(({ id }) => id);
    const button =
      approvalIds.length < 2
        ? undefined
        : await deps.store.buttons.mint(`strike:${strikeId}:${approvalIds.join(' ')}`, {
            kind: 'steps',
            strikeId,
            approvalIds,
          });
    const message = strikeCard(
      strike,
      states,
      button === undefined ? undefined : { id: button, votes: approvalIds.length },
    );
    const { channel, threadTs, caseId } = strike;
    const card = { key: `strike:${strikeId}`, channel, threadTs, message, closed: closedStrike(caseId) };
    await showToFew(card, fewIn(await deps.store.cases.get(caseId)), deps);
  });
}

/**
 * A click on the strike's Approve: one vote on each of the steps that were on the card, each stored like a vote on its own card.
 * Durable when it returns.
 */
export async function voteOnSteps(
  click: { readonly userId: string; readonly channelId: string; readonly threadTs?: string | undefined },
  approvalIds: readonly string[],
  { store, queue, clock, log }: Asking,
): Promise<void> {
  const at = clock.now().toISOString();
  const voteIds: string[] = [];
  for (const approvalId of approvalIds) {
    // A step that was decided on its own card meanwhile is not voted on again.
    if ((await store.approvals.get(approvalId))?.state !== 'proposed') continue;
    const { userId, channelId: channel, threadTs } = click;
    voteIds.push(await store.approvals.saveVote({ approvalId, userId, vote: 'approve', channel, threadTs, at }));
  }
  const [first] = voteIds;
  if (first === undefined) throw new UserError('None of these steps waits for a decision any more.');
  await queueStored('strike.vote', { voteIds }, `strike-vote-${first}`, { queue, log });
}

/** Job `strike.vote`: one after the other, so that evidence is approved, and runs, before what would destroy it. */
export async function recordStrikeVote(
  { voteIds }: { readonly voteIds: readonly string[] },
  ctx: Pick<JobContext, 'attempt' | 'last'>,
  deps: WorkerDeps,
): Promise<void> {
  const since = deps.clock.now();
  for (const voteId of voteIds) await recordVote({ voteId }, ctx, deps, since);
}

function now({ clock }: Pick<WorkerDeps, 'clock'>): string {
  return clock.now().toISOString();
}
