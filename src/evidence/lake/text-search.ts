/** Any text in the bodies of records: all shards are read, but of each only the columns where it may stand. */
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import { needleOf, searchedFields } from '../../domain/text-search.ts';
import { type Row, sqlText } from './columns.ts';

interface TextQuestion {
  readonly text: string;
  readonly shards: readonly string[];
  /** Columns of the answer. */
  readonly picks: string;
  readonly conditions: readonly string[];
  readonly values: Readonly<Record<string, string>>;
  readonly limit: number;
}

/** More are as well read in one go: by then most row groups have some. */
const fewHits = 5000;

/**
 * At most `limit` rows. First where they are, then the rows: DuckDB would unpack every column of every row before it looks.
 * Rejects with what DuckDB says.
 */
export async function rowsHolding(db: DuckDBConnection, question: TextQuestion): Promise<readonly Row[]> {
  const { text, shards, picks, conditions, limit } = question;
  if (shards.length === 0) return [];
  const holds = searchedFields.map((field) => `contains(${field}, $text)`).join(' OR ');
  const where = [`(${holds})`, ...conditions].join(' AND ');
  const values: Record<string, DuckDBValue> = { ...question.values, text: needleOf(text) };
  const all = tableOf(shards);
  const found = await db.runAndReadAll(
    `SELECT filename, file_row_number FROM ${all} WHERE ${where} LIMIT ${Math.min(limit, fewHits + 1)}`,
    values,
  );
  const places = new Set(found.getRows().map(([file, row]) => `${file} ${row}`));
  if (places.size === 0) return [];
  if (places.size > fewHits) {
    const reader = await db.runAndReadAll(`SELECT ${picks} FROM ${all} WHERE ${where} LIMIT ${limit}`, values);
    return reader.getRowObjects();
  }
  const files = [...new Set(found.getRows().map(([file]) => String(file)))];
  const numbers = [...new Set(found.getRows().map(([, row]) => String(row)))];
  const reader = await db.runAndReadAll(
    `SELECT filename, file_row_number, ${picks} FROM ${tableOf(files)} WHERE file_row_number IN (${numbers.join(', ')})`,
  );
  return reader.getRowObjects().filter((row) => places.has(`${row.filename} ${row.file_row_number}`));
}

function tableOf(shards: readonly string[]): string {
  return `read_parquet([${shards.map(sqlText).join(', ')}])`;
}
