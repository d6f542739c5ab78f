/** Finds the account that holds a target, and says whether it may be contained there. */
import type { Caution, ContainmentAction } from '../contracts/action.ts';
import type { Plan } from '../contracts/approval.ts';
import type { AwsReader } from '../contracts/aws.ts';
import { NotFoundError, UpstreamError, UserError } from '../contracts/errors.ts';
import { awsErrorFacts } from '../domain/aws-errors.ts';
import { type Account, accountWords } from '../domain/inventory.ts';
import { targetWords } from '../domain/plan.ts';
import { protectedBecause } from '../domain/protected.ts';
import type { Deps, WorkerDeps } from './deps.ts';
import { inspectTarget } from './inspect-target.ts';
import { rightsOf } from './rights-of.ts';

/**
 * The account that holds the target, and its pre-state. Asks the likely accounts first: the case's, then the one that the
 * id itself tells, then every other. Throws UserError when it is certainly nowhere, UpstreamError when that is not certain.
 */
export async function locate(
  action: ContainmentAction,
  target: Plan['target'],
  caseAccount: string | undefined,
  signal: AbortSignal,
  { reach, settings, log }: Pick<WorkerDeps, 'reach' | 'settings' | 'log'>,
): Promise<{ aws: AwsReader; before: Plan['before'] }> {
  const told = action.accountOf(target as never);
  const known = await reach.accounts();
  const likely = [caseAccount, told].filter((id) => id !== undefined && known.includes(id)) as string[];
  const troubles: string[] = [];
  const found: { aws: AwsReader; before: Plan['before'] }[] = [];
  let retryable = false;
  let unfit: UserError | undefined;
  for (const accountId of new Set([...likely, ...known])) {
    let aws: AwsReader | undefined;
    try {
      aws = await reach.reader(accountId);
      found.push({ aws, before: await inspectTarget(action, target, { aws, reach, settings, signal }) });
      // An id that names its account, or is one of a kind, is in no other; a bare name may be in several.
      if (told !== undefined || action.unique === true) break;
    } catch (error) {
      if (error instanceof NotFoundError) continue;
      // It is there, and cannot be contained this way: the action says why, and what instead.
      if (error instanceof UserError && aws !== undefined) {
        unfit ??= error;
        if (told !== undefined || action.unique === true) break;
        continue;
      }
      const facts = error instanceof UpstreamError ? error : awsErrorFacts(error);
      if (error instanceof UserError) troubles.push(error.message);
      else troubles.push(`account ${accountId}: ${facts.code}`);
      retryable ||= !(error instanceof UserError) && facts.retryable;
      log.warn(
        { account: accountId, action: action.name, code: facts.code },
        'an account could not be looked at for a target',
      );
    }
  }
  // Numbers and lists are wishes about it, and tell nothing of where it is.
  const words = targetWords(
    Object.fromEntries(Object.entries(target).filter(([, value]) => typeof value === 'string')),
  );
  const [first, ...others] = found;
  if (first !== undefined && others.length > 0) {
    const ids = found.map(({ aws }) => aws.accountId).join(', ');
    throw new UserError(`${words} is in several accounts (${ids}).`, 'Name it by its ARN.');
  }
  // A bare name may be somebody else's in an account that could not be looked at.
  const isSure = told !== undefined || troubles.length === 0;
  if (first !== undefined && isSure) return first;
  if (first !== undefined && !retryable) {
    throw new UserError(
      `${words} is in account ${first.aws.accountId}, but not every account could be looked at: ${troubles.join('; ')}.`,
      'Name it by its ARN.',
    );
  }
  if (first === undefined && unfit !== undefined) throw unfit;
  if (troubles.length === 0) {
    const where =
      told === undefined || known.includes(told) ? '' : ` The id says account ${told}, which is not one of ours.`;
    throw new UserError(`${words} is in none of the ${known.length} accounts that I can read.${where}`);
  }
  if (retryable) {
    const sentence = `${words} was not found, and not every account could be looked at: ${troubles.join('; ')}`;
    throw new UpstreamError('aws', 'CouldNotLook', sentence, { retryable: true });
  }
  throw new UserError(`${words} was not found, but not every account could be looked at: ${troubles.join('; ')}.`);
}

