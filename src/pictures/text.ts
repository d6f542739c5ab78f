/** Text on pictures: made inert, drawable, and fitted to a width. */
import { inert } from '../domain/inert.ts';
import type { Typeface, Weight } from './typeface.ts';

/**
 * Text from outside as it can be drawn: inert (DOMAIN.md 9.6), at most `max` characters, and characters that Inter does
 * not have (CJK, Arabic, emoji) written as their code point, so that two different names never look the same.
 */
export function drawable(text: string, max: number, typeface: Typeface): string {
  // The word joiners of inert() break mentions in Slack; on a picture they would only be a character without a glyph.
  return Array.from(inert(text, max).replaceAll('\u2060', ''), (character) =>
    typeface.has(character) ? character : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  ).join('');
}

export interface Face {
  readonly typeface: Typeface;
  readonly size: number;
  readonly weight: Weight;
}

export function widthOf(text: string, face: Face): number {
  return face.typeface.measure(text, face.size, face.weight);
}

/** The text, or its two ends with "…" between: names and ARNs differ at the end as often as at the start. */
export function fitted(text: string, width: number, face: Face): string {
  if (widthOf(text, face) <= width) return text;
  const characters = Array.from(text);
  let low = 0;
  let high = characters.length - 1;
  while (low < high) {
    const kept = Math.ceil((low + high) / 2);
    if (widthOf(middleCut(characters, kept), face) <= width) low = kept;
    else high = kept - 1;
  }
  return middleCut(characters, low);
}

function middleCut(characters: readonly string[], kept: number): string {
  const end = Math.floor(kept / 2);
  return `${characters.slice(0, kept - end).join('')}…${end === 0 ? '' : characters.slice(-end).join('')}`;
}

/** Lines no wider than `width`, at most `maxLines`; the last one is cut in the middle where the rest does not fit. */
export function wrapped(text: string, width: number, maxLines: number, face: Face): readonly string[] {
  const lines: string[] = [];
  let rest = text.trim();
  while (rest !== '') {
    if (lines.length === maxLines - 1 || widthOf(rest, face) <= width) {
      lines.push(fitted(rest, width, face));
      break;
    }
    const line = firstLine(rest, width, face);
    lines.push(line.trimEnd());
    rest = rest.slice(line.length).trimStart();
  }
  return lines;
}

/** As many whole pieces as fit: a piece ends behind a space or one of the separators of AWS names. */
function firstLine(text: string, width: number, face: Face): string {
  let line = '';
  for (const piece of text.match(/[^\s/:\-_@,=+]*[\s/:\-_@,=+]*/gu) ?? []) {
    if (widthOf((line + piece).trimEnd(), face) > width) break;
    line += piece;
  }
  if (line.trim() !== '') return line;
  for (const character of text) {
    if (line !== '' && widthOf(line + character, face) > width) break;
    line += character;
  }
  return line;
}

/** "1 node", "2 nodes", "1,234 nodes". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}
