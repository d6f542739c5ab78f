/**
 * A regular expression of a rule, written anew for Trino. The rule's own text is never handed on: it is read as the matcher reads it
 * (sigma/regex-parse.ts) and written with nothing but characters, positive classes of printable ASCII, groups, repeats and anchors, which
 * Joni, RE2 and JavaScript read alike. It is asked of texts of printable ASCII only.
 */
import { type Expression, type Flags, parseRegex, type Ranges } from '../sigma/regex-parse.ts';
import { RuleProblem } from '../sigma/tree.ts';

const [first, last] = [0x20, 0x7e];
/** No printable character is in it. */
const nothing = '[^ -~]';
/** An engine that goes back over its steps may take for ever where a repeat holds a repeat. */
const maxLength = 4_000;

/** The pattern for `regexp_like`, whose place in the text is free; undefined where it is not to be written. */
export function trinoRegex(source: string, flags: string): string | undefined {
  let parsed: { readonly expression: Expression; readonly flags: Flags };
  try {
    parsed = parseRegex(source, flags);
  } catch (error) {
    if (error instanceof RuleProblem) return undefined;
    throw error;
  }
  if (hasNestedRepeat(parsed.expression, false)) return undefined;
  const written = write(parsed.expression);
  return written.length > maxLength ? undefined : written;
}

function write(part: Expression): string {
  switch (part.kind) {
    case 'chars':
      return classOf(part.ranges, part.negated);
    case 'sequence':
      return part.of.map((one) => (one.kind === 'choice' ? `(?:${write(one)})` : write(one))).join('');
    case 'choice':
      return part.of.map(write).join('|');
    case 'repeat': {
      const max = part.max === Number.POSITIVE_INFINITY ? '' : String(part.max);
      return `(?:${write(part.of)}){${part.min},${max}}`;
    }
    case 'assert':
      // Texts have no line breaks, so that a line is the whole text.
      return { start: '^', end: '$', word: '\\b', 'not-word': '\\B' }[part.what];
  }
}

function classOf(ranges: Ranges, negated: boolean): string {
  const has = (unit: number) => ranges.some(([low, high]) => low <= unit && unit <= high) !== negated;
  const spans: [number, number][] = [];
  for (let unit = first; unit <= last; unit += 1) {
    if (!has(unit)) continue;
    const before = spans.at(-1);
    if (before !== undefined && before[1] === unit - 1) before[1] = unit;
    else spans.push([unit, unit]);
  }
  const [only] = spans;
  if (only === undefined) return nothing;
  if (spans.length === 1 && only[0] === only[1]) return escaped(only[0]);
  return `[${spans.map(([low, high]) => (low === high ? escaped(low) : `${escaped(low)}-${escaped(high)}`)).join('')}]`;
}

function escaped(unit: number): string {
  const char = String.fromCharCode(unit);
  return /[A-Za-z0-9_ ]/.test(char) ? char : `\\${char}`;
}

function hasNestedRepeat(part: Expression, inside: boolean): boolean {
  if (part.kind === 'repeat') {
    const isOpen = part.max > 1;
    return (inside && isOpen) || hasNestedRepeat(part.of, inside || isOpen);
  }
  return 'of' in part && Array.isArray(part.of) ? part.of.some((one) => hasNestedRepeat(one, inside)) : false;
}
