/** Reads records of shards into baselines. */
import { join } from 'node:path';
import type { AddressBook } from '../../contracts/address.ts';
import { asError } from '../../contracts/errors.ts';
import type { Log } from '../../contracts/log.ts';
import { Baseline } from '../../domain/baseline/baseline.ts';
import { allBaselineRules } from '../../domain/baseline/rules.ts';
import { narrowingOf } from '../../domain/sigma/narrowing.ts';
import type { LakeFolder, ShardPage } from './pages.ts';
import { usableShards } from './shards.ts';

type Stored = NonNullable<ShardPage['shard']>;

/** Shards that are read at once: many small ones cost little more than one. */
const [maxRows, maxShards] = [300_000, 200];

/** In the order of their names, at most so many at a time. */
export function groupsOf(shards: readonly Stored[], most = maxShards): readonly (readonly Stored[])[] {
  const groups: Stored[][] = [];
  let rows = 0;
  for (const shard of shards.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const group = groups.at(-1);
    if (group === undefined || rows + shard.rows > maxRows || group.length >= most) {
      groups.push([shard]);
      rows = shard.rows;
    } else {
      group.push(shard);
      rows += shard.rows;
    }
  }
  return groups;
}

export interface ScanInput {
  readonly folder: LakeFolder;
  readonly pages: readonly ShardPage[];
  readonly log: Log;
  readonly signal: AbortSignal;
}

const narrowing = narrowingOf({ reporting: new Set(allBaselineRules), running: [] });

/** The shards as one baseline, with the names of those that were read; a shard that cannot be read takes no other with it. */
export async function scanGroup(
  shards: readonly Stored[],
  addresses: AddressBook | undefined,
  input: ScanInput,
): Promise<{ readonly baseline: Baseline; readonly read: readonly string[] }> {
  const baseline = new Baseline(addresses);
  const read = await scanInto(baseline, shards, input);
  if (read !== undefined) return { baseline, read };
  const whole = new Baseline(addresses);
  const names: string[] = [];
  for (const shard of shards) {
    const own = new Baseline(addresses);
    const one = shards.length > 1 ? await scanInto(own, [shard], input) : undefined;
    if (one === undefined) continue;
    whole.merge(own);
    names.push(...one);
  }
  return { baseline: whole, read: names };
}

/**
 * Adds all records of the shards to the baseline. Returns the names of those that were read in full; undefined where DuckDB failed in
 * the middle: then nothing of the baseline is to be used. Rejects when the signal aborts.
 */
async function scanInto(
  baseline: Baseline,
  shards: readonly Stored[],
  { folder, pages, log, signal }: ScanInput,
): Promise<readonly string[] | undefined> {
  const wanted = new Set(shards.map(({ name }) => name));
  const { shards: usable, lost } = await usableShards(
    folder,
    pages.filter(({ shard }) => shard !== undefined && wanted.has(shard.name)),
    {},
  );
  if (lost.length > 0) log.warn({ lost: lost.slice(0, 5) }, 'shards are gone or cut: baselines go without them');
  if (usable.length === 0) return [];
  // DuckDB is loaded by the first question that needs it.
  const { openReader } = await import('./reader.ts');
  const { scanLake } = await import('./scan.ts');
  const { connection, close } = await openReader(folder, usable);
  if (connection === undefined) return [];
  let damaged = 0;
  try {
    const records = scanLake({
      connection,
      shards: usable.map(({ path }) => path),
      limits: { sql: [], values: {} },
      narrowing,
      log,
      signal,
      onCount: () => undefined,
      onDamage: () => {
        damaged += 1;
      },
    });
    for await (const record of records) baseline.observe(record);
  } catch (error) {
    signal.throwIfAborted();
    log.warn({ shards: shards.length, error: asError(error).message.slice(0, 300) }, 'shards could not be read');
    return undefined;
  } finally {
    close();
  }
  if (damaged > 0) log.warn({ damaged }, 'records of the lake are damaged: baselines go without them');
  const paths = new Set(usable.map(({ path }) => path));
  return shards.flatMap(({ name }) => (paths.has(join(folder.shards, name)) ? [name] : []));
}
