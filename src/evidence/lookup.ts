/** Evidence from CloudTrail's event history: LookupEvents in all accounts and Regions, within a budget (DOMAIN.md 3.7). */
import { setImmediate } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Artifact } from '../contracts/artifact.ts';
import type { AwsReach } from '../contracts/aws.ts';
import type { Clock } from '../contracts/clock.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { asError } from '../contracts/errors.ts';
import type {
  Coverage,
  CoverageSource,
  Evidence,
  EvidenceBudget,
  EvidenceProgress,
  Window,
} from '../contracts/evidence.ts';
import type { Log } from '../contracts/log.ts';
import { awsErrorFacts } from '../domain/aws-errors.ts';
import { inert } from '../domain/inert.ts';
import { globalRegion } from '../domain/partition.ts';
import { redactText } from '../domain/redaction.ts';
import { isoOf } from '../domain/window.ts';
import { createLane, type Lane, type LaneShared } from './lookup-lane.ts';
import type { LookupMemory } from './lookup-memory.ts';
import { type Question, questionOf } from './lookup-questions.ts';
import { createRecordIndex } from './record-index.ts';

export interface LookupOptions {
  readonly reach: AwsReach;
  readonly accounts: readonly string[];
  /** Only these, where given; the partition's global Region is added, since IAM and STS log there. */
  readonly regions?: readonly string[] | undefined;
  readonly window: Window;
  readonly budget: EvidenceBudget;
  /** Pace shared by all processes: ms to wait for the next slot of the lane. */
  reserveSlot(lane: string, everyMs: number): Promise<number>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  onProgress?: ((progress: EvidenceProgress) => void) | undefined;
  readonly log: Log;
  readonly requestTimeoutMs?: number;
  /** Answers of before, which are not asked for again. */
  readonly memory?: LookupMemory | undefined;
  random?(): number;
}

const dayMs = 86_400_000;
const historyDays = 90;
/** A window of 90 days that was typed a moment ago is not beyond the history. */
const graceMs = 3_600_000;
const horizonMs = 15 * 60_000;
/** Regions asked at the same time, over all accounts. */
const maxLanes = 64;
const recordsPerTurn = 2_000;

interface Lanes {
  readonly lanes: readonly (Lane & { readonly isGlobal: boolean })[];
  /** Accounts that could not be reached at all. */
  readonly failures: readonly CoverageSource[];
}

/**
 * Opens a session; nothing is asked before the first question. Answers come from AWS once and from memory after that; a scan
 * (an IP address cannot be asked for) is shared by all later questions. AWS's failures never throw: they show in `coverage()`.
 * `recordsOf` rejects when the signal aborts and when `reserveSlot` fails.
 *
 * `coverage().complete` is false for failed Regions, caps, a spent budget, and windows beyond 90 days. What no such call can
 * ever show (data events, the last minutes) stands in `notLookedAt` without making the answer incomplete.
 */
