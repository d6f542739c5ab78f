/** Outside the lake: Athena and LookupEvents, each opened by the first question that is for it. What failed shows in the coverage. */
import { asError, UpstreamError, UserError } from '../contracts/errors.ts';
import type { Coverage, CoverageSource, Evidence } from '../contracts/evidence.ts';
import type { Log } from '../contracts/log.ts';
import { cannotReadAll } from '../domain/sigma/hunt.ts';
import { searchIn } from '../domain/text-search.ts';
import type { RulesPass } from './athena/rules-pass.ts';

export interface OutsideOptions {
  readonly window: { readonly from: string; readonly to: string };
  readonly signal: AbortSignal;
  readonly log: Log;
  openLookup(): Promise<Evidence>;
  /** Undefined where Athena is not to be asked for this window. */
  readonly openAthena?: (() => Promise<Evidence>) | undefined;
  /** Undefined where the config names no CloudTrail table. */
  readonly openRules?: (() => Promise<RulesPass>) | undefined;
}

/** Throws as `openLookup` does, where that is the only source for single questions. */
export async function openOutside(options: OutsideOptions): Promise<Evidence> {
  const { openAthena, openRules } = options;
  const single = openAthena ? late(options, openAthena) : await options.openLookup();
  return openRules ? withRules(single, options, openRules) : single;
}

/** Athena, and LookupEvents where it is not to be had. */
function late(options: OutsideOptions, openAthena: () => Promise<Evidence>): Evidence {
  let opened: Evidence | undefined;
  let opening: Promise<Evidence> | undefined;
  let isPartial = false;
  const open = async () => {
    opening ??= athenaOrLookup(options, openAthena);
    opened = await opening;
    return opened;
  };
  return {
    recordsOf: async (artifact) => (await open()).recordsOf(artifact),
    async *all(narrowing, told) {
      const whole = await open();
      isPartial = whole.all === undefined;
      yield* whole.all?.(narrowing, told) ?? [];
    },
    async holding(text) {
      const found = await searchIn(await open(), text);
      isPartial = found === undefined;
      return found ?? [];
    },
    addressUse: async (ip, moreThan) => (await open()).addressUse?.(ip, moreThan),
    progress: () => opened?.progress() ?? { regionsDone: 0, regions: 0, eventsRead: 0, requests: 0 },
    coverage() {
      const told = opened?.coverage() ?? nothingYet(options);
      return isPartial ? unread(told) : told;
    },
  };
}

async function athenaOrLookup(options: OutsideOptions, openAthena: () => Promise<Evidence>): Promise<Evidence> {
  try {
    return await openAthena();
  } catch (error) {
    const failed = failure(error, options);
    const lookup = await options.openLookup();
    return {
      ...lookup,
      // LookupEvents sees 90 days and no data events, so that it never stands in for Athena in full.
      coverage: () => besideFailed(failed, lookup.coverage()),
    };
  }
}

/** With rules asked of Athena; of the other source where Athena is not to be had, or no rule can be narrowed. */
function withRules(single: Evidence, options: OutsideOptions, openRules: () => Promise<RulesPass>): Evidence {
  let pass: RulesPass | undefined;
  let failed: CoverageSource | undefined;
  let isBlind = false;
  return {
    ...single,
    async *matching(wanted, told) {
      let given = 0;
      try {
        pass = await openRules();
        if (await pass.canNarrow(wanted)) {
          for await (const record of pass.read(wanted)) {
            given += 1;
            yield record;
          }
          return;
        }
      } catch (error) {
        // Halfway through, another source would give records twice.
        if (given > 0) throw error;
        failed = failure(error, options);
      }
      wanted.progress('Athena is not to be had for these rules, reading the other source whole');
      isBlind = single.all === undefined;
      yield* single.all?.(wanted.narrowing, told) ?? [];
    },
    rulesAsked: () => pass?.asked(),
    coverage() {
      const asked = pass?.coverage();
      const other = isBlind ? unread(single.coverage()) : single.coverage();
      if (failed) return besideFailed(failed, other);
      if (asked === undefined) return other;
      return other.sources.length === 0 ? asked : beside(asked, other);
    },
  };
}

/** Throws what is no failure of a source. */
function failure(error: unknown, { signal, log }: OutsideOptions): CoverageSource {
  signal.throwIfAborted();
  if (!(error instanceof UserError || error instanceof UpstreamError)) throw error;
  log.warn({ error: asError(error) }, 'Athena was not to be had, LookupEvents is asked');
  return { name: 'CloudTrail in Athena', events: 0, pages: 0, truncated: false, failed: true, reason: error.message };
}

function unread(told: Coverage): Coverage {
  return { ...told, complete: false, notLookedAt: [...told.notLookedAt, cannotReadAll] };
}

function besideFailed(failed: CoverageSource, told: Coverage): Coverage {
  return { ...told, complete: false, sources: [failed, ...told.sources] };
}

function beside(one: Coverage, other: Coverage): Coverage {
  return {
    complete: one.complete && other.complete,
    accounts: [...new Set([...one.accounts, ...other.accounts])].sort(),
    regions: [...new Set([...one.regions, ...other.regions])].sort(),
    from: one.from,
    to: one.to,
    sources: [...one.sources, ...other.sources],
    badFiles: [...one.badFiles, ...other.badFiles],
    notLookedAt: [...one.notLookedAt, ...other.notLookedAt],
  };
}

function nothingYet({ window }: OutsideOptions): Coverage {
  return { complete: false, accounts: [], regions: [], ...window, sources: [], badFiles: [], notLookedAt: [] };
}
