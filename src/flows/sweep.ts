/** What fell between two stools is picked up again: stored but not queued, approved but not run, shown but not truly, expired. */
import type { JobName, Jobs } from '../contracts/job.ts';
import { moveTo } from '../domain/approval.ts';
import { queueAliveLooks } from './alive-look.ts';
import { announceEnrollments } from './announce-enrollments.ts';
import type { WorkerDeps } from './deps.ts';
import { announceFreeze } from './lift-freeze.ts';
import { queueNotices } from './notify.ts';
import { announce } from './record-vote.ts';
import { sweepNoise } from './sweep-noise.ts';

type Needs = Pick<WorkerDeps, 'store' | 'queue' | 'chat' | 'clock' | 'settings' | 'log'>;

const batch = 200;
/** Younger things are still on their ordinary way. */
const restMs = 20_000;
/** Less than what the executor accepts. */
const standingFreshMs = 2 * 60_000;
const longestPauseMs = 60 * 60_000;

/**
 * Returns the sweep, which runs every few seconds in the worker, in several processes at once where there are several. What
 * is picked up again and again is picked up ever more rarely, so that a hopeless thing does not eat what others need.
 */
export function openSweep(deps: Needs): () => Promise<void> {
  const { store, queue, clock, settings } = deps;
  const paces = new Map<string, { pauseMs: number; nextAt: number }>();

  /** Queues a job again unless it is there; a job that waits for its next try is not brought forward. */
  async function again<Name extends JobName>(name: Name, payload: Jobs[Name], id: string): Promise<void> {
    const now = clock.now().getTime();
    const pace = paces.get(id);
    if (pace !== undefined && now < pace.nextAt) return;
    await queue.add(name, payload, { id, delayMs: 0 });
    // Only what was queued counts: after an outage of the queue nothing may wait for as long as that took.
    const pauseMs = Math.min((pace?.pauseMs ?? restMs / 2) * 2, longestPauseMs);
    paces.set(id, { pauseMs, nextAt: now + pauseMs });
  }

  async function stored(olderThan: string): Promise<void> {
    for (const alertId of await store.alerts.unhandled(olderThan, batch)) {
      await again('alert.received', { alertId }, `alert-${alertId}`);
    }
    for (const investigationId of await store.investigations.unfinished(olderThan, batch)) {
      await again('investigation.run', { investigationId }, `investigation-${investigationId}`);
    }
    for (const caseId of await store.enrichments.unfinished(olderThan, batch)) {
      await again('case.enrich', { caseId }, `enrich-${caseId}`);
    }
    for (const subscriptionId of await store.subscriptions.unhandled(olderThan, batch)) {
      await again('sns.subscription', { subscriptionId }, `subscription-${subscriptionId}`);
    }
    for (const strikeId of await store.strikes.unplanned(olderThan, batch)) {
      await again('strike.plan', { strikeId }, `strike-${strikeId}`);
    }
    const { requests, votes } = await store.approvals.unhandled(olderThan, batch);
    for (const requestId of requests) await again('containment.plan', { requestId }, `plan-${requestId}`);
    for (const voteId of votes) {
      // A vote whose code the executor has not looked at yet must not be counted without it.
      if (await store.stepUp.hasCode(voteId)) await again('approval.prove', { voteId }, `prove-${voteId}`);
      else await again('approval.vote', { voteId }, `vote-${voteId}`);
    }
    for (const approval of await store.approvals.notShown(batch)) {
      const latest =
        [approval.createdAt, approval.sentAt ?? '', ...approval.votes.map(({ at }) => at)].sort().at(-1) ?? '';
      if (latest < olderThan)
        await again('approval.changed', { approvalId: approval.id }, `shown-${approval.id}-${approval.state}`);
    }
  }

  /** A watch lives in the queue; one that was lost there is taken up again. Looks come hourly, and CloudTrail is 15 minutes late. */
  async function unwatched(now: Date): Promise<void> {
    const since = new Date(now.getTime() - 2 * 60 * 60_000).toISOString();
    for (const { id: approvalId } of await store.approvals.unwatched(since, batch)) {
      await again('containment.watch', { approvalId }, `watch-${approvalId}-again`);
    }
  }

  async function expired(now: string): Promise<void> {
    // Where Firebreak runs nothing, an approved plan stays on its card: somebody may be running its commands by hand.
    const states = settings.mode === 'execute' ? (['proposed', 'approved'] as const) : (['proposed'] as const);
    for (const approval of await store.approvals.inState(states, batch)) {
      if (now < approval.expiresAt) continue;
      const { approval: after, moved } = await store.approvals.move(approval.id, (current) =>
        moveTo(current, 'expired', {
          event: 'expire',
          actor: 'firebreak',
          at: now,
          outcome: `Nothing was written: it expired at ${current.expiresAt}.`,
        }),
      );
      if (moved) await announce(after, deps);
    }
  }

  /** What is half applied is looked after in every mode: the executor then reads, and decides whether it may do more. */
  async function running(now: Date): Promise<void> {
    const states = settings.mode === 'execute' ? (['approved', 'applying'] as const) : (['applying'] as const);
    const freshSince = new Date(now.getTime() - standingFreshMs).toISOString();
    for (const approval of await store.approvals.inState(states, batch)) {
      const standings = await store.approvals.standings(approval.id);
      // Slack answers few questions a minute: who was looked at a moment ago is not looked at again.
      const asked = standings.length > 0 && standings.every(({ checkedAt }) => checkedAt > freshSince);
      const { id: approvalId } = approval;
      if (asked) await queue.add('containment.run', { approvalId }, { id: `run-${approvalId}`, delayMs: 0 });
      else await queue.add('approval.admit', { approvalId }, { id: `admit-${approvalId}`, delayMs: 0 });
    }
  }

  // What a dead process left is not on its way any more: the first look waits for nothing.
  let waitMs = 0;
  return async () => {
    const now = clock.now();
    for (const [id, pace] of paces) if (now.getTime() > pace.nextAt + longestPauseMs) paces.delete(id);
    await stored(new Date(now.getTime() - waitMs).toISOString());
    await sweepNoise(again, new Date(now.getTime() - waitMs).toISOString(), deps);
    waitMs = restMs;
    await expired(now.toISOString());
    await running(now);
    await unwatched(now);
    await queueNotices(deps);
    await queueAliveLooks(deps);
    // Last: where Slack is down, nothing else waits for it.
    await announceFreeze(deps);
    await announceEnrollments(deps);
  };
}
