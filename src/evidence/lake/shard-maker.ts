/** Makes shards, one after the other: files and records in, a Parquet file with its words out. Nothing of it counts before its page is written. */
import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isoOf } from '../../domain/window.ts';
import { letGo } from './let-go.ts';
import { flush, type LakeFolder, type ShardPage } from './pages.ts';
import { columnNames, ParquetShard, type WrittenGroup } from './parquet-shard.ts';
import { type CarefulRead, readCarefully, sha256, unpackHere } from './prepare.ts';
import { RecordFields } from './record-fields.ts';
import { screen } from './screen.ts';
import { Sheaf } from './sheaf.ts';
import { joinFilters, type WordsPage, wordsKind } from './words.ts';

export type ShardFacts = Pick<ShardPage, 'shard' | 'words' | 'columns' | 'first' | 'last' | 'accounts' | 'regions'>;

/** More than a shard holds, unless one of its files is very large. */
const usuallyHeld = 96 * 1024 * 1024;
/** Of small records the numbers take more than the texts. */
const mostRows = 250_000;

const pieceBytes = 256 * 1024;

export interface AddedFile {
  /** Unpacked bytes. */
  readonly bytes: number;
  /** Of what was packed, where it was asked for. */
  readonly plain: string | undefined;
  /** Absent where the file has to be added by `addCarefully`. */
  readonly records: number | undefined;
}

export class ShardMaker {
  readonly #folder: LakeFolder;
  readonly #mostHeld: number;
  readonly #fields = new RecordFields();
  readonly #sheaf = new Sheaf();
  #shard: { readonly path: string; readonly parquet: ParquetShard } | undefined;
  readonly #accounts = new Set<string>();
  readonly #regions = new Set<string>();
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  /** @param mostHeld bytes of rows that are kept in memory before they are written out */
  constructor(folder: LakeFolder, mostHeld = usuallyHeld) {
    this.#folder = folder;
    this.#mostHeld = mostHeld;
  }

  /**
   * Adds a file as CloudTrail delivers it. Throws what the file system says.
   * @param file its number in the shard
   * @param packed gzip or not
   */
  add(file: number, packed: Buffer, hashPlain: boolean): AddedFile {
    const content = unpackHere(packed);
    if (content === undefined) return { bytes: 0, plain: undefined, records: undefined };
    const plain = hashPlain ? sha256(content) : undefined;
    if (this.#sheaf.size + content.length > this.#mostHeld || this.#sheaf.rows > mostRows) this.#writeOut();
    const [from, to] = this.#sheaf.hold(content);
    const bytes = content.length;
    letGo(content);
    const before = this.#sheaf.rows;
    const isAdded = this.#addHeld(file, from, to);
    if (!isAdded) this.#sheaf.letGo(from, before);
    this.#fields.shrink();
    return { bytes, plain, records: isAdded ? this.#sheaf.rows - before : undefined };
  }

  /** In pieces that stay in the fastest memory from the first look to the last. False where it is not written as CloudTrail writes. */
  #addHeld(file: number, from: number, to: number): boolean {
    const [fields, sheaf] = [this.#fields, this.#sheaf];
    fields.begin(sheaf.bytes, from, to);
    for (;;) {
      const read = fields.more(sheaf.bytes, pieceBytes);
      const screened = read === 'other' ? undefined : screen(sheaf.bytes, fields);
      if (screened === undefined) return false;
      sheaf.addRecords(fields, screened, file);
      if (read === 'end') return true;
    }
  }

  /** Adds a file of any form, record by record, saving what can be saved. @param place in the file system */
  async addCarefully(file: number, place: string, path: string, size: number): Promise<CarefulRead> {
    return readCarefully(place, path, size, (record) => {
      if (this.#sheaf.size > this.#mostHeld || this.#sheaf.rows > mostRows) this.#writeOut();
      this.#sheaf.addRecord(record, file);
    });
  }

  /** Makes a shard of what was added, and begins the next. Rejects with what the file system says; nothing of it counts then. */
  async finish(name: string): Promise<ShardFacts> {
    this.#writeOut();
    const { parquet, path } = this.#shard ?? {};
    const accounts = [...this.#accounts].sort();
    const regions = [...this.#regions].sort();
    const [first, last] = [this.#first, this.#last].map((ms) => (Number.isFinite(ms) ? isoOf(ms) : ''));
    if (parquet === undefined || path === undefined) return { accounts, regions };
    const { rows, groups, filled } = parquet;
    const { bytes, sha256: hash } = parquet.finish();
    this.#shard = undefined;
    const words = this.#writeWords(name, groups);
    renameSync(path, join(this.#folder.shards, `${name}.parquet`));
    await flush(this.#folder.shards);
    this.discard();
    const shard = { name: `${name}.parquet`, rows, bytes, sha256: hash };
    return { shard, words, columns: [...filled], first, last, accounts, regions };
  }

  /** Forgets what was added since the last shard. */
  discard(): void {
    this.#sheaf.clear();
    this.#shard?.parquet.close();
    if (this.#shard) rmSync(this.#shard.path, { force: true });
    this.#shard = undefined;
    this.#accounts.clear();
    this.#regions.clear();
    this.#first = Number.POSITIVE_INFINITY;
    this.#last = Number.NEGATIVE_INFINITY;
  }

  #writeOut(): void {
    const sheaf = this.#sheaf;
    if (sheaf.rows === 0) return;
    this.#shard ??= this.#begin();
    for (let row = 0; row < sheaf.rows; row++) {
      this.#first = Math.min(this.#first, sheaf.times[row] as number);
      this.#last = Math.max(this.#last, sheaf.times[row] as number);
    }
    for (const account of sheaf.textsOf('account')) this.#accounts.add(account);
    for (const region of sheaf.textsOf('awsRegion')) this.#regions.add(region.replaceAll('"', ''));
    for (const texts of [this.#accounts, this.#regions]) texts.delete('');
    this.#shard.parquet.add(sheaf);
    sheaf.clear();
  }

  /** Its groups get numbers that no other shard has, but for bad luck, which costs a little time and no record. */
  #begin() {
    const path = join(this.#folder.temp, `${randomBytes(8).toString('hex')}.parquet`);
    return { path, parquet: new ParquetShard(path, randomBytes(4).readUInt32LE() * 1_048_576) };
  }

  #writeWords(shard: string, groups: readonly WrittenGroup[]): WordsPage {
    const { bits, places } = joinFilters(new Map(groups.map(({ number, words }) => [number, words])));
    const name = `${shard}.words`;
    writeFileSync(join(this.#folder.shards, name), new Uint8Array(bits.buffer), { mode: 0o600, flush: true });
    const rowGroups = { columns: columnNames, places: groups.map(({ place }) => place) };
    return { name, kind: wordsKind, bytes: bits.byteLength, groups: places, rowGroups };
  }
}
