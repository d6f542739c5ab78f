/** The button Snooze -> a dialog that asks why and until when -> queued as the click of a card. */
import { UserError } from '../contracts/errors.ts';
import { closedTo } from '../domain/access.ts';
import { ruleOf } from '../domain/noise.ts';
import { chosenEnd, hoursWords, snoozeHoursOffered } from '../domain/snooze-end.ts';
import { ruleWords } from '../domain/snooze-wording.ts';
import type { WebDeps } from './deps.ts';
import { askingRefusalOf } from './standing.ts';

/** Shows the dialog. Throws UserError where there is no such case for this person, he may not ask, or Slack gives no way to. */
export async function askForSnooze(
  click: {
    readonly caseId: string;
    readonly userId: string;
    readonly button: string;
    readonly channelId: string;
    readonly triggerId?: string | undefined;
  },
  deps: Pick<WebDeps, 'store' | 'chat' | 'clock' | 'settings' | 'log'>,
): Promise<void> {
  const { store, chat, settings } = deps;
  const { caseId, userId, button, channelId, triggerId } = click;
  const found = await store.cases.get(caseId);
  if (found === undefined) throw new UserError(`There is no case ${caseId}.`);
  const looked = await askingRefusalOf(userId, deps);
  const refused = closedTo(found, userId) ?? (looked.untold ? undefined : looked.refusal);
  if (refused !== undefined) throw new UserError(`You cannot do this: ${refused}.`);
  if (triggerId === undefined)
    throw new UserError('Slack gave no way to ask why and until when.', 'Press again, or type /ir snooze add.');
  const usual = settings.noise.snoozeHours;
  const what = `Mutes ${ruleWords(ruleOf(found.alert))}. A critical, a higher severity or another resource still speaks.`;
  const spans = snoozeHoursOffered(usual).map((hours) => ({ hours, label: hoursWords(hours) }));
  await chat.openSnooze(triggerId, { button, channelId, what, spans, usual });
}

interface Answer {
  readonly userId: string;
  readonly button: string;
  readonly channelId: string;
  readonly reason: string;
  readonly hours?: number | undefined;
  readonly day?: string | undefined;
}

/** Durable when it returns. Gives what is wrong with a field; throws UserError for who may not snooze. */
export async function snoozeFromDialog(
  answer: Answer,
  deps: Pick<WebDeps, 'store' | 'queue' | 'chat' | 'clock' | 'settings' | 'log'>,
): Promise<{ readonly at: 'reason' | 'hours' | 'day'; readonly words: string } | undefined> {
  const { userId, button, channelId: channel, hours, day } = answer;
  const reason = answer.reason.trim().slice(0, 300);
  if (reason === '') return { at: 'reason', words: 'Say why: it is shown with the snooze and goes into the audit.' };
  let until: string;
  try {
    until = chosenEnd(
      { ...(hours === undefined ? {} : { hours }), ...(day === undefined ? {} : { day }) },
      deps.clock.now(),
    );
  } catch (error) {
    if (error instanceof UserError) return { at: day === undefined ? 'hours' : 'day', words: error.message };
    throw error;
  }
  const meaning = await deps.store.buttons.meaning(button);
  if (meaning?.kind !== 'case') throw new UserError('This dialog belongs to no case that I know.');
  const { caseId } = meaning;
  const looked = await askingRefusalOf(userId, deps);
  const refused = looked.refusal ?? closedTo(await deps.store.cases.get(caseId), userId);
  if (refused !== undefined) throw new UserError(`You cannot do this: ${refused}.`);
  const held = (await deps.store.noise.snoozes(deps.clock.now().toISOString())).find((each) => each.caseId === caseId);
  if (held !== undefined) {
    return {
      at: 'reason',
      words: `This is snoozed already (${held.id}). End that one first: /ir snooze end ${held.id}`,
    };
  }
  await deps.queue.add(
    'case.mark',
    { caseId, userId, channel, mark: 'snooze', reason, until },
    { id: `snooze-${caseId}-${userId}` },
  );
  return undefined;
}
