/** What a session on the lake has looked at. */
import type { Coverage } from '../../contracts/evidence.ts';
import { badFilesOf, digestProblemsOf, gapsOf, holesOf } from './coverage.ts';
import { lakeName, type Pages, type ShardPage } from './pages.ts';

interface Asked {
  /** ISO 8601 UTC, half-open; an absent bound is open. */
  readonly window: { readonly from?: string | undefined; readonly to?: string | undefined };
  readonly accounts?: readonly string[] | undefined;
  readonly regions?: readonly string[] | undefined;
  readonly maxEvents: number;
}

interface State {
  readonly events: number;
  readonly truncated: boolean;
  readonly damagedRows: number;
  /** Why it could not be asked. */
  readonly failure: string | undefined;
}

export function sessionCoverage(pages: Pages, options: Asked, state: State): Coverage {
  const { window, maxEvents, accounts, regions } = options;
  const { shards, damaged } = pages;
  const inWindow = shards.filter((page) => page.shard && overlaps(page, options));
  const gaps = gapsOf(pages, { ...window, accounts, regions });
  const bad = badFilesOf(pages, { ...window, accounts, regions });
  const digests = digestProblemsOf(pages, { ...window, accounts, regions });
  const failed = state.failure !== undefined || damaged.length > 0 || state.damagedRows > 0;
  const reason =
    state.failure ?? (damaged.length > 0 ? `${damaged.length} parts of the lake are damaged or gone` : undefined);
  const times = inWindow.flatMap((page) => [page.first ?? '', page.last ?? '']).sort();
  return {
    complete: !failed && !state.truncated && gaps.length === 0 && bad.length === 0 && digests.length === 0,
    accounts: chosen(
      inWindow.flatMap((page) => page.accounts),
      accounts,
    ),
    regions: chosen(
      inWindow.flatMap((page) => page.regions),
      regions,
    ),
    from: window.from ?? times[0] ?? '',
    to: window.to ?? times.at(-1) ?? '',
    sources: [
      {
        name: lakeName,
        events: state.events,
        pages: inWindow.length,
        truncated: state.truncated,
        failed,
        ...(state.truncated ? { reason: `stopped at ${maxEvents} records` } : reason ? { reason } : {}),
      },
    ],
    badFiles: bad,
    notLookedAt: [
      ...gaps,
      ...(gaps.length > 0 ? [] : holesOf(pages, { ...window, accounts }).slice(0, 5)),
      ...(state.truncated ? [`records after the first ${maxEvents}`] : []),
      ...damaged.map((path) => `${path}: damaged or gone, import again`),
      ...(state.damagedRows > 0 ? [`${state.damagedRows} damaged records`] : []),
      ...digests.slice(0, 20),
      ...(digests.length > 20 ? [`${digests.length - 20} more problems of digests`] : []),
    ],
  };
}

function overlaps({ first, last }: ShardPage, { window }: Asked): boolean {
  if (window.to !== undefined && Date.parse(first ?? '') >= Date.parse(window.to)) return false;
  return window.from === undefined || Date.parse(last ?? '') >= Date.parse(window.from);
}

function chosen(values: readonly string[], only: readonly string[] | undefined): string[] {
  return [...new Set(values)].filter((value) => only === undefined || only.includes(value)).sort();
}
