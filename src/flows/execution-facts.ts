/** What the executor itself knows of an approval when it is about to write: its own config, its own code, its own clock. */
import type { ContainmentAction } from '../contracts/action.ts';
import type { Approval, Plan } from '../contracts/approval.ts';
import { UserError } from '../contracts/errors.ts';
import type { ExecutionFacts } from '../domain/approval.ts';
import { canonical } from '../domain/canonical.ts';
import { breakGlassRights } from './break-glass.ts';
import type { ExecutorDeps } from './deps.ts';
import { callsFor, sessionPolicyOf } from './inspect-target.ts';
import { cautionOf, checkContainable } from './locate-target.ts';
import { rightsOf } from './rights-of.ts';

const standingMaxAgeMs = 5 * 60_000;

/** `found` is what was just read of the target, where it was: what does not void the plan may still ask for more people. */
export async function executionFacts(
  approval: Approval,
  action: ContainmentAction,
  deps: ExecutorDeps,
  found?: Plan['before'],
): Promise<ExecutionFacts> {
  const { settings, store } = deps;
  const rights = rightsOf(action, approval.plan.accountId, deps);
  const about = await store.cases.brief(approval.caseId);
  const self = await deps.reach.self();
  const asked = { action, self, alertType: about?.alertType };
  const judged = judgedAgain({ ...asked, plan: approval.plan }, deps);
  const objection =
    judged.objection ??
    (found && changedObjection({ ...asked, approval, plan: { ...approval.plan, before: found } }, deps));
  return {
    now: deps.clock.now().toISOString(),
    mode: settings.mode,
    frozen: (await store.settings.frozen()).frozen,
    standings: await store.approvals.standings(approval.id),
    proofs: await store.stepUp.proofs(approval.id),
    rights: { ...rights, breakGlass: breakGlassRights(action, approval.plan, about?.alertType, deps) },
    standingMaxAgeMs,
    approvers: [settings.rules.approvers, ...rights.approve],
    required: judged.required,
    objection,
    few: about?.restrictedTo,
  };
}

interface Judged {
  readonly plan: Plan;
  readonly action: ContainmentAction;
  readonly self: readonly string[];
  readonly alertType: string | undefined;
}

/**
 * Why the plan would not be made like this of what is there now: it has become protected, or asks for more people than it did
 * (AWS has found the key in public, somebody's networks would be replaced). Who approved it did not know.
 */
function changedObjection(
  { approval, plan, action, self, alertType }: Judged & { readonly approval: Approval },
  deps: ExecutorDeps,
): string | undefined {
  try {
    checkContainable(action, plan.target, plan.before, plan, deps, self);
    const caution = cautionOf(action, plan, deps.clock.now(), alertType);
    const people = new Set(approval.votes.filter(({ vote }) => vote === 'approve').map(({ person }) => person));
    if (caution === undefined || people.size >= caution.approvals) return undefined;
    return `the target changed after the plan was made, ask again: ${caution.because.replace(/\.$/, '')}`;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message.replace(/\.$/, '');
  }
}

/**
 * What the executor would make of the same target: the row in the store is believed only where both agree. Calls, session
 * policy, role, protected list and number of approvers all come from this process's own code and config.
 */
function judgedAgain(judged: Judged, deps: ExecutorDeps): { required: number; objection: string | undefined } {
  const { plan, action, self, alertType } = judged;
  try {
    const checked = checkContainable(action, plan.target, plan.before, plan, deps, self);
    const { responderRole } = checked;
    const required = Math.max(checked.required, cautionOf(action, plan, deps.clock.now(), alertType)?.approvals ?? 1);
    if (responderRole !== plan.responderRole) {
      return { required, objection: 'the responder role in the config is not the one of the plan' };
    }
    const calls = callsFor(action, plan, plan.before);
    const policy = sessionPolicyOf(action, plan, calls ?? []);
    const same = calls !== undefined && canonical([calls, policy]) === canonical([plan.calls, plan.sessionPolicy]);
    return { required, objection: same ? undefined : 'the calls of the plan are not those of the action' };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { required: Number.POSITIVE_INFINITY, objection: error.message.replace(/\.$/, '') };
  }
}
