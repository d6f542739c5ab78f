/** Rules asked of Athena: one pass for what may fit them, kept in the lake for later, and judged by who asked. */
import { createHash } from 'node:crypto';
import type { AthenaEstimate, AthenaScope } from '../../contracts/athena.ts';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { UpstreamError, UserError } from '../../contracts/errors.ts';
import type { Coverage, CoverageSource, RuleInSource, RulesAsked, WantedByRules } from '../../contracts/evidence.ts';
import { silentAccounts } from '../../domain/athena/heard.ts';
import { trailColumns } from '../../domain/athena/queries.ts';
import { type RuleStatements, ruleStatements } from '../../domain/athena/rule-statements.ts';
import { costText, dollarsText } from '../../domain/athena/words.ts';
import { bytesText } from '../../domain/conversations.ts';
import { count } from '../../domain/phrases.ts';
import { intoLake, recordsOfRows } from './into-lake.ts';
import type { PassOptions } from './pass.ts';

export interface RulesPass {
  /**
   * Records among which are all that fit any of the rules, each once. Throws UserError or UpstreamError where nothing could be asked; what
   * fails later shows in the coverage.
   */
  read(wanted: WantedByRules): AsyncIterable<CloudTrailRecord>;
  /** False where no rule can be narrowed: then the source must be read whole. */
  canNarrow(wanted: WantedByRules): Promise<boolean>;
  asked(): RulesAsked | undefined;
  coverage(): Coverage | undefined;
}

type Plan = RuleStatements & { readonly scope: AthenaScope };

interface State {
  readonly scope: AthenaScope;
  readonly rules: readonly RuleInSource[];
  readonly before: string;
  readonly statements: number;
  asked: number;
  events: number;
  bytes: number;
  readonly notes: string[];
  readonly gaps: string[];
  isCut: boolean;
  /** Undefined until it is known which accounts have records at all. */
  silent: readonly string[] | undefined;
}

export function rulesPass(options: PassOptions): RulesPass {
  const { athena, settings, signal, log } = options;
  let state: State | undefined;

  const plans = new WeakMap<WantedByRules, Promise<Plan>>();

  function planOf(wanted: WantedByRules): Promise<Plan> {
    const plan =
      plans.get(wanted) ??
      athena.scope().then((scope) => ({ scope, ...ruleStatements(settings, scope, wanted.rules, options.maxEvents) }));
    plans.set(wanted, plan);
    return plan;
  }

  async function* read(wanted: WantedByRules): AsyncGenerator<CloudTrailRecord> {
    const plan = await planOf(wanted);
    const { scope } = plan;
    const [first] = plan.statements;
    const before =
      first === undefined ? '' : beforeText(await athena.estimate(first.statement), plan.statements.length);
    if (first) wanted.progress(`Asking Athena for ${count(first.rules.length, 'rule')}. ${before}.`);
    const current: State = {
      ...{ scope, rules: plan.rules, before, statements: plan.statements.length },
      ...{ asked: 0, events: 0, bytes: 0, notes: [], gaps: gapsOf(plan.rules), isCut: false, silent: undefined },
    };
    const parts = [...plan.statements];
    let seen = parts.length > 1 ? new Set<string>() : undefined;
    const heard = new Set<string | undefined>();
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      signal.throwIfAborted();
      let answer: Awaited<ReturnType<typeof athena.ask>>;
      try {
        answer = await athena.ask(part.statement);
      } catch (error) {
        signal.throwIfAborted();
        const smaller = isTooComplex(error) ? smallerOnes(part, wanted, scope) : [];
        if (smaller.length > 1) {
          log.warn({ statements: smaller.length }, 'a statement was too complex for Athena and is asked in parts');
          parts.unshift(...smaller);
          seen ??= new Set();
          continue;
        }
        if (current.asked === 0 || !(error instanceof UserError || error instanceof UpstreamError)) throw error;
        current.gaps.push(`${few(part.rules)}: ${error.message}`);
        continue;
      }
      const { records, lost } = recordsOfRows(answer);
      const fresh = records.filter((record) => isNew(record, seen));
      note(current, answer, part.rules, lost);
      current.events += fresh.length;
      for (const { recipientAccountId, userIdentity } of fresh) heard.add(recipientAccountId ?? userIdentity.accountId);
      state = current;
      await keep(fresh, current);
      yield* fresh;
    }
    if (current.asked > 0) await hear(current, heard);
    state = current;
    log.info(
      { records: current.events, bytes: current.bytes, rules: wanted.rules.length },
      'Athena was asked for rules',
    );
  }

  /** A rule that found nothing in an account without records says nothing of it. */
  async function hear(current: State, heard: ReadonlySet<string | undefined>): Promise<void> {
    const { silent, gaps, bytes } = await silentAccounts(options, 'cloudtrail', current.scope, heard);
    current.silent = silent;
    current.gaps.push(...gaps);
    current.bytes += bytes;
  }

  /** Nothing was scanned, and nothing is billed, for a statement that did not compile. */
  function smallerOnes({ rules, statement }: Plan['statements'][number], wanted: WantedByRules, scope: AthenaScope) {
    const some = wanted.rules.filter(({ name }) => rules.includes(name));
    const maxBytes = Math.ceil(statement.sql.length * 0.6);
    return ruleStatements(settings, scope, some, options.maxEvents, maxBytes).statements;
  }

  function beforeText({ bytes, because }: AthenaEstimate, statements: number): string {
    const times = statements > 1 ? `, ${statements} times` : '';
    if (bytes === undefined) return `What it reads cannot be told before: ${because}`;
    return `It reads about ${bytesText(bytes)}${times} (${because}), ${dollarsText(athena.dollars(bytes) * statements)}`;
  }

  /** The answer does not hang on the lake: where it cannot take the records now, they are asked for again. */
  async function keep(records: readonly CloudTrailRecord[], current: State): Promise<void> {
    try {
      await intoLake(records, options);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof UserError)) throw error;
      log.warn({ reason: error.message }, 'records of Athena were not kept in the lake');
      current.notes.push(`not kept in the lake: ${error.message}`);
    }
  }

  return {
    read,
    canNarrow: async (wanted) => (await planOf(wanted)).statements.length > 0,
    asked() {
      if (state === undefined) return undefined;
      const { before, bytes, rules, asked } = state;
      return { source: 'Athena', statements: asked, rules, cost: { before, after: costText(bytes, settings) } };
    },
    coverage() {
      if (state === undefined) return undefined;
      const { scope, events, asked, bytes, notes, gaps, isCut, silent } = state;
      const source: CoverageSource = {
        name: `CloudTrail in Athena (${settings.database}.${settings.tables.cloudtrail ?? ''}), what may fit ${count(state.rules.length, 'rule')}`,
        ...{ events, pages: asked, truncated: isCut, failed: false },
        reason: [...notes, costText(bytes, settings)].join('; '),
      };
      const { regions, from, to } = scope;
      const accounts = scope.accounts.filter((account) => !silent?.includes(account));
      const unasked = silent === undefined ? [...gaps, 'which accounts have any records was not asked'] : gaps;
      const complete = !isCut && unasked.length === 0;
      return { complete, accounts, regions, from, to, sources: [source], badFiles: [], notLookedAt: unasked };
    },
  };
}

