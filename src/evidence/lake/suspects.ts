/**
 * Finds what may be a secret in the bytes of a file, or what CloudTrail does not write so. Every byte of every file goes through
 * here, so two bytes at a time are looked up in two tables, and only what passes both is looked at with an expression.
 */

/**
 * Behind a word that may be in the name of a secret: the end of a text that is no key (`GetSecretValue`, `secretsmanager.amazonaws.com`,
 * `secretsmanager.eu-west-1.amazonaws.com`) and names no value beside it, for it stands in a list or before a field of the record itself, or of a
 * key that only names a secret (`secretName` in domain/record-clean.ts). A quote behind a letter ends a text.
 */
const harmless =
  '(?!(?:[a-z]{0,24}|smanager\\.(?:[a-z0-9-]{4,24}\\.)?amazonaws\\.com)"(?:\\]|,(?:"[^":]{0,40}"[,\\]]|"(?:eventName|awsRegion|eventSource)":))|[a-z]{0,24}(?:arn|id|name|type)":)';
/** What `cleanJson` (domain/record-clean.ts) may remove, as bytes, and wider. */
const suspect = [
  `(?:secret|passw|token)${harmless}|samlassertion|private_?-?key|keymaterial|private key|api_?-?key(?![a-z]{0,24}(?:id|name|type)":)`,
  'hooks\\.slack|x-amz-(?!id-2")|xox[a-eprs]-|xapp-|eyJ|FwoG|IQoJ|FQoG',
].join('|');
/** Letters written as escapes, a key that is none, and numbers that are not JSON. */
const strange = '\\\\[u/]|__proto__|[:,[]-?(?:NaN|Inf)';
/** At one of the first places of what the tables let pass. */
const atOnce = new RegExp(`^([^]{0,3}?)(${suspect}|${strange})`, 'i');
/** Longer than anything above with what follows it. */
const windowBytes = 80;

/** The characters that may stand at each place of the beginning of something suspect: both cases of a letter. */
function anyCase(text: string): readonly string[] {
  return [...text].map((letter) => letter.toLowerCase() + letter.toUpperCase());
}

const numberStart = [':,[', 'NnIi', 'anN'];
const beginnings: readonly (readonly string[])[] = [
  ...['secre', 'passw', 'token', 'samla', 'priva', 'keyma', 'apike', 'api_k', 'api-k', 'hooks', 'x-amz', 'xapp-'].map(
    anyCase,
  ),
  [...anyCase('xox'), 'aAbBcCdDeEpPrRsS', '-'],
  ...['eyJ', 'FwoG', 'IQoJ', 'FQoG'].map(anyCase),
  ['/', '/'],
  ['\\', 'u/'],
  [...'__pro'],
  numberStart,
  [':,[', '-', ...numberStart.slice(1)],
];

/** By two bytes: which beginnings may stand in them, and in the two before. */
const firstPair = new Uint32Array(65_536);
const secondPair = new Uint32Array(65_536);
/** 32 at most. */
let bit = 1;
for (const [a = '', b = '', c, d, e] of beginnings) {
  markPairs([a, b], [c, d]);
  // A place further: a long one need not be seen from its beginning. A short one takes another bit, since it lets anything pass.
  if (e === undefined) bit *= 2;
  if (e === undefined) markPairs([undefined, a], [b, c]);
  else markPairs([b, c], [d, e]);
  bit *= 2;
}

type Pair = readonly [string | undefined, string | undefined];

function markPairs(first: Pair, second: Pair): void {
  mark(firstPair, first);
  mark(secondPair, second);
}

function mark(table: Uint32Array, [first, second]: Pair): void {
  for (const a of codesOf(first))
    for (const b of codesOf(second)) table[a | (b << 8)] = ((table[a | (b << 8)] ?? 0) | bit) >>> 0;
}

function codesOf(letters: string | undefined): readonly number[] {
  return letters === undefined
    ? Array.from({ length: 256 }, (_, i) => i)
    : [...letters].map((one) => one.charCodeAt(0));
}

export interface Suspect {
  readonly at: number;
  /** What was found, in its own case. */
  readonly text: string;
}

/** Goes over the bytes of a file up to `stop`. Sequences may be reported that are harmless, never the other way round. */
export class Suspects {
  readonly #content: Buffer;
  readonly #pairs: Uint16Array;
  readonly #stop: number;

  constructor(content: Buffer, stop: number) {
    // Pairs begin at even places of the memory.
    const own = content.byteOffset % 2 === 0 ? content : Buffer.from(new Uint8Array(content).buffer);
    this.#content = own;
    this.#pairs = new Uint16Array(own.buffer, own.byteOffset, own.length >> 1);
    this.#stop = stop;
  }

  /** The next one that begins at `from` or later, or a byte before it. */
  next(from: number): Suspect | undefined {
    const pairs = this.#pairs;
    const last = Math.min(pairs.length - 1, (this.#stop + 1) >> 1);
    let before = firstPair[pairs[Math.max(0, (from >> 1) - 1)] as number] as number;
    for (let i = Math.max(1, from >> 1); i <= last; i++) {
      const pair = pairs[i] as number;
      if ((before & (secondPair[pair] as number)) !== 0) {
        const found = this.#look(i * 2 - 3, from);
        if (found) return found;
      }
      before = firstPair[pair] as number;
    }
    // The tables look at whole pairs; the end of a file is short.
    return this.#lookAtEnd(from, last * 2 - 3);
  }

  /** What begins at one of the few bytes from here. */
  #look(at: number, from: number): Suspect | undefined {
    const start = Math.max(at, from, 0);
    const text = this.#content.toString('latin1', start, Math.min(start + windowBytes, this.#stop));
    const [, before = '', word] = atOnce.exec(text) ?? [];
    if (word !== undefined) return { at: start + before.length, text: word };
    for (let slashes = text.indexOf('//'); slashes >= 0 && slashes <= 3; slashes = text.indexOf('//', slashes + 1))
      if (this.#namesSomebody(start + slashes + 2)) return { at: start + slashes, text: '//' };
    return undefined;
  }

  #lookAtEnd(from: number, near: number): Suspect | undefined {
    for (let at = Math.max(from, near); at < this.#stop; at += 4) {
      const found = this.#look(at, from);
      if (found) return found;
    }
    return undefined;
  }

  /**
   * Something before an `@` in an address, as wide as redaction (domain/redaction.ts) looks for it: quotes may stand in it, slashes
   * not. So no byte is looked at twice, however many slashes there are.
   */
  #namesSomebody(from: number): boolean {
    for (let i = from; i < this.#stop; i++) {
      const byte = this.#content[i] as number;
      if (byte === 0x40) return true;
      if (byte === 0x22 || byte === 0x2f || byte <= 0x20) return false;
      // What is escaped is not the end of the text; escaped slashes are found by themselves.
      if (byte === 0x5c) i += 1;
    }
    return false;
  }
}
