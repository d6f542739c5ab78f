/** Small pieces for building Messages. */
import type { Inline, Line, Message } from '../contracts/message.ts';

export function text(value: string): Inline {
  return { kind: 'text', text: value };
}

export function bold(value: string): Inline {
  return { kind: 'text', text: value, bold: true };
}

export function code(value: string): Inline {
  return { kind: 'code', text: value };
}

export function person(userId: string): Inline {
  return { kind: 'person', userId };
}

export function date(at: string): Inline {
  return { kind: 'date', at };
}

/** A line from pieces; strings are plain text. */
export function line(...pieces: readonly (Inline | string)[]): Line {
  return pieces.map((piece) => (typeof piece === 'string' ? text(piece) : piece));
}

/** One sentence as a whole message. */
export function say(sentence: string, ...more: readonly Line[]): Message {
  return { text: sentence, parts: [{ kind: 'lines', lines: [line(sentence), ...more] }] };
}

/** A refusal or error with its way out. */
export function refusal(sentence: string, hint: string | undefined): Message {
  return hint === undefined ? say(sentence) : say(sentence, line(hint));
}

/** `2026-11-20 22:05 UTC`. */
export function utc(at: string): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? at : `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** From the first to the last, both ISO 8601; one time where both fall into one minute. */
export function span(from: string, to: string): string {
  return utc(from) === utc(to) ? utc(from) : `${utc(from)} to ${utc(to)}`;
}

/** `1 event`, `2 events`. */
export function count(n: number, word: string, many = `${word}s`): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? word : many}`;
}

/** The first letter large, the rest as it is. */
export function upperFirst(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
