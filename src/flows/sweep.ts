/** What fell between two stools is picked up again: stored but not queued, approved but not run, proposed but expired. */
import { moveTo } from '../domain/approval.ts';
import type { WorkerDeps } from './deps.ts';
import { announce } from './record-vote.ts';

type Needs = Pick<WorkerDeps, 'store' | 'queue' | 'clock' | 'settings' | 'log'>;

const batch = 200;
/** Younger things are still on their ordinary way. */
const restMs = 20_000;

/** Runs every few seconds in the worker; each step may run in several processes at once. */
export async function sweep(deps: Needs): Promise<void> {
  const { store, queue, clock, settings } = deps;
  const now = clock.now();
  const olderThan = new Date(now.getTime() - restMs).toISOString();
  for (const alertId of await store.alerts.unhandled(olderThan, batch)) {
    await queue.add('alert.received', { alertId }, { id: `alert-${alertId}` });
  }
  for (const investigationId of await store.investigations.unfinished(olderThan, batch)) {
    await queue.add('investigation.run', { investigationId }, { id: `investigation-${investigationId}` });
  }
  for (const approval of await store.approvals.inState(['proposed', 'approved'], batch)) {
    if (now.toISOString() < approval.expiresAt) continue;
    const { approval: after, moved } = await store.approvals.move(approval.id, (current) =>
      moveTo(current, 'expired', {
        event: 'expire',
        actor: 'firebreak',
        at: now.toISOString(),
        outcome: `Nothing was written: it expired at ${current.expiresAt}.`,
      }),
    );
    if (moved) await announce(after, deps);
  }
  if (settings.mode !== 'execute') return;
  for (const approval of await store.approvals.inState(['approved', 'applying'], batch)) {
    await queue.add('approval.admit', { approvalId: approval.id }, { id: `admit-${approval.id}` });
  }
}
