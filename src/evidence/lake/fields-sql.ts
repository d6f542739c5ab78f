/**
 * How the value of a record's field is read in SQL. A shard holds what CloudTrail wrote, before `parseRecord` has tidied it,
 * so what the door would change is either done here too or left undecided: NULL.
 */
import { sqlText } from './columns.ts';

/** Values of a field in one row: three ways to ask for them, all in SQL. */
export interface FieldSql {
  /** NULL where SQL cannot tell the values that the door would make; the condition is undecided then. */
  readonly isReadable: string;
  /** True where the value lies under no array: then `one` is it, or NULL. */
  readonly isPlain: string;
  readonly one: string;
  /** All values, those in arrays each for itself. */
  readonly many: string;
}

/** Fields with a column of their own that hold text, and that the door empties where they hold no scalar or nothing. */
const words = new Set(['errorCode', 'errorMessage', 'sharedEventID', 'eventType', 'vpcEndpointId']);
const alwaysText = new Set(['awsRegion', 'sourceIPAddress', 'userAgent']);
const bodies = new Set(['requestParameters', 'responseElements', 'additionalEventData', 'serviceEventDetails']);
const asWritten = new Set([
  ...['eventVersion', 'apiVersion', 'managementEvent', 'vpcEndpointAccountId', 'eventCategory', 'addendum'],
  ...['sessionCredentialFromConsole', 'edgeDeviceDetails', 'tlsDetails', 'insightDetails', 'eventContext'],
]);
const identityWords = new Set([
  ...['type', 'principalId', 'arn', 'accessKeyId', 'userName', 'invokedBy', 'identityProvider', 'credentialId'],
]);

/** The field in the columns of a shard (columns.ts); undefined where SQL cannot read it at all. */
export function fieldSql(field: string): FieldSql | undefined {
  const found = columnSql(field);
  if (found === undefined || !field.includes('.')) return found;
  // A record may have the whole path as one key of its top level.
  const isSplit = `(extra IS NULL OR NOT contains(extra, ${sqlText(JSON.stringify(field))}))`;
  return { ...found, isReadable: found.isReadable === 'true' ? isSplit : `(${isSplit} AND ${found.isReadable})` };
}

function columnSql(field: string): FieldSql | undefined {
  const [top = '', ...path] = field.split('.');
  // The door renames this key, and other engines than JavaScript's have no other use for it.
  if (field.includes('__proto__')) return undefined;
  if (top === 'eventName' || top === 'eventSource') return scalar(path, `"${top}"`);
  if (top === 'eventID' || top === 'requestID') {
    const uuid = top === 'eventID' ? 'event_uuid' : 'request_uuid';
    return scalar(path, `CASE WHEN ${uuid} IS NULL THEN "${top}" ELSE '"' || CAST(${uuid} AS VARCHAR) || '"' END`);
  }
  if (words.has(top)) return scalar(path, filled(top));
  if (alwaysText.has(top)) return scalar(path, `coalesce(${scalarOnly(top)}, '""')`);
  if (top === 'recipientAccountId') return readable(scalar(path, filled(top)), `NOT ${isNumber(top)}`);
  if (top === 'readOnly') {
    const isBoolean = `(${top} IS NULL OR ${top} IN ('true', 'false', 'null'))`;
    return readable(scalar(path, `nullif(${top}, 'null')`), isBoolean);
  }
  if (top === 'userIdentity') return identity(path);
  if (bodies.has(top)) return inJson(top, path, `(${top} IS NULL OR ${top} = 'null' OR json_type(${top}) = 'OBJECT')`);
  if (top === 'resources') return path.length === 0 ? undefined : inJson(top, path, listOfObjects);
  if (asWritten.has(top)) return inJson(top, path, 'true');
  // Times are kept as times, and whatever else there is under its own name lies in one column.
  return top === 'eventTime' || top.startsWith('firebreak') ? undefined : inJson('extra', [top, ...path], 'true');
}

const listOfObjects = `(resources IS NULL OR resources = 'null' OR json_type(resources) = 'OBJECT' OR starts_with(resources, '[{') OR resources = '[]')`;

function isNumber(column: string): string {
  return `coalesce(regexp_matches(${column}, '^\\s*[-0-9]'), false)`;
}

/** NULL for objects and lists, and for null. */
function scalarOnly(column: string): string {
  return `CASE WHEN json_type(${column}) NOT IN ('OBJECT', 'ARRAY', 'NULL') THEN ${column} END`;
}

