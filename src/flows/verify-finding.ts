/** A finding that came from outside is read again from AWS, and its card says how that ended. The card never waits for it. */
import type { Alert } from '../contracts/alert.ts';
import { UserError } from '../contracts/errors.ts';
import type { FindingSource, FoundFinding, Verification } from '../contracts/intake.ts';
import type { JobContext } from '../contracts/job.ts';
import { judgeFinding } from '../domain/finding-watch.ts';
import type { Deps, Settings } from './deps.ts';
import { codeOf, isHopeless } from './keep-letter.ts';

type Needs = Pick<Deps, 'store' | 'clock' | 'log'> & {
  readonly settings: Pick<Settings, 'guardDutyAdministrator'>;
  readonly findings: FindingSource;
  /** The alert that GuardDuty's own copy makes; undefined where it cannot be read. */
  alertOfFound(raw: unknown): Alert | undefined;
  /** Brings the card of the finding up to date. */
  showAgain(alert: Alert): Promise<void>;
};

const patienceMs = 15_000;

/** Job `alert.verify`. May run twice. Throws where asking again may help. */
export async function verifyFinding(
  { alertId }: { readonly alertId: string },
  ctx: JobContext,
  deps: Needs,
): Promise<void> {
  const { store, clock, log } = deps;
  const stored = await store.alerts.get(alertId);
  if (stored === undefined || stored.alert.source !== 'guardduty') return;
  const { alert } = stored;
  const { dedupeKey, updatedAt } = alert;
  const known = await store.intake.verification(dedupeKey);
  if (known !== undefined && isSettled(known, alert)) return;
  const signal = AbortSignal.any([ctx.signal, AbortSignal.timeout(patienceMs)]);
  let result: Pick<Verification, 'state' | 'because'>;
  let failure: unknown;
  try {
    result = await look(alert, deps, signal);
  } catch (error) {
    if (ctx.signal.aborted) throw error;
    failure = error;
    const why =
      error instanceof UserError ? 'the account cannot be read' : `GuardDuty could not be asked (${codeOf(error)})`;
    result = { state: 'unread', because: why };
  }
  const at = clock.now().toISOString();
  await store.intake.setVerification(dedupeKey, { ...result, at, updatedAt });
  if (known?.state !== result.state || known.because !== result.because) await deps.showAgain(alert);
  if (result.state !== 'verified') log.info({ alertId, ...result }, 'the finding is not verified');
  if (failure !== undefined && !isHopeless(failure) && !ctx.last) throw failure;
}

/** The look is done for this state of the finding; a look that failed is made again. */
function isSettled(known: Verification, alert: Alert): boolean {
  if (known.state === 'unread') return false;
  return known.updatedAt >= alert.updatedAt;
}

type Result = Pick<Verification, 'state' | 'because'>;

/** The administrator's detector first, where there is one: it holds the findings of all members, and they have no say in it. */
async function look(
  alert: Alert,
  { settings, findings, alertOfFound, log }: Pick<Needs, 'settings' | 'findings' | 'alertOfFound' | 'log'>,
  signal: AbortSignal,
): Promise<Result> {
  const judge = (found: FoundFinding | undefined) => judgeFinding(alert, found, alertOfFound(found?.raw));
  const { guardDutyAdministrator: administrator } = settings;
  let below: Result | undefined;
  if (administrator !== undefined && administrator !== alert.accountId) {
    try {
      const there = await foundIn(administrator, alert, findings, signal);
      if (there.found !== undefined) return judge(there.found);
      if (await isMember(alert.accountId, administrator, there.detectors, alert, findings, signal))
        below = judge(undefined);
    } catch (error) {
      if (signal.aborted) throw error;
      log.info(
        { administrator, because: codeOf(error) },
        "GuardDuty's administrator cannot be asked, the account itself is",
      );
    }
  }
  try {
    const { detectors, found } = await foundIn(alert.accountId, alert, findings, signal);
    if (found !== undefined) return judge(found);
    if (below !== undefined) return below;
    if (detectors.length > 0) return judge(undefined);
    return {
      state: 'unknown',
      because: 'GuardDuty is not on there now: somebody turned it off, or the finding is forged',
    };
  } catch (error) {
    if (below === undefined || signal.aborted) throw error;
    return below;
  }
}

async function foundIn(accountId: string, alert: Alert, findings: FindingSource, signal: AbortSignal) {
  const { region, findingId } = alert;
  const detectors = await findings.detectors(accountId, region, signal);
  for (const detectorId of detectors) {
    const [found] = await findings.read({ accountId, region, detectorId, ids: [findingId] }, signal);
    if (found !== undefined) return { detectors, found };
  }
  return { detectors, found: undefined };
}

async function isMember(
  accountId: string,
  administrator: string,
  detectors: readonly string[],
  { region }: Alert,
  findings: FindingSource,
  signal: AbortSignal,
): Promise<boolean> {
  for (const detectorId of detectors) {
    const members = await findings.members({ accountId: administrator, region, detectorId }, signal);
    if (members.includes(accountId)) return true;
  }
  return false;
}
