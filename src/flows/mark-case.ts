/** buttons Snooze and False positive, and `/ir open` -> written down -> the card and its thread show it. */
import type { JobContext, Jobs } from '../contracts/job.ts';
import { closedTo } from '../domain/access.ts';
import { inert } from '../domain/inert.ts';
import { ruleOf } from '../domain/noise.ts';
import { code, date, line, person, say } from '../domain/phrases.ts';
import { severityRank } from '../domain/severity.ts';
import { ruleWords } from '../domain/snooze-wording.ts';
import { postOnce, tellOne } from './deliver.ts';
import type { WorkerDeps } from './deps.ts';
import { deliverCase, showCase } from './handle-alert.ts';
import { askingRefusalOf, toldOrAgain } from './standing.ts';

/** Job `case.mark`. A second click changes nothing. */
export async function markCase(
  input: Jobs['case.mark'],
  ctx: Pick<JobContext, 'attempt'>,
  deps: WorkerDeps,
): Promise<void> {
  const { caseId, userId, mark } = input;
  const looked = toldOrAgain(await askingRefusalOf(userId, deps), ctx);
  const refusal = looked.refusal ?? closedTo(await deps.store.cases.get(caseId), userId);
  if (refusal !== undefined) {
    await tellOne({ ...input, message: say(`You cannot do this: ${refusal}.`) }, deps);
    return;
  }
  const at = deps.clock.now().toISOString();
  if (mark === 'open') {
    await deps.store.noise.promote(caseId, at);
    await deliverCase(caseId, deps);
    return;
  }
  if (mark === 'snooze') return snooze(input, at, deps);
  const first = await deps.store.noise.falsePositive(caseId, userId, at);
  if (!first) await tellOne({ ...input, message: say('Somebody has marked this already; the card says who.') }, deps);
  await showCase(caseId, deps);
}

async function snooze(input: Jobs['case.mark'], at: string, deps: WorkerDeps): Promise<void> {
  const { caseId, userId, channel } = input;
  const { store, settings } = deps;
  const found = await store.cases.get(caseId);
  if (found === undefined) return;
  const held = (await store.noise.snoozes(at)).find((each) => each.caseId === caseId);
  const until = input.until ?? new Date(Date.parse(at) + settings.noise.snoozeHours * 3_600_000).toISOString();
  const made =
    held ??
    (await store.noise.addSnooze({
      rule: ruleOf(found.alert),
      reason: input.reason ?? `pressed on the card of ${caseId}`,
      by: userId,
      at,
      until,
      maxRank: severityRank(found.alert.severity),
      caseId,
    }));
  const words = [
    line('Snoozed until ', date(made.until), ' by ', person(made.by), ': ', ruleWords(made.rule), '.'),
    line(`Why: ${inert(made.reason, 300)}`),
    line(
      'A critical, a higher severity or another resource still speaks. End it with ',
      code(`/ir snooze end ${made.id}`),
      '.',
    ),
  ];
  const message = {
    text: `Snoozed: more of this kind is muted for now (${made.id}).`,
    parts: [{ kind: 'lines', lines: words } as const],
  };
  if (found.messageTs !== undefined) {
    const place = { channel: found.channel, threadTs: found.messageTs };
    await postOnce({ key: `snooze:${made.id}`, ...place, message }, deps);
  }
  await tellOne({ channel, userId, message }, deps);
}
