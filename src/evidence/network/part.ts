/** Writes rows of one kind into Parquet, sorted so that a question reads few groups of rows. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { DnsRecord, FlowRecord } from '../../contracts/network.ts';
import { sqlText } from '../lake/columns.ts';
import { flush } from '../lake/pages.ts';
import type { NetworkFolder, NetworkKind, NetworkPage } from './pages.ts';

/** Columns are the fields of FlowRecord and DnsRecord. */
const columns: Readonly<Record<NetworkKind, Readonly<Record<string, string>>>> = {
  flows: {
    accountId: 'VARCHAR',
    region: 'VARCHAR',
    interfaceId: 'VARCHAR',
    instanceId: 'VARCHAR',
    vpcId: 'VARCHAR',
    srcaddr: 'VARCHAR',
    dstaddr: 'VARCHAR',
    pktSrcaddr: 'VARCHAR',
    pktDstaddr: 'VARCHAR',
    srcport: 'INTEGER',
    dstport: 'INTEGER',
    protocol: 'INTEGER',
    packets: 'DOUBLE',
    bytes: 'DOUBLE',
    start: 'BIGINT',
    end: 'BIGINT',
    action: 'VARCHAR',
  },
  dns: {
    accountId: 'VARCHAR',
    region: 'VARCHAR',
    vpcId: 'VARCHAR',
    queryTimestamp: 'VARCHAR',
    queryName: 'VARCHAR',
    queryType: 'VARCHAR',
    rcode: 'VARCHAR',
    answers: 'VARCHAR[]',
    srcaddr: 'VARCHAR',
    instanceId: 'VARCHAR',
    firewallRuleAction: 'VARCHAR',
  },
};
const order = { flows: 'srcaddr, dstaddr, start', dns: 'queryName, queryTimestamp' } as const;
const flushRows = 2000;

export class PartWriter {
  readonly #folder: NetworkFolder;
  readonly #name: string;
  readonly #kind: NetworkKind;
  readonly #parts: NetworkPage['parts'] = [];
  readonly #lines: string;
  #fd: number | undefined;
  #buffer: string[] = [];
  #accounts = new Set<string>();
  #regions = new Set<string>();
  /** Days by account and Region. */
  #held = new Map<string, Set<string>>();
  #lastPlace = '';
  #first = '';
  #last = '';
  /** Rows that are in no part yet. */
  waiting = 0;

  constructor(folder: NetworkFolder, name: string, kind: NetworkKind) {
    this.#folder = folder;
    this.#name = name;
    this.#kind = kind;
    this.#lines = join(folder.temp, `${name}.${kind}.ndjson`);
  }

  flow(flow: FlowRecord): void {
    this.#row(flow, new Date(Math.min(flow.start, 253_402_300_799) * 1000).toISOString());
  }

  dns(record: DnsRecord): void {
    this.#row(record, record.queryTimestamp);
  }

  #row(row: FlowRecord | DnsRecord, at: string): void {
    this.#buffer.push(`${JSON.stringify(row)}\n`);
    this.waiting += 1;
    if (row.accountId !== '') this.#accounts.add(row.accountId);
    if (row.region !== '') this.#regions.add(row.region);
    // Rows of one file are mostly of one place and day.
    const place = `${row.accountId}\n${row.region}`;
    const day = at.slice(0, 10);
    if (`${place}\n${day}` !== this.#lastPlace) {
      this.#lastPlace = `${place}\n${day}`;
      const days = this.#held.get(place);
      if (days) days.add(day);
      else this.#held.set(place, new Set([day]));
    }
    if (this.#first === '' || at < this.#first) this.#first = at;
    if (at > this.#last) this.#last = at;
    if (this.#buffer.length >= flushRows) this.#flush();
  }

  #flush(): void {
    if (this.#buffer.length === 0) return;
    this.#fd ??= openSync(this.#lines, 'wx', 0o600);
    const bytes = Buffer.from(this.#buffer.join(''));
    this.#buffer = [];
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
  }

  /** Makes a part of what is waiting, in the folder for what does not count yet. */
  async finish(): Promise<void> {
    if (this.waiting === 0) return;
    this.#flush();
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    const name = `${this.#name}-${this.#parts.length}.${this.#kind}.parquet`;
    const file = join(this.#folder.temp, name);
    const instance = await DuckDBInstance.create(':memory:', {
      threads: '2',
      memory_limit: '500MB',
      temp_directory: join(this.#folder.temp, 'duckdb'),
    });
    const db = await instance.connect();
    try {
      const shape = Object.entries(columns[this.#kind]).map(([column, type]) => `${sqlText(column)}: ${sqlText(type)}`);
      await db.run(`COPY (SELECT * FROM read_json(${sqlText(this.#lines)}, format = 'newline_delimited',
        columns = {${shape.join(', ')}}) ORDER BY ${order[this.#kind]})
        TO ${sqlText(file)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 50000)`);
    } finally {
      db.closeSync();
      instance.closeSync();
    }
    await flush(file);
    await rm(this.#lines, { force: true });
    this.#parts.push({
      ...{ name, kind: this.#kind, rows: this.waiting, bytes: (await stat(file)).size },
      ...{ first: this.#first, last: this.#last },
      ...{ accounts: [...this.#accounts].sort(), regions: [...this.#regions].sort() },
      held: [...this.#held].map(([place, days]) => {
        const [account = '', region = ''] = place.split('\n');
        return { account, region, days: [...days].sort() };
      }),
    });
    this.waiting = 0;
    [this.#first, this.#last] = ['', ''];
    [this.#accounts, this.#regions] = [new Set(), new Set()];
    [this.#held, this.#lastPlace] = [new Map(), ''];
  }

  async end(): Promise<NetworkPage['parts']> {
    await this.finish();
    return this.#parts;
  }

  async discard(): Promise<void> {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    await rm(this.#lines, { force: true });
  }
}
