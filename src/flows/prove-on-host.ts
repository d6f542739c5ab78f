/** Who somebody on the host says they are: named in the config by user id, and proved with a one-time code that is used up. */
import { UserError } from '../contracts/errors.ts';
import { failuresWithinMs, mostFailures, timeStepOf } from '../domain/one-time-code.ts';
import { isNamed } from '../domain/people-on-host.ts';
import type { Deps } from './deps.ts';

/** Throws UserError where the config does not name them, or the code does not prove them. `what` goes into the audit. */
export async function proveOnHost(
  claim: { readonly userId: string; readonly code: string; readonly what: string },
  { store, settings, clock }: Pick<Deps, 'store' | 'settings' | 'clock'>,
): Promise<void> {
  const { userId, code, what } = claim;
  refuseUnnamed(userId, { settings });
  const now = clock.now();
  const at = now.toISOString();
  const enrollment = await store.stepUp.enrollment(userId);
  if (enrollment === undefined)
    throw new UserError(`${userId} has no one-time codes yet.`, `Give them some: firebreak enroll ${userId}`);
  if (enrollment.activeAt > at) throw new UserError(`The new codes of ${userId} count from ${enrollment.activeAt} on.`);
  const since = new Date(now.getTime() - failuresWithinMs).toISOString();
  if ((await store.stepUp.failures(userId, since)) >= mostFailures)
    throw new UserError('Too many wrong codes: wait a quarter of an hour.');
  const timeStep = timeStepOf(code, enrollment.secret, now);
  if (timeStep === undefined) {
    await store.stepUp.failed(userId, at);
    await store.audit.append({ event: 'prove.refused', actor: userId, at, payload: { for: what, door: 'host' } });
    throw new UserError('That one-time code is wrong.');
  }
  if (!(await store.stepUp.spend({ userId, timeStep, for: what, at })))
    throw new UserError('That one-time code was used before: wait for the next one.');
}

/** Throws UserError for whom the config does not name by user id. */
export function refuseUnnamed(userId: string, { settings }: Pick<Deps, 'settings'>): void {
  if (isNamed(userId, settings.rules)) return;
  throw new UserError(
    `The config names ${userId} neither as responder nor as approver.`,
    'On the host only people whose user id is under responders or approvers count; a user group names nobody here.',
  );
}
