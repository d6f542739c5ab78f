/** A plan waits -> direct messages, a reminder, the channel; decided -> said where it was asked; alone -> a review. From the store. */
import type { Approval } from '../contracts/approval.ts';
import { asError } from '../contracts/errors.ts';
import type { Message } from '../contracts/message.ts';
import type { NoticeStage, Told } from '../contracts/strike.ts';
import { audit } from '../domain/approval.ts';
import { brokenGlass } from '../domain/break-glass.ts';
import {
  decidersOf,
  escalationMessage,
  type NoticeOf,
  nobodyDecides,
  noLongerWaits,
  reviewMessage,
  stageDue,
  waitsMessage,
  wasAlone,
} from '../domain/notices.ts';
import type { GroupMembers } from '../domain/people.ts';
import { closedPlan } from '../domain/restricted-case.ts';
import { fewOf, placesOf, unlessRefused } from './approval-places.ts';
import { postOnce } from './deliver.ts';
import type { WorkerDeps } from './deps.ts';
import { rightsOf } from './rights-of.ts';

export type NoticeDeps = Pick<WorkerDeps, 'store' | 'queue' | 'chat' | 'clock' | 'settings' | 'actions' | 'log'>;
type Needs = NoticeDeps;

const batch = 200;

/** For the sweep: queues a job for every plan of which somebody has to be told now. */
export async function queueNotices({
  store,
  queue,
  clock,
  settings,
}: Pick<Needs, 'store' | 'queue' | 'clock' | 'settings'>): Promise<void> {
  const now = clock.now().toISOString();
  for (const approvalId of await store.notices.open(batch)) {
    const approval = await store.approvals.get(approvalId);
    if (approval === undefined) continue;
    const stage = stageDue(approval, await store.notices.of(approvalId), now, settings.mode);
    if (stage === undefined) continue;
    await queue.add('approval.notify', { approvalId }, { id: `notify-${approvalId}-${stage}` });
  }
}

/** Job `approval.notify`. Each message has a key, each stage is noted when its last message is there: a crash repeats nothing. */
export async function notify({ approvalId }: { readonly approvalId: string }, deps: Needs): Promise<void> {
  await deps.store.turn(`notify:${approvalId}`, async () => {
    const approval = await deps.store.approvals.get(approvalId);
    if (approval === undefined) return;
    const few = await fewOf(approval, deps);
    const [place] = await placesOf(approval, deps);
    const notices = await deps.store.notices.of(approvalId);
    const stage = stageDue(approval, notices, deps.clock.now().toISOString(), deps.settings.mode);
    // Without a card there is nothing to decide on yet.
    if (stage === undefined || (place === undefined && approval.state === 'proposed')) return;
    const account = deps.settings.accounts.find(({ id }) => id === approval.plan.accountId);
    const of: About = {
      approval,
      account,
      channel: place?.channel ?? approval.channel,
      few,
      isClosed: few !== undefined,
    };
    const earlier = notices.flatMap(({ told }) => told);
    const told = await carryOut(stage, of, earlier, deps);
    await deps.store.notices.note(approvalId, { stage, told, at: deps.clock.now().toISOString() });
  });
}

/** `few`: the Slack ids that the case is closed to; nobody else is told of its plans. */
interface About extends NoticeOf {
  readonly few: readonly string[] | undefined;
}

async function carryOut(
  stage: NoticeStage,
  of: About,
  earlier: readonly Told[],
  deps: Needs,
): Promise<readonly Told[]> {
  const { approval } = of;
  switch (stage) {
    case 'asked':
    case 'reminded': {
      // Of the steps of a strike the first that waits speaks for all: one message a person, not one a step.
      if (await waitsBehindAnother(approval, deps)) return [];
      const may = await deciders(of, deps);
      const pending = may.filter((id) => !hasVoted(approval, id));
      if (of.few !== undefined && may.length < approval.required) {
        await tellEach(`notice:${approval.id}:nobody:${of.few.length}`, of.few, nobodyDecides(of), deps);
      }
      return tellEach(`notice:${approval.id}:${stage}`, pending, waitsMessage(of, stage), deps);
    }
    case 'escalated': {
      if (await waitsBehindAnother(approval, deps)) return [];
      // The levels of `escalation` where there are some; the approvers again in any case.
      const next = amongFew(of, [...new Set(deps.settings.escalation.levels.flatMap(({ users }) => users))]);
      const may = await deciders(of, deps);
      if (of.few !== undefined) return tellEach(`notice:${approval.id}:next`, may, waitsMessage(of, 'reminded'), deps);
      const called = [...new Set([...may, ...next])];
      const message = escalationMessage(of, called);
      await postOnce({ key: `notice:${approval.id}:escalated`, channel: of.channel, message }, deps);
      const told = earlier.map(({ userId }) => userId);
      const fresh = next.filter((id) => !told.includes(id) && id !== approval.requester.userId);
      return tellEach(`notice:${approval.id}:next`, fresh, waitsMessage(of, 'reminded'), deps);
    }
    case 'decided':
      return decided(of, earlier, deps);
    case 'review':
      await askForReview(of, deps);
      return [];
    case 'ended':
      // What went by break-glass has had its review asked for; by now it is time for the reminder.
      await (brokenGlass(approval) === undefined ? askForReview(of, deps) : remindOfReview(of, deps));
      return [];
  }
}

