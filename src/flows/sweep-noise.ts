/** The sweep's part for cards, digests, escalation and the weekly report. */
import type { JobName, Jobs } from '../contracts/job.ts';
import type { WorkerDeps } from './deps.ts';
import { dueReport } from './report-noise.ts';

type Needs = Pick<WorkerDeps, 'store' | 'queue' | 'chat' | 'clock' | 'settings'>;
type Again = <Name extends JobName>(name: Name, payload: Jobs[Name], id: string) => Promise<void>;

const batch = 100;

/** Queues again what is behind. `again` keeps what does not help from being tried ever so often. */
export async function sweepNoise(again: Again, olderThan: string, deps: Needs): Promise<void> {
  const { store, clock } = deps;
  for (const digestId of await store.noise.digestsBehind()) {
    await again('digest.show', { digestId }, `digest-${digestId}`);
  }
  for (const caseId of await store.noise.behind(olderThan, batch))
    await again('case.show', { caseId }, `show-${caseId}`);
  for (const { caseId, round, level } of await store.escalations.due(clock.now().toISOString(), batch)) {
    await again('case.escalate', { caseId, round, level }, `escalate-${caseId}-${round}-${level}`);
  }
  const week = await dueReport(deps);
  if (week !== undefined) await again('noise.report', { week }, `noise-report-${week}`);
}
