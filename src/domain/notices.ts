/** Who is told of a plan that waits, and when: nobody waits unseen. Pure. Times are ISO 8601 UTC. */
import type { Approval } from '../contracts/approval.ts';
import type { Inline, Message } from '../contracts/message.ts';
import type { Notice, NoticeStage } from '../contracts/strike.ts';
import { isOver } from './approval.ts';
import { whatOf } from './approval-wording.ts';
import { brokenGlass } from './break-glass.ts';
import { type Account, accountWords } from './inventory.ts';
import type { GroupMembers, PeopleRules } from './people.ts';
import { bold, code, date, line, person, say, text } from './phrases.ts';
import type { Crowd } from './slack-ids.ts';

/** Parts of the time until expiry: one reminder, then the next level. */
const remindAt = 0.5;
const escalateAt = 0.75;
/** After break-glass: the next working day in most cases. */
const reviewAgainMs = 12 * 60 * 60_000;

/**
 * The next stage that is due, if any; each is taken once, in order. A reminder is skipped where the first message came only after
 * its time.
 */
export function stageDue(
  approval: Pick<Approval, 'state' | 'createdAt' | 'expiresAt' | 'votes'>,
  notices: readonly Pick<Notice, 'stage' | 'at'>[],
  now: string,
  mode: 'observe' | 'propose' | 'execute',
): NoticeStage | undefined {
  const had = new Map(notices.map(({ stage, at }) => [stage, at]));
  if (had.has('ended')) return undefined;
  if (approval.state !== 'proposed') {
    if (!had.has('decided')) return 'decided';
    // Where Firebreak runs nothing, an approved plan is as far as it gets.
    if (!isOver(approval.state) && !(approval.state === 'approved' && mode !== 'execute')) return undefined;
    if (brokenGlass(approval) === undefined) return 'ended';
    const askedForReview = had.get('review');
    if (askedForReview === undefined) return 'review';
    return Date.parse(now) - Date.parse(askedForReview) >= reviewAgainMs ? 'ended' : undefined;
  }
  if (now >= approval.expiresAt) return undefined;
  const askedAt = had.get('asked');
  if (askedAt === undefined) return 'asked';
  const start = Date.parse(approval.createdAt);
  const time = (part: number) => new Date(start + (Date.parse(approval.expiresAt) - start) * part).toISOString();
  if (now >= time(escalateAt)) return had.has('escalated') ? undefined : 'escalated';
  if (now >= time(remindAt) && askedAt < time(remindAt) && !had.has('reminded')) return 'reminded';
  return undefined;
}

/** Many more would be a flood; who is left out is called in the channel. */
const mostTold = 25;

/**
 * Slack ids that may decide, as the config has them: users and groups both where both are named, and every crowd of the policies.
 * The asker is left out unless he may approve alone; who cannot be told apart here is told, and refused at his vote.
 */
export function decidersOf(
  rules: Pick<PeopleRules, 'approvers'>,
  crowds: readonly Crowd[],
  groups: GroupMembers,
  asker: string | undefined,
): readonly string[] {
  const { users, groups: ids } = rules.approvers;
  const members = ids.flatMap((id) => groups.get(id) ?? []);
  // A group that cannot be read must not keep everybody from hearing of it.
  const isReadable = ids.length > 0 && ids.every((id) => groups.has(id));
  const named = users.length === 0 ? members : isReadable ? users.filter((id) => members.includes(id)) : users;
  const may = named.filter((id) =>
    crowds.every((crowd) => {
      const byId = crowd.users.length === 0 || crowd.users.includes(id);
      const known = crowd.groups.filter((group) => groups.has(group));
      const byGroup = known.length === 0 || known.some((group) => groups.get(group)?.includes(id));
      return byId && byGroup;
    }),
  );
  return [...new Set(may)].filter((id) => id !== asker).slice(0, mostTold);
}

/** True where the asker's own approval counted, or one person broke the glass. */
export function wasAlone(approval: Pick<Approval, 'votes' | 'requester'>): boolean {
  if (brokenGlass(approval) !== undefined) return true;
  return approval.votes.some(({ vote, userId }) => vote === 'approve' && userId === approval.requester.userId);
}

export interface NoticeOf {
  readonly approval: Approval;
  readonly account: Account | undefined;
  /** Where the card is: a channel's id. */
  readonly channel: string;
  /** The case is closed to a few, who have the card directly. */
  readonly isClosed?: boolean;
}

