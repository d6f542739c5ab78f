/** /ir words -> command decides -> stored and queued -> answer within 3 seconds. No AWS here. */
import type { ApprovalLine, CommandContext, CommandOutcome } from '../contracts/command.ts';
import { asError, UserError } from '../contracts/errors.ts';
import type { Message } from '../contracts/message.ts';
import { closedTo } from '../domain/access.ts';
import { kindsCounted } from '../domain/noise-report.ts';
import { refusal, say } from '../domain/phrases.ts';
import { targetWords } from '../domain/plan.ts';
import { interpret, wordsOf } from '../domain/words.ts';
import { askToBreakGlass } from './break-glass.ts';
import { changeRules } from './change-rules.ts';
import type { WebDeps } from './deps.ts';
import { wishToLift } from './lift-freeze.ts';
import { mayRead } from './may-read.ts';
import { queueStored } from './queue-stored.ts';
import { quieten } from './quieten.ts';
import { reportIncident } from './report.ts';
import { approvingRefusalOf, askingRefusalOf } from './standing.ts';
import { askForStrike } from './strike.ts';
import { windowOf } from './window-of.ts';

export interface SlashCommand {
  readonly userId: string;
  readonly channelId: string;
  readonly text: string;
  readonly threadTs?: string | undefined;
  /** Lets a dialog be opened, within 3 s. */
  readonly triggerId?: string | undefined;
}

/** Answers one slash command; the Message goes to the typist alone, undefined where a dialog is the answer. Throws UserError for what he can put right. */
export async function answerCommand(input: SlashCommand, deps: WebDeps): Promise<Message | undefined> {
  const { command, args } = interpret(wordsOf(input.text, deps.commands), deps.commands);
  const looked =
    command.role === 'approver'
      ? await approvingRefusalOf(input.userId, deps)
      : await askingRefusalOf(input.userId, deps);
  // Help holds nothing that a reader of the channel must not know, so a guest gets it too.
  if (looked.refusal !== undefined && command.name !== 'help') {
    return refusal(`You cannot do this: ${looked.refusal}.`, undefined);
  }
  const outcome = await command.decide(args, contextOf(input.userId, deps));
  if (command.name !== 'help') {
    const accounts = outcome.kind === 'investigate' ? outcome.request.accounts : undefined;
    const { userId, channelId: channel } = input;
    const access = await mayRead({ command: command.name, userId, channel, accounts }, deps);
    if ('refused' in access) return refusal(`You cannot ask for this here: ${access.refused}.`, undefined);
  }
  return act(outcome, input, looked, deps);
}

function contextOf(userId: string, { commands, actions, store, clock, ruleShelf }: WebDeps): CommandContext {
  return {
    now: clock.now(),
    commands,
    actions: actions.map(({ name, usage, title }) => ({ name, usage, title })),
    openApprovals: () => openTo(userId, store),
    frozen: async () => (await store.settings.frozen()).frozen,
    ...(ruleShelf === undefined ? {} : { rules: () => ruleShelf.view() }),
    snoozes: () => store.noise.snoozes(clock.now().toISOString()),
    noise: (since, until) => store.noise.report(since, until, kindsCounted),
  };
}

/** Plans of a case that is closed to a few are named to the few only. */
async function openTo(userId: string, store: WebDeps['store']): Promise<readonly ApprovalLine[]> {
  const lines: ApprovalLine[] = [];
  for (const { id, state, plan, caseId, requester, expiresAt } of await store.approvals.open()) {
    const closed = closedTo(await store.cases.get(caseId), userId);
    const what = `${plan.direction === 'undo' ? 'undo ' : ''}${plan.action} ${targetWords(plan.target)}`;
    lines.push({ id, state, what: closed ?? what, requester: requester.userId, expiresAt });
  }
  return lines;
}

