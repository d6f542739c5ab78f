/** The word that every record of an artifact holds as bytes, whatever the form of the file that it lies in. */
import type { Artifact } from '../contracts/artifact.ts';
import { parseIp } from '../domain/address.ts';
import { nameKeyOfArn, parseArn } from '../domain/principal.ts';

export interface ScanWord {
  /** The same for the same word. */
  readonly key: string;
  /** Where it stands, in order. */
  placesIn(content: Buffer): Generator<number>;
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
  const last = kind === 'event' ? id : (id.split(/[/:]/).filter(Boolean).at(-1) ?? '');
  const word = (last.match(letters) ?? []).sort((a, b) => b.length - a.length)[0] ?? '';
  if (word.length < shortest) return undefined;
  return nameKeyOfArn(id) === undefined ? exact(word) : inAnyCase(word);
}

function exact(word: string): ScanWord {
  const bytes = Buffer.from(word);
  return {
    key: word,
    *placesIn(content) {
      for (let at = content.indexOf(bytes); at >= 0; at = content.indexOf(bytes, at + 1)) yield at;
    },
  };
}

/** Names of users and roles are the same in any case. */
function inAnyCase(word: string): ScanWord {
  const pattern = new RegExp(word.replaceAll(/[.+]/g, '\\$&'), 'gi');
  return {
    key: `any case ${word.toLowerCase()}`,
    *placesIn(content) {
      for (const { index } of content.toString('latin1').matchAll(pattern)) yield index;
    },
  };
}
