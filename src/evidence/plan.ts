/**
 * Which source answers: the lake where it was filled for the question, LookupEvents for the time since or for all of it. Coverage
 * names each that did.
 */
import type { Artifact } from '../contracts/artifact.ts';
import type { Past } from '../contracts/baseline.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { asError, UserError } from '../contracts/errors.ts';
import type { Coverage, Evidence } from '../contracts/evidence.ts';
import type { Log } from '../contracts/log.ts';
import { addressUseOf, joinedUse } from '../domain/address-use.ts';
import { compareRecords } from '../domain/record.ts';
import { searchIn } from '../domain/text-search.ts';
import type { RulesPass } from './athena/rules-pass.ts';
import { tellingForeign } from './foreign.ts';
import { coveredUntil, gapsOf } from './lake/coverage.ts';
import { lakeFolder, lakeName, readPages } from './lake/pages.ts';
import { openOutside } from './outside.ts';
import { createRecordIndex } from './record-index.ts';

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
  /** What is kept of the past of every principal in the lake. */
  readonly past?: Past;
  /** The other source, for the whole window or a part of it. */
  openLookup(window: Question['window']): Promise<Evidence>;
  /** Undefined where the config names no CloudTrail table, or Athena is not to be asked for this window. */
  openAthena?: (() => Promise<Evidence>) | undefined;
  /** For rules, whatever the window: no other source outside the lake is asked for what fits. Undefined without a CloudTrail table. */
  openRules?: ((window: Question['window']) => Promise<RulesPass>) | undefined;
}

/** A second or two of reading. */
const fewRecords = 50_000;

/** `until`: the lake covers the question up to then; its end where it covers all of it. Never throws for a lake that cannot be read. */
async function reachOf(
  question: Question,
  { dataDir, log }: PlanOptions,
): Promise<Reach & { held: readonly string[] }> {
  try {
    const pages = await readPages(lakeFolder(dataDir));
    const held = [...new Set(pages.runs.flatMap((run) => run.accounts))];
    if (pages.damaged.length > 0) return { held, lack: `${pages.damaged.length} pages of the lake are damaged` };
    const { window, accounts, regions } = question;
    const isPartly = pages.shards.length > 0 && (accounts?.some((account) => held.includes(account)) ?? true);
    const [lack] = gapsOf(pages, { ...window, accounts, regions });
    if (lack === undefined) return { held, until: window.to, lack: '' };
    const until = coveredUntil(pages, { ...window, accounts, regions });
    return { held, ...(until === undefined ? {} : { until }), lack, isPartly };
  } catch (error) {
    log.warn({ error: asError(error) }, 'the lake could not be looked into');
    return { held: [], lack: 'the lake could not be looked into' };
  }
}

interface Reach {
  readonly until?: string;
  readonly lack: string;
  /** True where the lake holds something of the accounts, though not all of the question. */
  readonly isPartly?: boolean;
}

/**
 * Opens the source that is to answer: the lake, LookupEvents, or the lake with LookupEvents for the time since. A lake that fails
 * later hands over to the other source, and coverage tells both.
 */
export async function planEvidence(question: Question, options: PlanOptions): Promise<Evidence> {
  const { held, ...reach } = await reachOf(question, options);
  return tellingForeign(await chosenEvidence(question, reach, options), held);
}

async function chosenEvidence(
  question: Question,
  { until, lack, isPartly }: Reach,
  options: PlanOptions,
): Promise<Evidence> {
  const { window } = question;
  if (until === undefined) {
    options.log.info({ lack }, 'the lake does not cover the question');
    const other = await outside(question, options, window);
    return isPartly ? withWhatIsHeld(question, other, options) : other;
  }
  try {
    // DuckDB is loaded by the first question that it answers.
    const { openLakeEvidence } = await import('./lake/lake.ts');
    const held = { ...question, window: { from: window.from, to: until } };
    const lake = await openLakeEvidence({ ...held, dataDir: options.dataDir, log: options.log });
    const rest = until === window.to ? undefined : await outside(question, options, { from: until, to: window.to });
    const whole = rest ? withRest(lake, rest) : lake;
    const evidence = withFallback(whole, { ...options, openLookup: () => options.openLookup(window) });
    const { past } = options;
    if (past === undefined || (rest !== undefined && rest.all === undefined)) return evidence;
    // What came since is not in it.
    return {
      ...evidence,
      past: (progress) => past.answer({ ...question, ...window, progress, more: rest?.all?.() }),
      isPastReady: async () => (await past.lacks()) <= fewRecords,
    };
  } catch (error) {
    question.signal.throwIfAborted();
    if (!(error instanceof UserError)) options.log.warn({ error: asError(error) }, 'the lake could not be opened');
    return options.openLookup(window);
  }
}

/**
 * The other source, and where that could not look at everything also what the lake happens to hold: it may be of accounts that
 * nobody can ask any more, or older than what the other one knows. It makes nothing complete.
 */
