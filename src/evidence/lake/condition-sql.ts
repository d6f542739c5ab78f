/**
 * A condition over records as SQL over the rows of a shard. TRUE and FALSE mean what the matcher in memory says; NULL means
 * that SQL cannot tell, and SQL's own three-valued AND, OR and NOT carry that through. So `IS NOT FALSE` is never narrower
 * than the matcher, which looks at what it lets through, and the answer is the same by construction.
 *
 * One thing is not seen: a JSON object that has the same key twice, which DuckDB reads the first of, JavaScript the last.
 */
import type { Node, Pattern, Test } from '../../contracts/condition.ts';
import { sqlText } from './columns.ts';
import { type FieldSql, fieldSql, jsonPath, nestedSql, plainSql, valuesSql } from './fields-sql.ts';
import { foldedPatternsSql, testSql, unknown } from './test-sql.ts';

const filledAtDoor = new Set(['awsRegion', 'sourceIPAddress', 'userAgent']);

/** How a test asks for a value: as JSON, as text, or as text in lower case where it is ASCII. */
type Form = 'json' | 'text' | 'folded';
/** Columns that `Conditions.over` adds for each field: of its one value, and lists of its values. */
const ones: Readonly<Record<Form, string>> = { json: 'o', text: 't', folded: 'l' };
const manies: Readonly<Record<Form, string>> = { json: 'm', text: 'mt', folded: 'ml' };

interface Known {
  readonly number: number;
  readonly sql: FieldSql;
  /** Groups of rows whose conditions read the field; undefined: those of all rows do. */
  groups: Set<number> | undefined;
}

/**
 * Makes conditions over rows of which each field is read once, however many conditions ask for it. A condition that is about the rows
 * of one group only (their `class`) may say so: then no other rows are looked into for it, and its value for them says nothing.
 */
export class Conditions {
  readonly #fields = new Map<string, Known>();
  #group: number | undefined;

  /** SQL of type BOOLEAN over the columns that `over` adds. */
  sql(node: Node, group?: number): string {
    this.#group = group;
    return this.#sql(node);
  }

  #sql(node: Node): string {
    switch (node.kind) {
      case 'and':
        return node.of.length === 0 ? 'true' : `(${node.of.map((part) => this.#sql(part)).join(' AND ')})`;
      case 'or':
        return this.#either(node.of);
      case 'not':
        return `(NOT ${this.#sql(node.of)})`;
      case 'null':
        return `(NOT ${this.#presence(node.field)})`;
      case 'exists':
        return node.expected ? this.#presence(node.field) : `(NOT ${this.#presence(node.field)})`;
      case 'field':
        return this.#ofAnyValue(node.field, formOf(node.test), (value) => testSql(node.test, value));
      case 'keyword':
        return unknown;
    }
  }

  /** The rows of `from`, a query of columns of shards, with what the conditions made up to now ask for. */
  over(from: string): string {
    const fields = [...this.#fields.values()];
    if (fields.length === 0) return from;
    const guards = distinct(fields.flatMap(({ sql }) => sql.guards));
    const columns = distinct(fields.flatMap(({ sql }) => (sql.isScalar ? [] : [sql.json])));
    const pathsOf = (column: string) =>
      distinct(fields.flatMap(({ sql }) => (sql.json === column && sql.path.length > 0 ? [jsonPath(sql.path)] : [])));
    const gates = distinct(fields.map(({ groups }) => gateOf(groups)));
    const gate = ({ groups }: Known) => `k${gates.indexOf(gateOf(groups))}`;
    const firsts = [
      ...gates.map((sql, i) => `${sql} AS k${i}`),
      ...columns.map((column, i) => {
        const readers = fields.filter(({ sql }) => !sql.isScalar && sql.json === column);
        const all = readers.some(({ groups }) => groups === undefined);
        const sql = gateOf(all ? undefined : new Set(readers.flatMap(({ groups }) => [...(groups ?? [])])));
        return `${sql === 'true' ? column : `CASE WHEN ${sql} THEN ${column} END`} AS c${i}`;
      }),
    ];
    // Each column is parsed once, for all the paths that are asked of it.
    const read = [
      ...guards.map((guard, i) => `coalesce(TRY(${guard}), false) AS g${i}`),
      ...columns.flatMap((column, i) => {
        const paths = pathsOf(column);
        const list =
          paths.length === 0
            ? []
            : [`TRY(CAST(json_extract(c${i}, [${paths.map(sqlText).join(', ')}]) AS VARCHAR[])) AS x${i}`];
        return [`contains(c${i}, '[') AS b${i}`, ...list];
      }),
    ];
    const nested = columns.map((_column, i) => `CASE WHEN b${i} THEN NOT ${nestedSql(`c${i}`)} ELSE true END AS u${i}`);
    const found = fields.map((field) => {
      const { number: n, sql } = field;
      if (sql.isScalar) return `CASE WHEN ${gate(field)} THEN ${missing(sql, `TRY(${sql.json})`)} END AS o${n}`;
      const at = columns.indexOf(sql.json);
      const place = pathsOf(sql.json).indexOf(jsonPath(sql.path)) + 1;
      return `CASE WHEN ${gate(field)} THEN ${missing(sql, sql.path.length === 0 ? `c${at}` : `x${at}[${place}]`)} END AS o${n}`;
    });
    const states = fields.map((field) => `${stateOf(field, gate(field), guards, columns)} AS s${field.number}`);
    const texts = fields.map(({ number: n, sql }) => {
      const json = `c${columns.indexOf(sql.json)}`;
      const many = sql.isScalar ? '' : `, CASE WHEN s${n} = 2 THEN TRY(${valuesSql(json, sql.path)}) END AS m${n}`;
      return `TRY(${textOf(`o${n}`)}) AS t${n}${many}`;
    });
    const lists = fields.filter(({ sql }) => !sql.isScalar);
    const folded = [
      ...fields.map(({ number: n }) => `${lowerOf(`t${n}`)} AS l${n}`),
      ...lists.map(({ number: n }) => `TRY(list_transform(m${n}, lambda v: ${textOf('v')})) AS mt${n}`),
    ];
    const listsFolded = lists.map(
      ({ number: n }) => `TRY(list_transform(mt${n}, lambda v: ${lowerOf('v')})) AS ml${n}`,
    );
    return [firsts, read, [...nested, ...found], states, texts, folded, listsFolded].reduce(
      (rows, picks) => (picks.length === 0 ? rows : `SELECT *, ${picks.join(', ')} FROM (${rows})`),
      from,
    );
  }

  /** Tests of one field in one look at it: that is what most rules are. */
  #either(nodes: readonly Node[]): string {
    const byField = new Map<string, Pattern[]>();
    const parts: string[] = [];
    for (const node of nodes) {
      if (node.kind === 'field' && node.test.kind === 'text' && !node.test.cased)
        byField.set(node.field, [...(byField.get(node.field) ?? []), node.test.pattern]);
      else parts.push(this.#sql(node));
    }
    for (const [field, patterns] of byField)
      parts.push(this.#ofAnyValue(field, 'folded', (value) => foldedPatternsSql(patterns, value)));
    return parts.length === 0 ? 'false' : `(${parts.join(' OR ')})`;
  }

  #presence(field: string): string {
    return this.#ofAnyValue(field, 'json', (json) => (filledAtDoor.has(field) ? `(${json} <> '""')` : 'true'));
  }

  /** True where the test holds for any value; NULL where for none, but not of all is it known that it does not. */
  #ofAnyValue(field: string, form: Form, test: (value: string) => string): string {
    const known = this.#fields.get(field);
    const sql = known?.sql ?? fieldSql(field);
    if (sql === undefined) return unknown;
    const number = known?.number ?? this.#fields.size;
    const groups = known ? known.groups : new Set<number>();
    const group = this.#group;
    if (!known) this.#fields.set(field, { number, sql, groups: group === undefined ? undefined : groups });
    else if (group === undefined) known.groups = undefined;
    if (group !== undefined) groups?.add(group);
    const single = test(`${ones[form]}${number}`);
    const one = `WHEN 1 THEN CASE WHEN o${number} IS NULL THEN false ELSE ${single} END`;
    if (sql.isScalar) return `(CASE s${number} ${one} END)`;
    const each = `lambda v: CASE ${test('v')} WHEN true THEN 2 WHEN false THEN 0 ELSE 1 END`;
    const verdicts = `list_transform(${manies[form]}${number}, ${each})`;
    const many = `WHEN 2 THEN CASE coalesce(list_max(${verdicts}), CASE WHEN m${number} IS NULL THEN 1 ELSE 0 END) WHEN 2 THEN true WHEN 0 THEN false END`;
    return `(CASE s${number} ${one} ${many} END)`;
  }
}

