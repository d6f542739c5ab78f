/** button Acknowledge -> the case has a name on it -> the card shows it. */
import type { JobContext } from '../contracts/job.ts';
import { closedTo } from '../domain/access.ts';
import { say } from '../domain/phrases.ts';
import { tellOne } from './deliver.ts';
import type { WorkerDeps } from './deps.ts';
import { showCase } from './handle-alert.ts';
import { askingRefusalOf, toldOrAgain } from './standing.ts';

/** Job `alert.acknowledged`. The first one counts; others are told who it was. */
export async function acknowledge(
  input: { readonly caseId: string; readonly userId: string; readonly channel: string },
  ctx: Pick<JobContext, 'attempt'>,
  deps: WorkerDeps,
): Promise<void> {
  const looked = toldOrAgain(await askingRefusalOf(input.userId, deps), ctx);
  const refusal = looked.refusal ?? closedTo(await deps.store.cases.get(input.caseId), input.userId);
  if (refusal !== undefined) {
    await tellOne({ ...input, message: say(`You cannot acknowledge this: ${refusal}.`) }, deps);
    return;
  }
  const first = await deps.store.cases.acknowledge(input.caseId, input.userId, deps.clock.now().toISOString());
  const found = await deps.store.cases.get(input.caseId);
  if (!first && found?.acknowledgedBy !== undefined && found.acknowledgedBy !== input.userId) {
    await tellOne({ ...input, message: say('Somebody else has acknowledged this already; the card says who.') }, deps);
  }
  await showCase(input.caseId, deps);
}
