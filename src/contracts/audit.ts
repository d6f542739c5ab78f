/** The audit: append-only, each entry holding the hash of the one before. Times are ISO 8601 UTC. */

export interface AuditEntry {
  /** ask, plan, vote, refuse, intent, call, execute, verify, undo, expire, stale, freeze, ... */
  readonly event: string;
  readonly actor: string;
  readonly caseId?: string | undefined;
  readonly approvalId?: string | undefined;
  readonly at: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface AuditRow extends AuditEntry {
  readonly seq: number;
  readonly prevHash: string;
  readonly hash: string;
}

export interface AuditStore {
  append(entry: AuditEntry): Promise<void>;
  /** In order of seq, from `after` (exclusive). */
  read(after: number, limit: number): Promise<readonly AuditRow[]>;
  /** The newest entry's number and hash; undefined before the first. */
  head(): Promise<{ readonly seq: number; readonly hash: string } | undefined>;
}
