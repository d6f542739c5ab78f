/** What GuardDuty has found in accounts, in all their Regions. Reads only. */
import {
  type Finding,
  GetDetectorCommand,
  GetFindingsCommand,
  ListDetectorsCommand,
  ListFindingsCommand,
  type ListFindingsCommandOutput,
} from '@aws-sdk/client-guardduty';
import pLimit from 'p-limit';
import type { AwsReach, AwsReader } from '#src/contracts/aws.ts';
import type { Reported, ReportedFinding } from '#src/domain/reported.ts';
import { look } from './look.ts';

export const detectorReads = [
  'guardduty:GetDetector',
  'guardduty:GetFindings',
  'guardduty:ListDetectors',
  'guardduty:ListFindings',
] as const;

const regionsAtOnce = 8;
/** What GetFindings takes at once. */
const pageSize = 50;
/** Of one Region, the gravest first; samples can be made by the hundred, so that pages without a real one are passed over. */
const maxPages = 20;
const enough = 50;

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
      .flatMap(({ found }) => (found.ok ? (found.value?.findings ?? []) : []))
      .toSorted((a, b) => b.severity - a.severity || (a.updatedAt < b.updatedAt ? 1 : -1)),
    off: looked.flatMap(({ place, found }) => (found.ok && found.value === undefined ? [place] : [])),
    failures: looked.flatMap(({ place, found }) => {
      if (!found.ok) return [`findings of GuardDuty in ${place}: ${found.reason}`];
      return found.value?.isCut ? [`findings of GuardDuty in ${place}: there are more than were read`] : [];
    }),
  };
}

/** Undefined where no detector is on. */
async function findingsIn(
  reader: AwsReader,
  accountId: string,
  region: string,
  since: string,
): Promise<{ readonly findings: readonly ReportedFinding[]; readonly isCut: boolean } | undefined> {
  const guardduty = reader.guardduty(region);
  const { DetectorIds = [] } = await guardduty.send(new ListDetectorsCommand({}));
  const [DetectorId] = DetectorIds;
  if (DetectorId === undefined) return undefined;
  // A detector that was suspended is still listed.
  const { Status } = await guardduty.send(new GetDetectorCommand({ DetectorId }));
  if (Status !== 'ENABLED') return undefined;
  const found: ReportedFinding[] = [];
  let token: string | undefined;
  for (let pages = 0; pages < maxPages && found.length < enough; pages += 1) {
    const page: ListFindingsCommandOutput = await guardduty.send(
      new ListFindingsCommand({
        DetectorId,
        FindingCriteria: {
          Criterion: {
            updatedAt: { GreaterThanOrEqual: Date.parse(since) },
            'service.archived': { Equals: ['false'] },
            // A detector of an administrator holds its members' findings too: those are asked for where they are.
            accountId: { Equals: [accountId] },
          },
        },
        SortCriteria: { AttributeName: 'severity', OrderBy: 'DESC' },
        MaxResults: pageSize,
        ...(token === undefined ? {} : { NextToken: token }),
      }),
    );
    const { FindingIds = [] } = page;
    if (FindingIds.length > 0) {
      const { Findings = [] } = await guardduty.send(new GetFindingsCommand({ DetectorId, FindingIds }));
      found.push(...realOnes(Findings, accountId, region));
    }
    token = page.NextToken || undefined;
    if (token === undefined) return { findings: found, isCut: false };
  }
  return { findings: found, isCut: true };
}

/** Without samples. */
function realOnes(findings: readonly Finding[], accountId: string, region: string): readonly ReportedFinding[] {
  return findings.flatMap((one): readonly ReportedFinding[] => {
    const isSample = one.Title?.startsWith('[SAMPLE]') || one.Service?.AdditionalInfo?.Value?.includes('"sample":true');
    if (one.Id === undefined || one.Type === undefined || isSample) return [];
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
