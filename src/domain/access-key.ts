/** What an access key id tells by itself (DOMAIN.md 3.3). */

export const accessKeyId = /^(AKIA|ASIA)[A-Z2-7]{16}$/;

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/**
 * The account that a key id (or AROA/AIDA id) was made in; undefined for ids of before 2019, which do not hold it.
 * Rule: base32 of the id without its prefix, first six bytes, `(n & 0x7fffffffff80) >> 7`.
 */
export function accountOfKeyId(id: string): string | undefined {
  if (!/^A[A-Z]{3}[A-Z2-7]{16}$/.test(id) || /^.{4}[IJ]/.test(id)) return undefined;
  let bits = 0n;
  for (const letter of id.slice(4, 14)) bits = (bits << 5n) | BigInt(alphabet.indexOf(letter));
  // Ten letters are 50 bits; the first six bytes are the upper 48.
  const firstSix = bits >> 2n;
  return String((firstSix & 0x7fffffffff80n) >> 7n).padStart(12, '0');
}
