/**
 * The rows of a shard in the making: their texts lie where they were unpacked, and a row is a number for each. All rows of one
 * principal are written together, so that a question about it unpacks few row groups.
 */
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { parseIp } from '../../domain/address.ts';
import { removedMark } from '../../domain/record-clean.ts';
import { carefulTexts, recordFields, textColumns } from './columns.ts';
import { numberOfField } from './field-names.ts';
import { grown, ordered } from './grown.ts';
import { Principals } from './principals.ts';
import { type RecordFields, spareBytes } from './record-fields.ts';
import type { Screened, Token } from './screen.ts';
import { hashOf } from './text-hash.ts';
import { Uuids } from './uuids.ts';
import { Values } from './values.ts';

const stsRemoved = Buffer.from(`"sessionToken":"${removedMark}"`);
/** No two rows share what stands there. */
const unlike: ReadonlySet<string> = new Set(['requestParameters', 'sharedEventID', 'requestID', 'eventID']);
const accountOfIdentity = /"accountId":/;

export interface TextColumn {
  readonly name: string;
  readonly values: Values;
  /** For each row the number of its text, one more than it is; 0 where it has none. */
  numbers: Int32Array;
}

const none = -1;

export class Sheaf {
  /** Everything that texts lie in. */
  bytes = Buffer.allocUnsafeSlow(1024 * 1024);
  rows = 0;
  /** Number of the file of each row in its shard. */
  files: Int32Array = new Int32Array(1024);
  /** Milliseconds since the epoch. */
  times = new Float64Array(1024);
  readonly columns: readonly TextColumn[] = textColumns.map((name) => ({
    name,
    values: new Values(!unlike.has(name)),
    numbers: new Int32Array(1024),
  }));
  /** Their ids, where these are UUIDs. */
  readonly events = new Uuids();
  readonly requests = new Uuids();

  readonly #byName = new Map(this.columns.map((column) => [column.name, column]));
  readonly #ofField = recordFields.map((field) => this.#byName.get(field));
  readonly #ip = this.#column('ip');
  readonly #account = this.#column('account');
  /** By the number of a text of `sourceIPAddress`: that of `ip`. */
  #ipOf: Int32Array = new Int32Array(1024);
  readonly #principals = new Principals();
  #principal: Int32Array = new Int32Array(1024);
  /** As long as the numbers of a column, for putting them in order. */
  #spare: Int32Array = new Int32Array(0);
  #used = 0;

  /** Bytes that its rows hold. */
  get size(): number {
    return this.#used;
  }

