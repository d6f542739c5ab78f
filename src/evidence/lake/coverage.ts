/** For which time, accounts and Regions the lake was filled, from the pages of finished imports. */

import { isoOf } from '../../domain/window.ts';
import { mergedSpans, type Span, uncovered } from '../spans.ts';
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
    const mine = runsOf(runs, account);
    if (mine.length === 0) return [`account ${account}: not in the lake`];
    const regions = asked.regions ?? [undefined];
    return regions.flatMap((region) => {
      const spans = spansFor(runs, account, region, asked);
      const place = region === undefined ? `account ${account}` : `account ${account}, Region ${region}`;
      const [hole] = mine.flatMap((run) => holeOf(run, account, asked) ?? []);
      if (spans.length === 0 && hole) return [`${place}: no log file from ${hole.from} to ${hole.to}`];
      if (spans.length === 0) return [`${place}: not in the lake`];
      return missing(spans, asked).map((text) => `${place}: ${text}`);
    });
  });
}

/**
 * The longest stretch of the question's window that the lake covers for all of the accounts and Regions: the rest can be asked for
 * elsewhere. ISO 8601 UTC; undefined where it covers none of it for one of them.
 */
export function coveredSpan(
  { runs }: Pages,
  asked: Asked & { readonly from: string; readonly to: string },
): { readonly from: string; readonly to: string } | undefined {
  const accounts = asked.accounts ?? [...new Set(runs.flatMap((run) => run.accounts))];
  if (accounts.length === 0) return undefined;
  const window = { from: Date.parse(asked.from), to: Date.parse(asked.to) };
  const lacking = accounts.flatMap((account) =>
    (asked.regions ?? [undefined]).flatMap((region) => uncovered(window, spansFor(runs, account, region, asked))),
  );
  const [longest] = uncovered(window, lacking).toSorted((a, b) => b.to - b.from - (a.to - a.from));
  return longest && { from: isoOf(longest.from), to: isoOf(longest.to) };
}

function spansFor(
  runs: readonly RunPage[],
  account: string,
  region: string | undefined,
  asked: Pick<Asked, 'from' | 'to'>,
): readonly Span[] {
  return mergedSpans(
    runsOf(runs, account)
      .filter((run) => holds(run, region) && holeOf(run, account, asked) === undefined)
      .flatMap(spanOf),
  );
}

function runsOf(runs: readonly RunPage[], account: string): readonly RunPage[] {
  return runs.filter(
    (run) => run.accounts.includes(account) && !(run.onlyAccounts && !run.onlyAccounts.includes(account)),
  );
}

/** Days without any file of the account, where all of the window is among them: who asks for these is not answered by files of others. */
function holeOf({ holes }: RunPage, account: string, { from, to }: Pick<Asked, 'from' | 'to'>) {
  if (from === undefined || to === undefined) return undefined;
  const [begin, end] = [Date.parse(from), Date.parse(to)];
  return holes?.find(
    (hole) => hole.account === account && Date.parse(hole.from) <= begin && end <= Date.parse(hole.to),
  );
}

/** A run that was kept to some Regions tells nothing of the others, and none tells of a Region that it has not seen or asked for. */
function holds(run: RunPage, region: string | undefined): boolean {
  if (region === undefined) return run.onlyRegions === undefined;
  return (run.onlyRegions ?? run.regions).includes(region);
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
    if (span.from > at) gaps.push(`${isoOf(at)} to ${isoOf(span.from)} is not in the lake`);
    at = Math.max(at, span.to);
  }
  if (at < to) gaps.push(`${isoOf(at)} to ${isoOf(to)} is not in the lake`);
  return gaps;
}

/** Days of the window without a log file, in words: they were looked for, and nothing was there. */
export function holesOf({ runs }: Pages, asked: Asked): readonly string[] {
  const whole = {
    from: asked.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(asked.from),
    to: asked.to === undefined ? Number.POSITIVE_INFINITY : Date.parse(asked.to),
  };
  const latest = [...new Map(runs.toSorted(byEnd).map((run) => [run.source, run])).values()];
  return latest.flatMap((run) =>
    (run.holes ?? []).flatMap((hole) => {
      if (asked.accounts && !asked.accounts.includes(hole.account)) return [];
      const span = { from: Date.parse(hole.from), to: Date.parse(hole.to) };
      if (span.to <= whole.from || span.from >= whole.to) return [];
      // Another source may have them.
      const others = latest.filter((other) => other !== run && other.accounts.includes(hole.account)).flatMap(spanOf);
      return uncovered(span, others).map(
        ({ from, to }) =>
          `account ${hole.account}: no log file from ${isoOf(from)} to ${isoOf(to)}, as where nobody did anything or logging was off`,
      );
    }),
  );
}

function byEnd(a: RunPage, b: RunPage): number {
  return a.finishedAt < b.finishedAt ? -1 : 1;
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

/**
 * What digests say of the accounts, Regions and time asked for, until a later import of the source has compared the same place again: one that was kept to some
 * of it, or has read no digest, takes nothing back.
 */
export function digestProblemsOf({ runs }: Pages, { from, accounts, regions }: Asked): readonly string[] {
  const inOrder = runs.toSorted(byEnd);
  // The last import that tells of each.
  const told = new Map(
    inOrder.flatMap((run, at) =>
      run.digests.problems.map((text) => [JSON.stringify([run.source, text]), { text, run, at }] as const),
    ),
  );
  return [...new Set([...told.values()].filter(isOpen).map(({ text }) => text))];

  function isOpen({ text, run, at }: { readonly text: string; readonly run: RunPage; readonly at: number }): boolean {
    // A gap ends with the digest that is named, so that it may reach back, and not beyond.
    if (!wanted(pathIn(text), { from, accounts, regions })) return false;
    return !inOrder.some((later, i) => i > at && later.source === run.source && hasCompared(later, text));
  }
}

function hasCompared({ digests, from, to, onlyAccounts, onlyRegions }: RunPage, problem: string): boolean {
  if (digests.found === 0) return false;
  if (/^(digest signature wrong|no public key)/.test(problem) && !digests.signature.startsWith('signature checked'))
    return false;
  return wanted(pathIn(problem), { from, to, accounts: onlyAccounts, regions: onlyRegions });
}

/** The file that a problem names. */
function pathIn(problem: string): string {
  return (/ \((.+)\)$/s.exec(problem) ?? /: (.+)$/s.exec(problem))?.[1] ?? problem;
}
