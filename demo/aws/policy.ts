/** IAM policy evaluation: the part of the language that roles of an incident responder use. Explicit deny wins. */
import ipaddr from 'ipaddr.js';
import { AwsError } from './errors.ts';

type Many = string | readonly string[];
type Conditions = Readonly<Record<string, Readonly<Record<string, Many | boolean>>>>;

interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: Many;
  readonly NotAction?: Many;
  readonly Resource?: Many;
  readonly NotResource?: Many;
  readonly Principal?: '*' | Readonly<Record<string, Many>>;
  readonly Condition?: Conditions;
}

export interface PolicyDocument {
  readonly Version?: string;
  readonly Statement: Statement | readonly Statement[];
}

/** Condition keys in lower case (AWS compares them so) with their values. A key that is absent is not in the request. */
export type Context = Readonly<Record<string, readonly string[]>>;

export interface Access {
  readonly action: string;
  /** An ARN, or `*` for actions without a resource. */
  readonly resource: string;
  readonly context: Context;
  /** The caller, where a trust policy is asked. */
  readonly principal?: { readonly arn: string; readonly roleArn?: string | undefined; readonly accountId: string };
}

export type Decision = 'allowed' | 'explicitDeny' | 'implicitDeny';

function list(value: Many | boolean | undefined): readonly string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [String(value)];
}

function glob(pattern: string, text: string, ignoreCase = false): boolean {
  // `${*}`, `${?}` and `${$}` are the signs themselves.
  const source = pattern
    .split(/\$\{([*?$])\}/)
    .map((part, index) =>
      index % 2 === 1
        ? `\\${part}`
        : part
            .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
            .replace(/\*/g, '[\\s\\S]*')
            .replace(/\?/g, '[\\s\\S]'),
    )
    .join('');
  return new RegExp(`^${source}$`, ignoreCase ? 'i' : '').test(text);
}

/** `*` does not cross a colon in the first five parts of an ARN pattern. */
function arnGlob(pattern: string, arn: string): boolean {
  const [patterns, parts] = [pattern.split(':'), arn.split(':')];
  if (patterns.length < 6 || parts.length < 6) return glob(pattern, arn);
  const head = patterns.slice(0, 5).every((part, index) => glob(part, parts[index] ?? ''));
  return head && glob(patterns.slice(5).join(':'), parts.slice(5).join(':'));
}

function withVariables(text: string, context: Context): string {
  return text.replace(/\$\{([^}]+)\}/g, (whole, key: string) => context[key.toLowerCase()]?.[0] ?? whole);
}

function inRange(range: string, address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const [network, bits] = ipaddr.parseCIDR(range.includes('/') ? range : `${range}/${range.includes(':') ? 128 : 32}`);
  const found = ipaddr.process(address);
  return found.kind() === network.kind() && found.match([network, bits] as never);
}

type Test = (wanted: string, found: string) => boolean;
const tests: Readonly<Record<string, { test: Test; negated?: true }>> = {
  StringEquals: { test: (wanted, found) => wanted === found },
  StringNotEquals: { test: (wanted, found) => wanted === found, negated: true },
  StringEqualsIgnoreCase: { test: (wanted, found) => wanted.toLowerCase() === found.toLowerCase() },
  StringLike: { test: (wanted, found) => glob(wanted, found) },
  StringNotLike: { test: (wanted, found) => glob(wanted, found), negated: true },
  ArnEquals: { test: arnGlob },
  ArnLike: { test: arnGlob },
  ArnNotEquals: { test: arnGlob, negated: true },
  ArnNotLike: { test: arnGlob, negated: true },
  IpAddress: { test: inRange },
  NotIpAddress: { test: inRange, negated: true },
  Bool: { test: (wanted, found) => wanted.toLowerCase() === found.toLowerCase() },
  DateLessThan: { test: (wanted, found) => Date.parse(found) < Date.parse(wanted) },
  DateGreaterThan: { test: (wanted, found) => Date.parse(found) > Date.parse(wanted) },
  NumericLessThanEquals: { test: (wanted, found) => Number(found) <= Number(wanted) },
};

