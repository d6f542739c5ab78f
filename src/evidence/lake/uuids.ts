/** UUIDs as AWS writes them, in text and in 16 bytes. */

import { grown } from './grown.ts';

const quotedLength = 38;
const hexValue = new Int8Array(256).fill(-1);
for (const [i, byte] of Buffer.from('0123456789abcdef').entries()) hexValue[byte] = i;

export const uuidBytes = 16;

/** A UUID for each row that has one. */
export class Uuids {
  #bytes: Uint8Array = new Uint8Array(1024 * uuidBytes);
  #has: Uint8Array = new Uint8Array(1024);

  has(row: number): boolean {
    return this.#has[row] === 1;
  }

  /** Makes room for a row that has none. Rows come in their order. */
  clear(row: number): void {
    if (row === this.#has.length) {
      this.#bytes = grown(this.#bytes);
      this.#has = grown(this.#has);
    }
    this.#has[row] = 0;
  }

  /** Takes a quoted UUID in lower case, as AWS writes them. False, and nothing taken, where any other text stands between these places. */
  put(row: number, text: Buffer, from: number, to: number): boolean {
    if (to - from !== quotedLength || text[from] !== 0x22) return false;
    if (text[from + 9] !== dash || text[from + 14] !== dash || text[from + 19] !== dash || text[from + 24] !== dash)
      return false;
    let isHex = 0;
    let at = row * uuidBytes;
    for (let i = from + 1; i < to - 1; i += 2) {
      if (text[i] === dash) i += 1;
      const [high, low] = [hexValue[text[i] as number] as number, hexValue[text[i + 1] as number] as number];
      isHex |= high | low;
      this.#bytes[at++] = (high << 4) | low;
    }
    // A dash in another place has taken that of a digit.
    if (isHex < 0 || at !== (row + 1) * uuidBytes) return false;
    this.#has[row] = 1;
    return true;
  }

  /** Those of the rows that have one, one behind the other. */
  of(from: number, to: number): Uint8Array {
    if (!this.#has.subarray(from, to).includes(0)) return this.#bytes.subarray(from * uuidBytes, to * uuidBytes);
    const all = new Uint8Array((to - from) * uuidBytes);
    let at = 0;
    for (let row = from; row < to; row++) {
      if (!this.has(row)) continue;
      all.set(this.#bytes.subarray(row * uuidBytes, (row + 1) * uuidBytes), at);
      at += uuidBytes;
    }
    return all.subarray(0, at);
  }

  /** Puts the rows in another order. @param order the row that is to stand in each place */
  sort(order: Uint32Array): void {
    const [from, into] = [new Int32Array(this.#bytes.buffer), new Int32Array(this.#bytes.length / 4)];
    const has = new Uint8Array(this.#has.length);
    for (let i = 0; i < order.length; i++) {
      const row = order[i] as number;
      has[i] = this.#has[row] as number;
      for (let word = 0; word < 4; word++) into[i * 4 + word] = from[row * 4 + word] as number;
    }
    this.#bytes = new Uint8Array(into.buffer);
    this.#has = has;
  }
}

const dash = 0x2d;
