/** Staying below Slack's rates (DOMAIN.md 1.7) before Slack has to say so. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../contracts/clock.ts';
import { UpstreamError } from '../contracts/errors.ts';

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => new Date(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  },
};

interface PaceOptions {
  /** How many may go at once after a quiet time. */
  readonly burst: number;
  /** One more every so many ms. */
  readonly everyMs: number;
  /** Longer waits are refused: the queue's delay is cheaper than a worker that sleeps. */
  readonly maxWaitMs: number;
  readonly clock: Clock;
}

/** Returns once one more call may go for `key`. Throws UpstreamError `ratelimited` with the wait where it would be too long. */
type Pace = (key: string) => Promise<void>;

/** A token bucket per key; waiting calls go in the order in which they came. */
export function openPace({ burst, everyMs, maxWaitMs, clock }: PaceOptions): Pace {
  const buckets = new Map<string, { tokens: number; at: number }>();

  function refilled(key: string, now: number): { tokens: number; at: number } {
    const bucket = buckets.get(key) ?? { tokens: burst, at: now };
    // A wall clock that was set back must not take tokens away.
    const elapsed = Math.max(0, now - bucket.at);
    return { tokens: Math.min(burst, bucket.tokens + elapsed / everyMs), at: now };
  }

  function forgetFull(now: number): void {
    if (buckets.size < 1_000) return;
    for (const key of buckets.keys()) if (refilled(key, now).tokens >= burst) buckets.delete(key);
  }

  return async (key) => {
    const now = clock.now().getTime();
    forgetFull(now);
    const { tokens } = refilled(key, now);
    const waitMs = Math.ceil(Math.max(0, 1 - tokens) * everyMs);
    if (waitMs > maxWaitMs) {
      throw new UpstreamError(
        'slack',
        'ratelimited',
        `Slack takes one message every ${everyMs} ms here; the queue is full`,
        {
          retryable: true,
          retryAfterMs: waitMs,
        },
      );
    }
    buckets.set(key, { tokens: tokens - 1, at: now });
    if (waitMs > 0) await clock.sleep(waitMs);
  };
}

/**
 * Keeps answers for a while and shares a running request. Failures are never kept. `since` (epoch, ms): what was asked for earlier will not
 * do.
 */
export function openCache<Value>(
  ttlMs: number,
  clock: Clock,
): (key: string, load: () => Promise<Value>, since?: number) => Promise<Value> {
  const kept = new Map<string, { readonly at: number; readonly value: Promise<Value> }>();
  return (key, load, since = 0) => {
    const now = clock.now().getTime();
    const known = kept.get(key);
    const isYoung = known !== undefined && now - known.at >= 0 && now - known.at < ttlMs;
    if (isYoung && known.at >= since) return known.value;
    const entry = { at: now, value: load() };
    kept.delete(key);
    kept.set(key, entry);
    const oldest = kept.keys().next().value;
    if (kept.size > 500 && oldest !== undefined) kept.delete(oldest);
    entry.value.catch(() => {
      // The caller gets the rejection itself; here it only must not be handed to the next caller.
      if (kept.get(key) === entry) kept.delete(key);
    });
    return entry.value;
  };
}