  /** Puts an unpacked file where its texts can stay, with a 0 behind it. Returns where it lies. */
  hold(content: Buffer): readonly [from: number, to: number] {
    const from = this.#room(content.length + spareBytes);
    content.copy(this.bytes, from);
    this.#used = from + content.length + 1;
    this.bytes[this.#used - 1] = 0;
    return [from, from + content.length];
  }

  /** Forgets the rows from `row` on, and what was held for them at `from`. Texts of theirs stay where some were added. */
  letGo(from: number, row: number): void {
    if (this.rows === row) this.#used = from;
    else for (const { numbers } of this.columns) numbers.fill(0, row, this.rows);
    this.rows = row;
  }

  /** Adds the records that were read last, of a file that is held. @param file its number in the shard */
  addRecords(fields: RecordFields, { careful, tokens, times }: Screened, file: number): void {
    for (let i = 0; i < fields.rows; i++) {
      const record = careful.get(i);
      if (record !== undefined) {
        this.addRecord(record, file);
        continue;
      }
      const cuts = tokens.get(i);
      if (cuts) this.#cut(fields, i, cuts);
      this.#addSpans(fields, i, file, (times[i] as number) * 1000);
    }
  }

  /** Adds a record that came through the door. */
  addRecord(record: CloudTrailRecord, file: number): void {
    const row = this.#newRow(file, Date.parse(record.eventTime));
    for (const [name, text] of carefulTexts(record)) this.#setText(this.#column(name), row, text);
    const { eventID, requestID } = record as { eventID: string; requestID?: unknown };
    this.#setId('eventID', this.events, row, eventID);
    if (typeof requestID === 'string') this.#setId('requestID', this.requests, row, requestID);
    else if (requestID !== undefined && requestID !== null)
      this.#setText(this.#column('requestID'), row, JSON.stringify(requestID));
    const arn = record.userIdentity.arn ?? record.sourceIPAddress;
    const [from, to] = this.#put(arn);
    this.#principal[row] = this.#principals.named(this.bytes, from, to);
    this.#used = from;
  }

  /** The different texts that the rows have in a column. */
  textsOf(name: string): ReadonlySet<string> {
    const { values, numbers } = this.#column(name);
    const texts = new Set<string>();
    for (const number of new Set(numbers.subarray(0, this.rows)))
      if (number > 0) texts.add(this.bytes.toString('utf8', values.starts[number - 1], values.ends[number - 1]));
    return texts;
  }

  /** Puts the rows in the order in which they are written: by principal, and those of one by time. No row is added after it. */
  sort(): void {
    const order = this.#principals.order(this.rows, this.#principal, this.times);
    const last = this.files;
    this.files = ordered(last, this.#spare.length === last.length ? this.#spare : new Int32Array(last.length), order);
    let spare = last;
    for (const column of this.columns) {
      if (column.values.count === 0) continue;
      const { numbers } = column;
      column.numbers = ordered(numbers, spare, order);
      spare = numbers;
    }
    this.#spare = spare;
    this.times = ordered(this.times, new Float64Array(this.times.length), order);
    for (const uuids of [this.events, this.requests]) uuids.sort(order);
  }

  /** Forgets all rows; the memory stays. */
  clear(): void {
    this.rows = 0;
    this.#used = 0;
    this.#principals.clear();
    for (const { values, numbers } of this.columns) {
      if (values.count > 0) numbers.fill(0);
      values.clear();
    }
    this.#ipOf.fill(0);
    // A file that was larger than any other must not stay.
    if (this.bytes.length > mostKept) this.bytes = Buffer.allocUnsafeSlow(1024 * 1024);
  }

  #addSpans({ spans, hashes }: RecordFields, i: number, file: number, time: number): void {
    const row = this.#newRow(file, time);
    const width = recordFields.length;
    for (let field = 1; field < width; field++) {
      const at = (i * width + field) * 2;
      const from = spans[at] as number;
      if (from === 0 && spans[at + 1] === 0) continue;
      const to = spans[at + 1] as number;
      if (field === eventAt || field === requestAt) {
        if ((field === eventAt ? this.events : this.requests).put(row, this.bytes, from, to)) continue;
      }
      const column = this.#ofField[field] as TextColumn;
      const number = column.values.add(this.bytes, from, to, hashes[i * width + field] as number);
      column.numbers[row] = number + 1;
      if (field === addressAt) this.#ip.numbers[row] = this.#ipAt(number, from, to);
      else if (field === accountAt) this.#setSpan(this.#account, row, from + 1, to - 1);
      else if (field === identityAt) this.#principal[row] = this.#principals.ofIdentity(this.bytes, from, to) ?? none;
    }
    if (this.#account.numbers[row] === 0) this.#setAccountOf(row);
    if (this.#principal[row] === none) {
      const ip = (this.#ip.numbers[row] as number) - 1;
      const { starts, ends } = this.#ip.values;
      const place = ip < 0 ? ([0, 0] as const) : ([starts[ip] as number, ends[ip] as number] as const);
      this.#principal[row] = this.#principals.named(this.bytes, ...place);
    }
  }

  #newRow(file: number, time: number): number {
    const row = this.rows++;
    if (row === this.files.length) this.#widen();
    this.files[row] = file;
    this.times[row] = time;
    this.events.clear(row);
    this.requests.clear(row);
    this.#principal[row] = none;
    return row;
  }

  #widen(): void {
    this.files = grown(this.files);
    this.#principal = grown(this.#principal);
    for (const column of this.columns) column.numbers = grown(column.numbers);
    this.times = grown(this.times);
  }

  /** Takes tokens out of the field in which they lie: the rest of it is put together anew. */
  #cut(fields: RecordFields, i: number, cuts: readonly Token[]): void {
    const { spans, hashes } = fields;
    const width = recordFields.length;
    for (let next = 0; next < cuts.length; ) {
      const field = fields.fieldWith(i, (cuts[next] as Token)[0]);
      if (field < 0) {
        next += 1;
        continue;
      }
      const at = (i * width + field) * 2;
      const [from, to] = [spans[at] as number, spans[at + 1] as number];
      const start = this.#room(to - from + (cuts.length - next) * stsRemoved.length);
      let end = start;
      let kept = from;
      for (; next < cuts.length && (cuts[next] as Token)[0] < to; next++) {
        const [cut, behind] = cuts[next] as Token;
        end += this.bytes.copy(this.bytes, end, kept, cut);
        end += stsRemoved.copy(this.bytes, end);
        kept = behind;
      }
      end += this.bytes.copy(this.bytes, end, kept, to);
      this.#used = end;
      spans[at] = start;
      spans[at + 1] = end;
      hashes[i * width + field] = hashOf(this.bytes, start, end);
    }
  }

