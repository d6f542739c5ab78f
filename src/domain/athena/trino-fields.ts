/**
 * Where a field of a record lies in a row of the CloudTrail table that `firebreak athena ddl` makes (ddl.ts). The SerDe lowers the names of
 * columns and of structs' fields, and keeps the bodies as JSON text; what is in no column is gone for every reader of the table.
 */
import { isSecretKey } from '../record-clean.ts';
import { jsonPath } from './trino.ts';

/** A field in a column of its own, text. */
export interface ColumnField {
  readonly kind: 'column';
  readonly column: string;
  /** What an empty text is: as missing, a text, or (NULL too) a text that does not count as there. */
  readonly empty: 'missing' | 'text' | 'absent';
  /** The only texts that are the record's value as they stand; undefined: all. */
  readonly only?: readonly string[];
  /** A row without it is no record. */
  readonly isNeeded: boolean;
}

/** A field below a body, or the body as a whole. */
export interface BodyField {
  readonly kind: 'body';
  /** SQL of the body's JSON text. */
  readonly body: string;
  /** Keys below it, none for the whole. */
  readonly keys: readonly string[];
}

/** `isLost`: the table does not hold it, so that a record from there may lack it; else it is fetched, and only SQL cannot judge it. */
export interface NoField {
  readonly kind: 'none';
  readonly because: string;
  readonly isLost: boolean;
}

export type TrinoField = ColumnField | BodyField | NoField;

const needed = ['eventName', 'eventSource'];
const emptyIsMissing = [
  'errorCode',
  'errorMessage',
  'sharedEventID',
  'eventType',
  'vpcEndpointId',
  'recipientAccountId',
];
const neverMissing = ['awsRegion', 'sourceIPAddress', 'userAgent'];
const asWritten = [
  ...[
    'eventVersion',
    'requestID',
    'apiVersion',
    'vpcEndpointAccountId',
    'eventCategory',
    'sessionCredentialFromConsole',
  ],
];
const bodies = ['requestParameters', 'responseElements', 'additionalEventData', 'serviceEventDetails'];
const identityWords = [
  ...[
    'type',
    'principalId',
    'arn',
    'accountId',
    'invokedBy',
    'accessKeyId',
    'userName',
    'identityProvider',
    'credentialId',
  ],
];
/** Leaves of structs, beside those words. */
const leaves: ReadonlySet<string> = new Set([
  ...identityWords.map((name) => `userIdentity.${name}`),
  ...['userId', 'identityStoreArn'].map((name) => `userIdentity.onBehalfOf.${name}`),
  ...['sourceArn', 'sourceAccount', 'issuerType', 'credentialsIssuedTo'].map(
    (name) => `userIdentity.inScopeOf.${name}`,
  ),
  ...['mfaAuthenticated', 'creationDate', 'assumedRoot'].map(
    (name) => `userIdentity.sessionContext.attributes.${name}`,
  ),
  ...['type', 'principalId', 'arn', 'accountId', 'userName'].map(
    (name) => `userIdentity.sessionContext.sessionIssuer.${name}`,
  ),
  ...['ec2RoleDelivery', 'sourceIdentity', 'signInSessionArn'].map((name) => `userIdentity.sessionContext.${name}`),
  'userIdentity.sessionContext.webIdFederationData.federatedProvider',
  ...['tlsVersion', 'cipherSuite', 'clientProvidedHostHeader'].map((name) => `tlsDetails.${name}`),
]);
const map = 'userIdentity.sessionContext.webIdFederationData.attributes';

/** How the field is read. */
export function trinoField(field: string): TrinoField {
  const [top = '', ...keys] = field.split('.');
  if (field.includes('__proto__')) return none(`${field}: the key is renamed in records`);
  if (top === 'firebreak') return none(`${field} is made of other fields`);
  if (bodies.includes(top)) return inBody(field, top.toLowerCase(), keys);
  if (top === 'userIdentity' || top === 'tlsDetails') return inStruct(field);
  if (top === 'resources') return none('resources is a list of objects');
  if (top === 'eventTime' || top === 'eventID') return none(`${field} is made anew where it is missing`);
  if (keys.length > 0) return lost(field);
  const column = top.toLowerCase();
  if (needed.includes(top)) return { kind: 'column', column, empty: 'missing', isNeeded: true };
  if (emptyIsMissing.includes(top)) return { kind: 'column', column, empty: 'missing', isNeeded: false };
  if (neverMissing.includes(top)) return { kind: 'column', column, empty: 'absent', isNeeded: false };
  if (asWritten.includes(top)) return { kind: 'column', column, empty: 'text', isNeeded: false };
  if (top === 'readOnly') return { kind: 'column', column, empty: 'missing', only: ['true', 'false'], isNeeded: false };
  return lost(field);
}

function none(because: string): NoField {
  return { kind: 'none', because, isLost: false };
}

function lost(field: string): NoField {
  return { kind: 'none', because: `the table has no column for ${field}`, isLost: true };
}

function inBody(field: string, column: string, keys: readonly string[]): TrinoField {
  if (keys.some(isSecretKey)) return none(`${field} is a secret, and removed from records`);
  return jsonPath(keys) === undefined ? none(`${field} has an odd key`) : { kind: 'body', body: column, keys };
}

function inStruct(field: string): TrinoField {
  if (leaves.has(field)) {
    const isWord = identityWords.some((name) => field === `userIdentity.${name}`);
    return { kind: 'column', column: field.toLowerCase(), empty: isWord ? 'missing' : 'text', isNeeded: false };
  }
  if (field === map || field.startsWith(`${map}.`)) return none(`${field} is a map`);
  const isWhole = [...leaves].some((leaf) => leaf.startsWith(`${field}.`));
  return isWhole ? { ...none(`of ${field} as a whole the table holds a part`), isLost: true } : lost(field);
}
