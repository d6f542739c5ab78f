/** The templates say what the permissions page says, which is proved against a server that enforces it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parted, policyLimit } from '../../scripts/reference/cloudformation.ts';
import {
  anchorPolicy,
  auditPolicy,
  auditTrust,
  executorPolicy,
  type Policy,
  responderPolicy,
  responderTrust,
  workerPolicy,
} from '../../scripts/reference/permissions.ts';
import { readEnvelope } from '../../src/webhooks/event-kinds.ts';

interface Resource {
  readonly Type: string;
  readonly Condition?: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}
interface Template {
  readonly Parameters: Readonly<Record<string, { readonly AllowedPattern?: string }>>;
  readonly Resources: Readonly<Record<string, Resource>>;
}

const folder = join(import.meta.dirname, '..', '..', 'deploy', 'cloudformation');
const text = (name: string) => readFileSync(join(folder, `${name}.yml`), 'utf8');

/** As CloudFormation resolves them: YAML 1.1, parameters, Fn::Sub, Fn::If, Fn::GetAtt. */
function resolved(name: string, values: Readonly<Record<string, string>>): Template {
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    const [[key = '', inner] = []] = Object.entries(value);
    if (key === 'Ref') return values[String(inner)] ?? { Ref: inner };
    if (key === 'Fn::Sub')
      return String(inner).replace(/\$\{(!?)([^}]+)\}/g, (all, literal: string, name: string) => {
        if (literal === '!') return `\${${name}}`;
        const known = values[name];
        if (known === undefined) throw new Error(`Fn::Sub knows no ${all}`);
        return known;
      });
    if (key === 'Fn::If' && Array.isArray(inner)) return walk(values.OrgId === '' ? inner[2] : inner[1]);
    return Object.fromEntries(Object.entries(value).map(([field, one]) => [field, walk(one)]));
  };
  return walk(parse(text(name), { version: '1.1' })) as Template;
}

function rolesOf(template: Template, role: string): Policy['Statement'] {
  return Object.values(template.Resources)
    .filter(({ Type }) => Type === 'AWS::IAM::ManagedPolicy')
    .filter(({ Properties }) => JSON.stringify(Properties.Roles) === JSON.stringify([{ Ref: role }]))
    .flatMap(({ Properties }) => (Properties.PolicyDocument as Policy).Statement);
}

/** One line for each thing that is allowed, so that how it is split does not matter. */
function rights(statements: Policy['Statement']): readonly string[] {
  return statements
    .flatMap(({ Sid: _, Action, ...rest }) => Action.map((action) => JSON.stringify([action, rest])))
    .sort();
}

const values = {
  'AWS::Partition': 'aws-us-gov',
  'AWS::AccountId': '111122223333',
  HubAccountId: '444455556666',
  ExternalId: 'change-me',
  OrgId: '',
  RunsOn: 'ecs-tasks.amazonaws.com',
  AnchorBucket: 'example-audit-anchors',
  AnchorPrefix: 'firebreak-audit/',
};
const hubRole = (name: string) => `arn:aws-us-gov:iam::444455556666:role/ir/${name}`;
const member = resolved('member', values);
const hub = resolved('hub', values);

describe('member.yml', () => {
  it('gives the audit role what the page says, and nothing else', () => {
    expect(rights(rolesOf(member, 'AuditRole'))).toEqual(rights(auditPolicy().Statement));
  });

  it('gives the responder role what the page says, in the partition of the account', () => {
    const statements = rolesOf(member, 'ResponderRole');

    expect(rights(statements)).toEqual(rights(responderPolicy('111122223333', 'aws-us-gov').Statement));
    expect(JSON.stringify(statements)).not.toContain('arn:aws:');
  });

  it('lets the roles of the hub become them, with external id, tags and source identity', () => {
    const trust = (name: string) => member.Resources[name]?.Properties.AssumeRolePolicyDocument;

    expect(trust('AuditRole')).toEqual(auditTrust(hubRole('FirebreakWorker'), 'change-me'));
    expect(trust('ResponderRole')).toEqual(responderTrust(hubRole('FirebreakExecutor'), 'change-me'));
  });

  it('asks for the organisation too, where it is given', () => {
    const strict = resolved('member', { ...values, OrgId: 'o-exampleorgid' });

    for (const name of ['AuditRole', 'ResponderRole'])
      expect(JSON.stringify(strict.Resources[name])).toContain('"aws:PrincipalOrgID":"o-exampleorgid"');
  });

  it('has all of the responder role under its condition, so that an account can be investigated only', () => {
    const conditions = Object.entries(member.Resources).map(([name, { Condition }]) => [
      name.startsWith('Responder'),
      Condition === 'Contains',
    ]);

    for (const [isResponder, isConditional] of conditions) expect(isConditional).toBe(isResponder);
  });
});

