/** What `/readyz` says of the intake beside the webhooks. The worker notes how it goes; the web role tells it. */
import type { Config } from './config.ts';
import { asError } from './contracts/errors.ts';
import type { IntakeSource } from './contracts/intake.ts';
import type { Log } from './contracts/log.ts';
import type { Store } from './contracts/store.ts';

/** A queue is asked every 20 s; silence for longer than this means that no worker reads it. */
const queueSilenceMs = 3 * 60_000;

/** Never required: what comes by the webhooks can be stored all the same. Names no account and no URL. */
export async function intakeReady(
  config: Config,
  store: Pick<Store, 'intake' | 'subscriptions'>,
  now: Date,
  log: Log,
): Promise<{ ok: boolean; because?: string; required: false }> {
  try {
    const sources = await store.intake.sources();
    const problems = [
      ...config.queues.flatMap(({ name }) => queueProblem(name, sources, now)),
      ...(config.guardduty.pollMinutes > 0 ? guardDutyProblems(sources) : []),
      ...(await store.subscriptions.failed()).map(
        ({ topicArn, because }) => `SNS topic ${topicArn.split(':').at(-1)}: not confirmed (${because})`,
      ),
    ];
    return problems.length === 0
      ? { ok: true, required: false }
      : { ok: false, because: problems.join('; '), required: false };
  } catch (error) {
    log.warn({ error: asError(error) }, 'the state of the intake could not be read');
    return { ok: false, because: 'its state could not be read', required: false };
  }
}

/** At most one sentence, which begins with `queue <name>: `. */
export function queueProblem(name: string, sources: readonly IntakeSource[], now: Date): string[] {
  const source = sources.find((one) => one.name === `queue ${name}`);
  if (source === undefined) return [`queue ${name}: no worker has read it yet`];
  if (!source.ok) return [`queue ${name}: ${source.because} since ${source.since}`];
  const silent = now.getTime() - Date.parse(source.lookedAt) > queueSilenceMs;
  return silent ? [`queue ${name}: no worker has read it since ${source.lookedAt}`] : [];
}

/** One line per reason: an organisation has thousands of places. */
export function guardDutyProblems(sources: readonly IntakeSource[]): string[] {
  const byReason = new Map<string, Set<string>>();
  for (const { kind, ok, name, because = '' } of sources) {
    if (kind !== 'guardduty' || ok) continue;
    const where = /\/([a-z0-9-]+)$/.exec(name)?.[1] ?? 'the list of accounts or Regions';
    byReason.set(because, (byReason.get(because) ?? new Set()).add(where));
  }
  return [...byReason].map(
    ([because, where]) => `GuardDuty cannot be asked in ${[...where].sort().join(', ')} (${because})`,
  );
}
