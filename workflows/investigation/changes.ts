/** What changed on a resource: AWS Config's history, each change with the call that may have made it. */
import {
  type ConfigurationItem,
  GetResourceConfigHistoryCommand,
  ListDiscoveredResourcesCommand,
  type ResourceType,
} from '@aws-sdk/client-config-service';
import { z } from 'zod';
import type { AwsReach } from '#src/contracts/aws.ts';
import type { CloudTrailRecord } from '#src/contracts/cloudtrail.ts';
import { UpstreamError, UserError } from '#src/contracts/errors.ts';
import type { CoverageSource } from '#src/contracts/evidence.ts';
import { defineInvestigation, type InvestigationContext } from '#src/contracts/investigation.ts';
import type { Part } from '#src/contracts/message.ts';
import { csvFile, unfinished } from '#src/domain/answers.ts';
import { classify } from '#src/domain/artifact.ts';
import { awsErrorFacts, isAwsError } from '#src/domain/aws-errors.ts';
import { type ConfigSubject, configSubject } from '#src/domain/config-history.ts';
import { globalRegion } from '#src/domain/partition.ts';
import { code, count, line, utc } from '#src/domain/phrases.ts';
import { labelOf } from '#src/domain/pivot-actors.ts';
import { type Step, stepsOf } from '../reading/config-steps.ts';

const maxItems = 500;
const shown = 12;
export const changes = defineInvestigation({
  name: 'changes',
  title: 'What changed',
  target: z.object({ artifact: z.string().min(1), accounts: z.array(z.string()).default([]) }),
  permissions: ['cloudtrail:LookupEvents', 'config:GetResourceConfigHistory', 'config:ListDiscoveredResources'],

  async run({ artifact: word, accounts }, ctx) {
    const subject = configSubject(word);
    const { artifact } = classify(word);
    ctx.progress(`Reading the records of ${artifact.id}`);
    const records = await ctx.evidence.recordsOf(artifact);
    const looked = ctx.evidence.coverage();
    const asked = await askAll(subject, accounts, records, ctx);
    const steps = stepsOf(asked.items, records);
    const failed = asked.sources.some((source) => source.failed || source.truncated);
    const gaps = ctx.aws === undefined ? ['AWS Config: no AWS was asked'] : asked.gaps;
    const coverage = {
      ...looked,
      complete: looked.complete && !failed && gaps.length === 0,
      sources: [...looked.sources, ...asked.sources],
      notLookedAt: [...looked.notLookedAt, ...gaps],
    };
    const changed = steps.filter((step) => step.changes.length > 0 || /Deleted/.test(step.status));
    const last = changed.at(-1);
    const by = last?.calls[0];
    return {
      headline: last
        ? `${labelOf(artifact.id)} changed ${count(changed.length, 'time')} in AWS Config's history, last at ${utc(last.at)}${by ? `, near ${by.eventName} by ${labelOf(by.principal)}` : ''}${unfinished(coverage)}.`
        : `AWS Config told of no change to ${labelOf(artifact.id)} in what was looked at${unfinished(coverage)}.`,
      parts: partsOf(changed),
      coverage,
      answer: {
        resource: artifact.id,
        resourceType: subject.resourceType,
        items: asked.items.length,
        changes: steps,
        coverage,
      },
      pictures: [],
      next: by
        ? [`/ir pivot ${/\s/.test(by.principal) ? artifact.id : by.principal}`]
        : [`/ir who-created ${artifact.id}`],
      proposals: [],
      files: [
        csvFile(
          'changes',
          `Every change that AWS Config told of, as a table: ${count(changed.length, 'time')}.`,
          ['at', 'status', 'path', 'before', 'after', 'eventNames', 'principals'],
          changed.flatMap((step) =>
            step.changes.map((change) => [
              step.at,
              step.status,
              change.path,
              change.before ?? '',
              change.after ?? '',
              step.calls.map(({ eventName }) => eventName),
              step.calls.map(({ principal }) => principal),
            ]),
          ),
          changed.length > shown,
        ),
      ],
    };
  },
});

interface Asked {
  readonly items: readonly ConfigurationItem[];
  readonly sources: readonly CoverageSource[];
  readonly gaps: readonly string[];
}