  /** The number of the text of `ip`, one more than it is; 0 for an address that is empty. */
  #ipAt(number: number, from: number, to: number): number {
    // Records that came through the door have taken numbers too.
    while (number >= this.#ipOf.length) this.#ipOf = grown(this.#ipOf);
    const known = this.#ipOf[number] as number;
    if (known !== 0) return known - 1;
    const text = this.bytes.toString('utf8', from + 1, to - 1);
    const address = parseIp(text) ?? text;
    const [start, end] = address === text ? [from + 1, to - 1] : this.#put(address);
    const ip = text === '' ? 0 : this.#ip.values.add(this.bytes, start, end, hashOf(this.bytes, start, end)) + 1;
    this.#ipOf[number] = ip + 1;
    return ip;
  }

  /** The account of the caller, where the record names no other. */
  #setAccountOf(row: number): void {
    const column = this.#column('userIdentity');
    const number = (column.numbers[row] as number) - 1;
    if (number < 0) return;
    const text = this.bytes.toString('utf8', column.values.starts[number], column.values.ends[number]);
    if (!accountOfIdentity.test(text)) return;
    const { accountId } = JSON.parse(text) as { accountId?: unknown };
    if (typeof accountId === 'string' && accountId !== '') this.#setText(this.#account, row, accountId);
  }

  #setId(field: 'eventID' | 'requestID', uuids: Uuids, row: number, id: string): void {
    const [from, to] = this.#put(JSON.stringify(id));
    if (!uuids.put(row, this.bytes, from, to)) this.#setSpan(this.#column(field), row, from, to);
  }

  #setText(column: TextColumn, row: number, text: string): void {
    const [from, to] = this.#put(text);
    this.#setSpan(column, row, from, to);
  }

  #setSpan({ values, numbers }: TextColumn, row: number, from: number, to: number): void {
    numbers[row] = values.add(this.bytes, from, to, hashOf(this.bytes, from, to)) + 1;
  }

  #put(text: string): readonly [from: number, to: number] {
    const from = this.#room(text.length * 3 + 1);
    const to = from + this.bytes.write(text, from);
    this.#used = to;
    return [from, to];
  }

  /** An even place with room for so many bytes. */
  #room(length: number): number {
    const from = this.#used + (this.#used % 2);
    if (from + length > this.bytes.length) {
      const doubled = this.bytes.length * 2;
      // Twice as much is too much where a shard is nearly full.
      const most = Math.max(fullShard, Math.ceil((from + length) * 1.25));
      const larger = Buffer.allocUnsafeSlow(Math.max(Math.min(doubled, most), from + length));
      this.bytes.copy(larger, 0, 0, this.#used);
      this.bytes = larger;
    }
    return from;
  }

  #column(name: string): TextColumn {
    const column = this.#byName.get(name);
    if (column === undefined) throw new Error(`There is no column ${name}.`);
    return column;
  }
}

/** What a shard takes whose files are of the usual size. */
const fullShard = 104 * 1024 * 1024;
const mostKept = 160 * 1024 * 1024;
const [eventAt, requestAt, addressAt, accountAt, identityAt] = (
  ['eventID', 'requestID', 'sourceIPAddress', 'recipientAccountId', 'userIdentity'] as const
).map(numberOfField) as [number, number, number, number, number];