/** Trino makes methods of expressions, and methods have a limit (github.com/trinodb/trino/issues/23661). */
function isTooComplex(error: unknown): boolean {
  if (!(error instanceof UpstreamError) || error.code !== 'FAILED') return false;
  return /exceeded maximum (filters|columns)|compiler|too (large|complex)|stack overflow/i.test(error.message);
}

/** What the answer cannot know of rules. */
function gapsOf(rules: readonly RuleInSource[]): string[] {
  return rules.flatMap(({ rule, how, because, lost }) => {
    if (how === 'none') return [`rule ${rule}: not asked of Athena (${because.join('; ')}); hunt for it by itself`];
    return lost.length === 0 ? [] : [`rule ${rule}: ${lost.join('; ')} in Athena`];
  });
}

function note(
  state: State,
  answer: {
    readonly rows: readonly (readonly (string | undefined)[])[];
    readonly truncated: boolean;
    readonly bytes: number;
  },
  rules: readonly string[],
  lost: number,
): void {
  state.asked += 1;
  state.bytes += answer.bytes;
  if (lost > 0) state.gaps.push(`${count(lost, 'row')} of Athena that are no CloudTrail records`);
  if (!answer.truncated) return;
  // Oldest first: what was cut off is later than the last.
  const last = answer.rows.at(-1)?.[trailColumns.indexOf('eventtime')] ?? state.scope.from;
  state.isCut = true;
  state.notes.push(`stopped at ${answer.rows.length.toLocaleString('en-US')} records, up to ${last}`);
  state.gaps.push(`${few(rules)}: records after ${last}`);
}

function few(rules: readonly string[]): string {
  return rules.length <= 3
    ? `rules ${rules.join(', ')}`
    : `${rules.length} rules (${rules.slice(0, 2).join(', ')}, ...)`;
}

/** Parts of one question may give the same record twice. */
function isNew(record: CloudTrailRecord, seen: Set<string> | undefined): boolean {
  if (seen === undefined) return true;
  const key = createHash('sha256').update(JSON.stringify(record)).digest('base64');
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}
