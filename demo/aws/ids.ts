/** Identifiers as AWS makes them, and the seeded randomness that keeps a story the same from run to run. */
import { createHash, randomBytes } from 'node:crypto';

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export interface Random {
  /** 0 <= n < limit, whole. */
  below(limit: number): number;
  pick<T>(from: readonly T[]): T;
  hex(length: number): string;
  uuid(): string;
}

/** mulberry32: small, and the same on every machine. Not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  function below(limit: number): number {
    return Math.floor(next() * limit);
  }
  function hex(length: number): string {
    let text = '';
    while (text.length < length) text += below(16).toString(16);
    return text;
  }
  return {
    below,
    hex,
    pick<T>(from: readonly T[]): T {
      const chosen = from[below(from.length)];
      if (chosen === undefined) throw new RangeError('pick from an empty list');
      return chosen;
    },
    uuid() {
      return `${hex(8)}-${hex(4)}-4${hex(3)}-${'89ab'.charAt(below(4))}${hex(3)}-${hex(12)}`;
    },
  };
}

/**
 * A unique id of AWS's newer form: the account sits in bits 7 to 46 of the first six bytes after the prefix.
 * `salt` makes it repeatable; without it, it is random.
 */
export function uniqueId(prefix: string, accountId: string, salt?: string): string {
  const noise = salt === undefined ? randomBytes(5) : createHash('sha256').update(`${prefix}/${salt}`).digest();
  const head = (1n << 47n) | (BigInt(accountId) << 7n) | BigInt((noise[0] ?? 0) & 0x7f);
  const tail = noise.subarray(1, 5).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const bits = (head << 32n) | tail;
  let text = '';
  for (let shift = 75n; shift >= 0n; shift -= 5n) text += base32.charAt(Number((bits >> shift) & 31n));
  return prefix + text;
}

/** The account inside a key id or unique id of the newer form; undefined where the text is not base32. */
export function accountInId(id: string): string | undefined {
  let bits = 0n;
  const body = id.slice(4, 20);
  if (body.length < 16) return undefined;
  for (const letter of body) {
    const value = base32.indexOf(letter);
    if (value < 0) return undefined;
    bits = (bits << 5n) | BigInt(value);
  }
  return (((bits >> 32n) & 0x7fffffffff80n) >> 7n).toString().padStart(12, '0');
}

/** 40 characters, as AWS's secret access keys. */
export function newSecret(): string {
  return randomBytes(30).toString('base64');
}
