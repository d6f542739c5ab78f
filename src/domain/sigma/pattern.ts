/** Sigma's wildcards: `*`, `?` and their escapes. Matching takes time linear in the text for each piece of the pattern. */
import type { Pattern, Piece } from './tree.ts';

/**
 * Reads a value with wildcards. A backslash takes the meaning from a wildcard or a backslash after it; before anything else
 * it is itself (Sigma specification 2.1, "Escaping").
 */
export function parsePattern(value: string): Pattern {
  const pieces: Piece[] = [];
  let literal = '';
  const flush = (): void => {
    if (literal !== '') pieces.push({ kind: 'text', text: literal });
    literal = '';
  };
  for (let at = 0; at < value.length; at += 1) {
    const char = value.charAt(at);
    const next = value.charAt(at + 1);
    if (char === '\\' && next !== '' && '*?\\'.includes(next)) {
      literal += next;
      at += 1;
    } else if (char === '*') {
      flush();
      if (pieces.at(-1)?.kind !== 'any') pieces.push({ kind: 'any' });
    } else if (char === '?') {
      flush();
      pieces.push({ kind: 'one' });
    } else literal += char;
  }
  flush();
  return pieces;
}

const any: Piece = { kind: 'any' };

/** The pattern with free text before or after it. */
export function opened(pattern: Pattern, start: boolean, end: boolean): Pattern {
  return [
    ...(start && pattern[0]?.kind !== 'any' ? [any] : []),
    ...pattern,
    ...(end && (pattern.length === 0 || pattern.at(-1)?.kind !== 'any') ? [any] : []),
  ];
}

/** The one text that the pattern stands for; undefined where it has wildcards. */
export function literalOf(pattern: Pattern): string | undefined {
  if (pattern.length === 0) return '';
  const [only] = pattern;
  return pattern.length === 1 && only?.kind === 'text' ? only.text : undefined;
}

/** Makes the test of a pattern over whole texts. */
export function patternMatcher(pattern: Pattern, cased: boolean): (text: string) => boolean {
  if (cased) return foldedMatcher(pattern);
  const test = foldedMatcher(lowerCase(pattern));
  return (text) => test(text.toLowerCase());
}

export function lowerCase(pattern: Pattern): Pattern {
  return pattern.map((piece) => (piece.kind === 'text' ? { ...piece, text: piece.text.toLowerCase() } : piece));
}

/** The test over texts that have the case of the pattern. */
export function foldedMatcher(pieces: Pattern): (text: string) => boolean {
  const whole = literalOf(pieces);
  if (whole !== undefined) return (text) => text === whole;
  const [first, second, third] = pieces;
  if (pieces.length === 1 && first?.kind === 'any') return () => true;
  if (pieces.length === 2 && first?.kind === 'text' && second?.kind === 'any')
    return (text) => text.startsWith(first.text);
  if (pieces.length === 2 && first?.kind === 'any' && second?.kind === 'text')
    return (text) => text.endsWith(second.text);
  if (pieces.length === 3 && first?.kind === 'any' && second?.kind === 'text' && third?.kind === 'any')
    return (text) => text.includes(second.text);
  return runs(pieces);
}

/** A run stands between two `*`: literal text and single characters. */
interface Run {
  readonly pieces: readonly Piece[];
  readonly length: number;
}

/** The first run stands at the start, the last at the end; those between are taken at their first place, one after another. */
function runs(pieces: Pattern): (text: string) => boolean {
  const list: Run[] = [];
  let current: Piece[] = [];
  for (const piece of pieces) {
    if (piece.kind === 'any') {
      list.push(runOf(current));
      current = [];
    } else current.push(piece);
  }
  const last = runOf(current);
  const [first] = list;
  if (first === undefined) return (text) => text.length === last.length && fits(last, text, 0);
  const middle = list.slice(1);
  return (text) => {
    const end = text.length - last.length;
    if (first.length > end || !fits(first, text, 0) || !fits(last, text, end)) return false;
    let at = first.length;
    for (const run of middle) {
      at = placeOf(run, text, at, end);
      if (at < 0) return false;
    }
    return true;
  };
}

function runOf(pieces: readonly Piece[]): Run {
  return { pieces, length: pieces.reduce((sum, piece) => sum + (piece.kind === 'text' ? piece.text.length : 1), 0) };
}

function fits(run: Run, text: string, from: number): boolean {
  let at = from;
  for (const piece of run.pieces) {
    if (piece.kind === 'text' && !text.startsWith(piece.text, at)) return false;
    at += piece.kind === 'text' ? piece.text.length : 1;
  }
  return true;
}

/** Behind the run's first place at or after `from`, not beyond `end`; -1 where it has none. */
function placeOf(run: Run, text: string, from: number, end: number): number {
  for (let at = from; at + run.length <= end; at += 1) if (fits(run, text, at)) return at + run.length;
  return -1;
}
