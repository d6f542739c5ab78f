/** IAM's own report of what a user or role has used, and when last (DOMAIN.md 6.1). It goes back further than the event history. */

import { setTimeout as sleep } from 'node:timers/promises';
import {
  GenerateServiceLastAccessedDetailsCommand,
  GetServiceLastAccessedDetailsCommand,
  type GetServiceLastAccessedDetailsResponse,
} from '@aws-sdk/client-iam';
import type { ActionContext } from '#src/contracts/action.ts';
import { awsErrorFacts } from '#src/domain/aws-errors.ts';
import type { ServiceUse } from '#src/domain/keep-list.ts';
import { iamNext } from '#src/domain/pages.ts';

export const lastAccessedReads = [
  'iam:GenerateServiceLastAccessedDetails',
  'iam:GetServiceLastAccessedDetails',
] as const;

const tries = 40;
const pauseMs = 1_000;

/** The report, and why it could not be had where that is so; a report that is missing makes the keep-list shorter, never longer. */
export async function lastAccessed(
  principalArn: string,
  { aws, signal }: Pick<ActionContext, 'aws' | 'signal'>,
): Promise<{ readonly uses: readonly ServiceUse[]; readonly missing: string | undefined }> {
  const options = { abortSignal: signal };
  try {
    const asked = { Arn: principalArn, Granularity: 'ACTION_LEVEL' as const };
    const { JobId } = await aws.iam.send(new GenerateServiceLastAccessedDetailsCommand(asked), options);
    if (JobId === undefined) return { uses: [], missing: "the answer was not IAM's" };
    const uses: ServiceUse[] = [];
    let marker: string | undefined;
    for (let tried = 0; tried < tries; ) {
      const input = { JobId, ...(marker === undefined ? {} : { Marker: marker }) };
      const page = await aws.iam.send(new GetServiceLastAccessedDetailsCommand(input), options);
      if (page.JobStatus === 'IN_PROGRESS') {
        tried += 1;
        await sleep(pauseMs, undefined, { signal });
        continue;
      }
      if (page.JobStatus !== 'COMPLETED') return { uses: [], missing: `IAM's job ended as ${page.JobStatus ?? '?'}` };
      uses.push(...usesIn(page));
      marker = iamNext(page);
      if (marker === undefined) return { uses, missing: undefined };
    }
    return { uses: [], missing: 'IAM was not ready with it in time' };
  } catch (error) {
    if (signal.aborted) throw error;
    return { uses: [], missing: `IAM answered ${awsErrorFacts(error).code}` };
  }
}

function usesIn({ ServicesLastAccessed = [] }: GetServiceLastAccessedDetailsResponse): ServiceUse[] {
  return ServicesLastAccessed.flatMap((service) => {
    if (service.ServiceNamespace === undefined || service.LastAuthenticated === undefined) return [];
    const actions = (service.TrackedActionsLastAccessed ?? []).flatMap(({ ActionName, LastAccessedTime }) =>
      ActionName === undefined || LastAccessedTime === undefined
        ? []
        : [{ name: ActionName, lastUsed: LastAccessedTime.toISOString() }],
    );
    return [{ service: service.ServiceNamespace, lastUsed: service.LastAuthenticated.toISOString(), actions }];
  });
}
