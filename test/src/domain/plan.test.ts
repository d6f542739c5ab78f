import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../src/contracts/approval.ts';
import type { ApiCall } from '../../../src/contracts/aws.ts';
import {
  bindsOf,
  cliCommand,
  compared,
  drift,
  planHash,
  sameState,
  targetWords,
  turnOf,
  wishOf,
} from '../../../src/domain/plan.ts';

const call: ApiCall = { service: 'iam', operation: 'PutUserPolicy', region: 'us-east-1', input: { UserName: 'al' } };
const plan: Plan = {
  action: 'deny-all',
  direction: 'apply',
  accountId: '999999999999',
  partition: 'aws',
  target: { kind: 'user', name: 'al' },
  before: { document: '', keys: 1 },
  calls: [call],
  sessionPolicy: { Version: '2012-10-17', Statement: [] },
  responderRole: 'arn:aws:iam::999999999999:role/ir/IrResponder',
};

describe('the hash of a plan', () => {
  it('is of its content, in any order of fields', () => {
    const turned = Object.fromEntries(Object.entries(plan).reverse()) as unknown as Plan;

    expect(planHash(turned)).toBe(planHash(plan));
    expect(planHash(plan)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('changes with every part of it', () => {
    const others: readonly Partial<Plan>[] = [
      { action: 'deny' },
      { direction: 'undo' },
      { accountId: '111122223333' },
      { partition: 'aws-cn' },
      { target: { kind: 'role', name: 'al' } },
      { before: { document: '', keys: 2 } },
      { calls: [call, call] },
      { calls: [{ ...call, goesOn: true }] },
      { calls: [{ ...call, region: 'us-west-2' }] },
      { sessionPolicy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['*'], Resource: '*' }] } },
      { responderRole: 'r' },
      { restores: { before: {}, done: [], at: '' } },
    ];
    const hashes = others.map((other) => planHash({ ...plan, ...other }));

    expect(new Set([...hashes, planHash(plan)]).size).toBe(others.length + 1);
  });
});