function distinct(items: readonly string[]): readonly string[] {
  return [...new Set(items)];
}

/** NULL for what counts as missing. */
function missing({ isWord }: FieldSql, value: string): string {
  const present = `nullif(${value}, 'null')`;
  return isWord ? `nullif(${present}, '""')` : present;
}

function gateOf(groups: ReadonlySet<number> | undefined): string {
  return groups === undefined ? 'true' : `class IN (${[...groups].sort((a, b) => a - b).join(', ')})`;
}

/** 1: one value or none, in o. 2: to be read the long way, in m. NULL: for the matcher. */
function stateOf(field: Known, gate: string, guards: readonly string[], columns: readonly string[]): string {
  const { json, path, isScalar } = field.sql;
  const own = field.sql.guardsValue(`o${field.number}`);
  const conditions = [
    ...field.sql.guards.map((guard) => `g${guards.indexOf(guard)}`),
    ...(own === undefined ? [] : [own]),
  ];
  const holds = conditions.length === 0 ? 'true' : conditions.join(' AND ');
  if (isScalar) return `CASE WHEN ${gate} AND ${holds} THEN 1 END`;
  const at = columns.indexOf(json);
  return `CASE WHEN NOT (${gate} AND ${holds}) THEN NULL WHEN c${at} IS NULL THEN 1 WHEN NOT u${at} THEN NULL
    ${path.length === 0 ? '' : `WHEN x${at} IS NULL THEN NULL `}WHEN NOT b${at}${plainSql(`c${at}`, path)} THEN 1 ELSE 2 END`;
}

/** Text of a JSON scalar as JavaScript has it; NULL for objects, fractions and numbers too long for it. */
function textOf(value: string): string {
  const bare = `CASE WHEN contains(${value}, '\\') THEN json_extract_string(${value}, '$') ELSE substring(${value}, 2, length(${value}) - 2) END`;
  return `(CASE WHEN starts_with(${value}, '"') THEN ${bare}
    WHEN ${value} IN ('true', 'false') OR regexp_full_match(${value}, '0|-?[1-9][0-9]{0,14}') THEN ${value} END)`;
}

/** Outside of ASCII, two engines fold case and count characters in their own ways. */
function lowerOf(text: string): string {
  return `(CASE WHEN strlen(${text}) = length(${text}) THEN lower(${text}) END)`;
}

function formOf(test: Test): Form {
  return test.kind === 'text' && !test.cased ? 'folded' : 'text';
}
