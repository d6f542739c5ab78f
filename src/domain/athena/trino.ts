/**
 * The SQL of Athena (Trino, engine version 3) that conditions of rules are written in. Everything that is used stands here, so that one
 * page shows what has to mean there what it means in the tests. TRUE, FALSE and NULL are as in condition-sql.ts of the lake: NULL is "the
 * matcher must decide", and SQL's own AND, OR and NOT carry it.
 */

/**
 * Functions, and the pages that say what they do. Beside them: AND, OR, NOT, =, <>, <, <=, >, >=, IN, BETWEEN, LIKE with ESCAPE,
 * IS NULL, CASE, CAST (to BIGINT, DOUBLE, JSON, BOOLEAN), + and *.
 */
export const trinoFunctions: Readonly<Record<string, string>> = {
  json_parse: 'https://trino.io/docs/current/functions/json.html#json_parse',
  json_format: 'https://trino.io/docs/current/functions/json.html#json_format',
  json_extract: 'https://trino.io/docs/current/functions/json.html#json_extract',
  json_extract_scalar: 'https://trino.io/docs/current/functions/json.html#json_extract_scalar',
  lower: 'https://trino.io/docs/current/functions/string.html#lower',
  strpos: 'https://trino.io/docs/current/functions/string.html#strpos',
  split_part: 'https://trino.io/docs/current/functions/string.html#split_part',
  coalesce: 'https://trino.io/docs/current/functions/conditional.html#coalesce',
  try_cast: 'https://trino.io/docs/current/functions/conversion.html#try_cast',
  try: 'https://trino.io/docs/current/functions/conditional.html#try',
  // Patterns are made by trino-regex.ts, in the part that Joni, RE2 and JavaScript read alike.
  regexp_like: 'https://trino.io/docs/current/functions/regexp.html#regexp_like',
};

/** Athena takes this many bytes (https://docs.aws.amazon.com/athena/latest/ug/service-limits.html, "Query string length"). */
export const maxStatementBytes = 262_144;

/** What SQL cannot tell. */
export const unknown = 'CAST(NULL AS BOOLEAN)';

/** Printable ASCII: all that the values are compared with, and the only texts that SQL judges by a regular expression. */
export function isPrintable(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

/** A literal of printable ASCII; a single quote is doubled, and nothing else has a meaning of its own. */
export function quoted(text: string): string {
  if (!isPrintable(text)) throw new Error('only printable ASCII is written into SQL');
  return `'${text.replaceAll("'", "''")}'`;
}

/** Parts joined as a balanced tree: engines go down into an expression level by level, and a chain of hundreds is deep. */
export function joined(parts: readonly string[], by: 'AND' | 'OR'): string {
  const [only = by === 'AND' ? 'true' : 'false'] = parts;
  if (parts.length < 2) return only;
  const few = 16;
  if (parts.length <= few) return `(${parts.join(` ${by} `)})`;
  const size = Math.ceil(parts.length / few);
  const chunks = Array.from({ length: Math.ceil(parts.length / size) }, (_, at) =>
    joined(parts.slice(at * size, (at + 1) * size), by),
  );
  return joined(chunks, by);
}

/** `$.userName`, `$["x-amz-acl"]`; undefined for keys that a path may not hold in every engine. */
export function jsonPath(keys: readonly string[]): string | undefined {
  const parts = keys.map((key) => {
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return `.${key}`;
    return /^[A-Za-z0-9_ ./:@=+-]+$/.test(key) ? `["${key}"]` : undefined;
  });
  return parts.includes(undefined) ? undefined : `$${parts.join('')}`;
}
