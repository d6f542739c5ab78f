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

const unknown = 'CAST(NULL AS BOOLEAN)';
const filledAtDoor = new Set(['awsRegion', 'sourceIPAddress', 'userAgent']);

/** A value as a test may ask for it: as JSON, as text, and as text in lower case where it is ASCII. */
interface Value {
  readonly json: string;
  readonly text: string;
  readonly folded: string;
}

/** Makes conditions over rows of which each field is read once, however many conditions ask for it. */
export class Conditions {
  readonly #fields = new Map<string, { readonly number: number; readonly sql: FieldSql }>();

  /** SQL of type BOOLEAN over the columns that `over` adds. */
  sql(node: Node): string {
    switch (node.kind) {
      case 'and':
        return node.of.length === 0 ? 'true' : `(${node.of.map((part) => this.sql(part)).join(' AND ')})`;
      case 'or':
        return this.#either(node.of);
      case 'not':
        return `(NOT ${this.sql(node.of)})`;
      case 'null':
        return `(NOT ${this.#presence(node.field)})`;
      case 'exists':
        return node.expected ? this.#presence(node.field) : `(NOT ${this.#presence(node.field)})`;
      case 'field':
        return this.#ofAnyValue(node.field, (value) => testSql(node.test, value));
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
    // Each column is parsed once, for all the paths that are asked of it.
    const read = [
      ...guards.map((guard, i) => `coalesce(TRY(${guard}), false) AS g${i}`),
      ...columns.flatMap((column, i) => {
        const paths = pathsOf(column);
        const list =
          paths.length === 0
            ? []
            : [`TRY(CAST(json_extract(${column}, [${paths.map(sqlText).join(', ')}]) AS VARCHAR[])) AS x${i}`];
        return [`NOT ${nestedSql(column)} AS u${i}`, ...list];
      }),
    ];
    const found = fields.map(({ number: n, sql }) => {
      if (sql.isScalar) return `${missing(sql, `TRY(${sql.json})`)} AS o${n}`;
      const at = columns.indexOf(sql.json);
      const place = pathsOf(sql.json).indexOf(jsonPath(sql.path)) + 1;
      return `${missing(sql, sql.path.length === 0 ? sql.json : `x${at}[${place}]`)} AS o${n}`;
    });
    const states = fields.map(({ number: n, sql }) => `${stateOf(n, sql, guards, columns)} AS s${n}`);
    const texts = fields.map(({ number: n, sql }) => {
      const many = sql.isScalar ? '' : `, CASE WHEN s${n} = 2 THEN TRY(${valuesSql(sql.json, sql.path)}) END AS m${n}`;
      return `TRY(${textOf(`o${n}`)}) AS t${n}${many}`;
    });
    const folded = fields.map(({ number: n }) => `${lowerOf(`t${n}`)} AS l${n}`);
    return [read, found, states, texts, folded].reduce(
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
      else parts.push(this.sql(node));
    }
    for (const [field, patterns] of byField)
      parts.push(this.#ofAnyValue(field, (value) => foldedPatternsSql(patterns, value)));
    return parts.length === 0 ? 'false' : `(${parts.join(' OR ')})`;
  }

  #presence(field: string): string {
    return this.#ofAnyValue(field, ({ json }) => (filledAtDoor.has(field) ? `(${json} <> '""')` : 'true'));
  }

  /** True where the test holds for any value; NULL where for none, but not of all is it known that it does not. */
  #ofAnyValue(field: string, test: (value: Value) => string): string {
    const known = this.#fields.get(field);
    const sql = known?.sql ?? fieldSql(field);
    if (sql === undefined) return unknown;
    const number = known?.number ?? this.#fields.size;
    if (!known) this.#fields.set(field, { number, sql });
    const single = test({ json: `o${number}`, text: `t${number}`, folded: `l${number}` });
    const one = `WHEN 1 THEN CASE WHEN o${number} IS NULL THEN false ELSE ${single} END`;
    if (sql.isScalar) return `(CASE s${number} ${one} END)`;
    const each = test({ json: 'v', text: textOf('v'), folded: lowerOf(textOf('v')) });
    const verdicts = `list_transform(m${number}, lambda v: CASE ${each} WHEN true THEN 2 WHEN false THEN 0 ELSE 1 END)`;
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

/** 1: one value or none, in o. 2: to be read the long way, in m. NULL: for the matcher. */
function stateOf(number: number, sql: FieldSql, guards: readonly string[], columns: readonly string[]): string {
  const { json, path, isScalar } = sql;
  const own = sql.guardsValue(`o${number}`);
  const conditions = [...sql.guards.map((guard) => `g${guards.indexOf(guard)}`), ...(own === undefined ? [] : [own])];
  const holds = conditions.length === 0 ? 'true' : conditions.join(' AND ');
  if (isScalar) return `CASE WHEN ${holds} THEN 1 END`;
  return `CASE WHEN NOT (${holds}) THEN NULL WHEN ${json} IS NULL THEN 1 WHEN NOT u${columns.indexOf(json)} THEN NULL
    ${path.length === 0 ? '' : `WHEN x${columns.indexOf(json)} IS NULL THEN NULL `}WHEN ${plainSql(json, path)} THEN 1 ELSE 2 END`;
}

/** Text of a JSON scalar as JavaScript has it; NULL for objects, fractions and numbers too long for it. */
function textOf(value: string): string {
  return `(CASE WHEN starts_with(${value}, '"') THEN json_extract_string(${value}, '$')
    WHEN ${value} IN ('true', 'false') OR regexp_full_match(${value}, '0|-?[1-9][0-9]{0,14}') THEN ${value} END)`;
}

/** Outside of ASCII, two engines fold case and count characters in their own ways. */
function lowerOf(text: string): string {
  return `(CASE WHEN strlen(${text}) = length(${text}) THEN lower(${text}) END)`;
}

function testSql(test: Test, value: Value): string {
  switch (test.kind) {
    case 'text':
      return test.cased ? casedPatternSql(test.pattern, value) : foldedPatternsSql([test.pattern], value);
    case 'regex':
      return regexSql(test.source, test.flags, value.text);
    case 'cidr':
      return cidrSql(test.network, value.text);
    case 'compare':
      return compareSql(test, value.text);
    case 'field':
      return unknown;
  }
}

/** Any of the patterns: plain texts in one look-up, all others in one automaton. */
function foldedPatternsSql(patterns: readonly Pattern[], { folded }: Value): string {
  if (patterns.some(isAnything)) return 'true';
  const lowered = patterns.map((pattern) =>
    pattern.map((piece) => (piece.kind === 'text' ? { ...piece, text: piece.text.toLowerCase() } : piece)),
  );
  if (lowered.some(hasEnd)) return unknown;
  const isText = (pattern: Pattern) => pattern.every((piece) => piece.kind === 'text');
  const texts = lowered.filter(isText).map(literalOf);
  const others = lowered.filter((pattern) => !isText(pattern)).map(regexOf);
  const parts = [
    ...(texts.length === 0 ? [] : [`${folded} IN (${texts.map(sqlText).join(', ')})`]),
    ...(others.length === 0 ? [] : [`regexp_full_match(${folded}, ${sqlText(others.join('|'))}, 's')`]),
  ];
  return `(${parts.join(' OR ')})`;
}

function casedPatternSql(pattern: Pattern, { text }: Value): string {
  if (isAnything(pattern)) return 'true';
  if (hasEnd(pattern)) return unknown;
  return `(CASE WHEN strlen(${text}) = length(${text}) THEN regexp_full_match(${text}, ${sqlText(regexOf(pattern))}, 's') END)`;
}

function isAnything(pattern: Pattern): boolean {
  return pattern.length > 0 && pattern.every((piece) => piece.kind === 'any');
}

/** A statement ends at U+0000, and texts with half a surrogate pair are none in SQL. */
function hasEnd(pattern: Pattern): boolean {
  return pattern.some((piece) => piece.kind === 'text' && (piece.text.includes('\0') || !piece.text.isWellFormed()));
}

function literalOf(pattern: Pattern): string {
  return pattern.map((piece) => (piece.kind === 'text' ? piece.text : '')).join('');
}

function regexOf(pattern: Pattern): string {
  return pattern
    .map((piece) => {
      if (piece.kind === 'any') return '.*';
      return piece.kind === 'one' ? '.' : piece.text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    })
    .join('');
}

/**
 * Only what means the same in both engines: plain characters, groups, classes, repeats and a few escapes, over printable ASCII.
 */
function regexSql(source: string, flags: string, text: string): string {
  const isShared =
    /^[\x20-\x7e]*$/.test(source) &&
    !/\(\?(?!:)|\[\^?\]|\[\^?[^\]]*\[|&&|~~|\{\d*,?\d{3,}|[*+?}][+*{]|[*+?}]\?\?|\\(?![.dDwWsS/\-:*?+()[\]{}|^$"'@,;=])/.test(
      source,
    ) &&
    source !== '';
  if (!isShared) return unknown;
  const options = flags.includes('i') ? 'i' : 'c';
  return `(CASE WHEN regexp_full_match(${text}, '[ -~]*') THEN regexp_matches(${text}, ${sqlText(source)}, '${options}') END)`;
}

/** Addresses of version 4 in their usual form; names of services are none; all else is for the matcher. */
function cidrSql(network: string, text: string): string {
  const [range = '', bits = ''] = network.split('/');
  const octets = range.split('.').map(Number);
  if (octets.length !== 4 || !/^\d{1,2}$/.test(bits) || octets.some((octet) => !(octet >= 0 && octet <= 255)))
    return unknown;
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(octets.reduce((sum, octet) => sum * 256 + octet, 0) / size) * size;
  const number = [0, 1, 2, 3]
    .map((at) => `TRY_CAST(split_part(${text}, '.', ${at + 1}) AS BIGINT) * ${256 ** (3 - at)}`)
    .join(' + ');
  const octet = '(0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])';
  return `(CASE WHEN regexp_full_match(${text}, ${sqlText(`(${octet}\\.){3}${octet}`)})
    THEN ${number} BETWEEN ${first} AND ${first + size - 1}
    WHEN regexp_full_match(${text}, '([a-z][a-z-]*\\.)+(com|cn|aws)|AWS Internal') THEN false END)`;
}

const signs = { lt: '<', lte: '<=', gt: '>', gte: '>=' } as const;

function compareSql({ sign, number }: Test & { readonly kind: 'compare' }, text: string): string {
  return `(CASE WHEN regexp_full_match(${text}, '-?[0-9]{1,15}(\\.[0-9]{1,6})?')
    THEN TRY_CAST(${text} AS DOUBLE) ${signs[sign]} CAST(${number} AS DOUBLE)
    WHEN regexp_full_match(${text}, '[A-Za-z]*') AND NOT contains(lower(${text}), 'infinity') THEN false END)`;
}
