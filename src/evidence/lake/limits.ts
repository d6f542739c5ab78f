/** The window of a session as conditions in SQL, and the same for readers without SQL. */
export interface Limits {
  /** ISO 8601 UTC, half-open; an absent bound is open. */
  readonly window: { readonly from?: string | undefined; readonly to?: string | undefined };
  readonly accounts?: readonly string[] | undefined;
  readonly regions?: readonly string[] | undefined;
}

/** What limits ask of a row; each reads its column when it is called. */
interface RowFacts {
  /** Microseconds since the epoch. */
  time(): bigint | undefined;
  account(): string | undefined;
  region(): string | undefined;
}

interface Conditions {
  readonly sql: readonly string[];
  readonly values: Record<string, string>;
}

/** The same as `limitsOf`: what names no account or Region stays, what has no time is in no window that is bound. */
export function isWithin({ window, accounts, regions }: Limits): (row: RowFacts) => boolean {
  const from = window.from === undefined ? undefined : microseconds(window.from);
  const to = window.to === undefined ? undefined : microseconds(window.to);
  const named = regions && new Set(['""', ...regions.map((one) => JSON.stringify(one))]);
  return (row) => {
    if (from !== undefined || to !== undefined) {
      const time = row.time();
      if (time === undefined || (from !== undefined && time < from) || (to !== undefined && time >= to)) return false;
    }
    const account = accounts && row.account();
    if (account !== undefined && !accounts?.includes(account)) return false;
    const region = named && row.region();
    return region === undefined || named?.has(region) === true;
  };
}

function microseconds(time: string): bigint {
  return BigInt(Date.parse(time)) * 1000n;
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
