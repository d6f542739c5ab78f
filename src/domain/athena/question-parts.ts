/** The pieces that the named questions are made of: kept to a scope, values as parameters. */
import type { AthenaScope, AthenaStatement } from '../../contracts/athena.ts';
import { withinSeconds } from '../network-groups.ts';
import { parseArn } from '../principal.ts';
import { instant, Parameters } from './literals.ts';
import { partitions, tableOf, trailScope } from './queries.ts';
import type { AthenaSettings } from './settings.ts';

export const maxRows = 10_000;

/** A principal by its ARN, by the role that issued it, or by its key. */
function byPrincipal(word: string, parameters: Parameters): string {
  if (parseArn(word) === undefined) return `useridentity.accesskeyid = ${parameters.add(word)}`;
  return `(useridentity.arn = ${parameters.add(word)} OR useridentity.sessioncontext.sessionissuer.arn = ${parameters.add(word)})`;
}

export function onTrail(
  title: string,
  select: string,
  where: (words: readonly string[], parameters: Parameters) => string,
  rest: string,
  unnest = '',
) {
  return (words: readonly string[], scope: AthenaScope, settings: AthenaSettings): AthenaStatement => {
    const parameters = new Parameters();
    return {
      title,
      sql: `SELECT ${select}
FROM ${tableOf(settings, 'cloudtrail')}${unnest}
WHERE ${trailScope(scope)}
  AND ${where(words, parameters)}
${rest}
LIMIT ${maxRows + 1}`,
      parameters: parameters.list,
      reads: { table: 'cloudtrail', scope },
      maxRows,
    };
  };
}

export const launched = `CROSS JOIN UNNEST(CAST(json_extract(responseelements, '$.instancesSet.items') AS ARRAY(JSON))) AS t(item)`;
export const launches = "eventsource = 'ec2.amazonaws.com' AND eventname = 'RunInstances' AND errorcode IS NULL";

/** Interfaces of the instances, every one of every instance of every launch. */
export function interfacesOf(
  words: readonly string[],
  scope: AthenaScope,
  settings: AthenaSettings,
  parameters: Parameters,
) {
  return `WITH launched AS (
  SELECT json_extract_scalar(item, '$.instanceId') AS instanceid, item
  FROM ${tableOf(settings, 'cloudtrail')} ${launched}
  WHERE ${trailScope(scope)}
  AND ${launches}
), interfaces AS (
  SELECT instanceid, json_extract_scalar(nic, '$.networkInterfaceId') AS interfaceid,
    json_extract_scalar(nic, '$.privateIpAddress') AS privateip, json_format(json_extract(nic, '$.ipv6AddressesSet')) AS ipv6
  FROM launched CROSS JOIN UNNEST(CAST(json_extract(item, '$.networkInterfaceSet.items') AS ARRAY(JSON))) AS n(nic)
  WHERE instanceid IN (${parameters.all(words)})
)`;
}

const insideOnly =
  "'^(10\\.|127\\.|169\\.254\\.|192\\.168\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.|100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\\.|f[cd]|fe80)'";

/** Partitions are whole days, and one more. */
export function flowTime({ from, to }: AthenaScope): string {
  return withinSeconds({ from: instant(from), to: instant(to) }, ['flow."start"', 'flow."end"']);
}

export function onFlows(title: string, select: string, where: string, rest: string) {
  return (words: readonly string[], scope: AthenaScope, settings: AthenaSettings): AthenaStatement => {
    const parameters = new Parameters();
    const sql = `${interfacesOf(words, scope, settings, parameters)}
SELECT ${select}
FROM ${tableOf(settings, 'flowLogs')} AS flow JOIN interfaces ON flow.interface_id = interfaces.interfaceid
WHERE ${partitions(scope)}
  AND ${flowTime(scope)}
  AND log_status = 'OK'${where}
${rest}
LIMIT ${maxRows + 1}`;
    // The interfaces come from CloudTrail.
    const reads = { table: 'flowLogs' as const, also: ['cloudtrail' as const], scope };
    return { title, sql, parameters: parameters.list, reads, maxRows };
  };
}

/** Leaving: from one of the instance's own addresses to one outside. */
export const leaving = ` AND (flow.srcaddr = interfaces.privateip OR strpos(interfaces.ipv6, concat('"', flow.srcaddr, '"')) > 0) AND NOT regexp_like(flow.dstaddr, ${insideOnly})`;
export const inResource = (words: readonly string[], parameters: Parameters) =>
  `eventsource = 'ec2.amazonaws.com' AND (${words
    .map(
      (word) =>
        `strpos(requestparameters, ${parameters.add(word)}) > 0 OR strpos(responseelements, ${parameters.add(word)}) > 0`,
    )
    .join(' OR ')})`;
export const one = (words: readonly string[], parameters: Parameters) => byPrincipal(words[0] ?? '', parameters);
