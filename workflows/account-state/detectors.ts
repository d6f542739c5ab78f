/** What GuardDuty has found in accounts, in all their Regions. Reads only. */
import { GetFindingsCommand, ListDetectorsCommand, ListFindingsCommand } from '@aws-sdk/client-guardduty';
import pLimit from 'p-limit';
import type { AwsReach, AwsReader } from '#src/contracts/aws.ts';
import type { Reported, ReportedFinding } from '#src/domain/reported.ts';
import { look } from './look.ts';

export const detectorReads = ['guardduty:GetFindings', 'guardduty:ListDetectors', 'guardduty:ListFindings'] as const;

const regionsAtOnce = 8;
/** What GetFindings takes at once; with the gravest first, more would change no verdict. */
const mostPerRegion = 50;

interface Ctx {
  readonly signal: AbortSignal;
  progress(step: string): void;
}

/** Findings of these accounts that are not archived and were seen since then, ISO 8601 UTC. AWS's refusals stand in the answer. */
export async function reportedIn(
  aws: AwsReach,
  accounts: readonly string[],
  since: string,
  ctx: Ctx,
): Promise<Reported> {
  ctx.progress('Asking GuardDuty what it reports');
  const limit = pLimit(regionsAtOnce);
  const places = await Promise.all(
    accounts.map(async (accountId) => {
      const opened = await look(async () => {
        const reader = await aws.reader(accountId);
        return { reader, regions: await aws.regions(accountId) };
      }, ctx.signal);
      if (!opened.ok) return [{ place: accountId, found: opened }];
      const { reader, regions } = opened.value;
      return Promise.all(
        regions.map((region) =>
          limit(async () => ({
            place: `${accountId} ${region}`,
            found: await look(() => findingsIn(reader, accountId, region, since), ctx.signal),
          })),
        ),
      );
    }),
  );
  const looked = places.flat();
  return {
    findings: looked
      .flatMap(({ found }) => (found.ok ? (found.value ?? []) : []))
      .toSorted((a, b) => b.severity - a.severity || (a.updatedAt < b.updatedAt ? 1 : -1)),
    off: looked.flatMap(({ place, found }) => (found.ok && found.value === undefined ? [place] : [])),
    failures: looked.flatMap(({ place, found }) =>
      found.ok ? [] : [`findings of GuardDuty in ${place}: ${found.reason}`],
    ),
  };
}

/** Undefined where no detector is on. */
async function findingsIn(
  reader: AwsReader,
  accountId: string,
  region: string,
  since: string,
): Promise<readonly ReportedFinding[] | undefined> {
  const guardduty = reader.guardduty(region);
  const { DetectorIds = [] } = await guardduty.send(new ListDetectorsCommand({}));
  const [DetectorId] = DetectorIds;
  if (DetectorId === undefined) return undefined;
  const { FindingIds = [] } = await guardduty.send(
    new ListFindingsCommand({
      DetectorId,
      FindingCriteria: {
        Criterion: {
          updatedAt: { GreaterThanOrEqual: Date.parse(since) },
          'service.archived': { Equals: ['false'] },
        },
      },
      SortCriteria: { AttributeName: 'severity', OrderBy: 'DESC' },
      MaxResults: mostPerRegion,
    }),
  );
  if (FindingIds.length === 0) return [];
  const { Findings = [] } = await guardduty.send(new GetFindingsCommand({ DetectorId, FindingIds }));
  return Findings.flatMap((one): readonly ReportedFinding[] => {
    const isSample = one.Title?.startsWith('[SAMPLE]') || one.Service?.AdditionalInfo?.Value?.includes('"sample":true');
    if (one.Id === undefined || one.Type === undefined || isSample) return [];
    // A detector of an administrator holds its members' findings too: those are asked for where they are.
    if (one.AccountId !== undefined && one.AccountId !== accountId) return [];
    return [
      {
        ...{ accountId, region, id: one.Id, type: one.Type, severity: one.Severity ?? 0 },
        updatedAt: one.UpdatedAt ?? '',
        about: one.Resource?.InstanceDetails?.InstanceId ?? one.Resource?.AccessKeyDetails?.AccessKeyId,
      },
    ];
  });
}
