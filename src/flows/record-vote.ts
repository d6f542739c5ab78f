/** vote -> who is it -> one database transition -> hand over to the executor when it is enough. */
import type { Approval, Vote } from '../contracts/approval.ts';
import { asError, UserError } from '../contracts/errors.ts';
import type { JobContext, Jobs } from '../contracts/job.ts';
import type { VoteRequest } from '../contracts/store.ts';
import { closedTo } from '../domain/access.ts';
import { audit, castVote } from '../domain/approval.ts';
import { brokenGlass } from '../domain/break-glass.ts';
import { refusal } from '../domain/phrases.ts';
import { breakGlassRights } from './break-glass.ts';
import { channelRefusal } from './channel-refusal.ts';
import { tellOne } from './deliver.ts';
import type { WorkerDeps } from './deps.ts';
import { rightsOf, touchedBy } from './rights-of.ts';
import { approvingRefusalOf, type Concerning, lookedOnHost, standingOf, toldOrAgain } from './standing.ts';

type Needs = Pick<WorkerDeps, 'store' | 'queue' | 'chat' | 'clock' | 'settings' | 'log' | 'actions'>;

const words = { approve: 'approve', reject: 'reject', withdraw: 'withdraw' } as const;

/** Job `approval.vote`. The same vote may run twice; it counts once. `since`: when the first of votes that were cast by one click was looked at. */
export async function recordVote(
  { voteId }: { readonly voteId: string },
  ctx: Pick<JobContext, 'attempt' | 'last'>,
  deps: Needs,
  since = deps.clock.now(),
): Promise<void> {
  const vote = await deps.store.approvals.vote(voteId);
  if (vote === undefined) return;
  try {
    await count(voteId, vote, { attempt: ctx.attempt, since }, deps);
  } catch (error) {
    if (!(error instanceof UserError) && !ctx.last) throw error;
    const approval = await deps.store.approvals.get(vote.approvalId);
    const isCounted = approval?.votes.some(
      (cast) => cast.userId === vote.userId && cast.vote === vote.vote && cast.breakGlass === vote.breakGlass,
    );
    deps.log.error({ voteId, isCounted, error: asError(error) }, 'a vote could not be carried to its end');
    // A counted vote stands: what is left to do (card, executor) is the sweep's. What nobody counted was acknowledged all the
    // same, so its end is told and audited like a refusal, and it is over: it must not count after that.
    if (approval !== undefined && isCounted !== true) {
      await tellRefusal(voteId, vote, approval, 'it could not be counted in time, vote again', deps);
    }
  }
  await deps.store.approvals.voteHandled(voteId, deps.clock.now().toISOString());
}

async function count(
  voteId: string,
  vote: VoteRequest,
  { attempt, since }: Pick<JobContext, 'attempt'> & { readonly since: Date },
  deps: Needs,
): Promise<void> {
  const voted = await deps.store.approvals.get(vote.approvalId);
  const onHost = vote.door === 'host';
  const notProved = await deps.store.stepUp.refusal(voteId);
  const proofs = await deps.store.stepUp.proofs(vote.approvalId);
  const isProved = proofs.some(({ userId, planHash }) => userId === vote.userId && planHash === voted?.planHash);
  const about = voted && concerning(voted, 'approve', deps, vote.breakGlass !== undefined);
  // Nobody is judged by the config alone before the executor has seen their code.
  const looked = await (onHost && isProved
    ? lookedOnHost(vote.userId, 'approver', deps, about)
    : approvingRefusalOf(vote.userId, deps, { since, ...about }).then((found) => toldOrAgain(found, { attempt })));
  const ofCase = voted && (await deps.store.cases.get(voted.caseId));
  const closed = closedTo(ofCase, vote.userId);
  const shared = vote.vote === 'approve' && !onHost ? await channelRefusal(vote.channel, deps) : undefined;
  const action = deps.actions.find((candidate) => candidate.name === voted?.plan.action);
  const rights = voted && action ? rightsOf(action, voted.plan.accountId, deps) : { stepUp: false, alone: false };
  const isBreaking = voted && action && vote.vote === 'approve' && vote.breakGlass !== undefined;
  const breakGlass = isBreaking ? breakGlassRights(action, voted.plan, ofCase?.alert?.type, deps) : undefined;
  const { frozen } = await deps.store.settings.frozen();
  let refused: string | undefined;
  let isRepeat = false;
  const { approval } = await deps.store.approvals.move(vote.approvalId, (current) => {
    const outcome = castVote(current, {
      userId: vote.userId,
      person: looked.person,
      vote: vote.vote,
      at: vote.at,
      refusal: closed ?? (onHost ? (notProved ?? looked.refusal) : (shared ?? looked.refusal ?? notProved)),
      mode: deps.settings.mode,
      rights: { ...rights, breakGlass },
      proved: proofs.filter(({ userId }) => userId === vote.userId).map(({ planHash }) => planHash),
      door: vote.door,
      hostUser: vote.hostUser,
      breakGlass: vote.vote === 'approve' ? vote.breakGlass : undefined,
      frozen,
    });
    if ('refused' in outcome) refused = outcome.refused;
    isRepeat = 'repeat' in outcome;
    return 'transition' in outcome ? outcome.transition : undefined;
  });
  if (refused !== undefined) await tellRefusal(voteId, vote, approval, refused, deps);
  else if (onHost) await deps.store.host.answer(voteId, countedWords(approval, isRepeat, deps), vote.at);
  await announce(approval, deps);
  if (approval.state === 'approved') await handOver(approval, deps);
}

