/**
 * A condition over records as SQL over rows of the CloudTrail table in Athena, of the same tree and the same three values as in the lake
 * (condition-sql.ts): TRUE and FALSE mean what the matcher in memory says of the record that the row becomes (rows.ts, then the door),
 * NULL that it must be asked. Rows that are TRUE or NULL are fetched, so that nothing is missed.
 *
 * One thing is not seen, as there: an object that has the same key twice.
 */
import type { Node, Test } from '../../contracts/condition.ts';
import { joined, jsonPath, quoted, unknown } from './trino.ts';
import { type BodyField, type ColumnField, type TrinoField, trinoField } from './trino-fields.ts';
import { valueSql } from './trino-tests.ts';

interface Known {
  readonly number: number;
  readonly field: TrinoField;
}

/** What of a condition the SQL leaves to the matcher. */
export interface Left {
  /** Parts that are NULL. */
  readonly because: ReadonlySet<string>;
  /** Fields that rows of the table lack, so that the matcher may judge other than it would of the record itself. */
  readonly lost: ReadonlySet<string>;
}

export class TrinoConditions {
  readonly #fields = new Map<string, Known>();
  #because = new Set<string>();
  #lost = new Set<string>();

  /** SQL of type BOOLEAN over the columns that `over` adds. */
  sql(node: Node): { readonly sql: string; readonly left: Left; readonly canBeFalse: boolean } {
    this.#because = new Set();
    this.#lost = new Set();
    const { sql, canBeFalse } = this.#part(node);
    return { sql, canBeFalse, left: { because: this.#because, lost: this.#lost } };
  }

  /** The rows of `from`, a query of the table, with what the conditions made up to now ask for. */
  over(from: string): string {
    const known = [...this.#fields.values()];
    const inBodies = known.flatMap(({ number, field }) => (field.kind === 'body' ? [{ number, field }] : []));
    const bodies = [...new Set(inBodies.map(({ field }) => field.body))];
    const nodes = new Map<string, string>();
    for (const { field } of inBodies)
      for (const key of nodeKeys(field)) if (!nodes.has(key)) nodes.set(key, `x${nodes.size}`);
    const parsed = bodies.map((body) => `try(json_parse(${body})) AS j_${body}`);
    const read = [
      ...bodies.flatMap((body) => [
        `${kindOf(body)} AS k_${body}`,
        `CASE WHEN strpos(${body}, '\\') = 0 AND NOT regexp_like(${body}, '${odd}') THEN lower(${body}) END AS b_${body}`,
      ]),
      ...[...nodes].map(([key, name]) => {
        const [body = '', path = ''] = key.split('\n');
        return `json_format(json_extract(j_${body}, '${path}')) AS ${name}`;
      }),
      ...inBodies.flatMap(({ number, field: { body, keys } }) =>
        keys.length === 0 ? [] : [`json_extract_scalar(j_${body}, '${jsonPath(keys) ?? ''}') AS y${number}`],
      ),
    ];
    const states = known.flatMap(({ number, field }) => {
      if (field.kind === 'none') return [];
      return field.kind === 'column' ? columnSql(number, field) : bodySql(number, field, nodes);
    });
    return [parsed, read, states].reduce(
      (rows, picks) => (picks.length === 0 ? rows : `SELECT *, ${picks.join(',\n  ')} FROM (${rows})`),
      from,
    );
  }

  #part(node: Node): { readonly sql: string; readonly canBeTrue: boolean; readonly canBeFalse: boolean } {
    switch (node.kind) {
      case 'and': {
        const parts = node.of.map((part) => this.#part(part));
        return {
          sql: joined(
            parts.map(({ sql }) => sql),
            'AND',
          ),
          canBeTrue: parts.every(({ canBeTrue }) => canBeTrue),
          canBeFalse: parts.some(({ canBeFalse }) => canBeFalse),
        };
      }
      case 'or': {
        const parts = this.#either(node.of);
        return {
          sql: joined(
            parts.map(({ sql }) => sql),
            'OR',
          ),
          canBeTrue: parts.some(({ canBeTrue }) => canBeTrue),
          canBeFalse: parts.every(({ canBeFalse }) => canBeFalse),
        };
      }
      case 'not': {
        const part = this.#part(node.of);
        return { sql: `(NOT ${part.sql})`, canBeTrue: part.canBeFalse, canBeFalse: part.canBeTrue };
      }
      case 'null':
        return this.#presence(node.field, false);
      case 'exists':
        return this.#presence(node.field, node.expected);
      case 'field':
        return node.test.kind === 'field'
          ? this.#ofFields(node.field, node.test)
          : this.#ofValue(node.field, [node.test]);
      case 'keyword':
        return this.#unknown('a keyword, which may stand in any field', false);
    }
  }

  /** Tests of one field in one look at it: that is what most rules are. */
  #either(nodes: readonly Node[]) {
    const byField = new Map<string, Test[]>();
    const others: Node[] = [];
    for (const node of nodes) {
      if (node.kind === 'field' && node.test.kind === 'text')
        byField.set(node.field, [...(byField.get(node.field) ?? []), node.test]);
      else others.push(node);
    }
    return [
      ...[...byField].map(([field, tests]) => this.#ofValue(field, tests)),
      ...others.map((node) => this.#part(node)),
    ];
  }

  #unknown(because: string, isLost: boolean) {
    this.#because.add(because);
    if (isLost) this.#lost.add(because);
    return { sql: unknown, canBeTrue: false, canBeFalse: false };
  }

  #known(name: string): Known {
    const known = this.#fields.get(name) ?? { number: this.#fields.size, field: trinoField(name) };
    if (known.field.kind !== 'none') this.#fields.set(name, known);
    return known;
  }

  #presence(name: string, expected: boolean) {
    const { number, field } = this.#known(name);
    if (field.kind === 'none') return this.#unknown(field.because, field.isLost);
    const there = field.kind === 'column' && field.empty === 'absent' ? `(y${number} <> '')` : `(s${number} > 0)`;
    return { sql: expected ? there : `(NOT ${there})`, canBeTrue: true, canBeFalse: true };
  }

  /** Whether any of the tests holds for any value of the field. */
  #ofValue(name: string, tests: readonly Test[]) {
    const { number, field } = this.#known(name);
    if (field.kind === 'none') return this.#unknown(field.because, field.isLost);
    const value = valueSql(tests, `y${number}`, `l${number}`);
    if ('because' in value) return this.#unknown(value.because, false);
    const both = { canBeTrue: true, canBeFalse: true };
    if (value.isAny) return { ...both, sql: `(s${number} > 0)` };
    if (field.kind === 'column' && field.isNeeded) return { ...both, sql: value.sql };
    const isWhole = field.kind === 'body' && field.keys.length === 0;
    const single = isWhole ? '' : ` WHEN s${number} = 1 THEN ${value.sql}`;
    const absent =
      field.kind === 'body' && value.parts !== undefined && value.parts.length <= maxParts
        ? ` WHEN ${absentSql(`b_${field.body}`, value.parts)} THEN false`
        : '';
    return { ...both, sql: `(CASE WHEN s${number} = 0 THEN false${single}${absent} END)` };
  }

