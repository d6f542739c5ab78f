/** The session policy of one plan: what its action may ask for, without the writes that its calls do not make (safety rule 4). */
import type { ContainmentAction } from '../contracts/action.ts';
import type { ApiCall, PolicyDocument, WrittenService } from '../contracts/aws.ts';

/** What IAM calls a service, where its name is not that of the AWS CLI. */
const prefixes: Partial<Record<WrittenService, string>> = {
  elb: 'elasticloadbalancing',
  elbv2: 'elasticloadbalancing',
};

/** Rights that AWS asks for beside the operation's own. */
const companions: Readonly<Record<string, readonly string[]>> = {
  'ec2:CreateSecurityGroup': ['ec2:CreateTags'],
  'ec2:CreateSnapshots': ['ec2:CreateTags'],
  'ec2:AssociateIamInstanceProfile': ['iam:PassRole'],
};

/** IAM actions that the calls need. */
export function actionsOf(calls: readonly Pick<ApiCall, 'service' | 'operation'>[]): ReadonlySet<string> {
  const names = calls.map(({ service, operation }) => `${prefixes[service] ?? service}:${operation}`);
  return new Set(names.flatMap((name) => [name, ...(companions[name] ?? [])]));
}

/**
 * Without the writes that none of the calls makes: the session that puts a policy cannot delete one, the one that undoes cannot put
 * another. Reads stay, since the target is read back.
 */
export function narrowed(
  policy: PolicyDocument,
  calls: readonly ApiCall[],
  { permissions }: Pick<ContainmentAction, 'permissions'>,
): PolicyDocument {
  const needed = actionsOf(calls);
  const statements = policy.Statement.map((statement) => ({
    ...statement,
    Action: statement.Action.filter((name) => !permissions.write.includes(name) || needed.has(name)),
  }));
  // AWS takes no statement without an action.
  return { ...policy, Statement: statements.filter(({ Action }) => Action.length > 0) };
}

/**
 * An ARN as a policy's Resource, meant letter by letter: IAM allows `*`, `?` and `$` in the path of a user or role, where a policy
 * would read them as wildcards and variables.
 */
export function literalArn(arn: string): string {
  return arn.replace(/[*?$]/g, (sign) => `\${${sign}}`);
}
