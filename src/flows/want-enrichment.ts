/** Notes that a case's card wants its dossiers, and queues the work. */
import { asError } from '../contracts/errors.ts';
import type { Case } from '../contracts/store.ts';
import { subjectsOf, versionOf } from '../domain/enrichment.ts';
import type { WorkerDeps } from './deps.ts';

/** An update of the finding asks again after this. */
const staleMs = 60 * 60_000;

/** Wants the case's dossiers; queues the work where there is any. Cheap: called before the card is shown. */
export async function wantEnrichment(
  found: Case,
  deps: Pick<WorkerDeps, 'store' | 'queue' | 'clock' | 'log'>,
): Promise<void> {
  const subjects = subjectsOf(found.alert);
  if (found.alert.sample || found.alert.type === '') return;
  const now = deps.clock.now().getTime();
  const wanted = await deps.store.enrichments.want(found.id, versionOf(subjects), iso(now), iso(now - staleMs));
  if (!wanted) return;
  try {
    await deps.queue.add('case.enrich', { caseId: found.id }, { id: `enrich-${found.id}` });
  } catch (error) {
    // It is stored, so that the sweep queues it: the card must not wait for it.
    deps.log.warn({ caseId: found.id, error: asError(error) }, 'an enrichment could not be queued');
  }
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
