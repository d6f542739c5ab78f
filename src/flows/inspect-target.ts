/** What an action reads of its target, and what it would call on it: the unit's methods, given what the flows have. */
import type { ContainmentAction } from '../contracts/action.ts';
import type { Plan } from '../contracts/approval.ts';
import type { ApiCall, AwsReach, AwsReader, PolicyDocument } from '../contracts/aws.ts';
import { UserError } from '../contracts/errors.ts';
import { narrowed } from '../domain/session-policy.ts';
import type { Settings } from './deps.ts';

interface Looking {
  readonly aws: AwsReader;
  readonly reach: Pick<AwsReach, 'regions'>;
  readonly settings?: Pick<Settings, 'forensics'>;
  readonly signal: AbortSignal;
  /** The pre-state of the plan that is carried out. */
  readonly planned?: Plan['before'] | undefined;
}

/** Throws NotFoundError, UserError, and what AWS throws. */
export async function inspectTarget(
  action: ContainmentAction,
  target: Plan['target'],
  { aws, reach, settings, signal, planned }: Looking,
): Promise<Plan['before']> {
  const regions = () => reach.regions(aws.accountId);
  const ctx = { aws, signal, planned, regions, forensics: settings?.forensics };
  return (await action.inspect(target as never, ctx)) as Plan['before'];
}

/** What the action would call for this plan on this state; undefined where it cannot (an undo of what has none). */
export function callsFor(
  action: ContainmentAction,
  plan: Pick<Plan, 'direction' | 'target' | 'restores'>,
  state: Plan['before'],
): readonly ApiCall[] | undefined {
  if (plan.direction === 'apply') return action.apply(plan.target as never, state as never);
  if (!('undo' in action) || plan.restores === undefined) return undefined;
  return action.undo(plan.target as never, state as never, plan.restores);
}

/** AWS takes a session policy of at most this many characters (DOMAIN.md 9.1). */
const longestPolicy = 2_048;

/**
 * What the plan's session may do: its calls on its target, and the reads that show them. Throws UserError where the target holds
 * more than one session policy can name.
 */
export function sessionPolicyOf(
  action: ContainmentAction,
  { target, before, accountId, partition, restores }: Omit<Plan, 'sessionPolicy' | 'calls'>,
  calls: readonly ApiCall[],
): PolicyDocument {
  const widest = action.sessionPolicy(target as never, before as never, accountId, partition, restores);
  const policy = narrowed(widest, calls, action);
  const size = JSON.stringify(policy).length;
  if (size <= longestPolicy) return policy;
  throw new UserError(
    `The session policy of this plan would take ${size} characters, and AWS takes ${longestPolicy}.`,
    'The target holds too many things with long names for one plan: take some of them away by hand first.',
  );
}
