/** `firebreak doctor` against an installation that is right, and against ones in which a role is not as the templates say. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { PolicyDocument } from '../../demo/aws/policy.ts';
import type { Role } from '../../demo/aws/state.ts';
import { configFor, environmentFor } from '../../demo/setting.ts';
import { parted } from '../../scripts/reference/cloudformation.ts';
import {
  auditPolicy,
  auditTrust,
  responderPolicy,
  responderTrust,
  workerPolicy,
} from '../../scripts/reference/permissions.ts';
import { run } from '../support/doors.ts';
import { openScene, type Scene } from '../support/scene.ts';

let scene: Scene;
let folder: string;
beforeAll(async () => {
  scene = await openScene({ aws: { backgroundEvents: 0 }, start: false });
  folder = mkdtempSync(join(tmpdir(), 'firebreak-doctor-'));
});
afterAll(async () => {
  await scene?.close();
  rmSync(folder, { recursive: true, force: true });
});

function roleOf(arn: string): Role {
  const { accounts, state } = scene.aws;
  const role = [...(state.accounts.get(accounts.workshop.id)?.roles.values() ?? [])].find((one) => one.arn === arn);
  if (role === undefined) throw new RangeError('the cast has changed');
  return role;
}

const audit = () => roleOf(scene.aws.accounts.workshop.auditRole);
const responder = () => roleOf(scene.aws.accounts.workshop.responderRole);
const executorArn = () => `arn:aws:iam::${scene.aws.accounts.hub.id}:role/ir/FirebreakExecutor`;

function worker() {
  const { hub } = scene.aws.accounts;
  const users = [...(scene.aws.state.accounts.get(hub.id)?.users.values() ?? [])];
  const user = users.find((one) => one.keys.some(({ id }) => id === scene.aws.credentials.hub.accessKeyId));
  if (user === undefined) throw new RangeError('the cast has changed');
  return user;
}

function give(role: Role, ...documents: readonly PolicyDocument[]): void {
  role.policies.splice(
    0,
    role.policies.length,
    ...documents.map((document, index) => ({ name: `P${index}`, document })),
  );
}

/** As the templates make it: worker and executor are two identities. */
beforeEach(() => {
  const { workshop } = scene.aws.accounts;
  give(audit(), ...parted(auditPolicy()));
  give(responder(), ...parted(responderPolicy(workshop.id, 'aws'), 3_000));
  audit().trust = auditTrust(worker().arn, workshop.externalId);
  responder().trust = responderTrust(executorArn(), workshop.externalId);
  worker().inlinePolicies.splice(0, 9, { name: 'worker', document: workerPolicy(audit().arn) });
});

interface Lines {
  readonly all: readonly string[];
  readonly failed: readonly string[];
}

/** The lines about the account. */
async function doctor(change: Record<string, unknown> = {}): Promise<Lines> {
  const config = configFor(scene.aws) as { accounts: readonly Record<string, unknown>[] };
  const accounts = config.accounts.map((account) => ({ ...account, ...change }));
  const path = join(folder, 'firebreak.yml');
  writeFileSync(path, stringify({ ...config, accounts, regions: ['us-east-1'] }));
  const env = { ...environmentFor(scene.aws, scene.slack), FIREBREAK_CONFIG: path, FIREBREAK_DATA_DIR: folder };
  const { stdout, stderr } = await run(['doctor'], { env });
  const all = stdout.split('\n').filter((line) => line.includes(' account '));
  if (all.length === 0) throw new Error(`no line about the account: ${stdout} ${stderr}`);
  return { all, failed: all.filter((line) => line.startsWith('FAIL')) };
}

