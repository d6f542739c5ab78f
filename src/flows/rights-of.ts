/** What the config's rules of approval say of one plan. */
import type { ContainmentAction } from '../contracts/action.ts';
import type { Plan } from '../contracts/approval.ts';
import { type Rights, rightsFor } from '../domain/approval-policy.ts';
import type { Deps } from './deps.ts';

/** An undo is a plan of its action, and falls under the same rules. */
export function rightsOf(action: ContainmentAction, accountId: string, { settings }: Pick<Deps, 'settings'>): Rights {
  const environment = settings.accounts.find((account) => account.id === accountId)?.environment;
  const asked = { action, isReversible: 'undo' in action, accountId, environment };
  return rightsFor(settings.policies, settings.approvals.stepUp, asked);
}

/** The names of whatever a plan is about: who is one of them has no say. */
export function touchedBy(
  action: ContainmentAction,
  plan: Pick<Plan, 'target' | 'before' | 'accountId' | 'partition'>,
) {
  return action.touches(plan.target as never, plan.before as never, plan.accountId, plan.partition);
}
