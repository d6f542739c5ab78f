/** What a test or a demo may ask Slack to do wrong, and the rates that Slack allows (DOMAIN.md 1.7). */
import type { Reply } from './web-api.ts';

export interface Fault {
  /** A Web API method, `upload` (the bytes of a file), `response_url`, or `*` for all of them. */
  readonly method: string;
  /**
   * 429 with Retry-After; 500; never an answer; the connection cut before anything happened; an HTML page (status 503);
   * done, but the connection cut before the answer; Slack's own `error` word.
   */
  readonly how: '429' | '500' | 'hang' | 'close' | 'html' | 'afterThenClose' | 'error';
  /** Seconds, for 429; default 1. */
  readonly retryAfter?: number;
  /** For `error`. */
  readonly error?: string;
  /** Hits only calls whose arguments hold this text. */
  readonly holding?: string;
  /** How often; default once. */
  readonly times?: number;
}

export function createFaults() {
  const planned: { fault: Fault; left: number }[] = [];
  return {
    /** Returns the way to call it off. */
    plan(fault: Fault): () => void {
      const entry = { fault, left: fault.times ?? 1 };
      planned.push(entry);
      return () => {
        entry.left = 0;
      };
    },
    /** The fault that hits this call, if any; uses it up. */
    next(method: string, args: Readonly<Record<string, unknown>> = {}): Fault | undefined {
      const entry = planned.find(
        ({ fault, left }) =>
          left > 0 &&
          (fault.method === method || fault.method === '*') &&
          (fault.holding === undefined || JSON.stringify(args).includes(fault.holding)),
      );
      if (!entry) return undefined;
      entry.left -= 1;
      return entry.fault;
    },
  };
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Slack's rates as token buckets. `refuse` returns the seconds to wait, or undefined when the call may pass. */
export function createRates() {
  const buckets = new Map<string, Bucket>();
  function take(key: string, capacity: number, perSecond: number): number | undefined {
    const now = Date.now();
    const bucket = buckets.get(key) ?? { tokens: capacity, at: now };
    const tokens = Math.min(capacity, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
    const isAllowed = tokens >= 1;
    buckets.set(key, { tokens: isAllowed ? tokens - 1 : tokens, at: now });
    return isAllowed ? undefined : Math.max(1, Math.ceil((1 - tokens) / perSecond));
  }
  return {
    refuse(method: string, args: Readonly<Record<string, unknown>>): number | undefined {
      // One message per second and channel, a short burst tolerated; the others are tiers 2, 3 and 4 per minute.
      if (method === 'chat.postMessage') return take(`${method} ${String(args.channel)}`, 5, 1);
      if (method === 'chat.update' || /^conversations\.(?:history|replies)$/.test(method))
        return take(method, 50, 50 / 60);
      if (/^usergroups\./.test(method)) return take(method, 20, 20 / 60);
      return take(method, 100, 100 / 60);
    },
  };
}

export const rateLimited: Reply = { ok: false, error: 'ratelimited' };