function splitOperator(operator: string): { set?: string; base: string; ifExists: boolean } {
  const [first = '', second] = operator.split(':', 2);
  const name = second ?? first;
  const ifExists = name.endsWith('IfExists');
  const base = ifExists ? name.slice(0, -'IfExists'.length) : name;
  return second === undefined ? { base, ifExists } : { set: first, base, ifExists };
}

function conditionHolds(operator: string, key: string, wanted: readonly string[], context: Context): boolean {
  const { set, base, ifExists } = splitOperator(operator);
  const found = context[key.toLowerCase()];
  if (base === 'Null') return wanted.includes(String(found === undefined));
  const { test, negated = false } = tests[base] ?? { test: () => false };
  const values = wanted.map((value) => withVariables(value, context));
  function one(value: string): boolean {
    return values.some((pattern) => test(pattern, value)) !== negated;
  }
  if (set === 'ForAllValues') return (found ?? []).every(one);
  if (set === 'ForAnyValue') return (found ?? []).some(one);
  if (found === undefined) return ifExists || negated;
  return found.some(one);
}

function conditionsHold(conditions: Conditions | undefined, context: Context): boolean {
  return Object.entries(conditions ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => conditionHolds(operator, key, list(wanted), context)),
  );
}

function principalMatches(statement: Statement, access: Access): boolean {
  const { Principal: wanted } = statement;
  if (access.principal === undefined || wanted === undefined) return access.principal === undefined;
  if (wanted === '*') return true;
  const { arn, roleArn, accountId } = access.principal;
  return list(wanted.AWS).some(
    (name) => [arn, roleArn, accountId, '*'].includes(name) || name === `arn:aws:iam::${accountId}:root`,
  );
}

function statementMatches(statement: Statement, access: Access): boolean {
  const names = (many: Many | undefined) => list(many).some((pattern) => glob(pattern, access.action, true));
  const actionHit = statement.NotAction === undefined ? names(statement.Action) : !names(statement.NotAction);
  if (!actionHit || !principalMatches(statement, access)) return false;
  const covers = (many: Many | undefined) =>
    list(many).some((pattern) => glob(withVariables(pattern, access.context), access.resource));
  // A trust policy has no Resource: it is about the role that it belongs to.
  const resourceHit =
    access.principal !== undefined ||
    (statement.NotResource === undefined ? covers(statement.Resource) : !covers(statement.NotResource));
  return resourceHit && conditionsHold(statement.Condition, access.context);
}

function statementsOf(document: PolicyDocument): readonly Statement[] {
  return Array.isArray(document.Statement) ? document.Statement : [document.Statement as Statement];
}

/** Evaluates all documents of one kind together. */
export function evaluate(documents: readonly PolicyDocument[], access: Access): Decision {
  const hits = documents.flatMap(statementsOf).filter((statement) => statementMatches(statement, access));
  if (hits.some((statement) => statement.Effect === 'Deny')) return 'explicitDeny';
  return hits.length > 0 ? 'allowed' : 'implicitDeny';
}

/** Parses policy text. Throws MalformedPolicyDocument for what AWS, or this server, would not understand. */
export function parsePolicy(text: string): PolicyDocument {
  function malformed(why: string): AwsError {
    return new AwsError('MalformedPolicyDocument', 400, why, 'MalformedPolicyDocumentException');
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw malformed('This policy contains invalid Json');
    throw error;
  }
  if (typeof parsed !== 'object' || parsed === null || !('Statement' in parsed)) {
    throw malformed('Syntax errors in policy.');
  }
  const document = parsed as PolicyDocument;
  for (const statement of statementsOf(document)) {
    if (typeof statement !== 'object' || statement === null) throw malformed('Syntax errors in policy.');
    if (statement.Effect !== 'Allow' && statement.Effect !== 'Deny') throw malformed('Syntax errors in policy.');
    if (list(statement.Action).length === 0 && list(statement.NotAction).length === 0) {
      throw malformed('Policy statement must contain actions.');
    }
    if (statement.Resource === undefined && statement.NotResource === undefined) {
      throw malformed('Policy statement must contain resources.');
    }
    for (const operator of Object.keys(statement.Condition ?? {})) {
      const { base } = splitOperator(operator);
      if (base !== 'Null' && tests[base] === undefined) throw malformed(`Unsupported condition operator ${operator}`);
    }
  }
  return document;
}
