/** What the target was used for lately, from the logs: what an approver is about to break. */
import type { ContainmentAction } from '../contracts/action.ts';
import type { Plan } from '../contracts/approval.ts';
import type { AwsReader } from '../contracts/aws.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { asError } from '../contracts/errors.ts';
import { awsErrorFacts } from '../domain/aws-errors.ts';
import { requestsFor, useRecordsOf } from '../domain/role-use.ts';
import { useOver } from '../domain/use.ts';
import type { WorkerDeps } from './deps.ts';

const days = 90;
/** Enough for a card: a key used more than this is in heavy use, which is what must be said. The newest come first. */
const maxRequests = 150;
/** Of a role, whose sessions are asked for too. All in one Region they take 200 s, for which the card waits. */
const maxRequestsOfRole = 400;

/** Lines for the card. Never throws for a log that cannot be read: the card then says so. */
export async function blastRadius(
  action: ContainmentAction,
  target: Plan['target'],
  before: Plan['before'],
  aws: AwsReader,
  signal: AbortSignal,
  deps: Pick<WorkerDeps, 'openEvidence' | 'clock' | 'log' | 'reach'>,
): Promise<{ blastRadius: string[]; blastCoverage: string }> {
  const now = deps.clock.now();
  const lines: string[] = [];
  let records: readonly CloudTrailRecord[] = [];
  let coverage = `CloudTrail management events of ${days} days`;
  try {
    const artifact = action.artifact(target as never, before as never);
    const evidence = await deps.openEvidence({
      accounts: [aws.accountId],
      regions: undefined,
      window: { from: new Date(now.getTime() - days * 24 * 3_600_000).toISOString(), to: now.toISOString() },
      maxRequests: requestsFor(artifact, maxRequests, maxRequestsOfRole),
      maxEvents: 20_000,
      signal,
      onProgress: () => undefined,
    });
    const { records: found, coverage: looked, left } = await useRecordsOf(artifact, evidence);
    records = found;
    lines.push(...useOver(records, artifact, now, looked.complete));
    if (!looked.complete) {
      const failed = looked.sources.filter((source) => source.failed || source.truncated).map((source) => source.name);
      coverage += `, NOT COMPLETE: ${failed.slice(0, 3).join(', ') || left || 'see the pivot'}`;
    }
  } catch (error) {
    deps.log.warn({ error: asError(error) }, 'the use of a target could not be read from the logs');
    lines.push('Unknown: the logs could not be read.');
    coverage += `, NOT LOOKED AT: ${awsErrorFacts(error).code}`;
  }
  try {
    lines.push(
      ...(await action.background(target as never, before as never, {
        aws,
        signal,
        records,
        regions: () => deps.reach.regions(aws.accountId),
      })),
    );
  } catch (error) {
    lines.push(`AWS could not be asked for more: ${awsErrorFacts(error).code}.`);
  }
  return { blastRadius: lines, blastCoverage: coverage };
}
