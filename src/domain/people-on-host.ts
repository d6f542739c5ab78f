/**
 * Who may do what on the host while Slack does not answer: the config alone is asked. A user group cannot be read then, so it
 * makes nobody an approver; a person must be named by user id wherever the rules name people.
 */
import type { LiftWish } from '../contracts/host.ts';
import { areTwoPeople, involvedRefusal, type PeopleRules, personOf } from './people.ts';
import type { Crowd } from './slack-ids.ts';

export interface OnHost {
  readonly person: string;
  /** Half a sentence; undefined: may. */
  readonly refusal: string | undefined;
}

const onlyByGroup =
  'Slack does not answer, and a user group cannot be read without it: the config must name you by user id';

/** May this id ask on the host? `crowds`: of the config's policies, each must hold. `touched`: names of the target. */
export function askingOnHost(
  userId: string,
  rules: PeopleRules,
  crowds: readonly Crowd[],
  touched: readonly string[],
): OnHost {
  const lists = [rules.responders?.users ?? [], rules.approvers.users];
  const named = lists.some((users) => users.includes(userId)) && crowds.every(({ users }) => users.includes(userId));
  return judged(userId, rules, touched, named);
}

/** May this id approve on the host? */
export function approvingOnHost(
  userId: string,
  rules: PeopleRules,
  crowds: readonly Crowd[],
  touched: readonly string[],
): OnHost {
  return judged(
    userId,
    rules,
    touched,
    [rules.approvers, ...crowds].every(({ users }) => users.includes(userId)),
  );
}

function judged(userId: string, rules: PeopleRules, touched: readonly string[], named: boolean): OnHost {
  const profile = { userId, email: undefined };
  return {
    person: personOf(profile, rules),
    refusal: named ? involvedRefusal(profile, rules, touched) : onlyByGroup,
  };
}

/** Whether the config names this id as responder or approver: nobody else does anything on the host. */
export function isNamed(userId: string, { responders, approvers }: PeopleRules): boolean {
  return [...(responders?.users ?? []), ...approvers.users].includes(userId);
}

/** The second approver must follow within this time. */
export const liftWithinMs = 30 * 60_000;

/** Whether an earlier wish and this person lift a freeze together: of this freeze, not too old, and certainly two people. */
export function liftsWith(earlier: LiftWish, frozenAt: string, person: string, now: Date): boolean {
  return stillWished(earlier, frozenAt, now) && areTwoPeople(earlier.person, person);
}

/** Whether an earlier wish still counts: it is about this freeze, and not too old. */
export function stillWished(earlier: LiftWish, frozenAt: string, now: Date): boolean {
  const age = now.getTime() - Date.parse(earlier.at);
  return earlier.at >= frozenAt && age >= 0 && age <= liftWithinMs;
}
