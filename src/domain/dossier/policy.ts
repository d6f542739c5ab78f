/**
 * What IAM policies allow, as far as the documents tell. Cautious on purpose: a right that hangs on a condition or on some
 * resources counts as there and is marked so, and a Deny counts only where it surely bites.
 */
import { z } from 'zod';
import { policyText } from '../policy-text.ts';

const Many = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : value));

const Statement = z
  .looseObject({
    Sid: z.string().optional(),
    Effect: z.enum(['Allow', 'Deny']),
    Action: Many.optional(),
    NotAction: Many.optional(),
    Resource: Many.optional(),
    NotResource: Many.optional(),
    Principal: z.unknown().optional(),
    Condition: z.record(z.string(), z.unknown()).optional(),
  })
  .readonly();
export type Statement = z.output<typeof Statement>;

const Document = z.looseObject({
  Statement: z.union([Statement, z.array(Statement)]).transform((value) => (Array.isArray(value) ? value : [value])),
});

/**
 * Statements of a policy document as IAM answers it: JSON, URL-encoded (DOMAIN.md 6.1). Undefined where the text is no
 * policy: then what it allows is not known.
 */
export function parseStatements(text: string): readonly Statement[] | undefined {
  const parsed = Document.safeParse(jsonOf(text));
  return parsed.success ? parsed.data.Statement : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(policyText(text));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** `all`: on every resource and without condition. `some`: on some resources, or under a condition. */
export type Reach = 'all' | 'some' | 'no';

/** Whether an IAM pattern (`ec2:Describe*`, `*`) takes in an action. Actions compare without regard to case. */
function actionMatches(pattern: string, action: string): boolean {
  return wildcardMatch(pattern.toLowerCase(), action.toLowerCase());
}

/** `*` and `?`, in time linear in the text for each star: patterns come from outside. */
function wildcardMatch(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let mark = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p += 1;
      t += 1;
    } else if (star >= 0) {
      p = star + 1;
      mark += 1;
      t = mark;
    } else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}

function names(statement: Statement, action: string): boolean {
  if (statement.Action !== undefined) return statement.Action.some((pattern) => actionMatches(pattern, action));
  return !(statement.NotAction ?? ['*']).some((pattern) => actionMatches(pattern, action));
}

function isConditional({ Condition }: Statement): boolean {
  return Condition !== undefined && Object.keys(Condition).length > 0;
}

function onEverything({ Resource }: Statement): boolean {
  return Resource?.some((pattern) => /^\*+$/.test(pattern)) === true;
}

/** The resources that an Allow for the action names, without repeats. */
export function resourcesOf(statements: readonly Statement[], action: string): readonly string[] {
  const allows = statements.filter((statement) => statement.Effect === 'Allow' && names(statement, action));
  return [...new Set(allows.flatMap(({ Resource }) => Resource ?? []))];
}

/** How far the statements together allow an action. */
export function reachOf(statements: readonly Statement[], action: string): Reach {
  const about = statements.filter((statement) => names(statement, action));
  const denied = about.some(
    (statement) => statement.Effect === 'Deny' && onEverything(statement) && !isConditional(statement),
  );
  const allows = about.filter(({ Effect }) => Effect === 'Allow');
  if (denied || allows.length === 0) return 'no';
  const narrowed = about.some(({ Effect }) => Effect === 'Deny');
  return !narrowed && allows.some((statement) => onEverything(statement) && !isConditional(statement)) ? 'all' : 'some';
}

/** Identity policies within a permissions boundary: both must allow (undefined: no boundary). */
export function reachWithin(
  statements: readonly Statement[],
  boundary: readonly Statement[] | undefined,
  action: string,
): Reach {
  const own = reachOf(statements, action);
  if (boundary === undefined || own === 'no') return own;
  const bound = reachOf(boundary, action);
  return bound === 'no' ? 'no' : bound === 'all' ? own : 'some';
}
