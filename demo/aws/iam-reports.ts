/** AWS IAM: what it says of rights without anybody using them: the last-accessed report and the policy simulator. */
import { AwsError, noSuchEntity, validationError } from './errors.ts';
import { evaluate } from './policy.ts';
import { policiesOf } from './principal.ts';
import type { Value } from './protocols.ts';
import { type Call, type Operation, type Outcome, objects, text, texts } from './service.ts';
import type { Role, User } from './state.ts';

type Output = { readonly [k: string]: Value };
type Page = <T>(call: Call, all: readonly T[]) => { items: readonly T[]; more: Output };

function holderOf(call: Call, arn: string): User | Role {
  const { account } = call.principal;
  const holder = [...account.users.values(), ...account.roles.values()].find((one) => one.arn === arn);
  if (holder === undefined) throw noSuchEntity(`${arn} does not exist.`);
  return holder;
}

/** The job's id holds what was asked, so that the server need not remember. */
function generate(call: Call): Outcome {
  const arn = text(call.input, 'Arn') ?? '';
  call.may('iam:GenerateServiceLastAccessedDetails', arn);
  holderOf(call, arn);
  const level = text(call.input, 'Granularity') ?? 'SERVICE_LEVEL';
  return { output: { JobId: Buffer.from(JSON.stringify([arn, level])).toString('base64url') } };
}

function read(call: Call, page: Page): Outcome {
  call.may('iam:GetServiceLastAccessedDetails');
  const [arn, level] = jobOf(text(call.input, 'JobId') ?? '');
  const { items, more } = page(call, call.principal.account.lastAccessed.get(arn) ?? []);
  const ServicesLastAccessed = items.map((use) => ({
    ServiceName: use.namespace,
    ServiceNamespace: use.namespace,
    LastAuthenticated: use.lastAuthenticated,
    LastAuthenticatedEntity: arn,
    TotalAuthenticatedEntities: 1,
    ...(level === 'ACTION_LEVEL' && use.actions.length > 0
      ? {
          TrackedActionsLastAccessed: use.actions.map(({ name, at }) => ({
            ActionName: name,
            LastAccessedTime: at,
            LastAccessedEntity: arn,
          })),
        }
      : {}),
  }));
  const times = { JobCreationDate: call.now, JobCompletionDate: call.now };
  return { output: { JobStatus: 'COMPLETED', JobType: level, ...times, ServicesLastAccessed, ...more } };
}

function jobOf(id: string): readonly [string, string] {
  try {
    const [arn, level] = JSON.parse(Buffer.from(id, 'base64url').toString()) as [string, string];
    return [arn, level];
  } catch (error) {
    if (error instanceof SyntaxError) throw noSuchEntity(`Job ${id} does not exist.`);
    throw error;
  }
}

function simulate(call: Call): Outcome {
  const arn = text(call.input, 'PolicySourceArn') ?? '';
  call.may('iam:SimulatePrincipalPolicy', arn);
  const holder = holderOf(call, arn);
  const actions = texts(call.input, 'ActionNames');
  if (actions.length === 0) throw validationError('ActionNames must not be empty');
  const context = Object.fromEntries(
    objects(call.input, 'ContextEntries').map((entry) => [
      (text(entry, 'ContextKeyName') ?? '').toLowerCase(),
      texts(entry, 'ContextKeyValues'),
    ]),
  );
  const resource = texts(call.input, 'ResourceArns')[0] ?? '*';
  if (actions.some((action) => !/^[a-z0-9-]+:\w+$/.test(action))) {
    throw new AwsError('InvalidInput', 400, 'An action name is not valid.', 'InvalidInputException');
  }
  const EvaluationResults = actions.map((action) => ({
    EvalActionName: action,
    EvalResourceName: resource,
    EvalDecision: evaluate(policiesOf(holder), { action, resource, context }),
  }));
  return { output: { EvaluationResults, IsTruncated: false } };
}

/** The operations; `page` is IAM's own way of paging. */
export function reportOperations(page: Page): Readonly<Record<string, Operation>> {
  return {
    GenerateServiceLastAccessedDetails: { readOnly: true, run: generate },
    GetServiceLastAccessedDetails: { readOnly: true, run: (call) => read(call, page) },
    SimulatePrincipalPolicy: { readOnly: true, run: simulate },
  };
}
