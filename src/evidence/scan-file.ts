/** Looks for a word in one file: unpacks it and cuts out the records that hold it. Runs in workers. */
import { readFileSync } from 'node:fs';
import { letGo } from './lake/let-go.ts';
import { unpackHere } from './lake/prepare.ts';
import { recordSpans } from './lake/record-spans.ts';
import { placesOf, type ScanWord } from './scan-word.ts';

/** Word characters written as escapes: such a file is parsed as a whole. */
const escapedLetters = /\\u00(?:2[b-e]|3[0-9]|4[0-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9a])/i;
const escapeStart = Buffer.from('\\u00');

export interface FileQuestion {
  /** Absolute. */
  readonly file: string;
  readonly word: ScanWord;
  /** False: an earlier question has found that the file is as CloudTrail writes it. */
  readonly isFirst: boolean;
}

/**
 * The JSON text of each record that holds the word; undefined where the file has to be read in another way. Throws what the file
 * system says.
 */
export function scanFile({ file, word, isFirst }: FileQuestion): readonly string[] | undefined {
  const packed = readFileSync(file);
  const content = unpackHere(packed);
  if (content === undefined) return undefined;
  try {
    const spans = recordSpans(content, isFirst);
    if (!spans || (isFirst && hasEscapedLetters(content))) return undefined;
    return Array.from(spans.holding(placesOf(word, content)), ({ start, end }) => content.toString('utf8', start, end));
  } finally {
    // The next file gets the memory while it is in the processor's caches.
    letGo(content);
    if (packed !== content) letGo(packed);
  }
}

function hasEscapedLetters(content: Buffer): boolean {
  for (let at = content.indexOf(escapeStart); at >= 0; at = content.indexOf(escapeStart, at + 1))
    if (escapedLetters.test(content.toString('latin1', at, at + 6))) return true;
  return false;
}
