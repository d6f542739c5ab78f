/** What a condition asks of one value, as SQL over a text that is known to be the record's own (trino-condition.ts). */
import type { Pattern, Test } from '../../contracts/condition.ts';
import { isPrintable, joined, quoted } from './trino.ts';
import { trinoRegex } from './trino-regex.ts';

export interface ValueSql {
  /** Of the value, which is ASCII. */
  readonly sql: string;
  /**
   * In lower case: texts of which one stands in the JSON of every value that passes, where that is ASCII without a backslash. Undefined:
   * there are none to look for.
   */
  readonly parts: readonly string[] | undefined;
  /** Every value passes, whatever it is. */
  readonly isAny: boolean;
}

/**
 * Whether any of the tests passes. `text` is SQL of the value, `folded` of it in lower case; both are NULL, or not asked, where the value is
 * not ASCII. Gives the reason where SQL cannot judge it.
 */
export function valueSql(
  tests: readonly Test[],
  text: string,
  folded: string,
): ValueSql | { readonly because: string } {
  const plain: string[] = [];
  const others: string[] = [];
  const parts: (string | undefined)[] = [];
  for (const test of tests) {
    if (test.kind === 'text') {
      const pattern = test.cased ? test.pattern : lowered(test.pattern);
      if (pattern.length > 0 && pattern.every(({ kind }) => kind === 'any'))
        return { sql: 'true', parts: undefined, isAny: true };
      // Values are ASCII here, so that no other text is ever in them.
      if (!pattern.every((piece) => piece.kind !== 'text' || isPrintable(piece.text))) {
        if (!isOutside(pattern)) return { because: 'a text with control characters' };
        continue;
      }
      const whole = literalOf(pattern);
      if (whole !== undefined && !test.cased) plain.push(quoted(whole));
      else if (whole !== undefined) others.push(`${text} = ${quoted(whole)}`);
      else others.push(`${test.cased ? text : folded} LIKE ${likeOf(pattern)}`);
      parts.push(partOf(lowered(pattern)));
    } else {
      const sql = hardSql(test, text);
      if ('because' in sql) return sql;
      others.push(sql.sql);
      parts.push(undefined);
    }
  }
  const all = [...(plain.length === 0 ? [] : [`${folded} IN (${plain.join(', ')})`]), ...others];
  const known = parts.filter((part) => part !== undefined);
  return { sql: joined(all, 'OR'), parts: known.length === parts.length ? known : undefined, isAny: false };
}

function hardSql(test: Exclude<Test, { kind: 'text' }>, text: string): { sql: string } | { because: string } {
  if (test.kind === 'regex') {
    const pattern = trinoRegex(test.source, test.flags);
    if (pattern === undefined) return { because: `the regular expression ${test.source.slice(0, 60)}` };
    return { sql: `CASE WHEN NOT regexp_like(${text}, '[^ -~]') THEN regexp_like(${text}, ${quoted(pattern)}) END` };
  }
  if (test.kind === 'cidr') return cidrSql(test.network, text);
  if (test.kind === 'compare') return compareSql(test, text);
  return { because: `the comparison with the field ${test.field}` };
}

function lowered(pattern: Pattern): Pattern {
  return pattern.map((piece) => (piece.kind === 'text' ? { ...piece, text: piece.text.toLowerCase() } : piece));
}

/** Holds a character that no text of ASCII has. */
function isOutside(pattern: Pattern): boolean {
  return pattern.some((piece) => piece.kind === 'text' && /[^\0-\x7f]/.test(piece.text));
}

function literalOf(pattern: Pattern): string | undefined {
  if (pattern.length === 0) return '';
  const [only] = pattern;
  return pattern.length === 1 && only?.kind === 'text' ? only.text : undefined;
}

function likeOf(pattern: Pattern): string {
  let isEscaped = false;
  const like = pattern.map((piece) => {
    if (piece.kind === 'any') return '%';
    if (piece.kind === 'one') return '_';
    isEscaped ||= /[%_|]/.test(piece.text);
    return piece.text.replace(/[%_|]/g, '|$&');
  });
  return `${quoted(like.join(''))}${isEscaped ? " ESCAPE '|'" : ''}`;
}

/** What stands in the place of removed text: nothing that is looked for may be a piece of it. */
const marks = '<removed by firebreak> [private key] [slack token] [jwt] [aws session token] [removed] (__proto__)';
/** Characters that the structure of JSON has too, that it escapes, or that stand at the ends of marks. */
const unsafe = /["\\{}[\],<>()]+/;

/** The longest text that stands, letter by letter, in the JSON of every value that the pattern takes. */
function partOf(pattern: Pattern): string | undefined {
  return (
    pattern
      .flatMap((piece) => (piece.kind === 'text' ? piece.text.split(unsafe) : []))
      .map((part) => part.replace(/^[:\s]+|[:\s]+$/g, ''))
      // Numbers are written in more than one way.
      .filter((part) => part.length >= 3 && /[^0-9.e+-]/.test(part) && !marks.includes(part))
      .sort((a, b) => b.length - a.length)[0]
  );
}

const octet = '(0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])';

/** Addresses of version 4 in their usual form; names of services are none; all else is for the matcher. */
function cidrSql(network: string, text: string): { sql: string } | { because: string } {
  const [range = '', bits = ''] = network.split('/');
  const octets = range.split('.').map(Number);
  const isFour = octets.length === 4 && octets.every((one) => Number.isInteger(one) && one >= 0 && one <= 255);
  if (!isFour || !/^\d{1,2}$/.test(bits)) return { because: `the network ${network}` };
  const size = 2 ** (32 - Number(bits));
  const from = Math.floor(octets.reduce((sum, one) => sum * 256 + one, 0) / size) * size;
  const number = [0, 1, 2, 3]
    .map((at) => `try_cast(split_part(${text}, '.', ${at + 1}) AS BIGINT) * ${256 ** (3 - at)}`)
    .join(' + ');
  return {
    sql: `CASE WHEN regexp_like(${text}, '^(${octet}\\.){3}${octet}$') THEN ${number} BETWEEN ${from} AND ${from + size - 1}
      WHEN regexp_like(${text}, '^(([a-z][a-z-]*\\.)+(com|cn|aws)|AWS Internal)$') THEN false END`,
  };
}

const signs = { lt: '<', lte: '<=', gt: '>', gte: '>=' } as const;
const usual = /^-?\d{1,15}(\.\d{1,6})?$/;

function compareSql({ sign, number }: Test & { kind: 'compare' }, text: string): { sql: string } | { because: string } {
  if (!usual.test(String(number))) return { because: `the number ${number}` };
  return {
    sql: `CASE WHEN regexp_like(${text}, '^-?[0-9]{1,15}(\\.[0-9]{1,6})?$') THEN try_cast(${text} AS DOUBLE) ${signs[sign]} CAST('${number}' AS DOUBLE)
      WHEN regexp_like(${text}, '^[A-Za-z]*$') AND strpos(lower(${text}), 'infinity') = 0 THEN false END`,
  };
}
