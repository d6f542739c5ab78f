/** The texts of one column of a shard in the making. Equal ones are one as far as that is found cheaply, so that they are looked at and written once. */

import { grown } from './grown.ts';

/** Where most texts differ, looking for equal ones costs more than it spares. */
const judgedAfter = 4096;
const mostDifferent = 0.7;
const mostProbes = 64;
const nothing = new DataView(new ArrayBuffer(0));

export class Values {
  /** How many there are; their numbers begin at 0. */
  count = 0;
  /** Where each lies in the bytes of the shard. */
  starts: Int32Array = new Int32Array(1024);
  ends: Int32Array = new Int32Array(1024);
  #hashes: Int32Array = new Int32Array(1024);
  /** Numbers by hash, one more than they are; twice as many places as texts. */
  #places = new Int32Array(2048);
  #added = 0;
  /** Of the bytes that texts lie in: eight at a time are compared three times as fast as one. */
  #view: DataView = nothing;
  readonly #isAlike: boolean;
  #isApart: boolean;

  /** @param alike false: a column of ids, in which nothing comes twice */
  constructor(alike = true) {
    this.#isAlike = alike;
    this.#isApart = !alike;
  }

  /** True where equal texts may have different numbers. */
  get isApart(): boolean {
    return this.#isApart;
  }

  /** The number of the text at this place. @param hash by `hashOf` */
  add(bytes: Buffer, from: number, to: number, hash: number): number {
    if (this.#isApart) return this.#append(from, to, hash);
    this.#added += 1;
    const mask = this.#places.length - 1;
    let place = (hash ^ (hash >>> 15)) & mask;
    for (let probes = 0; ; probes++) {
      const number = (this.#places[place] as number) - 1;
      if (number < 0) break;
      // Somebody may have made texts that share a hash.
      if (probes === mostProbes) return this.#append(from, to, hash);
      if (this.#hashes[number] === hash && this.#isAt(bytes, number, from, to)) {
        // Where it was seen last is near in memory when it comes again.
        this.starts[number] = from;
        this.ends[number] = to;
        return number;
      }
      place = (place + 1) & mask;
    }
    const number = this.#append(from, to, hash);
    this.#places[place] = number + 1;
    if (this.count * 2 > this.#places.length) this.#widen();
    if (this.#added === judgedAfter) this.#isApart = this.count > judgedAfter * mostDifferent;
    return number;
  }

  /** Forgets them all, for the next rows. */
  clear(): void {
    this.count = 0;
    this.#added = 0;
    this.#isApart = !this.#isAlike;
    this.#places.fill(0);
    // The bytes must not be kept for this.
    this.#view = nothing;
  }

  #isAt(bytes: Buffer, number: number, from: number, to: number): boolean {
    const start = this.starts[number] as number;
    const length = to - from;
    if ((this.ends[number] as number) - start !== length) return false;
    let i = 0;
    if (length >= 8) {
      const view = this.#viewOf(bytes);
      for (; i + 8 <= length; i += 8)
        if (view.getBigInt64(start + i, true) !== view.getBigInt64(from + i, true)) return false;
    }
    for (; i < length; i++) if (bytes[start + i] !== bytes[from + i]) return false;
    return true;
  }

  #viewOf(bytes: Buffer): DataView {
    if (this.#view.buffer !== bytes.buffer) this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.#view;
  }

  #append(from: number, to: number, hash: number): number {
    const number = this.count++;
    if (number === this.starts.length) {
      this.starts = grown(this.starts);
      this.ends = grown(this.ends);
      this.#hashes = grown(this.#hashes);
    }
    this.starts[number] = from;
    this.ends[number] = to;
    this.#hashes[number] = hash;
    return number;
  }

  #widen(): void {
    const places = new Int32Array(this.#places.length * 2);
    const mask = places.length - 1;
    for (let number = 0; number < this.count; number++) {
      const hash = this.#hashes[number] as number;
      let place = (hash ^ (hash >>> 15)) & mask;
      while (places[place] !== 0) place = (place + 1) & mask;
      places[place] = number + 1;
    }
    this.#places = places;
  }
}
