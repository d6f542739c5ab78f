/** alert -> case -> card in the channel, and a word in the thread when it matters. */
import type { Alert } from '../contracts/alert.ts';
import type { Case } from '../contracts/store.ts';
import { containableKeyOf, findingCard, furtherSeedsOf, pivotSeedOf } from '../domain/alert-wording.ts';
import { threadNote, updateWorthSaying } from '../domain/case-story.ts';
import { addressFactsOf } from '../domain/finding-addresses.ts';
import type { Account } from '../domain/inventory.ts';
import { channelFor } from '../domain/routing.ts';
import { severityWord } from '../domain/severity.ts';
import { strikeSeeds } from '../domain/strike.ts';
import { postOnce, postOrUpdate } from './deliver.ts';
import type { WorkerDeps } from './deps.ts';

type Needs = Pick<WorkerDeps, 'store' | 'queue' | 'chat' | 'clock' | 'settings' | 'addresses' | 'log' | 'actions'>;

/** Job `alert.received`. May run twice: the case, the card and the note each have a key. */
export async function handleAlert({ alertId }: { readonly alertId: string }, deps: Needs): Promise<void> {
  const stored = await deps.store.alerts.get(alertId);
  if (stored === undefined || stored.handledAt !== undefined) return;
  const { alert } = stored;
  // What is over where it comes from is news for a case that is open, and none for the channel.
  if (isOver(alert) && !(await deps.store.cases.isOpen(alert.dedupeKey))) {
    deps.log.info({ alertId, source: alert.source, type: alert.type }, 'alert is over or suppressed: no case opened');
    await deps.store.alerts.markHandled(alertId, now(deps));
    return;
  }
  const account = accountOf(alert, deps);
  const channel = channelFor({ alert, account, channels: deps.settings.channels });
  const { case: opened, previous } = await deps.store.cases.openOrMerge({ alert, channel, at: now(deps) });
  const place = await showCase(opened.id, deps);
  // Before the alert is marked as handled, and after the card, which waits for nothing.
  if (deps.settings.verifyFindings && alert.source === 'guardduty')
    await deps.queue.add('alert.verify', { alertId }, { id: `verify-${alertId}` });
  const worth = previous === undefined ? undefined : updateWorthSaying(previous, alert);
  if (worth !== undefined && place !== undefined) {
    await postOnce(
      { key: `note:${alertId}`, channel: place.channel, threadTs: place.ts, message: threadNote(alert, worth) },
      deps,
    );
  }
  await deps.store.alerts.markHandled(alertId, now(deps));
}

/** Brings the card of an alert's case up to date. */
export async function showAgain(alert: Alert, deps: Needs): Promise<void> {
  const caseId = await deps.store.cases.ofKey(alert.dedupeKey);
  if (caseId !== undefined) await showCase(caseId, deps);
}

/** Renders the case's card from what the store holds now, and posts or updates it. One writer per card at a time. */
export function showCase(caseId: string, deps: Needs): Promise<{ channel: string; ts: string } | undefined> {
  return deps.store.turn(`case:${caseId}`, () => bringUpToDate(caseId, deps));
}

async function bringUpToDate(caseId: string, deps: Needs): Promise<{ channel: string; ts: string } | undefined> {
  const found = await deps.store.cases.get(caseId);
  if (found === undefined) return undefined;
  const message = findingCard({
    case: found,
    alert: found.alert,
    account: accountOf(found.alert, deps),
    addresses: addressFactsOf(found.alert, deps.addresses),
    buttons: await buttonsOf(found, deps),
    containable: containable(found.alert, deps),
    verification: await verificationOf(found.alert, deps),
    now: deps.clock.now(),
  });
  const place = await postOrUpdate({ key: `case:${caseId}`, channel: found.channel, message }, deps);
  if (found.messageTs === undefined) await deps.store.cases.setMessage(caseId, place.channel, place.ts);
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
  if (alert.resolved === true) return true;
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

function accountOf(alert: Alert, deps: Needs): Account | undefined {
  return deps.settings.accounts.find((account) => account.id === alert.accountId);
}

function now({ clock }: Pick<WorkerDeps, 'clock'>): string {
  return clock.now().toISOString();
}
