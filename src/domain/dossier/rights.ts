/** What an identity can do, from its policies: admin, ways to become admin, or less (DOMAIN.md 6.1). Never guessed. */
import type { Privilege } from '../../contracts/investigation.ts';
import { type EscalationPath, escalationPaths } from './escalation.ts';
import { type Reach, reachWithin, resourcesOf, type Statement } from './policy.ts';

export interface NamedPolicy {
  readonly name: string;
  /** Set for managed policies. */
  readonly arn?: string;
  /** `itself`, or the group that it comes by. */
  readonly via: string;
  /** Undefined where the document could not be read. */
  readonly statements: readonly Statement[] | undefined;
}

export interface Path {
  readonly id: string;
  readonly says: string;
  /** True where a condition or a list of resources narrows it, so that it may not lead anywhere. */
  readonly limited: boolean;
  /** Resources that the narrowest of its rights is given for. */
  readonly on: readonly string[];
}

export interface Rights {
  /** Undefined where a document could not be read and what was read does not settle it. */
  readonly privilege: Privilege | undefined;
  readonly paths: readonly Path[];
  /** Policies whose documents could not be read. */
  readonly unread: readonly string[];
}

const dataReads = [
  's3:GetObject',
  'dynamodb:Scan',
  'secretsmanager:GetSecretValue',
  'ssm:GetParameter',
  'rds:CopyDBSnapshot',
  'rds-data:ExecuteStatement',
  'ec2:CreateSnapshot',
  'kms:Decrypt',
];
const compute = [
  'ec2:RunInstances',
  'ecs:RunTask',
  'lambda:CreateFunction',
  'sagemaker:CreateNotebookInstance',
  'batch:SubmitJob',
  'lightsail:CreateInstances',
  'bedrock:InvokeModel',
];
/** No AWS action: only a policy that allows everything allows it. */
const anything = 'firebreak-probe:Anything';
const rewritesItself = [
  'iam:AttachUserPolicy',
  'iam:PutUserPolicy',
  'iam:AttachRolePolicy',
  'iam:PutRolePolicy',
  'iam:CreatePolicyVersion',
];

/**
 * Rights from policies and boundary (undefined: none). SCPs, session policies and resource policies are not in it.
 */
export function rightsOf(policies: readonly NamedPolicy[], boundary: readonly Statement[] | undefined): Rights {
  const statements = policies.flatMap((policy) => policy.statements ?? []);
  const unread = policies.filter((policy) => policy.statements === undefined).map(({ name }) => name);
  const reach = (action: string): Reach => reachWithin(statements, boundary, action);
  const paths = escalationPaths.flatMap((path) => pathOf(path, statements, reach));
  const privilege = privilegeOf(statements, reach, paths);
  return {
    privilege: unread.length > 0 && privilege !== 'admin' && privilege !== 'escalation' ? undefined : privilege,
    paths,
    unread,
  };
}

function privilegeOf(
  statements: readonly Statement[],
  reach: (action: string) => Reach,
  paths: readonly Path[],
): Privilege {
  const writesIam = rewritesItself.some((action) => reach(action) === 'all') && reach('iam:PassRole') === 'all';
  // "All but IAM" (NotAction) allows the probe, and is no administrator.
  if ((reach(anything) === 'all' && reach('iam:PassRole') === 'all') || writesIam) return 'admin';
  if (paths.length > 0) return 'escalation';
  if (dataReads.some((action) => reach(action) !== 'no')) return 'data';
  if (compute.some((action) => reach(action) !== 'no')) return 'compute';
  return statements.some(({ Effect }) => Effect === 'Allow') ? 'read' : 'none';
}

function pathOf(
  path: EscalationPath,
  statements: readonly Statement[],
  reach: (action: string) => Reach,
): readonly Path[] {
  const used: { readonly action: string; readonly reach: Reach }[] = [];
  for (const need of path.needs) {
    const ways = (typeof need === 'string' ? [need] : need).map((action) => ({ action, reach: reach(action) }));
    const best = ways.find((way) => way.reach === 'all') ?? ways.find((way) => way.reach === 'some');
    if (best === undefined) return [];
    used.push(best);
  }
  const narrow = used.find((way) => way.reach === 'some');
  const on = narrow === undefined ? ['*'] : resourcesOf(statements, narrow.action);
  // "Its own keys" (`user/${aws:username}`) leads nowhere, and one named role is a door of its own, not a way to everything.
  if (on.length > 0 && on.every((resource) => resource.includes('${aws:'))) return [];
  if (narrow?.action === 'sts:AssumeRole' && !on.some(isWide)) return [];
  return [{ id: path.id, says: path.says, limited: narrow !== undefined, on: on.slice(0, 5) }];
}

function isWide(resource: string): boolean {
  return resource === '*' || /:(role|user)\/?\*$/.test(resource) || /^arn:[^:]*:iam::(\*|\d{12}):\*$/.test(resource);
}

export interface Quarantine {
  readonly by: 'AWS' | 'Firebreak' | 'a deny-all policy';
  readonly policy: string;
  /** What it leaves open, one sentence. */
  readonly leaves: string;
}

const awsLeaves =
  'AWS denies a list of calls only: sts:AssumeRole, SSM, Secrets Manager, s3:PutObject and most reads go on working.';

/** Whether somebody has stopped it already (DOMAIN.md 5.7; the statement ids are those of DOMAIN.md 5.6). */
export function quarantinesOf(policies: readonly NamedPolicy[]): readonly Quarantine[] {
  return policies.flatMap((policy): Quarantine[] => {
    if (/^AWSCompromisedKeyQuarantine(V\d)?$/.test(policy.name) && policy.arn?.includes('::aws:policy/') === true) {
      return [{ by: 'AWS', policy: policy.name, leaves: awsLeaves }];
    }
    const deny = (policy.statements ?? []).find(
      (statement) =>
        statement.Effect === 'Deny' &&
        statement.Action?.includes('*') === true &&
        statement.Resource?.includes('*') === true,
    );
    if (deny === undefined) return [];
    const conditional = deny.Condition !== undefined && Object.keys(deny.Condition).length > 0;
    const ours = /^(Ir|Firebreak)[A-Z]/.test(deny.Sid ?? '') || policy.arn?.includes(':policy/ir/') === true;
    return [
      {
        by: ours ? 'Firebreak' : 'a deny-all policy',
        policy: policy.name,
        leaves: conditional
          ? 'It denies under a condition only: older sessions, or calls from elsewhere.'
          : 'Sessions of roles that it assumed before go on working with the rights of those roles.',
      },
    ];
  });
}