/**
 * Asked when planned and again when run (safety rule 5). Where the account or the target may not be contained: UserError.
 * Else the role to use and how many must approve. `self` are the names of the asking process's own AWS identity.
 */
export function checkContainable(
  action: ContainmentAction,
  target: Plan['target'],
  before: Plan['before'],
  aws: Pick<AwsReader, 'accountId' | 'partition'>,
  { settings }: Pick<Deps, 'settings'>,
  self: readonly string[],
): { responderRole: string; required: number; because: string } {
  const account = settings.accounts.find((entry) => entry.id === aws.accountId);
  const where = accountWords(aws.accountId, account);
  if (account?.responderRole === undefined) {
    throw new UserError(
      `${where} has no responder role: it can be investigated, but not contained.`,
      'Add accounts[].responderRole.',
    );
  }
  if (account.containment === 'never')
    throw new UserError(`The config says that ${where} is never contained from here.`);
  const { forbidden, required: byPolicy } = rightsOf(action, aws.accountId, { settings });
  if (forbidden !== undefined) throw new UserError(`Refused: the policy of the config forbids it: ${forbidden}`);
  const because = protectedTarget(action, target, before, aws, settings, self);
  if (because !== undefined) throw new UserError(`Refused: ${because}.`);
  const asked = [
    { n: settings.approvals.required, why: 'The config asks for this many.' },
    ...firmlyAsked(action, account, { settings }),
    { n: byPolicy, why: 'The policy of the config asks for this many.' },
  ];
  const most = asked.reduce((a, b) => (b.n > a.n ? b : a));
  return { responderRole: account.responderRole, required: most.n, because: most.why };
}

/** What asks for approvals by itself, and not because somebody has chosen a number: break-glass does not lift it. */
export function firmlyAsked(
  action: Pick<ContainmentAction, 'kind' | 'approvals'>,
  account: Pick<Account, 'id' | 'containment'>,
  { settings }: Pick<Deps, 'settings'>,
): readonly { readonly n: number; readonly why: string }[] {
  return [
    {
      n: action.kind === 'eradication' ? 2 : action.approvals,
      why: action.kind === 'eradication' ? 'It is final: two people must approve.' : 'This action asks for this many.',
    },
    { n: account.containment === 'approve2' ? 2 : 1, why: 'The account asks for two.' },
    {
      n: settings.managementAccount === account.id ? 2 : 1,
      why: 'It is the management account: two people must approve.',
    },
  ];
}

/**
 * Why a plan asks for more than others, where it does. Throws UserError where the action refuses to be lifted now.
 */
export function cautionOf(
  action: ContainmentAction,
  plan: Pick<Plan, 'direction' | 'target' | 'before' | 'restores'>,
  now: Date,
  alertType: string | undefined,
): { readonly approvals: 2; readonly because: string } | undefined {
  const caution = plan.direction === 'apply' ? action.caution?.(plan.target as never, plan.before as never) : undoing();
  if (caution !== undefined && 'refused' in caution) throw new UserError(`Refused: ${caution.refused}`);
  return caution;
  function undoing(): Caution {
    if (!('undo' in action) || plan.restores === undefined) return undefined;
    const found = { before: plan.before as never, alertType };
    return action.undoCaution?.(plan.target as never, plan.restores, now, found);
  }
}

function protectedTarget(
  action: ContainmentAction,
  target: Plan['target'],
  before: Plan['before'],
  aws: Pick<AwsReader, 'accountId' | 'partition'>,
  settings: Deps['settings'],
  self: readonly string[],
): string | undefined {
  const own = settings.accounts.flatMap((account) =>
    [account.auditRole, account.responderRole].filter((role) => role !== undefined),
  );
  return protectedBecause(action.touches(target as never, before as never, aws.accountId, aws.partition), {
    patterns: settings.protectedPatterns,
    own: [...own, ...self],
  });
}