describe('a target that is not as it was planned', () => {
  const binds = ({ document }: Plan['before']) => ({ document });

  it('voids nothing where nothing differs, whatever would be called', () => {
    expect(compared(plan, { keys: 1, document: '' }, binds, undefined)).toEqual({ voids: [], told: [] });
  });

  it('voids the plan in what the action binds, and tells the rest', () => {
    const found = { document: 'x', keys: 2 };

    expect(compared(plan, found, binds, plan.calls)).toEqual({
      voids: ['document was "", is "x"'],
      told: ['keys was 1, is 2'],
    });
  });

  it('is told and goes on where the same would be called, and voids where not', () => {
    const found = { document: '', keys: 2 };
    const line = ['keys was 1, is 2'];

    expect(compared(plan, found, binds, [{ ...call }])).toEqual({ voids: [], told: line });
    expect(compared(plan, found, binds, [call, call])).toEqual({ voids: line, told: [] });
    expect(compared(plan, found, binds, undefined)).toEqual({ voids: line, told: [] });
  });

  it('is bound by all of its state where the action names no part of it', () => {
    expect(bindsOf({})({ a: 1 })).toEqual({ a: 1 });
    expect(bindsOf({ binds: () => ({ b: 2 }) })({ a: 1 })).toEqual({ b: 2 });
  });

  it('is compared field by field, by name, with what is there on one side only', () => {
    expect(drift({ z: 1, a: [1], same: 1 }, { same: 1, a: [2], new: true })).toEqual([
      'a was [1], is [2]',
      'new was null, is true',
      'z was 1, is null',
    ]);
    expect(sameState({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(true);
    expect(sameState({ a: 1 }, { a: 2 })).toBe(false);
  });
});

describe('words of a plan', () => {
  it('name a target, and count its lists', () => {
    expect(targetWords({ kind: 'user', keep: ['a', 'b'], days: 3, accountId: '', none: [] })).toBe(
      'user (2 keep) (3 days)',
    );
    expect(targetWords({ instanceId: 'i-1', region: 'us-east-1', lockDays: 90 })).toBe('i-1 us-east-1 (90 lock days)');
  });

  it('are the AWS CLI command, quoted for a shell', () => {
    const input = { UserName: "o'hara; rm -rf /", PolicyDocument: { Effect: 'Deny' }, Count: 2, GroupID: 'sg-1' };

    expect(cliCommand({ ...call, input })).toBe(
      `aws iam put-user-policy --user-name 'o'\\''hara; rm -rf /' --policy-document '{"Effect":"Deny"}' --count 2 --group-id sg-1 --region us-east-1`,
    );
    expect(cliCommand({ ...call, input: { Name: 'a b' } })).toContain("--name 'a b'");
    expect(cliCommand({ ...call, input: { Name: ' a' } })).toContain("--name ' a'");
    expect(cliCommand({ ...call, input: { Name: 'a ' } })).toContain("--name 'a '");
    expect(cliCommand({ ...call, input: { Name: '' } })).toContain("--name ''");
    expect(cliCommand({ ...call, input: { Name: 'A9_./:=@+,-z' } })).toContain('--name A9_./:=@+,-z ');
  });
});

describe('the words of a target', () => {
  it('leave out an ARN, which says the name and the account again, what is empty, and count lists', () => {
    const arn = 'arn:aws:iam::111122223333:user/ops/ida';

    expect(targetWords({ kind: 'user', name: 'ida', accountId: '111122223333', arn })).toBe('user ida 111122223333');
    expect(targetWords({ instanceId: 'i-1', roleName: 'Web', roleArn: arn, region: '' })).toBe('i-1 Web');
    expect(targetWords({ name: 'ida', keep: ['a', 'b'], none: [] })).toBe('ida (2 keep)');
  });
});

describe('a command whose time is that of its run', () => {
  it('has the shell write it', () => {
    const call: ApiCall = {
      service: 'iam',
      operation: 'PutRolePolicy',
      region: 'us-east-1',
      input: { PolicyDocument: { at: { $fill: 'time', plusSeconds: 30 } } },
    };

    expect(cliCommand(call)).toContain(`'"$(date -u -d '+30 seconds' +%Y-%m-%dT%H:%M:%SZ)"'`);
  });
});

describe('whose turn it is', () => {
  const on = (action: string, target: object, before: object): Plan => ({ ...plan, action, target, before }) as Plan;
  const role = { principalArn: 'arn:aws:iam::999999999999:role/apps/Deploy' };

  it('is one for all policies of a role, however it was named', () => {
    const named = on('revoke-session', { kind: 'role', name: 'Deploy', sessionName: 'a' }, role);
    const whole = on('deny-all', { kind: 'role', name: 'Deploy', arn: role.principalArn }, role);

    expect(turnOf(named)).toBe(turnOf(whole));
    expect(turnOf(named)).not.toBe(turnOf({ ...named, accountId: '111122223333' }));
    expect(turnOf(named)).not.toBe(turnOf(on('deny-all', named.target, { principalArn: `${role.principalArn}2` })));
  });

  it('is one for each action on an instance, and for each key', () => {
    const instance = { instanceArn: 'arn:aws:ec2:us-east-1:999999999999:instance/i-0aa11bb22cc33dd44' };
    const target = { instanceId: 'i-0aa11bb22cc33dd44', region: '' };
    const typed = { ...target, region: 'us-east-1', accountId: '999999999999' };

    expect(turnOf(on('stop-instance', target, instance))).toBe(turnOf(on('stop-instance', typed, instance)));
    expect(turnOf(on('stop-instance', target, instance))).not.toBe(turnOf(on('isolate-instance', target, instance)));
    expect(turnOf(on('disable-access-key', { accessKeyId: 'AKIA1' }, {}))).not.toBe(
      turnOf(on('disable-access-key', { accessKeyId: 'AKIA2' }, {})),
    );
  });

  it('tells wishes apart by what they are for, and not by how they were typed', () => {
    const short = on('deny-all', { kind: 'role', name: 'Deploy', accountId: '' }, role);
    const whole = on('deny-all', { kind: 'role', name: 'Deploy', accountId: '999999999999', arn: 'arn' }, role);
    const session = on('revoke-session', { kind: 'role', name: 'Deploy', accountId: '', sessionName: 'a' }, role);

    expect(wishOf(short)).toBe(wishOf(whole));
    expect(wishOf(short)).not.toBe(wishOf({ ...short, direction: 'undo' }));
    expect(wishOf(session)).not.toBe(wishOf({ ...session, target: { ...session.target, sessionName: 'b' } }));
  });
});
