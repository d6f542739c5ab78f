/**
 * The rules of a hunt as statements for Athena: one pass over the window for all of them. A row is fetched where the condition of any rule
 * is TRUE or NULL; the matcher in memory then judges it.
 */
import type { AthenaScope, AthenaStatement } from '../../contracts/athena.ts';
import type { AskedRule, RuleInSource } from '../../contracts/evidence.ts';
import { count } from '../phrases.ts';
import { tableOf, trailPicks, trailScope } from './queries.ts';
import type { AthenaSettings } from './settings.ts';
import { joined, maxStatementBytes } from './trino.ts';
import { TrinoConditions } from './trino-condition.ts';

/**
 * Conditions are put together to columns of this much SQL. The engine makes a method of each column, and methods have a limit
 * ("Query exceeded maximum filters", github.com/trinodb/trino/issues/23661); each column is read twice, so that it stays one.
 */
const columnBytes = 6_000;

export interface RuleStatements {
  readonly statements: readonly { readonly statement: AthenaStatement; readonly rules: readonly string[] }[];
  /** What SQL tells of each rule. Those of `none` are in no statement. */
  readonly rules: readonly RuleInSource[];
}

/**
 * As few statements as their length allows. Rules that SQL cannot narrow at all would fetch every record of the window: they are left out
 * and told, unless there are no others.
 */
export function ruleStatements(
  settings: AthenaSettings,
  scope: AthenaScope,
  rules: readonly AskedRule[],
  maxRows: number,
  maxBytes = maxStatementBytes,
): RuleStatements {
  const told = rules.map((rule) => inTrino(rule));
  const reads = { table: 'cloudtrail' as const, scope };
  const narrow = rules.filter((_rule, at) => told[at]?.how !== 'none');
  const tooLong = new Set<string>();
  const parts =
    narrow.length === 0
      ? []
      : parted(narrow, (some) => statementSql(settings, scope, some, maxRows), maxBytes, tooLong);
  return {
    statements: parts.map(({ sql, names }, at) => {
      const title = `records for ${count(names.length, 'rule')}${parts.length > 1 ? `, part ${at + 1} of ${parts.length}` : ''}`;
      return { statement: { title, sql, parameters: [], reads, maxRows }, rules: names };
    }),
    rules: told.map((one) =>
      tooLong.has(one.rule) ? { ...one, how: 'none', because: ['its SQL is longer than Athena takes'] } : one,
    ),
  };
}

/** What SQL over the table tells of one rule. */
function inTrino({ name, where }: AskedRule): RuleInSource {
  const { left, canBeFalse } = new TrinoConditions().sql(where);
  const how = canBeFalse ? (left.because.size === 0 ? 'whole' : 'part') : 'none';
  return { rule: name, how, because: [...left.because], lost: [...left.lost] };
}

/** Records of the scope for which a rule holds, or may hold: for people who run it by hand. `from` is a query of the table. */
function rowsFor(rules: readonly AskedRule[], from: string, picks: string): string {
  const conditions = new TrinoConditions();
  const sqls = rules.map(({ where }) => conditions.sql(where).sql);
  const columns: string[][] = [[]];
  let bytes = 0;
  for (const sql of sqls) {
    if (bytes + sql.length > columnBytes && bytes > 0) {
      columns.push([]);
      bytes = 0;
    }
    columns.at(-1)?.push(sql);
    bytes += sql.length;
  }
  const verdicts = columns.map((some, at) => `${joined(some, 'OR')} AS r${at}`);
  const wanted = columns.map((_some, at) => `r${at} IS NULL OR r${at}`);
  return `SELECT ${picks}
FROM (SELECT *, ${verdicts.join(',\n  ')} FROM (${conditions.over(from)}))
WHERE ${joined(wanted, 'OR')}`;
}

function statementSql(
  settings: AthenaSettings,
  scope: AthenaScope,
  rules: readonly AskedRule[],
  maxRows: number,
): string {
  const from = `SELECT * FROM ${tableOf(settings, 'cloudtrail')} WHERE ${trailScope(scope)}`;
  return `${rowsFor(rules, from, trailPicks())}
ORDER BY eventtime
LIMIT ${maxRows + 1}`;
}

/** Halves of halves, until each is short enough. */
function parted(
  rules: readonly AskedRule[],
  sqlOf: (rules: readonly AskedRule[]) => string,
  maxBytes: number,
  tooLong: Set<string>,
): readonly { readonly sql: string; readonly names: readonly string[] }[] {
  const sql = sqlOf(rules);
  if (Buffer.byteLength(sql) <= maxBytes) return [{ sql, names: rules.map(({ name }) => name) }];
  const [only] = rules;
  if (rules.length === 1 && only) {
    tooLong.add(only.name);
    return [];
  }
  const middle = Math.ceil(rules.length / 2);
  return [rules.slice(0, middle), rules.slice(middle)].flatMap((half) => parted(half, sqlOf, maxBytes, tooLong));
}
