/** A finding that came from outside is read again from AWS, and its card says how that ended. The card never waits for it. */
import type { Alert } from '../contracts/alert.ts';
import { UserError } from '../contracts/errors.ts';
import type { FindingSource, Verification } from '../contracts/intake.ts';
import type { JobContext } from '../contracts/job.ts';
import { judgeFinding } from '../domain/finding-watch.ts';
import type { Deps } from './deps.ts';
import { codeOf, isHopeless } from './keep-letter.ts';

type Needs = Pick<Deps, 'store' | 'clock' | 'log'> & {
  readonly findings: FindingSource;
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
    result = await look(alert, deps.findings, signal);
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

async function look(
  alert: Alert,
  findings: FindingSource,
  signal: AbortSignal,
): Promise<Pick<Verification, 'state' | 'because'>> {
  const { accountId, region, findingId } = alert;
  const detectors = await findings.detectors(accountId, region, signal);
  if (detectors.length === 0)
    return {
      state: 'unknown',
      because: 'GuardDuty is not on there now: somebody turned it off, or the finding is forged',
    };
  for (const detectorId of detectors) {
    const [found] = await findings.read({ accountId, region, detectorId, ids: [findingId] }, signal);
    if (found !== undefined) return judgeFinding(alert, found);
  }
  return judgeFinding(alert, undefined);
}
