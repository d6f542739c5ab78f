/** What is looked up for the card of a case, in the background: one part per subject, kept so that a crash loses nothing. */
import type { Brief } from './investigation.ts';
import type { AccountFacts } from './surroundings.ts';

/** What is looked up about the alert: the investigation and its target. */
export interface EnrichmentSubject {
  /** The same subject in two cases has the same key. */
  readonly key: string;
  readonly investigation: 'who' | 'key' | 'instance' | 'ip';
  readonly accountId: string;
  readonly target: Readonly<Record<string, unknown>>;
}

export interface EnrichmentPart {
  readonly key: string;
  readonly investigation: EnrichmentSubject['investigation'];
  readonly brief: Brief;
  /** ISO 8601 UTC. */
  readonly at: string;
}

export interface Enrichment {
  readonly caseId: string;
  /** Hash of the subjects. */
  readonly version: string;
  readonly parts: readonly EnrichmentPart[];
  /** What the inventory says of the account, where it had to be asked. */
  readonly account?: AccountFacts | undefined;
  readonly accountMissing: readonly string[];
  readonly tries: number;
  readonly wantedAt: string;
  readonly finishedAt?: string | undefined;
}

export interface EnrichmentsStore {
  /** True where there is something to do: a new case, other subjects than before, or an answer older than `staleBefore`. */
  want(caseId: string, version: string, at: string, staleBefore: string): Promise<boolean>;
  get(caseId: string): Promise<Enrichment | undefined>;
  /** Nothing where another version is wanted by now. */
  save(enrichment: Enrichment): Promise<void>;
  /** Wanted but not finished, oldest first: what the sweep queues again. */
  unfinished(olderThan: string, limit: number): Promise<readonly string[]>;
  /** Parts of other cases on the same subjects, not older than `notBefore`. */
  recall(keys: readonly string[], notBefore: string): Promise<readonly EnrichmentPart[]>;
  keep(part: EnrichmentPart): Promise<void>;
  /** Which of these resources a case's finding names. */
  noticed(resourceIds: readonly string[]): Promise<readonly string[]>;
}
