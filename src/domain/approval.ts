/**
 * The approval's state machine: the one place that says which state may follow which, and under what conditions.
 * proposed -> approved -> applying -> verified | failed | partial; or rejected, withdrawn, expired, stale.
 * Pure: takes the approval and facts, returns what shall happen or why not.
 */
import type { Approval, ApprovalState, Vote } from '../contracts/approval.ts';
import type { Proof } from '../contracts/step-up.ts';
import type { AuditEntry, Standing, Transition } from '../contracts/store.ts';
import type { Rights } from './approval-policy.ts';
import { breakGlassHash, breakGlassRefusal, provedGlass } from './break-glass.ts';
import { areTwoPeople, asOne } from './people.ts';
import { planHash } from './plan.ts';
import type { Crowd } from './slack-ids.ts';

const following: Readonly<Record<ApprovalState, readonly ApprovalState[]>> = {
  proposed: ['approved', 'rejected', 'withdrawn', 'expired', 'stale'],
  approved: ['applying', 'withdrawn', 'expired', 'stale', 'failed'],
  applying: ['verified', 'failed', 'partial'],
  verified: [],
  failed: [],
  partial: [],
  rejected: [],
  withdrawn: [],
  expired: [],
  stale: [],
};

/** True when nothing more will happen to an approval in this state. */
export function isOver(state: ApprovalState): boolean {
  return following[state].length === 0;
}

/** What AWS accepted, in part or without confirmation too, needs a way back. */
export function isUndoable({ state, sentAt, steps, plan }: Approval): boolean {
  if (plan.direction !== 'apply') return false;
  const sent = sentAt !== undefined || steps.some((step) => step.state !== 'refused');
  return state === 'verified' || state === 'partial' || (state === 'failed' && sent);
}

export function mayFollow(from: ApprovalState, to: ApprovalState): boolean {
  return following[from].includes(to);
}

export type Outcome = { readonly transition: Transition } | { readonly refused: string };

/** A vote, after the voter's standing was looked at. `refusal` is the reason why the voter may not vote, if any. */
export interface Ballot {
  readonly userId: string;
  readonly person: string;
  readonly vote: Vote['vote'];
  readonly at: string;
  readonly refusal: string | undefined;
  /** The mode in which the card was shown to the voter. */
  readonly mode: Vote['mode'];
  /** Whether a one-time code is asked for, and whether the voter may approve his own wish with one. */
  readonly rights: Pick<Rights, 'stepUp' | 'alone'> & Partial<Pick<Rights, 'breakGlass'>>;
  /** Hashes of the plans that the voter's codes were given for. */
  readonly proved: readonly string[];
  /** Given on the host: never without a code. */
  readonly door?: Vote['door'] | undefined;
  readonly hostUser?: string | undefined;
  /** The reason, where the glass is to be broken. */
  readonly breakGlass?: string | undefined;
  /** Whether all writes are frozen; asked where the glass is to be broken. */
  readonly frozen?: boolean;
}

/**
 * Counts one vote. The same vote by the same id again is accepted without effect (`repeat`), so that a job may run twice.
 */
export function castVote(approval: Approval, ballot: Ballot): Outcome | { readonly repeat: true } {
  // Who has approved as one of several may still break the glass when the others do not answer.
  const isRepeat = ({ userId, vote, breakGlass }: Vote) =>
    userId === ballot.userId && vote === ballot.vote && (breakGlass !== undefined || ballot.breakGlass === undefined);
  if (approval.votes.some(isRepeat)) return { repeat: true };
  if (approval.state !== 'proposed') return { refused: `it is already ${approval.state}` };
  if (ballot.at >= approval.expiresAt) return { refused: `it expired at ${approval.expiresAt}` };
  const own = ballot.userId === approval.requester.userId;
  const { breakGlass } = ballot;
  const { planHash: hash } = approval;
  const proved = ballot.proved.includes(breakGlass === undefined ? hash : breakGlassHash(hash, breakGlass));
  if (ballot.door === 'host' && !proved) {
    return { refused: ballot.refusal ?? 'a vote on the host asks for a one-time code, and none was given for it' };
  }
  if (ballot.vote === 'withdraw') {
    return own ? counted(approval, ballot, 'withdrawn') : { refused: 'only the person who asked can withdraw it' };
  }
  if (ballot.refusal !== undefined) return { refused: ballot.refusal };
  if (ballot.vote === 'reject') return counted(approval, ballot, 'rejected');
  if (breakGlass !== undefined) return breaking(approval, { ...ballot, breakGlass }, proved);
  if (own) {
    if (!isAlone(approval, ballot.rights)) return { refused: 'the person who asked cannot approve' };
    return proved
      ? counted(approval, ballot, 'approved')
      : { refused: 'approving your own wish asks for a one-time code, and none was given for it' };
  }
  const onHost = ballot.door === 'host';
  if (!areTwoPeople(ballot.person, approval.requester.person))
    return { refused: asOne(ballot.person, approval.requester.person, 'the same person as the one who asked', onHost) };
  if (ballot.rights.stepUp && !proved) return { refused: 'this asks for a one-time code, and none was given for it' };
  const approvers = approval.votes.filter((vote) => vote.vote === 'approve');
  const twin = approvers.find((vote) => !areTwoPeople(vote.person, ballot.person));
  if (twin !== undefined) {
    const whom = 'another account of the same person who has approved already';
    return { refused: asOne(ballot.person, twin.person, whom, onHost) };
  }
  return counted(approval, ballot, approvers.length + 1 >= approval.required ? 'approved' : undefined);
}

