/** Rows of Athena as what they came from: CloudTrail records, flows, lookups. */
import type { DnsGroup, FlowGroup } from '../../contracts/network.ts';
import { addressesFirst, domainOf } from '../dns-log.ts';
import { isoOfSeconds } from '../network-groups.ts';
import { trailColumns } from './queries.ts';

type Cells = readonly (string | undefined)[];

/** CloudTrail's spelling of what Athena's table has in lower case. */
const spelling: Readonly<Record<string, string>> = Object.fromEntries(
  [
    'eventVersion userIdentity eventTime eventSource eventName awsRegion sourceIPAddress userAgent errorCode errorMessage',
    'requestParameters responseElements additionalEventData requestID eventID readOnly eventType apiVersion',
    'recipientAccountId serviceEventDetails sharedEventID vpcEndpointId vpcEndpointAccountId eventCategory',
    'sessionCredentialFromConsole tlsDetails principalId accountId invokedBy accessKeyId userName identityProvider',
    'credentialId onBehalfOf userId identityStoreArn inScopeOf sourceArn sourceAccount issuerType credentialsIssuedTo',
    'sessionContext mfaAuthenticated creationDate assumedRoot sessionIssuer ec2RoleDelivery sourceIdentity',
    'signInSessionArn webIdFederationData federatedProvider tlsVersion cipherSuite clientProvidedHostHeader',
  ]
    .join(' ')
    .split(' ')
    .map((name) => [name.toLowerCase(), name]),
);

/** Columns that hold JSON as text. */
const json: ReadonlySet<string> = new Set([
  'useridentity',
  'requestparameters',
  'responseelements',
  'additionaleventdata',
  'serviceeventdetails',
  'resources',
  'tlsdetails',
]);

/**
 * The record of a row of `trailColumns`, as one line of JSON in CloudTrail's own spelling. It goes through the same door as
 * every other record. Fields that were NULL are left out.
 */
export function recordLine(cells: Cells): string {
  const record: Record<string, unknown> = {};
  trailColumns.forEach((column, at) => {
    const cell = cells[at];
    if (cell === undefined) return;
    const value = json.has(column) ? valueIn(cell) : column === 'readonly' ? cell === 'true' : cell;
    const isStruct = column === 'useridentity' || column === 'tlsdetails';
    const own = isStruct ? spelled(value) : column === 'resources' ? resources(value) : value;
    if (own !== null && own !== undefined) record[spelling[column] ?? column] = own;
  });
  return JSON.stringify(record);
}

/** Text that is no JSON stays text: CloudTrail has both. */
function valueIn(cell: string): unknown {
  try {
    return JSON.parse(cell);
  } catch (error) {
    if (error instanceof SyntaxError) return cell;
    throw error;
  }
}

/** Keys of structs in CloudTrail's spelling; NULLs go. Attributes of a map (webIdFederationData) keep theirs. */
function spelled(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).flatMap(([key, inner]) => {
    const own = key === 'attributes' && !isSessionAttributes(inner) ? inner : spelled(inner);
    return own === null || own === undefined ? [] : [[spelling[key] ?? key, own] as const];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function isSessionAttributes(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('creationdate' in value || 'mfaauthenticated' in value);
}

function resources(value: unknown): unknown {
  if (!Array.isArray(value)) return undefined;
  const list = value.filter((one): one is Readonly<Record<string, unknown>> => typeof one === 'object' && one !== null);
  return list.map(({ arn, accountid, type }) => ({
    ...(typeof arn === 'string' ? { ARN: arn } : {}),
    ...(typeof accountid === 'string' ? { accountId: accountid } : {}),
    ...(typeof type === 'string' ? { type } : {}),
  }));
}

function cellsByName(columns: readonly string[], cells: Cells): (name: string) => string {
  return (name) => cells[columns.indexOf(name)] ?? '';
}

export function flowGroupOf(columns: readonly string[], cells: Cells): FlowGroup {
  const cell = cellsByName(columns, cells);
  return {
    srcaddr: cell('srcaddr'),
    dstaddr: cell('dstaddr'),
    srcVia: cell('srcvia'),
    dstVia: cell('dstvia'),
    port: Number(cell('port')),
    toPort: cell('toport') === 'true',
    protocol: Number(cell('protocol')),
    action: cell('action'),
    interfaceId: cell('interfaceid'),
    instanceId: cell('instanceid'),
    vpcId: cell('vpcid'),
    accountId: cell('accountid'),
    region: cell('region'),
    flows: Number(cell('flows')),
    packets: Number(cell('packets')),
    bytes: Number(cell('bytes')),
    firstSeen: isoOfSeconds(Number(cell('first'))),
    lastSeen: isoOfSeconds(Number(cell('last'))),
  };
}

export function dnsGroupOf(columns: readonly string[], cells: Cells): DnsGroup {
  const cell = cellsByName(columns, cells);
  const answers = valueIn(cell('answers') || '[]');
  return {
    queryName: domainOf(cell('queryname')),
    queryType: cell('querytype'),
    rcode: cell('rcode'),
    srcaddr: cell('srcaddr'),
    instanceId: cell('instanceid'),
    vpcId: cell('vpcid'),
    accountId: cell('accountid'),
    region: cell('region'),
    firewallRuleAction: cell('firewallruleaction'),
    answers: addressesFirst(
      (Array.isArray(answers) ? answers : []).flatMap((one: unknown) => {
        const rdata =
          typeof one === 'object' && one !== null
            ? Object.entries(one).find(([key]) => key.toLowerCase() === 'rdata')
            : undefined;
        return typeof rdata?.[1] === 'string' ? [rdata[1]] : [];
      }),
    ),
    times: Number(cell('times')),
    firstSeen: cell('firstseen'),
    lastSeen: cell('lastseen'),
  };
}
