/**
 * A case without a card whose resource is tagged as a crown jewel -> who set the tag? -> a card, unless it was the actor. Where
 * nobody can tell, it gets one: noise must not be cover.
 */
import type { Alert, ResourceTag } from '../contracts/alert.ts';
import { asError } from '../contracts/errors.ts';
import type { JobContext } from '../contracts/job.ts';
import { claimedJewels, isActorsTag } from '../domain/jewel-tags.ts';
import type { WorkerDeps } from './deps.ts';
import { deliverCase } from './handle-alert.ts';
import { wantEnrichment } from './want-enrichment.ts';
import { windowOf } from './window-of.ts';

/** As far as LookupEvents goes back; a longer time would be asked of Athena, which costs. */
const window = '89d';
const patienceMs = 30_000;
const budget = { maxRequests: 20, maxEvents: 5_000 };

/** Job `case.weigh`. May run twice. */
export async function weighJewel(
  { caseId, alertId }: { readonly caseId: string; readonly alertId: string },
  ctx: Pick<JobContext, 'signal'>,
  deps: WorkerDeps,
): Promise<void> {
  const { store, clock, settings, log } = deps;
  const found = await store.cases.get(caseId);
  if (found?.admission !== 'digest' && found?.admission !== 'snoozed') return;
  const alert = (await store.alerts.get(alertId))?.alert ?? found.alert;
  const claimed = claimedJewels(alert, settings.crownJewels.tags);
  let counts = false;
  for (const tag of claimed) counts ||= !(await isTheActors(tag, alert, ctx.signal, deps));
  if (!counts) {
    if (claimed.length > 0)
      log.info({ caseId, tags: claimed.map(({ key }) => key) }, 'the actor tagged it himself: no crown jewel');
    return;
  }
  log.info({ caseId }, 'a crown jewel by its tag gets a card of its own');
  await store.noise.promote(caseId, clock.now().toISOString());
  await wantEnrichment(found, deps);
  await deliverCase(caseId, deps);
}

async function isTheActors(tag: ResourceTag, alert: Alert, shutdown: AbortSignal, deps: WorkerDeps): Promise<boolean> {
  const signal = AbortSignal.any([shutdown, AbortSignal.timeout(patienceMs)]);
  try {
    const evidence = await deps.openEvidence({
      accounts: [alert.accountId],
      regions: alert.region === '' ? undefined : [alert.region],
      window: windowOf({ target: {} }, window, deps.clock.now()),
      ...budget,
      signal,
      onProgress: () => undefined,
    });
    return isActorsTag(tag, alert, await evidence.recordsOf({ kind: 'resource', id: tag.resource }));
  } catch (error) {
    shutdown.throwIfAborted();
    deps.log.warn(
      { accountId: alert.accountId, error: asError(error) },
      'who set a tag could not be looked up: it counts',
    );
    return false;
  }
}
