/** A stored alert -> its case -> how it is shown: a card, a line of a digest, or muted. Nothing is sent here. */
import type { Alert } from '../contracts/alert.ts';
import type { Admission } from '../contracts/noise.ts';
import type { Case } from '../contracts/store.ts';
import type { AccountFacts } from '../contracts/surroundings.ts';
import { isLive, linksOf, noveltyOf } from '../domain/activity.ts';
import { dueTimes } from '../domain/escalation.ts';
import type { Account } from '../domain/inventory.ts';
import { shownAccount } from '../domain/inventory-sources.ts';
import { claimedJewels } from '../domain/jewel-tags.ts';
import {
  alwaysSpeaks,
  digestGroup,
  digestLine,
  isCritical,
  isCrownJewel,
  snoozeOf,
  speaksThrough,
  storyOf,
} from '../domain/noise.ts';
import { channelFor } from '../domain/routing.ts';
import type { WorkerDeps } from './deps.ts';

type Needs = Pick<WorkerDeps, 'store' | 'queue' | 'clock' | 'settings' | 'accounts'>;

const patienceMs = 2_000;
/** Lines that come within this time are shown together: Slack takes few updates a minute. */
const gatherMs = 4_000;

/** May run twice for one alert: each step is decided once. */
export async function admitAlert(
  alertId: string,
  alert: Alert,
  deps: Needs,
): Promise<{ case: Case; admission: Admission }> {
  const { store, settings } = deps;
  const configured = settings.accounts.find(({ id }) => id === alert.accountId);
  const account = shownAccount(configured, await factsOf(alert.accountId, deps));
  const channel = channelFor({ alert, account, channels: settings.channels });
  const at = deps.clock.now().toISOString();
  const snooze = snoozeOf(alert, await store.noise.snoozes(at));
  const {
    case: found,
    previous,
    told,
    again,
  } = await store.cases.openOrMerge({
    alert,
    channel,
    at,
    alertId,
    join: joinOf(alert, at, settings.noise.joinMinutes),
    tell: (before) =>
      storyOf(alert, channel, before, {
        noise: settings.noise,
        jewel: isCrownJewel(alert, account, settings.crownJewels),
        muted: snooze !== undefined,
      }),
  });
  if (isCritical(alert) && found.acknowledgedBy === undefined) {
    await store.escalations.arm(found.id, found.round, dueTimes(settings.escalation, at));
  }
  const admission = found.admission ?? (await decide(found, alert, account, snooze, at, deps));
  const mayRaise = again === true || told?.ownChannel !== undefined;
  const joined = told !== undefined && previous === undefined && isLive(alert);
  const raisedTo = mayRaise ? await raised(found, admission, at, deps) : admission;
  const shown = raisedTo === 'digest' && joined ? await named(found, channel, at, deps) : raisedTo;
  // Who set a tag takes a look into the logs: the line of the digest does not wait for it.
  const hidden = shown === 'digest' || shown === 'snoozed';
  if (hidden && claimedJewels(alert, settings.crownJewels.tags).length > 0)
    await deps.queue.add('case.weigh', { caseId: found.id, alertId }, { id: `weigh-${alertId}` });
  return { case: found, admission: shown };
}

/** The tags of an account may have to be asked of AWS Organizations, which is kept for an hour; an alert waits so long at most. */
async function factsOf(accountId: string, { accounts, settings, clock }: Needs): Promise<AccountFacts | undefined> {
  const known = accounts.known().find(({ id }) => id === accountId);
  if (settings.crownJewels.tags.length === 0) return known;
  const late = new AbortController();
  const asked = accounts.find(accountId).then(({ account }) => account);
  const waited = clock.sleep(patienceMs, late.signal).then(
    () => known,
    () => known,
  );
  try {
    return (await Promise.race([asked, waited])) ?? known;
  } finally {
    late.abort();
  }
}

function joinOf(alert: Alert, at: string, joinMinutes: number) {
  if (joinMinutes === 0) return undefined;
  return { links: linksOf(alert), since: new Date(Date.parse(at) - joinMinutes * 60_000).toISOString() };
}

async function decide(
  found: Case,
  alert: Alert,
  account: Account | undefined,
  snooze: ReturnType<typeof snoozeOf>,
  at: string,
  { store, queue, settings }: Needs,
): Promise<Admission> {
  const novelty = noveltyOf(alert);
  const through =
    snooze !== undefined && speaksThrough(snooze, novelty, await store.noise.knownBefore(found.id, novelty));
  const { admission, digestId, fresh } = await store.noise.admit({
    caseId: found.id,
    channel: found.channel,
    at,
    novelty,
    // A digest's line would name what is closed.
    always: through || found.restrictedTo !== undefined || alwaysSpeaks(alert, account, settings.crownJewels),
    snoozeId: snooze?.id,
    limit: settings.noise.cardsPerMinute,
    windowMs: settings.noise.digestMinutes * 60_000,
    line: digestLine(alert),
    group: digestGroup(alert, account),
  });
  // Whoever shows a digest goes on until all its lines are there: the first one that waits calls him.
  if (digestId !== undefined && fresh) {
    await queue.add('digest.show', { digestId }, { id: `digest-${digestId}`, delayMs: gatherMs });
  }
  if (admission !== 'snoozed' || snooze !== undefined) return admission;
  // Another alert of the case came at the same moment and was muted; this one is not.
  await store.noise.promote(found.id, at);
  return 'card';
}

/** What has no card gets one when something comes that the channel must hear. */
async function raised(found: Case, admission: Admission, at: string, { store }: Needs): Promise<Admission> {
  if (admission !== 'digest' && admission !== 'snoozed') return admission;
  const { entries } = await store.noise.undelivered(found.id);
  // The card is the news itself, so that it goes where that belongs: what turned critical into the channel of criticals.
  const channel = entries.findLast(({ ownChannel }) => ownChannel !== undefined)?.ownChannel;
  if (channel === undefined) return admission;
  await store.noise.promote(found.id, at, channel);
  return 'card';
}

/** A line names the alert that opened its case; what joins the case later is named nowhere: it gets the card, unless there is a storm. */
async function named(found: Case, channel: string, at: string, { store, settings }: Needs): Promise<Admission> {
  if (!(await store.noise.isCalm(found.channel, at, settings.noise.cardsPerMinute))) return 'digest';
  await store.noise.promote(found.id, at, channel);
  return 'card';
}
