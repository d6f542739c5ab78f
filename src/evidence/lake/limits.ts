/** The window, accounts and Regions of a session as conditions over the rows of shards. */
import type { LakeOptions } from './lake.ts';

export function limitsOf({ window, accounts, regions }: Pick<LakeOptions, 'window' | 'accounts' | 'regions'>) {
  const sql: string[] = [];
  const values: Record<string, string> = {};
  if (window.from !== undefined) {
    sql.push('event_time >= CAST($from AS TIMESTAMP)');
    values.from = timestampText(window.from);
  }
  if (window.to !== undefined) {
    sql.push('event_time < CAST($to AS TIMESTAMP)');
    values.to = timestampText(window.to);
  }
  if (accounts) sql.push(`(account IS NULL OR account IN (${named('account', accounts, values)}))`);
  if (regions)
    sql.push(
      `(awsRegion IS NULL OR awsRegion = '""' OR awsRegion IN (${named(
        'region',
        regions.map((one) => JSON.stringify(one)),
        values,
      )}))`,
    );
  return { sql, values };
}

function named(prefix: string, list: readonly string[], values: Record<string, string>): string {
  if (list.length === 0) return 'NULL';
  return list
    .map((value, i) => {
      values[`${prefix}${i}`] = value;
      return `$${prefix}${i}`;
    })
    .join(', ');
}

/** ISO 8601 UTC as DuckDB's TIMESTAMP, which knows no zone. */
export function timestampText(time: string): string {
  return new Date(time).toISOString().replace('T', ' ').replace('Z', '');
}
