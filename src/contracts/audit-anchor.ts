/** The head of the audit as it stands outside the database. Times are ISO 8601 UTC. */

/** The newest entry of the chain at that moment. */
export interface AuditAnchor {
  readonly seq: number;
  /** Hex, 64 digits. */
  readonly hash: string;
  readonly at: string;
  /** Of the Firebreak that wrote it. */
  readonly version: string;
}

/** One version of one object under the prefix. */
export type FoundAnchor = { readonly key: string } & (
  | { readonly ok: true; readonly anchor: AuditAnchor }
  /** `because`: why this is not what Firebreak writes, in words. */
  | { readonly ok: false; readonly because: string }
);

export interface FoundAnchors {
  readonly found: readonly FoundAnchor[];
  /** Keys on which somebody put a delete marker. What is locked below it is read all the same. */
  readonly hidden: readonly string[];
}

/** A bucket with Object Lock. Throws UpstreamError `s3`. */
export interface AnchorBucket {
  /** `s3://bucket/prefix` */
  readonly name: string;
  /** Nothing is overwritten: the same anchor again is no error, another under its key is. */
  put(anchor: AuditAnchor, retainUntil: Date, signal: AbortSignal): Promise<void>;
  /** All of them, also what was deleted or overwritten since, oldest entry first. */
  read(signal: AbortSignal): Promise<FoundAnchors>;
  /** Undefined where the bucket has Object Lock and its objects can be listed, else what it lacks. */
  lacks(signal: AbortSignal): Promise<string | undefined>;
  close(): void;
}

/** How anchoring goes, for `/readyz`, the metrics and the doctor; the bucket itself is the proof. */
export interface AnchorState {
  readonly ok: boolean;
  /** AWS's error code, where the last try failed. */
  readonly because?: string | undefined;
  readonly triedAt: string;
  /** Since when the tries end as the last one did. */
  readonly since: string;
  readonly written: number;
  readonly failed: number;
  readonly last?: AuditAnchor | undefined;
}

export interface AnchorsStore {
  state(): Promise<AnchorState | undefined>;
  /** Keeps the state in the place of the one before. */
  note(state: AnchorState): Promise<void>;
}
