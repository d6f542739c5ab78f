/** Slack's request signing (DOMAIN.md 1.4). */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** Slack's own window, in seconds; here it holds in both directions. */
const maxSkewSeconds = 300;

/** Why a request is not taken for Slack's; the words go to the log, never to the caller. */
type SignatureProblem = 'missing' | 'malformed' | 'stale' | 'future' | 'wrong';

/**
 * Checks `v0` over the raw bytes against each secret, in constant time. Answers undefined when one matches. `now` is the
 * machine's time; a stamp more than 300 s before or after it is refused, because Bolt's own check lets future ones pass.
 */
export function signatureProblem(
  request: { readonly signature: unknown; readonly timestamp: unknown; readonly body: Uint8Array },
  secrets: readonly string[],
  now: Date,
): SignatureProblem | undefined {
  const { signature, timestamp, body } = request;
  if (typeof signature !== 'string' || typeof timestamp !== 'string') return 'missing';
  if (!/^\d{1,12}$/u.test(timestamp) || !/^v0=[0-9a-f]{64}$/u.test(signature)) return 'malformed';
  const skew = Math.floor(now.getTime() / 1_000) - Number(timestamp);
  if (skew > maxSkewSeconds) return 'stale';
  if (skew < -maxSkewSeconds) return 'future';
  const given = Buffer.from(signature.slice(3), 'hex');
  let matches = false;
  for (const secret of secrets) {
    if (secret === '') continue;
    const wanted = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest();
    // No early end: how long it takes must not tell which secret matched.
    if (timingSafeEqual(given, wanted)) matches = true;
  }
  return matches ? undefined : 'wrong';
}

/** What tells one delivery from its repeats: the hash of its signature or envelope id, as 64 hex digits. */
export function deliveryKey(kind: 'signature' | 'envelope' | 'event', id: string): string {
  return createHash('sha256').update(`${kind}:${id}`).digest('hex');
}
