/**
 * Cuts a stream of bytes into JSON values without holding the whole: NDJSON, concatenated and pretty-printed objects, arrays,
 * and the elements of `{"Records":[...]}` and its kin, of any size. A broken value costs itself, not what follows.
 */

export interface JsonItemsSink {
  /** The bytes of one object or string. `line` is where it ends, counted from 1. Valid only during the call. */
  item(bytes: Buffer, line: number): void;
  /** Bytes of a value that cannot be JSON; what is whole inside them may be saved line by line. */
  broken(bytes: Buffer, line: number): void;
  /** What was not JSON, in words. */
  fault(reason: string): void;
  /** A `Records` array or an array at the top, also an empty one. */
  container(): void;
}

/** CloudTrail writes at most 256 KB per record; anything this large is no record. */
const maxItemBytes = 32 * 1024 * 1024;
const maxTrackedDepth = 1024;
const containerKey = /"(?:Records|records|Events|events|logEvents)"\s*:\s*$/;

const OBJECT = 1;
const ARRAY = 2;

export class JsonItems {
  readonly #sink: JsonItemsSink;
  /** Arrays and objects around the current item whose elements are items themselves. */
  readonly #frames: number[] = [];
  readonly #stack = new Uint8Array(maxTrackedDepth + 1);
  #depth = 0;
  #inItem = false;
  #inString = false;
  #escaped = false;
  #previous = 0;
  #token = '';
  #skipLine = false;
  #line = 1;
  #parts: Buffer[] = [];
  #partBytes = 0;
  #start = 0;
  #tooLarge = false;

  constructor(sink: JsonItemsSink) {
    this.#sink = sink;
  }

