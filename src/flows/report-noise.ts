/** Once a week: what made the noise -> one message. */
import { kindsCounted, noiseReport, reportDueAt } from '../domain/noise-report.ts';
import { postOnce } from './deliver.ts';
import type { WorkerDeps } from './deps.ts';

type Needs = Pick<WorkerDeps, 'store' | 'chat' | 'clock' | 'settings'>;

const weekMs = 7 * 24 * 60 * 60 * 1_000;

/** Job `noise.report`. `week` is when it was due, ISO 8601 UTC; one message per week, whoever tries. */
export async function reportNoise({ week }: { readonly week: string }, deps: Needs): Promise<void> {
  const { store, settings } = deps;
  const since = new Date(Date.parse(week) - weekMs).toISOString();
  const rows = await store.noise.report(since, week, kindsCounted);
  const message = noiseReport(rows, since, week, settings.accounts);
  const channel = settings.noise.report.channel ?? settings.channels.default;
  await postOnce({ key: `noise-report:${week}`, channel, message }, deps);
}

/** The report that is due and not posted yet; undefined within the first week, which has nothing to tell. */
export async function dueReport({ store, clock, settings }: Needs): Promise<string | undefined> {
  const { report } = settings.noise;
  if (!report.enabled || settings.channels.default === '') return undefined;
  const week = reportDueAt(clock.now(), report);
  // A report that nobody could post for a day is of no use any more.
  if (clock.now().getTime() - Date.parse(week) > weekMs / 7) return undefined;
  const posted = await store.posts.get(`noise-report:${week}`);
  if (posted !== undefined) return undefined;
  const since = new Date(Date.parse(week) - weekMs).toISOString();
  return (await store.noise.report(since, week, 1)).length > 0 ? week : undefined;
}