/** One is enough then, the asker too. A code is asked for whatever the config says of codes. */
function breaking(approval: Approval, ballot: Ballot & { readonly breakGlass: string }, proved: boolean): Outcome {
  const { userId, breakGlass: reason, rights, mode, at } = ballot;
  const facts = {
    userId,
    reason,
    rights: rights.breakGlass,
    frozen: ballot.frozen !== false,
    mode,
    at,
    door: ballot.door,
  };
  const because =
    breakGlassRefusal(approval, facts) ??
    (proved ? undefined : 'break-glass asks for a one-time code, and none was given for it');
  return because === undefined ? counted(approval, ballot, 'approved') : { refused: because };
}

/** Whether the rules let who asked approve it, as the only one: only where one approval is enough by every other rule. */
export function isAlone({ required }: Approval, rights: Pick<Rights, 'alone'>): boolean {
  return rights.alone && required === 1;
}

function counted(approval: Approval, ballot: Ballot, state: ApprovalState | undefined): Outcome {
  const vote: Vote = {
    userId: ballot.userId,
    person: ballot.person,
    vote: ballot.vote,
    at: ballot.at,
    planHash: approval.planHash,
    mode: ballot.mode,
    ...(ballot.breakGlass === undefined ? {} : { breakGlass: ballot.breakGlass }),
    ...(ballot.door === undefined ? {} : { door: ballot.door, hostUser: ballot.hostUser ?? 'unknown' }),
  };
  return {
    transition: {
      ...(state === undefined ? {} : { state }),
      addVote: vote,
      audit: audit(approval, ballot.breakGlass === undefined ? 'vote' : 'break-glass', ballot.userId, ballot.at, {
        vote: ballot.vote,
        ...(ballot.breakGlass === undefined ? {} : { reason: ballot.breakGlass }),
        person: ballot.person,
        planHash: approval.planHash,
        mode: ballot.mode,
        ...(ballot.door === undefined ? {} : { door: ballot.door, hostUser: ballot.hostUser ?? 'unknown' }),
        state: state ?? approval.state,
      }),
    },
  };
}

/** What the executor knows when it is about to write. */
export interface ExecutionFacts {
  readonly now: string;
  readonly mode: 'observe' | 'propose' | 'execute';
  readonly frozen: boolean;
  readonly standings: readonly Standing[];
  /** A standing older than this is asked for again, ms. */
  readonly standingMaxAgeMs: number;
  /** As the executor's own config has them: each must hold. Users empty: groups alone decide, through the standing. */
  readonly approvers: readonly Crowd[];
  readonly rights: Pick<Rights, 'stepUp' | 'alone'> & Partial<Pick<Rights, 'breakGlass'>>;
  readonly proofs: readonly Proof[];
  /** How many must approve by the executor's own config. */
  readonly required: number;
  /** Why the executor itself would not make this plan now, if so: protected, never contained, other calls, another role. */
  readonly objection: string | undefined;
  /** Slack ids of the few that the case is closed to; undefined where it is open. */
  readonly few: readonly string[] | undefined;
}

export type MayExecute =
  | { readonly kind: 'yes' }
  /** The voters' standing must be looked at again first. */
  | { readonly kind: 'ask-standing' }
  | { readonly kind: 'no'; readonly state: 'expired' | 'stale'; readonly because: string };

