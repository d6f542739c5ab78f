/** What `/readyz` says of the anchors of the audit. The worker notes how it goes; the web role tells it. */
import type { Config } from './config.ts';
import { asError } from './contracts/errors.ts';
import type { Log } from './contracts/log.ts';
import type { Store } from './contracts/store.ts';
import { anchorProblem } from './domain/audit-anchor.ts';

/** Never required: alerts, cards and containment do not wait for it. Undefined where the config names no bucket. */
export async function anchorReady(
  config: Config,
  store: Pick<Store, 'anchors' | 'audit'>,
  now: Date,
  log: Log,
): Promise<{ ok: boolean; because?: string; required: false } | undefined> {
  const { anchor } = config.audit;
  if (anchor === undefined) return undefined;
  try {
    const [state, head] = [await store.anchors.state(), await store.audit.head()];
    const because = anchorProblem(state, head, anchor.everyMinutes, now);
    return because === undefined ? { ok: true, required: false } : { ok: false, because, required: false };
  } catch (error) {
    log.warn({ error: asError(error) }, 'the state of the anchors could not be read');
    return { ok: false, because: 'its state could not be read', required: false };
  }
}
