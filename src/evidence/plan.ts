/**
 * Which source answers: the lake where it was filled for the question, LookupEvents for the time before and since or for all of it, beside
 * what the lake happens to have of that. Coverage names each that did.
 */
import type { Artifact } from '../contracts/artifact.ts';
import type { Past } from '../contracts/baseline.ts';
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { asError, UserError } from '../contracts/errors.ts';
import type { Coverage, Evidence, RulesAsked } from '../contracts/evidence.ts';
import type { Log } from '../contracts/log.ts';
import { addressUseOf, joinedUse } from '../domain/address-use.ts';
import { compareRecords } from '../domain/record.ts';
import { searchIn } from '../domain/text-search.ts';
import { isoOf } from '../domain/window.ts';
import type { RulesPass } from './athena/rules-pass.ts';
import { besideLake, oneLakeLine, unreachable } from './beside-lake.ts';
import { tellingForeign } from './foreign.ts';
import { coveredSpan, gapsOf } from './lake/coverage.ts';
import { lakeFolder, lakeName, readPages } from './lake/pages.ts';
import { openOutside } from './outside.ts';
import { createRecordIndex } from './record-index.ts';
import { type Span, uncovered } from './spans.ts';

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

interface Reach {
  /** What of the window the lake vouches for. */
  readonly covered?: Question['window'] | undefined;
  /** Stretches of time of which the lake has records, vouched for or not. */
  readonly held: readonly Span[];
  /** Whose logs the lake has. */
  readonly accounts: readonly string[];
  readonly lack: string;
}

/** Never throws for a lake that cannot be read. */
async function reachOf(question: Question, { dataDir, log }: PlanOptions): Promise<Reach> {
  try {
    const pages = await readPages(lakeFolder(dataDir));
    const own = [...new Set(pages.runs.flatMap((run) => run.accounts))];
    if (pages.damaged.length > 0)
      return { held: [], accounts: own, lack: `${pages.damaged.length} pages of the lake are damaged` };
    const { window, accounts, regions } = question;
    const held = pages.shards.flatMap(({ first, last }): Span[] =>
      first === undefined || last === undefined ? [] : [{ from: Date.parse(first), to: Date.parse(last) + 1 }],
    );
    const [lack] = gapsOf(pages, { ...window, accounts, regions });
    if (lack === undefined) return { covered: window, held, accounts: own, lack: '' };
    return { covered: coveredSpan(pages, { ...window, accounts, regions }), held, accounts: own, lack };
  } catch (error) {
    log.warn({ error: asError(error) }, 'the lake could not be looked into');
    return { held: [], accounts: [], lack: 'the lake could not be looked into' };
  }
}

/**
 * Opens the source that is to answer: the lake, LookupEvents, or the lake with LookupEvents for the time before and since. A lake that fails
 * later hands over to the other source, and coverage tells both.
 */
export async function planEvidence(question: Question, options: PlanOptions): Promise<Evidence> {
  const reach = await reachOf(question, options);
  return tellingForeign(await chosenEvidence(question, reach, options), reach.accounts);
}

async function chosenEvidence(
  question: Question,
  { covered, held, lack }: Reach,
  options: PlanOptions,
): Promise<Evidence> {
  const { window } = question;
  // A pass of Athena reads the window into the lake, and answers from there.
  const isFromBegin = covered !== undefined && Date.parse(covered.from) === Date.parse(window.from);
  const isForAthena = options.openAthena !== undefined && !isFromBegin;
  if (lack !== '') options.log.info({ lack }, 'the lake does not cover the question');
  if (isForAthena || (covered === undefined && !held.some((span) => isIn(span, window))))
    return outside(question, options, window);
  try {
    if (covered === undefined) return await outsideBesideLake(question, options, window, held);
    // DuckDB is loaded by the first question that it answers.
    const lake = await openLake(question, options, covered);
    const stretches = uncovered(spanOf(window), [spanOf(covered)]).map(windowOf);
    const rests = await Promise.all(stretches.map((part) => outsideBesideLake(question, options, part, held)));
    const whole = rests.reduce((all, rest) => withRest(all, rest), lake);
    const openLookup = () => options.openLookup(window).catch((error: unknown) => unreachable(error, window));
    const evidence = withFallback(whole, { ...options, openLookup });
    const { past } = options;
    const [rest] = rests;
    const isSince = isFromBegin && (rest === undefined || rest.all !== undefined);
    if (past === undefined || !isSince) return evidence;
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

async function openLake(question: Question, { dataDir, log }: PlanOptions, window: Question['window']) {
  const { openLakeEvidence } = await import('./lake/lake.ts');
  return openLakeEvidence({ ...question, window, dataDir, log });
}

/** A stretch of the window that the lake does not vouch for. Where nobody else can be asked, what the lake has is better than nothing. */
async function outsideBesideLake(
  question: Question,
  options: PlanOptions,
  window: Question['window'],
  held: readonly Span[],
): Promise<Evidence> {
  const asked = outside(question, options, window).catch((error: unknown) => {
    question.signal.throwIfAborted();
    return unreachable(error, window);
  });
  if (!held.some((span) => isIn(span, window))) return asked;
  const lake = await openLake(question, options, window);
  return besideLake(await asked, lake);
}

function spanOf({ from, to }: Question['window']): Span {
  return { from: Date.parse(from), to: Date.parse(to) };
}

function windowOf({ from, to }: Span): Question['window'] {
  return { from: isoOf(from), to: isoOf(to) };
}

function isIn(span: Span, window: Question['window']): boolean {
  return span.from < Date.parse(window.to) && span.to > Date.parse(window.from);
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

/** Two sources for stretches of time that do not overlap, together all of the window. */
function withRest(lake: Evidence, rest: Evidence): Evidence {
  const index = createRecordIndex();
  const ask = async (artifact: Artifact) => {
    for (const records of await Promise.all([lake.recordsOf(artifact), rest.recordsOf(artifact)]))
      for (const record of records) if (!index.has(record)) index.add(record);
    return index.recordsOf(artifact);
  };
  const wholes = [lake, rest].flatMap((part) => part.all?.bind(part) ?? []);
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
    ...(wholes.length === 2 && (lake.matching || rest.matching)
      ? {
          async *matching(wanted, told) {
            for (const part of [lake, rest])
              yield* part.matching?.(wanted, told) ?? part.all?.(wanted.narrowing, told) ?? [];
          },
          rulesAsked: () => bothAsked(lake.rulesAsked?.(), rest.rulesAsked?.()),
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
        // Where LookupEvents does not go back so far, it says so.
        from: [held.from, asked.from].filter((at) => at !== '').sort()[0] ?? '',
        to: [held.to, asked.to].sort().at(-1) ?? '',
        sources: oneLakeLine([...held.sources, ...asked.sources]),
        badFiles: [...held.badFiles, ...asked.badFiles],
        notLookedAt: [...held.notLookedAt, ...asked.notLookedAt],
      };
    },
  };
}

function bothAsked(one: RulesAsked | undefined, other: RulesAsked | undefined): RulesAsked | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const cost = {
    before: `${one.cost.before}; ${other.cost.before}`,
    after: `${one.cost.after}; ${other.cost.after}`,
  };
  return { ...other, statements: one.statements + other.statements, cost };
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
