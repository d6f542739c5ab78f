/** Any text in the bodies of records: unpacked columns are looked through in threads, one per core, without DuckDB where it may. */
import { availableParallelism } from 'node:os';
import type { DuckDBConnection } from '@duckdb/node-api';
import { asError } from '../../contracts/errors.ts';
import type { Log } from '../../contracts/log.ts';
import { needleOf, searchedFields } from '../../domain/text-search.ts';
import { startThread, type Thread } from '../thread.ts';
import type { Row } from './columns.ts';
import type { Limits } from './limits.ts';
import { placesIn } from './places.ts';
import type { Shard } from './reader.ts';
import type { SearchAnswer, SearchQuestion } from './search-worker.ts';
import { picksOf } from './shards.ts';
import { rowsHolding } from './text-search.ts';

export type SearchThreads = readonly Thread<SearchQuestion, SearchAnswer>[];

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
  readonly threads: SearchThreads;
  readonly signal: AbortSignal;
  readonly log: Log;
}

const mostThreads = 8;
/** Enough of them that no thread waits long for another at the end. */
const placesPerQuestion = 16;

/** They live as long as the session. */
export function startSearchThreads(): SearchThreads {
  const module = new URL('./search-worker.ts', import.meta.url);
  return Array.from({ length: Math.min(mostThreads, availableParallelism()) }, () => startThread(module));
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
      yield* inThreads(search, onDamage);
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

async function* inThreads(search: LakeSearch, onDamage: (reason: string) => void): AsyncGenerator<readonly Row[]> {
  const { threads, signal } = search;
  const questions = questionsOf(search);
  // One in work and one at hand for each thread.
  const asked: Promise<SearchAnswer>[] = [];
  for (let i = 0; i < questions.length; i++) {
    while (asked.length < Math.min(questions.length, i + threads.length * 2)) {
      const idlest = threads.reduce((a, b) => (b.waiting < a.waiting ? b : a));
      const answer = idlest.ask(questions[asked.length] as SearchQuestion);
      // Who stops early does not wait for it.
      answer.catch(() => undefined);
      asked.push(answer);
    }
    const answer = await (asked[i] as Promise<SearchAnswer>);
    asked[i] = nothing;
    signal.throwIfAborted();
    for (const reason of answer.damaged) onDamage(reason);
    if (answer.rows.length > 0) yield answer.rows;
  }
}

const nothing: Promise<SearchAnswer> = Promise.resolve({ rows: [], damaged: [] });

function questionsOf({ text, shards, limits }: LakeSearch): readonly SearchQuestion[] {
  const test = { columns: searchedFields, needle: { text: needleOf(text), isWhole: false, isCaseBlind: false } };
  const { window, accounts, regions } = limits.only;
  const only = { window: { from: window.from, to: window.to }, accounts, regions };
  return shards.flatMap((shard) => {
    const places = placesIn(shard);
    const parts = Math.ceil(places.length / placesPerQuestion);
    return Array.from({ length: parts }, (_, i) => ({
      places: places.slice(i * placesPerQuestion, (i + 1) * placesPerQuestion),
      test,
      limits: only,
    }));
  });
}
