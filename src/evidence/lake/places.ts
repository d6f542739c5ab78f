/** Where in the lake the records with a word may lie. */
import type { GroupPlace } from './group-reader.ts';
import type { Shard } from './reader.ts';
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
export function placesOf(shards: readonly Shard[], word: string | undefined): ShardPlaces {
  const all = { shards, sql: [], rows: Number.POSITIVE_INFINITY };
  if (word === undefined || shards.some((shard) => !shard.filters)) return all;
  const hash = hashOfWord(word);
  const found = shards.map((shard) => ({ shard, groups: shard.filters?.groupsWith(hash) ?? [] }));
  const groups = found.flatMap((one) => one.groups);
  const isFew = groups.length <= maxGroups;
  return {
    shards: found.flatMap(({ shard, groups: some }) => (some.length > 0 ? shard : [])),
    sql: isFew ? [`grp IN (${groups.join(', ')})`] : [],
    rows: isFew ? groups.length * rowsPerGroup : Number.POSITIVE_INFINITY,
  };
}

/** More groups than this are most of the lake. */
const maxGroups = 4000;

/**
 * The row groups that may hold the word, where they are few enough to be read one by one, and the shards of which nobody has
 * noted where their row groups lie or which words they have.
 */
export function splitPlaces(
  shards: readonly Shard[],
  word: string,
  mostGroups = fewGroups,
): { readonly near: readonly GroupPlace[]; readonly far: readonly Shard[] } {
  const hash = hashOfWord(word);
  const near: GroupPlace[] = [];
  const far: Shard[] = [];
  for (const shard of shards) {
    const groups = shard.rowGroups && shard.filters?.groupsWith(hash);
    if (groups === undefined) far.push(shard);
    else if (groups.length > 0) near.push(...placesIn(shard, groups));
    if (near.length > mostGroups) return { near: [], far: shards };
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
