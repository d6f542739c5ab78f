/** Who may post, and how often (DOMAIN.md 9.4). */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function bearerOf(headers: IncomingHttpHeaders): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
}

function apiKeyOf(headers: IncomingHttpHeaders): string | undefined {
  const key = headers['x-api-key'];
  return typeof key === 'string' && key !== '' ? key : undefined;
}

/**
 * True where the request carries one of the tokens, as `Authorization: Bearer` or (where `apiKey`) as `x-api-key`. Both
 * sides are hashed and each token is compared in constant time, all of them on every call. Without tokens: never.
 */
export function tokenCheck(
  tokens: readonly string[],
  options: { readonly apiKey: boolean },
): (headers: IncomingHttpHeaders) => boolean {
  const known = tokens.filter((token) => token !== '').map(digest);
  return (headers) => {
    const offered = [bearerOf(headers), options.apiKey ? apiKeyOf(headers) : undefined];
    let matches = 0;
    for (const one of offered) {
      const hashed = digest(one ?? '');
      for (const token of known) if (timingSafeEqual(hashed, token) && one !== undefined) matches += 1;
    }
    return matches > 0;
  };
}

export interface RateLimit {
  /** Sustained requests per second; EventBridge's own default limit per destination is 300. */
  readonly perSecond: number;
  readonly burst: number;
}

/** A token bucket for this process: 0 where the request may pass, else the whole seconds to wait. */
export function rateGate(limit: RateLimit, now: () => Date): () => number {
  let left = limit.burst;
  let at = now().getTime();
  return () => {
    const time = now().getTime();
    // A clock set back must not lock anybody out.
    left = Math.min(limit.burst, left + (Math.max(0, time - at) / 1000) * limit.perSecond);
    at = time;
    if (left >= 1) {
      left -= 1;
      return 0;
    }
    return Math.max(1, Math.ceil((1 - left) / limit.perSecond));
  };
}
