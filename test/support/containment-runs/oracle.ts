/**
 * What must hold, judged apart from the product's own rules: by what the runs know of the people, by the model's true state, and by what
 * reached AWS.
 */
import { createHash } from 'node:crypto';
import type { Approval } from '../../../src/contracts/approval.ts';
import type { ApiCall } from '../../../src/contracts/aws.ts';
import { canonical } from '../../../src/domain/canonical.ts';
import type { ModelState } from './model-aws.ts';

export class Violation extends Error {
  override readonly name = 'Violation';
}

export function must(holds: boolean, what: string): void {
  if (!holds) throw new Violation(what);
}

/** One call that AWS carried out. */
export interface CarriedOut {
  readonly approvalId: string;
  readonly index: number;
  readonly operation: string;
  readonly answer: Readonly<Record<string, unknown>>;
  /** How often somebody else, or another plan, had changed something by then. */
  readonly others: number;
  readonly at: number;
}

/** Which call of the plan this is, blanks filled rightly; -1 where it is none. */
export function indexOf(approval: Approval, call: ApiCall, carriedOut: readonly CarriedOut[], now: number): number {
  const mine = carriedOut.filter((one) => one.approvalId === approval.id);
  const fits = (planned: unknown, sent: unknown): boolean => {
    if (Array.isArray(planned))
      return Array.isArray(sent) && planned.length === sent.length && planned.every((one, i) => fits(one, sent[i]));
    if (typeof planned !== 'object' || planned === null) return planned === sent;
    if ('$fill' in planned) {
      const blank = planned as { $fill: string; plusSeconds: number; call: number; field: string };
      if (blank.$fill === 'approvalId') return sent === approval.id;
      if (blank.$fill === 'time') return Math.abs(Date.parse(String(sent)) - now - blank.plusSeconds * 1_000) < 120_000;
      return mine.some((one) => one.index === blank.call && one.answer[blank.field] === sent);
    }
    if (typeof sent !== 'object' || sent === null) return false;
    const names = Object.keys(planned);
    return (
      canonical(names.sort()) === canonical(Object.keys(sent).sort()) &&
      names.every((name) => fits((planned as never)[name], (sent as never)[name]))
    );
  };
  return approval.plan.calls.findIndex((planned) => fits(planned, call));
}

export interface Rules {
  readonly required: number;
  readonly stepUp: boolean;
  readonly alone: boolean;
  /** The human being behind a Slack id; undefined: nobody who may approve. */
  humanOf(userId: string): string | undefined;
  /** Whether this id had given a right code for this plan. */
  proved(userId: string, planHash: string): boolean;
}

/** The votes are those of enough different people who may vote, none of them the one who asked. */
export function enoughVotes(approval: Approval, rules: Rules): void {
  const votes = approval.votes.filter(({ vote }) => vote === 'approve');
  const asker = approval.requester.userId;
  const humans = new Set(votes.map(({ userId }) => rules.humanOf(userId)));
  must(!humans.has(undefined), `somebody without a say approved ${approval.id}`);
  must(
    votes.every(({ planHash }) => planHash === approval.planHash),
    'a vote was for another plan',
  );
  const byOthers = votes.filter(({ userId }) => rules.humanOf(userId) !== rules.humanOf(asker));
  const others = new Set(byOthers.map(({ userId }) => rules.humanOf(userId)));
  const needsCode = (userId: string) => rules.stepUp || userId === asker;
  must(
    votes.every(({ userId }) => !needsCode(userId) || rules.proved(userId, approval.planHash)),
    'an approval lacks its code',
  );
  const isAlone = rules.alone && rules.required === 1 && votes.some(({ userId }) => userId === asker);
  must(isAlone || others.size >= rules.required, `${others.size} approved, ${rules.required} are asked for`);
}

export function hashOf(approval: Approval): string {
  return createHash('sha256').update(canonical(approval.plan)).digest('hex');
}

/** Whether the model truly is as the plan wants it. `carriedOut`: of this approval. */
export function trulyHolds({ plan, steps, undoOf }: Approval, state: ModelState, first: Approval | undefined): boolean {
  const { action, direction, before } = plan;
  if (action === 'disable-access-key') {
    const id = String(plan.target.accessKeyId);
    return state.keys[id] === (direction === 'apply' ? 'Inactive' : 'Active');
  }
  if (action === 'isolate-for-runs') {
    if (direction === 'undo') {
      const was = (first?.plan.before ?? before) as { interfaces: { id: string; groups: string[] }[] };
      return (
        undoOf !== undefined &&
        was.interfaces.every(({ id, groups }) => canonical(state.interfaces[id]) === canonical(groups))
      );
    }
    const made = steps.find(({ call }) => call.operation === 'CreateSecurityGroup')?.answer?.GroupId;
    if (typeof made !== 'string' || !(made in state.groups)) return false;
    return Object.values(state.interfaces).every((groups) => canonical(groups) === canonical([made]));
  }
  const call = plan.calls[0]?.input ?? {};
  const holder = call.UserName === undefined ? `role/${String(call.RoleName)}` : `user/${String(call.UserName)}`;
  const document = state.policies[`${holder} ${String(call.PolicyName)}`];
  if (direction === 'undo') return (document ?? '') === String(first?.plan.before.document ?? '');
  return document?.includes('"Effect":"Deny"') === true;
}

/**
 * What the end says of what was carried out, against what was. `unseen`: something else changed after the last look. `meddled`: something
 * else changed at all, so that what somebody else did may be taken for a call of ours whose answer was lost.
 */
export function endIsTrue(
  approval: Approval,
  carriedOut: readonly CarriedOut[],
  facts: { readonly holds: boolean; readonly unseen: boolean; readonly meddled: boolean },
): void {
  const { holds, unseen, meddled } = facts;
  const mine = new Set(carriedOut.filter(({ approvalId }) => approvalId === approval.id).map(({ index }) => index));
  const { state, outcome = '', plan, steps } = approval;
  const told = new Set(steps.filter((step) => step.state === 'done').map(({ index }) => index));
  if (state === 'verified') {
    must(holds || unseen, 'it says verified, and it does not hold');
    must([...told].length === plan.calls.length, `verified with ${told.size} of ${plan.calls.length} calls done`);
  }
  const extra = [...told].filter((index) => !mine.has(index));
  must(extra.length === 0 || meddled, `it says that call ${extra.join()} was carried out, and AWS never did`);
  if (['rejected', 'withdrawn', 'expired', 'stale'].includes(state))
    must(mine.size === 0, `${state}, with ${mine.size} calls carried out`);
  const saysNothing = /^Nothing was written/.test(outcome);
  must(!saysNothing || mine.size === 0, `it says "${outcome}", and ${mine.size} calls were carried out`);
  if (state === 'partial') {
    const count = Number(/^(\d+) of \d+ calls were carried out/.exec(outcome)?.[1]);
    must(count === mine.size || meddled, `it says "${outcome}", and ${mine.size} calls were carried out`);
  }
  const open = mine.size > told.size;
  if (state === 'failed') {
    must(
      !open || /^NOT CONFIRMED/.test(outcome),
      `${mine.size} calls were carried out, ${told.size} are told: "${outcome}"`,
    );
    must(told.size === 0 || /^NOT CONFIRMED/.test(outcome), `failed with ${told.size} calls done: "${outcome}"`);
  }
}
