/** The CloudTrail table of our own DDL in DuckDB, filled as the SerDe fills it, with Trino's functions: SQL for Athena runs there. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { onTestFinished } from 'vitest';
import { trinoMacros } from '../../../demo/aws/trino-macros.ts';
import type { CloudTrailRecord } from '../../../src/contracts/cloudtrail.ts';
import type { Node } from '../../../src/contracts/condition.ts';
import { ddlOf } from '../../../src/domain/athena/ddl.ts';
import { trailPicks } from '../../../src/domain/athena/queries.ts';
import { recordLine } from '../../../src/domain/athena/rows.ts';
import { AthenaSection } from '../../../src/domain/athena/settings.ts';
import { type Left, TrinoConditions } from '../../../src/domain/athena/trino-condition.ts';
import { parseRecord } from '../../../src/domain/record.ts';

type Json = Readonly<Record<string, unknown>>;

export const settings = AthenaSection.parse({
  accountId: '111122223333',
  region: 'eu-west-1',
  workgroup: 'firebreak',
  database: 'logs',
  tables: { cloudtrail: 'cloudtrail' },
  locations: { cloudtrail: 's3://trail' },
});

/** `string`, `struct<a:string>`, `array<...>` and `map<...>` of Hive as DuckDB's types. */
function duckType(hive: string): string {
  const text = hive.replaceAll(/\s+/g, '');
  const inside = text.slice(text.indexOf('<') + 1, -1);
  if (text.startsWith('struct<'))
    return `STRUCT(${split(inside)
      .map((one) => `"${one.slice(0, one.indexOf(':'))}" ${duckType(one.slice(one.indexOf(':') + 1))}`)
      .join(', ')})`;
  if (text.startsWith('array<')) return `${duckType(inside)}[]`;
  if (text.startsWith('map<')) return `MAP(${split(inside).map(duckType).join(', ')})`;
  return 'VARCHAR';
}

/** At commas that are not within `<>`. */
function split(text: string): readonly string[] {
  const parts = [''];
  let depth = 0;
  for (const char of text) {
    if (char === '<' || char === '(') depth += 1;
    if (char === '>' || char === ')') depth -= 1;
    if (char === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

/** Columns and types as the DDL has them. */
function columnsOfDdl(): readonly (readonly [string, string])[] {
  const [statement] = ddlOf(settings, ['eu-west-1']);
  const sql = statement?.sql ?? '';
  const inside = sql.slice(sql.indexOf('(\n') + 1, sql.indexOf(')\nPARTITIONED'));
  return split(inside).map((column) => {
    const [name = ''] = column.split(/\s/);
    return [name, duckType(column.slice(name.length))] as const;
  });
}

const asText = new Set(['requestparameters', 'responseelements', 'additionaleventdata', 'serviceeventdetails']);

function lower(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lower);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.toLowerCase(), lower(inner)]));
}

/** Scalars are text in columns and structs; bodies are the JSON that CloudTrail wrote. */
function rowOf(record: Json): Json {
  return Object.fromEntries(
    Object.entries(record).flatMap(([key, value]) => {
      const name = key.toLowerCase();
      if (value === null || value === undefined) return [];
      if (asText.has(name)) return [[name, typeof value === 'string' ? value : JSON.stringify(value)] as const];
      return [[name, typeof value === 'object' ? lower(value) : String(value)] as const];
    }),
  );
}

export interface Judged {
  /** As it comes back from the table. */
  readonly record: CloudTrailRecord;
  readonly original: Json;
  readonly verdict: boolean | null;
}

export interface TrailTable {
  readonly db: DuckDBConnection;
  verdicts(nodes: readonly Node[]): Promise<readonly { readonly rows: readonly Judged[]; readonly left: Left }[]>;
}

export async function openTrailTable(originals: readonly Json[]): Promise<TrailTable> {
  const folder = mkdtempSync(join(tmpdir(), 'firebreak-trail-'));
  const instance = await DuckDBInstance.create(':memory:');
  const db = await instance.connect();
  onTestFinished(() => {
    db.closeSync();
    instance.closeSync();
    rmSync(folder, { recursive: true, force: true });
  });
  const file = join(folder, 'rows.ndjson');
  writeFileSync(file, originals.map((record, n) => JSON.stringify({ n, ...rowOf(record) })).join('\n'));
  const columns = [['n', 'BIGINT'] as const, ...columnsOfDdl()].map(([name, type]) => `'${name}': '${type}'`);
  for (const macro of trinoMacros) await db.run(macro);
  await db.run('CREATE SCHEMA logs');
  await db.run(
    `CREATE TABLE logs.cloudtrail AS SELECT *, '111122223333' AS account, 'eu-west-1' AS region, '2026/11/20' AS day
      FROM read_json('${file}', format = 'newline_delimited', columns = {${columns.join(', ')}})`,
  );
  const read = await db.runAndReadAll(`SELECT ${trailPicks()} FROM logs.cloudtrail ORDER BY n`);
  const records = read.getRowsJson().map((cells) => {
    const parsed = parseRecord(JSON.parse(recordLine(cells.map((cell) => (cell === null ? undefined : String(cell))))));
    if (!parsed.ok) throw new Error(parsed.reason);
    return parsed.record;
  });
  return {
    db,
    async verdicts(nodes) {
      const conditions = new TrinoConditions();
      const made = nodes.map((node) => conditions.sql(node));
      const picks = made.map(({ sql }, at) => `${sql} AS r${at}`);
      const answer = await db.runAndReadAll(
        `SELECT ${picks.join(', ')} FROM (${conditions.over('SELECT * FROM logs.cloudtrail')}) ORDER BY n`,
      );
      const rows = answer.getRows();
      return made.map(({ left }, i) => ({
        left,
        rows: records.map((record, at) => ({
          record,
          original: originals[at] as Json,
          verdict: rows[at]?.[i] as boolean | null,
        })),
      }));
    },
  };
}
