/** `/ir break-glass`: which plan, may it be, then the dialog for the one-time code. The executor judges all of it again. */
import { createHash } from 'node:crypto';
import type { ContainmentAction } from '../contracts/action.ts';
import type { Approval, Plan } from '../contracts/approval.ts';
import { UserError } from '../contracts/errors.ts';
import type { Message } from '../contracts/message.ts';
import { closedTo } from '../domain/access.ts';
import { audit } from '../domain/approval.ts';
import { whatOf } from '../domain/approval-wording.ts';
import { type BreakGlass, breakGlassRefusal } from '../domain/break-glass.ts';
import { refusal } from '../domain/phrases.ts';
import { redactText } from '../domain/redaction.ts';
import type { Deps, WebDeps } from './deps.ts';
import { cautionOf, firmlyAsked } from './locate-target.ts';
import { rightsOf } from './rights-of.ts';

/**
 * Who may break the glass for this plan. Undefined: nobody. It lifts the numbers that the config has chosen, never two approvals
 * that the action, its caution, the account or the management account ask for.
 */
export function breakGlassRights(
  action: ContainmentAction,
  plan: Plan,
  alertType: string | undefined,
  { settings, clock }: Pick<Deps, 'settings' | 'clock'>,
): BreakGlass | undefined {
  const account = settings.accounts.find(({ id }) => id === plan.accountId);
  const { breakGlass } = rightsOf(action, plan.accountId, { settings });
  if (account === undefined || breakGlass === undefined) return undefined;
  if (firmlyAsked(action, account, { settings }).some(({ n }) => n > 1)) return undefined;
  try {
    return cautionOf(action, plan, clock.now(), alertType) === undefined ? breakGlass : undefined;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

interface Wish {
  /** Id of the approval, or of a case of which one plan waits. */
  readonly id: string;
  readonly reason: string;
}

interface Asking {
  readonly userId: string;
  readonly channelId: string;
  readonly threadTs?: string | undefined;
  readonly triggerId?: string | undefined;
}

/** The refusal for the typist, or undefined where the dialog is the answer. Every refusal is audited. Throws UserError for a slip. */
export async function askToBreakGlass(wish: Wish, input: Asking, deps: WebDeps): Promise<Message | undefined> {
  const { store, clock, chat } = deps;
  const { userId, channelId, threadTs, triggerId } = input;
  const reason = redactText(wish.reason);
  const approval = await waiting(wish.id, deps);
  const because = await refusalOf(approval, userId, reason, deps);
  if (because !== undefined) {
    await store.audit.append(
      audit(approval, 'break-glass.refused', userId, clock.now().toISOString(), { because, reason }),
    );
    return refusal(`You cannot break the glass here: ${because}.`, undefined);
  }
  if (triggerId === undefined) throw new UserError('Slack gave no way to ask for your one-time code. Type it again.');
  const words = createHash('sha256').update(reason).digest('hex').slice(0, 16);
  const button = await store.buttons.mint(`break-glass:${approval.id}:${userId}:${words}`, {
    ...{ kind: 'break-glass', approvalId: approval.id, userId, reason },
  });
  const what = `BREAK-GLASS, approved by you alone: ${whatOf(approval)}. Your reason: ${reason}. The channels and all approvers are told, and it is reviewed.`;
  await chat.openCode(triggerId, { button, channelId, threadTs, what });
  return undefined;
}

async function waiting(id: string, { store }: WebDeps): Promise<Approval> {
  const open = (await store.approvals.open()).filter(({ state }) => state === 'proposed');
  const found = open.filter((approval) => approval.id === id || approval.caseId === id.toUpperCase());
  const [first] = found;
  if (first === undefined)
    throw new UserError(`No plan waits that is ${id.slice(0, 60)}.`, 'What waits: /ir approvals');
  if (found.length > 1)
    throw new UserError(
      `${found.length} plans of ${first.caseId} wait: the glass is broken for one at a time.`,
      'Name one by its id: /ir approvals lists them.',
    );
  return first;
}

async function refusalOf(
  approval: Approval,
  userId: string,
  reason: string,
  deps: WebDeps,
): Promise<string | undefined> {
  const { store, actions, settings, clock } = deps;
  const found = await store.cases.get(approval.caseId);
  const closed = closedTo(found, userId);
  if (closed !== undefined) return closed;
  const action = actions.find(({ name }) => name === approval.plan.action);
  if (action === undefined) return 'this version does not know the action';
  const rights = breakGlassRights(action, approval.plan, found?.alert?.type, deps);
  const { frozen } = await store.settings.frozen();
  const at = clock.now().toISOString();
  const because = breakGlassRefusal(approval, {
    userId,
    reason,
    rights,
    frozen,
    mode: settings.mode,
    at,
    door: undefined,
  });
  if (because !== undefined) return because;
  const enrolled = await store.stepUp.enrolled(new Date(0).toISOString());
  return enrolled.some((one) => one.userId === userId)
    ? undefined
    : 'you have no one-time codes yet: `firebreak enroll` on the host sets you up';
}
