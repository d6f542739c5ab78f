/** What an action reads of its target, and what it would call on it: the unit's methods, given what the flows have. */
import type { ContainmentAction } from '../contracts/action.ts';
import type { Plan } from '../contracts/approval.ts';
import type { ApiCall, AwsReach, AwsReader } from '../contracts/aws.ts';
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
