/** Flows and lookups from the network side of the lake, put together by DuckDB as domain/network-groups.ts does it. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Coverage } from '../../contracts/evidence.ts';
import type { Log } from '../../contracts/log.ts';
import type { DnsGroup, DnsQuestion, FlowGroup, FlowQuestion, NetworkLogs } from '../../contracts/network.ts';
import { isoOfSeconds, withinSeconds } from '../../domain/network-groups.ts';
import { isoOf } from '../../domain/window.ts';
import { sqlText } from '../lake/columns.ts';
import { lakeFolder } from '../lake/pages.ts';
import { openReader } from '../lake/reader.ts';
import { gapsIn, slackMs, kindNames as what } from './gaps.ts';
import { type NetworkKind, type NetworkPage, networkFolder, readNetworkPages } from './pages.ts';

export interface LakeNetworkOptions {
  readonly dataDir: string;
  /** ISO 8601 UTC, half-open. */
  readonly window: { readonly from: string; readonly to: string };
  readonly accounts?: readonly string[] | undefined;
  readonly regions?: readonly string[] | undefined;
  /** Groups of an answer. */
  readonly maxGroups: number;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export function openLakeNetwork(options: LakeNetworkOptions): NetworkLogs {
  return {
    async flows(question) {
      const told = await ask('flows', flowSql(question, options), options);
      return { groups: told.rows.map(flowGroup), coverage: told.coverage };
    },
    async lookups(question) {
      const told = await ask('dns', dnsSql(question, options), options);
      return { groups: told.rows.map(dnsGroup), coverage: told.coverage };
    },
  };
}

type Row = Readonly<Record<string, unknown>>;

async function ask(kind: NetworkKind, sql: (tables: string) => string, options: LakeNetworkOptions) {
  const folder = networkFolder(options.dataDir);
  const { pages, damaged } = await readNetworkPages(folder);
  const lost = [...damaged];
  const paths: string[] = [];
  const wanted = pages.flatMap((page) => page.parts).filter((part) => part.kind === kind && overlaps(part, options));
  for (const part of wanted) {
    const path = join(folder.parts, part.name);
    const size = await stat(path).then(
      (found) => found.size,
      (error: NodeJS.ErrnoException) => {
        if (error.code === undefined) throw error;
        return -1;
      },
    );
    if (size === part.bytes) paths.push(path);
    else lost.push(path);
  }
  const reader = await openReader(
    { ...lakeFolder(options.dataDir), shards: folder.parts },
    paths.map((path) => ({ path, filters: undefined })),
  );
  let rows: readonly Row[] = [];
  let failure: string | undefined;
  try {
    if (reader.connection) rows = await query(reader.connection, sql(paths.map(sqlText).join(', ')), options.signal);
  } catch (error) {
    options.signal.throwIfAborted();
    failure = (error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, 200) ?? '';
    options.log.error({ error: failure }, 'the network side of the lake could not be asked');
  } finally {
    reader.close();
  }
  const truncated = rows.length > options.maxGroups;
  const coverage = coverageOf(kind, { pages, lost, parts: wanted, truncated, failure, rows }, options);
  return { rows: rows.slice(0, options.maxGroups), coverage };
}

async function query(connection: DuckDBConnection, sql: string, signal: AbortSignal): Promise<readonly Row[]> {
  signal.throwIfAborted();
  const interrupt = () => connection.interrupt();
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJS();
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
}

function overlaps(part: { first: string; last: string }, { window }: LakeNetworkOptions): boolean {
  // `last` is where the last interval began.
  return Date.parse(part.first) < Date.parse(window.to) && Date.parse(part.last) + slackMs >= Date.parse(window.from);
}

function list(values: readonly string[]): string {
  return values.length === 0 ? 'NULL' : values.map(sqlText).join(', ');
}

function places({ accounts, regions }: LakeNetworkOptions): string {
  return [
    ...(accounts ? [`(accountId = '' OR accountId IN (${list(accounts)}))`] : []),
    ...(regions ? [`(region = '' OR region IN (${list(regions)}))`] : []),
  ]
    .map((condition) => ` AND ${condition}`)
    .join('');
}

/** Copies of a line go, as flowIdentity in domain/network-groups.ts has it; a number of its own keeps what may be alike without being one. */
const mayRepeat = `CASE WHEN interfaceId = '' OR protocol = 0 OR (protocol IN (6, 17) AND srcport = 0 AND dstport = 0)
  THEN row_number() OVER () ELSE 0 END`;

function via(packet: string, own: string): string {
  return `CASE WHEN coalesce(nullif(${packet}, ''), ${own}) = ${own} THEN '' ELSE ${own} END`;
}

function flowSql({ addresses, interfaces, instances }: FlowQuestion, options: LakeNetworkOptions) {
  const some = list(addresses);
  return (tables: string) => `SELECT coalesce(nullif(pktSrcaddr, ''), srcaddr) AS srcaddr,
      coalesce(nullif(pktDstaddr, ''), dstaddr) AS dstaddr, ${via('pktSrcaddr', 'srcaddr')} AS srcVia, ${via('pktDstaddr', 'dstaddr')} AS dstVia, least(srcport, dstport) AS port, dstport <= srcport AS toPort,
      protocol, action, interfaceId, instanceId, vpcId, accountId, region, count(*)::DOUBLE AS flows, sum(packets) AS packets,
      sum(bytes) AS bytes, min("start")::DOUBLE AS first, max(greatest("start", "end"))::DOUBLE AS last
    FROM (SELECT DISTINCT *, ${mayRepeat} AS at FROM read_parquet([${tables}]) AS flow
    WHERE ${withinSeconds(options.window)}${places(options)}
      AND (flow.srcaddr IN (${some}) OR flow.dstaddr IN (${some}) OR pktSrcaddr IN (${some}) OR pktDstaddr IN (${some})
        OR interfaceId IN (${list(interfaces)}) OR instanceId IN (${list(instances)})))
    GROUP BY ALL ORDER BY bytes DESC LIMIT ${options.maxGroups + 1}`;
}

