/**
 * After a containment of a credential: what else of the family still works? Asked again and again until nothing is left; told in
 * the thread of the approval's card when something is new, with the missing steps as buttons.
 */
import type { Approval } from '../contracts/approval.ts';
import type { Artifact } from '../contracts/artifact.ts';
import { asError } from '../contracts/errors.ts';
import type { Report } from '../contracts/investigation.ts';
import type { Message } from '../contracts/message.ts';
import { type AliveItem, digestOf } from '../domain/alive.ts';
import { bold, line } from '../domain/phrases.ts';
import { reportMessage } from '../domain/report-wording.ts';
import { placesOf, tellThreads } from './approval-places.ts';
import { containButtons, offersOf } from './contain-buttons.ts';
import type { WorkerDeps } from './deps.ts';
import { windowOf } from './window-of.ts';

const minute = 60_000;
/** CloudTrail is late by up to 15 minutes: what was done in the last moment before the containment shows only then. */
const settledAfterMs = 30 * minute;
/** Longer than any temporary credential lives; what is left then is somebody's decision, and is said once more. */
const aliveForMs = 7 * 24 * 60 * minute;
const credentialKinds: readonly Artifact['kind'][] = ['accessKey', 'user', 'role', 'session', 'federatedUser'];

/** How long until the next look, ms: soon at first, since CloudTrail is late by minutes, then every hour. */
function nextAliveLook(sinceMs: number): number {
  if (sinceMs < 10 * minute) return 2 * minute;
  return sinceMs < 60 * minute ? 10 * minute : 60 * minute;
}

/** Job `containment.alive`. Reads with the audit role. */
export async function lookForAlive(
  { approvalId }: { readonly approvalId: string },
  ctx: { readonly signal: AbortSignal; readonly last: boolean },
  deps: WorkerDeps,
): Promise<void> {
  const approval = await deps.store.approvals.get(approvalId);
  const action = deps.actions.find((candidate) => candidate.name === approval?.plan.action);
  const before = await deps.store.aliveLooks.last(approvalId);
  if (approval === undefined || action === undefined || before?.over === true) return;
  const artifact = action.artifact(approval.plan.target as never, approval.plan.before as never);
  const undone = await deps.store.approvals.undoFor(approvalId);
  const isOurs = approval.state === 'verified' && approval.plan.direction === 'apply';
  if (!isOurs || undone?.state === 'verified' || !credentialKinds.includes(artifact.kind))
    return over(approvalId, deps);
  const places = await placesOf(approval, deps);
  const report = await ask(artifact, new Date(approval.createdAt), ctx, deps);
  if (places.length === 0 || report === undefined) return;
  const { items, nothingLeft } = report.answer as { items: readonly AliveItem[]; nothingLeft: boolean };
  const digest = digestOf(items, report.coverage.complete);
  const now = deps.clock.now();
  const sinceMs = now.getTime() - Date.parse(approval.sentAt ?? approval.createdAt);
  const isLast = (nothingLeft && sinceMs > settledAfterMs) || sinceMs > aliveForMs;
  const isNews = digest !== before?.digest || isLast;
  const news = (before?.news ?? 0) + (isNews ? 1 : 0);
  if (isNews) {
    const message = await messageOf(approval, report, { isLast, nothingLeft }, deps);
    await tellThreads(`alive:${approvalId}:${news}`, places, message, deps);
  }
  await deps.store.aliveLooks.save(approvalId, { digest, news, over: isLast }, now.toISOString());
  if (isLast) return;
  const delayMs = nextAliveLook(sinceMs);
  const id = `alive-${approvalId}-${Math.round((now.getTime() + delayMs) / minute)}`;
  await deps.queue.add('containment.alive', { approvalId }, { id, delayMs });
}

/** For the sweep: looks whose turn has passed, because a job was lost. */
export async function queueAliveLooks({
  store,
  queue,
  clock,
}: Pick<WorkerDeps, 'store' | 'queue' | 'clock'>): Promise<void> {
  const now = clock.now().getTime();
  const since = new Date(now - aliveForMs - 24 * 60 * minute).toISOString();
  const missed = new Date(now - 75 * minute).toISOString();
  for (const approvalId of await store.aliveLooks.waiting(since, missed, 50)) {
    await queue.add('containment.alive', { approvalId }, { id: `alive-${approvalId}-late` });
  }
}

async function over(approvalId: string, { store, clock }: WorkerDeps): Promise<void> {
  await store.aliveLooks.save(approvalId, { digest: '', news: 0, over: true }, clock.now().toISOString());
}

async function ask(
  artifact: Artifact,
  anchor: Date,
  ctx: { readonly signal: AbortSignal; readonly last: boolean },
  deps: WorkerDeps,
): Promise<Report | undefined> {
  try {
    return await familyReport([artifact.id], anchor, ctx.signal, deps);
  } catch (error) {
    if (!ctx.last) throw error;
    deps.log.warn({ error: asError(error) }, 'what is still alive could not be asked; it is asked again');
    return undefined;
  }
}

/** The answer of the investigation `alive` about one actor, known by several names. Throws what it throws. */
export async function familyReport(
  seeds: readonly string[],
  /** The window reaches back from here, and up to now: what was made stays in sight for as long as it is looked for. */
  anchor: Date,
  signal: AbortSignal,
  deps: WorkerDeps,
): Promise<Report> {
  const unit = deps.investigations.find(({ name }) => name === 'alive');
  const [artifact, ...also] = seeds;
  if (unit === undefined || artifact === undefined) throw new RangeError('there is nothing to ask about');
  const { pivot } = deps.settings;
  const evidence = await deps.openEvidence({
    accounts: undefined,
    regions: undefined,
    window: { ...windowOf({ target: {} }, pivot.window, anchor), to: deps.clock.now().toISOString() },
    maxRequests: pivot.maxRequests,
    maxEvents: pivot.maxEvents,
    signal,
    onProgress: () => undefined,
  });
  return unit.run(unit.target.parse({ artifact, also }), {
    evidence,
    aws: deps.reach,
    offers: offersOf(deps.actions),
    signal,
    progress: () => undefined,
    now: () => deps.clock.now(),
  });
}

async function messageOf(
  approval: Approval,
  report: Report,
  { isLast, nothingLeft }: { isLast: boolean; nothingLeft: boolean },
  deps: WorkerDeps,
): Promise<Message> {
  const told = reportMessage(report);
  const proposals = report.proposals.slice(0, 10);
  const buttons = await containButtons(`alive:${approval.id}`, approval.caseId, proposals, deps);
  const ending = nothingLeft
    ? isLast
      ? 'It is not looked at again.'
      : 'It is looked at again until CloudTrail has caught up; you are told when something changes.'
    : isLast
      ? 'It was looked at for a week and is not looked at again by itself: `/ir alive` asks again.'
      : 'It is looked at again by itself; you are told when something changes.';
  return {
    text: report.headline,
    parts: [
      { kind: 'lines', lines: [line(bold('What is still alive: '), report.headline), line(ending)] },
      ...told.parts,
      ...(buttons.length === 0 ? [] : [{ kind: 'buttons' as const, buttons }]),
    ],
  };
}
