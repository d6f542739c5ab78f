/** alert -> case -> card in the channel, and a word in the thread when it matters. */
import type { Alert } from '../contracts/alert.ts';
import { asError, UpstreamError } from '../contracts/errors.ts';
import type { Line } from '../contracts/message.ts';
import type { CaseEntry } from '../contracts/noise.ts';
import type { Case } from '../contracts/store.ts';
import type { AccountFacts } from '../contracts/surroundings.ts';
import { containableKeyOf, findingCard, furtherSeedsOf, pivotSeedOf } from '../domain/alert-wording.ts';
import { ownMessage, withCaseNews } from '../domain/case-card.ts';
import { threadNote } from '../domain/case-story.ts';
import { levelsWithoutSlack } from '../domain/escalation.ts';
import { addressFactsOf } from '../domain/finding-addresses.ts';
import type { Account } from '../domain/inventory.ts';
import { mergeFacts, shownAccount } from '../domain/inventory-sources.ts';
import { isCritical } from '../domain/noise.ts';
import { restrictedCard } from '../domain/restricted-case.ts';
import { severityWord } from '../domain/severity.ts';
import { strikeSeeds } from '../domain/strike.ts';
import { admitAlert } from './admit-alert.ts';
import { fewIn, noneOfFew, unlessRefused } from './approval-places.ts';
import { isBeyondChange, isChannelClosed, postOnce, showInChannel } from './deliver.ts';
import type { WorkerDeps } from './deps.ts';
import { wantEnrichment } from './want-enrichment.ts';

type Needs = Pick<
  WorkerDeps,
  'store' | 'chat' | 'clock' | 'settings' | 'addresses' | 'accounts' | 'queue' | 'log' | 'actions'
>;

/** A longer wait than this is no pace any more: somebody has to be called by another way. */
const slackAwayMs = 60_000;

/** Jobs `alert.received` and `alert.urgent`. May run twice: the case, its place, the card and the note each have a key. */
export async function handleAlert({ alertId }: { readonly alertId: string }, deps: Needs): Promise<void> {
  const stored = await deps.store.alerts.get(alertId);
  if (stored === undefined || stored.handledAt !== undefined) return;
  const { alert } = stored;
  // What is over where it comes from is news for a case that is open, and none for the channel.
  if (isOver(alert) && !(await deps.store.cases.isOpen(alert.dedupeKey))) {
    const { source, type } = alert;
    deps.log.info({ alertId, source, type }, 'alert is over or suppressed: no case opened');
    await deps.store.alerts.markHandled(alertId, now(deps));
    return;
  }
  const { case: found, admission } = await admitAlert(alertId, alert, deps);
  if (admission === 'card') {
    await wantEnrichment(found, deps);
    // A line of a digest is not read again. Queued first: whoever shows the card marks all of its alerts as handled.
    if (deps.settings.verifyFindings && alert.source === 'guardduty')
      await deps.queue.add('alert.verify', { alertId }, { id: `verify-${alertId}` });
    try {
      await deliverCase(found.id, deps);
    } catch (error) {
      if (isCritical(alert) && isSlackAway(error)) await callWithoutSlack(found, deps);
      throw error;
    }
    for (const part of await deps.store.noise.mergedInto(found.id)) await deliverCase(part, deps);
  }
  await deps.store.alerts.markHandled(alertId, now(deps));
}

/** Brings the card of an alert's case up to date. */
export async function showAgain(alert: Alert, deps: Needs): Promise<void> {
  const caseId = await deps.store.cases.ofKey(alert.dedupeKey);
  if (caseId !== undefined) await showCase(caseId, deps);
}

/**
 * Brings the card up to date and tells what was not told yet, in the order in which it came in: one writer per case at a time.
 * What another job has shown meanwhile is not shown again, so that many updates cost Slack one.
 */
export function deliverCase(caseId: string, deps: Needs): Promise<void> {
  return deps.store.turn(`case:${caseId}`, async () => {
    const { upTo, entries } = await deps.store.noise.undelivered(caseId);
    const found = await deps.store.cases.get(caseId);
    if (found?.admission !== 'card') return;
    let ts = found.messageTs;
    let { channel } = found;
    if (ts === undefined) ({ ts, channel } = (await bringUpToDate(found, deps)) ?? { ts, channel });
    if (ts === undefined) return;
    for (const entry of entries) await tellEntry(entry, found, { channel, ts }, deps);
    if (found.messageTs !== undefined && found.shownVersion < found.version) await bringUpToDate(found, deps);
    await deps.store.noise.shown(caseId, found.version, upTo, now(deps));
  });
}

