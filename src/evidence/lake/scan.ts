/** Reads the whole window from the shards, as little of it as the reader needs, in one pass and without holding it. */
import { hash } from 'node:crypto';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import type { Narrowing, Told, Wanted } from '../../contracts/condition.ts';
import type { Log } from '../../contracts/log.ts';
import { canonicalText } from '../../domain/record.ts';
import { toldSql } from './answers-sql.ts';
import { columnTypes, sqlText } from './columns.ts';
import { Conditions } from './condition-sql.ts';
import { rowAssembler } from './row-assembler.ts';

export interface Scan {
  readonly connection: DuckDBConnection;
  /** Paths of the shards. */
  readonly shards: readonly string[];
  /** Conditions of the window, with their values. */
  readonly limits: { readonly sql: readonly string[]; readonly values: Readonly<Record<string, string>> };
  readonly narrowing: Narrowing | undefined;
  readonly told?: Told | undefined;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Called with the number of records in the window, before the first one comes. */
  onCount(records: number): void;
  /** Called for each row that cannot be read. */
  onDamage(): void;
}

/** Who did what, when, where and how it ended, and whether it is a call at all. */
const always = new Set([
  'insightDetails',
  ...['event_time', 'event_uuid', 'eventID', 'eventSource', 'eventName', 'awsRegion', 'sourceIPAddress'],
  ...['userIdentity', 'errorCode', 'errorMessage', 'recipientAccountId', 'readOnly', 'extra'],
]);
/** For questions, not for records. */
const unread = new Set(['file', 'ip', 'account']);

interface Plan {
  /** `wanted`: which class a name belongs to. */
  readonly names: readonly { readonly source: string; readonly name: string; readonly class: number }[];
  readonly classes: readonly Wanted[];
}

const everything: Wanted = { fields: 'all', where: undefined };

/** Every record of the window that the narrowing wants, exact duplicates dropped. Throws what DuckDB says. */
export async function* scanLake(scan: Scan): AsyncGenerator<CloudTrailRecord> {
  const { connection, log, signal } = scan;
  const plan = await planOf(scan);
  if (plan.names.length === 0) return;
  await noteNames(connection, plan);
  const repeated = await noteRepeated(scan);
  try {
    yield* rowsOf(scan, narrowed(scan, plan, true), plan);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Refused)) throw error;
    log.warn({ error: error.message.slice(0, 300) }, 'the lake refused the conditions of a scan, it is read without');
    yield* rowsOf(scan, narrowed(scan, plan, false));
  }
  if (repeated) yield* withoutRepeats(rowsOf(scan, whole(scan)));
}

/** The names that occur, and what is wanted of each; equal wishes are one class. */
async function planOf({ connection, shards, limits, narrowing, onCount }: Scan): Promise<Plan> {
  const reader = await connection.runAndReadAll(
    `SELECT eventSource, eventName, count(*)::BIGINT AS n FROM ${tableOf(shards)} ${whereOf(limits.sql)} GROUP BY ALL`,
    { ...limits.values },
  );
  const classes = new Map<string, { readonly number: number; readonly wanted: Wanted }>();
  const names: { source: string; name: string; class: number }[] = [];
  let records = 0;
  for (const [source, name, count] of reader.getRows()) {
    records += Number(count);
    const wanted = narrowing ? narrowing(plainText(source), plainText(name)) : everything;
    if (wanted === undefined) continue;
    const key = JSON.stringify(wanted);
    const known = classes.get(key) ?? { number: classes.size, wanted };
    classes.set(key, known);
    names.push({ source: String(source), name: String(name), class: known.number });
  }
  onCount(records);
  return { names, classes: [...classes.values()].map(({ wanted }) => wanted) };
}

function plainText(json: unknown): string {
  const value: unknown = JSON.parse(String(json));
  return typeof value === 'string' ? value : '';
}

async function noteNames(connection: DuckDBConnection, { names }: Plan): Promise<void> {
  await connection.run(
    'CREATE OR REPLACE TEMP TABLE wanted (source VARCHAR, name VARCHAR, class INTEGER, label INTEGER)',
  );
  for (let at = 0; at < names.length; at += 500) {
    const rows = names.slice(at, at + 500);
    const values = rows.map((row, i) => `(${sqlText(row.source)}, ${sqlText(row.name)}, ${row.class}, ${at + i})`);
    await connection.run(`INSERT INTO wanted VALUES ${values.join(', ')}`);
  }
}

/** Events that stand more than once under one id: whether they are the same is told by their content. */
async function noteRepeated({ connection, shards, limits }: Scan): Promise<boolean> {
  await connection.run('CREATE OR REPLACE TEMP TABLE repeated (uuid UUID, id VARCHAR)');
  await connection.run(
    `INSERT INTO repeated SELECT event_uuid, eventID FROM ${tableOf(shards)} records JOIN wanted ON eventSource = source
      AND eventName = name ${whereOf(limits.sql)} GROUP BY ALL HAVING count(*) > 1`,
    { ...limits.values },
  );
  const reader = await connection.runAndReadAll('SELECT count(*)::INTEGER FROM repeated');
  return Number(reader.getRows()[0]?.[0]) > 0;
}

