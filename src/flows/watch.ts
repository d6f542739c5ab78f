/**
 * After the change was read back: does it still hold, and is the target still active? An attacker may have undone it, or may hold
 * what was minted before (DOMAIN.md 5.0, 5.2). Looked at again and again until the last of that has ended.
 */
import type { ContainmentAction, Held } from '../contracts/action.ts';
import type { Approval, Watched } from '../contracts/approval.ts';
import type { Artifact } from '../contracts/artifact.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { asError, NotFoundError } from '../contracts/errors.ts';
import { audit } from '../domain/approval.ts';
import { whatOf } from '../domain/approval-wording.ts';
import { awsErrorFacts } from '../domain/aws-errors.ts';
import { doneCalls } from '../domain/blanks.ts';
import { line, person, say } from '../domain/phrases.ts';
import { requestsFor, useRecordsOf } from '../domain/role-use.ts';
import { isNews, nextLook, watched, watchUntil, watchWords } from '../domain/watch.ts';
import { placesOf, tellThreads, unlessRefused } from './approval-places.ts';
import type { WorkerDeps } from './deps.ts';
import { inspectTarget } from './inspect-target.ts';
import { factsOf } from './read-back.ts';
import { announce } from './record-vote.ts';

/** Enough for the hours that are looked at; a target that does more is active, which is what must be said. */
const maxRequests = 120;
const ordinaryLifeMs = 60 * 60_000;
const longestSessionMs = 12 * 60 * 60_000;

/** Job `containment.watch`. Reads with the audit role, says in the card's thread what is new, and keeps it on the card. */
export async function watch(
  { approvalId }: { readonly approvalId: string },
  ctx: { readonly signal: AbortSignal; readonly last: boolean },
  deps: WorkerDeps,
): Promise<void> {
  const approval = await deps.store.approvals.get(approvalId);
  const action = deps.actions.find((candidate) => candidate.name === approval?.plan.action);
  // What was undone is meant to work again: there is nothing to watch.
  if (approval?.state !== 'verified' || approval.plan.direction === 'undo' || action === undefined) return;
  const undone = await deps.store.approvals.undoFor(approvalId);
  // Once an undo is applied the state is meant to differ. One that AWS refused has changed nothing: what was contained still is.
  if (undone !== undefined && mayHaveWritten(undone)) return;
  const places = await placesOf(approval, deps);
  if (places.length === 0) return;
  const seen = await look(approval, action, ctx, deps);
  const at = deps.clock.now();
  const news = isNews(seen, approval.watched);
  if (news) {
    const bad = seen.holds !== true || seen.succeeded > 0;
    const isFirst = approval.watched === undefined;
    const simulation = isFirst ? await effectOf(approval.plan, action, ctx.signal, deps) : undefined;
    const message = say(
      `${watchWords(seen)} (${whatOf(approval)})`,
      ...(simulation === undefined ? [] : [line(simulation)]),
      ...(bad ? [line(person(approval.requester.userId))] : []),
    );
    // Told before it is kept: what is kept is no news to the next try. The earlier look is in the key, since the same may
    // happen again, and twice is twice.
    const key = `watch:${approvalId}:${approval.watched?.through ?? 'first'}:${seen.holds}:${seen.failed ?? ''}:${seen.succeeded}:${seen.over}`;
    // A channel that is archived takes nothing, and must not end the watch.
    await unlessRefused(approval.channel, deps, () => tellThreads(key, places, message, deps));
  }
  const { approval: now } = await deps.store.approvals.move(approvalId, (current) => ({
    watched: seen,
    audit: audit(current, 'watch', 'firebreak', at.toISOString(), { ...seen }),
  }));
  if (news) await announce(now, deps);
  const delayMs = nextLook(approval.sentAt ?? approval.createdAt, seen.until, at);
  if (delayMs === undefined) return;
  const id = `watch-${approvalId}-${Math.round((at.getTime() + delayMs) / 60_000)}`;
  await deps.queue.add('containment.watch', { approvalId }, { id, delayMs });
}

function mayHaveWritten({ state, sentAt, steps }: Approval): boolean {
  return state === 'applying' || sentAt !== undefined || steps.some((step) => step.state !== 'refused');
}

