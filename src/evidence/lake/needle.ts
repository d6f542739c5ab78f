/**
 * Which rows can hold an artifact: a condition in SQL that is never narrower than what `linksOf` finds in the records. Nodes are
 * words of the record or ARNs made around such words (domain/links-naming.ts), so that the last word of an id stands in it.
 */
import type { Artifact } from '../../contracts/artifact.ts';
import { parseIp } from '../../domain/address.ts';
import { nameKeyOfArn, parseArn } from '../../domain/principal.ts';
import { shortArn } from '../../domain/short-arn.ts';
import type { ColumnTest } from './group-reader.ts';
import { shortestWord } from './words.ts';

export interface Condition {
  readonly sql: string;
  readonly values: Readonly<Record<string, string>>;
  /** A word that every such row has (words.ts), where there is one, and the same condition for readers without SQL. */
  readonly word?: { readonly text: string; readonly anyOf: readonly ColumnTest[] };
}

/** Where ids are read from (domain/links.ts), without the address. */
const idFields = [
  'userIdentity',
  'requestParameters',
  'responseElements',
  'serviceEventDetails',
  'resources',
  'additionalEventData',
] as const;

/** Characters that JSON writes as they are and that part no ARN. */
const word = /[A-Za-z0-9_.@=+,-]+/g;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function conditionFor({ kind, id }: Artifact): Condition {
  if (kind === 'event') {
    return uuid.test(id)
      ? { sql: 'event_uuid = CAST($id AS UUID)', values: { id } }
      : { sql: 'eventID = $id', values: { id: JSON.stringify(id) } };
  }
  const address = parseIp(id);
  if (address !== undefined) {
    // Addresses of version 6 hold colons, which part words.
    const word = { text: address, anyOf: [isText(['ip'], address)] };
    return { sql: 'ip = $id', values: { id: address }, ...(address.includes(':') ? {} : { word }) };
  }
  const arn = parseArn(id);
  if (arn?.resource === 'root') {
    // Root's own words: an account and "root", in any of its spellings (domain/principal.ts).
    return {
      sql: `${holds('account', true)} AND ${holds('root', false, ['eventName'])}`,
      values: { account: arn.accountId, root: 'root' },
    };
  }
  const name = shortArn(id) ?? id;
  const needle = needleOf(name);
  if (needle === undefined) return { sql: 'true', values: {} };
  const isCaseBlind = nameKeyOfArn(id) !== undefined;
  const text = isCaseBlind ? needle.toLowerCase() : needle;
  const anyOf = [{ columns: idFields, needle: { text, isWhole: false, isCaseBlind } }, isText(['ip', 'account'], id)];
  return {
    sql: `(${holds('needle', !isCaseBlind)} OR ip = $id OR account = $id)`,
    values: { needle: text, id },
    ...(isWhole(name, needle, kind) ? { word: { text: needle.toLowerCase(), anyOf } } : {}),
  };
}

function isText(columns: readonly string[], text: string): ColumnTest {
  return { columns, needle: { text, isWhole: true, isCaseBlind: false } };
}

/**
 * True where the needle stands in the rows as a word of its own: nothing but word characters between two separators. Account
 * numbers stand in URL-encoded policies too, behind `%3A`, and secrets with six characters behind their name.
 */
function isWhole(id: string, needle: string, kind: Artifact['kind']): boolean {
  const last =
    id
      .split(/[/:]/)
      .filter((part) => part !== '')
      .at(-1) ?? '';
  if (parseArn(id)?.service === 'secretsmanager') return false;
  return kind !== 'account' && !/^\d{12}$/.test(id) && last === needle && needle.length >= shortestWord;
}

/** The longest word of the last part of an id. */
function needleOf(id: string): string | undefined {
  const last =
    id
      .split(/[/:]/)
      .filter((part) => part !== '')
      .at(-1) ?? '';
  return (last.match(word) ?? []).sort((a, b) => b.length - a.length)[0];
}

function holds(name: string, exact: boolean, more: readonly string[] = []): string {
  return `(${[...idFields, ...more]
    .map((field) => `contains(${exact ? field : `lower(${field})`}, $${name})`)
    .join(' OR ')})`;
}
