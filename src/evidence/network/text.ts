/** The text of one file of network logs: told by content, cut into lines or JSON values, and judged. */
import type { DnsRecord, FlowRecord } from '../../contracts/network.ts';
import { looksLikeDns, parseDns } from '../../domain/dns-log.ts';
import { type FlowFormat, flowFormatOf, isFormatless, parseFlowLine } from '../../domain/flow-log.ts';
import { JsonItems } from '../json-items.ts';
import { jsonOf } from '../unwrap.ts';

export interface NetworkFile {
  readonly path: string;
  readonly kind: 'flows' | 'dns' | 'other';
  readonly lines: number;
  /** What could not be read in full, in words. */
  readonly problem?: string;
  /** Intervals that AWS itself could not record in full (SKIPDATA). */
  readonly skipped: number;
}

export interface NetworkSink {
  flow(flow: FlowRecord): void;
  dns(record: DnsRecord): void;
  file(file: NetworkFile): void;
}

const maxLine = 64 * 1024;

/** The same shape as LogText: bytes in, verdict at the end. */
export class NetworkText {
  readonly #path: string;
  readonly #sink: NetworkSink;
  #kind: NetworkFile['kind'] | undefined;
  #format: FlowFormat | undefined;
  #items: JsonItems | undefined;
  #rest = '';
  #isFirst = true;
  #lines = 0;
  #bad = 0;
  #skipped = 0;
  #fault: string | undefined;

  constructor(path: string, sink: NetworkSink) {
    this.#path = path;
    this.#sink = sink;
  }

  /** False where the rest need not be read. */
  push(chunk: Buffer): boolean {
    if (this.#kind !== undefined && this.#items === undefined && this.#format === undefined) return false;
    if (this.#kind === undefined && !this.#begin(chunk)) return false;
    if (this.#items) this.#items.push(chunk);
    else this.#text(chunk.toString('latin1', this.#isFirst && chunk.indexOf('\uFEFF') === 0 ? 3 : 0));
    this.#isFirst = false;
    return true;
  }

  /** @param problem what ended the text before its end */
  end(problem: string | undefined): void {
    if (this.#items) this.#items.end();
    else if (this.#rest.trim() !== '') this.#line(this.#rest);
    // JSON of another kind is not ours to judge.
    const isNone = this.#bad === 0 && this.#fault === undefined && problem === undefined;
    if (this.#kind === 'dns' && this.#lines === 0 && isNone) this.#kind = 'other';
    const kind = this.#kind ?? 'other';
    const reasons = [
      problem,
      this.#fault,
      this.#bad > 0 ? `${this.#bad} lines could not be read; ${this.#lines} were` : undefined,
    ].filter((one) => one !== undefined);
    this.#sink.file({
      path: this.#path,
      kind,
      lines: this.#lines,
      skipped: this.#skipped,
      ...(kind === 'other' || reasons.length === 0 ? {} : { problem: reasons.join('; ') }),
    });
  }

  #begin(chunk: Buffer): boolean {
    const start = chunk.toString('utf8', 0, 4096).replace(/^\uFEFF/, '');
    // Exports of CloudWatch Logs put the time of ingestion before each line.
    if (/^\s*(?:\d{4}-\d\d-\d\dT[\d:.]+Z\s+)?[[{]/.test(start)) {
      const wrapped = wrappedIn(start);
      if (wrapped !== undefined)
        return this.#cannotRead(wrapped, 'lines of CloudWatch Logs within JSON: give the messages alone, one a line');
      // CloudTrail names its events; query logs have one of these in their first line.
      if (!/"query_(name|timestamp)"/.test(start)) return this.#isOther();
      this.#kind = 'dns';
      this.#items = new JsonItems({
        item: (bytes) => this.#item(bytes),
        broken: () => this.#isBad(),
        fault: (reason) => {
          this.#fault ??= reason;
        },
        container: () => undefined,
      });
      return true;
    }
    if (start.startsWith('PAR1')) return this.#cannotRead('flows', 'Parquet in an archive: unpack it');
    // Somebody may have put a remark or a blank line first.
    const first = firstLines(start);
    this.#format = first.map((line) => flowFormatOf(line)?.format).find(Boolean);
    if (this.#format) this.#kind = 'flows';
    else if (first.some(isFormatless))
      return this.#cannotRead(
        'flows',
        'flow logs without a line that names their fields, which are not those of the default format: put one first',
      );
    else return this.#isOther();
    return true;
  }

  /** It is one of ours all the same: to pass over it would be to say that it holds nothing. */
  #cannotRead(kind: NetworkFile['kind'], reason: string): false {
    this.#kind = kind;
    this.#fault = reason;
    return false;
  }

  #isOther(): false {
    this.#kind = 'other';
    return false;
  }

  #isBad(): void {
    this.#bad += 1;
  }

  #item(bytes: Buffer): void {
    const value = jsonOf(bytes.toString('utf8'));
    const record = parseDns(value);
    if (record) {
      this.#lines += 1;
      this.#sink.dns(record);
    } else if (value === undefined || looksLikeDns(value)) this.#isBad();
  }

  #text(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > maxLine) {
      this.#rest = '';
      this.#isBad();
    }
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    if (line.trim() === '' || this.#format === undefined) return;
    // Files put together have headers in the middle.
    const header = /[a-z]addr|interface.id/.test(line) ? flowFormatOf(line) : undefined;
    if (header?.isHeader) {
      this.#format = header.format;
      return;
    }
    const parsed = parseFlowLine(line, this.#format);
    if (parsed.kind === 'bad') this.#isBad();
    else {
      this.#lines += 1;
      if (parsed.kind === 'skipped') this.#skipped += 1;
      if (parsed.kind === 'flow') this.#sink.flow(parsed.flow);
    }
  }
}

function firstLines(start: string): readonly string[] {
  return start.split('\n', 20).filter((line) => line.trim() !== '');
}

/** What the messages are in an answer of `aws logs filter-log-events` or the like. */
function wrappedIn(start: string): NetworkFile['kind'] | undefined {
  if (/\\"query_(name|timestamp)\\"/.test(start)) return 'dns';
  const message = /"(?:message|@message)"\s*:\s*"([^"]{20,2000})"/.exec(start)?.[1] ?? '';
  return startsLikeFlows(message) ? 'flows' : undefined;
}

/** Whether the first bytes of a text are those of a flow log. */
export function startsLikeFlows(start: string): boolean {
  return firstLines(start).some((line) => flowFormatOf(line) !== undefined || isFormatless(line));
}