/** What of a case that is closed from now on stands in channels already is taken out of them. */
async function hideCards(caseId: string, at: string, { store, queue }: WebDeps): Promise<void> {
  const { strikes, approvals } = await store.strikes.ofCase(caseId);
  for (const approvalId of approvals) {
    await queue.add('approval.changed', { approvalId }, { id: `restrict-${approvalId}-${at}` });
  }
  for (const strikeId of strikes) await queue.add('strike.changed', { strikeId }, { id: `restrict-${strikeId}-${at}` });
}

async function act(
  outcome: CommandOutcome,
  input: SlashCommand,
  looked: { person: string },
  deps: WebDeps,
): Promise<Message | undefined> {
  const at = deps.clock.now().toISOString();
  switch (outcome.kind) {
    case 'reply':
      return outcome.message;
    case 'investigate': {
      // Read here so that a slip is answered at once; the worker reads it again.
      windowOf(outcome.request, deps.settings.pivot.window, deps.clock.now());
      const investigationId = await deps.store.investigations.create({
        name: outcome.investigation,
        request: outcome.request,
        channel: input.channelId,
        threadTs: input.threadTs,
        requestedBy: input.userId,
        createdAt: at,
      });
      await queueStored('investigation.run', { investigationId }, `investigation-${investigationId}`, deps);
      return say(`${outcome.notice} The answer comes in a thread in this channel.`);
    }
    case 'contain': {
      const action = deps.actions.find((candidate) => candidate.name === outcome.action);
      // The words are checked here so that a slip is answered at once; the worker parses them again.
      action?.parse(outcome.words);
      if (deps.settings.mode === 'observe')
        return refusal('Firebreak runs in the mode observe: it proposes nothing.', undefined);
      const requestId = await deps.store.approvals.saveRequest({
        action: outcome.action,
        words: outcome.words,
        userId: input.userId,
        channel: input.channelId,
        threadTs: input.threadTs,
        at,
      });
      await queueStored('containment.plan', { requestId }, `plan-${requestId}`, deps);
      return say('Making the plan. The approval card comes into this channel; somebody else has to approve it.');
    }
    case 'strike': {
      const caseId = await askForStrike({ ...input, caseId: outcome.caseId }, deps);
      return say(`Making a plan for ${caseId}. Its card, and one for each step, come into this channel.`);
    }
    case 'rules':
      return changeRules(outcome.change, { ...input, person: looked.person }, deps);
    case 'restrict': {
      const { caseId, userIds } = outcome;
      const closed = await deps.store.cases.restrict(caseId, userIds, input.userId, at);
      if (closed.length === 0) return refusal(`There is no case ${caseId} that you could close.`, undefined);
      try {
        for (const id of closed) {
          await deps.queue.add('case.show', { caseId: id }, { id: `restrict-${id}-${at}` });
          await hideCards(id, at, deps);
        }
      } catch (error) {
        deps.log.warn({ caseId, error: asError(error) }, 'closed, but its cards could not be queued');
        return refusal(
          `${caseId} is closed, but its cards could not be taken out of the channels yet.`,
          'Type it again in a minute.',
        );
      }
      return say(
        `${closed.join(', which is part of ')}: closed to ${userIds.length + 1} people at most; the card tells others nothing from now on. Files in its threads stay until somebody deletes them.`,
      );
    }
    case 'open':
    case 'snooze':
    case 'end-snooze':
      return quieten(outcome, input, deps);
    case 'report': {
      if (outcome.text !== '') return say(await reportIncident({ userId: input.userId, text: outcome.text }, deps));
      if (input.triggerId === undefined)
        throw new UserError('Slack gave no way to open the dialog.', 'Type `/ir report` and what you know.');
      await deps.chat.openReport(input.triggerId);
      return undefined;
    }
    case 'break-glass':
      return askToBreakGlass(outcome, input, deps);
    case 'freeze': {
      if (!outcome.frozen) return wishToLift({ userId: input.userId, reason: outcome.reason }, deps);
      await deps.store.settings.setFrozen(true, `${input.userId} (${looked.person})`, outcome.reason, at);
      return say(
        'All writes to AWS are frozen from now on. What is half applied is finished, an undo may still run; nothing new is started.',
      );
    }
  }
}
