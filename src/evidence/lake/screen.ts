/**
 * Says of each record whether it may lie in a shard as it is. Most have nothing to remove and are never parsed. Those
 * that may hold a secret (a wider test than the rules of domain/record-clean.ts) are parsed, and take the door of all records where
 * there is something in them; so do those that are not written as CloudTrail writes.
 */
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { unwrap } from '../unwrap.ts';
import { recordFields } from './columns.ts';
import { numberOfField } from './field-names.ts';
import type { RecordFields } from './record-fields.ts';
import { Suspects } from './suspects.ts';

/** What stands before the word in the names of tokens that are secrets; all else counts paging and the like. */
const tokenName =
  /(?:session|security|identity|access|id|refresh|bearer|sign[_-]{0,2}in|grant|auth\w*|\w{60})[_-]{0,2}$/i;
/** What stands before most tokens, which are none. */
const nextKey = Buffer.from('"next');
/** What STS hands out with every session, cut at once so that these records need no parsing. */
const stsKey = '"sessionToken":"';
const stsToken = /^(?:IQoJ|FwoG|FQoG)/;
const stsKeyLength = '"session'.length;

/** Where a token with its key lies. */
export type Token = readonly [from: number, to: number];

export interface Screened {
  /** By the number of a record: it came through the door, and this is what it is now. */
  readonly careful: ReadonlyMap<number, CloudTrailRecord>;
  /** By the number of a record: what to leave out of it. */
  readonly tokens: ReadonlyMap<number, readonly Token[]>;
  /** Seconds since the epoch of each record; of careful ones nothing. */
  readonly times: Float64Array;
}

/** Looks at the records that were read last. Undefined where their file has to be read by the careful way. */
export function screen(bytes: Buffer, fields: RecordFields): Screened | undefined {
  const { rows, bounds } = fields;
  const { records, tokens } = suspectsIn(bytes, fields);
  const careful = new Map<number, CloudTrailRecord>();
  const times = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const time = secondsOf(bytes, fields.spans, row * width2 + timeAt);
    times[row] = time;
    const isOdd = time < 0 || fields.odd[row] === 1 || isUnusual(bytes, fields, row);
    if (!isOdd && !records.has(row)) continue;
    const read = readSuspect(bytes.toString('utf8', bounds[row * 2], bounds[row * 2 + 1]), isOdd);
    if (read === 'odd') return undefined;
    if (read !== 'clean') careful.set(row, read);
  }
  return { careful, tokens, times };
}

const width2 = recordFields.length * 2;
const [timeAt, idAt, nameAt, sourceAt, addressAt, accountAt, identityAt] = (
  ['eventTime', 'eventID', 'eventName', 'eventSource', 'sourceIPAddress', 'recipientAccountId', 'userIdentity'] as const
).map((field) => numberOfField(field) * 2) as [number, number, number, number, number, number, number];

/** True where the door would make something else of it than what stands there. */
function isUnusual(bytes: Buffer, { spans, unlike }: RecordFields, row: number): boolean {
  const base = row * width2;
  for (const at of [idAt, nameAt, sourceAt]) if (!isWord(bytes, spans, base + at)) return true;
  // Notifications of S3 have `eventSource: "aws:s3"`.
  const source = spans[base + sourceAt] as number;
  if (
    bytes[source + 1] === 0x61 &&
    bytes[source + 2] === 0x77 &&
    bytes[source + 3] === 0x73 &&
    bytes[source + 4] === 0x3a
  )
    return true;
  const address = spans[base + addressAt] as number;
  if (address !== 0 && bytes[address] !== 0x22) return true;
  if (spans[base + accountAt] !== 0 && !isWord(bytes, spans, base + accountAt)) return true;
  const identity = spans[base + identityAt] as number;
  if (identity === 0) return false;
  // Account numbers that are no text have lost their zeros; what is empty is none.
  return bytes[identity] !== 0x7b || unlike[row] === 1;
}

/** A text that is not empty. */
function isWord(bytes: Buffer, spans: Int32Array, at: number): boolean {
  const from = spans[at] as number;
  return from !== 0 && bytes[from] === 0x22 && (spans[at + 1] as number) > from + 2;
}

const daysBefore = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
const timeForm = Buffer.from('"0000-00-00T00:00:00Z"');