/** A direct message: what waits, until when, and where the card with the plan is. No button: the plan is on the card. */
export function waitsMessage(of: NoticeOf, stage: 'asked' | 'reminded'): Message {
  const { approval } = of;
  const what = whatOf(approval);
  const where = accountWords(approval.plan.accountId, of.account);
  const first = stage === 'asked' ? 'A plan waits for your approval' : 'A plan still waits for your approval';
  return {
    text: `${first}: ${what} in ${where}.`,
    parts: [
      {
        kind: 'lines',
        lines: [
          line(bold(`${first}: `), `${what} in ${where}.`),
          line(
            'Asked by ',
            person(approval.requester.userId),
            `, case ${approval.caseId}. It expires at `,
            date(approval.expiresAt),
            '.',
          ),
          line('Read and decide on its card: ', ...whereIs(of), '.'),
        ],
      },
    ],
  };
}

/** What the direct message becomes when nobody needs to vote any more. */
export function noLongerWaits(of: NoticeOf): Message {
  const { approval } = of;
  const last = approval.votes.at(-1);
  const said: Partial<Record<Approval['state'], string>> = {
    rejected: 'Rejected',
    withdrawn: 'Withdrawn',
    expired: 'Expired without a decision, nothing was written',
    stale: 'Void, nothing was written',
  };
  const sentence = `${said[approval.state] ?? 'Approved'}: ${whatOf(approval)} in ${accountWords(approval.plan.accountId, of.account)}. Nothing waits for you here.`;
  const by =
    last === undefined || approval.state === 'expired'
      ? []
      : [line('By ', person(last.userId), ' at ', date(last.at), '.')];
  return say(sentence, ...by);
}

/** In the channel, when a quarter of the time is left: everybody who may decide. */
export function escalationMessage(of: NoticeOf, deciders: readonly string[]): Message {
  const { approval } = of;
  const sentence = `Nobody has decided yet: ${whatOf(approval)} in ${accountWords(approval.plan.accountId, of.account)}.`;
  const mentions = deciders.flatMap((userId) => [person(userId), text(' ')]);
  return say(
    sentence,
    line(...mentions, 'it expires at ', date(approval.expiresAt), '. Its card is above in this channel.'),
  );
}

/** To another approver, after somebody approved alone. */
export function reviewMessage(of: NoticeOf, stage: 'asked' | 'reminded' = 'asked'): Message {
  const { approval } = of;
  const glass = brokenGlass(approval);
  const how = glass === undefined ? 'by the person who asked for it, alone' : 'by break-glass, by one person alone';
  const first = stage === 'asked' ? 'Please review' : 'Reminder, please review if nobody has';
  const sentence = `${first}: ${whatOf(approval)} in ${accountWords(approval.plan.accountId, of.account)} was approved ${how}.`;
  const call = approval.plan.calls.map(({ service, operation }) => `${service}:${operation}`).join(', ');
  return say(
    sentence,
    line(
      ...(glass === undefined
        ? [text('Asked and approved by '), person(approval.requester.userId)]
        : [text('Asked by '), person(approval.requester.userId), text(', approved by '), person(glass.userId)]),
      `, case ${approval.caseId}. It is ${approval.state}; calls: ${call}.`,
    ),
    ...(glass === undefined ? [] : [line(bold('Reason: '), glass.breakGlass)]),
    line('The card, with Undo where that is possible: ', ...whereIs(of), '.'),
  );
}

/** To the few of a closed case, where too few of them may decide. */
export function nobodyDecides({ approval }: NoticeOf): Message {
  const { caseId, required } = approval;
  return say(
    `A plan of case ${caseId} waits, and too few of the people that the case is closed to may approve it (it needs ${required}).`,
    line('Name an approver too: ', code(`/ir restrict ${caseId} @person ...`), ', with everybody who shall keep it.'),
  );
}

export function whereIs({ channel, isClosed }: NoticeOf): readonly Inline[] {
  if (isClosed === true) return [text('it is in this conversation')];
  return [linkTo(channel), text(' (channel '), code(channel), text(')')];
}

/** Slack's documented deep link; the id comes from Slack itself. */
function linkTo(channel: string) {
  const isId = /^[A-Z0-9]{2,}$/.test(channel);
  return isId
    ? ({ kind: 'link', url: `https://slack.com/app_redirect?channel=${channel}`, label: 'open the channel' } as const)
    : text('open the channel');
}
