/**
 * What EventBridge did not bring: GuardDuty is asked itself, per account and Region, for what was updated since the last
 * look (DOMAIN.md 2.6). Each place keeps its own cursor, and a place that cannot be looked at says so.
 */
import type { AwsReach } from '../contracts/aws.ts';
import { asError } from '../contracts/errors.ts';
import type { FindingSource, ReadBody } from '../contracts/intake.ts';
import type { FindingWatchSettings } from '../domain/finding-watch.ts';
import type { Deps } from './deps.ts';
import { codeOf, keepLetter } from './keep-letter.ts';
import { receiveAlert } from './receive-alert.ts';

export type WatchDeps = Pick<Deps, 'store' | 'queue' | 'clock' | 'log'> & {
  readonly reach: Pick<AwsReach, 'accounts' | 'regions'>;
  readonly findings: FindingSource;
  readonly readBody: ReadBody;
  readonly watch: FindingWatchSettings;
};

/** GuardDuty shows a finding some minutes after the time it is dated with. */
const overlapMs = 15 * 60_000;
/** A place that could not be looked at is asked again this soon, or at the next look where that is sooner. */
const againMs = 5 * 60_000;
const atOnce = 4;
/** Between two calls to one account's Region. */
const paceMs = 250;
const minuteMs = 60_000;

interface Place {
  readonly accountId: string;
  readonly region: string;
  readonly name: string;
}

/** One look at every place that is due. Throws only where the store fails; all else is noted with the place. */
export async function lookAtFindings(deps: WatchDeps, signal: AbortSignal): Promise<void> {
  const { store, clock, watch, log } = deps;
  const known = new Map((await store.intake.sources()).map((source) => [source.name, source]));
  function isDue(name: string): boolean {
    const source = known.get(name);
    if (source === undefined) return true;
    const everyMs = watch.pollMinutes * minuteMs;
    const pauseMs = source.ok ? everyMs : Math.min(everyMs, againMs);
    return clock.now().getTime() - Date.parse(source.lookedAt) >= pauseMs;
  }
  async function dueOf(accounts: readonly string[]): Promise<Place[]> {
    const due: Place[] = [];
    for (const accountId of accounts) {
      for (const region of await regionsOf(accountId, isDue, deps)) {
        const name = `guardduty ${accountId}/${region}`;
        if (isDue(name)) due.push({ accountId, region, name });
      }
    }
    return due;
  }
  let taken = 0;
  async function lookAtAll(due: Place[]): Promise<void> {
    async function lane(): Promise<void> {
      for (let place = due.shift(); place !== undefined && !signal.aborted; place = due.shift()) {
        taken += (await isCovered(place, deps, signal)) ? 0 : await lookAt(place, deps, signal);
      }
    }
    await Promise.all(Array.from({ length: atOnce }, lane));
  }
  // The administrator first: what it holds need not be asked of each member.
  const { administrator } = watch;
  const accounts = await accountsOf(deps);
  if (administrator !== undefined) await lookAtAll(await dueOf([administrator]));
  await lookAtAll(await dueOf(accounts.filter((id) => id !== administrator)));
  if (taken > 0) log.warn({ taken }, 'findings were found in GuardDuty that no event had brought');
}

/** The administrator's detector of this Region could be asked and holds this account's findings. Where nobody can say, it does not. */
async function isCovered({ accountId, region, name }: Place, deps: WatchDeps, signal: AbortSignal): Promise<boolean> {
  const { administrator } = deps.watch;
  if (administrator === undefined || accountId === administrator) return false;
  const asked = (await deps.store.intake.sources()).find((one) => one.name === `guardduty ${administrator}/${region}`);
  if (asked?.ok !== true) return false;
  try {
    for (const detectorId of await deps.findings.detectors(administrator, region, signal)) {
      const members = await deps.findings.members({ accountId: administrator, region, detectorId }, signal);
      if (!members.includes(accountId)) continue;
      await note({ name, ok: true, because: `asked through the administrator ${administrator}`, taken: 0 }, deps);
      return true;
    }
  } catch (error) {
    if (signal.aborted) throw error;
    deps.log.info(
      { administrator, region, because: codeOf(error) },
      "GuardDuty's administrator does not tell its members",
    );
  }
  return false;
}

