/** The statements behind the sources: one pass over CloudTrail, flows and lookups put together. */
import type { AthenaScope, AthenaStatement } from '../../contracts/athena.ts';
import { UserError } from '../../contracts/errors.ts';
import type { DnsQuestion, FlowQuestion } from '../../contracts/network.ts';
import { withinSeconds } from '../network-groups.ts';
import { flowColumns } from './ddl.ts';
import { accountList, dayOf, instant, Parameters, regionList, vpcList } from './literals.ts';
import type { AthenaSettings, AthenaTable } from './settings.ts';

const dayMs = 86_400_000;

/** `database.table`. Throws UserError where the config names none. */
export function tableOf(settings: AthenaSettings, table: AthenaTable): string {
  const name = settings.tables[table];
  if (name === undefined) throw new UserError(`athena.tables.${table} is not set in the config.`);
  return `${settings.database}.${name}`;
}

/** Partitions of account, Region and day. Files of late evening lie in the next day's folder, so that one is read too. */
export function partitions({ accounts, regions, from, to }: AthenaScope): string {
  const last = new Date(Date.parse(instant(to)) + dayMs).toISOString();
  return `account IN (${accountList(accounts)}) AND region IN (${regionList(regions)})
  AND "day" BETWEEN '${dayOf(from)}' AND '${dayOf(last)}'`;
}

/** As `partitions`, and the exact time of CloudTrail records. */
export function trailScope(scope: AthenaScope): string {
  return `${partitions(scope)}
  AND eventtime >= '${instant(scope.from)}' AND eventtime < '${instant(scope.to)}'`;
}

/** Columns of a CloudTrail row, in this order; structs come as JSON text. */
export const trailColumns = [
  'eventversion',
  'useridentity',
  'eventtime',
  'eventsource',
  'eventname',
  'awsregion',
  'sourceipaddress',
  'useragent',
  'errorcode',
  'errormessage',
  'requestparameters',
  'responseelements',
  'additionaleventdata',
  'requestid',
  'eventid',
  'readonly',
  'resources',
  'eventtype',
  'apiversion',
  'recipientaccountid',
  'serviceeventdetails',
  'sharedeventid',
  'vpcendpointid',
  'vpcendpointaccountid',
  'eventcategory',
  'sessioncredentialfromconsole',
  'tlsdetails',
] as const;
const structs: ReadonlySet<string> = new Set(['useridentity', 'resources', 'tlsdetails']);

/** `trailColumns` as the columns of a query over the table. */
export function trailPicks(): string {
  return trailColumns
    .map((column) => (structs.has(column) ? `json_format(CAST(${column} AS JSON)) AS ${column}` : column))
    .join(', ');
}

/**
 * Everything in the scope, oldest first, so that an answer that is cut is whole up to where it was cut. Asked once; what
 * follows from it is asked of the lake.
 */
export function trailPass(settings: AthenaSettings, scope: AthenaScope, maxRows: number): AthenaStatement {
  return {
    title: 'all CloudTrail records of the window',
    sql: `SELECT ${trailPicks()}
FROM ${tableOf(settings, 'cloudtrail')}
WHERE ${trailScope(scope)}
ORDER BY eventtime
LIMIT ${maxRows + 1}`,
    parameters: [],
    reads: { table: 'cloudtrail', scope },
    maxRows,
  };
}

/**
 * Flows put together as domain/network-groups.ts does it. Fields that the log format of the config leaves out are empty or 0; intervals that AWS
 * skipped come as rows of their own, `isskipped`, and so do all other lines, one row for each account and Region that has any: where there is none,
 * nothing was looked at. Throws UserError where the format has no addresses or times.
 */
