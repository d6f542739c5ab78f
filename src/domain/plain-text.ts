/** A Message for a terminal: the same words as in Slack, without escape sequences that a name could bring along. */
import type { Inline, Line, Message, Part } from '../contracts/message.ts';
import { utc } from './phrases.ts';

/** Renders a message as lines of text. Control characters of names are taken out, so nothing can move the cursor. */
export function plainText(message: Message): string {
  const body = message.parts.map(part).filter((text) => text !== '');
  return body.length === 0 ? clean(message.text) : body.join('\n\n');
}

function part(block: Part): string {
  switch (block.kind) {
    case 'header':
      return `${clean(block.text)}\n${'='.repeat(Math.min(clean(block.text).length, 80))}`;
    case 'lines':
    case 'context':
      return block.lines.map(inline).join('\n');
    case 'facts':
      return block.facts.map((fact) => `${`${fact.label}:`.padEnd(16)} ${inline(fact.value)}`).join('\n');
    case 'list':
      return block.items
        .map((item, index) => `${block.ordered === true ? `${index + 1}.` : '-'} ${inline(item)}`)
        .join('\n');
    case 'table':
      return table([block.columns, ...block.rows]);
    case 'preformatted':
      return block.text
        .split('\n')
        .map((text) => `    ${clean(text)}`)
        .join('\n');
    case 'buttons':
    case 'divider':
      return '';
  }
}

function inline(line: Line): string {
  return line.map(piece).join('');
}

function piece(inlinePiece: Inline): string {
  switch (inlinePiece.kind) {
    case 'text':
    case 'code':
      return clean(inlinePiece.text);
    case 'person':
      return clean(inlinePiece.userId);
    case 'group':
      return clean(inlinePiece.groupId);
    case 'date':
      return utc(inlinePiece.at);
    case 'link':
      return `${clean(inlinePiece.label)} (${clean(inlinePiece.url)})`;
  }
}

function table(rows: readonly (readonly string[])[]): string {
  const texts = rows.map((row) => row.map(clean));
  const widths = (texts[0] ?? []).map((_, column) => Math.max(...texts.map((row) => (row[column] ?? '').length)));
  return texts
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function clean(text: string): string {
  return text.replace(/[\p{Cc}\u202A-\u202E\u2066-\u2069\u200B-\u200F]/gu, ' ');
}
