/** alert -> case -> card in the channel, and a word in the thread when it matters. */
import type { Alert } from '../contracts/alert.ts';
import type { Case } from '../contracts/store.ts';
import type { AccountFacts } from '../contracts/surroundings.ts';
import { containableKeyOf, findingCard, pivotSeedOf } from '../domain/alert-wording.ts';
import { threadNote, updateWorthSaying } from '../domain/case-story.ts';
import { addressFactsOf } from '../domain/finding-addresses.ts';
import type { Account } from '../domain/inventory.ts';
import { mergeFacts, shownAccount } from '../domain/inventory-sources.ts';
import { channelFor } from '../domain/routing.ts';
import { postOnce, postOrUpdate } from './deliver.ts';
import type { WorkerDeps } from './deps.ts';
import { wantEnrichment } from './want-enrichment.ts';

type Needs = Pick<
  WorkerDeps,
  'store' | 'chat' | 'clock' | 'settings' | 'addresses' | 'accounts' | 'queue' | 'log' | 'actions'
>;

/** Job `alert.received`. May run twice: the case, the card and the note each have a key. */
export async function handleAlert({ alertId }: { readonly alertId: string }, deps: Needs): Promise<void> {
  const stored = await deps.store.alerts.get(alertId);
  if (stored === undefined || stored.handledAt !== undefined) return;
  const { alert } = stored;
  const account = shownAccount(accountOf(alert, deps), knownOf(alert, deps));
  const channel = channelFor({ alert, account, channels: deps.settings.channels });
  const { case: opened, previous } = await deps.store.cases.openOrMerge({ alert, channel, at: now(deps) });
  await wantEnrichment(opened, deps);
  const place = await showCase(opened.id, deps);
  const worth = previous === undefined ? undefined : updateWorthSaying(previous, alert);
  if (worth !== undefined && place !== undefined) {
    await postOnce(
      { key: `note:${alertId}`, channel: place.channel, threadTs: place.ts, message: threadNote(alert, worth) },
      deps,
    );
  }
  await deps.store.alerts.markHandled(alertId, now(deps));
}

/** Renders the case's card from what the store holds now, and posts or updates it. One writer per card at a time. */
export function showCase(caseId: string, deps: Needs): Promise<{ channel: string; ts: string } | undefined> {
  return deps.store.turn(`case:${caseId}`, () => bringUpToDate(caseId, deps));
}

async function bringUpToDate(caseId: string, deps: Needs): Promise<{ channel: string; ts: string } | undefined> {
  const found = await deps.store.cases.get(caseId);
  if (found === undefined) return undefined;
  const enrichment = await deps.store.enrichments.get(caseId);
  const known = mergeFacts([knownOf(found.alert, deps), enrichment?.account]);
  const message = findingCard({
    case: found,
    alert: found.alert,
    account: shownAccount(accountOf(found.alert, deps), known),
    enrichment: { enrichment, account: known },
    addresses: addressFactsOf(found.alert, deps.addresses),
    buttons: await buttonsOf(found, deps),
    containable: containable(found.alert, deps),
    now: deps.clock.now(),
  });
  const place = await postOrUpdate({ key: `case:${caseId}`, channel: found.channel, message }, deps);
  if (found.messageTs === undefined) await deps.store.cases.setMessage(caseId, place.channel, place.ts);
  return place;
}

async function buttonsOf(found: Case, { store }: Needs) {
  const seed = pivotSeedOf(found.alert);
  const key = containableKeyOf(found.alert);
  return {
    pivot:
      seed === undefined
        ? undefined
        : await store.buttons.mint(`case:${found.id}:pivot:${seed}`, {
            kind: 'pivot',
            caseId: found.id,
            artifact: seed,
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
    acknowledge: await store.buttons.mint(`case:${found.id}`, { kind: 'case', caseId: found.id }),
  };
}

/** Whether the account can be contained at all; the card says why not (DESIGN.md 5, config file). */
function containable(alert: Alert, deps: Needs): { yes: true } | { no: string } {
  if (alert.sample) return { no: 'This is a sample finding: its resources are not real.' };
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
