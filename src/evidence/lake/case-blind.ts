/** Bytes looked for whatever the case of their letters. */

/** Small letters of ASCII for capital ones. */
const folded = new Uint8Array(256).map((_, byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte));

/**
 * Finds the next place of a needle in small letters, from right to left with leaps (Horspool): to make a small-letter copy of the
 * bytes takes ten times as long.
 */
export function caseBlindSearch(bytes: Buffer, needle: Buffer): (from: number) => number {
  const { length } = needle;
  const last = length - 1;
  /** How far to go where such a byte stands in the last place; for the last one itself, where the others do not fit. */
  const leaps = new Uint8Array(256).fill(Math.min(length, 255));
  for (let i = Math.max(0, last - 254); i < last; i++) leaps[needle[i] as number] = last - i;
  for (let byte = 0x41; byte <= 0x5a; byte++) leaps[byte] = leaps[byte + 32] as number;
  const end = needle[last] as number;
  const leapOfEnd = leaps[end] as number;
  // So that the loop over most bytes looks at one table only.
  const open = leaps.slice();
  for (let byte = 0; byte < 256; byte++) if (folded[byte] === end) open[byte] = 0;
  return (from) => {
    let at = from + last;
    while (at < bytes.length) {
      const leap = open[bytes[at] as number] as number;
      if (leap !== 0) {
        at += leap;
        continue;
      }
      let i = 1;
      while (i < length && folded[bytes[at - i] as number] === needle[last - i]) i += 1;
      if (i === length) return at - last;
      at += leapOfEnd;
    }
    return -1;
  };
}
