/** Trouble on purpose: rules that tests set, and the request limit that CloudTrail really has. */

type Failure = 'throttle' | 'accessDenied' | 'html' | 'hang' | 'close' | '500' | 'applyThenClose';

export interface FailRule {
  readonly service?: string;
  readonly operation?: string;
  readonly region?: string;
  /** How many calls it hits; all where absent. */
  readonly times?: number;
  readonly how: Failure;
  /** HTTP status of the HTML page; 403 where absent, as a proxy that refuses answers. */
  readonly status?: number;
}

export interface FailRules {
  /** Adds a rule; the newest that fits is used. Returns what removes it. */
  add(rule: FailRule): () => void;
  /** The rule for this call, counted as used. */
  take(call: { service: string; operation: string; region: string }): FailRule | undefined;
}

export function createFailRules(): FailRules {
  const rules: { rule: FailRule; left: number }[] = [];
  return {
    add(rule) {
      const entry = { rule, left: rule.times ?? Number.POSITIVE_INFINITY };
      rules.unshift(entry);
      return () => {
        entry.left = 0;
      };
    },
    take(call) {
      const entry = rules.find(
        ({ rule, left }) =>
          left > 0 &&
          (rule.service ?? call.service) === call.service &&
          (rule.operation ?? call.operation) === call.operation &&
          (rule.region ?? call.region) === call.region,
      );
      if (entry !== undefined) entry.left -= 1;
      return entry?.rule;
    },
  };
}

/** A token bucket per name: `perSecond` refill, and as many at once. Real time, since it limits real requests. */
export function createRateLimit(perSecond: number): (name: string) => boolean {
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  return (name) => {
    const nowMs = performance.now();
    const bucket = buckets.get(name) ?? { tokens: perSecond, atMs: nowMs };
    const tokens = Math.min(perSecond, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * perSecond);
    const allowed = tokens >= 1;
    buckets.set(name, { tokens: allowed ? tokens - 1 : tokens, atMs: nowMs });
    return allowed;
  };
}
