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
import { type Change, type ConfigSubject, changesBetween, configSubject } from '#src/domain/config-history.ts';
import { globalRegion } from '#src/domain/partition.ts';
import { code, count, line, utc } from '#src/domain/phrases.ts';
import { labelOf } from '#src/domain/pivot-actors.ts';
import { principalOf, succeeded } from '#src/domain/principal.ts';

const maxItems = 500;
const shown = 12;
/** Config looks at a resource within some minutes of a change. */
const nearMs = 15 * 60_000;

interface Step {
  readonly at: string;
  readonly status: string;
  readonly accountId: string;
  readonly region: string;
  readonly changes: readonly Change[];
  readonly calls: readonly { readonly eventId: string; readonly eventName: string; readonly principal: string }[];
}

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
  return { items, sources, gaps: own.length === 0 ? ['AWS Config: no account is known'] : [] };
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
      const page = await config.send(
        new ListDiscoveredResourcesCommand({
          resourceType,
          resourceName: subject.resourceName,
          includeDeletedResources: true,
        }),
        options,
      );
      ids = (page.resourceIdentifiers ?? []).flatMap(({ resourceId }) => resourceId ?? []);
    }
    const found: ConfigurationItem[] = [];
    let pages = 0;
    let nextToken: string | undefined;
    for (const resourceId of ids) {
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
    }
    items.push(...found.slice(0, maxItems));
    const truncated = nextToken !== undefined || found.length > maxItems;
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

function stepsOf(items: readonly ConfigurationItem[], records: readonly CloudTrailRecord[]): readonly Step[] {
  const inOrder = items.toSorted(
    (a, b) => (a.configurationItemCaptureTime?.getTime() ?? 0) - (b.configurationItemCaptureTime?.getTime() ?? 0),
  );
  const writes = records.filter(
    (record) => record.readOnly !== true && succeeded(record) && !/^(Describe|Get|List)/.test(record.eventName),
  );
  return inOrder.map((item, at): Step => {
    const before = inOrder[at - 1];
    const isNext = before !== undefined && before.resourceId === item.resourceId;
    const captured = item.configurationItemCaptureTime?.getTime() ?? 0;
    return {
      at: captured === 0 ? '' : new Date(captured).toISOString().replace('.000Z', 'Z'),
      status: item.configurationItemStatus ?? '',
      accountId: item.accountId ?? '',
      region: item.awsRegion ?? '',
      changes: isNext ? changesBetween(contentOf(before), contentOf(item)) : [],
      calls: writes
        .filter((record) => {
          const ago = captured - Date.parse(record.eventTime);
          return ago >= -60_000 && ago <= nearMs;
        })
        .map((record) => ({
          eventId: record.eventID,
          eventName: record.eventName,
          principal: principalOf(record)?.id ?? '',
        })),
    };
  });
}

/** The configuration with what Config keeps beside it. It is JSON as text. */
function contentOf(item: ConfigurationItem): unknown {
  return { configuration: parsed(item.configuration), tags: item.tags, supplementary: supplementary(item) };
}

function supplementary({ supplementaryConfiguration }: ConfigurationItem): unknown {
  return Object.fromEntries(
    Object.entries(supplementaryConfiguration ?? {}).map(([key, value]) => [key, parsed(value)]),
  );
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
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