function withWhatIsHeld(question: Question, other: Evidence, { dataDir, log }: PlanOptions): Evidence {
  const index = createRecordIndex();
  let opening: Promise<Evidence | undefined> | undefined;
  let lake: Evidence | undefined;
  async function open(): Promise<Evidence | undefined> {
    try {
      const { openLakeEvidence } = await import('./lake/lake.ts');
      lake = await openLakeEvidence({ ...question, dataDir, log });
      return lake;
    } catch (error) {
      question.signal.throwIfAborted();
      log.warn({ error: asError(error) }, 'the lake could not be opened');
      return undefined;
    }
  }
  return {
    ...other,
    async recordsOf(artifact) {
      const asked = await other.recordsOf(artifact);
      if (other.coverage().complete) return asked;
      opening ??= open();
      const held = (await (await opening)?.recordsOf(artifact)) ?? [];
      for (const record of [...asked, ...held]) if (!index.has(record)) index.add(record);
      return index.recordsOf(artifact);
    },
    progress() {
      const asked = other.progress();
      return { ...asked, eventsRead: asked.eventsRead + (lake?.progress().eventsRead ?? 0) };
    },
    coverage() {
      const [asked, held] = [other.coverage(), lake?.coverage()];
      if (held === undefined) return asked;
      return {
        ...asked,
        accounts: [...new Set([...held.accounts, ...asked.accounts])].sort(),
        regions: [...new Set([...held.regions, ...asked.regions])].sort(),
        sources: [...held.sources, ...asked.sources],
        badFiles: [...held.badFiles, ...asked.badFiles],
        notLookedAt: [...held.notLookedAt, ...asked.notLookedAt],
      };
    },
  };
}

/** What the lake does not answer: `window` is all of the question's, or a part of it. */
function outside(question: Question, options: PlanOptions, window: Question['window']): Promise<Evidence> {
  const { openRules, openAthena, log } = options;
  const isWhole = window === question.window;
  return openOutside({
    ...{ window, log, signal: question.signal },
    openLookup: () => options.openLookup(window),
    openAthena: isWhole ? openAthena : undefined,
    openRules: openRules && (() => openRules(window)),
  });
}

/** Two sources for two stretches of time that do not overlap. */
function withRest(lake: Evidence, rest: Evidence): Evidence {
  const index = createRecordIndex();
  const ask = async (artifact: Artifact) => {
    for (const records of await Promise.all([lake.recordsOf(artifact), rest.recordsOf(artifact)]))
      for (const record of records) if (!index.has(record)) index.add(record);
    return index.recordsOf(artifact);
  };
  const wholes = [lake, rest].flatMap((part) => part.all?.bind(part) ?? []);
  const [held] = wholes;
  const fitting = rest.matching?.bind(rest);
  return {
    recordsOf: ask,
    // One part alone would not be all.
    ...(wholes.length < 2
      ? {}
      : {
          async *all(narrowing, told) {
            for (const whole of wholes) yield* whole(narrowing, told);
          },
        }),
    ...(held && fitting
      ? {
          async *matching(wanted, told) {
            yield* held(wanted.narrowing, told);
            yield* fitting(wanted, told);
          },
          rulesAsked: () => rest.rulesAsked?.(),
        }
      : {}),
    async addressUse(ip, moreThan) {
      const before = await lake.addressUse?.(ip, moreThan);
      return before && joinedUse(ip, [before, addressUseOf(ip, await rest.recordsOf({ kind: 'ip', id: ip }))]);
    },
    async holding(text) {
      const [held = [], asked = []] = await Promise.all([searchIn(lake, text), searchIn(rest, text)]);
      return [...held, ...asked].sort(compareRecords);
    },
    progress() {
      const [before, since] = [lake.progress(), rest.progress()];
      return { ...since, eventsRead: before.eventsRead + since.eventsRead };
    },
    coverage() {
      const [held, asked] = [lake.coverage(), rest.coverage()];
      return {
        complete: held.complete && asked.complete,
        accounts: [...new Set([...held.accounts, ...asked.accounts])].sort(),
        regions: [...new Set([...held.regions, ...asked.regions])].sort(),
        from: held.from,
        to: asked.to,
        sources: [...held.sources, ...asked.sources],
        badFiles: [...held.badFiles, ...asked.badFiles],
        notLookedAt: [...held.notLookedAt, ...asked.notLookedAt],
      };
    },
  };
}

function withFallback(
  lake: Evidence,
  { openLookup, log }: { readonly log: Log; openLookup(): Promise<Evidence> },
): Evidence {
  let other: Evidence | undefined;
  let opening: Promise<Evidence> | undefined;
  const failed = () => lake.coverage().sources.some((source) => source.failed && source.name === lakeName);
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
  async function holding(text: string): Promise<readonly CloudTrailRecord[]> {
    const records = other ? undefined : await searchIn(lake, text);
    if (records && !failed()) return records;
    opening ??= openLookup();
    other = await opening;
    return (await searchIn(other, text)) ?? [];
  }
  const all = lake.all?.bind(lake);
  return {
    recordsOf: ask,
    holding,
    // Undefined after a failure: then the records are read, from the other source.
    addressUse: async (ip, moreThan) => (other ? undefined : lake.addressUse?.(ip, moreThan)),
    // A failure shows in the coverage: the other source cannot be read whole.
    ...(all === undefined ? {} : { all }),
    ...(lake.matching ? { matching: lake.matching.bind(lake), rulesAsked: () => (other ?? lake).rulesAsked?.() } : {}),
    progress: () => (other ?? lake).progress(),
    coverage: () => (other ? both(lake.coverage(), other.coverage()) : lake.coverage()),
  };
}

/** The failed lake stays in the sources, but what it did not answer the other source was asked. */
function both(lake: Coverage, other: Coverage): Coverage {
  const held = lake.sources.filter((source) => source.name === lakeName);
  return { ...other, sources: [...held, ...other.sources], badFiles: [...lake.badFiles, ...other.badFiles] };
}