export function flowStatement(
  settings: AthenaSettings,
  scope: AthenaScope,
  { addresses, interfaces, instances }: FlowQuestion,
  maxRows: number,
): AthenaStatement {
  const has = new Set(flowColumns(settings).map(([name]) => name));
  const either = (...names: readonly string[]) => names.filter((name) => has.has(name));
  const sources = either('pkt_srcaddr', 'srcaddr');
  const targets = either('pkt_dstaddr', 'dstaddr');
  if (sources.length === 0 || targets.length === 0 || !has.has('start'))
    throw new UserError(
      'The flow logs in Athena cannot be asked: athena.flowLogFields lacks srcaddr, dstaddr or start.',
      'Flow logs without them do not tell who talked to whom and when.',
    );
  const first = (names: readonly string[]) =>
    names.length > 1 ? `coalesce(nullif(${names[0]}, '-'), ${names[1]})` : (names[0] ?? '');
  const via = (names: readonly string[]) =>
    names.length > 1 ? `CASE WHEN nullif(${names[0]}, '-') <> ${names[1]} THEN ${names[1]} ELSE '' END` : "''";
  const or = (name: string, otherwise: string) => (has.has(name) ? name : otherwise);
  const [srcport, dstport] = [or('srcport', '0'), or('dstport', '0')];
  const word = (name: string) => (has.has(name) ? `coalesce(nullif(${name}, '-'), '')` : "''");
  const wanted = (value: string, name: string, otherwise = "''") =>
    `CASE WHEN iswanted THEN ${value} ELSE ${otherwise} END AS ${name}`;
  const parameters = new Parameters();
  const any = [
    ...(addresses.length > 0
      ? [...sources, ...targets].sort().map((column) => `${column} IN (${parameters.all(addresses)})`)
      : []),
    ...(interfaces.length > 0 && has.has('interface_id') ? [`interface_id IN (${parameters.all(interfaces)})`] : []),
    ...(instances.length > 0 && has.has('instance_id') ? [`instance_id IN (${parameters.all(instances)})`] : []),
  ];
  const asked = any.length === 0 ? 'false' : any.join(' OR ');
  const isSkipped = has.has('log_status') ? "log_status = 'SKIPDATA'" : 'false';
  const isWanted = has.has('log_status') ? `(log_status = 'OK' AND (${asked}))` : `(${asked})`;
  const span = { from: instant(scope.from), to: instant(scope.to) };
  const picks = [
    wanted(first(sources), 'srcaddr'),
    wanted(first(targets), 'dstaddr'),
    wanted(via(sources), 'srcvia'),
    wanted(via(targets), 'dstvia'),
    wanted(`least(${srcport}, ${dstport})`, 'port', '0'),
    wanted(`${dstport} <= ${srcport}`, 'toport', 'false'),
    wanted(or('protocol', '0'), 'protocol', '0'),
    wanted(or('action', "''"), 'action'),
    wanted(or('interface_id', or('tgw_attachment_id', "''")), 'interfaceid'),
    wanted(word('instance_id'), 'instanceid'),
    wanted(word('vpc_id'), 'vpcid'),
    wanted(or('packets', '0'), 'packets', '0'),
    wanted(or('bytes', '0'), 'bytes', '0'),
  ];
  return {
    title: 'flows of what was asked about',
    sql: `SELECT srcaddr, dstaddr, srcvia, dstvia, port, toport, protocol, action, interfaceid, instanceid, vpcid, account AS accountid, region,
  isskipped, iswanted, count(*) AS flows, sum(packets) AS packets, sum(bytes) AS bytes, min("start") AS first, max(last) AS last
FROM (SELECT ${picks.join(',\n    ')},
    account, region, isskipped, iswanted, "start", ${has.has('end') ? 'greatest("start", "end")' : '"start"'} AS last
  FROM (SELECT *, coalesce(${isSkipped}, false) AS isskipped, coalesce(${isWanted}, false) AS iswanted
    FROM ${tableOf(settings, 'flowLogs')}
    WHERE ${partitions(scope)}
    AND ${withinSeconds(span, has.has('end') ? undefined : ['"start"'])}))
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
ORDER BY iswanted, bytes DESC
LIMIT ${maxRows + 1}`,
    parameters: parameters.list,
    reads: { table: 'flowLogs', scope },
    maxRows,
  };
}

