/**
 * Reads the part of regular expressions that can be matched in linear time: no look-around, no back-references. The same part
 * that RE2 and DuckDB take, so that a rule means the same in memory and in SQL.
 */
import { RuleProblem } from './tree.ts';

/** Ranges of UTF-16 code units, both ends included. */
export type Ranges = readonly (readonly [number, number])[];

export type Expression =
  | { readonly kind: 'chars'; readonly ranges: Ranges; readonly negated: boolean }
  | { readonly kind: 'sequence' | 'choice'; readonly of: readonly Expression[] }
  | { readonly kind: 'repeat'; readonly of: Expression; readonly min: number; readonly max: number }
  | { readonly kind: 'assert'; readonly what: 'start' | 'end' | 'word' | 'not-word' };

export interface Flags {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
}

const maxSource = 1_000;
const maxRepeat = 100;
const maxDepth = 50;

const digits: Ranges = [[48, 57]];
const words: Ranges = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
];
const blanks: Ranges = [
  [9, 13],
  [32, 32],
  [160, 160],
  [5760, 5760],
  [8192, 8202],
  [8232, 8233],
  [8239, 8239],
  [8287, 8287],
  [12288, 12288],
  [65279, 65279],
];
const newlines: Ranges = [
  [10, 10],
  [13, 13],
  [8232, 8233],
];
const escapes: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, 0: 0 };
const classes: Readonly<Record<string, Ranges>> = { d: digits, w: words, s: blanks };

export function isWordUnit(unit: number): boolean {
  return words.some(([low, high]) => low <= unit && unit <= high);
}

export function isNewline(unit: number): boolean {
  return newlines.some(([low, high]) => low <= unit && unit <= high);
}

/** Throws RuleProblem for what is not in the part, too long or malformed. `flags`: letters of i, m, s. */
export function parseRegex(source: string, flags: string): { readonly expression: Expression; readonly flags: Flags } {
  if (source.length > maxSource) throw new RuleProblem(`regular expression longer than ${maxSource} characters`);
  const inline = /^\(\?([ims]+)\)/.exec(source);
  const letters = flags + (inline?.[1] ?? '');
  const set = {
    ignoreCase: letters.includes('i'),
    multiline: letters.includes('m'),
    dotAll: letters.includes('s'),
  };
  const reader = new Reader(source.slice(inline?.[0].length ?? 0), set);
  return { expression: reader.readAll(), flags: set };
}

class Reader {
  readonly #text: string;
  readonly #flags: Flags;
  #at = 0;
  #depth = 0;

  constructor(text: string, flags: Flags) {
    this.#text = text;
    this.#flags = flags;
  }

  readAll(): Expression {
    const whole = this.#choice();
    if (this.#at < this.#text.length) throw new RuleProblem('regular expression with an unmatched ")"');
    return whole;
  }

  #peek(): string {
    return this.#text.charAt(this.#at);
  }

  #take(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  #choice(): Expression {
    const of = [this.#sequence()];
    while (this.#take('|')) of.push(this.#sequence());
    const [only] = of;
    return of.length === 1 && only ? only : { kind: 'choice', of };
  }

  #sequence(): Expression {
    const of: Expression[] = [];
    while (this.#at < this.#text.length && this.#peek() !== '|' && this.#peek() !== ')') of.push(this.#repeated());
    return { kind: 'sequence', of };
  }

  #repeated(): Expression {
    let of = this.#atom();
    for (let bounds = this.#bounds(); bounds !== undefined; bounds = this.#bounds()) {
      if (of.kind === 'assert') throw new RuleProblem('regular expression that repeats an anchor');
      of = { kind: 'repeat', of, ...bounds };
    }
    return of;
  }

  #bounds(): { min: number; max: number } | undefined {
    const bounds = this.#plainBounds();
    // Lazy and greedy find the same texts; possessive ones would not.
    if (bounds && !this.#take('?') && this.#peek() === '+') throw new RuleProblem('possessive repetition');
    return bounds;
  }