describe('hub.yml', () => {
  it('gives worker and executor what the page says, for all accounts', () => {
    const anchor = anchorPolicy('arn:aws-us-gov:s3:::example-audit-anchors', 'firebreak-audit/').Statement;
    const anchoring = rights(anchor);
    const all = rolesOf(hub, 'WorkerRole');
    expect(rights(all)).toEqual(expect.arrayContaining([...anchoring]));
    expect(hub.Resources.AnchorPolicy1?.Condition).toBe('HasAnchor');
    const worker = all.filter((one) => !rights([one]).some((right) => anchoring.includes(right)));

    expect(rights(worker)).toEqual(
      expect.arrayContaining([...rights(workerPolicy('arn:aws-us-gov:iam::*:role/ir/IrAudit').Statement)]),
    );
    expect(worker.flatMap(({ Action }) => Action).sort()).toEqual([
      'sns:ConfirmSubscription',
      'sqs:DeleteMessage',
      'sqs:ReceiveMessage',
      'sts:AssumeRole',
    ]);
    expect(rights(rolesOf(hub, 'ExecutorRole'))).toEqual(
      rights(executorPolicy('arn:aws-us-gov:iam::*:role/ir/IrResponder').Statement),
    );
  });

  it('lets EventBridge, by its own rule alone, write into the queue', () => {
    const document = hub.Resources.FindingsQueuePolicy?.Properties.PolicyDocument as Policy | undefined;
    const [statement] = document?.Statement ?? [];

    expect(statement).toMatchObject({
      Principal: { Service: 'events.amazonaws.com' },
      Condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': ['FindingsRule', 'Arn'] } } },
    });
  });

  it('forwards only what is understood', () => {
    const pattern = hub.Resources.FindingsRule?.Properties.EventPattern as Record<'source' | 'detail-type', string[]>;
    const unread = pattern['detail-type']
      .filter((type) => type !== 'GuardDuty Finding')
      .filter((type) => !pattern.source.some((source) => readEnvelope(source, type, { detail: {} }) !== undefined));

    expect(unread).toEqual([]);
  });
});

describe('the templates', () => {
  it.each(['hub', 'member'])('%s.yml keeps each managed policy under the limit, and under ten for a role', (name) => {
    const template = resolved(name, { ...values, 'AWS::Partition': 'aws-iso-b' });
    const policies = Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::IAM::ManagedPolicy');

    expect(policies.length).toBeGreaterThan(1);
    for (const { Properties } of policies)
      expect(JSON.stringify(Properties.PolicyDocument).length).toBeLessThanOrEqual(policyLimit);
    for (const role of ['AuditRole', 'ResponderRole', 'WorkerRole', 'ExecutorRole'])
      expect(
        policies.filter(({ Properties }) => JSON.stringify(Properties.Roles).includes(role)).length,
      ).toBeLessThanOrEqual(10);
  });

  it('split a large policy without losing or adding a right', () => {
    const Action = Array.from({ length: 900 }, (_, index) => `service:DescribeThingNumber${index}`);
    const large: Policy = {
      Version: '2012-10-17',
      Statement: [{ Sid: 'Look', Effect: 'Allow', Action, Resource: '*' }],
    };

    const parts = parted(large);

    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts) expect(JSON.stringify(part).length).toBeLessThanOrEqual(policyLimit);
    expect(rights(parts.flatMap(({ Statement }) => Statement))).toEqual(rights(large.Statement));
  });
});
