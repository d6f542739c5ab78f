/**
 * What is kept, with the records on top that came in and are not in the lake yet: held in memory for those principals that they are of.
 * After a restart the lake brings these records again.
 */
import type { AddressBook } from '../../contracts/address.ts';
import type { PastFinding } from '../../contracts/baseline.ts';
import type { CloudTrailRecord } from '../../contracts/cloudtrail.ts';
import type { Log } from '../../contracts/log.ts';
import { Baseline, type Touched } from '../../domain/baseline/baseline.ts';
import { bucketOf, GonePast, noPast, type PastPage, readBucket, SpoiltPast, usablePage } from './baseline-files.ts';

const maxPrincipals = 5_000;
/** Records that are put on top again when what is kept has changed: the lake has the older ones by then. */
const recentMs = 6 * 3_600_000;
const maxRecent = 20_000;

export interface LiveOptions {
  addresses(): Promise<AddressBook | undefined>;
  readonly log: Log;
  /** Called where a file does not read back. */
  onSpoilt(): void;
}

export class LivePast {
  readonly #dir: string;
  readonly #options: LiveOptions;
  #live: Baseline | undefined;
  /** Principals and keys that were looked for in what is kept. */
  #loaded = new Set<string>();
  /** The page that they were loaded from. */
  #key = '';
  #recent: CloudTrailRecord[] = [];
  #turn: Promise<unknown> = Promise.resolve();

  constructor(dir: string, options: LiveOptions) {
    this.#dir = dir;
    this.#options = options;
  }

  /** One call at a time: each looks at what the one before has added. */
  compare(records: readonly CloudTrailRecord[]): Promise<readonly PastFinding[]> {
    const answer = this.#turn.then(() => this.#compare(records));
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  async #compare(records: readonly CloudTrailRecord[]): Promise<readonly PastFinding[]> {
    const kept = await usablePage(this.#dir);
    // What cannot be used counts as nothing kept: then nobody has a past, and nothing is called new.
    const page = kept?.whole ? kept : noPast;
    const live = await this.#open(page);
    await this.#load(live, page, records);
    const found: PastFinding[] = [];
    for (const record of records) {
      const touched = touchedBy(record);
      if (touched === undefined) continue;
      const before = new Set(live.found(touched).map(keyOf));
      live.observe(record);
      for (const one of live.found(touched)) if (!before.has(keyOf(one))) found.push(one);
    }
    this.#recent.push(...records);
    return found;
  }

  /** Begins anew where what is kept has changed, or where it holds too much. */
  async #open(page: PastPage): Promise<Baseline> {
    const key = Object.values(page.buckets)
      .map((bucket) => bucket?.file)
      .join();
    if (this.#live !== undefined && key === this.#key && this.#live.profiles.size < maxPrincipals) return this.#live;
    const live = new Baseline(await this.#options.addresses());
    const newest = Math.max(0, ...this.#recent.slice(-1_000).map(({ eventTime }) => Date.parse(eventTime) || 0));
    this.#recent = this.#recent.slice(-maxRecent).filter(({ eventTime }) => Date.parse(eventTime) > newest - recentMs);
    this.#loaded = new Set();
    await this.#load(live, page, this.#recent);
    for (const record of this.#recent) live.observe(record);
    this.#live = live;
    this.#key = key;
    return live;
  }

  async #load(live: Baseline, page: PastPage, records: readonly CloudTrailRecord[]): Promise<void> {
    const wanted = new Set(
      records.flatMap((record) => {
        const touched = touchedBy(record);
        return touched ? [touched.group, ...touched.keys] : [];
      }),
    );
    const fresh = [...wanted].filter((name) => !this.#loaded.has(name));
    for (const [bucket, names] of Map.groupBy(fresh, bucketOf)) {
      try {
        live.merge(await readBucket(this.#dir, page.buckets[bucket], new Set(names)));
      } catch (error) {
        // Replaced meanwhile, or damaged: the next page has them.
        if (error instanceof SpoiltPast) this.#options.onSpoilt();
        else if (!(error instanceof GonePast)) throw error;
        this.#key = '';
        this.#options.log.warn({ bucket, why: error.message }, 'a part of the baselines could not be read');
        continue;
      }
      for (const name of names) this.#loaded.add(name);
    }
  }
}

/** Whom a record would be added to. */
function touchedBy(record: CloudTrailRecord): Touched | undefined {
  return new Baseline().observe(record);
}

function keyOf({ rule, group, sighting }: PastFinding): string {
  return `${rule}\n${group}\n${sighting.eventId}\n${sighting.at}`;
}
