/** One shard in the making: files in, their pages and that of the shard out. */
import type { Fetched } from './fetch.ts';
import type { Maker } from './makers.ts';
import { type FilePage, type LakeFolder, type ShardPage, writePage } from './pages.ts';

/** About 60,000 records, or many small files. */
export const usualShardBytes = 80 * 1024 * 1024;
const fullFiles = 20_000;

export interface BatchTools {
  readonly maker: Maker;
  readonly folder: LakeFolder;
  readonly source: string;
  /** Unpacked bytes of a shard. */
  readonly shardBytes: number;
}

export class Batch {
  readonly #tools: BatchTools;
  readonly #files: FilePage[] = [];
  #bytes = 0;

  constructor(tools: BatchTools) {
    this.#tools = tools;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#tools.shardBytes || this.#files.length >= fullFiles;
  }

  get isEmpty(): boolean {
    return this.#files.length === 0;
  }

  /** Adds a file that held nothing to import. */
  note(page: FilePage): void {
    this.#files.push(page);
  }

  /**
   * Adds a file: as CloudTrail delivers them where it is one of those, else record by record. Returns the hash of what was packed
   * in it, where that was asked for. Rejects with what the source or the file system says.
   */
  async add({ page, packed, again, hashPlain }: Fetched): Promise<string | undefined> {
    const { maker } = this.#tools;
    const number = this.#files.length;
    // Its place, whatever becomes of it.
    this.#files.push({ ...page, records: 0, verdict: 'other' });
    const added = packed && (await maker.add(number, packed, hashPlain));
    const told = { ...page, ...(added?.plain ? { plain: added.plain } : {}) };
    if (added?.records !== undefined) {
      this.#bytes += added.bytes;
      this.#files[number] = { ...told, records: added.records, verdict: 'log' };
      return added.plain;
    }
    const { file, close } = await again.open();
    try {
      const { records, verdict, reason } = await maker.addCarefully(number, file, page.path, again.size);
      this.#bytes += records * bytesPerRecord;
      this.#files[number] = { ...told, records, verdict, ...(reason === undefined ? {} : { reason }) };
    } finally {
      await close();
    }
    return added?.plain;
  }

  /** Writes the shard and its page. Rejects with what the file system says; nothing of it counts then. */
  async finish(name: string, importedAt: string): Promise<ShardPage> {
    const { maker, folder, source } = this.#tools;
    const facts = await maker.finish(name);
    const records = this.#files.reduce((sum, file) => sum + file.records, 0);
    if ((facts.shard?.rows ?? 0) !== records)
      throw new Error(`A shard has ${facts.shard?.rows ?? 0} rows of ${records} records: it does not count.`);
    const page: ShardPage = { version: 1, source, importedAt, ...facts, files: this.#files };
    await writePage(folder.shards, `${name}.json`, page);
    return page;
  }
}

const bytesPerRecord = 1300;
