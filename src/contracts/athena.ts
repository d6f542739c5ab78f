/** Athena as investigations see it: named questions with what they cost. SQL is made in src/domain/athena, never by a caller. */

export interface AthenaCost {
  /** AWS's DataScannedInBytes. */
  readonly bytes: number;
  /** At $5 per TB, with AWS's minimum of 10 MB per query. */
  readonly dollars: number;
  readonly queries: number;
}

export interface AthenaEstimate {
  /** Bytes of the objects in the partitions that would be read; undefined where they could not be listed. */
  readonly bytes: number | undefined;
  /** Why there is no figure, or how it was come by. */
  readonly because: string;
}

export type AthenaTableName = 'cloudtrail' | 'flowLogs' | 'dns';

/** A statement of ours: literals are quoted strictly, values from outside stand for `?` in order. */
export interface AthenaStatement {
  /** What it asks, for the log and the ledger. */
  readonly title: string;
  readonly sql: string;
  /** As StartQueryExecution takes them: literals, text within single quotes. */
  readonly parameters: readonly string[];
  /** Partitions that it reads, for the estimate: of one table, and of each other as often as the statement reads it. */
  readonly reads: {
    readonly table: AthenaTableName;
    readonly also?: readonly AthenaTableName[];
    readonly scope: AthenaScope;
  };
  /** Rows after which it is cut. */
  readonly maxRows: number;
  /** Of one that ends early: what it is taken to read, whatever its partitions hold. */
  readonly fewBytes?: number;
}

/** Where to look. Partitions are by account, Region and UTC day. */
export interface AthenaScope {
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  /** ISO 8601 UTC, half-open. */
  readonly from: string;
  readonly to: string;
}

export interface AthenaRows {
  readonly columns: readonly string[];
  /** NULL is undefined, everything else AWS's text. */
  readonly rows: readonly (readonly (string | undefined)[])[];
  readonly truncated: boolean;
  readonly queryExecutionId: string;
  readonly bytes: number;
}

export interface AthenaQuestions {
  /** The scope of this investigation: its window, accounts and Regions. Throws UpstreamError where Regions cannot be told. */
  scope(): Promise<AthenaScope>;
  /** One of the named questions about `words`, within the scope. Throws UserError for an unknown name or words that do not fit. */
  named(question: string, words: readonly string[], scope: AthenaScope): AthenaStatement;
  /** One row, the account, for each of at most 50 accounts that has anything in the scope. */
  heard(table: AthenaTableName, scope: AthenaScope): AthenaStatement;
  /** At the price of the config, with AWS's minimum. */
  dollars(bytes: number): number;
  estimate(statement: AthenaStatement): Promise<AthenaEstimate>;
  /**
   * Runs it, within the limits of the config. Throws UserError where a limit forbids it or the statement was refused,
   * UpstreamError where Athena failed; an aborted signal stops the query in AWS too.
   */
  ask(statement: AthenaStatement): Promise<AthenaRows>;
  spent(): AthenaCost;
}

/** What was scanned, so that a day and a case have a limit. Kept by the store, or in the data folder on the command line. */
export interface AthenaLedger {
  /**
   * Sets `bytes` aside for a query. False, with what is left, where the day's or the case's limit does not hold them:
   * one step, so that two queries at once cannot both take the last of it.
   */
  reserve(input: {
    readonly id: string;
    readonly caseId: string | undefined;
    readonly bytes: number;
    readonly title: string;
    readonly maxPerDay: number;
    readonly maxPerCase: number;
    /** ISO 8601 UTC. */
    readonly at: string;
  }): Promise<{ readonly granted: boolean; readonly left: number; readonly limit: 'day' | 'case' | undefined }>;
  /** What it came to in the end; 0 for a query that did not run. */
  settle(id: string, bytes: number): Promise<void>;
}
