/**
 * Cuts a file as CloudTrail writes it into lines for DuckDB without parsing it: most records have nothing to remove and are
 * copied as they are. Those that may hold a secret (a wider test than the rules of domain/record-clean.ts) are parsed, and take
 * the door of all records where there is something in them.
 */
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { cleanJson, type Json } from '../../domain/record-clean.ts';
import { unwrap } from '../unwrap.ts';
import { Suspects } from './suspects.ts';

/** The first key of every record that CloudTrail writes. */
export const firstKey = '"eventVersion":';
/** How a file begins and ends, what stands between its records, and how long the beginning is without the first record. */
const forms = [
  { head: `{"Records":[{${firstKey}`, skip: 12, between: `},{${firstKey}`, tail: '}]}' },
  { head: `[{${firstKey}`, skip: 1, between: `},{${firstKey}`, tail: '}]' },
  { head: `{${firstKey}`, skip: 0, between: `}\n{${firstKey}`, tail: '}' },
].map((form) => ({
  ...form,
  head: Buffer.from(form.head),
  between: Buffer.from(form.between),
  tail: Buffer.from(form.tail),
}));

/** What stands before the word in the names of tokens that are secrets; all else counts paging and the like. */
const tokenName = /(?:session|security|identity|access|id|refresh|bearer|auth\w*|\w{60})[_-]{0,2}$/i;
/** What STS hands out with every session, cut at once so that these records need no parsing. */
const stsKey = '"sessionToken":"';
const stsToken = /^(?:IQoJ|FwoG|FQoG)/;
const stsKeyLength = '"session'.length;

/** One record of a file, as it lies there. */
export interface CutRow {
  /** From its brace to behind its last one. */
  readonly start: number;
  readonly end: number;
  /** What is common to the records of its principal. */
  readonly name: string;
  /** Tokens to leave out, each with its key. */
  readonly tokens: readonly (readonly [number, number])[];
}

export interface Cut {
  readonly rows: readonly CutRow[];
  /** The others, through the door. */
  readonly careful: readonly CloudTrailRecord[];
}

/** Files in which more than this part of the records is suspect are read by the careful way from the start. */
const mostSuspects = 0.4;
const none: readonly never[] = [];

/**
 * Undefined where the file has to be read by the careful way. What looks like a plain form and is not fails in DuckDB or in the
 * count after it.
 */
export function cutRecords(content: Buffer): Cut | undefined {
  const spans = spansOf(content);
  if (spans === undefined) return undefined;
  const { starts, stop } = spans;
  const endOf = (i: number) => (i + 1 < starts.length ? (starts[i + 1] as number) - 1 : stop);
  const found = suspectsIn(content, starts, stop, endOf);
  const careful: CloudTrailRecord[] = [];
  const rows: CutRow[] = [];
  for (let i = 0; i < starts.length; i++) {
    const [start, end] = [starts[i] as number, endOf(i)];
    const isOdd = isOddCaller(content, start, end);
    const read = isOdd || found.records.has(i) ? readSuspect(content.toString('utf8', start, end), isOdd) : 'clean';
    if (read === 'odd' || careful.length > starts.length * mostSuspects) return undefined;
    if (read !== 'clean') careful.push(read);
    else rows.push({ start, end, name: nameIn(content, start, end), tokens: found.tokens.get(i) ?? none });
  }
  return { rows, careful };
}

interface Spans {
  /** Where each record begins, at its brace. */
  readonly starts: readonly number[];
  readonly stop: number;
}

export interface RecordSpans {
  /** The records in which the places lie, each once. */
  holding(places: Iterable<number>): Generator<{ readonly start: number; readonly end: number }>;
}

/**
 * Where the records of a file lie; undefined where it is not written as CloudTrail writes.
 * @param exactly false: a file that was looked at before need not be looked at again where nothing is asked of it
 */
export function recordSpans(content: Buffer, exactly: boolean): RecordSpans | undefined {
  let spans: Spans | undefined;
  if (exactly) {
    const outline = outlineOf(content);
    if (outline === undefined) return undefined;
    // One line in one envelope is what it seems, without a look at where its records begin.
    const isOneLine = outline.breaks === 0 && outline.form.between[1] !== 0x0a;
    if (!isOneLine) spans = spansOf(content);
    if (!isOneLine && spans === undefined) return undefined;
  }
  return {
    *holding(places) {
      let i = 0;
      let given = -1;
      for (const place of places) {
        spans ??= spansOf(content);
        if (spans === undefined) return;
        const { starts, stop } = spans;
        while (i + 1 < starts.length && (starts[i + 1] as number) <= place) i += 1;
        if (i === given || place < (starts[i] as number) || place >= stop) continue;
        given = i;
        yield { start: starts[i] as number, end: i + 1 < starts.length ? (starts[i + 1] as number) - 1 : stop };
      }
    },
  };
}

/** The form of a file by its head and tail, where its last record ends, and the line breaks before that. */
function outlineOf(content: Buffer) {
  const form = forms.find(({ head }) => content.subarray(0, head.length).equals(head));
  if (form === undefined) return undefined;
  let end = content.length;
  while (end > 0 && (content[end - 1] === 0x0a || content[end - 1] === 0x0d || content[end - 1] === 0x20)) end -= 1;
  if (!content.subarray(end - form.tail.length, end).equals(form.tail)) return undefined;
  const stop = end - form.tail.length + 1;
  let breaks = 0;
  for (let at = content.indexOf(0x0a); at >= 0 && at < stop; at = content.indexOf(0x0a, at + 1)) breaks += 1;
  return { form, stop, breaks };
}

