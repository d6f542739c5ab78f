/** What only the logs tell of a target (a keep-list, say), filled in before the plan is hashed. */
import type { ContainmentAction } from '../contracts/action.ts';
import type { Plan } from '../contracts/approval.ts';
import type { AwsReader } from '../contracts/aws.ts';
import { requestsFor, useRecordsOf } from '../domain/role-use.ts';
import type { WorkerDeps } from './deps.ts';

const maxRequests = 600;

/** The target as it is, where its action needs nothing more. Throws UserError where it cannot be completed. */
export async function completed(
  action: ContainmentAction,
  target: Plan['target'],
  before: Plan['before'],
  aws: AwsReader,
  signal: AbortSignal,
  deps: Pick<WorkerDeps, 'openEvidence' | 'clock' | 'reach'>,
): Promise<Plan['target']> {
  if (action.complete === undefined) return target;
  const filled = await action.complete(target as never, before as never, {
    aws,
    signal,
    regions: () => deps.reach.regions(aws.accountId),
    now: deps.clock.now(),
    async recordsOf(artifact, window) {
      const evidence = await deps.openEvidence({
        accounts: [aws.accountId],
        regions: undefined,
        window,
        maxRequests: requestsFor(artifact, maxRequests),
        maxEvents: 100_000,
        signal,
        onProgress: () => undefined,
      });
      const { records, coverage: looked } = await useRecordsOf(artifact, evidence);
      const lost = looked.sources.filter((source) => source.failed || source.truncated).map((source) => source.name);
      const missing = [...lost.slice(0, 3), ...looked.notLookedAt.slice(0, 3)].join(', ');
      return { records, missing: looked.complete ? undefined : `not all of it could be read: ${missing}` };
    },
  });
  return filled as Plan['target'];
}
