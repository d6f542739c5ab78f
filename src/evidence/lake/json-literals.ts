/** Bytes of JSON: where `true`, `false`, `null` and numbers end, and which characters mean themselves. */

const isDigit = new Uint8Array(256).fill(1, 0x30, 0x3a);

const words = ['true', 'false', 'null'].map((word) => Buffer.from(word));

/** Behind the literal that begins at `start`; -1 where none begins there. */
export function literalEnd(bytes: Buffer, start: number): number {
  for (const word of words) {
    if (bytes[start] !== word[0]) continue;
    for (let i = 1; i < word.length; i++) if (bytes[start + i] !== word[i]) return -1;
    return start + word.length;
  }
  return numberEnd(bytes, start);
}

/** By the grammar of JSON: no leading zeros, no bare point. */
function numberEnd(bytes: Buffer, start: number): number {
  let i = bytes[start] === 0x2d ? start + 1 : start;
  const whole = digitsEnd(bytes, i);
  if (whole === i || (bytes[i] === 0x30 && whole > i + 1)) return -1;
  i = whole;
  if (bytes[i] === 0x2e) {
    const end = digitsEnd(bytes, i + 1);
    if (end === i + 1) return -1;
    i = end;
  }
  if (bytes[i] === 0x65 || bytes[i] === 0x45) {
    const from = bytes[i + 1] === 0x2b || bytes[i + 1] === 0x2d ? i + 2 : i + 1;
    const end = digitsEnd(bytes, from);
    if (end === from) return -1;
    i = end;
  }
  return i;
}

function digitsEnd(bytes: Buffer, i: number): number {
  while (isDigit[bytes[i] as number] === 1) i += 1;
  return i;
}

/** True where four bytes are characters that mean themselves; seldom false where they are. */
export function arePlain(four: number): boolean {
  const [quotes, slashes] = [four ^ 0x22222222, four ^ 0x5c5c5c5c];
  const is =
    ((quotes - 0x01010101) & ~quotes) | ((slashes - 0x01010101) & ~slashes) | ((four - 0x20202020) & ~four) | four;
  return (is & 0x80808080) === 0;
}
