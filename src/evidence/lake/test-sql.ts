/** What a condition asks of one value, as SQL of three values: NULL where two engines may not mean the same (condition-sql.ts). */
import type { Pattern, Test } from '../../contracts/condition.ts';
import { sqlText } from './columns.ts';

/** What SQL cannot tell. */
export const unknown = 'CAST(NULL AS BOOLEAN)';

/** `value`: SQL of the value in the form of the test. */
export function testSql(test: Test, value: string): string {
  switch (test.kind) {
    case 'text':
      return test.cased ? casedPatternSql(test.pattern, value) : foldedPatternsSql([test.pattern], value);
    case 'regex':
      return regexSql(test.source, test.flags, value);
    case 'cidr':
      return cidrSql(test.network, value);
    case 'compare':
      return compareSql(test, value);
    case 'field':
      return unknown;
  }
}

/** Any of the patterns: plain texts in one look-up, texts at an end or anywhere by themselves, all others in one automaton. */
export function foldedPatternsSql(patterns: readonly Pattern[], folded: string): string {
  if (patterns.some(isAnything)) return 'true';
  const lowered = patterns.map((pattern) =>
    pattern.map((piece) => (piece.kind === 'text' ? { ...piece, text: piece.text.toLowerCase() } : piece)),
  );
  if (lowered.some(hasEnd)) return unknown;
  const isText = (pattern: Pattern) => pattern.every((piece) => piece.kind === 'text');
  const texts = lowered.filter(isText).map(literalOf);
  const others = lowered.filter((pattern) => !isText(pattern));
  const plain = others.map((pattern) => plainPatternSql(pattern, folded));
  const hard = others.filter((_pattern, at) => plain[at] === undefined).map(regexOf);
  const parts = [
    ...(texts.length === 0 ? [] : [`${folded} IN (${texts.map(sqlText).join(', ')})`]),
    ...plain.filter((sql) => sql !== undefined),
    ...(hard.length === 0 ? [] : [`regexp_full_match(${folded}, ${sqlText(hard.join('|'))}, 's')`]),
  ];
  return `(${parts.join(' OR ')})`;
}

/** One text between the ends, which DuckDB finds much faster than an automaton does. */
function plainPatternSql(pattern: Pattern, text: string): string | undefined {
  const kinds = pattern.map(({ kind }) => kind).join(' ');
  const literal = sqlText(literalOf(pattern));
  if (kinds === 'any text any') return `contains(${text}, ${literal})`;
  if (kinds === 'text any') return `starts_with(${text}, ${literal})`;
  return kinds === 'any text' ? `ends_with(${text}, ${literal})` : undefined;
}

function casedPatternSql(pattern: Pattern, text: string): string {
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
