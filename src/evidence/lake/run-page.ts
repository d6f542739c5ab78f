/** What a finished import covers. Nothing is claimed for days on which the source shows no record at its ends. */
import type { LogObject, LogSource } from '../../contracts/log-source.ts';
import { isoOf } from '../../domain/window.ts';
import { type Layout, layoutOf, type Selection } from './layout.ts';
import type { RunPage, ShardPage } from './pages.ts';

const deliveryMs = 15 * 60_000;
const dayMs = 86_400_000;

export interface Finished {
  readonly source: Pick<LogSource, 'name' | 'kind'>;
  readonly selection: Selection;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** False where only part of the source was read: then no time counts as covered. */
  readonly vouches: boolean;
  readonly objects: readonly LogObject[];
  /** Of this import and of earlier ones. */
  readonly pages: readonly ShardPage[];
  readonly unreadable: RunPage['unreadable'];
  readonly digests: RunPage['digests'];
}

export function runPageOf(run: Finished): RunPage {
  const { source, selection, objects } = run;
  const paths = new Set(objects.map((object) => object.path));
  const mine = run.pages.filter(
    (page) => page.source === source.name && page.files.some((file) => paths.has(file.path)),
  );
  const laid = objects.flatMap((object) => layoutOf(object.path) ?? []);
  return {
    version: 1,
    source: source.name,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    ...(run.vouches ? spanOf(run, mine) : {}),
    ...(selection.accounts ? { onlyAccounts: [...selection.accounts] } : {}),
    ...(selection.regions ? { onlyRegions: [...selection.regions] } : {}),
    accounts: distinct([...mine.flatMap((page) => page.accounts), ...laid.map((one) => one.account)]),
    regions: distinct([...mine.flatMap((page) => page.regions), ...laid.map((one) => one.region)]),
    // Days between some objects of a source say nothing of the source.
    holes: run.vouches ? holesIn(laid) : [],
    unreadable: run.unreadable,
    digests: run.digests,
  };
}

/** From the first to the last record; widened to what was asked for, and for a bucket to its latest delivery, by a day at most. */
function spanOf(
  { source, selection, startedAt }: Finished,
  mine: readonly ShardPage[],
): { from?: string; to?: string } {
  const times = mine.flatMap((page) => [page.first ?? '', page.last ?? '']).filter((text) => text !== '');
  // One record that claims to be of the future must not vouch for it: then nobody else would ever be asked again.
  const [first, last] = [times.sort()[0], times.at(-1)].map((at) => (at && at > startedAt ? startedAt : at));
  if (first === undefined || last === undefined) return {};
  const begin = selection.from;
  const now = Date.parse(startedAt) - (source.kind === 's3' ? deliveryMs : 0);
  // Of what comes later nothing has been read, whatever was asked for.
  const isToNow = selection.to === undefined ? source.kind === 's3' : Date.parse(selection.to) > now;
  const end = isToNow ? new Date(now).toISOString() : selection.to;
  const isNear = (a: string, b: string) => Date.parse(a) - Date.parse(b) <= dayMs;
  return {
    from: begin !== undefined && (begin > first || isNear(first, begin)) ? begin : first,
    to: end !== undefined && (Date.parse(end) < Date.parse(last) || isNear(end, last)) ? end : last,
  };
}

/** Whole days without a file, of any Region, between two days with files: nobody was there, logging was off, or files are missing. */
function holesIn(laid: readonly Layout[]): NonNullable<RunPage['holes']> {
  const byAccount = new Map<string, Set<string>>();
  for (const { account, day } of laid) {
    const days = byAccount.get(account);
    if (days) days.add(day);
    else byAccount.set(account, new Set([day]));
  }
  return [...byAccount].flatMap(([account, all]) => {
    const days = [...all].sort().map((day) => Date.parse(`${day}T00:00:00Z`));
    return days.flatMap((day, i) => {
      const [from, to] = [(days[i - 1] ?? day) + dayMs, day];
      const isHole = i > 0 && from < to;
      return isHole ? [{ account, from: isoOf(from), to: isoOf(to) }] : [];
    });
  });
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}
