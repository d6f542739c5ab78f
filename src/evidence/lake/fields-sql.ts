/**
 * How the value of a record's field is read in SQL. A shard holds what CloudTrail wrote, before `parseRecord` has tidied it,
 * so what the door would change is either done here too or left undecided.
 */
import { sqlText } from './columns.ts';

/** A field that lies in the JSON of a column, or is all of it. */
export interface FieldSql {
  /** The column, or what stands for it, as SQL that gives JSON. */
  readonly json: string;
  /** Keys below it; empty: the whole. */
  readonly path: readonly string[];
  /** Conditions on the row under which SQL sees the values that the door would make; all others are undecided. */
  readonly guards: readonly string[];
  /** The same for the value itself. */
  guardsValue(value: string): string | undefined;
  /** Empty text counts as missing. */
  readonly isWord: boolean;
  /** A single scalar by nature: no lists, nothing below. */
  readonly isScalar: boolean;
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
  // The door renames this key, and other engines than JavaScript's have no other use for it.
  const found = field.includes('__proto__') ? undefined : columnSql(field);
  if (found === undefined || !field.includes('.')) return found;
  // A record may have the whole path as one key of its top level.
  const isSplit = `(extra IS NULL OR NOT contains(extra, ${sqlText(JSON.stringify(field))}))`;
  return { ...found, guards: [isSplit, ...found.guards] };
}

function columnSql(field: string): FieldSql | undefined {
  const [top = '', ...path] = field.split('.');
  if (top === 'eventName' || top === 'eventSource') return scalar(path, `"${top}"`);
  if (top === 'eventID' || top === 'requestID') {
    const uuid = top === 'eventID' ? 'event_uuid' : 'request_uuid';
    return scalar(path, `CASE WHEN ${uuid} IS NULL THEN "${top}" ELSE '"' || CAST(${uuid} AS VARCHAR) || '"' END`);
  }
  if (words.has(top)) return { ...scalar(path, scalarOnly(top)), isWord: true };
  if (alwaysText.has(top)) return scalar(path, `coalesce(${scalarOnly(top)}, '""')`);
  if (top === 'recipientAccountId') {
    const isNumber = `coalesce(regexp_matches(${top}, '^[-0-9]'), false)`;
    return { ...scalar(path, scalarOnly(top)), isWord: true, guards: [`NOT ${isNumber}`] };
  }
  if (top === 'readOnly') {
    const isBoolean = `(${top} IS NULL OR ${top} IN ('true', 'false', 'null'))`;
    return { ...scalar(path, top), guards: [isBoolean] };
  }
  if (top === 'userIdentity') return identity(path);
  if (bodies.has(top)) return inJson(top, path, [`(${top} IS NULL OR ${top} = 'null' OR starts_with(${top}, '{'))`]);
  if (top === 'resources') return path.length === 0 ? undefined : inJson(top, path, [listOfObjects]);
  if (asWritten.has(top)) return inJson(top, path, []);
  // Times are kept as times, and whatever else there is under its own name lies in one column.
  return top === 'eventTime' || top.startsWith('firebreak') ? undefined : inJson('extra', [top, ...path], []);
}

const listOfObjects = `(resources IS NULL OR resources IN ('null', '[]') OR starts_with(resources, '{') OR starts_with(resources, '[{'))`;

/** NULL for objects, lists and null. */
function scalarOnly(column: string): string {
  return `CASE WHEN NOT regexp_matches(${column}, '^[\\[{n]') THEN ${column} END`;
}

/** A column that holds one scalar, or NULL. It has nothing below it. */
function scalar(path: readonly string[], json: string): FieldSql {
  const one = path.length === 0 ? json : 'CAST(NULL AS VARCHAR)';
  return { json: one, path: [], guards: [], guardsValue: () => undefined, isWord: false, isScalar: true };
}

function inJson(json: string, path: readonly string[], guards: readonly string[]): FieldSql {
  return { json, path, guards, guardsValue: () => undefined, isWord: false, isScalar: false };
}

function identity(path: readonly string[]): FieldSql | undefined {
  const [first = ''] = path;
  // An identity that is missing becomes an empty one.
  if (first === '') return undefined;
  const found = inJson('userIdentity', path, [`coalesce(starts_with(userIdentity, '{'), false)`]);
  if (first === 'accountId') {
    if (path.length > 1) return undefined;
    return {
      ...found,
      isWord: true,
      guardsValue: (value) => `coalesce(starts_with(${value}, '"') OR ${value} = 'null', true)`,
    };
  }
  if (identityWords.has(first)) {
    if (path.length > 1) return undefined;
    return {
      ...found,
      isWord: true,
      guardsValue: (value) => `coalesce(NOT regexp_matches(${value}, '^[\\[{]'), true)`,
    };
  }
  if (first !== 'sessionContext' && first !== 'onBehalfOf') return found;
  const types = `json_type(userIdentity, ['$."${first}"', '$."${first}"."sessionIssuer"', '$."${first}"."attributes"'])`;
  const areObjects = `len(list_filter(${types}, lambda t: t IS NOT NULL AND t NOT IN ('OBJECT', 'NULL'))) = 0`;
  // A null below becomes an object with a null in it, which no path of ours reaches.
  return { ...found, guards: [...found.guards, areObjects] };
}

/** All values at the path, those in lists each for itself, as a list of JSON. */
export function valuesSql(json: string, path: readonly string[]): string {
  if (path.length === 0) return flat(`[${json}]`);
  const lists = keyings(path).map((keys) => walked(json, keys));
  return lists.length === 1 ? (lists[0] ?? '') : `list_concat(${lists.join(', ')})`;
}

/** More conditions, as ` AND ...`: no key with dots of its own can be in the way to the value (lists are looked for elsewhere). */
export function plainSql(json: string, path: readonly string[]): string {
  const rests = path.map((_key, at) => path.slice(at).join('.')).filter((rest) => rest.includes('.'));
  const dotted = rests.map((rest) => ` AND NOT contains(${json}, ${sqlText(`"${rest}"`)})`).join('');
  return `${dotted}${rests.length > 0 ? ` AND NOT contains(${json}, '\\u')` : ''}`;
}

/** Lists in lists: rare, and not followed. */
export function nestedSql(json: string): string {
  return `regexp_matches(${json}, '[\\[,]\\s*\\[')`;
}

export function jsonPath(path: readonly string[]): string {
  return `$${path.map(keyed).join('')}`;
}

/** The path with its last keys joined by dots, in every way in which a record may have them. */
function keyings(path: readonly string[]): readonly (readonly string[])[] {
  return path.map((_key, at) => [...path.slice(0, at), path.slice(at).join('.')]).reverse();
}

function walked(json: string, path: readonly string[]): string {
  return path.reduce(
    (list, key) =>
      flat(`list_filter(list_transform(${list}, lambda x: CAST(json_extract(x, ${sqlText(jsonPath([key]))}) AS VARCHAR)),
        lambda x: x IS NOT NULL AND x <> 'null')`),
    flat(`[${json}]`),
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
