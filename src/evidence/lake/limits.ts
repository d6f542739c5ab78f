/** The window of a session as conditions in SQL. */

interface Limits {
  /** ISO 8601 UTC, half-open; an absent bound is open. */
  readonly window: { readonly from?: string | undefined; readonly to?: string | undefined };
  readonly accounts?: readonly string[] | undefined;
  readonly regions?: readonly string[] | undefined;
}

interface Conditions {
  readonly sql: readonly string[];
  readonly values: Record<string, string>;
}

/** Times, accounts and Regions in the words of the shards' columns. */
export function limitsOf({ window, accounts, regions }: Limits): Conditions {
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
