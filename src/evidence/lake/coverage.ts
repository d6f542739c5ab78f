/** For which time, accounts and Regions the lake was filled, from the pages of finished imports. */
import { mergedSpans, type Span } from '../spans.ts';
import { layoutOf, wanted } from './layout.ts';
import type { Pages, RunPage } from './pages.ts';

export interface Asked {
  /** ISO 8601 UTC, half-open. Absent: all that the lake holds. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly accounts?: readonly string[] | undefined;
  readonly regions?: readonly string[] | undefined;
}

/** What of the question the lake was never filled for, in words. Empty: it covers all of it. */
export function gapsOf({ runs, shards }: Pages, asked: Asked): readonly string[] {
  if (runs.length === 0)
    return [shards.length === 0 ? 'the lake is empty' : 'no import into the lake has finished yet'];
  const accounts = asked.accounts ?? [...new Set(runs.flatMap((run) => run.accounts))].sort();
  if (accounts.length === 0) return ['the lake holds no records'];
  return accounts.flatMap((account) => {
    const mine = runs.filter(
      (run) => run.accounts.includes(account) && !(run.onlyAccounts && !run.onlyAccounts.includes(account)),
    );
    if (mine.length === 0) return [`account ${account}: not in the lake`];
    const regions = asked.regions ?? [undefined];
    return regions.flatMap((region) => {
      const spans = mergedSpans(mine.filter((run) => holds(run, region)).flatMap(spanOf));
      const place = region === undefined ? `account ${account}` : `account ${account}, Region ${region}`;
      if (spans.length === 0) return [`${place}: not in the lake`];
      return missing(spans, asked).map((text) => `${place}: ${text}`);
    });
  });
}

/**
 * Up to when the lake covers the question without a gap from its beginning, in ISO 8601 UTC: the rest can be asked for
 * elsewhere. Undefined where it lacks the beginning for any of the accounts and Regions.
 */
export function coveredUntil({ runs }: Pages, asked: Asked & { readonly from: string }): string | undefined {
  const accounts = asked.accounts ?? [...new Set(runs.flatMap((run) => run.accounts))];
  const from = Date.parse(asked.from);
  const ends = accounts.flatMap((account) =>
    (asked.regions ?? [undefined]).map((region) => {
      const mine = runs.filter(
        (run) => run.accounts.includes(account) && !(run.onlyAccounts && !run.onlyAccounts.includes(account)),
      );
      const spans = mergedSpans(mine.filter((run) => holds(run, region)).flatMap(spanOf));
      return spans.find((span) => span.from <= from && from < span.to)?.to;
    }),
  );
  const known = ends.filter((end) => end !== undefined);
  return known.length === 0 || known.length < ends.length ? undefined : iso(Math.min(...known));
}

/** A run that was kept to some Regions tells nothing of the others. */
function holds(run: RunPage, region: string | undefined): boolean {
  if (region === undefined) return run.onlyRegions === undefined;
  return run.onlyRegions === undefined || run.onlyRegions.includes(region);
}

function spanOf({ from, to }: RunPage): Span[] {
  return from === undefined || to === undefined ? [] : [{ from: Date.parse(from), to: Date.parse(to) }];
}

function missing(spans: readonly Span[], asked: Asked): string[] {
  const first = spans[0] as Span;
  const from = asked.from === undefined ? first.from : Date.parse(asked.from);
  const to = asked.to === undefined ? (spans.at(-1) as Span).to : Date.parse(asked.to);
  const gaps: string[] = [];
  let at = from;
  for (const span of spans) {
    if (span.to <= at) continue;
    if (span.from >= to) break;
    if (span.from > at) gaps.push(`${iso(at)} to ${iso(span.from)} is not in the lake`);
    at = Math.max(at, span.to);
  }
  if (at < to) gaps.push(`${iso(at)} to ${iso(to)} is not in the lake`);
  return gaps;
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('.000Z', 'Z');
}

/** Files that could not be read in full and may belong to the question. What a later import made good is not among them. */
export function badFilesOf({ runs, shards }: Pages, asked: Asked): readonly { path: string; reason: string }[] {
  const told = [
    ...shards.flatMap(({ source, importedAt, files }) =>
      files.map(({ path, verdict, reason }) => ({ source, at: importedAt, path, bad: verdict === 'bad', reason })),
    ),
    ...runs.flatMap(({ source, finishedAt, unreadable }) =>
      unreadable.map(({ path, reason }) => ({ source, at: finishedAt, path, bad: true, reason })),
    ),
  ].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const latest = new Map(told.map((one) => [JSON.stringify([one.source, one.path]), one]));
  return [...latest.values()]
    .filter(({ bad, path }) => bad && (layoutOf(path) === undefined || wanted(path, asked)))
    .map(({ path, reason }) => ({ path, reason: reason ?? '' }));
}

/** Of the latest import of each source. */
export function digestProblemsOf({ runs }: Pages): readonly string[] {
  const latest = new Map(
    runs.toSorted((a, b) => (a.finishedAt < b.finishedAt ? -1 : 1)).map((run) => [run.source, run]),
  );
  return [...new Set([...latest.values()].flatMap((run) => run.digests.problems))];
}
