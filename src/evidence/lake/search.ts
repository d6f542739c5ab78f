/** Any text in the bodies of records: columns are looked through row group by row group, without DuckDB where it may. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { asError } from '../../contracts/errors.ts';
import type { Log } from '../../contracts/log.ts';
import { needleOf, searchedFields } from '../../domain/text-search.ts';
import type { Row } from './columns.ts';
import { groupThreads } from './group-threads.ts';
import type { Limits } from './limits.ts';
import { placesIn } from './places.ts';
import type { Shard } from './reader.ts';
import { picksOf } from './shards.ts';
import { rowsHolding } from './text-search.ts';

interface LakeSearch {
  readonly text: string;
  readonly shards: readonly Shard[];
  /** What is within the window, as it was asked and in SQL, and how many rows DuckDB gives at most. */
  readonly limits: {
    readonly only: Limits;
    readonly sql: readonly string[];
    readonly values: Readonly<Record<string, string>>;
    readonly rows: number;
  };
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * Rows that may hold the text, some at a time. Rejects when the signal aborts and with what DuckDB says, which is asked about
 * shards of earlier versions and where a row group is not as it should be.
 * @param onDamage told of row groups that were changed since they were written
 */
export async function* searchLake(
  search: LakeSearch,
  connect: () => Promise<DuckDBConnection>,
  onDamage: (reason: string) => void,
): AsyncGenerator<readonly Row[]> {
  const { text, shards, limits, signal, log } = search;
  let far: readonly Shard[] = shards;
  if (needleOf(text) !== '') {
    try {
      const anyOf = [{ columns: searchedFields, needle: { text: needleOf(text), isWhole: false, isCaseBlind: false } }];
      const reading = { anyOf, limits: limits.only, checksAll: false, signal, onDamage };
      yield* groupThreads.rowsIn(
        shards.flatMap((shard) => placesIn(shard)),
        reading,
      );
      far = shards.filter(({ rowGroups }) => rowGroups === undefined);
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ error: asError(error) }, 'row groups of the lake were not as expected, DuckDB is asked');
    }
  }
  if (far.length === 0) return;
  const { sql: conditions, values, rows: limit } = limits;
  const paths = far.map(({ path }) => path);
  yield await rowsHolding(await connect(), { text, shards: paths, picks: picksOf(far), conditions, values, limit });
}