/** News of a closed case goes to the few themselves, and to no channel. */
function tellEntry(entry: CaseEntry, found: Case, card: { channel: string; ts: string }, deps: Needs): Promise<void> {
  return found.restrictedTo === undefined
    ? tell(entry, found, card, deps)
    : tellFew(entry, found, fewIn(found) ?? [], deps);
}

async function tellFew(entry: CaseEntry, found: Case, few: readonly string[], deps: Needs): Promise<void> {
  const { alertId, number, said } = entry;
  const alert = (await deps.store.alerts.get(alertId))?.alert ?? found.alert;
  if (said !== undefined) {
    const message = await ownMessageOf(alert, said, found, deps);
    let told = 0;
    for (const userId of few) {
      await unlessRefused(userId, deps, async () => {
        await postOnce({ key: `note:${alertId}:${userId}`, channel: userId, message }, deps);
        told += 1;
      });
    }
    // It stays undelivered, and is tried again.
    if (told === 0) throw noneOfFew();
  }
  await deps.store.noise.entryDelivered(found.id, number);
}

async function tell(entry: CaseEntry, found: Case, card: { channel: string; ts: string }, deps: Needs): Promise<void> {
  const { alertId, number, said, ownChannel } = entry;
  const alert = (await deps.store.alerts.get(alertId))?.alert ?? found.alert;
  if (said !== undefined) {
    const note = { key: `note:${alertId}`, channel: card.channel, threadTs: card.ts, message: threadNote(alert, said) };
    await inThread(() => postOnce(note, deps), found, deps);
    // What came before the card was posted is in the card.
    if (ownChannel !== undefined && number > found.cardFrom) {
      const message = await ownMessageOf(alert, said, found, deps);
      await showInChannel({ key: `own:${alertId}`, channel: ownChannel, message }, deps);
    }
  }
  await deps.store.noise.entryDelivered(found.id, number);
}

async function ownMessageOf(alert: Alert, said: Line, found: Case, deps: Needs) {
  const { id: caseId, acknowledgedBy, restrictedTo } = found;
  const acknowledge = await deps.store.buttons.mint(`case:${caseId}`, { kind: 'case', caseId });
  return ownMessage({
    ...{ caseId, alert, said },
    account: shownAccount(accountOf(alert, deps), knownOf(alert, deps)),
    acknowledge: acknowledgedBy === undefined ? acknowledge : undefined,
    isClosed: restrictedTo !== undefined,
  });
}

/** A thread that is gone with its card or channel must not hold up the news: the card, which holds it, is then posted anew. */
async function inThread(tellIt: () => Promise<unknown>, { id }: Case, { log }: Pick<Needs, 'log'>): Promise<void> {
  try {
    await tellIt();
  } catch (error) {
    if (!isChannelClosed(error) && !isBeyondChange(error)) throw error;
    log.warn({ caseId: id, error: asError(error) }, 'the thread of a card is gone, the card is posted again');
  }
}

/** Slack does not take the card of a critical: whoever can be reached without Slack is called now. */
async function callWithoutSlack(found: Case, { store, queue, settings, clock, log }: Needs): Promise<void> {
  const levels = levelsWithoutSlack(settings.escalation);
  if (levels.length === 0 || found.acknowledgedBy !== undefined) return;
  log.warn({ caseId: found.id, levels }, 'Slack does not take the card of a critical finding, the pager is called');
  await store.escalations.hurry(found.id, levels, clock.now().toISOString());
  for (const level of levels) {
    const { id: caseId, round } = found;
    await queue.add('case.escalate', { caseId, round, level }, { id: `escalate-${caseId}-${round}-${level}` });
  }
}

function isSlackAway(error: unknown): boolean {
  if (!(error instanceof UpstreamError) || error.service !== 'slack') return false;
  return error.code !== 'ratelimited' || (error.retryAfterMs ?? 0) > slackAwayMs;
}

/** Renders the case's card from what the store holds now, and posts or updates it. One writer per card at a time. */
export function showCase(caseId: string, deps: Needs): Promise<{ channel: string; ts: string } | undefined> {
  return deps.store.turn(`case:${caseId}`, async () => {
    const found = await deps.store.cases.get(caseId);
    // What is a line of a digest, or muted, gets no card by being looked at.
    const isShown = found?.admission === 'card' || found?.messageTs !== undefined;
    return found !== undefined && isShown ? bringUpToDate(found, deps) : undefined;
  });
}