/** Where the resource may be: as its ARN says, else where its records are, else every account and Region. */
async function askAll(
  subject: ConfigSubject,
  accounts: readonly string[],
  records: readonly CloudTrailRecord[],
  ctx: InvestigationContext,
): Promise<Asked> {
  const { aws } = ctx;
  if (aws === undefined) return { items: [], sources: [], gaps: [] };
  const items: ConfigurationItem[] = [];
  const sources: CoverageSource[] = [];
  const seen = new Set(
    records.flatMap((record) => record.recipientAccountId ?? []).filter((id) => /^\d{12}$/.test(id)),
  );
  const own = subject.accountId
    ? [subject.accountId]
    : accounts.length > 0
      ? accounts
      : seen.size > 0
        ? [...seen]
        : await aws.accounts();
  for (const account of own) {
    for (const region of await regionsOf(subject, account, records, aws)) {
      ctx.signal.throwIfAborted();
      ctx.progress(`Asking AWS Config in ${account} ${region}`);
      sources.push(await askOne(subject, account, region, ctx, items));
    }
  }
  const isUnseen = own.length > 0 && items.length === 0 && !sources.some((source) => source.failed);
  return {
    items,
    sources,
    gaps: [
      ...(own.length === 0 ? ['AWS Config: no account is known'] : []),
      ...(isUnseen ? ['AWS Config has never seen it there, which is so as well where it does not record'] : []),
    ],
  };
}

async function regionsOf(
  { region, resourceType }: ConfigSubject,
  account: string,
  records: readonly CloudTrailRecord[],
  aws: AwsReach,
): Promise<readonly string[]> {
  if (region) return [region];
  // Config records global resources in the Regions that its recorder says; the partition's own one as a rule.
  if (resourceType.startsWith('AWS::IAM::')) return [globalRegion((await aws.reader(account)).partition)];
  const seen = [...new Set(records.map((record) => record.awsRegion).filter((name) => name !== ''))];
  return seen.length > 0 ? seen : aws.regions(account);
}

async function askOne(
  subject: ConfigSubject,
  account: string,
  region: string,
  ctx: InvestigationContext,
  items: ConfigurationItem[],
): Promise<CoverageSource> {
  const name = `AWS Config ${region} ${account}`;
  const source = { name, events: 0, pages: 0, truncated: false, failed: false };
  const options = { abortSignal: ctx.signal };
  try {
    const config = (await ctx.aws?.reader(account))?.awsConfig(region);
    if (config === undefined) return { ...source, failed: true, reason: 'no AWS was asked' };
    const resourceType = subject.resourceType as ResourceType;
    let ids = subject.resourceId === undefined ? [] : [subject.resourceId];
    if (subject.resourceName !== undefined) {
      let more: string | undefined;
      do {
        const page = await config.send(
          new ListDiscoveredResourcesCommand({
            resourceType,
            resourceName: subject.resourceName,
            includeDeletedResources: true,
            ...(more === undefined ? {} : { nextToken: more }),
          }),
          options,
        );
        ids = [...ids, ...(page.resourceIdentifiers ?? []).flatMap(({ resourceId }) => resourceId ?? [])];
        more = page.nextToken;
      } while (more !== undefined && ids.length < maxItems);
    }
    const found: ConfigurationItem[] = [];
    let pages = 0;
    let isCut = false;
    for (const resourceId of ids) {
      if (found.length >= maxItems) {
        isCut = true;
        break;
      }
      let nextToken: string | undefined;
      do {
        const page = await config.send(
          new GetResourceConfigHistoryCommand({
            resourceType,
            resourceId,
            limit: 100,
            ...(nextToken === undefined ? {} : { nextToken }),
          }),
          options,
        );
        pages += 1;
        found.push(...(page.configurationItems ?? []));
        nextToken = page.nextToken;
      } while (nextToken !== undefined && found.length < maxItems);
      isCut ||= nextToken !== undefined;
    }
    items.push(...found.slice(0, maxItems));
    const truncated = isCut || found.length > maxItems;
    const reason = truncated ? { reason: `stopped at ${maxItems} items` } : {};
    return { ...source, events: Math.min(found.length, maxItems), pages, truncated, ...reason };
  } catch (error) {
    ctx.signal.throwIfAborted();
    // A resource that Config never saw has no history there: that is an answer.
    if (isAwsError(error, 'ResourceNotDiscoveredException')) return { ...source, pages: 1 };
    const reason =
      error instanceof UserError
        ? error.message
        : error instanceof UpstreamError
          ? error.code
          : awsErrorFacts(error).code;
    return { ...source, failed: true, reason };
  }
}

function partsOf(steps: readonly Step[]): readonly Part[] {
  return steps
    .slice(-shown)
    .reverse()
    .flatMap((step): readonly Part[] => [
      {
        kind: 'lines',
        lines: [
          line(
            `${utc(step.at)}: ${step.status === 'OK' ? 'changed' : step.status}`,
            ...(step.calls[0]
              ? [', near ', code(step.calls[0].eventName), ` by ${labelOf(step.calls[0].principal)}`]
              : []),
          ),
        ],
      },
      {
        kind: 'list',
        items: step.changes
          .slice(0, 8)
          .map((change) =>
            line(code(change.path), `: ${change.before ?? 'nothing'} became ${change.after ?? 'nothing'}`),
          ),
      },
    ])
    .filter((part) => part.kind !== 'list' || part.items.length > 0);
}