  #plainBounds(): { min: number; max: number } | undefined {
    if (this.#take('*')) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.#take('+')) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.#take('?')) return { min: 0, max: 1 };
    const found = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(this.#text.slice(this.#at));
    if (!found) return undefined;
    this.#at += found[0].length;
    const min = Number(found[1]);
    const max = found[2] === undefined ? min : found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3]);
    if (max < min || min > maxRepeat || (Number.isFinite(max) && max > maxRepeat))
      throw new RuleProblem(`repetition out of order or beyond ${maxRepeat}`);
    return { min, max };
  }

  #atom(): Expression {
    const char = this.#peek();
    this.#at += 1;
    switch (char) {
      case '.':
        return { kind: 'chars', ranges: this.#flags.dotAll ? [] : newlines, negated: true };
      case '^':
        return { kind: 'assert', what: 'start' };
      case '$':
        return { kind: 'assert', what: 'end' };
      case '(':
        return this.#group();
      case '[':
        return this.#set();
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
        throw new RuleProblem('regular expression that repeats nothing');
      default:
        return this.#chars([[char.charCodeAt(0), char.charCodeAt(0)]], false);
    }
  }

  #group(): Expression {
    if (this.#peek() === '?' && !this.#take('?:'))
      throw new RuleProblem('look-around, named groups and flags inside a regular expression are not supported');
    this.#depth += 1;
    if (this.#depth > maxDepth) throw new RuleProblem('regular expression nested too deeply');
    const inner = this.#choice();
    this.#depth -= 1;
    if (!this.#take(')')) throw new RuleProblem('regular expression with an unmatched "("');
    return inner;
  }

  #escape(): Expression {
    const char = this.#peek();
    if (char === 'b' || char === 'B') {
      this.#at += 1;
      return { kind: 'assert', what: char === 'b' ? 'word' : 'not-word' };
    }
    const { ranges, negated } = this.#escaped();
    return this.#chars(ranges, negated);
  }

  /** What stands behind a backslash. */
  #escaped(): { ranges: Ranges; negated: boolean } {
    const char = this.#peek();
    this.#at += 1;
    const named = classes[char.toLowerCase()];
    if (named) return { ranges: named, negated: char !== char.toLowerCase() };
    const hex = /^(x[0-9a-f]{2}|u[0-9a-f]{4})/i.exec(this.#text.slice(this.#at - 1));
    if (hex) {
      this.#at += hex[0].length - 1;
      const unit = Number.parseInt(hex[0].slice(1), 16);
      return { ranges: [[unit, unit]], negated: false };
    }
    const control = escapes[char];
    if (control === undefined && (char === '' || /[a-z0-9]/i.test(char)))
      throw new RuleProblem(`"\\${char}" in a regular expression is not supported`);
    const unit = control ?? char.charCodeAt(0);
    return { ranges: [[unit, unit]], negated: false };
  }

  #set(): Expression {
    const negated = this.#take('^');
    const ranges: (readonly [number, number])[] = [];
    for (;;) {
      if (this.#at >= this.#text.length) throw new RuleProblem('regular expression with an unmatched "["');
      if (this.#take(']')) return this.#chars(ranges, negated);
      const low = this.#member();
      if (low.length === 1 && this.#peek() === '-' && this.#text.charAt(this.#at + 1) !== ']') {
        this.#at += 1;
        const high = this.#member();
        const [from, to] = [low[0]?.[0] ?? 0, high[0]?.[1] ?? 0];
        if (high.length !== 1 || from > to) throw new RuleProblem('range out of order in a regular expression');
        ranges.push([from, to]);
      } else ranges.push(...low);
    }
  }

  #member(): Ranges {
    const char = this.#peek();
    this.#at += 1;
    if (char === '[' && /^[:.=]/.test(this.#peek())) throw new RuleProblem('POSIX classes are not supported');
    if (char !== '\\') return [[char.charCodeAt(0), char.charCodeAt(0)]];
    if (this.#take('b')) return [[8, 8]];
    const { ranges, negated } = this.#escaped();
    return negated ? complement(ranges) : ranges;
  }

  #chars(ranges: Ranges, negated: boolean): Expression {
    return { kind: 'chars', ranges: this.#flags.ignoreCase ? folded(ranges) : ranges, negated };
  }
}

function complement(ranges: Ranges): Ranges {
  const sorted = [...ranges].sort(([a], [b]) => a - b);
  const gaps: [number, number][] = [];
  let from = 0;
  for (const [low, high] of sorted) {
    if (low > from) gaps.push([from, low - 1]);
    from = Math.max(from, high + 1);
  }
  return from <= 0xffff ? [...gaps, [from, 0xffff]] : gaps;
}

/** ASCII letters in both cases. */
function folded(ranges: Ranges): Ranges {
  const other = (low: number, high: number, shift: number, first: number, last: number): Ranges => {
    const [from, to] = [Math.max(low, first), Math.min(high, last)];
    return from <= to ? [[from + shift, to + shift]] : [];
  };
  return ranges.flatMap(
    ([low, high]): Ranges => [[low, high], ...other(low, high, 32, 65, 90), ...other(low, high, -32, 97, 122)],
  );
}