async function bringUpToDate(found: Case, deps: Needs): Promise<{ channel: string; ts: string } | undefined> {
  const { id: caseId } = found;
  const card = { key: `case:${caseId}`, channel: found.channel };
  if (found.restrictedTo !== undefined) {
    return placed(found, await showInChannel({ ...card, message: restrictedCard(found) }, deps), deps);
  }
  const enrichment = await deps.store.enrichments.get(caseId);
  const known = mergeFacts([knownOf(found.alert, deps), enrichment?.account]);
  const finding = findingCard({
    case: found,
    alert: found.alert,
    account: shownAccount(accountOf(found.alert, deps), known),
    enrichment: { enrichment, account: known },
    addresses: addressFactsOf(found.alert, deps.addresses),
    buttons: await buttonsOf(found, deps),
    containable: containable(found.alert, deps),
    verification: await verificationOf(found.alert, deps),
    now: deps.clock.now(),
  });
  const quieten = await deps.store.buttons.mint(`case:${caseId}`, { kind: 'case', caseId });
  const parts = await deps.store.noise.mergedInto(caseId);
  const message = withCaseNews(finding, { case: found, parts, snooze: quieten, falsePositive: quieten });
  return placed(found, await showInChannel({ ...card, message }, deps), deps);
}

async function placed<P extends { readonly channel: string; readonly ts: string }>(
  found: Case,
  place: P,
  deps: Needs,
): Promise<P> {
  if (found.messageTs !== place.ts) await deps.store.cases.setMessage(found.id, place.channel, place.ts);
  return place;
}

async function verificationOf(alert: Alert, { store, settings }: Needs) {
  if (alert.source !== 'guardduty') return undefined;
  return (await store.intake.verification(alert.dedupeKey)) ?? (settings.verifyFindings ? 'pending' : undefined);
}

/**
 * An alarm that is OK again, a check that passes, a finding that somebody suppressed or resolved in Security Hub. Silence must
 * not be a way to hide: a critical one that was suppressed or archived still speaks.
 */
function isOver(alert: Alert): boolean {
  if (alert.resolved === true || alert.undecided === true) return true;
  const hidden = alert.suppressed === true || (alert.archived && alert.source !== 'guardduty');
  return hidden && severityWord(alert.severity) !== 'critical';
}

async function buttonsOf(found: Case, { store }: Needs) {
  const seed = pivotSeedOf(found.alert);
  const also = furtherSeedsOf(found.alert);
  const key = containableKeyOf(found.alert);
  return {
    pivot:
      seed === undefined
        ? undefined
        : await store.buttons.mint(`case:${found.id}:pivot:${[seed, ...also].join(' ')}`, {
            kind: 'pivot',
            caseId: found.id,
            artifact: seed,
            ...(also.length > 0 && { also }),
          }),
    contain:
      key === undefined
        ? undefined
        : await store.buttons.mint(`case:${found.id}:contain:${key}`, {
            kind: 'contain',
            caseId: found.id,
            action: 'disable-access-key',
            words: [key],
          }),
    strike:
      key !== undefined || strikeSeeds(found.alert).length === 0
        ? undefined
        : await store.buttons.mint(`case:${found.id}:strike`, { kind: 'strike', caseId: found.id }),
    acknowledge: await store.buttons.mint(`case:${found.id}`, { kind: 'case', caseId: found.id }),
  };
}

/** Whether the account can be contained at all; the card says why not (DESIGN.md 5, config file). */
function containable(alert: Alert, deps: Needs): { yes: true } | { no: string } {
  if (alert.sample) return { no: 'This is a sample finding: its resources are not real.' };
  if (alert.accountId === '') return { no: 'The alert names no account, so nothing can be contained.' };
  const account = accountOf(alert, deps);
  if (account === undefined)
    return { no: `Account ${alert.accountId} is not in the inventory, so nothing can be contained there.` };
  if (account.containment === 'never') return { no: 'The config says that this account is never contained from here.' };
  if (account.responderRole === undefined)
    return { no: 'The account has no responder role: it can be investigated, not contained.' };
  if (deps.settings.mode === 'observe') return { no: 'Firebreak runs in the mode observe: it proposes nothing.' };
  return { yes: true };
}

/** What the inventory knows without asking anybody. */
function knownOf(alert: Alert, deps: Needs): AccountFacts | undefined {
  return deps.accounts.known().find(({ id }) => id === alert.accountId);
}

function accountOf(alert: Alert, deps: Needs): Account | undefined {
  return deps.settings.accounts.find((account) => account.id === alert.accountId);
}

function now({ clock }: Pick<WorkerDeps, 'clock'>): string {
  return clock.now().toISOString();
}
