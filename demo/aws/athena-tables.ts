/**
 * Athena's tables over this world's logs, in DuckDB: the trail as it stands when a query is asked, and the network logs. The
 * SQL that Firebreak makes runs in both dialects but for a few functions, which are defined here; other SQL may not run.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { dnsRows, flowRows } from './network-logs.ts';
import type { State } from './state.ts';
import type { Trail, TrailRecord } from './trail.ts';
import { trinoMacros } from './trino-macros.ts';

export interface Answer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly (string | undefined)[])[];
  /** Of all rows of the tables that the query names: nothing is left out by partition. */
  readonly scannedBytes: number;
}

const session = `STRUCT(attributes STRUCT(mfaauthenticated VARCHAR, creationdate VARCHAR, assumedroot VARCHAR),
  sessionissuer STRUCT("type" VARCHAR, principalid VARCHAR, arn VARCHAR, accountid VARCHAR, username VARCHAR),
  ec2roledelivery VARCHAR, sourceidentity VARCHAR, signinsessionarn VARCHAR)`;
const identity = `STRUCT("type" VARCHAR, principalid VARCHAR, arn VARCHAR, accountid VARCHAR, invokedby VARCHAR,
  accesskeyid VARCHAR, username VARCHAR, identityprovider VARCHAR, sessioncontext ${session})`;
const trailTypes: Readonly<Record<string, string>> = {
  useridentity: identity,
  resources: 'STRUCT(arn VARCHAR, accountid VARCHAR, "type" VARCHAR)[]',
  tlsdetails: 'STRUCT(tlsversion VARCHAR, ciphersuite VARCHAR, clientprovidedhostheader VARCHAR)',
};
const trailNames =
  'eventversion useridentity eventtime eventsource eventname awsregion sourceipaddress useragent errorcode errormessage requestparameters responseelements additionaleventdata requestid eventid readonly resources eventtype apiversion recipientaccountid serviceeventdetails sharedeventid vpcendpointid vpcendpointaccountid eventcategory sessioncredentialfromconsole tlsdetails account region day'.split(
    ' ',
  );
const trailColumns = Object.fromEntries(trailNames.map((name) => [name, trailTypes[name] ?? 'VARCHAR']));
const flowColumns = {
  version: 'INTEGER',
  account_id: 'VARCHAR',
  interface_id: 'VARCHAR',
  srcaddr: 'VARCHAR',
  dstaddr: 'VARCHAR',
  srcport: 'INTEGER',
  dstport: 'INTEGER',
  protocol: 'BIGINT',
  packets: 'BIGINT',
  bytes: 'BIGINT',
  start: 'BIGINT',
  end: 'BIGINT',
  action: 'VARCHAR',
  log_status: 'VARCHAR',
  account: 'VARCHAR',
  region: 'VARCHAR',
  day: 'VARCHAR',
};
const dnsColumns = {
  version: 'VARCHAR',
  account: 'VARCHAR',
  account_id: 'VARCHAR',
  region: 'VARCHAR',
  vpc_id: 'VARCHAR',
  query_timestamp: 'VARCHAR',
  query_name: 'VARCHAR',
  query_type: 'VARCHAR',
  query_class: 'VARCHAR',
  rcode: 'VARCHAR',
  answers: 'STRUCT(rdata VARCHAR, "type" VARCHAR, "class" VARCHAR)[]',
  srcaddr: 'VARCHAR',
  srcport: 'VARCHAR',
  transport: 'VARCHAR',
  srcids: 'STRUCT(instance VARCHAR, resolver_endpoint VARCHAR)',
  firewall_rule_action: 'VARCHAR',
};

function lower(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lower);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.toLowerCase(), lower(inner)]));
}

/** CloudTrailInputFormat gives these as text, with their own case. */
const asText = new Set(['requestparameters', 'responseelements', 'additionaleventdata', 'serviceeventdetails']);

function trailRow(record: TrailRecord, account: string, region: string): Readonly<Record<string, unknown>> {
  const entries = Object.entries(record).map(([key, value]) => {
    const name = key.toLowerCase();
    if (asText.has(name)) return [name, value === null || value === undefined ? null : JSON.stringify(value)];
    return [name, name in trailTypes ? lower(value) : value === null || value === undefined ? null : String(value)];
  });
  const day = record.eventTime.slice(0, 10).replaceAll('-', '/');
  return { ...Object.fromEntries(entries), account, region, day };
}