export function openLookupEvidence(options: LookupOptions): Evidence {
  const now = options.clock.now().getTime();
  const oldest = now - historyDays * dayMs;
  const wanted = options.window.from === undefined ? oldest : Date.parse(options.window.from);
  const tooOld = wanted < oldest - graceMs;
  const from = tooOld ? oldest : wanted;
  const to = Date.parse(options.window.to);
  const index = createRecordIndex();
  const limit = pLimit(maxLanes);
  const progress = { regionsDone: 0, regions: 0, requests: 0, running: 0 };
  let opened: Promise<Lanes> | undefined;
  let known: Lanes = { lanes: [], failures: [] };

  const report = (): EvidenceProgress => ({
    regionsDone: progress.regionsDone,
    regions: progress.regions,
    eventsRead: index.size(),
    requests: progress.requests,
  });

  const shared: LaneShared = {
    clock: options.clock,
    signal: options.signal,
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    random: options.random ?? Math.random,
    reserveSlot: options.reserveSlot,
    from,
    to,
    takeRequest() {
      if (progress.requests >= options.budget.maxRequests) {
        return { ok: false, because: `the budget of ${options.budget.maxRequests} requests is spent` };
      }
      progress.requests += 1;
      return { ok: true };
    },
    keep(record: CloudTrailRecord) {
      const at = Date.parse(record.eventTime);
      if (!(from <= at && at < to)) return 'old';
      if (index.has(record)) return 'old';
      if (index.size() >= options.budget.maxEvents) return 'full';
      index.add(record);
      return 'new';
    },
    fullBecause: () => `the budget of ${options.budget.maxEvents} events is spent`,
    onPage: () => options.onProgress?.(report()),
    memory: options.memory,
    settled: now - horizonMs,
  };

  async function openAccount(accountId: string): Promise<Lanes> {
    try {
      const reader = await options.reach.reader(accountId);
      const home = globalRegion(reader.partition);
      const regions = new Set([...(options.regions ?? (await options.reach.regions(accountId))), home]);
      const lanes = [...regions].map((region) => ({
        ...createLane(accountId, region, reader.cloudtrail(region), shared),
        isGlobal: region === home,
      }));
      return { lanes, failures: [] };
    } catch (error) {
      options.signal.throwIfAborted();
      const facts = awsErrorFacts(asError(error));
      options.log.warn({ accountId, code: facts.code, error }, 'account could not be opened for LookupEvents');
      const reason = inert(`${facts.code}: ${redactText(facts.message)}`, 200);
      const name = `CloudTrail LookupEvents ${accountId}`;
      return { lanes: [], failures: [{ name, events: 0, pages: 0, truncated: false, failed: true, reason }] };
    }
  }

  async function open(): Promise<Lanes> {
    const accounts = await Promise.all(options.accounts.map((account) => limit(() => openAccount(account))));
    known = { lanes: accounts.flatMap((one) => one.lanes), failures: accounts.flatMap((one) => one.failures) };
    return known;
  }

  async function askAll(question: Question): Promise<void> {
    opened ??= open();
    const { lanes } = await opened;
    const jobs = lanes.map((lane) => jobFor(lane, question, options.accounts)).filter((job) => job !== undefined);
    if (progress.running === 0) Object.assign(progress, { regionsDone: 0, regions: 0 });
    progress.running += 1;
    progress.regions += jobs.length;
    try {
      await Promise.all(
        jobs.map((job) =>
          limit(async () => {
            await job();
            progress.regionsDone += 1;
            options.onProgress?.(report());
          }),
        ),
      );
    } finally {
      progress.running -= 1;
    }
  }

  return {
    async recordsOf(artifact: Artifact) {
      options.signal.throwIfAborted();
      if (from < to) await askAll(questionOf(artifact));
      // Answers from memory come without a pause: without this turn a long recursion would hold up locks and clicks.
      await setImmediate();
      return index.recordsOf(artifact);
    },
    async *all() {
      options.signal.throwIfAborted();
      if (from < to) await askAll({ scan: true });
      let given = 0;
      for (const record of index.all()) {
        yield record;
        given += 1;
        // As above: others get their turn in between.
        if (given % recordsPerTurn === 0) await setImmediate();
      }
    },
    progress: report,
    coverage(): Coverage {
      const asked = known.lanes.flatMap((lane) => ({ lane, source: lane.source() }));
      const looked = asked.filter(({ source }) => source !== undefined);
      const sources = [...known.failures, ...looked.flatMap(({ source }) => source ?? [])];
      const broken = sources.filter((source) => source.failed || source.truncated);
      return {
        complete: !tooOld && sources.length > 0 && broken.length === 0,
        accounts: sorted(looked.map(({ lane }) => lane.accountId)),
        regions: sorted(looked.map(({ lane }) => lane.region)),
        from: iso(from),
        to: iso(to),
        sources,
        badFiles: [],
        notLookedAt: [
          ...(tooOld ? [`before ${iso(oldest)}: LookupEvents goes back ${historyDays} days`] : []),
          ...broken.map(
            (source) => `${source.failed ? '' : 'the rest of '}${source.name}: ${source.reason ?? 'failed'}`,
          ),
          ...(options.regions
            ? [`Regions other than ${sorted(known.lanes.map((lane) => lane.region)).join(', ')}: not asked for`]
            : []),
          'S3 object access, Lambda invocations and other data events: LookupEvents does not have them',
          ...(to > now - horizonMs ? ['events of the last 15 minutes may not have arrived yet'] : []),
        ],
      };
    },
  };
}

/** What a Region has to do for a question; undefined where it has no part in it. */
function jobFor(
  lane: Lane & { readonly isGlobal: boolean },
  question: Question,
  accounts: readonly string[],
): (() => Promise<void>) | undefined {
  const concerns = (account: string | undefined): boolean =>
    account === undefined || account === lane.accountId || !accounts.includes(account);
  if (question.scan) return concerns(question.account) ? () => lane.scan() : undefined;
  const lookups = question.lookups.filter(
    ({ account, region }) =>
      concerns(account) && (region === undefined || region === lane.region || (region === 'global' && lane.isGlobal)),
  );
  if (lookups.length === 0) return undefined;
  return async () => {
    await Promise.all(lookups.map((lookup) => lane.look(lookup)));
  };
}

function sorted(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort();
}

function iso(epochMs: number): string {
  return Number.isNaN(epochMs) ? '' : isoOf(epochMs);
}
