/** Which source answers: the lake where it was filled for the whole question, else LookupEvents. Coverage names the one that did. */
import type { Artifact } from '../contracts/artifact.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { asError, UpstreamError, UserError } from '../contracts/errors.ts';
import type { Coverage, Evidence } from '../contracts/evidence.ts';
import type { Log } from '../contracts/log.ts';
import { gapsOf } from './lake/coverage.ts';
import { lakeFolder, readPages } from './lake/pages.ts';

export interface Question {
  /** ISO 8601 UTC, half-open. */
  readonly window: { readonly from: string; readonly to: string };
  /** Those asked for, else those of the inventory; undefined where neither says. */
  readonly accounts: readonly string[] | undefined;
  readonly regions: readonly string[] | undefined;
  readonly maxEvents: number;
  readonly signal: AbortSignal;
}

export interface PlanOptions {
  readonly dataDir: string;
  readonly log: Log;
  /** The source to fall back on. */
  openLookup(): Promise<Evidence>;
  /** Undefined where the config names no CloudTrail table, or Athena is not to be asked for this window. */
  openAthena?: (() => Promise<Evidence>) | undefined;
}

/** What the lake lacks for the question, in words; empty where it can answer. Never throws for a lake that cannot be read. */
async function lackOf(question: Question, { dataDir, log }: PlanOptions): Promise<readonly string[]> {
  try {
    const pages = await readPages(lakeFolder(dataDir));
    if (pages.damaged.length > 0) return [`${pages.damaged.length} pages of the lake are damaged`];
    return gapsOf(pages, { ...question.window, accounts: question.accounts, regions: question.regions });
  } catch (error) {
    log.warn({ error: asError(error) }, 'the lake could not be looked into');
    return ['the lake could not be looked into'];
  }
}

/** Opens the source that is to answer. A lake that fails later hands over to the other source, and coverage tells both. */
export async function planEvidence(question: Question, options: PlanOptions): Promise<Evidence> {
  const lack = await lackOf(question, options);
  if (lack.length > 0) {
    options.log.info({ lack: lack.slice(0, 3) }, 'the lake does not cover the question');
    return openOutside(question, options);
  }
  try {
    // DuckDB is loaded by the first question that it answers.
    const { openLakeEvidence } = await import('./lake/lake.ts');
    const lake = await openLakeEvidence({ ...question, dataDir: options.dataDir, log: options.log });
    return withFallback(lake, options);
  } catch (error) {
    question.signal.throwIfAborted();
    if (!(error instanceof UserError)) options.log.warn({ error: asError(error) }, 'the lake could not be opened');
    return options.openLookup();
  }
}

/** Athena where it is to be asked, else LookupEvents. What Athena could not do shows in the answer's coverage. */
async function openOutside(question: Question, options: PlanOptions): Promise<Evidence> {
  if (options.openAthena === undefined) return options.openLookup();
  try {
    return await options.openAthena();
  } catch (error) {
    question.signal.throwIfAborted();
    if (!(error instanceof UserError || error instanceof UpstreamError)) throw error;
    options.log.warn({ error }, 'Athena was not to be had, LookupEvents is asked');
    const lookup = await options.openLookup();
    const source = { name: 'CloudTrail in Athena', events: 0, pages: 0, truncated: false, failed: true };
    return {
      recordsOf: (artifact) => lookup.recordsOf(artifact),
      progress: () => lookup.progress(),
      coverage: () => {
        const told = lookup.coverage();
        // LookupEvents sees 90 days and no data events, so that it never stands in for Athena in full.
        return { ...told, complete: false, sources: [{ ...source, reason: error.message }, ...told.sources] };
      },
    };
  }
}

function withFallback(lake: Evidence, { openLookup, log }: PlanOptions): Evidence {
  let other: Evidence | undefined;
  let opening: Promise<Evidence> | undefined;
  const failed = () => lake.coverage().sources.some((source) => source.failed);
  async function ask(artifact: Artifact): Promise<readonly CloudTrailRecord[]> {
    if (!other) {
      const records = await lake.recordsOf(artifact);
      if (!failed()) return records;
      log.warn({}, 'the lake failed, LookupEvents is asked instead');
      opening ??= openLookup();
      other = await opening;
    }
    return other.recordsOf(artifact);
  }
  const all = lake.all?.bind(lake);
  return {
    recordsOf: ask,
    // A failure shows in the coverage: the other source cannot be read whole.
    ...(all === undefined ? {} : { all }),
    progress: () => (other ?? lake).progress(),
    coverage: () => (other ? both(lake.coverage(), other.coverage()) : lake.coverage()),
  };
}

/** The failed lake stays in the sources, but what it did not answer the other source was asked. */
function both(lake: Coverage, other: Coverage): Coverage {
  return { ...other, sources: [...lake.sources, ...other.sources], badFiles: [...lake.badFiles, ...other.badFiles] };
}
