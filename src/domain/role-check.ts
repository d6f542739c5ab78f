/**
 * Compares what IAM says of a role with what Firebreak's own lists ask for: rights that are missing, rights beyond, and who may
 * become it. Pure; everything that cannot be compared counts against the role.
 */
import { canonical } from './canonical.ts';
import { globMatch } from './glob.ts';
import { nameKeyOfArn, parseArn } from './principal.ts';
import type { Policy, Statement } from './role-rights.ts';

export interface RightsFound {
  /** Wanted, and by no statement allowed: `iam:PutUserPolicy on arn:...`. */
  readonly missing: readonly string[];
  /** Allowed, and not asked for. */
  readonly beyond: readonly string[];
  /** How many statements deny something: extra refusals are welcome, and not compared. */
  readonly denies: number;
}

interface Right {
  readonly action: string;
  readonly resource: string;
  readonly condition: Statement['Condition'];
}

/** `documents` are the role's policies as IAM has them. A statement that is none of what a policy may hold counts as beyond. */
export function compareRights(wanted: Policy, documents: readonly unknown[]): RightsFound {
  const statements = documents.flatMap(statementsIn);
  const allows = statements.filter(({ Effect }) => Effect === 'Allow');
  const odd = allows.filter((one) => one.Action === undefined || one.Resource === undefined);
  const found = allows.flatMap(rightsIn);
  const asked = wanted.Statement.flatMap(rightsIn);
  return {
    missing: wordsOf(asked.filter((right) => !found.some((other) => covers(other, right)))),
    beyond: [
      ...odd.map(() => 'a statement with NotAction or NotResource, or without either'),
      ...wordsOf(found.filter((right) => !asked.some((other) => covers(other, right)))),
    ],
    denies: statements.filter(({ Effect }) => Effect === 'Deny').length,
  };
}

interface FoundStatement {
  readonly Effect?: unknown;
  readonly Action?: unknown;
  readonly Resource?: unknown;
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

function statementsIn(document: unknown): readonly FoundStatement[] {
  if (typeof document !== 'object' || document === null || !('Statement' in document)) return [];
  const statements: readonly unknown[] = [document.Statement].flat();
  return statements.filter((one): one is FoundStatement => typeof one === 'object' && one !== null);
}

function rightsIn({ Action, Resource, Condition }: FoundStatement): readonly Right[] {
  const condition = Condition as Statement['Condition'];
  return textsIn(Action).flatMap((action) => textsIn(Resource).map((resource) => ({ action, resource, condition })));
}

function textsIn(value: unknown): readonly string[] {
  return [value].flat().filter((one): one is string => typeof one === 'string');
}

/** Whether `wide` allows all that `narrow` does. A wildcard in `narrow` is read letter by letter, so that it is covered by a wider one only. */
function covers(wide: Right, narrow: Right): boolean {
  if (!globMatch(wide.action, narrow.action) || !globMatch(wide.resource, narrow.resource)) return false;
  return isEmpty(wide.condition) || canonical(plain(wide.condition)) === canonical(plain(narrow.condition));
}

function isEmpty(condition: Statement['Condition']): boolean {
  return condition === undefined || Object.keys(condition).length === 0;
}

/** Keys of conditions have no case, and a list of one is that one; order says nothing. */
function plain(condition: Statement['Condition'], without: readonly string[] = []): unknown {
  const operators = Object.entries(condition ?? {}).map(([operator, keys]) => {
    const entries = Object.entries(keys)
      .map(([key, value]) => [key.toLowerCase(), [value].flat().map(String).sort()] as const)
      .filter(([key]) => !without.includes(key));
    return [operator, Object.fromEntries(entries)] as const;
  });
  return Object.fromEntries(operators.filter(([, keys]) => Object.keys(keys).length > 0));
}

/** The resource is named where it says more than "all". */
function wordsOf(rights: readonly Right[]): readonly string[] {
  const words = rights.map(({ action, resource }) => (resource === '*' ? action : `${action} on ${resource}`));
  return [...new Set(words)].sort();
}

export interface TrustAsked {
  /** What the trust policy should say, whoever its principal is. */
  readonly wanted: Policy;
  /** The account that Firebreak runs in. */
  readonly hub: string;
  /** Names of the identity that asks: its ARN and its role's. */
  readonly self: readonly string[];
  /** `self`: it must be the one trusted; `other`: it must not. */
  readonly trusts: 'self' | 'other';
}

/** What is wrong with a trust policy, half a sentence each; empty where nothing is. */
export function trustProblems(document: unknown, { wanted, hub, self, trusts }: TrustAsked): readonly string[] {
  const allows = statementsIn(document).filter(({ Effect }) => Effect === 'Allow');
  if (allows.length === 0) return ['it lets nobody become the role'];
  const [asked] = wanted.Statement;
  const actions = [...new Set(allows.flatMap(({ Action }) => textsIn(Action)))];
  const problems = [
    ...(asked?.Action ?? [])
      .filter((name) => !actions.some((one) => globMatch(one, name)))
      .map((name) => `${name} is missing`),
    ...actions
      .filter((name) => !asked?.Action.includes(name))
      .map((name) => `it allows ${name}, which is not asked for`),
  ];
  for (const { Principal, Condition } of allows) {
    problems.push(...principalProblems(Principal, hub, self, trusts));
    // Beside what is asked for, the organisation may be asked for as well: that is narrower.
    const found = plain(Condition as Statement['Condition'], ['aws:principalorgid']);
    const lacking = lackingIn(plain(asked?.Condition), found);
    problems.push(...lacking.map((name) => `it does not ask for ${name} as it should`));
  }
  return [...new Set(problems)];
}

function principalProblems(
  principal: unknown,
  hub: string,
  self: readonly string[],
  trusts: 'self' | 'other',
): string[] {
  const named = typeof principal === 'object' && principal !== null ? Object.entries(principal) : [];
  if (named.length !== 1 || named[0]?.[0] !== 'AWS') return ['it trusts more, or something else, than one identity'];
  const arns = textsIn(named[0][1]);
  const [arn = ''] = arns;
  if (arns.length !== 1) return [`it trusts ${arns.length} identities, and should trust one`];
  if (arn === '*') return ['it trusts everybody'];
  const parsed = parseArn(arn);
  if (parsed === undefined) return [`it trusts ${arn.slice(0, 100)}, which is no identity (was it deleted?)`];
  if (parsed.resource === 'root') return [`it trusts everybody in account ${parsed.accountId}`];
  if (arn.includes('*')) return [`it trusts ${arn}, a pattern`];
  if (parsed.accountId !== hub) return [`it trusts ${arn}, which is not in account ${hub}, where Firebreak runs`];
  const isSelf = self.some((name) => name === arn || (nameKeyOfArn(name) ?? name) === nameKeyOfArn(arn));
  if (trusts === 'self' && !isSelf) return [`it trusts ${arn}, which is not who asks here`];
  if (trusts === 'other' && isSelf) return [`it trusts ${arn}, which reads here and must not write`];
  return [];
}

type Conditions = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Keys of the wanted conditions that the found ones do not hold as wanted, by name. */
function lackingIn(wanted: unknown, found: unknown): readonly string[] {
  const has = found as Conditions;
  return Object.entries(wanted as Conditions).flatMap(([operator, keys]) =>
    Object.entries(keys)
      .filter(([key, value]) => canonical(has[operator]?.[key] ?? null) !== canonical(value))
      .map(([key]) => key),
  );
}

const shown = 15;

/** `a, b, c and 4 more`. */
export function someOf(names: readonly string[]): string {
  const more = names.length - shown;
  return `${names.slice(0, shown).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
