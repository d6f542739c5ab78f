/** UUIDs as AWS writes them, in text and in 16 bytes. */

const quotedLength = 38;
const hexValue = new Int8Array(256).fill(-1);
for (const [i, byte] of Buffer.from('0123456789abcdef').entries()) hexValue[byte] = i;

export const uuidBytes = 16;

/**
 * Puts the 16 bytes of a quoted UUID in lower case in the place of its text, from behind the quote. False, and nothing changed,
 * where any other text stands between these places.
 */
export function packUuid(bytes: Buffer, from: number, to: number): boolean {
  if (to - from !== quotedLength || bytes[from] !== 0x22) return false;
  if (bytes[from + 9] !== dash || bytes[from + 14] !== dash || bytes[from + 19] !== dash || bytes[from + 24] !== dash)
    return false;
  let isHex = 0;
  for (let at = from + 1; at < to - 1; at++)
    isHex |= isDashAt[at - from] === 1 ? 0 : (hexValue[bytes[at] as number] as number);
  if (isHex < 0) return false;
  let out = from + 1;
  for (let at = from + 1; at < to - 1; at += 2) {
    if (bytes[at] === dash) at += 1;
    bytes[out++] = ((hexValue[bytes[at] as number] as number) << 4) | (hexValue[bytes[at + 1] as number] as number);
  }
  return true;
}

const dash = 0x2d;
const isDashAt = new Uint8Array(quotedLength);
for (const at of [9, 14, 19, 24]) isDashAt[at] = 1;