/** The whole approval, checked once more where the write happens. Everything that is missing means no. */
export function mayExecute(approval: Approval, facts: ExecutionFacts): MayExecute {
  const no = (because: string): MayExecute => ({ kind: 'no', state: 'stale', because });
  if (planHash(approval.plan) !== approval.planHash) return no('the stored plan is not the one that was approved');
  // AWS has answered some of the calls under this approval: it is brought to its end, not left half done.
  const isHalfApplied = approval.steps.some((step) => step.state === 'done');
  if (facts.now >= approval.expiresAt && !isHalfApplied)
    return { kind: 'no', state: 'expired', because: `it expired at ${approval.expiresAt}` };
  if (facts.mode !== 'execute') return no(`the mode is ${facts.mode}: nothing is written`);
  // A freeze still allows undo: what was done wrongly must not stay because somebody pulled the brake.
  if (facts.frozen && !isHalfApplied && approval.plan.direction === 'apply') return no('all writes are frozen');
  if (facts.objection !== undefined) return no(facts.objection);
  const nobody = facts.approvers.length === 0 || facts.approvers.some((crowd) => isNobody(crowd));
  if (nobody) return no('the config names no approvers');
  const votes = approval.votes.filter((vote) => vote.vote === 'approve');
  if (votes.some((vote) => vote.planHash !== approval.planHash)) return no('a vote was given for another plan');
  if (votes.some((vote) => vote.mode !== 'execute')) {
    return no('it was approved while Firebreak ran nothing; ask again');
  }
  const glass = provedGlass(approval, { ...facts, ...facts.rights, frozen: facts.frozen && !isHalfApplied });
  if (glass.refused !== undefined) return no(`the glass may not be broken: ${glass.refused}`);
  const proved = (userId: string) =>
    userId === glass.by ||
    facts.proofs.some((proof) => proof.userId === userId && proof.planHash === approval.planHash);
  const onHost = (vote: Vote) => vote.door === 'host' && proved(vote.userId);
  if (votes.some((vote) => vote.door === 'host' && !onHost(vote)))
    return no('an approval given on the host lacks its one-time code');
  if (facts.rights.stepUp && !votes.every(({ userId }) => proved(userId)))
    return no('an approval lacks its one-time code');
  const { userId: asker } = approval.requester;
  const alone =
    facts.required === 1 &&
    isAlone(approval, facts.rights) &&
    votes.some(({ userId }) => userId === asker) &&
    proved(asker);
  if (glass.by === undefined && !alone && distinctPeople(votes, approval) < Math.max(approval.required, facts.required))
    return no('it lacks approvals by distinct people other than the requester');
  if (isHalfApplied) return { kind: 'yes' };
  const outsider = facts.few === undefined ? undefined : votes.find(({ userId }) => !facts.few?.includes(userId));
  if (outsider !== undefined) return no(`the case was closed to a few, and ${outsider.userId} is none of them`);
  for (const vote of votes) {
    if (facts.approvers.some(({ users }) => users.length > 0 && !users.includes(vote.userId))) {
      return no(`${vote.userId} is no longer an approver`);
    }
    const standing = facts.standings.find((entry) => entry.userId === vote.userId);
    if (standing === undefined || Date.parse(facts.now) - Date.parse(standing.checkedAt) > facts.standingMaxAgeMs) {
      return { kind: 'ask-standing' };
    }
    if (standing.refused !== undefined) return no(`an approver lost the right to approve: ${standing.refused}`);
    // Slack did not answer: only the allow-lists of the config, the code and the host speak for this person.
    const listed = facts.approvers.every(({ users }) => users.includes(vote.userId));
    if (standing.by === 'config' && !(onHost(vote) && listed)) return no('Slack did not tell who an approver is');
  }
  const requester = facts.standings.find((entry) => entry.userId === approval.requester.userId);
  if (requester === undefined) return { kind: 'ask-standing' };
  if (requester.by === 'config' && !votes.every(onHost)) return no('Slack did not tell who the requester is');
  if (requester.refused !== undefined) return no(`the requester lost the right to ask: ${requester.refused}`);
  return { kind: 'yes' };
}

function isNobody({ users, groups }: Crowd): boolean {
  return users.length === 0 && groups.length === 0;
}

function distinctPeople(votes: readonly Vote[], approval: Approval): number {
  const counted: Vote[] = [];
  for (const vote of votes) {
    if (vote.userId === approval.requester.userId || !areTwoPeople(vote.person, approval.requester.person)) continue;
    if (counted.every((other) => other.userId !== vote.userId && areTwoPeople(other.person, vote.person)))
      counted.push(vote);
  }
  return counted.length;
}

/** A move that no person made: expiry, drift, start, end. Undefined when the state machine does not allow it. */
export function moveTo(
  approval: Approval,
  state: ApprovalState,
  input: {
    readonly event: string;
    readonly actor: string;
    readonly at: string;
    readonly outcome?: string;
    readonly after?: Readonly<Record<string, unknown>>;
    readonly payload?: Readonly<Record<string, unknown>>;
  },
): Transition | undefined {
  if (!mayFollow(approval.state, state)) return undefined;
  return {
    state,
    ...(input.outcome === undefined ? {} : { outcome: input.outcome }),
    ...(input.after === undefined ? {} : { after: input.after }),
    audit: audit(approval, input.event, input.actor, input.at, {
      state,
      planHash: approval.planHash,
      ...(input.outcome === undefined ? {} : { outcome: input.outcome }),
      ...input.payload,
    }),
  };
}

export function audit(
  approval: Pick<Approval, 'id' | 'caseId'>,
  event: string,
  actor: string,
  at: string,
  payload: Readonly<Record<string, unknown>>,
): AuditEntry {
  return { event, actor, at, caseId: approval.caseId, approvalId: approval.id, payload };
}
