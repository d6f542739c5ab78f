/** Where the head of the audit is put, in what words, and what anchors say of a chain. Pure. */
import { z } from 'zod';
import type { AnchorState, AuditAnchor, FoundAnchor } from '../contracts/audit-anchor.ts';
import type { AuditRow } from '../contracts/store.ts';

const Anchor = z.strictObject({
  bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'is not the name of a bucket'),
  /** A folder of this installation's database alone. */
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9!_.*'()-][A-Za-z0-9!_.*'()/-]{0,200}$/, 'is no prefix: letters, digits, - _ . and / in between')
    .transform((prefix) => (prefix.endsWith('/') ? prefix : `${prefix}/`))
    .default('firebreak-audit/'),
  region: z.string().regex(/^[a-z]{2,}(-[a-z]+)+-\d$/, 'is not a Region name'),
  retainDays: z.number().int().min(1).max(36_500).default(365),
  everyMinutes: z
    .number()
    .int()
    .min(1)
    .max(24 * 60)
    .default(15),
});
export type AnchorSettings = z.output<typeof Anchor>;

export const AuditSection = z.strictObject({ anchor: Anchor.optional() }).prefault({});

const Written = z.strictObject({
  kind: z.literal('firebreak-audit-head'),
  seq: z.number().int().min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  at: z.iso.datetime(),
  version: z.string().min(1).max(100),
});

/** The same head always has the same key, so that writing it again after a crash finds it. Sorts by entry. */
export function anchorKey(prefix: string, { seq, hash }: Pick<AuditAnchor, 'seq' | 'hash'>): string {
  return `${prefix}${String(seq).padStart(12, '0')}-${hash}.json`;
}

export function anchorText({ seq, hash, at, version }: AuditAnchor): string {
  return `${JSON.stringify({ kind: 'firebreak-audit-head', seq, hash, at, version })}\n`;
}

/** An object's text back into an anchor. Never throws: a bucket holds what anybody with the right to write put there. */
export function readAnchor(prefix: string, key: string, text: string): FoundAnchor {
  const no = (because: string): FoundAnchor => ({ key, ok: false, because });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return no('is not JSON');
    throw error;
  }
  const parsed = Written.safeParse(value);
  if (!parsed.success) return no('is not what Firebreak writes');
  const { kind: _, ...anchor } = parsed.data;
  if (anchorKey(prefix, anchor) !== key) return no('says another entry than its key');
  return { key, ok: true, anchor };
}

/** Whether it is time to look again: after the interval where the last try went well, else soon. */
export function isAnchorDue(state: AnchorState | undefined, everyMinutes: number, now: Date): boolean {
  if (state === undefined) return true;
  const waitMs = state.ok ? everyMinutes * 60_000 : Math.min(everyMinutes, 2) * 60_000;
  const agoMs = now.getTime() - Date.parse(state.triedAt);
  // A try in the future is a clock put back, or a note that somebody forged to stop us.
  return agoMs < -60_000 || agoMs >= waitMs;
}

/** Undefined where all is well; else one sentence that names no account and no bucket. */
export function anchorProblem(
  state: AnchorState | undefined,
  head: { readonly hash: string } | undefined,
  everyMinutes: number,
  now: Date,
): string | undefined {
  if (state !== undefined && !state.ok)
    return `the head of the audit could not be anchored (${state.because ?? 'unknown'}) since ${state.since}`;
  if (head === undefined || head.hash === state?.last?.hash) return undefined;
  if (state === undefined) return 'no worker has anchored the head of the audit yet';
  const late = now.getTime() - Date.parse(state.triedAt) > 2 * everyMinutes * 60_000 + 5 * 60_000;
  return late ? `no worker has anchored the head of the audit since ${state.triedAt}` : undefined;
}

/** Holds anchors against a chain that goes by row by row. */
export function anchorCheck(found: readonly FoundAnchor[]) {
  const waiting = new Map<string, AuditAnchor>();
  for (const one of found) if (one.ok) waiting.set(`${one.anchor.seq} ${one.anchor.hash}`, one.anchor);
  const total = waiting.size;
  let held: AuditRow | undefined;
  return {
    see(row: AuditRow): void {
      if (waiting.delete(`${row.seq} ${row.hash}`)) held = row;
    },
    /** `missing`: anchored heads that the chain does not hold, first entry first. `newest`: the last entry that an anchor vouches for. */
    result(): {
      readonly total: number;
      readonly missing: readonly AuditAnchor[];
      readonly newest: number | undefined;
    } {
      return { total, missing: [...waiting.values()].sort((a, b) => a.seq - b.seq), newest: held?.seq };
    },
  };
}