function filled(column: string): string {
  return `nullif(${scalarOnly(column)}, '""')`;
}

/** A column that holds one scalar, or NULL. It has nothing below it. */
function scalar(path: readonly string[], sql: string): FieldSql {
  const one = path.length === 0 ? sql : 'CAST(NULL AS VARCHAR)';
  return { isReadable: 'true', isPlain: 'true', one, many: `CAST([] AS VARCHAR[])` };
}

function readable(field: FieldSql, isReadable: string): FieldSql {
  return { ...field, isReadable };
}

function identity(path: readonly string[]): FieldSql | undefined {
  const [first = ''] = path;
  const isObject = `(userIdentity IS NOT NULL AND json_type(userIdentity) = 'OBJECT')`;
  // An identity that is missing becomes an empty one.
  if (first === '') return undefined;
  if (first === 'accountId')
    return inJson(
      'userIdentity',
      path,
      `${isObject} AND coalesce(json_type(userIdentity, '$."accountId"') = 'VARCHAR', true)`,
      true,
    );
  if (identityWords.has(first)) {
    const type = `json_type(userIdentity, ${sqlText(`$."${first}"`)})`;
    return inJson('userIdentity', path, `${isObject} AND coalesce(${type} NOT IN ('OBJECT', 'ARRAY'), true)`, true);
  }
  if (first === 'sessionContext' || first === 'onBehalfOf') {
    const inner = ['', '."sessionIssuer"', '."attributes"'].map(
      (below) =>
        `coalesce(json_type(userIdentity, ${sqlText(`$."${first}"${below}`)}) IN ('OBJECT'${below === '' ? ", 'NULL'" : ''}), true)`,
    );
    return inJson('userIdentity', path, `${isObject} AND ${inner.join(' AND ')}`);
  }
  return inJson('userIdentity', path, isObject);
}

/** A path below a column of JSON. `isWord`: empty text counts as missing. */
function inJson(column: string, path: readonly string[], isReadable: string, isWord = false): FieldSql {
  const empty = isWord ? `'""'` : `'null'`;
  const one = `nullif(nullif(${path.length === 0 ? column : extracted(column, path)}, 'null'), ${empty})`;
  const lists = path.length === 0 ? [flat(`[${column}]`)] : keyings(path).map((keys) => walked(column, keys));
  const many = lists.length === 1 ? (lists[0] ?? '') : `list_concat(${lists.join(', ')})`;
  // A key may be written with dots of its own, and lists may stand in lists: rare, so that all is read the long way then.
  const dotted = path
    .map((_key, at) => path.slice(at).join('.'))
    .filter((rest) => rest.includes('.'))
    .map((rest) => ` AND NOT contains(${column}, ${sqlText(`"${rest}"`)})`);
  return {
    isReadable: `(${column} IS NULL OR (${isReadable} AND NOT regexp_matches(${column}, '[\\[,]\\s*\\[')))`,
    isPlain: `(NOT contains(${column}, '[')${dotted.join('')}${dotted.length > 0 ? ` AND NOT contains(${column}, '\\u')` : ''})`,
    one,
    many,
  };
}

/** The path with its last keys joined by dots, in every way in which a record may have them. */
function keyings(path: readonly string[]): readonly (readonly string[])[] {
  return path.map((_key, at) => [...path.slice(0, at), path.slice(at).join('.')]).reverse();
}

function extracted(column: string, path: readonly string[]): string {
  return `CAST(json_extract(${column}, ${sqlText(`$${path.map(keyed).join('')}`)}) AS VARCHAR)`;
}

function walked(column: string, path: readonly string[]): string {
  return path.reduce(
    (list, key) =>
      flat(`list_filter(list_transform(${list}, lambda x: CAST(json_extract(x, ${sqlText(`$${keyed(key)}`)}) AS VARCHAR)),
        lambda x: x IS NOT NULL AND x <> 'null')`),
    flat(`[${column}]`),
  );
}

/** Elements of lists in the place of the lists, without nulls. */
function flat(list: string): string {
  return `list_filter(flatten(list_transform(${list}, lambda x: CASE WHEN starts_with(ltrim(x), '[')
    THEN CAST(json_extract(x, '$[*]') AS VARCHAR[]) ELSE [x] END)), lambda x: x <> 'null')`;
}

function keyed(key: string): string {
  return `."${key.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
