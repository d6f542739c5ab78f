/**
 * Break-glass: one named person approves alone, with a reason and a one-time code, when nobody else has answered in time. It lifts
 * how many the config asks for and that the asker does not approve; everything else that holds for an approval holds.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Approval, Vote } from '../contracts/approval.ts';
import type { Proof } from '../contracts/step-up.ts';
import { canonical } from './canonical.ts';
import { type Crowd, SlackGroupId, SlackUserId } from './slack-ids.ts';

/** `users` must name somebody: whoever edits a user group in Slack must not give himself this. */
export const BreakGlassRule = z.union([
  z.literal(false),
  z.strictObject({
    users: z.array(SlackUserId).min(1),
    groups: z.array(SlackGroupId).default([]),
    /** Since the plan was proposed. */
    afterMinutes: z
      .number()
      .int()
      .min(1)
      .max(24 * 60)
      .default(10),
  }),
]);
export type BreakGlassRule = z.output<typeof BreakGlassRule>;

export interface BreakGlass {
  /** Each must hold; all name users. */
  readonly crowds: readonly Crowd[];
  readonly afterMinutes: number;
}

const fewestWords = 3;
const fewestLetters = 12;

/** What all rules that speak of it come to: the people whom all name, after the longest time. One `false` is enough for none. */
export function breakGlassOf(spoken: readonly BreakGlassRule[]): BreakGlass | undefined {
  const given = spoken.filter((rule) => rule !== false);
  if (given.length === 0 || given.length < spoken.length) return undefined;
  return {
    crowds: given.map(({ users, groups }) => ({ users, groups })),
    afterMinutes: Math.max(...given.map(({ afterMinutes }) => afterMinutes)),
  };
}

/**
 * What a proof of a break-glass code is stored for, in place of the plan's hash: such a code counts for no ordinary approval, an
 * ordinary code for no break-glass, and the reason cannot be changed afterwards.
 */
export function breakGlassHash(planHash: string, reason: string): string {
  return createHash('sha256')
    .update(canonical({ breakGlass: reason, planHash }))
    .digest('hex');
}

/** Why these words are no reason; undefined where they are one. */
export function reasonProblem(reason: string): string | undefined {
  const words = reason.split(/\s+/).filter((word) => /\p{L}{2}/u.test(word));
  return words.length < fewestWords || reason.trim().length < fewestLetters
    ? `break-glass needs a reason of at least ${fewestWords} words`
    : undefined;
}

export interface GlassFacts {
  readonly userId: string;
  readonly reason: string;
  readonly rights: BreakGlass | undefined;
  readonly frozen: boolean;
  readonly mode: 'observe' | 'propose' | 'execute';
  /** When it was asked for, or for the executor when it saw the code, ISO 8601 UTC. */
  readonly at: string;
  readonly door: Vote['door'] | undefined;
}

/** Everything but the code and the person's standing. Undefined: it may be broken. */
export function breakGlassRefusal(approval: Pick<Approval, 'createdAt'>, facts: GlassFacts): string | undefined {
  const { userId, reason, rights, frozen, mode, at, door } = facts;
  if (door !== undefined) return 'the glass is broken in Slack, where everybody is told';
  if (rights === undefined || rights.crowds.length === 0) return 'the config allows no break-glass for this plan';
  if (!rights.crowds.every(({ users }) => users.includes(userId)))
    return 'the config does not name you for break-glass here';
  const problem = reasonProblem(reason);
  if (problem !== undefined) return problem;
  if (mode !== 'execute') return `the mode is ${mode}: nothing would be run`;
  if (frozen) return 'all writes are frozen, and break-glass does not lift that';
  const from = Date.parse(approval.createdAt) + rights.afterMinutes * 60_000;
  // Written so that a time which cannot be read means no.
  return Date.parse(at) >= from
    ? undefined
    : `break-glass counts only ${rights.afterMinutes} minutes after the plan was proposed, from ${new Date(from).toISOString()} on`;
}

/** The vote that broke the glass, if any. */
export function brokenGlass({ votes }: Pick<Approval, 'votes'>) {
  for (const vote of votes) {
    if (vote.vote === 'approve' && vote.breakGlass !== undefined) return { ...vote, breakGlass: vote.breakGlass };
  }
  return undefined;
}

interface ExecutorFacts {
  readonly breakGlass?: BreakGlass | undefined;
  readonly frozen: boolean;
  readonly mode: GlassFacts['mode'];
  readonly proofs: readonly Proof[];
}

/**
 * The executor's judgement of a broken glass, by its own config and the time at which it saw the code itself. `by`: who may act alone;
 * neither set: the glass is whole.
 */
export function provedGlass(
  approval: Approval,
  { breakGlass: rights, frozen, mode, proofs }: ExecutorFacts,
): { readonly by?: string; readonly refused?: string } {
  const vote = brokenGlass(approval);
  if (vote === undefined) return {};
  const { userId, breakGlass: reason, door } = vote;
  const hash = breakGlassHash(approval.planHash, reason);
  const proof = proofs.find((one) => one.userId === userId && one.planHash === hash);
  if (proof === undefined) return { refused: 'its one-time code was not given for it' };
  const refused = breakGlassRefusal(approval, { userId, reason, rights, frozen, mode, at: proof.at, door });
  return refused === undefined ? { by: userId } : { refused };
}
