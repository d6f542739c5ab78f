/** AWS Config's history of a resource: which resource a word means, and what changed between two items. */
import { UserError } from '../contracts/errors.ts';
import { parseArnStrict } from './arn.ts';
import { classify } from './artifact.ts';

export interface ConfigSubject {
  /** `AWS::EC2::SecurityGroup` */
  readonly resourceType: string;
  /** Config's own id, where the word tells it; else it is looked for by name. */
  readonly resourceId?: string;
  readonly resourceName?: string;
  readonly accountId?: string;
  readonly region?: string;
}

/** Prefixes of ids that are Config's ids as well (https://docs.aws.amazon.com/config/latest/developerguide/resource-config-reference.html). */
const byPrefix: Readonly<Record<string, string>> = {
  i: 'AWS::EC2::Instance',
  sg: 'AWS::EC2::SecurityGroup',
  vol: 'AWS::EC2::Volume',
  eni: 'AWS::EC2::NetworkInterface',
  subnet: 'AWS::EC2::Subnet',
  vpc: 'AWS::EC2::VPC',
  rtb: 'AWS::EC2::RouteTable',
  igw: 'AWS::EC2::InternetGateway',
  acl: 'AWS::EC2::NetworkAcl',
  nat: 'AWS::EC2::NatGateway',
  lt: 'AWS::EC2::LaunchTemplate',
  eipalloc: 'AWS::EC2::EIP',
  tgw: 'AWS::EC2::TransitGateway',
};

/** Service and type of an ARN, and whether Config's id is the last part of it (`id`), its name, or the ARN itself. */
const byArn: readonly (readonly [pattern: RegExp, type: string, is: 'id' | 'name' | 'arn'])[] = [
  [/^iam:user\//, 'AWS::IAM::User', 'name'],
  [/^iam:role\//, 'AWS::IAM::Role', 'name'],
  [/^iam:group\//, 'AWS::IAM::Group', 'name'],
  [/^iam:policy\//, 'AWS::IAM::Policy', 'name'],
  [/^s3:[^/]+$/, 'AWS::S3::Bucket', 'id'],
  [/^lambda:function:/, 'AWS::Lambda::Function', 'id'],
  [/^dynamodb:table\//, 'AWS::DynamoDB::Table', 'id'],
  [/^rds:db:/, 'AWS::RDS::DBInstance', 'name'],
  [/^kms:key\//, 'AWS::KMS::Key', 'id'],
  [/^cloudtrail:trail\//, 'AWS::CloudTrail::Trail', 'id'],
  [/^sns:/, 'AWS::SNS::Topic', 'arn'],
  [/^secretsmanager:secret:/, 'AWS::SecretsManager::Secret', 'arn'],
  [/^ecs:cluster\//, 'AWS::ECS::Cluster', 'arn'],
  [/^eks:cluster\//, 'AWS::EKS::Cluster', 'id'],
  [/^cloudformation:stack\//, 'AWS::CloudFormation::Stack', 'arn'],
];

/** Throws UserError, with what is accepted, for a word that Config keeps no history of. */
export function configSubject(word: string): ConfigSubject {
  const { artifact } = classify(word);
  const hint =
    'I know the history of EC2 resources by id, and of users, roles, groups, policies, buckets, functions, tables, databases, keys, trails, topics, secrets, clusters and stacks by ARN.';
  const arn = parseArnStrict(artifact.id);
  if (arn !== undefined) {
    const path = `${arn.service}:${arn.resource}`;
    const where = {
      ...(arn.accountId === '' ? {} : { accountId: arn.accountId }),
      ...(arn.region === '' ? {} : { region: arn.region }),
    };
    const last = arn.resource.split(/[:/]/).at(-1) ?? '';
    if (arn.service === 'ec2') {
      const resourceType = byPrefix[/^([a-z]+)-/.exec(last)?.[1] ?? ''];
      if (resourceType !== undefined) return { resourceType, resourceId: last, ...where };
    }
    const known = byArn.find(([pattern]) => pattern.test(path));
    if (known !== undefined) {
      const [, resourceType, is] = known;
      if (is === 'name') return { resourceType, resourceName: last, ...where };
      return { resourceType, resourceId: is === 'arn' ? artifact.id : last, ...where };
    }
  }
  const resourceType = arn === undefined ? byPrefix[/^([a-z]+)-[0-9a-f]{8,}$/.exec(artifact.id)?.[1] ?? ''] : undefined;
  if (resourceType === undefined)
    throw new UserError(`AWS Config's history of "${artifact.id.slice(0, 80)}" cannot be asked for.`, hint);
  return { resourceType, resourceId: artifact.id };
}

export interface Change {
  /** Dotted, list places in brackets: `ipPermissions[0].ipRanges[1]`. */
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

const maxLeaves = 5_000;
const shownLength = 200;

/** What differs between two configurations (JSON text of Config, or the value in it), by path; at most `max`. */
export function changesBetween(before: unknown, after: unknown, max = 200): readonly Change[] {
  const [was, is] = [leavesOf(before), leavesOf(after)];
  const paths = [...new Set([...was.keys(), ...is.keys()])].sort();
  return paths
    .filter((path) => was.get(path) !== is.get(path))
    .slice(0, max)
    .map((path) => ({ path, before: was.get(path) ?? null, after: is.get(path) ?? null }));
}

function leavesOf(value: unknown): ReadonlyMap<string, string> {
  const leaves = new Map<string, string>();
  const walk = (here: unknown, path: string, depth: number): void => {
    if (leaves.size >= maxLeaves || depth > 20) return;
    if (Array.isArray(here)) for (const [at, inner] of sorted(here).entries()) walk(inner, `${path}[${at}]`, depth + 1);
    else if (typeof here === 'object' && here !== null) {
      for (const [key, inner] of Object.entries(here)) walk(inner, path === '' ? key : `${path}.${key}`, depth + 1);
    } else if (here !== null && here !== undefined) leaves.set(path, String(here).slice(0, shownLength));
  };
  walk(value, '', 0);
  return leaves;
}

/** Config gives the members of a set in any order. */
function sorted(list: readonly unknown[]): readonly unknown[] {
  return list.toSorted((a, b) => {
    const [one, two] = [JSON.stringify(a) ?? '', JSON.stringify(b) ?? ''];
    return one < two ? -1 : one > two ? 1 : 0;
  });
}
