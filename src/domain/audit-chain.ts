/**
 * The audit's hash chain (DOMAIN.md 9.8): `hash = sha256(prevHash || canonical JSON of the entry)`, RFC 8785, hex.
 * Pure: the store appends with it, and `audit verify` checks an export with it, offline.
 */
import { createHash } from 'node:crypto';
import type { AuditEntry, AuditRow } from '../contracts/store.ts';
import { canonical } from './canonical.ts';
import { inert } from './inert.ts';

/** The hash before the first entry. */
export const genesisHash = '0'.repeat(64);

/**
 * An entry as it is hashed and stored: plain JSON without U+0000 and without half surrogate pairs, which neither
 * RFC 8785 nor PostgreSQL takes. Absent ids are absent.
 */
function normaliseAuditEntry(entry: AuditEntry): AuditEntry {
  const payload = clean(JSON.parse(JSON.stringify(entry.payload))) as Readonly<Record<string, unknown>>;
  return {
    event: cleanText(entry.event),
    actor: cleanText(entry.actor),
    at: cleanText(entry.at),
    ...(entry.caseId == null ? {} : { caseId: cleanText(entry.caseId) }),
    ...(entry.approvalId == null ? {} : { approvalId: cleanText(entry.approvalId) }),
    payload,
  };
}

function clean(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [cleanText(key), clean(inner)]));
}

function cleanText(value: string): string {
  return value.replaceAll('\u0000', '\ufffd').toWellFormed();
}

/** The row that follows `prevHash` as number `seq`. The entry is normalised first. */
export function chainAuditEntry(entry: AuditEntry, seq: number, prevHash: string): AuditRow {
  const normal = normaliseAuditEntry(entry);
  return { ...normal, seq, prevHash, hash: hashOf(normal, seq, prevHash) };
}

/** Throws Error where the entry is not normal. */
function hashOf(entry: AuditEntry, seq: number, prevHash: string): string {
  const { at, event, actor, caseId, approvalId, payload } = entry;
  const ids = { ...(caseId == null ? {} : { caseId }), ...(approvalId == null ? {} : { approvalId }) };
  const body = canonical({ seq, at, event, actor, ...ids, payload });
  return createHash('sha256').update(`${prevHash}${body}`).digest('hex');
}

export type AuditVerdict =
  | { readonly ok: true; readonly rows: number; readonly head: string }
  /** `seq` of the first row that does not fit, and why, in one sentence. */
  | { readonly ok: false; readonly seq: number; readonly because: string };

/**
 * Recomputes the chain over rows in order. `expectedPrev` is what the first row must point to: its hash and number
 * (genesis when left out). A removed tail shows only in `rows` and `head`: compare them with what was noted elsewhere.
 */
export function verifyAuditRows(
  rows: readonly AuditRow[],
  expectedPrev: { readonly seq: number; readonly hash: string } = { seq: 0, hash: genesisHash },
): AuditVerdict {
  let { seq, hash } = expectedPrev;
  for (const row of rows) {
    const because = breakOf(row, seq, hash);
    if (because !== undefined) return { ok: false, seq: row.seq, because };
    seq = row.seq;
    hash = row.hash;
  }
  return { ok: true, rows: rows.length, head: hash };
}

const fields: ReadonlySet<string> = new Set<keyof AuditRow>([
  ...(['seq', 'at', 'event', 'actor', 'caseId', 'approvalId', 'payload', 'prevHash', 'hash'] as const),
]);

function breakOf(row: AuditRow, seq: number, hash: string): string | undefined {
  if (row.seq !== seq + 1) return `Entry ${row.seq} follows entry ${seq}: something was removed, added or moved.`;
  if (row.prevHash !== hash) return `Entry ${row.seq} does not continue the entry before it.`;
  const unknown = Object.keys(row).filter((key) => !fields.has(key));
  if (unknown.length > 0)
    return `Entry ${row.seq} holds what no hash covers: ${unknown.map((key) => inert(key, 40)).join(', ')}.`;
  if (row.hash !== tryHashOf(row)) return `Entry ${row.seq} was changed after it was written.`;
  return undefined;
}

function tryHashOf(row: AuditRow): string | undefined {
  try {
    return hashOf(row, row.seq, row.prevHash);
  } catch (thrown) {
    // An export may hold anything; what has no canonical form cannot be what was hashed.
    if (thrown instanceof Error) return undefined;
    throw thrown;
  }
}
