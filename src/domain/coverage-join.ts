/** Coverage of answers that rest on more than one source. */
import type { Coverage } from '../contracts/evidence.ts';

/** Both were needed: what either lacks, the answer lacks. */
export function bothCoverages(first: Coverage, second: Coverage): Coverage {
  const distinct = (a: readonly string[], b: readonly string[]) => [...new Set([...a, ...b])].sort();
  const told = [first, second].filter(({ from }) => from !== '');
  return {
    complete: first.complete && second.complete,
    accounts: distinct(first.accounts, second.accounts),
    regions: distinct(first.regions, second.regions),
    from: told.map(({ from }) => from).sort()[0] ?? '',
    to: [first.to, second.to].sort().at(-1) ?? '',
    sources: [...first.sources, ...second.sources],
    badFiles: [...new Map([...first.badFiles, ...second.badFiles].map((file) => [file.path, file])).values()],
    notLookedAt: [...new Set([...first.notLookedAt, ...second.notLookedAt])],
  };
}