async function look(
  approval: Approval,
  action: ContainmentAction,
  ctx: { readonly signal: AbortSignal; readonly last: boolean },
  deps: WorkerDeps,
): Promise<Watched> {
  const { plan } = approval;
  const sentAt = approval.sentAt ?? approval.createdAt;
  const lives = action.mintedLivesMs?.(plan.before as never);
  const until = watchUntil(sentAt, lives ?? ordinaryLifeMs);
  const found = await stillHolds(approval, action, ctx, deps);
  const artifact = action.artifact(plan.target as never, plan.before as never);
  const { records, missing } = await recordsSince(approval, artifact, sentAt, ctx.signal, deps);
  const done = doneCalls(approval.steps);
  const concerns = (record: CloudTrailRecord) => action.concerns?.(record, plan.target as never, done) ?? true;
  const explains = { concerns, refuses: action.refusesNothing !== true };
  const seen = watched(records, artifact, { sentAt, until }, deps.clock.now(), explains);
  return { ...seen, ...found, missing, ...(action.isPartial === undefined ? {} : { isPartial: true }) };
}

/** What the action says of its effect, where it says something; that it could not be asked is said too. */
async function effectOf(
  { direction, accountId, target, before }: Approval['plan'],
  action: ContainmentAction,
  signal: AbortSignal,
  { reach }: WorkerDeps,
): Promise<string | undefined> {
  if (direction !== 'apply' || action.effect === undefined) return undefined;
  try {
    const ctx = { aws: await reach.reader(accountId), signal, regions: () => reach.regions(accountId) };
    return await action.effect(target as never, before as never, ctx);
  } catch (error) {
    if (signal.aborted) throw error;
    return `What it changes could not be simulated: AWS answered ${awsErrorFacts(error).code}.`;
  }
}

/** `holds` is undefined where it could not be read, or where there is nothing any more that it could hold. */
async function stillHolds(
  approval: Approval,
  action: ContainmentAction,
  ctx: { readonly signal: AbortSignal; readonly last: boolean },
  deps: WorkerDeps,
): Promise<Pick<Watched, 'holds' | 'failed' | 'gone'>> {
  const { plan } = approval;
  try {
    const aws = await deps.reach.reader(plan.accountId);
    // With the pre-state: what is gone reads as gone then, and the same name made again is told apart.
    const looking = { ...deps, aws, signal: ctx.signal, planned: plan.before };
    const now = await inspectTarget(action, plan.target, looking);
    const held: Held = action.verify(plan.direction, plan.before as never, now as never, doneCalls(approval.steps));
    return held.held || held.final !== true ? { holds: held.held } : { holds: false, failed: held.because };
  } catch (error) {
    if (error instanceof NotFoundError) return { holds: undefined, gone: error.message };
    const { code, retryable } = factsOf(error);
    if (retryable && !ctx.last) throw error;
    deps.log.warn({ approvalId: approval.id, code }, 'what was contained could not be read again');
    return { holds: undefined };
  }
}

/**
 * CloudTrail knows whole seconds: what was refused in the second of the change has a time before it. The sessions of a role are known
 * by their taking, which was before the change.
 */
function watchedFrom({ kind }: Artifact, sentAt: string): string {
  const at = `${sentAt.slice(0, 19)}Z`;
  return kind === 'role' ? new Date(Date.parse(at) - longestSessionMs).toISOString() : at;
}

async function recordsSince(
  { plan }: Approval,
  artifact: Artifact,
  sentAt: string,
  signal: AbortSignal,
  deps: WorkerDeps,
) {
  try {
    const evidence = await deps.openEvidence({
      accounts: [plan.accountId],
      regions: undefined,
      window: { from: watchedFrom(artifact, sentAt), to: deps.clock.now().toISOString() },
      maxRequests: requestsFor(artifact, maxRequests),
      maxEvents: 20_000,
      signal,
      onProgress: () => undefined,
    });
    const { records, coverage, left } = await useRecordsOf(artifact, evidence);
    const lost = coverage.sources.filter((source) => source.failed || source.truncated).map((source) => source.name);
    return { records, missing: coverage.complete ? undefined : lost.slice(0, 3).join(', ') || left || 'see the pivot' };
  } catch (error) {
    deps.log.warn({ error: asError(error) }, 'the logs could not be read for a watch');
    return { records: [], missing: `the logs answered ${awsErrorFacts(error).code}` };
  }
}