describe('the doctor', () => {
  it('says of an installation as the templates make it that the roles are exactly what is asked for', async () => {
    const { all, failed } = await doctor();

    expect(failed).toEqual([]);
    expect(all.filter((line) => line.includes('exactly what is asked for'))).toHaveLength(2);
    expect(all.join('\n')).toContain('responder role is kept from the worker: AWS refuses it');
  }, 60_000);

  it('names one right that is missing and one that is too many, in both roles', async () => {
    const [reads] = auditPolicy().Statement;
    give(audit(), {
      ...auditPolicy(),
      Statement: [
        {
          ...reads,
          Effect: 'Allow',
          Action: [...(reads?.Action ?? []).filter((name) => name !== 'iam:GetUser'), 'sqs:SendMessage'],
        },
      ],
    } as PolicyDocument);
    const { workshop } = scene.aws.accounts;
    const writes = responderPolicy(workshop.id, 'aws').Statement.map((one) => ({
      ...one,
      Action: one.Action.map((name) => (name === 'iam:PutUserPolicy' ? 'iam:CreateAccessKey' : name)),
    }));
    give(responder(), { Version: '2012-10-17', Statement: writes } as PolicyDocument);

    const { failed } = await doctor();

    expect(failed).toEqual([
      expect.stringMatching(/audit rights: missing: iam:GetUser; beyond what is asked for: sqs:SendMessage$/),
      expect.stringMatching(
        /responder rights: missing: iam:PutUserPolicy on arn:aws:iam::999999999999:user\/\*; beyond what is asked for: iam:CreateAccessKey on arn:aws:iam::999999999999:user\/\*$/,
      ),
    ]);
  }, 60_000);

  it('finds rights that are wider by a wildcard, by a resource, by a lost condition, or by NotAction', async () => {
    const { workshop } = scene.aws.accounts;
    const wider = responderPolicy(workshop.id, 'aws').Statement.map(({ Condition: _, ...one }) => one);
    give(
      responder(),
      { Version: '2012-10-17', Statement: wider } as PolicyDocument,
      { Statement: [{ Effect: 'Allow', Action: 'iam:PutRole*', Resource: '*' }] },
      { Statement: [{ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' }] },
    );

    const { failed } = await doctor();

    expect(failed).toHaveLength(1);
    expect(failed[0]).toContain('NotAction');
    expect(failed[0]).toContain('iam:PutRole*');
    expect(failed[0]).toContain('iam:AttachUserPolicy on');
    expect(failed[0]).not.toContain('missing');
  }, 60_000);

  it('finds a responder role that the worker can become, and a trust without its conditions', async () => {
    const { workshop } = scene.aws.accounts;
    worker().inlinePolicies.push({ name: 'more', document: workerPolicy('*') });
    worker().inlinePolicies.push({
      name: 'tags',
      document: { Statement: { Effect: 'Allow', Action: 'sts:*', Resource: '*' } },
    });
    responder().trust = responderTrust(worker().arn, workshop.externalId);
    const { failed } = await doctor();
    expect(failed).toEqual([
      expect.stringContaining('which reads here and must not write'),
      expect.stringMatching(/kept from the worker: who asks here can become .*IrResponder/),
    ]);

    const Principal = { AWS: `arn:aws:iam::${scene.aws.accounts.hub.id}:root` };
    responder().trust = { Statement: { Effect: 'Allow', Principal, Action: 'sts:*' } };
    const open = (await doctor()).failed.find((line) => line.includes('responder trust'));
    expect(open).toContain('it trusts everybody in account');
    expect(open).toContain('sts:externalid');
    expect(open).toContain('sts:sourceidentity');
    expect(open).toContain('aws:requesttag/ir-case');
  }, 90_000);

  it('finds an external id that is not the one of the config, and a role out of its place', async () => {
    const { workshop } = scene.aws.accounts;
    responder().trust = responderTrust(executorArn(), 'another');
    const { failed } = await doctor({ responderRole: workshop.responderRole.replace('/ir/', '/') });

    expect(failed.join('\n')).toContain('IAM knows it as');
    expect(failed.join('\n')).toContain('sts:externalid');
  }, 60_000);
});