function narrowed({ shards, limits, told }: Scan, { classes }: Plan, heed: boolean): Query {
  const once = `NOT coalesce(event_uuid IN (SELECT uuid FROM repeated WHERE uuid IS NOT NULL), false)
    AND NOT coalesce(eventID IN (SELECT id FROM repeated WHERE id IS NOT NULL), false)`;
  const rows = `SELECT * FROM ${tableOf(shards)} records JOIN wanted ON eventSource = source AND eventName = name
    ${whereOf([...limits.sql, once])}`;
  if (told !== undefined && heed) return { sql: toldSql(classes, rows), values: limits.values };
  const conditions = new Conditions();
  const tests = classes.flatMap(({ where }, number) =>
    where === undefined || !heed ? [] : [`WHEN ${number} THEN ${conditions.sql(where, number)}`],
  );
  const wanted = tests.length === 0 ? [] : [`TRY(CASE class ${tests.join(' ')} ELSE true END) IS NOT FALSE`];
  const picks = columnTypes.flatMap(([column]) => {
    if (unread.has(column)) return [];
    const readers = classes.flatMap(({ fields }, number) =>
      fields === 'all' || fields.includes(topOf(column)) ? [number] : [],
    );
    if (always.has(column) || readers.length === classes.length) return [pick(column, `"${column}"`)];
    return readers.length === 0
      ? []
      : [pick(column, `CASE WHEN class IN (${readers.join(', ')}) THEN "${column}" END`)];
  });
  return {
    sql: `SELECT ${picks.join(', ')} FROM (${conditions.over(rows)}) ${whereOf(wanted)}`,
    values: limits.values,
  };
}

/** All of the records whose ids occur more than once. */
function whole({ shards, limits }: Scan): Query {
  const picks = columnTypes.flatMap(([column]) => (unread.has(column) ? [] : [pick(column, `"${column}"`)]));
  const from = `${tableOf(shards)} records JOIN wanted ON eventSource = source AND eventName = name`;
  const again = `(event_uuid IN (SELECT uuid FROM repeated WHERE uuid IS NOT NULL)
    OR eventID IN (SELECT id FROM repeated WHERE id IS NOT NULL))`;
  return { sql: `SELECT ${picks.join(', ')} FROM ${from} ${whereOf([...limits.sql, again])}`, values: limits.values };
}

/** The field of the record that a column holds a part of. */
function topOf(column: string): string {
  return column === 'request_uuid' ? 'requestID' : column;
}

function pick(column: string, sql: string): string {
  if (column === 'event_time') return 'epoch_ms(event_time) AS event_ms';
  return column.endsWith('_uuid') ? `CAST(${sql} AS VARCHAR) AS ${column}` : `${sql} AS "${column}"`;
}

interface Query {
  readonly sql: string;
  readonly values: Readonly<Record<string, string>>;
}

/** What DuckDB would not even begin with. */
class Refused extends Error {}

/** `plan`: whose labels stand for the names. */
async function* rowsOf(scan: Scan, { sql, values }: Query, plan?: Plan): AsyncGenerator<CloudTrailRecord> {
  const result = await scan.connection.stream(sql, { ...values }).catch((error: unknown) => {
    throw new Refused(error instanceof Error ? error.message : String(error));
  });
  const names = result.columnNames();
  const assemble = rowAssembler([...names, 'eventSource', 'eventName'].filter((name) => !ofAnswers.has(name)));
  // The next rows are read while these are looked at.
  let next = result.fetchChunk();
  for (let chunk = await next; chunk && chunk.rowCount > 0; chunk = await next) {
    next = result.fetchChunk();
    // Whoever stops in the middle leaves it behind.
    next.catch(() => undefined);
    scan.signal.throwIfAborted();
    const columns = chunk.getColumns();
    for (let at = 0; at < chunk.rowCount; at += 1) {
      const row: Record<string, unknown> = {};
      for (let i = 0; i < names.length; i += 1) {
        const value = columns[i]?.[at];
        if (value !== null) row[names[i] ?? ''] = value;
      }
      const yes = plan && tookAnswers(row, plan);
      const record = assemble(row);
      if (record === undefined) scan.onDamage();
      else if (scan.told && yes !== undefined) scan.told(record, yes);
      else yield record;
    }
  }
}

/** Columns of `toldSql` that are no fields of a record. */
const ofAnswers: ReadonlySet<string> = new Set(['yes', 'label', 'rest']);

/** Puts the fields of a row of `toldSql` in their places, and returns its answers, where they are known. */
function tookAnswers(row: Record<string, unknown>, { names }: Plan): number | undefined {
  const { yes, label, rest } = row;
  if (typeof label !== 'number') return undefined;
  row.eventSource = names[label]?.source;
  row.eventName = names[label]?.name;
  if (typeof rest === 'string') row.extra = `{${rest}}`;
  return typeof yes === 'number' && yes >= 0 ? yes : undefined;
}

async function* withoutRepeats(records: AsyncIterable<CloudTrailRecord>): AsyncGenerator<CloudTrailRecord> {
  const seen = new Set<string>();
  for await (const record of records) {
    const content = hash('sha256', canonicalText(record), 'base64');
    if (seen.has(content)) continue;
    seen.add(content);
    yield record;
  }
}

function tableOf(shards: readonly string[]): string {
  return `read_parquet([${shards.map(sqlText).join(', ')}])`;
}

function whereOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
}