/** A code that came with what had counted before need not have been right. */
function countedWords({ state }: Approval, isRepeat: boolean, { settings: { mode } }: Needs): string {
  const byHand = `. The mode is ${mode}: Firebreak runs nothing, the commands of the plan are run by hand`;
  return `Counted${isRepeat ? ' before' : ''}; it is ${state}${state === 'approved' && mode !== 'execute' ? byHand : ''}.`;
}

/** What the policies and the target say of those who have a say in this plan. */
export function concerning(
  { plan }: Approval,
  way: 'ask' | 'approve',
  deps: Pick<Needs, 'actions' | 'settings'>,
  isBreaking = false,
): Concerning {
  const action = deps.actions.find((candidate) => candidate.name === plan.action);
  if (action === undefined) return { crowds: [], touched: [] };
  const rights = rightsOf(action, plan.accountId, deps);
  const named = isBreaking ? (rights.breakGlass?.crowds ?? []) : [];
  return { crowds: [...rights[way], ...named], touched: touchedBy(action, plan) };
}

async function tellRefusal(
  voteId: string,
  vote: VoteRequest,
  approval: Approval,
  because: string,
  deps: Needs,
): Promise<void> {
  const door = vote.door === undefined ? {} : { door: vote.door, hostUser: vote.hostUser ?? null };

  await deps.store.audit.append(
    audit(
      approval,
      vote.breakGlass === undefined ? 'vote.refused' : 'break-glass.refused',
      vote.userId,
      deps.clock.now().toISOString(),
      {
        ...{ vote: vote.vote, because, ...door },
        ...(vote.breakGlass === undefined ? {} : { reason: vote.breakGlass }),
      },
    ),
  );
  const sentence = `You cannot ${words[vote.vote]} this: ${because}.`;
  if (vote.door === 'host') return deps.store.host.answer(voteId, sentence, vote.at);
  const { channel, userId, threadTs } = vote;
  await tellOne({ channel, userId, threadTs, message: refusal(sentence, undefined) }, deps);
}

/** In the modes observe and propose nothing is handed over: the card shows the commands instead. */
async function handOver(approval: Approval, { queue, settings, clock }: Needs): Promise<void> {
  if (settings.mode !== 'execute') return;
  // The steps of a strike are approved at one moment: one look at who approved them, after it, is enough for all.
  const since = clock.now().toISOString();
  await queue.add('approval.admit', { approvalId: approval.id, since }, { id: `admit-${approval.id}` });
}

/** One that waits shows the newest truth when it runs, and what is announced while one runs is shown after it. */
export async function announce({ id }: Approval, { queue }: Pick<WorkerDeps, 'queue'>): Promise<void> {
  await queue.add('approval.changed', { approvalId: id }, { id: `changed-${id}` });
}

/** Job `approval.admit`: looks at everybody's standing once more, stores it, and calls the executor. */
export async function admitApproval({ approvalId, since: asked }: Jobs['approval.admit'], deps: Needs): Promise<void> {
  const approval = await deps.store.approvals.get(approvalId);
  if (approval === undefined || !['approved', 'applying'].includes(approval.state)) return;
  const since = asked === undefined ? undefined : new Date(asked);
  // Whoever approved, and broke the glass later, is one person with one standing.
  const approving = [
    ...new Map(approval.votes.flatMap((vote) => (vote.vote === 'approve' ? [[vote.userId, vote]] : []))).values(),
  ];
  const approvers = approving.map((vote) => vote.userId);
  const proofs = await deps.store.stepUp.proofs(approvalId);
  const provedOnHost = (vote: Vote) =>
    vote.door === 'host' &&
    proofs.some(({ userId, planHash }) => userId === vote.userId && planHash === approval.planHash);
  const asker = await standingOf(
    ...([approval.requester.userId, 'requester', concerning(approval, 'ask', deps), deps] as const),
    { onHost: approving.length > 0 && approving.every(provedOnHost), since },
  );
  const glass = brokenGlass(approval);
  const about = (vote: Vote) => concerning(approval, 'approve', deps, vote.userId === glass?.userId);
  const standings = await Promise.all(
    approving.map((vote) =>
      standingOf(vote.userId, 'approver', about(vote), deps, { onHost: provedOnHost(vote), since }),
    ),
  );
  // A lone on-call is both: what refuses him in either part refuses him.
  const asAsker = approvers.includes(asker.userId) ? [] : [asker];
  const both = standings.map((one) => (one.userId === asker.userId ? { ...asker, ...one } : one));
  await deps.store.approvals.setStanding(approvalId, [...asAsker, ...both]);
  await deps.queue.add('containment.run', { approvalId }, { id: `run-${approvalId}` });
}