  push(chunk: Buffer): void {
    const length = chunk.length;
    this.#start = 0;
    let i = 0;
    while (i < length) {
      if (this.#inString) i = this.#string(chunk, i);
      else if (this.#inItem) i = this.#inside(chunk, i);
      else i = this.#between(chunk, i);
    }
    if (this.#inItem) this.#keep(chunk.subarray(this.#start));
  }

  end(): void {
    this.#endToken();
    if (this.#inItem || this.#frames.length > 0) this.#sink.fault(`ends in the middle of a value (line ${this.#line})`);
  }

  /** Inside a string; returns the index after its end, or the end of the chunk. */
  #string(chunk: Buffer, from: number): number {
    let i = from;
    if (this.#escaped) {
      this.#escaped = false;
      i += 1;
    }
    for (; i < chunk.length; i++) {
      const byte = chunk[i];
      if (byte === 0x22) {
        this.#inString = false;
        this.#previous = 0x22;
        if (this.#depth === 0) this.#finish(chunk, i + 1);
        return i + 1;
      }
      if (byte === 0x5c) {
        i += 1;
        if (i === chunk.length) this.#escaped = true;
      } else if (byte === 0x0a) {
        // JSON has no raw line break in a string: the line was cut off.
        this.#drop(chunk, i);
        this.#line += 1;
        return i + 1;
      }
    }
    return chunk.length;
  }

  /** Inside an object, outside its strings. */
  #inside(chunk: Buffer, from: number): number {
    for (let i = from; i < chunk.length; i++) {
      const byte = chunk[i] as number;
      if (byte === 0x20 || byte === 0x0d || byte === 0x09) continue;
      if (byte === 0x0a) {
        this.#line += 1;
        continue;
      }
      if (byte === 0x22) {
        this.#inString = true;
        return i + 1;
      }
      if (byte === 0x7b || byte === 0x5b) {
        if (!this.#mayOpen()) {
          // The value before was cut off and another begins here.
          this.#drop(chunk, i);
          return i;
        }
        if (byte === 0x5b && this.#depth === 1 && this.#previous === 0x3a && this.#isContainer(chunk, i)) {
          this.#openContainer();
          return i + 1;
        }
        this.#depth += 1;
        if (this.#depth <= maxTrackedDepth) this.#stack[this.#depth] = byte === 0x7b ? OBJECT : ARRAY;
      } else if (byte === 0x7d || byte === 0x5d) {
        this.#depth -= 1;
        if (this.#depth === 0) {
          this.#finish(chunk, i + 1);
          return i + 1;
        }
      }
      this.#previous = byte;
    }
    return chunk.length;
  }

  /** Between items. */
  #between(chunk: Buffer, from: number): number {
    for (let i = from; i < chunk.length; i++) {
      const byte = chunk[i] as number;
      if (byte === 0x0a) {
        this.#endToken();
        this.#line += 1;
        this.#skipLine = false;
      } else if (this.#skipLine) {
      } else if (byte === 0x20 || byte === 0x0d || byte === 0x09 || byte === 0x2c) {
        this.#endToken();
      } else if (byte === 0x7b || byte === 0x22) {
        this.#endToken();
        if (this.#skipLine) continue;
        this.#open(i, byte);
        return i + 1;
      } else if (byte === 0x5b) {
        this.#endToken();
        if (this.#skipLine) continue;
        this.#frames.push(ARRAY);
        this.#sink.container();
      } else if (byte === 0x5d || byte === 0x7d) {
        this.#endToken();
        if (this.#closeFrame(byte, i)) return i + 1;
      } else if (this.#token.length < 40) {
        this.#token += String.fromCharCode(byte);
      }
    }
    return chunk.length;
  }

  /** A word between items: JSON's own, a number, or a time stamp before a record (as log exports write). */
  #endToken(): void {
    if (this.#token === '') return;
    if (!/^(true|false|null|[-+\d][\w.:+-]*)$/.test(this.#token)) {
      this.#sink.fault(this.#token.startsWith('<') ? 'an HTML or XML page, not JSON' : `not JSON (line ${this.#line})`);
      this.#skipLine = true;
    }
    this.#token = '';
  }

  /** True where the scan goes on inside the object around the array that ended. */
  #closeFrame(byte: number, at: number): boolean {
    if (byte === 0x5d && this.#frames.at(-1) === ARRAY) {
      this.#frames.pop();
      if (this.#frames.at(-1) !== OBJECT) return false;
      this.#open(at, 0x7b);
      this.#previous = byte;
      return true;
    }
    this.#sink.fault(`a bracket too many (line ${this.#line})`);
    return false;
  }

  #open(at: number, byte: number): void {
    this.#inItem = true;
    this.#inString = byte === 0x22;
    this.#depth = byte === 0x7b ? 1 : 0;
    this.#stack[1] = OBJECT;
    this.#previous = byte;
    this.#start = at;
    this.#parts = [];
    this.#partBytes = 0;
    this.#tooLarge = false;
  }

  /** `{` and `[` stand after a colon, or in an array after its bracket or a comma; anywhere else something is missing. */
  #mayOpen(): boolean {
    if (this.#previous === 0x3a || this.#previous === 0x5b) return true;
    if (this.#depth > maxTrackedDepth) return true;
    return this.#previous === 0x2c && this.#stack[this.#depth] === ARRAY;
  }

  #isContainer(chunk: Buffer, at: number): boolean {
    const near = chunk.subarray(Math.max(this.#start, at - 64), at);
    const before = near.length < 64 ? Buffer.concat([...this.#parts.slice(-64), near]).subarray(-64) : near;
    return containerKey.test(before.toString('latin1'));
  }

  #openContainer(): void {
    if (!this.#isTail()) this.#frames.push(OBJECT);
    this.#frames.push(ARRAY);
    this.#inItem = false;
    this.#parts = [];
    this.#sink.container();
  }

  /** The rest of an object whose `Records` have been read: nothing of it is an item. */
  #isTail(): boolean {
    return this.#frames.at(-1) === OBJECT;
  }

  #keep(bytes: Buffer): void {
    this.#partBytes += bytes.length;
    if (this.#partBytes > maxItemBytes) {
      this.#tooLarge = true;
      this.#parts = [];
    } else if (!this.#tooLarge) {
      // The stream may use its buffer again.
      this.#parts.push(Buffer.from(bytes));
    }
  }

  #bytes(chunk: Buffer, end: number): Buffer {
    const rest = chunk.subarray(this.#start, end);
    return this.#parts.length === 0 ? rest : Buffer.concat([...this.#parts, rest]);
  }

  #finish(chunk: Buffer, end: number): void {
    this.#inItem = false;
    if (this.#isTail()) this.#frames.pop();
    else if (this.#tooLarge)
      this.#sink.fault(`a value larger than ${maxItemBytes / 1_048_576} MB (line ${this.#line})`);
    else this.#sink.item(this.#bytes(chunk, end), this.#line);
    this.#parts = [];
  }

  #drop(chunk: Buffer, end: number): void {
    if (this.#isTail()) this.#frames.pop();
    if (!this.#tooLarge) this.#sink.broken(this.#bytes(chunk, end), this.#line);
    else this.#sink.fault(`broken JSON (line ${this.#line})`);
    this.#inItem = false;
    this.#inString = false;
    this.#escaped = false;
    this.#parts = [];
  }
}
