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

  copy(row: number, out: Buffer, at: number): void {
    const from = row * uuidBytes;
    for (let i = 0; i < uuidBytes; i++) out[at + i] = this.#bytes[from + i] as number;
  }
}

const dash = 0x2d;