  /** Whether a field has the value of another, or a part of it. */
  #ofFields(name: string, { field: otherName, where, cased }: Test & { readonly kind: 'field' }) {
    const [own, other] = [this.#known(name), this.#known(otherName)];
    for (const { field } of [own, other]) if (field.kind === 'none') return this.#unknown(field.because, field.isLost);
    if ([own, other].some(({ field }) => field.kind === 'body' && field.keys.length === 0))
      return this.#unknown(`the comparison of ${name} with ${otherName}`, false);
    if (where === 'end') return this.#unknown(`whether ${name} ends with ${otherName}`, false);
    const [text, part] = [own, other].map(({ number }) => `${cased ? 'y' : 'l'}${number}`);
    const look = {
      whole: `${text} = ${part}`,
      contains: `strpos(${text}, ${part}) > 0`,
      start: `strpos(${text}, ${part}) = 1`,
    }[where];
    const [mine, theirs] = [`s${own.number}`, `s${other.number}`];
    // An empty text is in all others; functions differ about that.
    const sql = `(CASE WHEN ${mine} = 0 OR ${theirs} = 0 THEN false WHEN ${mine} = 1 AND ${theirs} = 1 AND ${part} <> '' THEN ${look} END)`;
    return { sql, canBeTrue: true, canBeFalse: true };
  }
}

/** More texts than this are not looked for one by one. */
const maxParts = 40;

/** None of the texts is anywhere in the body. */
function absentSql(body: string, parts: readonly string[]): string {
  const looks = [...new Set(parts)].map((part) => `strpos(${body}, ${quoted(part)}) = 0`);
  return looks.length === 0 ? `${body} IS NOT NULL` : looks.join(' AND ');
}

