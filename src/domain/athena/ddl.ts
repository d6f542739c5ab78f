/** CREATE TABLE statements for the logs that Firebreak asks, with partition projection (DOMAIN.md 3.9). */
import { UserError } from '../../contracts/errors.ts';
import { flowFields } from '../flow-log.ts';
import { regionList, vpcList } from './literals.ts';
import { type AthenaSettings, type AthenaTable, athenaTables } from './settings.ts';

/** Numbers in flow logs; everything else is text. */
const numbers: Readonly<Record<string, string>> = {
  version: 'int',
  srcport: 'int',
  dstport: 'int',
  protocol: 'bigint',
  packets: 'bigint',
  bytes: 'bigint',
  start: 'bigint',
  end: 'bigint',
  'tcp-flags': 'int',
  'traffic-path': 'int',
};
const defaultFlowFields = flowFields.slice(0, 14);

/** Columns of the flow log table, in the order of the log format. `region` is the name of a partition already. */
export function flowColumns({
  flowLogFields,
}: Pick<AthenaSettings, 'flowLogFields'>): readonly (readonly [string, string])[] {
  return (flowLogFields ?? defaultFlowFields).map((field) => {
    const name = field.replaceAll('-', '_');
    return [name === 'region' ? 'flow_region' : name, numbers[field] ?? 'string'] as const;
  });
}

/**
 * The statements for every table that the config names. `regions`: the enabled ones, for the partitions.
 * Throws UserError where a location is missing.
 */
export function ddlOf(
  settings: AthenaSettings,
  regions: readonly string[],
): readonly { table: AthenaTable; sql: string }[] {
  return athenaTables.flatMap((table) => {
    const name = settings.tables[table];
    if (name === undefined) return [];
    const location = settings.locations[table];
    if (location === undefined)
      throw new UserError(
        `athena.locations.${table} is not set.`,
        'It is the folder that holds AWSLogs/: s3://bucket or s3://bucket/prefix.',
      );
    const sql = { cloudtrail: cloudTrailDdl, flowLogs: flowDdl, dns: dnsDdl }[table](settings, name, location, regions);
    return [{ table, sql }];
  });
}

/** Days that have partitions; the range ends with the day on which it is asked. */
function days({ firstDay }: AthenaSettings): string {
  return `  'projection.day.type' = 'date',
  'projection.day.format' = 'yyyy/MM/dd',
  'projection.day.range' = '${firstDay.replaceAll('-', '/')},NOW',
  'projection.day.interval' = '1',
  'projection.day.interval.unit' = 'DAYS'`;
}

function regionValues(regions: readonly string[]): string {
  return regionList(regions).replaceAll("'", '').replaceAll(' ', '');
}

function placed(settings: AthenaSettings, regions: readonly string[], template: string): string {
  return `TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.account.type' = 'injected',
  'projection.region.type' = 'enum',
  'projection.region.values' = '${regionValues(regions)}',
${days(settings)},
  'storage.location.template' = '${template}')`;
}

/** The folder above the accounts: with the organisation's id where the trail is one of an organisation. */
export function trailRoot({ organizationId }: Pick<AthenaSettings, 'organizationId'>, location: string): string {
  return `${location}/AWSLogs/${organizationId === undefined ? '' : `${organizationId}/`}`;
}

function cloudTrailDdl(settings: AthenaSettings, name: string, location: string, regions: readonly string[]): string {
  const root = trailRoot(settings, location);
  return `CREATE EXTERNAL TABLE IF NOT EXISTS ${settings.database}.${name} (
  eventversion string,
  useridentity struct<type:string, principalid:string, arn:string, accountid:string, invokedby:string, accesskeyid:string,
    username:string, identityprovider:string, credentialid:string,
    onbehalfof:struct<userid:string, identitystorearn:string>,
    inscopeof:struct<sourcearn:string, sourceaccount:string, issuertype:string, credentialsissuedto:string>,
    sessioncontext:struct<attributes:struct<mfaauthenticated:string, creationdate:string, assumedroot:string>,
      sessionissuer:struct<type:string, principalid:string, arn:string, accountid:string, username:string>,
      ec2roledelivery:string, sourceidentity:string, signinsessionarn:string,
      webidfederationdata:struct<federatedprovider:string, attributes:map<string,string>>>>,
  eventtime string, eventsource string, eventname string, awsregion string, sourceipaddress string, useragent string,
  errorcode string, errormessage string, requestparameters string, responseelements string, additionaleventdata string,
  requestid string, eventid string, readonly string,
  resources array<struct<arn:string, accountid:string, type:string>>,
  eventtype string, apiversion string, recipientaccountid string, serviceeventdetails string, sharedeventid string,
  vpcendpointid string, vpcendpointaccountid string, eventcategory string, sessioncredentialfromconsole string,
  tlsdetails struct<tlsversion:string, ciphersuite:string, clientprovidedhostheader:string>)
PARTITIONED BY (account string, region string, \`day\` string)
ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION '${root}'
${placed(settings, regions, `${root}\${account}/CloudTrail/\${region}/\${day}`)}`;
}

function flowDdl(settings: AthenaSettings, name: string, location: string, regions: readonly string[]): string {
  const columns = flowColumns(settings).map(([column, type]) => `  \`${column}\` ${type}`);
  const root = `${location}/AWSLogs/`;
  return `CREATE EXTERNAL TABLE IF NOT EXISTS ${settings.database}.${name} (
${columns.join(',\n')})
PARTITIONED BY (account string, region string, \`day\` string)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ' '
LOCATION '${root}'
${placed(settings, regions, `${root}\${account}/vpcflowlogs/\${region}/\${day}`).replace('TBLPROPERTIES (', "TBLPROPERTIES (\n  'skip.header.line.count' = '1',")}`;
}

function dnsDdl(settings: AthenaSettings, name: string, location: string): string {
  const root = `${location}/AWSLogs/`;
  const byVpc = settings.dnsVpcs.length > 0;
  const partitions = byVpc ? 'account string, vpc string, `day` string' : 'account string';
  const projection = byVpc
    ? `  'projection.vpc.type' = 'enum',
  'projection.vpc.values' = '${vpcList(settings.dnsVpcs).replaceAll("'", '').replaceAll(' ', '')}',
${days(settings)},
  'storage.location.template' = '${root}\${account}/vpcdnsquerylogs/\${vpc}/\${day}')`
    : `  'storage.location.template' = '${root}\${account}/vpcdnsquerylogs/')`;
  return `CREATE EXTERNAL TABLE IF NOT EXISTS ${settings.database}.${name} (
  version string, account_id string, region string, vpc_id string, query_timestamp string, query_name string,
  query_type string, query_class string, rcode string, answers array<struct<rdata:string, type:string, class:string>>,
  srcaddr string, srcport string, transport string, srcids struct<instance:string, resolver_endpoint:string>,
  firewall_rule_action string)
PARTITIONED BY (${partitions})
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION '${root}'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.account.type' = 'injected',
${projection}`;
}
