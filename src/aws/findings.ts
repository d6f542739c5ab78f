/** GuardDuty's own findings, through the audit role of each account. */
import {
  GetFindingsCommand,
  type GetFindingsCommandOutput,
  ListDetectorsCommand,
  type ListDetectorsCommandOutput,
  ListFindingsCommand,
  type ListFindingsCommandOutput,
  ListMembersCommand,
  type ListMembersCommandOutput,
} from '@aws-sdk/client-guardduty';
import type { AwsReach } from '../contracts/aws.ts';
import { UpstreamError, UserError } from '../contracts/errors.ts';
import type { FindingSource, FoundFinding } from '../contracts/intake.ts';
import { awsErrorFacts } from '../domain/aws-errors.ts';

const listsKeptMs = 10 * 60_000;
/** GetFindings takes 50 ids. */
const pageSize = 50;

interface Kept {
  readonly at: number;
  readonly ids: readonly string[];
}

export function openFindings(reach: Pick<AwsReach, 'reader'>): FindingSource {
  const detectorLists = new Map<string, Kept>();
  const memberLists = new Map<string, Kept>();

  async function clientOf(accountId: string, region: string) {
    return (await reach.reader(accountId)).guardduty(region);
  }

  return {
    async detectors(accountId, region, signal) {
      const place = `${accountId}/${region}`;
      const kept = detectorLists.get(place);
      if (kept !== undefined && Date.now() - kept.at < listsKeptMs) return kept.ids;
      const ids: string[] = [];
      let token: string | undefined;
      do {
        const page: ListDetectorsCommandOutput = await ask(async () =>
          (await clientOf(accountId, region)).send(
            new ListDetectorsCommand(token === undefined ? {} : { NextToken: token }),
            { abortSignal: signal },
          ),
        );
        // An answer without the list is not GuardDuty's: it must not pass for "GuardDuty is off".
        if (page.DetectorIds === undefined) throw notAws();
        ids.push(...page.DetectorIds);
        token = page.NextToken || undefined;
      } while (token !== undefined);
      // Somebody may turn GuardDuty on, or off, at any time: an empty list is not kept.
      if (ids.length > 0) detectorLists.set(place, { at: Date.now(), ids });
      return ids;
    },

    async *changed({ accountId, region, detectorId, since }, signal) {
      let token: string | undefined;
      do {
        const page: ListFindingsCommandOutput = await ask(async () =>
          (await clientOf(accountId, region)).send(
            new ListFindingsCommand({
              DetectorId: detectorId,
              FindingCriteria: {
                Criterion: {
                  updatedAt: { GreaterThanOrEqual: Date.parse(since) },
                  'service.archived': { Equals: ['false'] },
                },
              },
              SortCriteria: { AttributeName: 'updatedAt', OrderBy: 'ASC' },
              MaxResults: pageSize,
              ...(token === undefined ? {} : { NextToken: token }),
            }),
            { abortSignal: signal },
          ),
        );
        if (page.FindingIds === undefined) throw notAws();
        if (page.FindingIds.length > 0) yield page.FindingIds;
        token = page.NextToken || undefined;
      } while (token !== undefined);
    },

    async members({ accountId, region, detectorId }, signal) {
      const kept = memberLists.get(detectorId);
      if (kept !== undefined && Date.now() - kept.at < listsKeptMs) return kept.ids;
      const ids: string[] = [];
      let token: string | undefined;
      do {
        const page: ListMembersCommandOutput = await ask(async () =>
          (await clientOf(accountId, region)).send(
            new ListMembersCommand({
              DetectorId: detectorId,
              OnlyAssociated: 'true',
              MaxResults: pageSize,
              ...(token === undefined ? {} : { NextToken: token }),
            }),
            { abortSignal: signal },
          ),
        );
        if (page.Members === undefined) throw notAws();
        // A member that was suspended or left sends its findings no longer.
        for (const { AccountId, RelationshipStatus } of page.Members)
          if (AccountId !== undefined && RelationshipStatus === 'Enabled') ids.push(AccountId);
        token = page.NextToken || undefined;
      } while (token !== undefined);
      memberLists.set(detectorId, { at: Date.now(), ids });
      return ids;
    },

    async read({ accountId, region, detectorId, ids }, signal) {
      const answer: GetFindingsCommandOutput = await ask(async () =>
        (await clientOf(accountId, region)).send(
          new GetFindingsCommand({ DetectorId: detectorId, FindingIds: [...ids] }),
          { abortSignal: signal },
        ),
      );
      if (answer.Findings === undefined) throw notAws();
      return answer.Findings.flatMap((finding): FoundFinding[] => {
        const { Id, AccountId, Region, Type, Severity, UpdatedAt } = finding;
        if (Id === undefined || AccountId === undefined || Region === undefined || Type === undefined) return [];
        const updated = new Date(UpdatedAt ?? 0);
        return [
          {
            ...{ id: Id, accountId: AccountId, region: Region, type: Type, severity: Severity ?? 0 },
            updatedAt: (Number.isNaN(updated.getTime()) ? new Date(0) : updated).toISOString(),
            raw: JSON.parse(JSON.stringify(finding)) as unknown,
          },
        ];
      });
    },
  };
}

function notAws(): UpstreamError {
  return new UpstreamError('guardduty', 'NotAws', "the answer was not GuardDuty's", { retryable: true });
}

async function ask<Answer>(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UserError || error instanceof UpstreamError) throw error;
    const facts = awsErrorFacts(error);
    throw new UpstreamError('guardduty', facts.code, `GuardDuty did not answer: ${facts.code}`, {
      retryable: facts.retryable,
      cause: error,
    });
  }
}
