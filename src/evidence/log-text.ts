/** The text of one log file: finds its encoding, cuts it into JSON values, takes the records out, and judges the file. */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { JsonItems } from './json-items.ts';
import { layoutOf } from './lake/layout.ts';
import { startsLikeFlows } from './network/text.ts';
import { jsonOf, unwrap } from './unwrap.ts';

export interface FileReport {
  /** Relative; entries of an archive are `file.zip!/entry`. */
  readonly path: string;
  /** `bad` with the reason: claims to be a log and could not be read in full. `other`: no CloudTrail log. */
  readonly verdict: 'log' | 'bad' | 'digest' | 'other';
  readonly reason?: string;
}

export interface LogReader {
  record(record: CloudTrailRecord): void;
  report(file: FileReport): void;
  /** True when nothing more is wanted. */
  full(): boolean;
  /** Reads the text of a file, or of an entry of an archive, in another way than as CloudTrail. */
  open?(path: string): TextReader;
}

/** Takes the unpacked bytes of one text. */
export interface TextReader {
  /** False where the rest need not be read. */
  push(chunk: Buffer): boolean;
  /** @param problem what ended the text before its end */
  end(problem: string | undefined): void;
}

/** Endings by which a file claims to be a log. */
const logEnding = /\.(json|gz|ndjson|jsonl|cloudtrail|log|zip)$/i;
/** How JSON logs begin: an object or an array, maybe behind the time stamp of a log export. */
const jsonStart = /^\s*(?:\d[\w.:+-]{0,40}\s+)?(\{\s*["}]|\[\s*[[{\]"])/;

export class LogText implements TextReader {
  readonly #path: string;
  readonly #reader: LogReader;
  readonly #items: JsonItems;
  /** A gzip file claims to be a log, whatever its name. */
  #claims: boolean;
  #decoder: InstanceType<typeof TextDecoder> | undefined;
  #begun = false;
  #records = 0;
  #containers = 0;
  #others = 0;
  #digests = 0;
  #faults = 0;
  #firstFault: string | undefined;
  #nearly = 0;
  #firstNearly: string | undefined;

  constructor(path: string, isGzip: boolean, reader: LogReader) {
    this.#path = path;
    this.#reader = reader;
    this.#claims = isGzip || logEnding.test(path);
    this.#items = new JsonItems({
      item: (bytes, line) => this.#item(bytes, line),
      broken: (bytes, line) => this.#broken(bytes, line),
      fault: (reason) => this.#fault(reason),
      container: () => {
        this.#containers += 1;
      },
    });
  }

  /** False where the rest need not be read: a file that is no log by name nor by content. */
  push(chunk: Buffer): boolean {
    const bytes = this.#begun ? chunk : this.#begin(chunk);
    if (!this.#claims) return false;
    this.#items.push(this.#decoder ? Buffer.from(this.#decoder.decode(bytes, { stream: true })) : bytes);
    return true;
  }

  /** @param problem what ended the text before its end */
  end(problem: string | undefined): void {
    // A full reader has stopped in the middle of the file, which is not the file's fault.
    if (this.#begun && this.#claims && !this.#reader.full()) {
      const before = this.#faults;
      this.#items.end();
      // "ends in the middle" only repeats what the damage caused.
      if (problem !== undefined && this.#faults > before) {
        this.#faults -= 1;
        if (this.#faults === 0) this.#firstFault = undefined;
      }
    }
    if (problem !== undefined) {
      this.#faults += 1;
      this.#firstFault = this.#firstFault === undefined ? problem : `${problem}; ${this.#firstFault}`;
    }
    if (!this.#begun && problem === undefined && this.#claims) this.#fault('empty file');
    this.#reader.report({ path: this.#path, ...this.#verdict() });
  }

  #verdict(): Pick<FileReport, 'verdict' | 'reason'> {
    const kept = this.#records === 0 ? '' : `; ${this.#records} records kept`;
    if (this.#firstFault !== undefined && (this.#claims || this.#records > 0)) {
      const more = this.#faults > 1 ? ` (and ${this.#faults - 1} more)` : '';
      return { verdict: 'bad', reason: `${this.#firstFault}${more}${kept}` };
    }
    if (this.#nearly > 0) {
      return {
        verdict: 'bad',
        reason: `${this.#nearly} look like CloudTrail records but have ${this.#firstNearly}${kept}`,
      };
    }
    if (this.#records > 0) return { verdict: 'log' };
    if (this.#digests > 0) return { verdict: 'digest' };
    if (this.#others === 0 && this.#containers > 0) return { verdict: 'log' };
    // Where CloudTrail delivers its logs, JSON of another kind stands in the place of one.
    const isInPlace = this.#claims && logEnding.test(this.#path) && layoutOf(this.#path)?.isDigest === false;
    return isInPlace
      ? { verdict: 'bad', reason: 'named as a CloudTrail log, but without a list of records' }
      : { verdict: 'other' };
  }

  #begin(chunk: Buffer): Buffer {
    this.#begun = true;
    let bytes = chunk;
    const [first, second] = chunk;
    if (first === 0xef && second === 0xbb && chunk[2] === 0xbf) bytes = chunk.subarray(3);
    else if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0))
      this.#decoder = new TextDecoder('utf-16le');
    else if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0))
      this.#decoder = new TextDecoder('utf-16be');
    // A separate decoder: the streaming one must see these bytes once.
    const start = this.#decoder
      ? new TextDecoder(this.#decoder.encoding).decode(bytes.subarray(0, 512))
      : bytes.toString('latin1', 0, 512);
    this.#claims ||= jsonStart.test(start);
    // A log of another kind is no damaged CloudTrail file, whatever its name claims.
    if (startsLikeFlows(start)) this.#claims = false;
    return bytes;
  }

  #item(bytes: Buffer, line: number): void {
    const value = jsonOf(bytes.toString('utf8'));
    if (value === undefined) this.#broken(bytes, line);
    else this.#unwrap(value);
  }

  #unwrap(value: unknown): void {
    unwrap(value, {
      record: (record) => {
        this.#records += 1;
        if (!this.#reader.full()) this.#reader.record(record);
      },
      digest: () => {
        this.#digests += 1;
      },
      other: () => {
        this.#others += 1;
      },
      nearly: (reason) => {
        this.#nearly += 1;
        this.#firstNearly ??= reason;
      },
    });
  }

  /** In NDJSON one cut-off line may have swallowed whole ones. */
  #broken(bytes: Buffer, line: number): void {
    this.#fault(`broken JSON (line ${line})`);
    const lines = bytes.toString('utf8').split('\n');
    if (lines.length < 2) return;
    for (const text of lines) {
      const value = text.startsWith('{') ? jsonOf(text) : undefined;
      if (value !== undefined) this.#unwrap(value);
    }
  }

  #fault(reason: string): void {
    this.#faults += 1;
    this.#firstFault ??= reason;
  }
}
