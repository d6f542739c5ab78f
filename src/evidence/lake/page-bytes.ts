/** The bytes of a Parquet page in the making, in its encoding PLAIN; the memory of one serves the next. */

/** Shorter texts are copied faster here than by the engine. */
const shortText = 512;

export class PageBytes {
  #bytes = Buffer.allocUnsafeSlow(1024 * 1024);
  /** Of the page, and of the bytes that texts are taken from: eight bytes at a time are copied faster than one. */
  #target = viewOf(this.#bytes);
  #source = this.#target;
  size = 0;

  /** What was added since it was cleared; good until something is added. */
  all(): Buffer {
    return this.#bytes.subarray(0, this.size);
  }

  clear(): void {
    this.size = 0;
  }

  /** Adds the text that lies between two places, behind its length. */
  text(bytes: Buffer, from: number, to: number): void {
    const length = to - from;
    this.#grow(length + 4);
    const page = this.#bytes;
    let at = page.writeUInt32LE(length, this.size);
    if (length >= shortText) at += bytes.copy(page, at, from, to);
    else {
      let i = from;
      if (length >= 8) {
        const [source, target] = [this.#sourceOf(bytes), this.#target];
        for (; i + 8 <= to; i += 8, at += 8) target.setBigInt64(at, source.getBigInt64(i, true), true);
      }
      for (; i < to; i++) page[at++] = bytes[i] as number;
    }
    this.size = at;
  }

  bytes(more: Uint8Array): void {
    this.#grow(more.length);
    this.#bytes.set(more, this.size);
    this.size += more.length;
  }

  /** Adds 32 bits. */
  integer(one: number): void {
    this.#grow(4);
    this.size = this.#bytes.writeInt32LE(one, this.size);
  }

  /** Adds `one` times `unit` as 64 bits; both are whole. */
  bigInteger(one: number, unit: number): void {
    this.#grow(8);
    const whole = one * unit;
    // Times far from now are not exact as numbers; big integers are slow.
    if (!Number.isSafeInteger(whole)) this.#bytes.writeBigInt64LE(BigInt(one) * BigInt(unit), this.size);
    else {
      this.#bytes.writeUInt32LE(whole >>> 0, this.size);
      this.#bytes.writeInt32LE(Math.floor(whole / 2 ** 32), this.size + 4);
    }
    this.size += 8;
  }

  #grow(more: number): void {
    if (this.size + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.size + more));
    this.#bytes.copy(larger, 0, 0, this.size);
    this.#bytes = larger;
    this.#target = viewOf(larger);
  }

  #sourceOf(bytes: Buffer): DataView {
    if (this.#source.buffer !== bytes.buffer) this.#source = viewOf(bytes);
    return this.#source;
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
