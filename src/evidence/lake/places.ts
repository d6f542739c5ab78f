/** Where in the lake the records with a word may lie. */
import type { GroupPlace } from './group-reader.ts';
import type { Shard } from './reader.ts';
import { turns } from './turns.ts';
import { hashOfWord, rowsPerGroup } from './words.ts';

/** What DuckDB is asked. */
export interface ShardPlaces {
  readonly shards: readonly Shard[];
  /** Conditions that leave the other groups out. */
  readonly sql: readonly string[];
  /** About how many rows the groups have. */
  readonly rows: number;
}

/** Shards that may hold the word, and which of their groups. Where one has no filters, all are read as a whole. */
export async function placesOf(shards: readonly Shard[], word: string | undefined): Promise<ShardPlaces> {
  const all = { shards, sql: [], rows: Number.POSITIVE_INFINITY };
  if (word === undefined) return all;
  const hash = hashOfWord(word);
  const some: Shard[] = [];
  const groups: number[] = [];
  const turn = turns();
  for (const shard of shards) {
    const found = shard.filters?.groupsWith(hash);
    if (found === undefined) return all;
    if (found.length > 0) some.push(shard);
    for (const group of found) groups.push(group);
    await turn();
  }
  const isFew = groups.length <= maxGroups;
  return {
    shards: some,
    sql: isFew ? [`grp IN (${groups.join(', ')})`] : [],
    rows: isFew ? groups.length * rowsPerGroup : Number.POSITIVE_INFINITY,
  };
}

/** More groups than this are most of the lake. */
const maxGroups = 4000;

/**
 * The row groups that may hold the word, where they are few enough to be read one by one, and the shards of which nobody has
 * noted where their row groups lie or which words they have; without a word these are all.
 */
export async function splitPlaces(
  shards: readonly Shard[],
  word: string | undefined,
  mostGroups = fewGroups,
): Promise<{ readonly near: readonly GroupPlace[]; readonly far: readonly Shard[] }> {
  if (word === undefined) return { near: [], far: shards };
  const hash = hashOfWord(word);
  const near: GroupPlace[] = [];
  const far: Shard[] = [];
  const turn = turns();
  for (const shard of shards) {
    const groups = shard.rowGroups && shard.filters?.groupsWith(hash);
    if (groups === undefined) far.push(shard);
    else if (groups.length > 0) near.push(...placesIn(shard, groups));
    if (near.length > mostGroups) return { near: [], far: shards };
    await turn();
  }
  return { near, far };
}

/** Row groups of a shard, where they are known: all of them, or those with one of these groups. */
export function placesIn(
  { path, rowGroups, columns: filled }: Shard,
  groups?: readonly number[],
): readonly GroupPlace[] {
  return (rowGroups?.places ?? []).flatMap((group) => {
    const isMeant = groups?.some((number) => number >= group.lowest && number <= group.highest) ?? true;
    return isMeant ? { path, columns: rowGroups?.columns ?? [], filled, group } : [];
  });
}

/** So many take about as long as it takes DuckDB to start; it reads more of them faster, with all cores. */
const fewGroups = 256;
