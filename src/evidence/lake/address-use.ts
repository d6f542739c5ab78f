/** Who used an address, summed up in SQL: a hub may have more records than anybody wants to read. */
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import type { AddressUse } from '../../contracts/evidence.ts';
import { AddressBook, callOf, eventsByUser, slotMs } from '../../domain/address-use.ts';
import { parseRecord } from '../../domain/record.ts';
import { isoOf } from '../../domain/window.ts';
import { createRecordIndex } from '../record-index.ts';
import { sqlText } from './columns.ts';

export interface AddressQuestion {
  readonly ip: string;
  readonly moreThan: number;
  /** `read_parquet(...)` with the address among its rows. */
  readonly table: string;
  /** Conditions that the rows must meet, the address left out. */
  readonly conditions: readonly string[];
  readonly values: Readonly<Record<string, string>>;
  /** The records of rows that meet a condition more. */
  read(condition: string): Promise<readonly CloudTrailRecord[]>;
}

/** Fewer are read about as fast as they are counted. */
const fewRows = 1000;

/** What `principalOf` reads of an identity. */
const identityFields = [
  'type',
  'arn',
  'principalId',
  'accountId',
  'userName',
  'invokedBy',
  'identityProvider',
  'onBehalfOf',
  'credentialId',
] as const;

/**
 * Undefined where the address has few rows or at most `moreThan` principals. Exact duplicates share their event id, so that
 * only rows with an id that comes more than once are read one by one. Rejects with what DuckDB says.
 */
export async function addressUseIn(db: DuckDBConnection, question: AddressQuestion): Promise<AddressUse | undefined> {
  const { ip, moreThan, table, conditions, values } = question;
  const where = ['ip = $ip', ...conditions].join(' AND ');
  const all: Record<string, DuckDBValue> = { ...values, ip };
  const counted = await db.runAndReadAll(`SELECT count(*)::INTEGER FROM ${table} WHERE ${where}`, all);
  if (Number(counted.getRows()[0]?.[0]) <= fewRows) return undefined;
  const twice = `SELECT event_uuid FROM ${table} WHERE ${where} AND event_uuid IS NOT NULL GROUP BY event_uuid HAVING count(*) > 1`;
  const paths = identityFields.map((field) => sqlText(`$.${field}`)).join(', ');
  const result = await db.stream(
    `SELECT json_extract(userIdentity, [${paths}]) AS who, CASE WHEN who[2] IS NULL THEN awsRegion END AS region,
      count(*)::INTEGER, epoch_ms(min(event_time)), epoch_ms(max(event_time)), list(DISTINCT coalesce(userAgent, '""')),
      list(DISTINCT CAST(epoch_ms(event_time) // ${slotMs} AS INTEGER)), list(DISTINCT [eventSource, eventName])
      FROM ${table} WHERE ${where} AND event_uuid IS NOT NULL AND event_uuid NOT IN (${twice}) GROUP BY ALL`,
    all,
  );
  const book = new AddressBook(ip);
  const door = new Door(ip);
  for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    for (const row of chunk.getRows()) addRow(book, door, row);
  }
  const once = createRecordIndex();
  for (const record of await question.read(`ip = $ip AND (event_uuid IS NULL OR event_uuid IN (${twice}))`)) {
    if (once.add(record)) book.addRecord(record);
  }
  const use = book.use();
  return eventsByUser(use).size > moreThan ? use : undefined;
}

/** Every text goes through the door that records go through, so that odd ones mean the same. Each is read once. */
class Door {
  readonly #ip: string;
  readonly #agents = new Map<string, string>();
  readonly #calls = new Map<string, string>();

  constructor(ip: string) {
    this.#ip = ip;
  }

  record(fields: Record<string, unknown>): CloudTrailRecord {
    const core = { eventID: '-', eventTime: '2026-01-01T00:00:00Z', eventSource: '-', eventName: '-' };
    const parsed = parseRecord({ ...core, sourceIPAddress: this.#ip, ...fields });
    if (!parsed.ok) throw new Error(`a row of the lake is damaged: ${parsed.reason}`);
    return parsed.record;
  }

  agent(text: DuckDBValue): string {
    return known(this.#agents, String(text), () => this.record({ userAgent: plainOf(text) }).userAgent);
  }

  call(pair: DuckDBValue): string {
    const [source = null, name = null] = itemsOf(pair);
    return known(this.#calls, `${source} ${name}`, () =>
      callOf(this.record({ eventSource: plainOf(source), eventName: plainOf(name) })),
    );
  }
}

function known(map: Map<string, string>, key: string, make: () => string): string {
  const had = map.get(key);
  if (had !== undefined) return had;
  const made = make();
  map.set(key, made);
  return made;
}

function addRow(book: AddressBook, door: Door, row: readonly DuckDBValue[]): void {
  const [who, region = null, events, first, last, agents, slots, calls] = row;
  const identity = itemsOf(who).flatMap((value, i) =>
    typeof value === 'string' ? [[identityFields[i] ?? '', plainOf(value)] as const] : [],
  );
  const named = itemsOf(agents).map((one) => door.agent(one));
  book.add({
    who: door.record({ userIdentity: Object.fromEntries(identity), awsRegion: plainOf(region) }),
    events: Number(events),
    first: timeText(first),
    last: timeText(last),
    agents: named.length === 0 ? [''] : named,
    slots: itemsOf(slots).map(Number),
    calls: itemsOf(calls).map((one) => door.call(one)),
  });
}

function itemsOf(value: DuckDBValue | undefined): readonly DuckDBValue[] {
  return typeof value === 'object' && value !== null && 'items' in value ? (value.items as readonly DuckDBValue[]) : [];
}

function plainOf(text: DuckDBValue): unknown {
  return typeof text === 'string' ? JSON.parse(text) : undefined;
}

function timeText(epochMs: DuckDBValue | undefined): string {
  return isoOf(Number(epochMs));
}
