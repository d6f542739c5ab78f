/** The records of a batch that came through the door, as lines of NDJSON beside the prepared ones, with their words. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import { carefulLine, carefulSelect } from './columns.ts';
import { hashOfWord, WordFilter } from './words.ts';

/** They come one by one, and are parted by principal into so many groups behind those of the prepared lines. */
const parts = 16;
const firstGroup = 1_000_000;
const linesAtOnce = 500;
const flushBytes = 1024 * 1024;

export class CarefulLines {
  readonly #path: string;
  readonly #words = new Map<number, WordFilter>();
  #fd: number | undefined;
  #lines: string[] = [];
  #characters = 0;
  #written = 0;
  #longest = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Of all lines, about. */
  get bytes(): number {
    return this.#characters;
  }

  /** @param file its number in the batch */
  add(record: CloudTrailRecord, file: number): void {
    const group = firstGroup + (hashOfWord(record.userIdentity.arn ?? record.sourceIPAddress) & (parts - 1));
    const line = carefulLine(record, file, group);
    const text = Buffer.from(JSON.stringify(record));
    const words = this.#words.get(group) ?? new WordFilter();
    words.add(text, 0, text.length);
    this.#words.set(group, words);
    this.#lines.push(line);
    this.#characters += line.length;
    this.#longest = Math.max(this.#longest, Buffer.byteLength(line));
    if (this.#lines.length >= linesAtOnce) this.#flush();
  }

  /** Where the lines end by now. */
  mark(): number {
    this.#flush();
    return this.#written;
  }

  /** Takes back what came after the mark; its words stay, which costs a little time. */
  cutBack(mark: number): void {
    this.#flush();
    if (this.#fd !== undefined) ftruncateSync(this.#fd, mark);
    this.#written = mark;
  }

  /** Reads them into the columns of `batch`; undefined where there are none. */
  select(): string | undefined {
    this.#flush();
    return this.#written === 0 ? undefined : carefulSelect(this.#path, this.#longest);
  }

  /** The filters of their groups, once. */
  takeFilters(): ReadonlyMap<number, Uint32Array> {
    return new Map([...this.#words].map(([group, words]) => [group, words.take()]));
  }

  async discard(): Promise<void> {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    await rm(this.#path, { force: true });
  }

  #flush(): void {
    if (this.#lines.length === 0) return;
    this.#fd ??= openSync(this.#path, 'wx', 0o600);
    const bytes = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    for (let at = 0; at < bytes.length; ) {
      const room = Math.min(flushBytes, bytes.length - at);
      at += writeSync(this.#fd, bytes, at, room, this.#written + at);
    }
    this.#written += bytes.length;
  }
}