async function accountsOf(deps: WatchDeps): Promise<readonly string[]> {
  try {
    const accounts = await deps.reach.accounts();
    await note({ name: 'guardduty accounts', ok: true, taken: 0 }, deps);
    return accounts;
  } catch (error) {
    await note({ name: 'guardduty accounts', ok: false, because: codeOf(error), taken: 0 }, deps);
    return [];
  }
}

async function regionsOf(
  accountId: string,
  isDue: (name: string) => boolean,
  deps: WatchDeps,
): Promise<readonly string[]> {
  const name = `guardduty ${accountId}`;
  try {
    const regions = await deps.reach.regions(accountId);
    await note({ name, ok: true, taken: 0 }, deps);
    return regions;
  } catch (error) {
    if (isDue(name)) await note({ name, ok: false, because: codeOf(error), taken: 0 }, deps);
    return [];
  }
}

async function note(
  look: { name: string; ok: boolean; because?: string | undefined; taken: number; cursor?: string | undefined },
  { store, clock, log }: WatchDeps,
): Promise<void> {
  const at = clock.now().toISOString();
  const { changed } = await store.intake.looked({ ...look, kind: 'guardduty', at });
  if (changed && !look.ok) log.warn({ source: look.name, because: look.because }, 'GuardDuty cannot be asked there');
}

/** Returns how many findings were new. */
async function lookAt(place: Place, deps: WatchDeps, signal: AbortSignal): Promise<number> {
  const { store, clock, watch, log } = deps;
  const { accountId, region, name } = place;
  const began = clock.now().getTime();
  const progress = { taken: 0, latest: undefined as string | undefined };
  try {
    const cursor = await store.intake.cursor(name);
    const since = new Date(
      cursor === undefined ? began - watch.firstLookHours * 60 * minuteMs : Date.parse(cursor) - overlapMs,
    ).toISOString();
    const pace = async () => clock.sleep(await store.reserveSlot(`guardduty/${accountId}/${region}`, paceMs), signal);
    await pace();
    const detectors = await deps.findings.detectors(accountId, region, signal);
    for (const detectorId of detectors) {
      for await (const ids of deps.findings.changed({ accountId, region, detectorId, since }, signal)) {
        await pace();
        await readPage({ ...place, detectorId, ids }, progress, deps, signal);
      }
    }
    const off = detectors.length === 0 ? 'GuardDuty is not on' : undefined;
    await note({ name, ok: true, because: off, taken: progress.taken, cursor: new Date(began).toISOString() }, deps);
  } catch (error) {
    if (signal.aborted) return progress.taken;
    log.debug({ source: name, error: asError(error) }, 'a look at GuardDuty failed');
    // What was read is not read again: pages come oldest first.
    await note({ name, ok: false, because: codeOf(error), taken: progress.taken, cursor: progress.latest }, deps);
  }
  return progress.taken;
}

async function readPage(
  page: Place & { readonly detectorId: string; readonly ids: readonly string[] },
  progress: { taken: number; latest: string | undefined },
  deps: WatchDeps,
  signal: AbortSignal,
): Promise<void> {
  const { store, clock } = deps;
  for (const found of await deps.findings.read(page, signal)) {
    const event = {
      source: 'aws.guardduty',
      'detail-type': 'GuardDuty Finding',
      account: page.accountId,
      region: page.region,
      detail: found.raw,
    };
    const body = JSON.stringify(event);
    const read = deps.readBody(body);
    if (!read.ok) {
      const key = `guardduty-${found.accountId}-${found.region}-${found.id}`;
      if (read.status === 'malformed')
        await keepLetter({ key, door: 'guardduty', from: page.name, reason: read.reason, body }, deps);
      continue;
    }
    for (const { alert, deliveryKey } of read.alerts) {
      const at = clock.now().toISOString();
      const { dedupeKey, updatedAt } = alert;
      if (!(await store.intake.knows(alert))) {
        await store.intake.setVerification(dedupeKey, { state: 'verified', at, updatedAt });
        const { repeat } = await receiveAlert({ deliveryKey, alert, raw: read.raw }, deps);
        if (!repeat) progress.taken += 1;
      }
      if (progress.latest === undefined || updatedAt > progress.latest) progress.latest = updatedAt;
    }
  }
}