/** Seconds since the epoch of a time as CloudTrail writes it, `"2026-11-20T12:00:00Z"`; -1 for any other. */
function secondsOf(bytes: Buffer, spans: Int32Array, at: number): number {
  const from = spans[at] as number;
  if (from === 0 || (spans[at + 1] as number) - from !== timeForm.length) return -1;
  for (let i = 0; i < timeForm.length; i++) {
    const byte = bytes[from + i] as number;
    if (timeForm[i] === 0x30 ? byte < 0x30 || byte > 0x39 : byte !== timeForm[i]) return -1;
  }
  const year = twoDigits(bytes, from + 1) * 100 + twoDigits(bytes, from + 3);
  const month = twoDigits(bytes, from + 6);
  const day = twoDigits(bytes, from + 9);
  const hour = twoDigits(bytes, from + 12);
  const minute = twoDigits(bytes, from + 15);
  const second = twoDigits(bytes, from + 18);
  if (year < 1970 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return -1;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const leapDay = isLeap && month > 2 ? 1 : 0;
  const length = (daysBefore[month] as number) - (daysBefore[month - 1] as number) + (isLeap && month === 2 ? 1 : 0);
  if (day > length) return -1;
  const past = year - 1;
  const leaps = Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400) - 477;
  const days = (year - 1970) * 365 + leaps + (daysBefore[month - 1] as number) + leapDay + day - 1;
  const seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
  return seconds > 86_400 ? seconds : -1;
}

function twoDigits(bytes: Buffer, at: number): number {
  return (bytes[at] as number) * 10 + (bytes[at + 1] as number) - 528;
}

function suspectsIn(bytes: Buffer, { rows, bounds }: RecordFields) {
  const records = new Set<number>();
  const tokens = new Map<number, Token[]>();
  const [from, to] = [bounds[0] as number, bounds[rows * 2 - 1] as number];
  const suspects = new Suspects(bytes, to);
  let row = 0;
  for (let found = suspects.next(from); found; ) {
    const { at } = found;
    while (row + 1 < rows && (bounds[row * 2 + 1] as number) <= at) row += 1;
    let next = at + found.text.length;
    const isToken = /^token$/i.test(found.text);
    const token = isToken ? stsTokenAt(bytes, at - stsKeyLength, to) : undefined;
    if (token) {
      const known = tokens.get(row);
      if (known) known.push(token);
      else tokens.set(row, [token]);
      next = token[1];
    } else if (
      !isToken ||
      (!isAt(bytes, at - nextKey.length, nextKey) && tokenName.test(textBefore(bytes, from, at)))
    ) {
      records.add(row);
      next = bounds[row * 2 + 1] as number;
    }
    found = suspects.next(next);
  }
  return { records, tokens };
}

function isAt(bytes: Buffer, at: number, word: Buffer): boolean {
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false;
  return true;
}

function textBefore(bytes: Buffer, from: number, at: number): string {
  return bytes.toString('latin1', Math.max(from, at - 64), at);
}

/** The key and value of a token of STS; undefined where something else stands there. */
function stsTokenAt(bytes: Buffer, at: number, stop: number): Token | undefined {
  if (at < 0 || bytes.toString('latin1', at, at + stsKey.length) !== stsKey) return undefined;
  const from = at + stsKey.length;
  if (!stsToken.test(bytes.toString('latin1', from, from + 4))) return undefined;
  const end = bytes.indexOf(0x22, from + 4);
  if (end <= from + 4 || end >= stop || bytes.subarray(from, end).includes(0x5c)) return undefined;
  return [at, end + 1];
}

/** The folder source takes objects with a list under one of these for envelopes, also where they are records themselves. */
const containerKey = /"(?:Records|records|Events|events|logEvents)":\[/;

/**
 * `clean`: the door keeps all of it, and there is no more in it than what JSON makes of it. `odd`: not one record with an id of its
 * own, or one that is not read alike everywhere.
 */
function readSuspect(text: string, isOdd: boolean): CloudTrailRecord | 'clean' | 'odd' {
  if (isOdd && containerKey.test(text)) return 'odd';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return 'odd';
    throw error;
  }
  const found: CloudTrailRecord[] = [];
  let isOne = true;
  const notOne = () => {
    isOne = false;
  };
  unwrap(value, { record: (record) => found.push(record), digest: notOne, other: notOne, nearly: notOne });
  const [record] = found;
  // An id made of the content is made of all of it, by whoever reads it.
  if (!isOne || !record || found.length > 1 || record.eventID.startsWith('sha256-')) return 'odd';
  return !isOdd && isKept(value as object, record, text) ? 'clean' : record;
}

/**
 * True where the door takes nothing from the text and opens nothing in it. Of keys that are there twice JSON keeps the last, and
 * what is written with needless escapes may hide anything, so the text must be the one that JSON writes too. Fields of the top
 * level that are null count as absent.
 */
function isKept(value: object, record: CloudTrailRecord, text: string): boolean {
  if (JSON.stringify(value) !== text) return false;
  const kept = record as unknown as Readonly<Record<string, unknown>>;
  return Object.entries(value).every(
    ([field, inner]) =>
      inner === null || inner === kept[field] || JSON.stringify(inner) === JSON.stringify(kept[field]),
  );
}