function allRows(state: State, trail: Trail, now: Date) {
  const cloudtrail = [...state.accounts.values()].flatMap((account) =>
    [...account.regions.keys()].flatMap((region) =>
      trail.history(account.id, region).map(({ record }) => trailRow(record, account.id, region)),
    ),
  );
  const flows = flowRows(state, now).map((row) => ({
    ...row,
    ...{ version: 2, account_id: row.account, protocol: 6, log_status: 'OK' },
  }));
  return { cloudtrail, vpc_flow_logs: flows, resolver_queries: dnsRows(state, now) };
}

/**
 * Runs one statement. Throws Error with DuckDB's words for what is no SELECT of these tables.
 * @param parameters literals, as StartQueryExecution takes them
 */
export async function runStatement(
  sql: string,
  parameters: readonly string[],
  database: string,
  world: { readonly state: State; readonly trail: Trail; readonly now: Date },
): Promise<Answer> {
  if (!/^\s*(SELECT|WITH)\b/i.test(sql)) throw new Error('only SELECT runs here');
  const rows = allRows(world.state, world.trail, world.now);
  const folder = await mkdtemp(join(tmpdir(), 'athena-'));
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '500MB', temp_directory: '' });
  const db = await instance.connect();
  try {
    await db.run(`CREATE SCHEMA "${database.replaceAll('"', '')}"`);
    const shapes = { cloudtrail: trailColumns, vpc_flow_logs: flowColumns, resolver_queries: dnsColumns };
    let scannedBytes = 0;
    for (const [table, columns] of Object.entries(shapes)) {
      const lines = rows[table as keyof typeof rows].map((row) => JSON.stringify(row)).join('\n');
      if (sql.includes(`.${table}`)) scannedBytes += lines.length;
      await makeTable(
        db,
        `"${database.replaceAll('"', '')}"."${table}"`,
        columns,
        join(folder, `${table}.ndjson`),
        lines,
      );
    }
    for (const macro of trinoMacros) await db.run(macro);
    // From here on SQL reaches nothing but these tables.
    await db.run('SET enable_external_access = false');
    await db.run('SET lock_configuration = true');
    const reader = await db.runAndReadAll(
      forDuckDb(sql),
      parameters.map((literal) =>
        literal.startsWith("'") ? literal.slice(1, -1).replaceAll("''", "'") : Number(literal),
      ),
    );
    const names = reader.columnNames();
    return {
      columns: names.map((name, at) => ({ name, type: typeName(String(reader.columnType(at))) })),
      rows: reader.getRowsJson().map((row) => row.map((cell) => cellText(cell))),
      scannedBytes,
    };
  } finally {
    db.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What DuckDB writes otherwise. A short list after IN takes it half a megabyte for each text, and there are thousands. */
function forDuckDb(sql: string): string {
  return sql
    .replaceAll('ARRAY(JSON)', 'JSON[]')
    .replaceAll(
      /\b([ly]\d+) IN \(((?:'(?:[^']|'')*'(?:, )?)+)\)/g,
      'CASE WHEN $1 IS NOT NULL THEN list_contains([$2], $1) END',
    );
}

async function makeTable(
  db: DuckDBConnection,
  table: string,
  columns: Readonly<Record<string, string>>,
  file: string,
  lines: string,
): Promise<void> {
  const names = Object.entries(columns);
  if (lines === '') {
    await db.run(`CREATE TABLE ${table} (${names.map(([name, type]) => `"${name}" ${type}`).join(', ')})`);
    return;
  }
  await writeFile(file, lines, { mode: 0o600 });
  const shape = names.map(([name, type]) => `'${name}': '${type}'`).join(', ');
  await db.run(
    `CREATE TABLE ${table} AS SELECT * FROM read_json('${file}', format = 'newline_delimited', columns = {${shape}})`,
  );
}

function typeName(duckdb: string): string {
  if (/^(BIGINT|HUGEINT|INTEGER)/.test(duckdb)) return 'bigint';
  return duckdb === 'BOOLEAN' ? 'boolean' : 'varchar';
}

/** Athena gives all values as text. */
function cellText(cell: unknown): string | undefined {
  if (cell === null || cell === undefined) return undefined;
  return typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
}