/** What was asked is answered where it was asked. An update makes no sound, so an expiry is a message of its own. */
async function decided(of: About, earlier: readonly Told[], deps: Needs): Promise<readonly Told[]> {
  const message = noLongerWaits(of);
  for (const { channel, ts, userId } of earlier) {
    // Who was told before the case was closed is told nothing more, and loses what stood there.
    const told = amongFew(of, [userId]).length > 0 ? message : closedPlan(of.approval);
    await unlessRefused(userId, deps, () => deps.chat.update({ channel, ts, message: told }));
  }
  if (of.approval.state !== 'expired') return [];
  const people = [...earlier.map(({ userId }) => userId), of.approval.requester.userId];
  return tellEach(`notice:${of.approval.id}:expired`, amongFew(of, [...new Set(people)]), message, deps);
}

function amongFew({ few }: Pick<About, 'few'>, people: readonly string[]): readonly string[] {
  return few === undefined ? people : people.filter((userId) => few.includes(userId));
}

/** A lone approval is looked at by another approver afterwards. */
async function askForReview(of: About, deps: Needs): Promise<void> {
  const { approval } = of;
  if (!wasAlone(approval) || !hasWritten(approval)) return;
  const others = await reviewers(of, deps);
  const told = await tellEach(`notice:${approval.id}:review`, others, reviewMessage(of), deps);
  if (told.length === 0 && of.few === undefined) {
    const message = reviewMessage(of);
    await postOnce({ key: `notice:${approval.id}:review`, channel: of.channel, message }, deps);
  }
  await deps.store.audit.append(
    audit(approval, 'review.asked', 'firebreak', deps.clock.now().toISOString(), {
      of: brokenGlass(approval)?.userId ?? approval.requester.userId,
      asked: told.map(({ userId }) => userId),
      planHash: approval.planHash,
      state: approval.state,
    }),
  );
}

/** Everybody who may decide, but for who asked and who approved. */
async function reviewers(of: About, deps: Needs): Promise<readonly string[]> {
  const { approval } = of;
  const glass = brokenGlass(approval)?.userId;
  return (await deciders(of, deps)).filter((id) => id !== approval.requester.userId && id !== glass);
}

function hasWritten({ sentAt, steps }: Approval): boolean {
  return sentAt !== undefined || steps.some(({ state }) => state === 'done');
}

async function remindOfReview(of: About, deps: Needs): Promise<void> {
  const { approval } = of;
  if (!hasWritten(approval)) return;
  const key = `notice:${approval.id}:review-reminded`;
  const told = await tellEach(key, await reviewers(of, deps), reviewMessage(of, 'reminded'), deps);
  if (told.length > 0 || of.few !== undefined) return;
  await postOnce({ key, channel: of.channel, message: reviewMessage(of, 'reminded') }, deps);
}

/** Takes what a plan was about out of the messages of those that its case is closed to by now. */
export async function hideNotices(
  approval: Approval,
  few: readonly string[],
  deps: Pick<Needs, 'store' | 'chat' | 'log'>,
): Promise<void> {
  const told = (await deps.store.notices.of(approval.id)).flatMap((notice) => notice.told);
  for (const { userId, channel, ts } of told.filter((one) => !few.includes(one.userId))) {
    await unlessRefused(userId, deps, () => deps.chat.update({ channel, ts, message: closedPlan(approval) }));
  }
}

async function waitsBehindAnother(approval: Approval, { store }: Needs): Promise<boolean> {
  for (const id of await store.strikes.earlier(approval.id)) {
    if ((await store.approvals.get(id))?.state === 'proposed') return true;
  }
  return false;
}

function hasVoted(approval: Approval, userId: string): boolean {
  return approval.votes.some((vote) => vote.userId === userId);
}

export async function deciders(of: About, deps: Needs): Promise<readonly string[]> {
  const { approval } = of;
  const action = deps.actions.find(({ name }) => name === approval.plan.action);
  const rights = action && rightsOf(action, approval.plan.accountId, deps);
  const crowds = rights?.approve ?? [];
  const groups = await members(
    [deps.settings.rules.approvers, ...crowds].flatMap(({ groups: ids }) => ids),
    deps,
  );
  const asker = rights?.alone === true ? undefined : approval.requester.userId;
  return amongFew(of, decidersOf(deps.settings.rules, crowds, groups, asker));
}

async function members(ids: readonly string[], { chat, log }: Needs): Promise<GroupMembers> {
  const found = new Map<string, readonly string[]>();
  for (const id of new Set(ids)) {
    try {
      found.set(id, await chat.groupMembers(id));
    } catch (error) {
      log.warn({ group: id, error: asError(error) }, 'a user group could not be read for a notice');
    }
  }
  return found;
}

export async function tellEach(
  key: string,
  people: readonly string[],
  message: Message,
  deps: Needs,
): Promise<readonly Told[]> {
  const told: Told[] = [];
  for (const userId of people) {
    await unlessRefused(userId, deps, async () => {
      const { channel, ts } = await postOnce({ key: `${key}:${userId}`, channel: userId, message }, deps);
      told.push({ userId, channel, ts });
    });
  }
  return told;
}
