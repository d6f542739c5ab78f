/** Sessions of the responder roles in CloudTrail -> is there an approved plan for each? -> a critical alert for one that has none. */

import type { Alert } from '../contracts/alert.ts';
import { asError } from '../contracts/errors.ts';
import {
  notOfPlan,
  planIdIn,
  type ResponderSession,
  sessionsOfRoles,
  unknownSessionAlert,
} from '../domain/unknown-session.ts';
import type { WorkerDeps } from './deps.ts';

type Needs = Pick<WorkerDeps, 'store' | 'queue' | 'clock' | 'settings' | 'openEvidence' | 'log'>;

const minuteMs = 60_000;
/** Not at once: at a start there is more urgent work. */
const firstAfterMs = minuteMs;
const everyMs = 15 * minuteMs;
/** CloudTrail is late by up to 15 minutes. What was told is told once. */
const backMs = 45 * minuteMs;
/** After a start: what happened while nobody looked. */
const firstBackMs = 24 * 60 * minuteMs;
const maxRequests = 200;

/** Returns the look, to be called often: it looks when its time has come. */
export function openResponderWatch(deps: Needs): () => Promise<void> {
  let nextAt = deps.clock.now().getTime() + firstAfterMs;
  /** Up to when each account was looked at whole: what could not be read is part of the next look, up to a day back. */
  const wholeUntil = new Map<string, number>();
  return async () => {
    const now = deps.clock.now().getTime();
    if (now < nextAt) return;
    nextAt = now + everyMs;
    const reachOf = (account: string) =>
      Math.min(firstBackMs, now - (wholeUntil.get(account) ?? now - firstBackMs) + backMs - everyMs);
    for (const account of await lookAtResponders(reachOf, deps)) wholeUntil.set(account, now);
  };
}

/**
 * One look at every account with a responder role, each as far back as told in ms. Returns those that were looked at whole; what
 * cannot be read is logged.
 */
export async function lookAtResponders(reachOf: (account: string) => number, deps: Needs): Promise<readonly string[]> {
  const { settings, clock, log } = deps;
  const now = clock.now();
  const whole: string[] = [];
  for (const { id: account, responderRole } of settings.accounts) {
    if (responderRole === undefined) continue;
    try {
      const evidence = await deps.openEvidence({
        accounts: [account],
        regions: undefined,
        window: { from: new Date(now.getTime() - reachOf(account)).toISOString(), to: now.toISOString() },
        maxRequests,
        maxEvents: 20_000,
        signal: AbortSignal.timeout(everyMs),
        onProgress: () => undefined,
      });
      const records = await evidence.recordsOf({ kind: 'role', id: responderRole });
      const { complete } = evidence.coverage();
      if (!complete) log.warn({ account }, 'not all sessions of the responder role could be looked at');
      for (const session of sessionsOfRoles(records, [responderRole])) await judge(session, deps);
      if (complete) whole.push(account);
    } catch (error) {
      log.warn({ account, error: asError(error) }, 'the sessions of the responder role could not be looked at');
    }
  }
  return whole;
}

async function judge(session: ResponderSession, deps: Needs): Promise<void> {
  const id = planIdIn(session.name);
  const because = notOfPlan(session, id === undefined ? undefined : await deps.store.approvals.get(id));
  if (because === undefined) return;
  await raise(session, unknownSessionAlert(session, because), deps);
}

/** Stored before it is queued; what is not queued the sweep finds. */
async function raise(session: ResponderSession, alert: Alert, { store, queue, clock, log }: Needs): Promise<void> {
  const deliveryKey = `responder-session-${session.eventId}`;
  const at = clock.now().toISOString();
  const { alertId, repeat } = await store.alerts.receive({ deliveryKey, alert, raw: { ...session }, at });
  if (repeat) return;
  log.error({ ...session }, 'a session of the responder role has no approved plan');
  await queue.add('alert.urgent', { alertId }, { id: `alert-${alertId}` });
}