/** Account, Region and exact time of query logs, and the partitions of VPC and day where the table has such. */
function dnsScope(settings: AthenaSettings, { accounts, regions, from, to }: AthenaScope): string {
  const last = new Date(Date.parse(instant(to)) + dayMs).toISOString();
  const byVpc =
    settings.dnsVpcs.length > 0
      ? `\n  AND vpc IN (${vpcList(settings.dnsVpcs)}) AND "day" BETWEEN '${dayOf(from)}' AND '${dayOf(last)}'`
      : '';
  return `account IN (${accountList(accounts)}) AND region IN (${regionList(regions)})${byVpc}
  AND query_timestamp >= '${instant(from)}' AND query_timestamp < '${instant(to)}'`;
}

/** Of gzipped files, a few of which are opened side by side before the first line ends them all. */
const firstLineBytes = 50_000_000;

/**
 * One row for each account that has anything in the scope. It ends at the first line of each, so that it reads little where there is
 * much. At most 50 accounts: Trino has a limit of 150 stages (https://trino.io/docs/current/admin/properties-query-management.html).
 */
export function heardStatement(settings: AthenaSettings, table: AthenaTable, scope: AthenaScope): AthenaStatement {
  const hasEnd = flowColumns(settings).some(([name]) => name === 'end');
  const flowScope = (own: AthenaScope) => {
    const span = { from: instant(own.from), to: instant(own.to) };
    return `${partitions(own)}\n  AND ${withinSeconds(span, hasEnd ? undefined : ['"start"'])}`;
  };
  const within = { cloudtrail: trailScope, flowLogs: flowScope, dns: (own: AthenaScope) => dnsScope(settings, own) };
  const one = (account: string) =>
    `SELECT account FROM (SELECT account FROM ${tableOf(settings, table)}\nWHERE ${within[table]({ ...scope, accounts: [account] })}\nLIMIT 1)`;
  return {
    title: 'which accounts have any logs',
    sql: scope.accounts.map(one).join('\nUNION ALL\n'),
    parameters: [],
    reads: { table, scope },
    maxRows: scope.accounts.length,
    fewBytes: scope.accounts.length * firstLineBytes,
  };
}

/** Lookups put together. Names in the logs end in a dot. */
export function dnsStatement(
  settings: AthenaSettings,
  scope: AthenaScope,
  { addresses, instances, vpcs, domains }: DnsQuestion,
  maxRows: number,
): AthenaStatement {
  const parameters = new Parameters();
  const any = [
    ...(addresses.length > 0 ? [`srcaddr IN (${parameters.all(addresses)})`] : []),
    ...(instances.length > 0 ? [`srcids.instance IN (${parameters.all(instances)})`] : []),
    ...(vpcs.length > 0 ? [`vpc_id IN (${parameters.all(vpcs)})`] : []),
    ...domains.map((domain) => {
      // No LIKE: its wildcards are letters of domain names.
      const ending = `.${domain}.`;
      return `(lower(query_name) = ${parameters.add(`${domain}.`)} OR substr(lower(query_name), -${ending.length}) = ${parameters.add(ending)})`;
    }),
  ];
  return {
    title: 'names that were looked up',
    sql: `SELECT lower(query_name) AS queryname, query_type AS querytype, rcode, srcaddr,
  coalesce(srcids.instance, '') AS instanceid, vpc_id AS vpcid, account_id AS accountid, region,
  coalesce(firewall_rule_action, '') AS firewallruleaction, max(json_format(CAST(answers AS JSON))) AS answers,
  count(*) AS times, min(query_timestamp) AS firstseen, max(query_timestamp) AS lastseen
FROM ${tableOf(settings, 'dns')}
WHERE ${dnsScope(settings, scope)}
  AND (${any.length === 0 ? 'false' : any.join(' OR ')})
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
ORDER BY times DESC
LIMIT ${maxRows + 1}`,
    parameters: parameters.list,
    reads: { table: 'dns', scope },
    maxRows,
  };
}