function spansOf(content: Buffer): Spans | undefined {
  const outline = outlineOf(content);
  if (outline === undefined) return undefined;
  const { form, stop, breaks } = outline;
  const starts = [form.skip];
  for (let at = content.indexOf(form.between); at >= 0; at = content.indexOf(form.between, at + form.between.length)) {
    starts.push(at + 2);
  }
  // A line break within a record would make two lines of it.
  const between = form.between[1] === 0x0a ? starts.length - 1 : 0;
  return breaks === between ? { starts, stop } : undefined;
}

function suspectsIn(content: Buffer, starts: readonly number[], stop: number, endOf: (i: number) => number) {
  const records = new Set<number>();
  const tokens = new Map<number, [number, number][]>();
  const recordAt = recordFinder(starts);
  const suspects = new Suspects(content, stop);
  for (let found = suspects.next(0); found; ) {
    const i = recordAt(found.at);
    let next = found.at + found.text.length;
    const isToken = /^token$/i.test(found.text);
    const span = isToken ? stsTokenAt(content, found.at - stsKeyLength, stop) : undefined;
    if (span) {
      tokens.set(i, [...(tokens.get(i) ?? []), span]);
      next = span[1];
    } else if (!isToken || tokenName.test(content.toString('latin1', Math.max(0, found.at - 64), found.at))) {
      records.add(i);
      next = endOf(i);
    }
    found = suspects.next(next);
  }
  return { records, tokens };
}

/** Which record a place lies in; places have to come in order. */
function recordFinder(starts: readonly number[]): (place: number) => number {
  let i = 0;
  return (place) => {
    while (i + 1 < starts.length && (starts[i + 1] as number) <= place) i += 1;
    return i;
  };
}

/** The key and value of a token of STS; undefined where something else stands there. */
function stsTokenAt(content: Buffer, at: number, stop: number): [number, number] | undefined {
  if (at < 0 || content.toString('latin1', at, at + stsKey.length) !== stsKey) return undefined;
  const from = at + stsKey.length;
  if (!stsToken.test(content.toString('latin1', from, from + 4))) return undefined;
  const end = content.indexOf(0x22, from + 4);
  if (end <= from + 4 || end >= stop || content.subarray(from, end).includes(0x5c)) return undefined;
  return [at, end + 1];
}

/** `clean`: nothing in it that anybody would remove. `odd`: not one record with an id of its own. */
function readSuspect(text: string, isOdd: boolean): CloudTrailRecord | 'clean' | 'odd' {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return 'odd';
    throw error;
  }
  if (!isOdd && isPlain(value as Json) && !/\\[u/]/.test(text)) return 'clean';
  const found: CloudTrailRecord[] = [];
  let isOne = true;
  const notOne = () => {
    isOne = false;
  };
  unwrap(value, { record: (record) => found.push(record), digest: notOne, other: notOne, nearly: notOne });
  const [record] = found;
  // An id made of the content is made of all of it, by whoever reads it.
  return isOne && record && found.length === 1 && !record.eventID.startsWith('sha256-') ? record : 'odd';
}

/** Bodies that are JSON text have to be read through the door, which looks into them. */
function isPlain(value: Json): boolean {
  if (cleanJson(value) !== value) return false;
  const { accountId } = (value.userIdentity ?? {}) as Json;
  if (accountId !== undefined && typeof accountId !== 'string') return false;
  return Object.values(value).every((field) => typeof field !== 'string' || !/^\s*[{[]/.test(field));
}

const identityKey = Buffer.from('"userIdentity":');
const accountKey = Buffer.from('accountId":');
const arnKey = Buffer.from('"arn":"');
const addressKey = Buffer.from('"sourceIPAddress":"');

/**
 * Addresses of version 6 are written in many ways, and account numbers that are no text have lost their zeros: both have to go
 * through the door. What comes behind the address in odd orders of fields is seen to by the last search.
 */
function isOddCaller(content: Buffer, start: number, end: number): boolean {
  const address = content.indexOf(addressKey, start);
  const from = address < 0 || address >= end ? end : address + addressKey.length;
  for (let i = from; i < end && content[i] !== 0x22; i++) if (content[i] === 0x3a) return true;
  const identity = content.indexOf(identityKey, start);
  const stop = identity < from ? from : end;
  for (let at = content.indexOf(accountKey, start); at >= 0 && at < stop; at = content.indexOf(accountKey, at + 1))
    if (content[at + accountKey.length] !== 0x22) return true;
  return false;
}

/** The text by which a record is put beside others of its principal. */
function nameIn(content: Buffer, start: number, end: number): string {
  for (const name of [arnKey, addressKey]) {
    const at = content.indexOf(name, start);
    if (at < 0 || at >= end) continue;
    const from = at + name.length;
    const to = content.indexOf(0x22, from);
    if (to >= 0 && to <= end) return content.toString('latin1', from, to);
  }
  return '';
}
