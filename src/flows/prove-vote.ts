/** The code that came with a vote, looked at by the executor: the only process that knows the secrets, and the one that writes. */
import type { StepUpStore } from '../contracts/step-up.ts';
import type { VoteRequest } from '../contracts/store.ts';
import { audit } from '../domain/approval.ts';
import { breakGlassHash } from '../domain/break-glass.ts';
import { failuresWithinMs, mostFailures, timeStepOf } from '../domain/one-time-code.ts';
import type { ExecutorDeps } from './deps.ts';

/** From the dialog to the executor. */
const longestWayMs = 5 * 60_000;

type Needs = Pick<ExecutorDeps, 'store' | 'queue' | 'clock' | 'log'>;

/** Job `approval.prove`. Then the vote goes its ordinary way, with the proof or with the reason why there is none. */
export async function proveVote({ voteId }: { readonly voteId: string }, deps: Needs): Promise<void> {
  const { store, queue } = deps;
  const vote = await store.approvals.vote(voteId);
  if (vote === undefined) return;
  const code = await store.stepUp.takeCode(voteId);
  // Without a code this is a second run: what the first one found is stored, or the process died and the code with it.
  const because = code === undefined ? undefined : await refusalOf(vote, code, deps);
  if (because !== undefined) await store.stepUp.refuse(voteId, because);
  await queue.add('approval.vote', { voteId }, { id: `vote-${voteId}` });
}

/** Undefined: the proof is stored. */
async function refusalOf(vote: VoteRequest, code: string, { store, clock, log }: Needs): Promise<string | undefined> {
  const { userId, approvalId } = vote;
  const approval = await store.approvals.get(approvalId);
  if (approval === undefined) return 'there is no such approval';
  const now = clock.now();
  const enrollment = await store.stepUp.enrollment(userId);
  if (enrollment === undefined) return 'you have no one-time codes yet: `firebreak enroll` on the host sets you up';
  if (enrollment.activeAt > now.toISOString()) return `your new one-time codes count from ${enrollment.activeAt} on`;
  if (await isLockedOut(userId, store.stepUp, now)) return 'too many wrong codes: wait a quarter of an hour';
  // Judged by when it was given: a queue that is busy must not make a right code wrong. Only the newest step counts anyway.
  const given = Date.parse(vote.at) > now.getTime() - longestWayMs ? new Date(vote.at) : now;
  const timeStep = timeStepOf(code, enrollment.secret, given);
  const at = now.toISOString();
  if (timeStep === undefined) {
    await store.stepUp.failed(userId, at);
    await store.audit.append(audit(approval, 'prove.refused', userId, at, {}));
    log.warn({ userId, approvalId }, 'a one-time code was wrong');
    return 'the one-time code is wrong';
  }
  const { breakGlass, vote: choice } = vote;
  const isBreaking = choice === 'approve' && breakGlass !== undefined;
  const planHash = isBreaking ? breakGlassHash(approval.planHash, breakGlass) : approval.planHash;
  const proved = await store.stepUp.prove({ approvalId, userId, planHash, timeStep, at });
  return proved ? undefined : 'that one-time code was used before: wait for the next one';
}

async function isLockedOut(userId: string, stepUp: StepUpStore, now: Date): Promise<boolean> {
  const since = new Date(now.getTime() - failuresWithinMs).toISOString();
  return (await stepUp.failures(userId, since)) >= mostFailures;
}
