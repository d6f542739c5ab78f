/** The word that every record of an artifact holds as bytes, whatever the form of the file that it lies in. */
import type { Artifact } from '../contracts/artifact.ts';
import { parseIp } from '../domain/address.ts';
import { nameKeyOfArn, parseArn } from '../domain/principal.ts';
import { shortArn } from '../domain/short-arn.ts';
import { caseBlindSearch } from './lake/case-blind.ts';

/** Plain, so that it can be handed to a worker. */
export interface ScanWord {
  readonly text: string;
  /** Names of users and roles are the same in any case. */
  readonly isAnyCase: boolean;
}

/** `=` is left out, which some writers escape. */
const letters = /[A-Za-z0-9_.@+,-]+/g;
const shortest = 3;

/** Undefined where none stands for the artifact: then everything has to be read. */
export function scanWordOf({ kind, id }: Artifact): ScanWord | undefined {
  // Addresses of version 6 have many spellings, and an account is in nearly all records.
  if (kind === 'account' || id.startsWith('sha256-')) return undefined;
  const address = parseIp(id);
  if (address !== undefined) return address.includes(':') ? undefined : exact(address);
  const arn = parseArn(id);
  if (arn?.resource === 'root') return /^\d{12}$/.test(arn.accountId) ? exact(arn.accountId) : undefined;
  const last = kind === 'event' ? id : ((shortArn(id) ?? id).split(/[/:]/).filter(Boolean).at(-1) ?? '');
  const word = (last.match(letters) ?? []).sort((a, b) => b.length - a.length)[0] ?? '';
  if (word.length < shortest) return undefined;
  return nameKeyOfArn(id) === undefined ? exact(word) : inAnyCase(word);
}

function exact(text: string): ScanWord {
  return { text, isAnyCase: false };
}

function inAnyCase(text: string): ScanWord {
  return { text, isAnyCase: true };
}

/** Where the word stands, in order. */
export function* placesOf({ text, isAnyCase }: ScanWord, content: Buffer): Generator<number> {
  if (isAnyCase) {
    const next = caseBlindSearch(content, Buffer.from(text.toLowerCase()));
    for (let at = next(0); at >= 0; at = next(at + 1)) yield at;
    return;
  }
  const bytes = Buffer.from(text);
  for (let at = content.indexOf(bytes); at >= 0; at = content.indexOf(bytes, at + 1)) yield at;
}
