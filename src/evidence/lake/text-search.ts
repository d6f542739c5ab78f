/** Any text in the bodies of records: all shards are read, but of each only the columns where it may stand. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { needleOf, searchedFields } from '../../domain/text-search.ts';
import { sqlText } from './columns.ts';

interface TextQuestion {
  readonly text: string;
  readonly shards: readonly string[];
  /** Columns of the answer. */
  readonly picks: string;
  readonly conditions: readonly string[];
  readonly values: Readonly<Record<string, string>>;
  readonly limit: number;
}

/** Rejects with what DuckDB says. */
export function rowsHolding(db: DuckDBConnection, { text, shards, picks, conditions, values, limit }: TextQuestion) {
  const holds = searchedFields.map((field) => `contains(${field}, $text)`).join(' OR ');
  return db.runAndReadAll(
    `SELECT ${picks} FROM read_parquet([${shards.map(sqlText).join(', ')}])
      WHERE ${[`(${holds})`, ...conditions].join(' AND ')} LIMIT ${limit}`,
    { ...values, text: needleOf(text) },
  );
}