/** Not ASCII, or a control character that is no line break: two engines may fold or count such texts in their own ways. */
const odd = '[^\\t\\n\\r -~]';
/** In every text that the door changes (redaction.ts), in lower case; a test holds the two together. */
export const changeable =
  'private key|xox|xapp-|eyj|fwog|iqoj|fqog|x-amz-|(key|secret)["\'\\t\\n\\r :=]|//[^@]*@|hooks\\.slack';

/** Not for SQL to judge. */
function isHard(text: string): string {
  return `regexp_like(${text}, '${odd}') OR regexp_like(lower(${text}), ${quoted(changeable)})`;
}

/** The body and the path of each step on the way to the field: any of them may be a list. */
function nodeKeys({ body, keys }: BodyField): readonly string[] {
  return keys.map((_key, at) => `${body}\n${jsonPath(keys.slice(0, at + 1)) ?? ''}`);
}

/**
 * 0: no body. 1: an object without lists. 2: an object with lists. NULL: no object, or one with `\\u`, behind which keys and half
 * characters may hide.
 */
function kindOf(body: string): string {
  return `CASE WHEN ${body} IS NULL OR ${body} IN ('', 'null') THEN 0
    WHEN ${body} LIKE '{%' AND strpos(${body}, '\\u') = 0 AND j_${body} IS NOT NULL THEN CASE WHEN strpos(${body}, '[') = 0 THEN 1 ELSE 2 END END`;
}

/** s: 0 missing, 1 a text that is known (y, and l in lower case), 2 there, but for the matcher to judge; NULL: it must say all. */
function columnSql(n: number, { column, empty, only, isNeeded }: ColumnField): readonly string[] {
  if (isNeeded) {
    const text = `CASE WHEN ${column} <> '' AND NOT (${isHard(column)}) THEN`;
    return [
      `${text} ${column} END AS y${n}`,
      `${text} lower(${column}) END AS l${n}`,
      `CASE WHEN ${column} <> '' THEN 2 END AS s${n}`,
    ];
  }
  if (empty === 'absent') {
    const text = `coalesce(${column}, '')`;
    return [`${text} AS y${n}`, `lower(${text}) AS l${n}`, `CASE WHEN ${isHard(text)} THEN 2 ELSE 1 END AS s${n}`];
  }
  const gone = empty === 'missing' ? `${column} IS NULL OR ${column} = ''` : `${column} IS NULL`;
  const rest =
    only === undefined
      ? `WHEN ${isHard(column)} THEN 2 ELSE 1`
      : `WHEN ${column} IN (${only.map(quoted).join(', ')}) THEN 1`;
  return [`${column} AS y${n}`, `lower(${column}) AS l${n}`, `CASE WHEN ${gone} THEN 0 ${rest} END AS s${n}`];
}

function bodySql(n: number, field: BodyField, nodes: ReadonlyMap<string, string>): readonly string[] {
  const { body, keys } = field;
  const kind = `k_${body}`;
  if (keys.length === 0) return [`CASE WHEN ${kind} = 0 THEN 0 WHEN ${kind} > 0 THEN 2 END AS s${n}`];
  const names = nodeKeys(field).map((key) => nodes.get(key) ?? '');
  const value = names.at(-1) ?? '';
  // Some keys have dots of their own.
  const dotted = keys.map((_key, at) => keys.slice(at).join('.')).filter((rest) => rest.includes('.'));
  const hidden = [
    ...names.map((name) => `${name} LIKE '[%'`),
    ...dotted.map((rest) => `strpos(${body}, ${quoted(`"${rest}"`)}) > 0`),
  ];
  return [
    `lower(y${n}) AS l${n}`,
    `CASE WHEN ${kind} IS NULL THEN NULL WHEN ${kind} = 0 THEN 0 WHEN ${hidden.join(' OR ')} THEN NULL
    WHEN ${value} IS NULL OR ${value} = 'null' THEN 0 WHEN ${value} LIKE '{%' THEN 2
    WHEN ${value} LIKE '"%' THEN CASE WHEN ${isHard(`y${n}`)} THEN 2 ELSE 1 END
    WHEN regexp_like(${value}, '^(true|false|0|-?[1-9][0-9]{0,14})$') THEN 1 ELSE 2 END AS s${n}`,
  ];
}