function dnsSql({ addresses, instances, vpcs, domains }: DnsQuestion, options: LakeNetworkOptions) {
  const names = domains.flatMap((one) => [
    `queryName = ${sqlText(one)}`,
    `ends_with(queryName, ${sqlText(`.${one}`)})`,
  ]);
  const time = (at: string) => sqlText(isoOf(Date.parse(at)));
  return (tables: string) => `SELECT queryName, queryType, rcode, srcaddr, instanceId, vpcId, accountId, region,
      firewallRuleAction, to_json(any_value(answers))::VARCHAR AS answers, count(*)::DOUBLE AS times,
      min(queryTimestamp) AS firstSeen, max(queryTimestamp) AS lastSeen
    FROM read_parquet([${tables}])
    WHERE queryTimestamp >= ${time(options.window.from)} AND queryTimestamp < ${time(options.window.to)}${places(options)}
      AND (srcaddr IN (${list(addresses)}) OR instanceId IN (${list(instances)}) OR vpcId IN (${list(vpcs)})
        ${names.map((name) => `OR ${name}`).join(' ')})
    GROUP BY queryName, queryType, rcode, srcaddr, instanceId, vpcId, accountId, region, firewallRuleAction
    ORDER BY times DESC LIMIT ${options.maxGroups + 1}`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A row of either SQL, whatever asked: times are seconds since the epoch, numbers may be text. */
function flowGroup(row: Row): FlowGroup {
  return {
    srcaddr: text(row.srcaddr),
    dstaddr: text(row.dstaddr),
    srcVia: text(row.srcVia),
    dstVia: text(row.dstVia),
    port: Number(row.port),
    toPort: row.toPort === true,
    protocol: Number(row.protocol),
    action: text(row.action),
    interfaceId: text(row.interfaceId),
    instanceId: text(row.instanceId),
    vpcId: text(row.vpcId),
    accountId: text(row.accountId),
    region: text(row.region),
    flows: Number(row.flows),
    packets: Number(row.packets),
    bytes: Number(row.bytes),
    firstSeen: isoOfSeconds(Number(row.first)),
    lastSeen: isoOfSeconds(Number(row.last)),
  };
}

function dnsGroup(row: Row): DnsGroup {
  const answers: unknown = JSON.parse(text(row.answers) || '[]');
  return {
    queryName: text(row.queryName),
    queryType: text(row.queryType),
    rcode: text(row.rcode),
    srcaddr: text(row.srcaddr),
    instanceId: text(row.instanceId),
    vpcId: text(row.vpcId),
    accountId: text(row.accountId),
    region: text(row.region),
    firewallRuleAction: text(row.firewallRuleAction),
    answers: Array.isArray(answers) ? answers.filter((one) => typeof one === 'string') : [],
    times: Number(row.times),
    firstSeen: text(row.firstSeen),
    lastSeen: text(row.lastSeen),
  };
}

interface Told {
  readonly pages: readonly NetworkPage[];
  readonly lost: readonly string[];
  readonly parts: NetworkPage['parts'];
  readonly truncated: boolean;
  readonly failure: string | undefined;
  readonly rows: readonly Row[];
}

function coverageOf(
  kind: NetworkKind,
  { pages, lost, parts, truncated, failure, rows }: Told,
  { window, accounts, regions, maxGroups }: LakeNetworkOptions,
): Coverage {
  const gaps = gapsIn(kind, pages, { window, accounts, regions });
  const files = pages.flatMap((page) => page.files).filter((file) => file.kinds.includes(kind));
  const bad = files.flatMap(({ path, problem }) => (problem === undefined ? [] : [{ path, reason: problem }]));
  const skipped = files.reduce((sum, file) => sum + (kind === 'flows' ? file.skipped : 0), 0);
  const failed = failure !== undefined || lost.length > 0;
  const events = rows.reduce((sum, row) => sum + Number(row.flows ?? row.times ?? 0), 0);
  const distinct = (pick: (part: NetworkPage['parts'][number]) => readonly string[]) =>
    [...new Set(parts.flatMap(pick))].sort();
  const reason = failure ?? (truncated ? `stopped at ${maxGroups} groups` : undefined);
  return {
    complete: !failed && !truncated && gaps.length === 0 && bad.length === 0 && skipped === 0,
    accounts: distinct((part) => part.accounts),
    regions: distinct((part) => part.regions),
    ...window,
    sources: [
      {
        name: `${what[kind]} of the lake`,
        events,
        pages: parts.length,
        truncated,
        failed,
        ...(reason === undefined ? {} : { reason }),
      },
    ],
    badFiles: bad,
    notLookedAt: [
      ...gaps,
      ...lost.map((path) => `${path}: damaged or gone, import again`),
      ...(truncated ? [`groups after the first ${maxGroups}`] : []),
      ...(skipped > 0 ? [`${skipped} intervals that AWS itself could not record in full (SKIPDATA)`] : []),
    ],
  };
}
